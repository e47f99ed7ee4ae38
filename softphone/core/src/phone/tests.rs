//! Two phones and an exchange between them, in simulated time.

mod exchange;
mod security;
mod stories;
mod transfer;
