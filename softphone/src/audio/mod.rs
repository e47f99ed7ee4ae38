//! Sound cards: which there are, and how a call's sound gets in and out of them.
//!
//! ```text
//!   microphone ─► callback ─► ring ─► CardSource ─► media session
//!   loudspeaker ◄─ callback ◄─ ring ◄─ CardSink  ◄─ media session
//! ```
//!
//! The callbacks run on the system's real-time threads and neither lock, allocate nor log
//! (invariant I8); they only move samples between the card and a lock-free ring (`callback.rs`).
//! Every open card lives on a thread of its own (`card.rs`), because starting one may block for
//! seconds; closing is dropping.
//!
//! [`devices`], [`open_capture`] and [`open_playback`] block for a moment: never call them on a
//! task of the runtime, use a blocking thread. `media-io` has the fakes that stand beside these:
//! files, tones, silence, loop-back.

mod callback;
mod card;
mod device;
mod error;

pub use card::{CardSink, CardSource, open_capture, open_playback};
pub use device::{Device, DeviceKind, devices};
pub use error::AudioError;
