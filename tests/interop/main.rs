//! Other people's programs against the real server and the real phone: baresip, linphonec, sipp, sipsak and Kamailio from Debian's
//! packages.
//!
//! `peer` drives the phones among them, `stage.rs` makes what a test needs, `conversation.rs` says what is played, `matrix.rs` which
//! phone plays it over which transport. Each program must be installed (`scripts/setup`); one that is missing is a failure, not a test
//! left out.

mod conversation;
mod desk_phone;
mod digits;
mod kamailio;
mod lossy;
mod matrix;
mod minute;
mod peer;
mod provider_test;
mod relay;
mod sipp;
mod sipsak;
mod stage;
mod stereo;
mod transfer;
