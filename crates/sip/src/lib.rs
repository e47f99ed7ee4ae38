//! crates/sip
