//! crates/sdp
