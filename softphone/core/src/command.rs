//! What the phone can be asked, and why it may refuse.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use sdp::{LocalIce, LocalSecurity, PayloadFormat};
use sip::{HostPort, Private, Transport, Uri};

use crate::dialing::{DialError, DialingRule};

/// Names one line: the identifier of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub u128);

/// Names one call of one phone, counted from 1; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Chosen by whoever commands; comes back in the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyId(pub u64);

/// One command. Every one is replied to exactly once.
#[derive(Clone, Debug)]
pub struct Command {
    /// For the reply.
    pub reply: ReplyId,
    /// What to do.
    pub action: Action,
}

/// What the phone can do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Have exactly these lines. Lines that stay the same are left alone, others are registered,
    /// registered anew or signed out; calls on lines that go are ended.
    Configure(Vec<LineConfig>),
    /// Call somebody.
    Call {
        /// From this line; from the first connected one if absent.
        line: Option<LineId>,
        /// What the person typed; see [`target`](crate::target).
        target: Private<String>,
    },
    /// Answer an incoming call; a call that is connected is put on hold.
    Answer(Which),
    /// Decline an incoming call.
    Reject(Which, Rejection),
    /// End a call, whatever its state.
    HangUp(Which),
    /// Put a connected call on hold.
    Hold(Which),
    /// Take a held call back; another one that is connected is put on hold.
    Resume(Which),
    /// Send digits: as telephone-events, in INFO, or as tones, whichever is the first that the other side
    /// takes.
    SendDigits(Which, Private<String>),
    /// Have the other side call somebody else, without asking there first.
    Transfer(Which, Private<String>),
    /// Call somebody about this call, which is put on hold; once that comes to nothing it is taken back.
    Consult(Which, Private<String>),
    /// Join the other sides of two calls: the first, and the one about it, which may still ring.
    TransferTo {
        /// The call that is given away; the one that was consulted about if absent.
        call: Which,
        /// Whom to: the consultation if absent.
        to: Which,
    },
    /// Make one conference of these calls and of those that are in it already; calls on hold are taken
    /// back.
    Join(Vec<CallId>),
    /// Take a call out of the conference and put it on hold; all of them, each for itself, if absent.
    Split(Which),
    /// Put everyone in the conference on hold.
    HoldConference,
    /// Take everyone in the conference back; another call that is connected is put on hold.
    ResumeConference,
    /// End the calls of everyone in the conference.
    EndConference,
    /// The ports for a call's media are open: the answer to
    /// [`Event::OpenMedia`](crate::Event::OpenMedia).
    MediaOpened {
        /// The call.
        call: CallId,
        /// Where its RTP is received.
        local: SocketAddr,
    },
    /// By which addresses a call's media can be reached: before its ports are open, and again whenever more are
    /// known. The call offers and accepts ICE from then on.
    MediaCandidates {
        /// The call.
        call: CallId,
        /// Where a peer without ICE should send to.
        default: SocketAddr,
        /// Credentials and candidates; the credentials of the first time count until ICE restarts.
        ice: LocalIce,
    },
    /// There is no port for a call's media: the other answer.
    MediaFailed {
        /// The call.
        call: CallId,
        /// Why, for the person: without a full stop.
        reason: String,
    },
    /// The other side sent a digit in the media.
    DigitReceived {
        /// The call.
        call: CallId,
        /// The digit.
        digit: char,
    },
}

/// What the caller of a rejected call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 486: other devices of the same number go on ringing.
    Busy,
    /// 603: nobody else needs to try.
    Declined,
}

/// One call, or the only one that an action fits.
pub type Which = Option<CallId>;

/// One account on this phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineConfig {
    /// Identifier.
    pub id: LineId,
    /// Name for people.
    pub name: String,
    /// Name shown to the other side.
    pub display_name: Option<String>,
    /// User part of the address.
    pub username: String,
    /// Domain and, if it is not the usual one, port of the registrar.
    pub domain: HostPort,
    /// Name for authentication.
    pub auth_username: String,
    /// The SIP password; without one the line stays not connected.
    pub password: Option<Private<String>>,
    /// How SIP is carried.
    pub transport: Transport,
    /// Where every request goes first.
    pub outbound_proxy: Option<Uri>,
    /// Audio formats, preferred first, `telephone-event` among them.
    pub formats: Vec<PayloadFormat>,
    /// How numbers are changed before they are called.
    pub dialing_rules: Vec<DialingRule>,
    /// Whether and how media is secured; every call makes keys of its own, so there are none in it.
    pub security: LocalSecurity,
    /// Instance-id of the device, a URN (RFC 5626).
    pub instance: String,
    /// Our address as the registrar's side sees it, with the port for this transport.
    pub local: LocalAddress,
}

/// Where a line is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddress {
    /// Address of the interface that leads to the registrar.
    pub ip: IpAddr,
    /// Port on which this phone listens for the line's transport.
    pub port: u16,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The number cannot be called.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// No such line.
    #[error("There is no such line.")]
    NoSuchLine,
    /// The line is not registered.
    #[error("The line is not connected{}", reason.as_deref().map_or_else(|| ".".to_owned(), |reason| format!(": {reason}")))]
    NotConnected {
        /// The failure in plain words, if it failed.
        reason: Option<String>,
    },
    /// No call of this number, or none that fits.
    #[error("There is no call for this.")]
    NoCall,
    /// Several calls fit; say which.
    #[error("There are several calls; say which one.")]
    Ambiguous,
    /// The call is not in a state for this.
    #[error("This is not possible in the present state of the call.")]
    NotPossible,
    /// As many calls as this phone takes.
    #[error("There are too many calls already.")]
    TooManyCalls,
    /// There is no conference, or too few calls for one.
    #[error("A conference needs at least two calls that are connected.")]
    NoConference,
    /// The other side takes no digits, or these are none.
    #[error("These digits cannot be sent.")]
    NoDigits,
    /// More lines than a phone has.
    #[error("A phone has at most four lines.")]
    TooManyLines,
}
