//! The softphone against a portal and an exchange of its own, all on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod cards;
mod exchange;
mod phones;
mod portal;
mod reach;
mod soundless;
mod stub;
