//! Cards of PulseAudio, and of PipeWire where it speaks PulseAudio's protocol.
//!
//! `cpal` asks PulseAudio for buffers that make it call 1900 times a second, asks for the latency
//! after every period, and shows an empty cookie to a server that wants 256 bytes. So these streams
//! are our own (docs/decisions/0022), over the protocol as the `pulseaudio` crate reads and writes
//! it.
//!
//! | file | owns |
//! |---|---|
//! | `connection.rs` | reaching the server, its cookie, questions and answers |
//! | `stream.rs` | what is asked of the server for a stream |
//! | `wire.rs` | what is said on a stream's socket, without waiting |
//! | `microphone.rs`, `loudspeaker.rs` | a call's ends of a stream, read and written whenever the call looks |
//! | `list.rs` | the cards that there are, and finding one |

mod connection;
mod list;
mod loudspeaker;
mod microphone;
mod stream;
mod wire;

pub(super) use list::{devices, is_here, look_up};
pub(super) use stream::{open_loudspeaker, open_microphone};

/// What the ids of these cards begin with.
const PREFIX: &str = "pulseaudio:";

/// The server's name of the card with this id; `None` if it is another system's.
pub(super) fn server_name(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX)
}
