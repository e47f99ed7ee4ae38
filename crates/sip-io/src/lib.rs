//! crates/sip-io
