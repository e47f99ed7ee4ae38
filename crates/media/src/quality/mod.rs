//! How good a call is, for people: estimated from what is counted anyway, without listening.
//!
//! - [`emodel`]: from codec, delay and loss to a rating and a score;
//! - [`bursts`]: whether losses come one by one or together;
//! - [`one_way`]: why one side does not hear the other.

pub mod bursts;
pub mod emodel;
pub mod one_way;
