//! What the load is made of: requests as texts, and an account that answers challenges.

use std::net::SocketAddr;

use bytes::Bytes;
use sip::{Credentials, DigestClient, Ids, Message, Private, Request, Response, answer_challenges};

/// An account of the load and what it remembers of the server.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) domain: String,
    credentials: Credentials,
    digest: DigestClient,
}

impl Account {
    pub(crate) fn new(user: &str, domain: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            credentials: Credentials {
                username: user.to_owned(),
                password: Private(password.to_owned()),
                realm: None,
            },
            digest: DigestClient::new(),
        }
    }

    /// A REGISTER of this account: `contact` is the whole header line with its end, or empty for a question.
    pub(crate) fn register(
        &self,
        from: Sender,
        contact: &str,
        cseq: u32,
        ids: &mut Ids,
    ) -> Request {
        let Self { user, domain, .. } = self;
        let (branch, tag, call_id) = (ids.branch(), ids.tag(), ids.call_id());
        request(&format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/{from};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag={tag}\r\nTo: <sip:{user}@{domain}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n\
             {contact}User-Agent: Load\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    /// An INVITE of this account to `callee` of the same domain.
    pub(crate) fn invite(&self, from: Sender, callee: &str, ids: &mut Ids) -> Request {
        let Self { user, domain, .. } = self;
        let (branch, tag, call_id) = (ids.branch(), ids.tag(), ids.call_id());
        request(&format!(
            "INVITE sip:{callee}@{domain} SIP/2.0\r\nVia: SIP/2.0/{from};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag={tag}\r\nTo: <sip:{callee}@{domain}>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:{user}@{}>\r\nUser-Agent: Load\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            from.address,
            SDP.len()
        ))
    }

    /// `request` once more with credentials for the challenge of `response`; `None` if there is none.
    pub(crate) fn answer(
        &mut self,
        response: &Response,
        request: &Request,
        from: Sender,
        ids: &mut Ids,
    ) -> Option<Request> {
        let answer = answer_challenges(response, request, &self.credentials, &mut self.digest, ids);
        let (name, value) = answer.ok()?;
        let mut again = request.clone();
        again.set_header(name, value);
        renumber(&mut again, 2, from, ids);
        Some(again)
    }

    /// Puts credentials with the kept nonce on `request`; `false` if there is no nonce yet.
    pub(crate) fn anticipate(&mut self, request: &mut Request) -> bool {
        match self.digest.anticipate(request, &self.credentials) {
            Some((name, value)) => {
                request.set_header(name, value);
                true
            }
            None => false,
        }
    }
}

/// Who sends, as a Via says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    /// `UDP`, `TCP` or `TLS`.
    pub(crate) transport: &'static str,
    pub(crate) address: SocketAddr,
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.transport, self.address)
    }
}

/// Another branch and CSeq number: another transaction.
pub(crate) fn renumber(request: &mut Request, cseq: u32, from: Sender, ids: &mut Ids) {
    let branch = ids.branch();
    request.set_header("Via", format!("SIP/2.0/{from};branch={branch};rport"));
    let cseq = format!("{cseq} {}", request.method);
    request.set_header("CSeq", cseq);
}

/// Text of ours as a request.
pub(crate) fn request(text: &str) -> Request {
    sip::parse_message(Bytes::copy_from_slice(text.as_bytes()))
        .ok()
        .and_then(Message::into_request)
        .expect("the load writes requests that can be read")
}

pub(crate) fn response(bytes: &[u8]) -> Option<Response> {
    sip::parse_message(Bytes::copy_from_slice(bytes))
        .ok()?
        .into_response()
}

/// Of which such a token consists, so that it is no easier to keep in less than those that are given out.
const TOKEN_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 153 characters, as long as the tokens that wake Android phones are.
pub(crate) fn push_token(ids: &mut Ids) -> String {
    let mut random = |count: usize| -> String {
        let all = std::iter::repeat_with(|| ids.bytes::<16>()).flatten();
        all.take(count)
            .map(|byte| char::from(TOKEN_CHARS[usize::from(byte % 64)]))
            .collect()
    };
    format!("{}-APA91b{}", random(16), random(130))
}

/// An offer or an answer with one audio stream.
pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
