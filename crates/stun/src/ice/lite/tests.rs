//! The lite agent against requests as peers and strangers write them.

use proptest::prelude::*;
use stun_rs::attributes::ice::{IceControlling, Priority};

use super::*;
use crate::Secret;

const SOURCE: &str = "198.51.100.7:61000";
const PASSWORD: &str = "0123456789abcdefghijkl";

fn source() -> SocketAddr {
    SOURCE.parse().unwrap()
}

fn credentials() -> Credentials {
    Credentials {
        ufrag: "ours".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    }
}

fn agent() -> LiteAgent {
    LiteAgent::new(&credentials(), Some("theirs".to_owned())).unwrap()
}

fn request(name: &str, password: Option<&str>, attributes: Vec<StunAttribute>) -> Vec<u8> {
    let mut message = StunMessageBuilder::new(BINDING, MessageClass::Request)
        .with_transaction_id([7; 12].into())
        .with_attribute(Priority::from(1_u32))
        .with_attribute(UserName::new(name).unwrap());
    for attribute in attributes {
        message = message.with_attribute(attribute);
    }
    if let Some(password) = password {
        let key = HMACKey::new_short_term(password).unwrap();
        message = message.with_attribute(MessageIntegrity::new(key));
    }
    message::write(&message.with_attribute(Fingerprint::default()).build()).unwrap()
}

fn controlling() -> StunAttribute {
    IceControlling::from(1_u64).into()
}

fn check(attributes: Vec<StunAttribute>) -> Vec<u8> {
    request("ours:theirs", Some(PASSWORD), attributes)
}

/// What the peer reads of an answer, which must be protected.
fn read(answer: &CheckAnswer) -> StunMessage {
    let key = HMACKey::new_short_term(PASSWORD).unwrap();
    let message = message::read(&answer.bytes, Some(&key)).unwrap();
    assert!(message.get::<MessageIntegrity>().is_some());
    assert!(message.get::<Fingerprint>().is_some());
    assert_eq!(message.transaction_id().as_bytes(), &[7; 12]);
    message
}

fn code(message: &StunMessage) -> u16 {
    let code = message.get::<ErrorCode>().unwrap();
    code.as_error_code().unwrap().error_code().error_code()
}

#[test]
fn a_check_is_told_where_it_came_from() {
    let answer = agent()
        .answer(&check(vec![controlling()]), source())
        .unwrap();
    assert_eq!(answer.outcome, CheckOutcome::Valid);
    let message = read(&answer);
    assert_eq!(message.class(), MessageClass::SuccessResponse);
    assert_eq!(message::mapped_address(&message), Some(source()));
}

#[test]
fn use_candidate_nominates() {
    let nominating = check(vec![controlling(), UseCandidate::default().into()]);
    let answer = agent().answer(&nominating, source()).unwrap();
    assert_eq!(answer.outcome, CheckOutcome::Nominated);
    assert_eq!(read(&answer).class(), MessageClass::SuccessResponse);
}

#[test]
fn words_behind_the_integrity_are_not_the_peers() {
    let mut forged = check(vec![controlling()]);
    // In place of the fingerprint: somebody who saw a check adds a nomination and repairs the length.
    forged.truncate(forged.len() - 8);
    forged.extend([0x00, 0x25, 0, 0]);
    let len = u16::try_from(forged.len() - 20).unwrap();
    forged[2..4].copy_from_slice(&len.to_be_bytes());
    let answer = agent().answer(&forged, source()).unwrap();
    assert_eq!(answer.outcome, CheckOutcome::Valid);
}

#[test]
fn a_peer_that_wants_to_be_controlled_is_told_487_and_nominates_nothing() {
    let confused = check(vec![
        IceControlled::from(u64::MAX).into(),
        UseCandidate::default().into(),
    ]);
    let answer = agent().answer(&confused, source()).unwrap();
    assert_eq!(answer.outcome, CheckOutcome::Refused);
    assert_eq!(code(&read(&answer)), ROLE_CONFLICT);
}

#[test]
fn an_attribute_that_has_to_be_understood_and_is_not_gets_420() {
    let mut unknown = check(vec![controlling()]);
    // PRIORITY under a type that nobody knows.
    let key = HMACKey::new_short_term(PASSWORD).unwrap();
    let at = unknown
        .windows(4)
        .position(|four| four == [0x00, 0x24, 0, 4])
        .unwrap();
    unknown[at + 1] = 0x7F;
    let resigned = resign(&unknown, &key);
    let answer = agent().answer(&resigned, source()).unwrap();
    assert_eq!(answer.outcome, CheckOutcome::Refused);
    let message = read(&answer);
    assert_eq!(code(&message), UNKNOWN_ATTRIBUTE);
    let named = message.get::<UnknownAttributes>().unwrap();
    assert_eq!(named.as_unknown_attributes().unwrap().attributes(), [0x7F]);
}

/// Makes integrity right again and leaves the fingerprint out.
fn resign(bytes: &[u8], key: &HMACKey) -> Vec<u8> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut text = bytes[..bytes.len() - 8 - 24].to_vec();
    let len = u16::try_from(text.len() + 24 - 20).unwrap();
    text[2..4].copy_from_slice(&len.to_be_bytes());
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(&text);
    text.extend([0x00, 0x08, 0, 20]);
    text.extend(mac.finalize().into_bytes());
    text
}

#[test]
fn who_does_not_know_the_password_or_the_names_gets_nothing() {
    let agent = agent();
    for (name, password) in [
        ("ours:theirs", None),
        ("ours:theirs", Some("another-password-of-22")),
        ("ours:another", Some(PASSWORD)),
        ("other:theirs", Some(PASSWORD)),
        ("ours", Some(PASSWORD)),
        (":", Some(PASSWORD)),
    ] {
        let wrong = request(name, password, vec![UseCandidate::default().into()]);
        assert_eq!(agent.answer(&wrong, source()), None, "{name} {password:?}");
    }
    let answer = agent.answer(&check(vec![controlling()]), source()).unwrap();
    assert_eq!(
        agent.answer(&answer.bytes, source()),
        None,
        "our own answer"
    );
}

#[test]
fn before_the_peers_description_is_known_any_name_of_its_own_does() {
    let agent = LiteAgent::new(&credentials(), None).unwrap();
    let early = request("ours:whoever", Some(PASSWORD), vec![controlling()]);
    assert!(agent.answer(&early, source()).is_some());
}

#[test]
fn one_changed_byte_is_not_answered() {
    let agent = agent();
    let genuine = check(vec![controlling(), UseCandidate::default().into()]);
    for at in 0..genuine.len() {
        let mut bytes = genuine.clone();
        bytes[at] ^= 1;
        // A fingerprint that is none any more leaves the integrity as it is.
        let is_its_header = (genuine.len() - 8..genuine.len() - 4).contains(&at);
        assert!(
            agent.answer(&bytes, source()).is_none() || is_its_header,
            "byte {at}"
        );
    }
}

#[test]
fn credentials_that_no_description_can_carry_are_refused() {
    let with = |ufrag: &str, password: &str| {
        let credentials = Credentials {
            ufrag: ufrag.to_owned(),
            password: Secret::new(password.to_owned()),
        };
        LiteAgent::new(&credentials, None).map(drop)
    };
    assert_eq!(with("abcd", PASSWORD), Ok(()));
    for (ufrag, password) in [
        ("abc", PASSWORD),
        ("ab:d", PASSWORD),
        (&*"a".repeat(257), PASSWORD),
        ("abcd", "too-short"),
        ("abcd", &PASSWORD[1..]),
    ] {
        assert_eq!(with(ufrag, password), Err(LiteError::Credentials));
    }
    let remote = LiteAgent::new(&credentials(), Some("no:colon".to_owned()));
    assert_eq!(remote.map(drop), Err(LiteError::Credentials));
}

#[test]
fn the_password_is_printed_nowhere() {
    let printed = format!("{:?}", agent());
    assert!(!printed.contains(PASSWORD), "{printed}");
}

proptest! {
    #[test]
    fn no_bytes_panic_and_none_are_answered(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        tail in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let _ = local_fragment(&bytes);
        prop_assert!(agent().answer(&bytes, source()).is_none());
        bytes.splice(..0, check(Vec::new()));
        bytes.extend(tail);
        let _ = local_fragment(&bytes);
        let _ = agent().answer(&bytes, source());
    }
}
