//! Loop detection (RFC 5393, section 4.2).
//!
//! A server that passes requests on writes into the branch of its Via, behind the part that is
//! unique, a keyed hash over all that decides where the request goes. A request that arrives with
//! a Via that carries the very hash that this request has now went round in a circle. One that
//! came by but decides differently, because its Request-URI was changed on the way, is a spiral
//! and legal.
//!
//! Max-Forwards ends a loop too, but only after a request that is forked at every turn has become
//! 2^70 requests; that is what this is for.

use crate::base64url;
use crate::keyed::KeyedHash;
use crate::message::Request;

const MARK_BYTES: usize = 12;
const MARK_CHARS: usize = 16;

/// Stands between the unique part of a branch and the mark. Our unique parts are hexadecimal.
const SEPARATOR: char = '.';

/// What decides where a request goes, in 16 characters of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopMark(String);

impl LoopMark {
    /// The branch with the mark behind it.
    pub(crate) fn append_to(&self, mut branch: String) -> String {
        branch.push(SEPARATOR);
        branch.push_str(&self.0);
        branch
    }
}

/// Marks requests and knows its own marks again.
#[derive(Clone, Debug)]
pub struct LoopDetection(KeyedHash);

impl LoopDetection {
    /// Every server of a group that shares work needs the same key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(KeyedHash::new(key))
    }

    /// The mark of a request as it arrived, before anything is done to it: of its Request-URI, its
    /// Route, and what else may decide, such as the identity that was proved. Call-ID, tags and
    /// `CSeq` are not among it: a back-to-back user agent on the way changes them.
    pub fn mark(&self, request: &Request, identity: &str) -> LoopMark {
        let fixed = [
            "loop",
            request.method.as_str(),
            request.uri.as_str(),
            identity,
        ];
        let routes = request.headers_named("Route");
        let parts = fixed.into_iter().chain(routes).map(str::as_bytes);
        let mark: [u8; MARK_BYTES] = self.0.short(parts);
        LoopMark(base64url::encode(&mark))
    }

    /// Whether `mark`, which the request has now, stands in one of its Vias already: 482.
    /// A Via that cannot be read is none of ours.
    pub fn is_loop(&self, request: &Request, mark: &LoopMark) -> bool {
        let vias = request.vias().unwrap_or_default();
        vias.iter()
            .filter_map(|via| via.transaction_branch())
            .filter_map(|branch| branch.rsplit_once(SEPARATOR))
            .any(|(_, found)| found.len() == MARK_CHARS && found == mark.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Ids;
    use crate::method::Method;

    fn request(uri: &str) -> Request {
        let mut request = Request::new(Method::INVITE, uri.parse().unwrap());
        request.push_header(
            "Via",
            "SIP/2.0/UDP other.example;branch=z9hG4bK1.AAAAAAAAAAAAAAAA",
        );
        request
    }

    /// The request after it passed us and somebody else.
    fn passed_on(mut request: Request, mark: &LoopMark) -> Request {
        let branch = mark.append_to(Ids::from_seed([1; 32]).branch());
        request.insert_first("Via", format!("SIP/2.0/UDP we.example;branch={branch}"));
        request.insert_first("Via", "SIP/2.0/TCP other.example;branch=z9hG4bK2");
        request
    }

    #[test]
    fn a_circle_is_a_loop_and_a_spiral_is_not() {
        let detection = LoopDetection::new([1; 32]);
        let first = request("sip:bob@example.com");
        let mark = detection.mark(&first, "sip:alice@example.com");
        assert!(!detection.is_loop(&first, &mark));
        let back = passed_on(first, &mark);
        assert!(detection.is_loop(&back, &detection.mark(&back, "sip:alice@example.com")));

        let mut forwarded = back.clone();
        forwarded.uri = "sip:carol@example.com".parse().unwrap();
        let mut routed = back.clone();
        routed.push_header("Route", "<sip:we.example;lr>");
        for spiral in [forwarded, routed] {
            let mark = detection.mark(&spiral, "sip:alice@example.com");
            assert!(!detection.is_loop(&spiral, &mark));
        }
        assert!(!detection.is_loop(&back, &detection.mark(&back, "sip:carol@example.com")));
        // Nobody else can make a mark, or tell what one is of.
        let other = LoopDetection::new([2; 32]);
        assert!(!other.is_loop(&back, &other.mark(&back, "sip:alice@example.com")));
    }

    #[test]
    fn what_a_back_to_back_user_agent_changes_does_not_hide_a_loop() {
        let detection = LoopDetection::new([1; 32]);
        let first = request("sip:bob@example.com");
        let mark = detection.mark(&first, "");
        let mut back = passed_on(first, &mark);
        back.set_header("Call-ID", "another");
        back.set_header("From", "<sip:alice@example.com>;tag=another");
        back.set_header("CSeq", "7 INVITE");
        assert!(detection.is_loop(&back, &detection.mark(&back, "")));
    }
}
