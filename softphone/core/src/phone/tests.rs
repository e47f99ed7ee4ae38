//! Two phones and an exchange between them, in simulated time.

mod exchange;
mod stories;
mod transfer;
