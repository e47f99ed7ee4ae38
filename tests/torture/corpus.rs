//! The messages, and what their index allows each kind of element to answer.

use std::fs;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Index {
    messages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    wire_file: Option<String>,
    method: Option<String>,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    ua: Vec<Value>,
    proxy: Vec<Value>,
    registrar: Vec<Value>,
}

/// Whom a message is aimed at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// A user agent.
    Phone,
    /// A registrar and proxy that challenges everybody.
    Server,
}

/// One torture message.
#[derive(Debug)]
pub(crate) struct Torture {
    /// Name without folder and ending, `wsinv`.
    pub(crate) name: String,
    /// As it goes on the wire.
    pub(crate) bytes: Vec<u8>,
    /// What may be answered.
    pub(crate) allowed: Allowed,
}

impl Torture {
    /// As it goes on a stream: baddn ends where its datagram ends, without the empty line behind its header fields, and would take
    /// whatever follows for its own.
    pub(crate) fn on_stream(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if self.name == "baddn" {
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }
}

/// The outcomes that the index allows.
#[derive(Debug)]
pub(crate) struct Allowed(Vec<Value>);

impl Allowed {
    /// Whether these final and provisional statuses, none for silence, are all allowed.
    pub(crate) fn permits(&self, statuses: &[u16]) -> bool {
        match statuses {
            [] => self.0.iter().any(|outcome| outcome == "drop"),
            statuses => statuses.iter().all(|status| self.permits_one(*status)),
        }
    }

    fn permits_one(&self, status: u16) -> bool {
        self.0.iter().any(|outcome| match outcome {
            Value::Number(number) => number.as_u64() == Some(status.into()),
            Value::String(class) => match class.as_str() {
                "1xx" => status < 200,
                "2xx" => (200..300).contains(&status),
                "any-final" => status >= 200,
                _ => false,
            },
            _ => false,
        })
    }
}

/// All 62 messages for an element of this role.
pub(crate) fn messages(role: Role) -> Vec<Torture> {
    let folder = tests::workspace_root().join("tests/data/sip-torture");
    let index = fs::read_to_string(folder.join("index.json")).unwrap();
    let index: Index = serde_json::from_str(&index).unwrap();
    assert_eq!(index.messages.len(), 62);
    index
        .messages
        .into_iter()
        .map(|entry| {
            let file = entry.wire_file.as_deref().unwrap_or(&entry.file);
            let name = file.rsplit('/').next().unwrap().trim_end_matches(".dat");
            Torture {
                name: name.to_owned(),
                bytes: fs::read(folder.join(file)).unwrap(),
                allowed: allowed(entry, role),
            }
        })
        .collect()
}

fn allowed(entry: Entry, role: Role) -> Allowed {
    let is_register = entry.method.as_deref() == Some("REGISTER");
    Allowed(match role {
        Role::Phone => entry.expect.ua,
        Role::Server if is_register => entry.expect.registrar,
        Role::Server => {
            let mut allowed = entry.expect.proxy;
            // Whoever has no account here is challenged before anything is processed or forwarded.
            if allowed
                .iter()
                .any(|outcome| outcome == "fwd" || outcome == "2xx")
            {
                allowed.push(Value::from(407));
            }
            allowed
        }
    })
}
