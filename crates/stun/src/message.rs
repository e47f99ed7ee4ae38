//! STUN messages (RFC 8489 section 5) by `stun-rs`: requests of ours, and what servers answer.
//!
//! Invariant: of an answer that carries MESSAGE-INTEGRITY nothing is read before it was found right, and one that has
//! to carry it and does not is none.

use std::net::SocketAddr;

use stun_rs::attributes::stun::{
    ErrorCode, Fingerprint, MessageIntegrity, Nonce, Realm, UserName, XorMappedAddress,
};
use stun_rs::{
    Algorithm, AlgorithmId, DecoderContextBuilder, HMACKey, MessageClass, MessageDecoderBuilder,
    MessageEncoderBuilder, MessageMethod, StunAttribute, StunMessage, StunMessageBuilder,
};

/// Names one request and its answer.
pub(crate) type TransactionId = [u8; 12];

/// First bytes of every message that are looked at without parsing it.
const HEADER_BYTES: usize = 20;
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// Message type of a Binding request, and types of two attributes (RFC 8489 sections 5 and 18.3).
const BINDING_REQUEST: [u8; 2] = [0, 1];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// Largest message of ours: user name, realm and nonce may have some hundred bytes each (RFC 8489 section 14).
const MAX_BYTES: usize = 2_560;

/// Long-term credentials with what the server's challenge added (RFC 8489 section 9.2).
#[derive(Clone)]
pub(crate) struct LongTerm {
    username: UserName,
    realm: Realm,
    nonce: Nonce,
    key: HMACKey,
}

impl std::fmt::Debug for LongTerm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LongTerm(***)")
    }
}

impl LongTerm {
    /// Answers a challenge; `None` if name, password or realm have characters that credentials cannot have.
    pub(crate) fn new(
        username: &str,
        password: &str,
        realm: &Realm,
        nonce: &Nonce,
    ) -> Option<Self> {
        let username = UserName::new(username).ok()?;
        let md5 = Algorithm::from(AlgorithmId::MD5);
        let key = HMACKey::new_long_term(&username, realm, password, md5).ok()?;
        Some(Self {
            username,
            realm: realm.clone(),
            nonce: nonce.clone(),
            key,
        })
    }

    /// The same credentials with the server's next nonce.
    pub(crate) fn set_nonce(&mut self, nonce: &Nonce) {
        self.nonce = nonce.clone();
    }
}

/// A request's bytes; with credentials it is protected. `None` if it cannot be written.
pub(crate) fn request(
    method: MessageMethod,
    id: TransactionId,
    attributes: Vec<StunAttribute>,
    credentials: Option<&LongTerm>,
) -> Option<Vec<u8>> {
    let mut message =
        StunMessageBuilder::new(method, MessageClass::Request).with_transaction_id(id.into());
    for attribute in attributes {
        message = message.with_attribute(attribute);
    }
    if let Some(credentials) = credentials {
        message = message
            .with_attribute(credentials.username.clone())
            .with_attribute(credentials.realm.clone())
            .with_attribute(credentials.nonce.clone())
            .with_attribute(MessageIntegrity::new(credentials.key.clone()));
    }
    write(&message.with_attribute(Fingerprint::default()).build())
}

/// An indication's bytes. It is never protected.
pub(crate) fn indication(
    method: MessageMethod,
    id: TransactionId,
    attributes: Vec<StunAttribute>,
) -> Option<Vec<u8>> {
    let mut message =
        StunMessageBuilder::new(method, MessageClass::Indication).with_transaction_id(id.into());
    for attribute in attributes {
        message = message.with_attribute(attribute);
    }
    write(&message.build())
}

pub(crate) fn write(message: &StunMessage) -> Option<Vec<u8>> {
    let mut bytes = vec![0; MAX_BYTES];
    let len = MessageEncoderBuilder::default()
        .build()
        .encode(&mut bytes, message)
        .ok()?;
    bytes.truncate(len);
    Some(bytes)
}

/// The transaction that a STUN message belongs to, without reading it further.
pub(crate) fn transaction_of(datagram: &[u8]) -> Option<TransactionId> {
    let header = datagram.get(..HEADER_BYTES)?;
    let is_stun = header[0] & 0xC0 == 0 && header[4..8] == COOKIE;
    is_stun.then(|| header[8..].try_into().ok()).flatten()
}

/// The user name in a Binding request, without checking anything. It takes no memory: this is asked of everything that comes.
pub(crate) fn request_user_name(datagram: &[u8]) -> Option<&str> {
    transaction_of(datagram)?;
    let (header, mut attributes) = datagram.split_at_checked(HEADER_BYTES)?;
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[..2] != BINDING_REQUEST || len != attributes.len() {
        return None;
    }
    while let [kind_high, kind_low, len_high, len_low, rest @ ..] = attributes {
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        let (value, rest) = rest.split_at_checked(len)?;
        match u16::from_be_bytes([*kind_high, *kind_low]) {
            USERNAME => return std::str::from_utf8(value).ok(),
            // Nothing that follows is protected.
            MESSAGE_INTEGRITY => return None,
            _ => attributes = rest.get(len.next_multiple_of(4) - len..)?,
        }
    }
    None
}

/// What a server answered.
#[derive(Debug)]
pub(crate) enum Response {
    Success(StunMessage),
    /// With what a challenge brings along.
    Error {
        code: u16,
        realm: Option<Realm>,
        nonce: Option<Nonce>,
    },
}

/// Reads an answer. With credentials a success must be protected by them; an error may be unprotected, because a
/// challenge always is.
pub(crate) fn response(
    datagram: &[u8],
    method: MessageMethod,
    credentials: Option<&LongTerm>,
) -> Option<Response> {
    let message = read(datagram, credentials.map(|credentials| &credentials.key))?;
    if message.method() != method {
        return None;
    }
    match message.class() {
        MessageClass::SuccessResponse => {
            let is_protected = message.get::<MessageIntegrity>().is_some();
            (credentials.is_none() || is_protected).then_some(Response::Success(message))
        }
        MessageClass::ErrorResponse => {
            let code = message.get::<ErrorCode>()?.as_error_code().ok()?;
            let realm = message
                .get::<Realm>()
                .and_then(|realm| realm.as_realm().ok());
            let nonce = message
                .get::<Nonce>()
                .and_then(|nonce| nonce.as_nonce().ok());
            Some(Response::Error {
                code: code.error_code().error_code(),
                realm: realm.cloned(),
                nonce: nonce.cloned(),
            })
        }
        MessageClass::Request | MessageClass::Indication => None,
    }
}

/// Reads a message; integrity that is there is verified if there is a key.
pub(crate) fn read(datagram: &[u8], key: Option<&HMACKey>) -> Option<StunMessage> {
    transaction_of(datagram)?;
    let context = DecoderContextBuilder::default();
    let context = match key {
        Some(key) => context.with_key(key.clone()).with_validation(),
        None => context,
    };
    let decoder = MessageDecoderBuilder::default()
        .with_context(context.build())
        .build();
    let (message, len) = decoder.decode(datagram).ok()?;
    (len == datagram.len()).then_some(message)
}

/// The address that a server saw a request come from.
pub(crate) fn mapped_address(message: &StunMessage) -> Option<SocketAddr> {
    let mapped = message.get::<XorMappedAddress>()?;
    Some(*mapped.as_xor_mapped_address().ok()?.socket_address())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stun_rs::attributes::ice::Priority;
    use stun_rs::attributes::stun::Software;
    use stun_rs::methods::BINDING;

    use super::*;

    /// The four vectors of RFC 5769 section 2.
    macro_rules! vector {
        ($section:literal) => {
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/data/protocol-vectors/rfc5769-",
                $section,
                ".bin"
            ))
        };
    }
    const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    fn short_term(password: &str) -> HMACKey {
        HMACKey::new_short_term(password).unwrap()
    }

    fn long_term(password: &str) -> HMACKey {
        let md5 = Algorithm::from(AlgorithmId::MD5);
        let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
        HMACKey::new_long_term(username, "example.org", password, md5).unwrap()
    }

    #[test]
    fn the_request_of_rfc_5769_is_read_and_its_integrity_and_fingerprint_hold() {
        let message = read(vector!("2_1"), Some(&short_term(PASSWORD))).unwrap();
        assert_eq!(message.method(), BINDING);
        assert_eq!(message.class(), MessageClass::Request);
        let software = message.get::<Software>().unwrap().as_software().unwrap();
        assert_eq!(software.as_str(), "STUN test client");
        let priority = message.get::<Priority>().unwrap().as_priority().unwrap();
        assert_eq!(priority.as_u32(), 0x6e00_01ff);
        let user = message.get::<UserName>().unwrap().as_user_name().unwrap();
        assert_eq!(user.as_str(), "evtj:h6vY");
    }

    #[test]
    fn the_responses_of_rfc_5769_tell_the_mapped_address() {
        let key = short_term(PASSWORD);
        for (vector, address) in [
            (&vector!("2_2")[..], "192.0.2.1:32853"),
            (
                &vector!("2_3")[..],
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
            ),
        ] {
            let message = read(vector, Some(&key)).unwrap();
            assert_eq!(message.class(), MessageClass::SuccessResponse);
            assert_eq!(mapped_address(&message), Some(address.parse().unwrap()));
        }
    }

    #[test]
    fn the_long_term_request_of_rfc_5769_is_read() {
        // The password is "The<U+00AD>M<U+00AA>tr<U+2168>" in the RFC, "TheMatrIX" after preparation.
        let message = read(vector!("2_4"), Some(&long_term("TheMatrIX"))).unwrap();
        let realm = message.get::<Realm>().unwrap().as_realm().unwrap();
        assert_eq!(realm.as_str(), "example.org");
        let nonce = message.get::<Nonce>().unwrap().as_nonce().unwrap();
        assert_eq!(nonce.as_str(), "f//499k954d6OL34oL9FSTvy64sA");
    }

    #[test]
    fn one_changed_byte_or_another_password_is_no_message() {
        for section in [
            &vector!("2_1")[..],
            &vector!("2_2")[..],
            &vector!("2_3")[..],
        ] {
            assert!(read(section, Some(&short_term("another"))).is_none());
            for at in 0..section.len() {
                let mut bytes = section.to_vec();
                bytes[at] ^= 1;
                let read = read(&bytes, Some(&short_term(PASSWORD)));
                // A fingerprint that is none any more leaves the integrity as it is.
                let is_its_header = (section.len() - 8..section.len() - 4).contains(&at);
                assert!(read.is_none() || is_its_header, "byte {at}");
            }
        }
        assert!(read(vector!("2_4"), Some(&long_term("other"))).is_none());
    }

    #[test]
    fn our_long_term_request_is_that_of_rfc_5769() {
        let key = long_term("TheMatrIX");
        let credentials = LongTerm {
            username: UserName::new("\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}").unwrap(),
            realm: Realm::new("example.org").unwrap(),
            nonce: Nonce::new("f//499k954d6OL34oL9FSTvy64sA").unwrap(),
            key: key.clone(),
        };
        let id = vector!("2_4")[8..20].try_into().unwrap();
        let ours = request(BINDING, id, Vec::new(), Some(&credentials)).unwrap();
        let ours = read(&ours, Some(&key)).unwrap();
        let theirs = read(vector!("2_4"), Some(&key)).unwrap();
        assert_eq!(ours.transaction_id(), theirs.transaction_id());
        let user = |message: &StunMessage| {
            let user = message.get::<UserName>().unwrap().as_user_name().unwrap();
            let realm = message.get::<Realm>().unwrap().as_realm().unwrap();
            let nonce = message.get::<Nonce>().unwrap().as_nonce().unwrap();
            [user.as_str(), realm.as_str(), nonce.as_str()].map(str::to_owned)
        };
        assert_eq!(user(&ours), user(&theirs));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), stun: bool) {
            if stun && bytes.len() >= HEADER_BYTES {
                bytes[0] &= 0x3F;
                bytes[4..8].copy_from_slice(&COOKIE);
                let len = u16::try_from(bytes.len() - HEADER_BYTES).unwrap();
                bytes[2..4].copy_from_slice(&len.to_be_bytes());
            }
            let _ = response(&bytes, BINDING, None);
            let _ = read(&bytes, Some(&short_term(PASSWORD)));
        }
    }
}
