//! How good a call is, for people: estimated from what is counted anyway, without listening.
//!
//! - [`emodel`]: from codec, delay and loss to a rating and a score;
//! - [`bursts`]: whether losses come one by one or together;
//! - [`one_way`]: why one side does not hear the other;
//! - [`CallQuality`]: all of it for one call, both directions.

pub mod bursts;
pub mod emodel;
mod monitor;
pub mod one_way;

pub(crate) use monitor::Monitor;
pub use monitor::{CallQuality, Quality};
