//! Grandstream: XML with `<config>` inside `<gs_provision>`, each setting an element named after its P value.
//!
//! Source: *XML Provisioning Guide* and the configuration templates of GXP21xx and GRP26xx by Grandstream Networks, which say what each P
//! value is. Accounts 2 to 4 have the same values at 4xx, 5xx and 6xx; only the first has numbers of its own.
//!
//! The phone asks for `cfg<MAC>.xml`, then for `cfg<model>.xml` and `cfg.xml`. `cfg<MAC>` without an ending is of another, binary format.

use api::{Codec, Transport};

use super::{DAY_SECS, LINES, Line, Settings, settings::Hop, text::xml};

pub(super) fn is_name(name: &str) -> bool {
    name.starts_with("cfg") && name.ends_with(".xml")
}

pub(super) fn write(settings: &Settings) -> String {
    let mut text =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gs_provision version=\"1\">\n <config version=\"1\">\n"
            .to_owned();
    let mut set = |number: u16, value: &str| {
        let value = xml(value);
        text.push_str(&format!("  <P{number}>{value}</P{number}>\n"));
    };
    for (place, account) in ACCOUNTS.iter().enumerate() {
        match settings.lines.get(place) {
            Some(line) => write_line(account, line, &mut set),
            None => set(account.active, "0"),
        }
    }
    // The way to the file is said apart: 1 is HTTP, 2 is HTTPS.
    let (way, path) = match settings.address.split_once("://") {
        Some(("https", path)) => ("2", path),
        Some((_, path)) => ("1", path),
        None => ("2", settings.address.as_str()),
    };
    set(212, way);
    set(237, path.trim_end_matches('/'));
    // Looks for changes after so many minutes.
    set(194, "1");
    set(193, &(DAY_SECS / 60).to_string());
    text.push_str(" </config>\n</gs_provision>\n");
    text
}

fn write_line(account: &Account, line: &Line, set: &mut impl FnMut(u16, &str)) {
    set(account.active, "1");
    set(account.name, &line.label);
    let registrar = Hop {
        host: line.domain.clone(),
        port: line.port,
    };
    set(account.server, &registrar.text());
    let proxy = line.proxy.as_ref().map(Hop::text).unwrap_or_default();
    set(account.outbound_proxy, &proxy);
    set(account.user, &line.username);
    set(account.auth_user, &line.auth_username);
    if let Some(password) = &line.password {
        set(account.password, &password.0);
    }
    set(account.display_name, &line.display_name);
    let transport = match line.transport {
        Transport::Udp => "0",
        Transport::Tcp => "1",
        Transport::Tls => "2",
    };
    set(account.transport, transport);
    // 1: enabled but not forced.
    set(account.srtp, if line.offers_srtp() { "1" } else { "0" });
    // All choices are set, or one of before would stand behind ours: the last is said again.
    let codecs = line
        .codecs
        .iter()
        .chain(line.codecs.last().into_iter().cycle());
    for (choice, codec) in account.codecs.iter().zip(codecs) {
        let payload_type = match codec {
            Codec::Pcmu => "0",
            Codec::Pcma => "8",
            Codec::G722 => "9",
            Codec::Opus => "123",
        };
        set(*choice, payload_type);
    }
}

/// The P values of an account.
struct Account {
    active: u16,
    name: u16,
    server: u16,
    outbound_proxy: u16,
    user: u16,
    auth_user: u16,
    password: u16,
    display_name: u16,
    transport: u16,
    srtp: u16,
    codecs: [u16; 7],
}

const ACCOUNTS: [Account; LINES] = [
    Account {
        active: 271,
        name: 270,
        server: 47,
        outbound_proxy: 48,
        user: 35,
        auth_user: 36,
        password: 34,
        display_name: 3,
        transport: 130,
        srtp: 183,
        codecs: [57, 58, 59, 60, 61, 62, 46],
    },
    later(400),
    later(500),
    later(600),
];

const fn later(base: u16) -> Account {
    Account {
        active: base + 1,
        name: base + 17,
        server: base + 2,
        outbound_proxy: base + 3,
        user: base + 4,
        auth_user: base + 5,
        password: base + 6,
        display_name: base + 7,
        transport: base + 48,
        srtp: base + 43,
        codecs: [
            base + 51,
            base + 52,
            base + 53,
            base + 54,
            base + 55,
            base + 56,
            base + 57,
        ],
    }
}
