//! How the media of a call is protected: what descriptions say about it.

mod suite;

pub use suite::{MasterKey, Mki, SrtpSuite};
