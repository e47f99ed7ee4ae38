//! The contract between protocol logic and the loop that drives it.
//!
//! A [`Machine`] reads no clock, opens no socket and never waits. Everything that happens to it is
//! a call with the time of that moment; everything it wants is an [`Output`]; the moment it wants
//! to be called again without a cause is its deadline.
//!
//! ```text
//!   bytes, commands, closed flows, resolved names ──► handle_* ──► poll_output ──► transmit,
//!   deadlines ─────────────────────────────────────► handle_timeout              resolve, close,
//!                         ▲                                                      event
//!                         └──────────── poll_timeout ◄──────────┘
//! ```
//!
//! Invariants: after **every** call that takes `&mut self` the driver drains `poll_output` before
//! it waits, and after `handle_timeout(now)` the next deadline is later than `now`.
//!
//! The loop itself is in the crate `sip-io`.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::flow::{Destination, Flow, Target};
use crate::host::Host;
use crate::transport::Transport;
use crate::uri::{Scheme, Uri};

/// Protocol logic that is driven from outside.
pub trait Machine {
    /// What the application may ask.
    type Command;
    /// What the application is told.
    type Event;

    /// One datagram, or one complete message of a stream, arrived on `flow`.
    fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant);

    /// The bytes of [`Transmit`] `id` did not leave and will not.
    fn handle_transmit_failed(&mut self, id: TransmitId, now: Instant);

    /// A stream ended, whoever closed it. Never called for UDP.
    fn handle_flow_closed(&mut self, flow: Flow, now: Instant);

    /// The answer to [`ResolveRequest`] `id`: servers in order of preference.
    fn handle_resolved(
        &mut self,
        id: ResolveId,
        result: Result<Vec<Target>, ResolveError>,
        now: Instant,
    );

    /// The server at `target` has not proved who it is; what was to be sent to it fails next.
    fn handle_untrusted(&mut self, _target: Target, _problem: CertificateProblem, _now: Instant) {}

    /// The application asks for something.
    fn handle_command(&mut self, command: Self::Command, now: Instant);

    /// The deadline of [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Instant);

    /// The application's queue is full: end what the event was about.
    fn handle_refused_event(&mut self, event: Self::Event, now: Instant);

    /// The next thing to do outside, `None` when there is nothing more for now.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;

    /// When to call [`handle_timeout`](Self::handle_timeout), `None` for never.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// Send bytes.
    Transmit(Transmit),
    /// Find the addresses of a name.
    Resolve(ResolveRequest),
    /// Close a stream: nobody needs it any more, or its peer misbehaved.
    Close(Flow),
    /// Whoever sends on this flow has proved who he is: under load his messages come before those
    /// of strangers. To be said again whenever it is proved again; the driver forgets in the end.
    Trust {
        /// The flow.
        flow: Flow,
        /// The Call-ID of the request that proves it. Under a flood from the flow's own address
        /// this call comes first.
        call_id: Option<Box<str>>,
    },
    /// The flow is a stranger's again.
    Distrust(Flow),
    /// A server did not answer: others of its domain come first for a while (RFC 3263, section 4.3).
    Unreachable {
        /// Transport protocol.
        transport: Transport,
        /// Its address.
        peer: SocketAddr,
    },
    /// Tell the application.
    Event(E),
}

/// Names one [`Transmit`] of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransmitId(pub u64);

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Comes back in [`Machine::handle_transmit_failed`].
    pub id: TransmitId,
    /// Where to.
    pub destination: Destination,
    /// The whole message.
    pub bytes: Bytes,
}

/// Names one [`ResolveRequest`] of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

/// A name to look up (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveRequest {
    /// Comes back in [`Machine::handle_resolved`].
    pub id: ResolveId,
    /// Name or address literal.
    pub host: Host,
    /// The port the URI names, if it names one.
    pub port: Option<u16>,
    /// The transport the URI or the configuration demands, if it does.
    pub transport: Option<Transport>,
    /// What the URI's scheme demands.
    pub security: Security,
}

/// What a URI's scheme demands of the way to its server (RFC 3261, section 26.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Security {
    /// `sip`: any transport.
    #[default]
    Any,
    /// `sips`: only transports under TLS.
    Tls,
}

impl Security {
    /// What the scheme of `uri` demands.
    #[must_use]
    pub fn of(uri: &Uri) -> Self {
        match uri.scheme() {
            Scheme::Sips => Self::Tls,
            _ => Self::Any,
        }
    }
}

/// Why a server's certificate proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// Its time is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// Its time has not come: one of the two clocks is wrong.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// It is for somebody else (RFC 5922, section 7).
    #[error("the server's certificate is for another name")]
    WrongName,
    /// Nobody we believe has signed it.
    #[error("the server's certificate is signed by an unknown authority")]
    UnknownIssuer,
    /// Anything else.
    #[error("the server's certificate is not acceptable")]
    Invalid,
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name service says that there is no such name.
    #[error("no such host")]
    NotFound,
    /// The name service did not answer in time.
    #[error("the name service did not answer")]
    Timeout,
    /// Too many look-ups are under way.
    #[error("too many look-ups at once")]
    Busy,
    /// The domain has servers, but none that can be reached in the way that is demanded.
    #[error("no server with a suitable transport")]
    NoTransport,
    /// The name service failed in another way.
    #[error("the name service failed")]
    Failed,
}
