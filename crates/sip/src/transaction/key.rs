//! Which message belongs to which transaction (RFC 3261, sections 17.1.3 and 17.2.3).
//!
//! A client transaction is found by the Via that we made and the method in `CSeq`. A server
//! transaction is found by branch, sent-by and method, if the branch begins with the magic cookie
//! and continues; otherwise the sender follows RFC 2543 and the whole identity of the request
//! counts. An ACK for a failure and a CANCEL are looked up with the method of their INVITE.

use crate::host::HostPort;
use crate::message::{Request, Response};
use crate::method::Method;

/// Finds a client transaction. A response whose sent-by is not ours is not for us (RFC 3261,
/// section 18.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey<'a> {
    branch: &'a str,
    sent_by: HostPort,
    method: Method,
}

impl<'a> ClientKey<'a> {
    pub(crate) fn new(branch: &'a str, sent_by: HostPort, method: Method) -> Self {
        Self {
            branch,
            sent_by,
            method,
        }
    }

    /// The key of the transaction that `response` answers, if its headers name one.
    pub(crate) fn of(response: &'a Response) -> Option<Self> {
        let via = response.peek_via().ok()?;
        let cseq = response.cseq().ok()?;
        Some(Self::new(via.branch()?, via.sent_by()?, cseq.method))
    }
}

/// Finds a server transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ServerKey<'a> {
    /// The branch is unique by itself, sent-by guards against a sender that lies.
    Branch {
        branch: &'a str,
        sent_by: HostPort,
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
        sent_by: HostPort,
        branch: &'a str,
        method: Method,
    },
}

impl<'a> ServerKey<'a> {
    /// The key of `request` as if it had `method`; `None` if a header that counts is malformed.
    pub(crate) fn of(request: &'a Request, method: &Method) -> Option<Self> {
        let via = request.peek_via().ok()?;
        let (sent_by, method) = (via.sent_by()?, method.clone());
        if let Some(branch) = via.transaction_branch() {
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
            protocol: via.protocol,
            sent_by,
            branch: via.branch().unwrap_or_default(),
            method,
        })
    }
}

/// Recognises a request that reached us twice by different ways (RFC 3261, section 8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
