//! Two phones and an exchange between them, in simulated time.

mod conference;
mod exchange;
mod reach;
mod security;
mod stories;
mod transfer;
