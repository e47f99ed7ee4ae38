//! Media on the wire and in files: what joins the pure pipelines of `media` to the world.
//!
//! ```text
//!   AudioSource ─► ┌──────────────┐ ─► RTP/RTCP sockets ─► peer
//!                  │ MediaSession │
//!   AudioSink   ◄─ └──────────────┘ ◄─ RTP/RTCP sockets ◄─ peer
//! ```
//!
//! - [`RtpSockets`]: a pair of ports, even for RTP and the next for RTCP, from a configured range;
//! - [`IceServers`], [`LocalCandidates`]: ICE on that port, where both sides of the call do it;
//! - [`MediaSession`]: one task per call that owns the sockets, the pipelines and the sound, and
//!   never blocks; a panic in it ends that call's sound and nothing else;
//! - [`AudioSource`] and [`AudioSink`]: where sound comes from and goes to. A sound card (through
//!   a [`ring`]), a WAV file, a tone, silence and a loop-back are equals;
//! - [`Recorder`]: a call kept in a file, stereo, one side per channel;
//! - [`Player`]: a sound file, recorded or music on hold, from any place;
//! - [`desk`]: moves the sound of running calls between the person, hold music and conferences;
//! - [`MediaThread`]: the thread that looks after all calls of a phone;
//! - [`relay`]: one thread that forwards the media of many calls over one port.
//!
//! Sound cards themselves are in the softphone: only it has people in front of it.

mod audio;
pub mod desk;
mod ice;
mod identity;
mod player;
mod ports;
mod recorder;
mod reference;
pub mod relay;
mod session;
mod thread;
mod wav;

pub use audio::ring;
pub use audio::{
    AudioSink, AudioSource, NoSink, ProcessedSink, ProcessedSource, ProcessingSwitches, Silence,
    ToneSource, loop_back, processed,
};
pub use ice::LocalCandidates;
pub use identity::{IdentityError, new_identity};
pub use player::{PlayError, Played, Player};
pub use ports::{PortError, PortRange, RtpSockets};
pub use recorder::{RecordError, Recorder, Recording, RecordingFormat};
pub use reference::{ReferenceError, reference_transcode};
pub use session::{EndCause, MediaEvent, MediaSession, SessionError, SessionOptions};
pub use stun::{
    Agreement, Credentials, IceError, IceEvent, IceServers, LiteAgent, LiteError, Role, Secret,
    TurnConfig,
};
pub use thread::MediaThread;
pub use wav::{AfterEnd, WavError, WavSink, WavSource};
