//! What requests and responses share: header fields and body.
//!
//! `Request` and `Response` dereference to [`Fields`], so everything here, and the typed
//! accessors of `header/access.rs`, works on both.

use std::net::SocketAddr;
use std::ops::Range;

use bytes::Bytes;

use crate::header::name::NameId;
use crate::header::{HeaderError, ViaRef, scan};
use crate::message::headers::Headers;
use crate::message::noted::TopVia;

/// The header fields and the body of a message.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub(super) headers: Headers,
    body: Bytes,
    /// What the message was read from; empty after the first edit of a header field or the body.
    received: Bytes,
}

/// How many hops a message has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Vias {
    One,
    Several,
}

impl Fields {
    /// Those of `message`, which has its body there, and nothing behind it that counts.
    pub(super) fn received(headers: Headers, mut message: Bytes, body: Range<usize>) -> Self {
        message.truncate(body.end);
        Self {
            headers,
            body: message.slice(body),
            received: message,
        }
    }

    /// None yet, with room for those of an ordinary request.
    pub(super) fn to_be_written() -> Self {
        Self {
            headers: Headers::with_room(12, 640),
            ..Self::default()
        }
    }

    /// See [`Headers::copied`].
    pub(super) fn copied(names: &[NameId], from: &Self, to_tag: Option<&str>, more: usize) -> Self {
        Self {
            headers: Headers::copied(names, &from.headers, to_tag, more),
            body: Bytes::new(),
            received: Bytes::new(),
        }
    }

    /// The header fields in order.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be edited.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.received = Bytes::new();
        &mut self.headers
    }

    /// The text of the first header field of this name, full or compact.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// The texts of all header fields of this name, full or compact, in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.named(name)
    }

    /// See [`Headers::push`].
    pub fn push_header(&mut self, name: &str, value: impl AsRef<str>) {
        self.headers_mut().push(name, value);
    }

    /// See [`Headers::push_with`].
    pub fn push_header_with(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        self.headers_mut().push_with(name, write);
    }

    /// See [`Headers::set`].
    pub fn set_header(&mut self, name: &str, value: impl AsRef<str>) {
        self.headers_mut().set(name, value);
    }

    /// See [`Headers::insert_first`].
    pub fn insert_first(&mut self, name: &str, value: impl AsRef<str>) {
        self.headers_mut().insert_first(name, value);
    }

    /// Removes all header fields of this name and tells how many there were.
    pub fn remove_header(&mut self, name: &str) -> usize {
        match self.header(name) {
            Some(_) => self.headers_mut().remove(name),
            None => 0,
        }
    }

    /// The body, possibly empty; any bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Sets the body and its Content-Type. Content-Length follows by itself when the message is
    /// written.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Bytes>) {
        self.set_header("Content-Type", content_type);
        self.body = body.into();
    }

    /// Removes the body and its Content-Type.
    pub fn clear_body(&mut self) {
        self.headers_mut().remove("Content-Type");
        self.body = Bytes::new();
    }

    /// Notes in the topmost Via where the message came from (RFC 3261, section 18.2.1; RFC 3581):
    /// `received` always, `rport` if asked for. Later Vias stay as they are.
    ///
    /// # Errors
    ///
    /// If there is no topmost Via that can be read.
    pub fn stamp_via(&mut self, source: SocketAddr) -> Result<(), HeaderError> {
        self.stamp_topmost_via(source).map(|_| ())
    }

    /// As [`stamp_via`](Self::stamp_via); whether there are others below.
    pub(super) fn stamp_topmost_via(&mut self, source: SocketAddr) -> Result<Vias, HeaderError> {
        let malformed = HeaderError::Malformed { name: "Via" };
        let mut vias = match self.headers.repeat(NameId::VIA) {
            true => Vias::Several,
            false => Vias::One,
        };
        let mut noted = None;
        let stamp = |value: &str, out: &mut String| {
            let (first, rest) = match memchr::memchr(b',', value.as_bytes()) {
                // A quote or a bracket that does not end is in no Via that can be read.
                None => (value, ""),
                Some(_) => scan::split_first(value).ok_or(malformed)?,
            };
            let via = ViaRef::parse(first).ok_or(malformed)?;
            let stamped = via.write_stamped(source, out).ok_or(malformed)?;
            noted = Some(TopVia::of(&stamped));
            out.push_str(rest);
            if !rest.is_empty() {
                vias = Vias::Several;
            }
            Ok(())
        };
        self.received = Bytes::new();
        let stamped = self.headers.rewrite_first(NameId::VIA, stamp);
        stamped.unwrap_or(Err(HeaderError::Missing { name: "Via" }))?;
        if let Some(via) = noted {
            self.headers.note_via(via);
        }
        Ok(vias)
    }

    /// The message as bytes, under the start line of these words or, if `None`, the one as received.
    pub(super) fn write(&self, start_line: Option<&[&[u8]]>) -> Bytes {
        if start_line.is_none() && !self.received.is_empty() {
            return self.received.clone();
        }
        let line = match start_line {
            None => self.headers.start_line().len(),
            Some(words) => words.iter().map(|word| word.len()).sum::<usize>() + 2,
        };
        let len = line + self.headers.written_len(self.body.len()) + 2 + self.body.len();
        let mut out = Vec::with_capacity(len);
        match start_line {
            None => out.extend_from_slice(self.headers.start_line()),
            Some(words) => {
                for word in words {
                    out.extend_from_slice(word);
                }
                out.extend_from_slice(b"\r\n");
            }
        }
        self.headers.write(self.body.len(), &mut out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out.into()
    }
}
