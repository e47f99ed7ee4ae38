//! Messages, streams, addresses and challenges.

use bytes::Bytes;
use sip::{
    AuthFields, Challenge, Contact, Contacts, Credentials, DigestClient, DigestSecret,
    DigestServer, Event, FeatureCaps, Fields, Frame, HeaderError, Ids, MediaType, Message, Method,
    NameAddr, Privacy, Private, RAck, Reason, ReferTo, Replaces, Request, StreamFramer,
    SubscriptionState, TargetDialog, Uri, Verdict, Via, answer_challenges, parse_datagram,
    parse_message,
};

const REALM: &str = "example.com";
const NOW: u64 = 1_800_000_000;

/// A datagram: what is read is written back as it was, every header can be asked for, and what is
/// made of it can be read again.
pub fn datagram(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    match parse_datagram(bytes.clone()) {
        Ok(message) => message_holds(&message, &bytes),
        Err(malformed) => {
            if let Some(answer) = malformed.response("tag") {
                reads_back(&Message::Response(Box::new(answer)));
            }
        }
    }
}

fn message_holds(message: &Message, received: &Bytes) {
    let written = message.to_bytes();
    let start = received.len() - skipped_line_ends(received).len();
    assert!(
        received[start..].starts_with(&written),
        "not byte-identical"
    );
    assert_eq!(parse_datagram(written).as_ref(), Ok(message));
    look_at_everything(message);

    let mut edited = message.clone();
    let _ = edited.stamp_via("192.0.2.1:5060".parse().expect("an address"));
    edited.set_header("Subject", "a\r\nb: c");
    reads_back(&edited);
    match message {
        Message::Request(request) => {
            let valid = request.validate().is_ok();
            let response = request.response(486, Some("tag"));
            if valid {
                assert_eq!(response.to().map(|to| to.tag().is_some()), Ok(true));
                assert_eq!(response.from(), request.from());
                assert_eq!(response.validate(), Ok(()));
            }
            reads_back(&Message::Response(Box::new(response)));
        }
        Message::Response(response) => {
            let _ = response.validate();
        }
    }
}

fn skipped_line_ends(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    bytes
}

/// What we write can be read, and says the same.
fn reads_back(message: &Message) {
    let again = parse_datagram(message.to_bytes());
    let Ok(again) = again else {
        panic!("own message is malformed: {again:?}");
    };
    let texts = |fields: &Fields| -> Vec<_> {
        let all = fields.headers().iter();
        all.filter(|(name, _)| *name != "Content-Length")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    assert_eq!(texts(&again), texts(message));
    assert_eq!(again.body(), message.body());
}

fn look_at_everything(fields: &Fields) {
    let _ = (fields.via(), fields.vias(), fields.from(), fields.to());
    let _ = (fields.cseq(), fields.call_id(), fields.contacts());
    let _ = (
        fields.max_forwards(),
        fields.expires(),
        fields.min_expires(),
    );
    let _ = (
        fields.session_expires(),
        fields.min_se(),
        fields.retry_after(),
    );
    let _ = (fields.content_type(), fields.accept(), fields.routes());
    let _ = (
        fields.record_routes(),
        fields.paths(),
        fields.service_routes(),
    );
    let _ = (
        fields.reasons(),
        fields.allow(),
        fields.supported(),
        fields.require(),
    );
    let _ = (fields.proxy_require(), fields.unsupported());
    let _ = (fields.www_authenticate(), fields.proxy_authenticate());
    let _ = (fields.authorization(), fields.proxy_authorization());
    let _ = (
        fields.rseq(),
        fields.rack(),
        fields.event(),
        fields.allow_events(),
    );
    let _ = (
        fields.subscription_state(),
        fields.referred_by(),
        fields.refer_sub(),
    );
    let _ = (
        fields.replaces(),
        fields.target_dialog(),
        fields.feature_caps(),
    );
    let _ = (
        fields.p_asserted_identities(),
        fields.p_preferred_identities(),
    );
    let _ = (fields.privacy(), fields.max_breadth(), fields.flow_timer());
    if let Ok(Some(refer_to)) = fields.refer_to() {
        let _ = (refer_to.replaces(), refer_to.method(), refer_to.target());
    }
    for contact in fields.contacts().iter().flat_map(Contacts::list) {
        let _ = (
            contact.expires(),
            contact.q(),
            contact.instance(),
            contact.reg_id(),
        );
        let _ = (
            contact.pub_gruu(),
            contact.temp_gruu(),
            contact.uri().push_params(),
        );
    }
}

/// A stream: the first bytes say where it is cut; how it is cut must not change what comes out.
pub fn stream(data: &[u8]) {
    let Some((cuts, rest)) = data.split_at_checked(8) else {
        return;
    };
    let whole = frames(StreamFramer::accepted(), [rest]);
    let single = frames(StreamFramer::accepted(), rest.chunks(1));
    let mut pieces = Vec::new();
    let mut left = rest;
    for cut in cuts.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let (piece, next) = left.split_at(left.len().min(usize::from(*cut) + 1));
        pieces.push(piece);
        left = next;
    }
    let cut = frames(StreamFramer::accepted(), pieces.iter().copied());
    assert_eq!(whole, single);
    assert_eq!(whole, cut);
    let messages = |frames: Vec<Option<Frame>>| -> Vec<_> {
        let is_message = |frame: &Option<Frame>| !matches!(frame, Some(Frame::Ping | Frame::Pong));
        frames.into_iter().filter(is_message).collect()
    };
    let opened = frames(StreamFramer::opened(), pieces);
    assert_eq!(messages(opened), messages(whole.clone()));
    for frame in whole.into_iter().flatten() {
        if let Frame::Message(bytes) = frame
            && let Ok(message) = parse_message(bytes.clone())
        {
            message_holds(&message, &bytes);
        }
    }
}

/// All frames; `None` at the end for a stream that is broken.
fn frames<'a>(
    mut framer: StreamFramer,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Option<Frame>> {
    let mut all = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => all.push(Some(frame)),
                Ok(None) => break,
                Err(_) => {
                    all.push(None);
                    return all;
                }
            }
        }
    }
    all
}

/// Two URIs, a line end between them: kept as written, edits stay legal, equivalence is one.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    let Ok(uri) = first.parse::<Uri>() else {
        return;
    };
    assert_eq!(uri.as_str(), first);
    assert!(uri.is_equivalent(&uri));
    let _ = (
        uri.user_decoded(),
        uri.transport(),
        uri.push_params(),
        uri.telephone_number(),
    );
    if let Ok(other) = second.parse::<Uri>() {
        assert_eq!(uri.is_equivalent(&other), other.is_equivalent(&uri));
    }
    let mut edited = uri.clone();
    edited.set_user(Some(second));
    edited.set_param("x", second);
    edited.push_header("Subject", second);
    // One that is full of parameters cannot be read any more with another one.
    let has_room = uri
        .params()
        .is_some_and(|params| params.iter().count() < 60);
    if edited.is_sip() && has_room && !second.is_empty() {
        assert_eq!(edited.as_str().parse().as_ref(), Ok(&edited));
        assert_eq!(edited.user_decoded().as_deref(), Some(second));
    }
    let _ = sip::Aor::from_uri(&uri).map(|aor| aor.to_string());
}

/// Everything that a header value can be: what is read can be written and read again.
pub fn name_addr(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // A value of a message has no line ends and no blanks around it.
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let text = text.trim_matches([' ', '\t']);

    macro_rules! same_again {
        ($($kind:ident)*) => {$(
            if let Some(value) = $kind::parse(text) {
                let written = value.to_string();
                assert_eq!($kind::parse(&written), Some(value), "{written}");
            }
        )*};
    }
    same_again!(Via Contact Reason MediaType Event SubscriptionState Replaces TargetDialog);
    same_again!(ReferTo RAck Privacy FeatureCaps);
    if let Ok(address) = text.parse::<NameAddr>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    let mut request = Request::new(Method::REGISTER, "sip:a".parse().expect("a URI"));
    for name in ["Contact", "Route", "To", "From", "Via", "Feature-Caps"] {
        request.push_header(name, text);
    }
    look_at_everything(&request);
    assert_ne!(request.rack().err(), None::<HeaderError>);
}

/// Challenges and credentials: the client answers only what it may, the server accepts no guess.
pub fn challenge(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(['\r', '\n'], " ");
    let text = text.trim_matches([' ', '\t']);
    for fields in AuthFields::parse_list(text).unwrap_or_default() {
        let written = fields.to_string();
        assert_eq!(
            AuthFields::parse(&written),
            Some(fields.clone()),
            "{written}"
        );
        let _ = Challenge::from_fields(&fields);
    }
    let mut request = Request::new(Method::REGISTER, "sip:example.com".parse().expect("a URI"));
    let mut response = request.response(401, None);
    response.push_header("WWW-Authenticate", text);
    let credentials = Credentials {
        username: "alice".to_owned(),
        password: Private("secret".to_owned()),
        realm: Some(REALM.to_owned()),
    };
    let mut ids = Ids::from_seed([1; 32]);
    let mut client = DigestClient::new();
    if let Ok((name, value)) =
        answer_challenges(&response, &request, &credentials, &mut client, &mut ids)
    {
        let fields = AuthFields::parse(&value).expect("own credentials can be read");
        assert_eq!(fields.value("realm").as_deref(), Some(REALM));
        request.set_header(name, value);
        no_guess_is_accepted(&request);
    }
    let mut guess = request;
    guess.set_header("Authorization", text);
    no_guess_is_accepted(&guess);
}

fn no_guess_is_accepted(request: &Request) {
    let mut server = DigestServer::new([7; 32], Ids::from_seed([2; 32]));
    let secret = DigestSecret::from_password("alice", REALM, "secret");
    let _ = server.claim(request, REALM);
    let verdict = server.verify(request, REALM, &secret, NOW);
    assert!(
        matches!(
            verdict,
            Verdict::Missing | Verdict::Wrong | Verdict::Malformed
        ),
        "{verdict:?}"
    );
}
