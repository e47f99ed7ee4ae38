//! What must hold for any input from the network, and for any file.
//!
//! Each check is a function of bytes that panics when a promise is broken. The files under
//! `fuzz_targets` hand it what libFuzzer invents; the tests `fuzz_seeds` of the crates that are
//! checked hand it the samples and every input that ever broke one, on every test run.

pub mod codec_checks;
pub mod dtls_checks;
pub mod file_checks;
pub mod ice_checks;
pub mod input;
pub mod jitter_checks;
pub mod registrar_checks;
pub mod relay_checks;
pub mod rtp_checks;
pub mod sdp_checks;
pub mod session_checks;
pub mod sip_checks;
pub mod srtp_checks;
