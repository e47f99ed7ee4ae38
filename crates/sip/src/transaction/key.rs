//! Which message belongs to which transaction (RFC 3261, sections 17.1.3 and 17.2.3).
//!
//! A client transaction is found by the Via that we made and the method in `CSeq`. A server
//! transaction is found by branch, sent-by and method, if the branch begins with the magic cookie
//! and continues; otherwise the sender follows RFC 2543 and the whole identity of the request
//! counts. An ACK for a failure and a CANCEL are looked up with the method of their INVITE.

use std::hash::{Hash, Hasher};

use crate::header::{ViaRef, has_cookie};
use crate::host::{HostPort, HostRef, parse_host_port};
use crate::message::{Fields, Request, Response};
use crate::method::Method;

/// The sent-by of a Via. Names are equal whatever their case.
#[derive(Clone, Debug)]
pub(crate) enum SentBy<'a> {
    Read(HostRef<'a>, Option<u16>),
    Own(HostPort),
}

impl Hash for SentBy<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Read(host, port) => (*host, *port).hash(state),
            Self::Own(own) => (HostRef::from(&own.host), own.port).hash(state),
        }
    }
}

impl<'a> SentBy<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = parse_host_port(text).ok()?;
        Some(Self::Read(host, port))
    }

    fn of(via: &ViaRef<'a>) -> Option<Self> {
        match via.plain_sent_by() {
            Some(text) => Self::parse(text),
            None => via.sent_by().map(Self::Own),
        }
    }
}

/// Sent-by and branch of the topmost Via.
fn top_via(message: &Fields) -> Option<(SentBy<'_>, Option<&str>)> {
    match message.headers().noted_via() {
        Some((sent_by, branch)) => Some((SentBy::parse(sent_by)?, branch)),
        None => {
            let via = message.peek_via().ok()?;
            Some((SentBy::of(&via)?, via.branch()))
        }
    }
}

/// Finds a client transaction. A response whose sent-by is not ours is not for us (RFC 3261,
/// section 18.1.2).
#[derive(Clone, Debug, Hash)]
pub(crate) struct ClientKey<'a> {
    branch: &'a str,
    sent_by: SentBy<'a>,
    method: Method,
}

impl<'a> ClientKey<'a> {
    pub(crate) fn new(branch: &'a str, sent_by: &'a HostPort, method: Method) -> Self {
        Self {
            branch,
            sent_by: SentBy::Read((&sent_by.host).into(), sent_by.port),
            method,
        }
    }

    /// The key of the transaction that `response` answers, if its headers name one.
    pub(crate) fn of(response: &'a Response) -> Option<Self> {
        let (sent_by, branch) = top_via(response)?;
        Some(Self {
            branch: branch?,
            sent_by,
            method: response.cseq().ok()?.method,
        })
    }
}

/// Finds a server transaction.
#[derive(Clone, Debug, Hash)]
pub(crate) enum ServerKey<'a> {
    /// The branch is unique by itself, sent-by guards against a sender that lies.
    Branch {
        branch: &'a str,
        sent_by: SentBy<'a>,
        method: Method,
    },
    /// RFC 2543: nothing is unique by itself. The To tag is left out: a request without one and
    /// the ACK for its response differ in it, and nothing else that shares all the rest does.
    Identity {
        uri: &'a str,
        from_tag: Option<&'a str>,
        call_id: &'a str,
        sequence: u32,
        protocol: &'a str,
        sent_by: SentBy<'a>,
        branch: &'a str,
        method: Method,
    },
}

impl<'a> ServerKey<'a> {
    /// The key of `request` as if it had `method`; `None` if a header that counts is malformed.
    pub(crate) fn of(request: &'a Request, method: &Method) -> Option<Self> {
        let (sent_by, branch) = top_via(request)?;
        let method = method.clone();
        if let Some(branch) = branch.filter(|branch| has_cookie(branch)) {
            return Some(Self::Branch {
                branch,
                sent_by,
                method,
            });
        }
        Some(Self::Identity {
            uri: request.uri.as_str(),
            from_tag: request.peek_from_tag().ok()?,
            call_id: request.call_id().ok()?,
            sequence: request.cseq().ok()?.number,
            protocol: request.peek_via().ok()?.protocol,
            sent_by,
            branch: branch.unwrap_or_default(),
            method,
        })
    }
}

/// Recognises a request that reached us twice by different ways (RFC 3261, section 8.2.2.2).
#[derive(Clone, Debug, Hash)]
pub(crate) struct MergeKey<'a> {
    from_tag: &'a str,
    call_id: &'a str,
    sequence: u32,
    method: Method,
}

impl<'a> MergeKey<'a> {
    /// The key of `request`; `None` inside a dialog, where merging cannot happen, and for
    /// RFC 2543 senders without From tag.
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        if request.peek_to_tag().ok()?.is_some() {
            return None;
        }
        Some(Self {
            from_tag: request.peek_from_tag().ok()??,
            call_id: request.call_id().ok()?,
            sequence: request.cseq().ok()?.number,
            method: request.method.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;
    use crate::message::{Message, parse_datagram};

    fn read(text: &str, via: &str) -> Request {
        let message = parse_datagram(text.replace("VIA", via).into_bytes().into());
        message.ok().and_then(Message::into_request).unwrap()
    }

    const OPTIONS: &str = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/VIA\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n\
        Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

    #[test]
    fn a_key_is_that_of_the_topmost_via_noted_or_not() {
        let hasher = RandomState::new();
        let hash =
            |request: &Request| hasher.hash_one(ServerKey::of(request, &Method::OPTIONS).unwrap());
        for (one, same, others) in [
            (
                "UDP Host.Example.COM:5070;branch=z9hG4bK1",
                "TCP  hOST.example.com : 5070 ;x;branch=z9hG4bK1",
                [
                    "UDP host.example.com;branch=z9hG4bK1",
                    "UDP host-example.com:5070;branch=z9hG4bK1",
                    "UDP host.example.com:5070;branch=z9hG4bK2",
                ],
            ),
            (
                "UDP [2001:DB8::1];branch=z9hG4bK1",
                "UDP [2001:db8:0::1];branch=z9hG4bK1",
                [
                    "UDP [2001:db8::2];branch=z9hG4bK1",
                    "UDP [2001:db8::1];branch=old",
                    "UDP [2001:db8::1]",
                ],
            ),
        ] {
            let mut one = read(OPTIONS, one);
            let before = hash(&one);
            assert_eq!(hash(&read(OPTIONS, same)), before);
            one.admit("192.0.2.1:4000".parse().unwrap()).unwrap();
            assert_eq!(hash(&one), before);
            for other in others {
                let other = read(OPTIONS, other);
                assert_ne!(hash(&other), before);
                let via = other.header("Via").unwrap();
                one.set_header("Via", via);
                assert_eq!(hash(&one), hash(&other));
            }
            one.stamp_via("192.0.2.1:4000".parse().unwrap()).unwrap();
            one.insert_first("Via", "SIP/2.0/UDP on.top;branch=z9hG4bK9");
            let on_top = read(OPTIONS, "UDP on.top;branch=z9hG4bK9");
            assert_eq!(hash(&one), hash(&on_top));
        }
    }
}
