//! What a server refuses before it looks at the meaning of a request (RFC 3261, sections 8.1.1,
//! 8.2.1, 8.2.2 and 16.3).
//!
//! Tolerated on purpose, because peers of RFC 2543 are told by it: no branch, no From tag, no
//! Max-Forwards. Not judged here: methods (405, 501), extensions (420), bodies (415), addresses
//! (404), and whether we are the right one to ask.

use std::net::SocketAddr;

use crate::header::name::{NameId, NameSet};
use crate::header::{CSeq, HeaderError, ViaRef};
use crate::message::error::sentence;
use crate::message::fields::Vias;
use crate::message::noted::{Party, TopVia};
use crate::message::{Fields, Request, Response};
use crate::method::Method;
use crate::name_addr::NameAddrRef;
use crate::status::Status;
use crate::uri::Scheme;

/// Why a server must refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header field that every request needs, or one that is fixed in number or form.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// `CSeq` names another method than the start line.
    #[error("method in CSeq differs from the request's")]
    MethodMismatch,
    /// Headers in the Request-URI, which could smuggle a Route.
    #[error("headers in the Request-URI")]
    UriHeaders,
    /// A Request-URI that is neither SIP nor a telephone number.
    #[error("unsupported URI scheme")]
    Scheme,
}

impl Refusal {
    /// The status code to answer with.
    pub fn reply_status(&self) -> u16 {
        match self {
            Self::Scheme => 416,
            Self::Header(_) | Self::MethodMismatch | Self::UriHeaders => 400,
        }
    }

    /// The status to answer with, its phrase saying what is wrong.
    pub fn status(&self) -> Status {
        match self.reply_status() {
            400 => Status::with_phrase(400, sentence(&self.to_string())),
            code => Status::new(code),
        }
    }
}

/// Headers that may stand once, beside those that are read anyway.
const SINGLE: [&str; 11] = [
    "Content-Length",
    "Content-Type",
    "Max-Forwards",
    "Expires",
    "Min-Expires",
    "Session-Expires",
    "Min-SE",
    "Event",
    "Referred-By",
    "Refer-To",
    "Replaces",
];

const SINGLE_SET: NameSet = NameSet::of(&SINGLE);

impl Request {
    /// Whether a server may go on with the request.
    ///
    /// # Errors
    ///
    /// [`Refusal`], whose status is the answer. An ACK is dropped instead of answered.
    pub fn validate(&self) -> Result<(), Refusal> {
        check_vias(self)?;
        self.validate_behind_vias().map(|_| ())
    }

    /// Notes where the request came from ([`stamp_via`](crate::message::Fields::stamp_via)) and
    /// validates it: its topmost Via is read once for both.
    pub(crate) fn admit(&mut self, source: SocketAddr) -> Result<(), Refusal> {
        if self.stamp_topmost_via(source)? == Vias::Several {
            self.check_later_vias()?;
        }
        let parties = self.validate_behind_vias()?;
        self.headers.note_parties(parties);
        Ok(())
    }

    fn validate_behind_vias(&self) -> Result<[Party; 2], Refusal> {
        let Common {
            cseq,
            contacts,
            parties,
        } = check_common(self)?;
        if cseq.method != self.method {
            return Err(Refusal::MethodMismatch);
        }
        if matches!(self.uri.scheme(), Scheme::Other(_)) {
            return Err(Refusal::Scheme);
        }
        if !self.uri.headers().is_empty() {
            return Err(Refusal::UriHeaders);
        }
        self.max_forwards()?;
        for name in [NameId::ROUTE, NameId::RECORD_ROUTE] {
            self.check_list(name, |text| NameAddrRef::parse(text).ok())?;
        }
        // One contact exactly is what makes a dialog (RFC 3261, section 12.1.1).
        if self.method == Method::INVITE && contacts > 1 {
            return Err(HeaderError::Repeated { name: "Contact" }.into());
        }
        Ok(parties)
    }
}

impl Response {
    /// Whether a client may use the response; one that fails is dropped.
    ///
    /// # Errors
    ///
    /// The header that makes it unusable.
    pub fn validate(&self) -> Result<(), HeaderError> {
        check_vias(self)?;
        check_common(self).map(|_| ())
    }

    /// As [`validate`](Self::validate), for one that stays; how many Vias it has.
    pub(crate) fn admit(&mut self) -> Result<usize, HeaderError> {
        let (vias, top_via) = check_vias(self)?;
        let Common { parties, .. } = check_common(self)?;
        self.headers.note_parties(parties);
        if let Some(via) = top_via {
            self.headers.note_via(via);
        }
        Ok(vias)
    }
}

/// What was read on the way of checking.
struct Common {
    cseq: CSeq,
    /// How many there are.
    contacts: usize,
    parties: [Party; 2],
}

/// How many there are, and where the parts of the topmost stand.
fn check_vias(fields: &Fields) -> Result<(usize, Option<TopVia>), HeaderError> {
    let mut top_via = None;
    let count = fields.check_list(NameId::VIA, |text| {
        let via = ViaRef::parse(text)?;
        top_via.get_or_insert_with(|| fields.headers.top_via(&via));
        Some(via)
    })?;
    match count {
        0 => Err(HeaderError::Missing { name: "Via" }),
        count => Ok((count, top_via.flatten())),
    }
}

fn check_common(fields: &Fields) -> Result<Common, HeaderError> {
    let parties = read_parties(fields)?;
    fields.call_id()?;
    let cseq = fields.cseq()?;
    let contacts = fields.count_contacts()?;
    match fields.headers().first_repeated(SINGLE_SET) {
        Some(id) => Err(HeaderError::Repeated { name: id.as_str() }),
        None => Ok(Common {
            cseq,
            contacts,
            parties,
        }),
    }
}

/// From and To, read as a whole.
fn read_parties(fields: &Fields) -> Result<[Party; 2], HeaderError> {
    let from = fields.peek_address(NameId::FROM)?;
    let from_party = party(fields, NameId::FROM, &from)?;
    let to = fields.peek_address_beside(&from, NameId::TO)?;
    Ok([from_party, party(fields, NameId::TO, &to)?])
}

fn party(fields: &Fields, name: NameId, address: &NameAddrRef<'_>) -> Result<Party, HeaderError> {
    let tag = match address.tag {
        None => None,
        Some(Some(tag)) => Some(tag),
        Some(None) => {
            return Err(HeaderError::Malformed {
                name: name.as_str(),
            });
        }
    };
    Ok(fields.headers.party(address, tag))
}

#[cfg(test)]
mod tests;
