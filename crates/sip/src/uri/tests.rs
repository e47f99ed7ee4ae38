use super::*;

fn uri(text: &str) -> Uri {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_sip_uri_comes_apart() {
    let uri = uri("sips:alice:secret@[2001:db8::1]:5061;transport=TCP;lr?Replaces=a%40b&Require=x");
    assert_eq!(*uri.scheme(), Scheme::Sips);
    assert_eq!(
        (uri.user(), uri.password()),
        (Some("alice"), Some("secret"))
    );
    assert_eq!(uri.host_port().unwrap().to_string(), "[2001:db8::1]:5061");
    assert_eq!(uri.transport(), Some(Transport::Tcp));
    assert!(uri.has_param("LR"));
    assert_eq!(
        uri.headers()[0],
        ("Replaces".to_owned(), "a%40b".to_owned())
    );
    assert_eq!(uri.headers()[1].0, "Require");
}

#[test]
fn a_user_may_hold_almost_anything() {
    for (text, user, host) in [
        ("sip:john.doe@example.com", "john.doe", "example.com"),
        ("sip:+15551234@example.com", "+15551234", "example.com"),
        (
            "sip:user;par=u%40example.net@example.com",
            "user;par=u%40example.net",
            "example.com",
        ),
        ("sip:a/b?c,d@h", "a/b?c,d", "h"),
        (
            "sip:sips%3Auser%40example.com@example.net",
            "sips%3Auser%40example.com",
            "example.net",
        ),
    ] {
        let uri = uri(text);
        assert_eq!(uri.user(), Some(user));
        assert_eq!(uri.host(), Some(&host.parse().unwrap()));
        assert_eq!(uri.to_string(), text);
    }
}

/// The short form has a way of its own; spelled in capitals it takes the long one.
#[test]
fn the_short_form_reads_as_the_long_one() {
    let parts = |text: &str| {
        let uri: Uri = text.parse()?;
        let [user, password] = [uri.user(), uri.password()].map(|part| part.map(str::to_owned));
        let is_short = uri.params().is_some_and(Params::is_empty) && uri.headers().is_empty();
        Ok::<_, UriError>((user, password, uri.host_port().cloned(), is_short))
    };
    for rest in [
        "a@b",
        "a@b:5060",
        "b",
        "b:5060",
        "[::1]:5060",
        "a@[::1]",
        "192.0.2.1",
        "a@192.0.2.1:1",
        "a:p@b",
        "b:5060@c",
        "a@b@c",
        "a@b:1@c",
        "@b",
        "",
        ":",
        "b:",
        "b:x",
        "a@",
        "a@:1",
        "b;x",
        "b?x=1",
        "a;x@b",
        "a?x@b",
        "a@b;x",
        "a@b:1?x=1",
        "a b@c",
        "a@b c",
        "a\"@b",
        "a\u{e9}@b",
        "a@b\u{e9}",
        "a..b",
        "1.2.3",
    ] {
        let long = format!("SIP:{rest}");
        assert_eq!(parts(&format!("sip:{rest}")), parts(&long), "{rest}");
    }
}

#[test]
fn marks_behind_the_question_mark_belong_to_the_headers() {
    let uri = uri("sip:b:5070?x=a;b:c&y=?d");
    assert_eq!(uri.host_port().unwrap().to_string(), "b:5070");
    assert!(uri.params().unwrap().is_empty());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(uri.headers(), [pair("x", "a;b:c"), pair("y", "?d")]);
}

#[test]
fn escapes_are_resolved_once() {
    assert_eq!(uri("sip:a%2541%zz@h").user_decoded().unwrap(), "a%41%zz");
    assert_eq!(
        uri("sip:null-%00-null@h").user_decoded().unwrap(),
        "null-\0-null"
    );
    assert_eq!(uri("sip:%ff@h").user_decoded().unwrap(), "\u{fffd}");
}

#[test]
fn telephone_and_opaque_uris_are_kept() {
    let tel = uri("tel:+1-(555)-0100;phone-context=example.com");
    assert_eq!(tel.telephone_number(), Some("+1-(555)-0100"));
    assert_eq!(tel.param("phone-context"), Some("example.com"));
    assert_eq!((tel.user(), tel.host()), (None, None));
    for text in [
        "urn:service:sos",
        "http://www.example.com",
        "isbn:2983792873",
        "soap.beep://192.0.2.103:3002",
    ] {
        assert!(matches!(uri(text).scheme(), Scheme::Other(_)), "{text}");
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn push_parameters_survive_edits_of_other_parts() {
    let mut uri = uri("sip:alice@h;pn-provider=acme;pn-prid=00:fc%26x&y%2F;ob");
    assert_eq!(uri.param("pn-prid"), Some("00:fc%26x&y%2F"));
    uri.set_host_port("192.0.2.1:5070".parse::<HostPort>().unwrap());
    uri.set_param("x", "a b");
    uri.remove_param("ob");
    assert_eq!(
        uri.as_str(),
        "sip:alice@192.0.2.1:5070;pn-provider=acme;pn-prid=00:fc%26x&y%2F;x=a%20b"
    );
}

#[test]
fn a_user_set_in_clear_is_escaped() {
    let mut uri = Uri::sip(Some("a b@c"), "h".parse::<HostPort>().unwrap());
    assert_eq!(uri.as_str(), "sip:a%20b%40c@h");
    uri.set_user(None);
    assert_eq!(uri.as_str(), "sip:h");
    assert_eq!(uri, "sip:h".parse().unwrap());
}

#[test]
fn what_is_no_uri_is_refused_for_its_reason() {
    for (text, error) in [
        ("", UriError::Scheme),
        ("alice@example.com", UriError::Scheme),
        ("sip:", UriError::Scheme),
        ("1sip:a@b", UriError::Scheme),
        ("<sip:a@b>", UriError::Character { at: 0 }),
        ("sip:a b@c", UriError::Character { at: 5 }),
        ("sip:@b", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a@b@c", UriError::Host),
        ("sip:2001:db8::10", UriError::Port),
        ("sip:a@b:99999", UriError::Port),
        ("sip:a@b;", UriError::Params),
        ("sip:a@b?x", UriError::Headers),
        ("tel:", UriError::Scheme),
        ("tel:abc-x", UriError::User),
    ] {
        assert_eq!(text.parse::<Uri>(), Err(error), "{text}");
    }
}

/// The examples of RFC 3261, section 19.1.4.
#[test]
fn equivalent_uris_are_found_so() {
    for (a, b) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtlanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-555-0100", "tel:+1(555)0100"),
        ("urn:service:sos", "urn:service:sos"),
    ] {
        assert!(uri(a).is_equivalent(&uri(b)), "{a} {b}");
        assert!(uri(b).is_equivalent(&uri(a)), "{b} {a}");
    }
}

#[test]
fn different_uris_are_found_so() {
    for (a, b) in [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;newparam=6",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a%2Fb@c", "sip:a/b@c"),
        ("sip:b", "sip:a@b"),
        ("tel:+15550100", "tel:15550100"),
        ("tel:5550100;phone-context=a", "tel:5550100"),
    ] {
        assert!(!uri(a).is_equivalent(&uri(b)), "{a} {b}");
        assert!(!uri(b).is_equivalent(&uri(a)), "{b} {a}");
    }
}

#[test]
fn push_parameters_keep_every_byte() {
    let text = "sip:alice@192.0.2.1:5061;transport=tls;pn-provider=fcm;pn-param=proj%2F1&x:y;pn-prid=c2T:APA91b%3D=+_-/&z;ob";
    let uri: Uri = text.parse().unwrap();
    let push = uri.push_params().unwrap();
    assert_eq!(push.provider, "fcm");
    assert_eq!(push.param, Some("proj%2F1&x:y"));
    assert_eq!(push.prid, Some("c2T:APA91b%3D=+_-/&z"));
    assert_eq!(push.purr, None);
    assert_eq!(uri.to_string(), text);
    assert!(uri.has_param("ob"));
    let mut edited = uri.clone();
    edited.set_host_port("192.0.2.2".parse::<HostPort>().unwrap());
    assert_eq!(edited.push_params(), Some(push));
    assert!(!format!("{push:?}").contains("APA91b"));

    let asks: Uri = "sip:a@b;pn-provider".parse().unwrap();
    assert_eq!(asks.push_params().unwrap().provider, "");
    assert_eq!(
        "sip:a@b;pn-prid=1".parse::<Uri>().unwrap().push_params(),
        None
    );
}

#[test]
fn gruus_are_told_by_their_parameter() {
    let public: Uri = "sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        .parse()
        .unwrap();
    assert_eq!(
        public.param("gr"),
        Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    );
    let temporary: Uri = "sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr"
        .parse()
        .unwrap();
    assert!(temporary.has_param("gr") && temporary.param("gr").is_none());
}

#[test]
fn uri_headers_are_escaped_when_added_and_read_in_clear() {
    let mut uri: Uri = "sip:a@b?Subject=x%20y".parse().unwrap();
    uri.push_header("Replaces", "1@h;to-tag=2&%");
    assert_eq!(
        uri.as_str(),
        "sip:a@b?Subject=x%20y&Replaces=1%40h%3Bto-tag%3D2%26%25"
    );
    assert_eq!(uri.header_decoded("replaces").unwrap(), "1@h;to-tag=2&%");
    assert_eq!(uri.header_decoded("subject").unwrap(), "x y");
    assert_eq!(uri.header_decoded("Route"), None);
}

#[test]
fn a_uri_with_a_repeated_parameter_is_equivalent_to_itself() {
    for text in ["tel:+1555;ext=3;ext=4", "sip:a@b;x=1;x=2"] {
        let uri: Uri = text.parse().unwrap();
        assert!(uri.is_equivalent(&uri), "{text}");
    }
}
