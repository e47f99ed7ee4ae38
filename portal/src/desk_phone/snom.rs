//! Snom: XML with `<phone-settings>` inside `<settings>`, each setting an element, those of a line with its number as `idx`.
//!
//! Source: *Desk Phone Configuration Files* and *`<phone-settings>` tag* of the Snom Service Hub (service.snom.com), which also has each
//! setting by its name.
//!
//! The phone asks for exactly the address that it was given, or, where that came by DHCP, for `snom<model>.htm` and
//! `snom<model>-<MAC>.htm` there. Names with `firmware` are of files that say which firmware to load.

use api::{Codec, Transport};

use super::{
    DAY_SECS, LINES, Line, Settings,
    settings::{Hop, transport_name},
    text::xml,
};

pub(super) fn is_name(name: &str) -> bool {
    let settings = [".htm", ".html", ".xml"];
    name.is_empty()
        || (settings.iter().any(|end| name.ends_with(end)) && !name.contains("firmware"))
}

pub(super) fn write(settings: &Settings) -> String {
    let mut text =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<settings>\n <phone-settings e=\"2\">\n"
            .to_owned();
    for place in 0..LINES {
        let mut set = |name: &str, value: &str| {
            let (idx, value) = (place + 1, xml(value));
            text.push_str(&format!(
                "  <{name} idx=\"{idx}\" perm=\"\">{value}</{name}>\n"
            ));
        };
        match settings.lines.get(place) {
            Some(line) => write_line(line, set),
            None => set("user_active", "off"),
        }
    }
    for (name, value) in [
        ("setting_server", settings.address.as_str()),
        ("settings_refresh_timer", &DAY_SECS.to_string()),
    ] {
        let value = xml(value);
        text.push_str(&format!("  <{name} perm=\"\">{value}</{name}>\n"));
    }
    text.push_str(" </phone-settings>\n</settings>\n");
    text
}

fn write_line(line: &Line, mut set: impl FnMut(&str, &str)) {
    set("user_active", "on");
    set("user_idle_text", &line.label);
    set("user_realname", &line.display_name);
    set("user_name", &line.username);
    set("user_pname", &line.auth_username);
    if let Some(password) = &line.password {
        set("user_pass", &password.0);
    }
    let registrar = Hop {
        host: line.domain.clone(),
        port: line.port,
    };
    set("user_host", &registrar.text());
    let transport = transport_name(line.transport);
    let hop = line.first_hop().text();
    // Without a proxy it is the registrar that is reached so, and UDP is what the phone does anyway.
    let outbound = match (&line.proxy, line.transport) {
        (None, Transport::Udp) => String::new(),
        _ => format!("sip:{hop};transport={transport}"),
    };
    set("user_outbound", &outbound);
    set("user_srtp", if line.offers_srtp() { "on" } else { "off" });
    set(
        "user_savp",
        if line.offers_srtp() {
            "optional"
        } else {
            "off"
        },
    );
    let codecs = line.codecs.iter().map(|codec| match codec {
        Codec::Opus => "opus",
        Codec::G722 => "g722",
        Codec::Pcma => "pcma",
        Codec::Pcmu => "pcmu",
    });
    let codecs: Vec<_> = codecs.chain(["telephone-event"]).collect();
    set("codec_priority_list", &codecs.join(","));
}
