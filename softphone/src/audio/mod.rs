//! Sound cards: which there are, and how a call's sound gets in and out of them.
//!
//! ```text
//!   cpal:        microphone ─► callback ─► ring ─┐
//!                                                ├─► CardSource ─► call     (and the other way round: CardSink)
//!   PulseAudio:  the server's socket ────────────┘
//! ```
//!
//! The callbacks run on the sound system's threads and neither lock, allocate nor log (invariant
//! I8); they only move samples between the card and a lock-free ring (`callback.rs`). The sockets are
//! read and written by the call whenever it looks (docs/decisions/0031). Nobody waits
//! for a card: [`open_capture`] and [`open_playback`] return at once, and a keeper's thread opens the
//! card, replaces it when it is unplugged and takes it again when it is back (`keeper`).
//!
//! | file | owns |
//! |---|---|
//! | `card.rs` | the call's end: a source and a sink over the card in use |
//! | `keeper` | which card that is |
//! | `pulse` | cards of PulseAudio, and of PipeWire, which speaks its protocol |
//! | `portable` | cards of all other systems, through `cpal` |
//! | `device.rs` | what a card is for a person, and the list of them |
//!
//! [`devices`] blocks for a moment: never call it on a task of the runtime, use a blocking thread.
//! `media-io` has the fakes that stand beside these: files, tones, silence, loop-back.

mod callback;
mod card;
mod device;
mod error;
mod keeper;
mod portable;
#[cfg(target_os = "linux")]
mod pulse;

pub use card::{CardSink, CardSource, open_capture, open_playback};
pub use device::{Device, DeviceKind, devices};
pub use error::AudioError;
