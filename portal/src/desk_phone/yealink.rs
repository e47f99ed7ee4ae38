//! Yealink: a file of `key = value`, one a line, that begins with `#!version:1.0.0.1`.
//!
//! Source: *Administrator's Guide for SIP-T2 Series/T4 Series/T5 Series/CP920 IP Phones* and *SIP-T4X IP Phones Auto Provisioning
//! Guide*, both by Yealink. Codecs by name (`account.X.codec.opus.priority`) are of firmware 82 and later; earlier ones keep their own.
//!
//! The phone asks for `<MAC>.cfg` and, before that, for files of its model (`y000000000066.cfg`, `.boot`), which are for many phones.

use api::{Codec, Transport};

use super::{
    DAY_SECS, LINES, Line, Settings,
    settings::{Hop, usual_port},
    text::one_line,
};

pub(super) fn is_name(name: &str) -> bool {
    name.ends_with(".cfg") && !name.starts_with("y0")
}

pub(super) fn write(settings: &Settings) -> String {
    let mut text = "#!version:1.0.0.1\n".to_owned();
    let mut set = |key: &str, value: &str| {
        text.push_str(&format!("{key} = {}\n", one_line(value)));
    };
    for place in 0..LINES {
        let account = format!("account.{}", place + 1);
        match settings.lines.get(place) {
            Some(line) => write_line(line, |key, value| set(&format!("{account}.{key}"), value)),
            None => set(&format!("{account}.enable"), "0"),
        }
    }
    set("static.auto_provision.server.url", &settings.address);
    set("static.auto_provision.power_on", "1");
    set("static.auto_provision.repeat.enable", "1");
    let minutes = (DAY_SECS / 60).to_string();
    set("static.auto_provision.repeat.minutes", &minutes);
    text
}

fn write_line(line: &Line, mut set: impl FnMut(&str, &str)) {
    let port = |port: Option<u16>| port.unwrap_or(usual_port(line.transport)).to_string();
    set("enable", "1");
    set("label", &line.label);
    set("display_name", &line.display_name);
    set("user_name", &line.username);
    set("auth_name", &line.auth_username);
    if let Some(password) = &line.password {
        set("password", &password.0);
    }
    set("sip_server.1.address", &line.domain);
    set("sip_server.1.port", &port(line.port));
    let transport = match line.transport {
        Transport::Udp => "0",
        Transport::Tcp => "1",
        Transport::Tls => "2",
    };
    set("sip_server.1.transport_type", transport);
    match &line.proxy {
        Some(Hop { host, port: at }) => {
            set("outbound_proxy_enable", "1");
            set("outbound_proxy.1.address", host);
            set("outbound_proxy.1.port", &port(*at));
        }
        None => set("outbound_proxy_enable", "0"),
    }
    // 1: if the other side wants it too.
    set(
        "srtp_encryption",
        if line.offers_srtp() { "1" } else { "0" },
    );
    for (codec, name) in CODECS {
        let place = line.codecs.iter().position(|wanted| wanted == codec);
        set(
            &format!("codec.{name}.enable"),
            if place.is_some() { "1" } else { "0" },
        );
        let priority = place.map_or(0, |place| place + 1);
        set(&format!("codec.{name}.priority"), &priority.to_string());
    }
}

const CODECS: &[(Codec, &str)] = &[
    (Codec::Opus, "opus"),
    (Codec::G722, "g722"),
    (Codec::Pcma, "pcma"),
    (Codec::Pcmu, "pcmu"),
];
