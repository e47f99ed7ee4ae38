//! The desk: where the sound of each call comes from and goes to, changed while the call runs.
//!
//! ```text
//!                                   ┌► Near: sound card, or files in its place
//!   session ◄─► PortSource,         │
//!               PortSink ◄─► Port ──┼► a source of its own: hold music, silence
//!                             │     │
//!                             │     └► Room: a conference, which has the Near of its first call
//!                             └► recording, own side left, far side right
//! ```
//!
//! A session has one [`PortSource`] and one [`PortSink`] for all of its life; its owner moves the
//! [`Port`] from place to place. There is no task and no thread here: everything happens in the 5 ms looks
//! of the sessions. A call that talks with the person alone passes frames straight through: no queue, no
//! mixer, no delay. In a conference the session of its first call runs the mixer, at the pace of the
//! loudspeaker; the other sessions give and take as many frames as it does, so that a conference has one
//! clock, and every jitter buffer follows it.
//!
//! [`SharedCard`] is the one place that every frame to the loudspeaker and from the microphone passes,
//! whichever call it belongs to.
//!
//! Locks are held for as long as a frame takes to copy or mix, in the order port, room, near, card.
//!
//! Not here: which call is where (its owner's), opening cards and files.

mod near;
mod port;
mod pump;
mod queue;
mod room;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use near::{Near, SharedCard, WeakCard};
pub use port::{Place, Port, PortSink, PortSource};
pub use pump::Pump;
pub use room::{Room, Seat, Voice};

/// A panic in one call must not silence the others.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
