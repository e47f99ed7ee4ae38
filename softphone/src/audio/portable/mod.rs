//! Cards of the systems that `cpal` knows: ALSA, and those of Windows and macOS.
//!
//! Cards speak many sample formats, rates and numbers of channels: the form closest to a call's own
//! is chosen, the rest is converted in the callback and in the ring.

mod list;
mod quiet;
mod stream;

pub(super) use list::{devices, look_up};
pub(super) use stream::{open_loudspeaker, open_microphone};
