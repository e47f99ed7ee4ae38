//! Header fields as bytes.

use super::Headers;
use crate::decimal::{Digits, decimal};
use crate::header::name::NameId;
use crate::message::entry::Line;

impl Headers {
    /// How many bytes [`Self::write`] writes, unless it corrects a Content-Length.
    pub(in crate::message) fn written_len(&self, body_len: usize) -> usize {
        let lines = self.entries.iter().map(|entry| match entry.line {
            Line::Text(line) => line.range().len(),
            Line::Raw(at) => self.raw_line(at).len(),
        });
        let added = match self.contain(NameId::CONTENT_LENGTH) {
            true => 0,
            false => {
                let digits = body_len.checked_ilog10().unwrap_or(0) as usize + 1;
                "Content-Length: \r\n".len() + digits
            }
        };
        lines.sum::<usize>() + added
    }

    /// Writes all lines, with one Content-Length that tells `body_len`. Lines that stand side by side are written as one piece.
    pub(in crate::message) fn write(&self, body_len: usize, out: &mut Vec<u8>) {
        let mut length_written = false;
        let mut run = 0..0;
        for entry in &self.entries {
            if entry.id == Some(NameId::CONTENT_LENGTH) {
                if std::mem::replace(&mut length_written, true) {
                    continue;
                }
                if self.read(entry.value).parse() != Ok(body_len) {
                    self.write_text(std::mem::take(&mut run), out);
                    write_length(body_len, out);
                    continue;
                }
            }
            match entry.line {
                Line::Text(line) if line.range().start == run.end => run.end = line.range().end,
                Line::Text(line) => {
                    self.write_text(std::mem::replace(&mut run, line.range()), out);
                }
                Line::Raw(at) => {
                    self.write_text(std::mem::take(&mut run), out);
                    out.extend_from_slice(self.raw_line(at));
                }
            }
        }
        self.write_text(run, out);
        if !length_written {
            write_length(body_len, out);
        }
    }

    fn write_text(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes().get(range).unwrap_or_default());
    }
}

fn write_length(body_len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    let digits = &mut Digits::default();
    out.extend_from_slice(decimal(body_len as u64, digits));
    out.extend_from_slice(b"\r\n");
}
