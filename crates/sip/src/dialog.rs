//! Dialogs: the relation of two user agents that requests refer to (RFC 3261, section 12).
//!
//! A [`Dialog`] knows the identifiers, the sequence numbers, the route set and the remote target,
//! and makes requests inside the dialog. It does not know what the dialog is for: calls and
//! subscriptions are in the crate `ua`.
//!
//! Invariant: header values that came from the peer (From, To, Contact, Record-Route) are written
//! back as they were, never re-encoded.

use std::sync::Arc;

use crate::header::HeaderError;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::uri::{Scheme, Uri};

/// What identifies a dialog, seen from our side. Where our tags are unique, ours alone finds it; all three say that it is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId<'a> {
    /// Call-ID, byte for byte.
    pub call_id: &'a str,
    /// Our tag.
    pub local_tag: &'a str,
    /// The peer's tag; empty if the peer follows RFC 2543 and sent none.
    pub remote_tag: &'a str,
}

impl<'a> DialogId<'a> {
    /// The dialog that an incoming `request` is about; `None` without To tag or Call-ID.
    pub fn of_request(request: &'a Request) -> Option<Self> {
        Some(Self {
            local_tag: request.to_tag()?,
            remote_tag: request.peek_from_tag().ok()?.unwrap_or_default(),
            call_id: request.call_id().ok()?,
        })
    }

    /// The dialog that an incoming `response` is about; `None` without From tag or Call-ID.
    pub fn of_response(response: &'a Response) -> Option<Self> {
        Some(Self {
            local_tag: response.from_tag()?,
            remote_tag: response.peek_to_tag().ok()?.unwrap_or_default(),
            call_id: response.call_id().ok()?,
        })
    }
}

/// Whether the dialog outlives its INVITE transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// Made by a provisional response.
    Early,
    /// Made or confirmed by a 2xx.
    Confirmed,
}

/// Why messages do not make a dialog, or a request does not fit into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialogError {
    /// A header that the dialog needs cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The message has no tag of ours, so it belongs to no dialog.
    #[error("no tag")]
    NoTag,
    /// Without exactly one Contact nobody knows where requests go.
    #[error("not exactly one Contact")]
    NoContact,
    /// A later request of the peer was here before.
    #[error("CSeq {sequence} after {last}")]
    OutOfOrder {
        /// The request's number.
        sequence: u32,
        /// The highest number so far.
        last: u32,
    },
}

impl DialogError {
    /// What to answer a request with (RFC 3261, section 12.2.2).
    pub fn reply_status(&self) -> u16 {
        match self {
            Self::Header(_) | Self::NoContact => 400,
            Self::NoTag => 481,
            Self::OutOfOrder { .. } => 500,
        }
    }
}

/// A request of ours that makes dialogs, as far as they remember it: one for each that answers (RFC 3261, section 12.1.2).
#[derive(Clone, Debug)]
pub struct Opening {
    ours: Arc<Ours>,
    /// Value for To, without a tag.
    remote: Box<str>,
    /// The Request-URI.
    target: Box<str>,
    sequence: u32,
}

/// What all dialogs of one request of ours have in common.
#[derive(Debug)]
struct Ours {
    call_id: Box<str>,
    /// Value for From: ours, with our tag.
    local: Box<str>,
    local_tag: Box<str>,
    secure: bool,
}

impl Opening {
    /// Of a request that is just being made: the first of its Call-ID, with `local` as From and `remote` as To.
    pub fn first(target: &Uri, call_id: &str, local: &str, local_tag: &str, remote: &str) -> Self {
        let ours = Ours {
            call_id: call_id.into(),
            local: local.into(),
            local_tag: local_tag.into(),
            secure: *target.scheme() == Scheme::Sips,
        };
        Self {
            ours: Arc::new(ours),
            remote: remote.into(),
            target: target.as_str().into(),
            sequence: 1,
        }
    }

    /// What the dialogs of `request` remember.
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoTag`] if From has none.
    pub fn of(request: &Request) -> Result<Self, DialogError> {
        let ours = Ours {
            call_id: request.call_id()?.into(),
            local_tag: request.peek_from_tag()?.ok_or(DialogError::NoTag)?.into(),
            local: raw(request.header("From")),
            secure: *request.uri.scheme() == Scheme::Sips,
        };
        Ok(Self {
            ours: Arc::new(ours),
            remote: raw(request.header("To")),
            target: request.uri.as_str().into(),
            sequence: request.cseq()?.number,
        })
    }

    /// The same request with the next number, because the first was refused and is mended.
    #[must_use]
    pub fn numbered(self, sequence: u32) -> Self {
        Self { sequence, ..self }
    }

    /// Number of the request.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Call-ID.
    pub fn call_id(&self) -> &str {
        &self.ours.call_id
    }

    /// Our tag.
    pub fn local_tag(&self) -> &str {
        &self.ours.local_tag
    }

    /// Our address with our tag, as From has it.
    pub fn local(&self) -> &str {
        &self.ours.local
    }

    /// The peer's address, as To has it.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// The dialog that `response` makes. A provisional response without Contact leaves the Request-URI as target until the 2xx.
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoTag`] if a provisional response's To has none, [`DialogError::NoContact`] for a
    /// 2xx without Contact.
    pub fn dialog(&self, response: &Response) -> Result<Dialog, DialogError> {
        let confirmed = response.status.is_success();
        let remote_tag = response.peek_to_tag()?;
        if remote_tag.is_none() && !confirmed {
            return Err(DialogError::NoTag);
        }
        let remote_target = match response.only_contact()? {
            Some(target) => target,
            None if confirmed => return Err(DialogError::NoContact),
            None => self.target.parse().map_err(|_| DialogError::NoContact)?,
        };
        let mut route_set = response.record_routes()?;
        route_set.reverse();
        Ok(Dialog {
            ours: self.ours.clone(),
            state: if confirmed {
                DialogState::Confirmed
            } else {
                DialogState::Early
            },
            remote: raw(response.header("To")),
            remote_tag: remote_tag.unwrap_or_default().into(),
            remote_target,
            route_set,
            local_sequence: self.sequence,
            remote_sequence: None,
        })
    }
}

/// One dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    ours: Arc<Ours>,
    state: DialogState,
    /// Value for To: the peer's, with its tag if it has one.
    remote: Box<str>,
    remote_tag: Box<str>,
    remote_target: Uri,
    route_set: Vec<NameAddr>,
    local_sequence: u32,
    remote_sequence: Option<u32>,
}

impl Dialog {
    /// The dialog that `response` to our `request` makes.
    ///
    /// # Errors
    ///
    /// As [`Opening::of`] and [`Opening::dialog`].
    pub fn new_uac(request: &Request, response: &Response) -> Result<Self, DialogError> {
        Opening::of(request)?.dialog(response)
    }

    /// The dialog that our response with `local_tag` to `request` makes (RFC 3261, section 12.1.1).
    /// Early until [`confirm`](Self::confirm).
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoContact`].
    pub fn new_uas(request: &Request, local_tag: &str) -> Result<Self, DialogError> {
        let to = request.header("To").unwrap_or_default();
        let (local, local_tag) = match request.peek_to_tag()? {
            Some(tag) => (to.into(), tag),
            None => ([to, ";tag=", local_tag].concat().into(), local_tag),
        };
        let ours = Ours {
            call_id: request.call_id()?.into(),
            local,
            local_tag: local_tag.into(),
            secure: *request.uri.scheme() == Scheme::Sips,
        };
        Ok(Self {
            ours: Arc::new(ours),
            state: DialogState::Early,
            remote_tag: request.peek_from_tag()?.unwrap_or_default().into(),
            remote: raw(request.header("From")),
            remote_target: request.only_contact()?.ok_or(DialogError::NoContact)?,
            route_set: request.record_routes()?,
            local_sequence: 0,
            remote_sequence: Some(request.cseq()?.number),
        })
    }

    /// The dialog that a NOTIFY to our `subscribe` makes (RFC 6665, section 4.4.1): confirmed at once.
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoTag`] if one of the two tags is missing,
    /// [`DialogError::NoContact`].
    pub fn new_subscriber(subscribe: &Request, notify: &Request) -> Result<Self, DialogError> {
        let opening = Opening::of(subscribe)?;
        let remote_tag = notify.peek_from_tag()?.ok_or(DialogError::NoTag)?;
        Ok(Self {
            ours: opening.ours,
            state: DialogState::Confirmed,
            remote: raw(notify.header("From")),
            remote_tag: remote_tag.into(),
            remote_target: notify.only_contact()?.ok_or(DialogError::NoContact)?,
            route_set: notify.record_routes()?,
            local_sequence: opening.sequence,
            remote_sequence: Some(notify.cseq()?.number),
        })
    }

    /// What identifies it.
    pub fn id(&self) -> DialogId<'_> {
        DialogId {
            call_id: &self.ours.call_id,
            local_tag: &self.ours.local_tag,
            remote_tag: &self.remote_tag,
        }
    }

    /// Early or confirmed.
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// Our address with our tag, as From or To has it.
    pub fn local(&self) -> &str {
        &self.ours.local
    }

    /// The peer's address with its tag, as From or To has it.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// Whether it was made with a `sips` Request-URI, so that Contact must be `sips` too.
    pub fn is_secure(&self) -> bool {
        self.ours.secure
    }

    /// Where the peer wants requests sent.
    pub fn remote_target(&self) -> &Uri {
        &self.remote_target
    }

    /// The proxies between us and the peer, nearest first.
    pub fn route_set(&self) -> &[NameAddr] {
        &self.route_set
    }

    /// The URI to resolve for the next request: the nearest proxy, else the remote target.
    pub fn next_hop(&self) -> &Uri {
        self.route_set
            .first()
            .map_or(&self.remote_target, |route| &route.uri)
    }

    /// Our 2xx left: the dialog stays.
    pub fn confirm(&mut self) {
        self.state = DialogState::Confirmed;
    }

    /// A 2xx to our INVITE arrived in this dialog: it stays, with the target and the route set of
    /// this response (RFC 3261, section 13.2.2.4).
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoContact`]; the dialog is then confirmed with the
    /// target and route set that it had.
    pub fn confirm_with(&mut self, response: &Response) -> Result<(), DialogError> {
        let was_early = self.state == DialogState::Early;
        self.state = DialogState::Confirmed;
        self.remote_target = response.only_contact()?.ok_or(DialogError::NoContact)?;
        if was_early {
            self.route_set = response.record_routes()?;
            self.route_set.reverse();
        }
        Ok(())
    }

    /// The peer moved: a target refresh request or its 2xx had this Contact.
    pub fn update_target(&mut self, target: Uri) {
        self.remote_target = target;
    }

    /// Takes the number for our next request.
    pub fn next_sequence(&mut self) -> u32 {
        self.local_sequence += 1;
        self.local_sequence
    }

    /// A new request inside the dialog, with the next sequence number: Request-URI, Route, From,
    /// To, Call-ID, CSeq and Max-Forwards (RFC 3261, section 12.2.1.1).
    pub fn request(&mut self, method: Method) -> Request {
        let sequence = self.next_sequence();
        self.build(method, sequence)
    }

    /// The ACK for a 2xx to our INVITE with number `sequence` (RFC 3261, section 13.2.2.4). An
    /// INVITE that carried credentials needs them copied into it.
    pub fn ack(&self, sequence: u32) -> Request {
        self.build(Method::ACK, sequence)
    }

    /// Checks the order of a request of the peer, and follows its Contact if it refreshes the
    /// target (RFC 3261, section 12.2.2). To be called once for each request, not for CANCEL.
    ///
    /// # Errors
    ///
    /// [`DialogError::OutOfOrder`], [`DialogError::Header`]; see [`DialogError::reply_status`].
    pub fn accept(&mut self, request: &Request) -> Result<(), DialogError> {
        let sequence = request.cseq()?.number;
        if request.method == Method::ACK {
            return Ok(());
        }
        if let Some(last) = self.remote_sequence
            && sequence < last
        {
            return Err(DialogError::OutOfOrder { sequence, last });
        }
        if refreshes_target(&request.method)
            && let Some(target) = request.only_contact()?
        {
            self.remote_target = target;
        }
        self.remote_sequence = Some(sequence);
        Ok(())
    }

    fn build(&self, method: Method, sequence: u32) -> Request {
        let cseq = format!("{sequence} {method}");
        let (uri, routes) = self.route();
        let mut request = Request::new(method, uri);
        for route in routes {
            request.push_header("Route", route);
        }
        request.push_header("Max-Forwards", "70");
        request.push_header("From", &self.ours.local);
        request.push_header("To", &self.remote);
        request.push_header("Call-ID", &self.ours.call_id);
        request.push_header("CSeq", cseq);
        request
    }

    /// Request-URI and Route values. A first proxy without `lr` is a strict router of RFC 2543: it
    /// becomes the Request-URI and the target comes last.
    fn route(&self) -> (Uri, Vec<String>) {
        match self.route_set.split_first() {
            Some((first, rest)) if !first.uri.has_param("lr") => {
                let rest = rest.iter().map(ToString::to_string);
                let last = format!("<{}>", self.remote_target);
                (first.uri.clone(), rest.chain([last]).collect())
            }
            _ => {
                let routes = self.route_set.iter().map(ToString::to_string).collect();
                (self.remote_target.clone(), routes)
            }
        }
    }
}

/// Methods whose Contact moves the remote target (RFC 3261, section 12.2; RFC 3311, 6665, 3515).
fn refreshes_target(method: &Method) -> bool {
    [
        Method::INVITE,
        Method::UPDATE,
        Method::SUBSCRIBE,
        Method::NOTIFY,
        Method::REFER,
    ]
    .contains(method)
}

/// A header value as written; it is there, because its typed form was read before.
fn raw(value: Option<&str>) -> Box<str> {
    value.unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
