//! crates/testkit

pub mod postgres;
