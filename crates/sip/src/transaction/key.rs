//! Which message belongs to which transaction (RFC 3261, sections 17.1.3 and 17.2.3).
//!
//! A client transaction is found by the Via that we made and the method in `CSeq`. A server
//! transaction is found by branch, sent-by and method, if the branch begins with the magic cookie
//! and continues; otherwise the sender follows RFC 2543 and the whole identity of the request
//! counts. An ACK for a failure and a CANCEL are looked up with the method of their INVITE.

use crate::message::{Request, Response};
use crate::method::Method;

/// Finds a client transaction. A response whose sent-by is not ours is not for us (RFC 3261,
/// section 18.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey {
    branch: String,
    sent_by: String,
    method: Method,
}

impl ClientKey {
    pub(crate) fn new(branch: &str, sent_by: &str, method: Method) -> Self {
        Self {
            branch: branch.to_owned(),
            sent_by: sent_by.to_ascii_lowercase(),
            method,
        }
    }

    /// The key of the transaction that `response` answers, if its headers name one.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let via = response.via().ok()?;
        let cseq = response.cseq().ok()?;
        Some(Self::new(
            via.branch()?,
            &via.sent_by.to_string(),
            cseq.method,
        ))
    }
}

/// Finds a server transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ServerKey {
    /// The branch is unique by itself, sent-by guards against a sender that lies.
    Branch {
        branch: String,
        sent_by: String,
        method: Method,
    },
    /// RFC 2543: nothing is unique by itself. The To tag is left out: a request without one and
    /// the ACK for its response differ in it, and nothing else that shares all the rest does.
    Identity {
        uri: String,
        from_tag: Option<String>,
        call_id: String,
        sequence: u32,
        via: String,
        method: Method,
    },
}

impl ServerKey {
    /// The key of `request` as if it had `method`; `None` if a header that counts is malformed.
    pub(crate) fn of(request: &Request, method: &Method) -> Option<Self> {
        let via = request.via().ok()?;
        let sent_by = via.sent_by.to_string().to_ascii_lowercase();
        if let Some(branch) = via.transaction_branch() {
            let branch = branch.to_owned();
            return Some(Self::Branch {
                branch,
                sent_by,
                method: method.clone(),
            });
        }
        Some(Self::Identity {
            uri: request.uri.to_string(),
            from_tag: request.from().ok()?.tag().map(str::to_owned),
            call_id: request.call_id().ok()?.to_owned(),
            sequence: request.cseq().ok()?.number,
            via: format!(
                "{} {sent_by} {}",
                via.protocol,
                via.branch().unwrap_or_default()
            ),
            method: method.clone(),
        })
    }
}

/// Recognises a request that reached us twice by different ways (RFC 3261, section 8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MergeKey {
    from_tag: String,
    call_id: String,
    sequence: u32,
    method: Method,
}

impl MergeKey {
    /// The key of `request`; `None` inside a dialog, where merging cannot happen, and for
    /// RFC 2543 senders without From tag.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        if request.to().ok()?.tag().is_some() {
            return None;
        }
        Some(Self {
            from_tag: request.from().ok()?.tag()?.to_owned(),
            call_id: request.call_id().ok()?.to_owned(),
            sequence: request.cseq().ok()?.number,
            method: request.method.clone(),
        })
    }
}
