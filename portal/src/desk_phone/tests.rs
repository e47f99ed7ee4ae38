//! Each make's file as a whole (`vectors`), and what no text that people type may do to it.

use api::{Codec, Secret, Transport};
use store::DeskPhoneMake::{self, Baresip, Grandstream, Snom, Yealink};

use super::{
    File, LINES, file, is_name,
    settings::{Hop, Line, Settings},
};

const MAKES: [DeskPhoneMake; 4] = [Yealink, Snom, Grandstream, Baresip];

/// An account of our own proxy over UDP, and one of somebody else's over TLS whose password is entered on the phone.
fn settings() -> Settings {
    let own = Line {
        label: "Reception".to_owned(),
        display_name: "Alice Example".to_owned(),
        username: "101".to_owned(),
        auth_username: "101".to_owned(),
        password: Some(Secret("kE7rTw2mPq".to_owned())),
        domain: "acme.tandem.example".to_owned(),
        port: None,
        transport: Transport::Udp,
        proxy: Some(Hop {
            host: "192.0.2.1".to_owned(),
            port: Some(5060),
        }),
        codecs: vec![Codec::G722, Codec::Pcma, Codec::Pcmu],
    };
    let other = Line {
        label: "Outside".to_owned(),
        auth_username: "auth-4711".to_owned(),
        username: "+493012345678".to_owned(),
        password: None,
        domain: "sip.provider.example".to_owned(),
        port: Some(5071),
        transport: Transport::Tls,
        proxy: None,
        codecs: vec![Codec::Opus, Codec::Pcma],
        ..own.clone()
    };
    Settings {
        address: "https://phones.example.com/desk/the-secret-of-this-address/".to_owned(),
        lines: vec![own, other],
    }
}

fn text(make: DeskPhoneMake, settings: &Settings) -> String {
    let File { text, .. } = file(make, settings);
    text
}

#[test]
fn each_make_gets_its_file() {
    for (make, expected) in [
        (Yealink, include_str!("vectors/yealink.cfg")),
        (Snom, include_str!("vectors/snom.xml")),
        (Grandstream, include_str!("vectors/grandstream.xml")),
        (Baresip, include_str!("vectors/accounts")),
    ] {
        let found = text(make, &settings());
        assert_eq!(found, expected, "{make}:\n{found}");
    }
}

/// What must stay as it is whatever people have typed: keys, elements, parameters.
fn shape(make: DeskPhoneMake, text: &str) -> Vec<String> {
    match make {
        Yealink => text
            .lines()
            .map(|line| line.split(" = ").next().unwrap().to_owned())
            .collect(),
        Snom | Grandstream => text
            .split('<')
            .map(|part| part.split('>').next().unwrap().to_owned())
            .skip(1)
            .collect(),
        // What stands in quotes, and the values of parameters, left out.
        Baresip => text.lines().flat_map(shape_of_account).collect(),
    }
}

fn shape_of_account(line: &str) -> Vec<String> {
    let outside: String = line.split('"').step_by(2).collect();
    let parts = outside.split(';');
    parts
        .map(|part| part.split(['=', ':']).next().unwrap().to_owned())
        .collect()
}

const TORTURE: &[&str] = &[
    "two\nlines\naccount.1.enable = 0",
    "cr\rlf\r\naccount.2.password = stolen",
    "\u{2028}\u{2029}\u{85}\u{0}\u{7f}\u{1b}[31m",
    "\" <sip:eve@evil.example>;auth_pass=stolen;x=\"",
    "</user_realname><user_pass idx=\"1\">stolen</user_pass>",
    "</P3><P34>stolen</P34>",
    "]]><!-- & &lt; &#10; -->",
    "'\"`\\;,#=%0A%NULL%",
    "Zoë Ångström 電話 \u{FFFE}\u{202E}",
    "",
    " ",
];

#[test]
fn no_text_becomes_a_setting_of_its_own() {
    for make in MAKES {
        let calm = shape(make, &text(make, &settings()));
        for torture in TORTURE {
            let mut tortured = settings();
            for line in &mut tortured.lines {
                line.label = (*torture).to_owned();
                line.display_name = (*torture).to_owned();
            }
            let written = text(make, &tortured);
            assert_eq!(shape(make, &written), calm, "{make} {torture:?}\n{written}");

            let line = &mut tortured.lines[0];
            line.username = (*torture).to_owned();
            line.auth_username = (*torture).to_owned();
            line.password = Some(Secret((*torture).to_owned()));
            let written = text(make, &tortured);
            // What baresip's file cannot say is left out.
            let kept = |parts: Vec<String>| -> Vec<String> {
                let is_kept = |part: &String| make != Baresip || !part.starts_with("auth_");
                parts.into_iter().filter(is_kept).collect()
            };
            let found = kept(shape(make, &written));
            assert_eq!(found, kept(calm.clone()), "{make} {torture:?}\n{written}");
            let readable_once = !written.contains(";auth_pass=stolen");
            assert!(make != Baresip || readable_once, "{written}");
            let one_each = written.lines().count();
            assert_eq!(one_each, text(make, &settings()).lines().count(), "{make}");
            let unwanted = |sign: char| sign.is_control() && sign != '\n';
            assert!(!written.contains(unwanted), "{make} {torture:?}");
        }
    }
}

#[test]
fn what_xml_escapes_means_the_same_to_the_phone() {
    let mut settings = settings();
    settings.lines[0].password = Some(Secret("a&b<c>d\"e'f".to_owned()));
    for (make, element) in [
        (Snom, "<user_pass idx=\"1\" perm=\"\">"),
        (Grandstream, "<P34>"),
    ] {
        let expected = format!("{element}a&amp;b&lt;c&gt;d&quot;e&apos;f</");
        assert!(text(make, &settings).contains(&expected), "{make}");
    }
    let expected = "account.1.password = a&b<c>d\"e'f\n";
    assert!(text(Yealink, &settings).contains(expected));
}

#[test]
fn a_password_that_is_entered_on_the_phone_is_not_touched() {
    for (make, key) in [
        (Yealink, "account.2.password"),
        (Snom, "<user_pass idx=\"2\""),
        (Grandstream, "<P406>"),
    ] {
        let mut settings = settings();
        assert!(!text(make, &settings).contains(key), "{make}");
        settings.lines[1].password = Some(Secret("given".to_owned()));
        assert!(text(make, &settings).contains(key), "{make}");
    }
    assert_eq!(text(Baresip, &settings()).matches("auth_pass").count(), 1);
}

#[test]
fn lines_that_are_no_more_are_turned_off() {
    let mut settings = settings();
    settings.lines.clear();
    for (make, off) in [
        (Yealink, "enable = 0"),
        (Snom, ">off</user_active>"),
        (Grandstream, "1>0</P"),
    ] {
        let written = text(make, &settings);
        assert_eq!(written.matches(off).count(), LINES, "{make}\n{written}");
    }
    assert_eq!(text(Baresip, &settings), "");
}

#[test]
fn phones_ask_by_many_names_and_get_nothing_by_those_of_others() {
    for (make, asked, others) in [
        (
            Yealink,
            &["805ec0000001.cfg", "805EC0000001.CFG"][..],
            &[
                "y000000000108.cfg",
                "y000000000000.boot",
                "805ec0000001.boot",
                "T46U.rom",
                "",
            ][..],
        ),
        (
            Snom,
            &[
                "",
                "snomD785.htm",
                "snomD785-000413A0B1C2.htm",
                "settings.xml",
            ],
            &[
                "snomD785-firmware.htm",
                "snomD785-10.1.175.16-SIP-r.bin",
                "gui_lang_EN.txt",
            ],
        ),
        (
            Grandstream,
            &["cfgc074ad000201.xml", "cfggrp2614.xml", "cfg.xml"],
            &["cfgc074ad000201", "grp2614fw.bin", "phonebook.xml", ""],
        ),
        (Baresip, &["accounts"], &["config", "contacts", ""]),
    ] {
        for name in asked {
            assert!(is_name(make, name), "{make} {name}");
        }
        for name in others {
            assert!(!is_name(make, name), "{make} {name}");
        }
    }
}

#[test]
fn what_the_device_is_told_is_said_in_the_words_of_a_phone() {
    let line = |transport: &str, proxy: Option<&str>| {
        let line = serde_json::json!({"account_id": uuid::Uuid::nil(), "name": "Desk", "username": "101", "domain": "acme.example",
            "enter_on_device": false, "transport": transport, "outbound_proxy": proxy, "codecs": ["pcma"], "dialing_rules": []});
        let configuration = serde_json::json!({"version": 1, "device": {"id": uuid::Uuid::nil(), "name": "Desk"},
            "contact": {"name": "Alice Example"}, "tenant": {"name": "Acme"}, "lines": [line]});
        let configuration = serde_json::from_value(configuration).unwrap();
        Settings::of(configuration, String::new()).lines.remove(0)
    };
    let told = line("udp", Some("sip:192.0.2.1:5060;lr"));
    assert_eq!(
        (told.display_name.as_str(), told.auth_username.as_str()),
        ("Alice Example", "101")
    );
    assert_eq!(
        (told.transport, told.first_hop().text().as_str()),
        (Transport::Udp, "192.0.2.1:5060")
    );
    for (proxy, transport, hop) in [
        (
            "sip:192.0.2.1:5061;transport=tls;lr",
            Transport::Tls,
            "192.0.2.1:5061",
        ),
        (
            "sip:[2001:db8::1]:5060;transport=tcp",
            Transport::Tcp,
            "[2001:db8::1]:5060",
        ),
        ("sips:edge.example", Transport::Tls, "edge.example"),
        ("edge.example:5070", Transport::Udp, "edge.example:5070"),
    ] {
        let told = line("udp", Some(proxy));
        assert_eq!(
            (told.transport, told.first_hop().text().as_str()),
            (transport, hop),
            "{proxy}"
        );
    }
    let told = line("tls", None);
    assert_eq!(
        (told.transport, told.first_hop().text().as_str()),
        (Transport::Tls, "acme.example")
    );
}
