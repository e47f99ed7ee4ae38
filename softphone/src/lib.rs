//! x
pub mod failure;
pub mod portal;
pub mod profile;
