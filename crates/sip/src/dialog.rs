//! Dialogs: the relation of two user agents that requests refer to (RFC 3261, section 12).
//!
//! A [`Dialog`] knows the identifiers, the sequence numbers, the route set and the remote target,
//! and makes requests inside the dialog. It does not know what the dialog is for: calls and
//! subscriptions are in the crate `ua`.
//!
//! Invariant: header values that came from the peer (From, To, Contact, Record-Route) are written
//! back as they were, never re-encoded.

use crate::header::{Contacts, HeaderError};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::uri::{Scheme, Uri};

/// What identifies a dialog, seen from our side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId {
    /// Call-ID, byte for byte.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag; empty if the peer follows RFC 2543 and sent none.
    pub remote_tag: String,
}

impl DialogId {
    /// The dialog that an incoming `request` is about; `None` without To tag or Call-ID.
    pub fn of_request(request: &Request) -> Option<Self> {
        Some(Self {
            local_tag: request.to_tag()?.to_owned(),
            remote_tag: request
                .peek_from()
                .ok()?
                .tag()
                .unwrap_or_default()
                .to_owned(),
            call_id: request.call_id().ok()?.to_owned(),
        })
    }

    /// The dialog that an incoming `response` is about; `None` without From tag or Call-ID.
    pub fn of_response(response: &Response) -> Option<Self> {
        Some(Self {
            local_tag: response.from_tag()?.to_owned(),
            remote_tag: response
                .peek_to()
                .ok()?
                .tag()
                .unwrap_or_default()
                .to_owned(),
            call_id: response.call_id().ok()?.to_owned(),
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

/// One dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    id: DialogId,
    state: DialogState,
    /// Value for From: ours, with our tag.
    local: String,
    /// Value for To: the peer's, with its tag if it has one.
    remote: String,
    remote_target: Uri,
    route_set: Vec<NameAddr>,
    local_sequence: u32,
    remote_sequence: Option<u32>,
    secure: bool,
}

impl Dialog {
    /// The dialog that `response` to our `request` makes (RFC 3261, section 12.1.2). A provisional
    /// response without Contact leaves the Request-URI as target until the 2xx.
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoTag`] if the request's From or a provisional
    /// response's To has none, [`DialogError::NoContact`] for a 2xx without Contact.
    pub fn new_uac(request: &Request, response: &Response) -> Result<Self, DialogError> {
        let confirmed = response.status.is_success();
        let from = request.from()?;
        let to = response.to()?;
        if to.tag().is_none() && !confirmed {
            return Err(DialogError::NoTag);
        }
        let remote_target = match target(&response.contacts()?) {
            Some(target) => target,
            None if confirmed => return Err(DialogError::NoContact),
            None => request.uri.clone(),
        };
        let mut route_set = response.record_routes()?;
        route_set.reverse();
        Ok(Self {
            id: DialogId {
                call_id: request.call_id()?.to_owned(),
                local_tag: from.tag().ok_or(DialogError::NoTag)?.to_owned(),
                remote_tag: to.tag().unwrap_or_default().to_owned(),
            },
            state: if confirmed {
                DialogState::Confirmed
            } else {
                DialogState::Early
            },
            local: raw(request.header("From")),
            remote: raw(response.header("To")),
            remote_target,
            route_set,
            local_sequence: request.cseq()?.number,
            remote_sequence: None,
            secure: *request.uri.scheme() == Scheme::Sips,
        })
    }

    /// The dialog that our response with `local_tag` to `request` makes (RFC 3261, section 12.1.1).
    /// Early until [`confirm`](Self::confirm).
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoContact`].
    pub fn new_uas(request: &Request, local_tag: &str) -> Result<Self, DialogError> {
        let from = request.from()?;
        let to = request.to()?;
        let local = match to.tag() {
            Some(_) => raw(request.header("To")),
            None => format!("{};tag={local_tag}", raw(request.header("To"))),
        };
        Ok(Self {
            id: DialogId {
                call_id: request.call_id()?.to_owned(),
                local_tag: to.tag().unwrap_or(local_tag).to_owned(),
                remote_tag: from.tag().unwrap_or_default().to_owned(),
            },
            state: DialogState::Early,
            local,
            remote: raw(request.header("From")),
            remote_target: target(&request.contacts()?).ok_or(DialogError::NoContact)?,
            route_set: request.record_routes()?,
            local_sequence: 0,
            remote_sequence: Some(request.cseq()?.number),
            secure: *request.uri.scheme() == Scheme::Sips,
        })
    }

    /// The dialog that a NOTIFY to our `subscribe` makes (RFC 6665, section 4.4.1): confirmed at once.
    ///
    /// # Errors
    ///
    /// [`DialogError::Header`], [`DialogError::NoTag`] if one of the two tags is missing,
    /// [`DialogError::NoContact`].
    pub fn new_subscriber(subscribe: &Request, notify: &Request) -> Result<Self, DialogError> {
        let from = subscribe.from()?;
        let peer = notify.from()?;
        Ok(Self {
            id: DialogId {
                call_id: subscribe.call_id()?.to_owned(),
                local_tag: from.tag().ok_or(DialogError::NoTag)?.to_owned(),
                remote_tag: peer.tag().ok_or(DialogError::NoTag)?.to_owned(),
            },
            state: DialogState::Confirmed,
            local: raw(subscribe.header("From")),
            remote: raw(notify.header("From")),
            remote_target: target(&notify.contacts()?).ok_or(DialogError::NoContact)?,
            route_set: notify.record_routes()?,
            local_sequence: subscribe.cseq()?.number,
            remote_sequence: Some(notify.cseq()?.number),
            secure: *subscribe.uri.scheme() == Scheme::Sips,
        })
    }

    /// What identifies it.
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// Early or confirmed.
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// Our address with our tag, as From or To has it.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The peer's address with its tag, as From or To has it.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// Whether it was made with a `sips` Request-URI, so that Contact must be `sips` too.
    pub fn is_secure(&self) -> bool {
        self.secure
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
        let target = target(&response.contacts()?).ok_or(DialogError::NoContact)?;
        self.remote_target = target;
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
            && let Some(target) = target(&request.contacts()?)
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
        request.push_header("From", &*self.local);
        request.push_header("To", &*self.remote);
        request.push_header("Call-ID", &*self.id.call_id);
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

/// The only Contact's URI.
fn target(contacts: &Contacts) -> Option<Uri> {
    match contacts.list() {
        [contact] => Some(contact.uri().clone()),
        _ => None,
    }
}

/// A header value as written; it is there, because its typed form was read before.
fn raw(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
