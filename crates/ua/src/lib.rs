//! crates/ua
