//! The pages of an Ogg stream (RFC 3533 section 6): where each is and what position it ends at.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a page header without its table of segments.
const HEADER_BYTES: usize = 27;
/// Positions are signed; a page on which no packet ends has -1 (RFC 7845 section 4).
pub(super) const MAX_POSITION: u64 = u64::MAX / 2;
/// Bytes of junk between pages that are searched for the next.
const MAX_JUNK_BYTES: u64 = 150 * 1_024;

/// One page that is in the file whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// First byte in the file.
    pub(super) offset: u64,
    /// Granule position: samples until its end.
    pub(super) position: u64,
}

/// All whole pages of one stream, found by hopping from header to header; nothing is decoded.
pub(super) fn pages_of<R: Read + Seek>(file: &mut R, serial: u32) -> io::Result<Vec<Page>> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut pages = Vec::new();
    let (mut offset, mut junk) = (0, 0);
    while offset + HEADER_BYTES as u64 <= len && junk <= MAX_JUNK_BYTES {
        let Some(header) = read_header(file, offset)? else {
            offset += 1;
            junk += 1;
            continue;
        };
        junk = 0;
        let end = offset + header.len;
        if end > len {
            break;
        }
        if header.serial == serial && header.position <= MAX_POSITION {
            pages.push(Page {
                offset,
                position: header.position,
            });
        }
        offset = end;
    }
    Ok(pages)
}

struct Header {
    position: u64,
    serial: u32,
    /// Of the whole page, in bytes.
    len: u64,
}

/// The header at this place, `None` if there is none.
fn read_header<R: Read + Seek>(file: &mut R, offset: u64) -> io::Result<Option<Header>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = [0; HEADER_BYTES];
    file.read_exact(&mut bytes)?;
    let [b'O', b'g', b'g', b'S', 0, _, fields @ ..] = bytes else {
        return Ok(None);
    };
    let mut position = [0; 8];
    position.copy_from_slice(&fields[..8]);
    let mut serial = [0; 4];
    serial.copy_from_slice(&fields[8..12]);
    let segments = u64::from(fields[20]);
    let mut lengths = Vec::new();
    file.take(segments).read_to_end(&mut lengths)?;
    let body: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
    Ok(Some(Header {
        position: u64::from_le_bytes(position),
        serial: u32::from_le_bytes(serial),
        len: HEADER_BYTES as u64 + segments + body,
    }))
}
