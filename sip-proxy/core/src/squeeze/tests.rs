use sip::Ids;

use super::*;

const TOKEN: &str = "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1ZbXq";

fn context() -> Context<'static> {
    Context {
        user: b"+49301234",
        peer: Some(([198, 51, 100, 7], 41_000).into()),
    }
}

fn squeezed(text: &[u8], context: Context<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    squeeze(text, context, &mut out);
    out
}

fn expanded(squeezed: &[u8], context: Context<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    expand(&mut Reader::new(squeezed), context, &mut out).map(|()| out)
}

#[test]
fn what_phones_send_takes_less_and_comes_back_as_it_was() {
    for (text, bytes) in [
        ("<sip:+49301234@198.51.100.7:41000>", 5),
        ("<sip:+49301234@198.51.100.7;transport=tcp>", 6),
        ("<sip:+49301234@192.0.2.1:5060>", 11),
        ("<sip:+49301234@192.0.2.1;ob>", 10),
        (
            "<sip:alice@x;pn-provider=apns;pn-prid=00fc13adff78512100fc13adff785121>",
            31,
        ),
        (
            "<sip:x@h>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1",
            25,
        ),
        ("0123456789abcdef0123456789abcdef", 19),
        ("0123456789abcdef0", 12),
    ] {
        let short = squeezed(text.as_bytes(), context());
        assert_eq!(short.len(), bytes, "{text}");
        assert_eq!(expanded(&short, context()).unwrap(), text.as_bytes());
    }
}

#[test]
fn what_only_looks_like_something_else_comes_back_too() {
    let digits = "a".repeat(600);
    for text in [
        "",
        "\0\u{1}",
        "sip:+49301234@",
        "sip:+49301234",
        "198.51.100.7:041000",
        "198.51.100.7:410000",
        "198.51.100.7:",
        "198.51.100.07",
        "198.51.100.7.example",
        "198.51.100.256",
        "1.2.3",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf66",
        "QQQQQQQQf81d4fae7dec11d0a76500a0c91e6bf6",
        "f81d4fae7dec11d0a76500a0c91e6bf6QQQQQQQQ",
        TOKEN,
        "é, <sip:ü@h>",
        &digits,
    ] {
        let short = squeezed(text.as_bytes(), context());
        assert_eq!(
            expanded(&short, context()).unwrap(),
            text.as_bytes(),
            "{text}"
        );
    }
}

#[test]
fn every_word_is_found_where_it_stands() {
    for word in WORDS {
        let short = squeezed(word, context());
        assert_eq!(short.len(), 2, "{}", String::from_utf8_lossy(word));
        assert_eq!(expanded(&short, context()).unwrap(), word);
    }
}

/// A text of pieces that mean something here, and of any bytes between them.
fn text(ids: &mut Ids) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..ids.u32() % 12 {
        match ids.u32() % 8 {
            0 | 1 => text.extend(WORDS[ids.u32() as usize % WORDS.len()]),
            2 => text.extend(ids.call_id().bytes().take(ids.u32() as usize % 33)),
            3 => text.extend(&TOKEN.as_bytes()[..ids.u32() as usize % TOKEN.len()]),
            4 => text.extend(Ipv4Addr::from_bits(ids.u32()).to_string().bytes()),
            5 => text.extend(b":+49301234@198.51.100.7:41000"),
            6 => text.extend((ids.u32() % 70_000).to_string().bytes()),
            _ => text.extend(ids.bytes::<3>()),
        }
    }
    text
}

#[test]
fn whatever_goes_in_comes_out() {
    let mut ids = Ids::from_seed([4; 32]);
    for peer in ["198.51.100.7:41000", "[2001:db8::1]:5060"] {
        let context = Context {
            peer: Some(peer.parse().unwrap()),
            ..context()
        };
        for _ in 0..20_000 {
            let text = text(&mut ids);
            let short = squeezed(&text, context);
            assert_eq!(expanded(&short, context).unwrap(), text);
            let cut = &short[..ids.u32() as usize % short.len()];
            assert_eq!(expanded(cut, context), None, "no end is no text");
        }
    }
}

#[test]
fn no_bytes_at_all_make_it_panic() {
    let mut ids = Ids::from_seed([6; 32]);
    for _ in 0..20_000 {
        let mut bytes = ids.bytes::<24>();
        bytes[0] |= 0x80;
        let _ = expanded(&bytes, context());
    }
}
