//! crates/media-io
