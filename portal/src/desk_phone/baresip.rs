//! baresip: its file `accounts`, one account a line, an address with parameters behind it.
//!
//! Source: *Accounts* in the wiki of baresip/baresip, and the example that it installs as `accounts`. There is no way to write a quote in
//! a quoted name, whose `<` and `;` it takes for the address's, nor a semicolon or a space in a parameter: in a name they are left out, and a user name or password with one is not in
//! the file; baresip then asks for the password.
//!
//! baresip fetches nothing by itself: whoever runs it puts the file into its folder, and anew when something has changed. Secured sound
//! (`mediaenc`) needs its module `srtp`.

use api::Codec;

use super::{
    Line, Settings,
    settings::{Hop, transport_name},
    text::one_line,
};

pub(super) fn write(settings: &Settings) -> String {
    settings.lines.iter().map(account).collect()
}

fn account(line: &Line) -> String {
    let transport = transport_name(line.transport);
    let name: String = one_line(&line.display_name)
        .chars()
        .filter(|sign| !matches!(sign, '"' | '\\' | '<' | '>' | ';'))
        .collect();
    let address = Hop {
        host: line.domain.clone(),
        port: line.port,
    };
    let (user, address) = (user(&line.username), address.text());
    let mut text = format!("\"{name}\" <sip:{user}@{address};transport={transport}>");
    if let Some(value) = parameter(&line.auth_username) {
        text.push_str(&format!(";auth_user={value}"));
    }
    let password = line.password.as_ref();
    if let Some(value) = password.and_then(|password| parameter(&password.0)) {
        text.push_str(&format!(";auth_pass={value}"));
    }
    if let Some(proxy) = &line.proxy {
        let hop = proxy.text();
        text.push_str(&format!(";outbound=\"sip:{hop};transport={transport};lr\""));
    }
    let codecs = line.codecs.iter().map(|codec| match codec {
        Codec::Opus => "opus/48000/2",
        Codec::G722 => "G722/16000/1",
        Codec::Pcma => "PCMA/8000/1",
        Codec::Pcmu => "PCMU/8000/1",
    });
    let codecs: Vec<_> = codecs.collect();
    text.push_str(&format!(";audio_codecs={}", codecs.join(",")));
    if line.offers_srtp() {
        text.push_str(";mediaenc=srtp");
    }
    text.push_str(";regint=600\n");
    text
}

/// The user part of a URI: what may not stand there is escaped (RFC 3261 section 25.1).
fn user(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The value of a parameter, if it can be one.
fn parameter(text: &str) -> Option<&str> {
    let ends = |sign: char| sign.is_control() || sign.is_whitespace() || ";\"<>".contains(sign);
    (!text.is_empty() && !text.contains(ends)).then_some(text)
}
