//! What the softphone decides, without sound, sockets and clocks.
//!
//! ```text
//!   Command ──► ┌───────┐ ──► Event ──► View           what a window or a command line shows
//!   bytes   ──► │ Phone │ ──► OpenMedia, UpdateMedia,  what the edge does with ports and sound
//!   time    ──► └───────┘     CloseMedia, SendDigits
//!                 │ owns sip::Endpoint, ua::Registrations, ua::Calls
//! ```
//!
//! [`Phone`] is a [`sip::Machine`]: any driver runs it, a simulated one too. Reading order:
//! [`Action`] is what can be asked, [`Event`] what is told, [`View`] what is shown; `phone/mod.rs`
//! has the policy, `call.rs` the life of one call, [`target`] the rules of dialling.
//!
//! Invariants: every command gets exactly one reply; after [`Event::CallEnded`] nothing more comes
//! for a call, and its media was closed before; a text from the network is made plain before it
//! leaves ([`plain_text`]); numbers and passwords are [`sip::Private`].
//!
//! Not here: sockets (`sip-io`), sound (`media-io`, the binary), the portal, files.

mod call;
mod command;
mod dialing;
mod directory;
mod event;
mod info;
mod phone;
mod text;
mod view;

pub use command::{
    Action, CallId, Command, LineConfig, LineId, LocalAddress, Refusal, Rejection, ReplyId, Which,
};
pub use dialing::{DialError, DialingRule, target};
pub use directory::{Callee, Directory, Internal, Number, Person};
pub use event::{CallEnd, CallEnded, Event};
pub use phone::{Phone, PhoneConfig};
pub use text::plain_text;
pub use view::{
    Actions, CallDirection, CallView, LineStatus, LineView, Phase, Ringback, Transfer, View,
};
