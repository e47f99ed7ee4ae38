//! The softphone against a portal and an exchange of its own, all on loopback.

mod exchange;
mod phones;
mod portal;
mod stub;
