//! Writes a document.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::{DialogEntry, DialogInfo, NAMESPACE, Participant};

impl DialogInfo {
    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
        xml.open("dialog-info");
        xml.attribute("xmlns", NAMESPACE);
        xml.attribute("version", &self.version.to_string());
        xml.attribute("state", self.scope.as_str());
        xml.attribute("entity", &self.entity);
        xml.content();
        for dialog in &self.dialogs {
            xml.dialog(dialog);
        }
        xml.close("dialog-info");
        xml.0
    }
}

/// Text that grows. Everything that is not ours passes [`clean`].
struct Xml(String);

impl Xml {
    fn dialog(&mut self, dialog: &DialogEntry) {
        self.open("dialog");
        self.attribute("id", &dialog.id);
        let optional = [
            ("call-id", dialog.call_id.as_deref()),
            ("local-tag", dialog.local_tag.as_deref()),
            ("remote-tag", dialog.remote_tag.as_deref()),
            ("direction", dialog.direction.map(super::Direction::as_str)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                self.attribute(name, value);
            }
        }
        self.content();
        self.state(dialog);
        if let Some(secs) = dialog.duration_secs {
            self.leaf("duration", &secs.to_string());
        }
        self.participant("local", dialog.local.as_ref());
        self.participant("remote", dialog.remote.as_ref());
        self.close("dialog");
    }

    fn state(&mut self, dialog: &DialogEntry) {
        self.open("state");
        if let Some(event) = dialog.event {
            self.attribute("event", event.as_str());
        }
        if let Some(code) = dialog.code {
            self.attribute("code", &code.to_string());
        }
        self.content();
        self.0.push_str(dialog.state.as_str());
        self.close("state");
    }

    fn participant(&mut self, name: &str, participant: Option<&Participant>) {
        let Some(participant) = participant else {
            return;
        };
        self.open(name);
        self.content();
        if let Some(identity) = &participant.identity {
            self.open("identity");
            if let Some(display) = &identity.display {
                self.attribute("display", display);
            }
            self.content();
            self.0.push_str(&clean(&identity.uri));
            self.close("identity");
        }
        if let Some(target) = &participant.target {
            self.open("target");
            self.attribute("uri", target);
            self.0.push_str("/>");
        }
        self.close(name);
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.content();
        self.0.push_str(text);
        self.close(name);
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {name}=\"{}\"", clean(value));
    }

    fn content(&mut self) {
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.0, "</{name}>");
    }
}

/// Without the characters that XML 1.0 cannot hold at all, and with the others escaped.
fn clean(text: &str) -> String {
    let legal: String = text
        .chars()
        .filter(|&c| {
            matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        })
        .collect();
    escape(legal).into_owned()
}
