//! aor
