//! Reads a document, with bounds on all of its dimensions.
//!
//! Elements of other namespaces and those that nobody asked for are passed over with all they contain
//! (RFC 4235, section 4.4: the format is extensible).

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::{
    DialogEntry, DialogInfo, DialogInfoError, Direction, EntryEvent, EntryState, Identity,
    NAMESPACE, Participant, Scope,
};

/// Longest document that is read, in bytes.
const MAX_BYTES: usize = 65_536;
/// Elements within elements.
const MAX_DEPTH: usize = 12;
/// Dialogs of one document.
const MAX_DIALOGS: usize = 256;
/// Longest attribute or text, in bytes.
const MAX_VALUE_BYTES: usize = 1_024;

impl DialogInfo {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// [`DialogInfoError`]; a document is read wholly or not at all.
    pub fn parse(body: &[u8]) -> Result<Self, DialogInfoError> {
        if body.len() > MAX_BYTES {
            return Err(DialogInfoError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|error| DialogInfoError::Xml {
            at: u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX),
        })?;
        let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
        let mut document = Document::default();
        loop {
            let at = reader.buffer_position();
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|_| DialogInfoError::Xml { at })?;
            let ours =
                matches!(namespace, ResolveResult::Bound(Namespace(name)) if name == NAMESPACE);
            match event {
                Event::Start(start) => document.open(&start, ours, at)?,
                Event::Empty(start) => {
                    document.open(&start, ours, at)?;
                    document.close()?;
                }
                Event::End(_) => document.close()?,
                Event::Text(text) => document.text(&text.xml10_content())?,
                Event::CData(text) => document.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    document.text(&character(&reference)?.to_string())?;
                }
                Event::DocType(_) => return Err(DialogInfoError::Entity),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return document.finish(at),
            }
        }
    }
}

/// The elements that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    DialogInfo,
    Dialog,
    State,
    Duration,
    Local,
    Remote,
    Identity,
    Target,
    /// Passed over.
    Other,
}

/// What has been read so far.
#[derive(Default)]
struct Document {
    path: Vec<Element>,
    text: String,
    info: Option<DialogInfo>,
    /// A dialog whose `state` element has not come yet has none here.
    dialog: Option<(DialogEntry, Option<EntryState>)>,
    side: Participant,
    display: Option<String>,
}

impl Document {
    fn open(&mut self, start: &BytesStart<'_>, ours: bool, at: u64) -> Result<(), DialogInfoError> {
        if self.path.len() >= MAX_DEPTH {
            return Err(DialogInfoError::TooLarge);
        }
        let element = self.element(start.local_name().as_ref(), ours)?;
        let attributes = Attributes::read(start, at)?;
        self.text.clear();
        match element {
            Element::DialogInfo => self.info = Some(root(&attributes)?),
            Element::Dialog => self.dialog = Some((dialog(&attributes)?, None)),
            Element::State => {
                if let Some((dialog, _)) = &mut self.dialog {
                    dialog.event = attributes.find("event").and_then(EntryEvent::from_word);
                    dialog.code = attributes
                        .find("code")
                        .and_then(|code| code.trim().parse().ok())
                        .filter(|code| (100..700).contains(code));
                }
            }
            Element::Local | Element::Remote => self.side = Participant::default(),
            Element::Identity => self.display = attributes.find("display").map(str::to_owned),
            Element::Target => self.side.target = attributes.find("uri").map(str::to_owned),
            Element::Duration | Element::Other => {}
        }
        self.path.push(element);
        Ok(())
    }

    /// What an element is by its name and its place.
    fn element(&self, name: &str, ours: bool) -> Result<Element, DialogInfoError> {
        let Some(parent) = self.path.last() else {
            return if ours && name == "dialog-info" && self.info.is_none() {
                Ok(Element::DialogInfo)
            } else {
                Err(DialogInfoError::NotDialogInfo)
            };
        };
        let element = match (parent, name) {
            (Element::DialogInfo, "dialog") => Element::Dialog,
            (Element::Dialog, "state") => Element::State,
            (Element::Dialog, "duration") => Element::Duration,
            (Element::Dialog, "local") => Element::Local,
            (Element::Dialog, "remote") => Element::Remote,
            (Element::Local | Element::Remote, "identity") => Element::Identity,
            (Element::Local | Element::Remote, "target") => Element::Target,
            _ => Element::Other,
        };
        Ok(if ours { element } else { Element::Other })
    }

    fn close(&mut self) -> Result<(), DialogInfoError> {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match (self.path.pop(), &mut self.dialog) {
            (Some(Element::Dialog), entry) => {
                if let Some((mut dialog, state)) = entry.take() {
                    dialog.state = state.ok_or(DialogInfoError::Value { name: "state" })?;
                    self.keep(dialog)?;
                }
            }
            (Some(Element::State), Some((_, state))) => {
                let word = EntryState::from_word(text);
                *state = Some(word.ok_or(DialogInfoError::Value { name: "state" })?);
            }
            (Some(Element::Duration), Some((dialog, _))) => {
                let secs = text.parse();
                dialog.duration_secs =
                    Some(secs.map_err(|_| DialogInfoError::Value { name: "duration" })?);
            }
            (Some(Element::Local), Some((dialog, _))) => {
                dialog.local = Some(std::mem::take(&mut self.side));
            }
            (Some(Element::Remote), Some((dialog, _))) => {
                dialog.remote = Some(std::mem::take(&mut self.side));
            }
            (Some(Element::Identity), _) => {
                self.side.identity = Some(Identity {
                    uri: text.to_owned(),
                    display: self.display.take(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, dialog: DialogEntry) -> Result<(), DialogInfoError> {
        let Some(info) = &mut self.info else {
            return Ok(());
        };
        if info.dialogs.len() >= MAX_DIALOGS {
            return Err(DialogInfoError::TooLarge);
        }
        info.dialogs.push(dialog);
        Ok(())
    }

    /// Text inside an element that is read; white space elsewhere is layout.
    fn text(&mut self, text: &str) -> Result<(), DialogInfoError> {
        let Some(element) = self.path.last() else {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(DialogInfoError::NotDialogInfo)
            };
        };
        if !matches!(
            element,
            Element::State | Element::Duration | Element::Identity
        ) {
            return Ok(());
        }
        if self.text.len() + text.len() > MAX_VALUE_BYTES {
            return Err(DialogInfoError::TooLarge);
        }
        self.text.push_str(text);
        Ok(())
    }

    fn finish(self, at: u64) -> Result<DialogInfo, DialogInfoError> {
        if !self.path.is_empty() {
            return Err(DialogInfoError::Xml { at });
        }
        self.info.ok_or(DialogInfoError::NotDialogInfo)
    }
}

fn root(attributes: &Attributes) -> Result<DialogInfo, DialogInfoError> {
    let version = attributes.required("version")?.trim().parse();
    Ok(DialogInfo {
        version: version.map_err(|_| DialogInfoError::Value { name: "version" })?,
        scope: Scope::from_word(attributes.required("state")?)
            .ok_or(DialogInfoError::Value { name: "state" })?,
        entity: attributes.required("entity")?.to_owned(),
        dialogs: Vec::new(),
    })
}

/// A dialog as its start tag describes it; the state follows.
fn dialog(attributes: &Attributes) -> Result<DialogEntry, DialogInfoError> {
    let own = |name| attributes.find(name).map(str::to_owned);
    Ok(DialogEntry {
        call_id: own("call-id"),
        local_tag: own("local-tag"),
        remote_tag: own("remote-tag"),
        direction: attributes.find("direction").and_then(Direction::from_word),
        ..DialogEntry::new(attributes.required("id")?, EntryState::Trying)
    })
}

/// The attributes of one element, unescaped.
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn read(start: &BytesStart<'_>, at: u64) -> Result<Self, DialogInfoError> {
        let mut list = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| DialogInfoError::Xml { at })?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| DialogInfoError::Entity)?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(DialogInfoError::TooLarge);
            }
            list.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self(list))
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &'static str) -> Result<&str, DialogInfoError> {
        self.find(name).ok_or(DialogInfoError::Value { name })
    }
}

/// `&amp;` and `&#38;`: what XML itself knows, and nothing that a document declares.
fn character(reference: &BytesRef<'_>) -> Result<char, DialogInfoError> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character);
    }
    match &*reference.xml10_content() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(DialogInfoError::Entity),
    }
}
