//! Many small pieces of bytes, each behind a handle of four bytes.
//!
//! ```text
//!   chunk of one size:  │ item │ item │ free ──► │ item │ free ──► end │ not begun yet …
//! ```
//!
//! A general allocator rounds a piece up by an eighth, wants a pointer and a length for each, and lays what lives for hours between what
//! lives for a message. Here pieces are rounded up to four bytes and lie side by side. A chunk all of whose items are free gives its
//! memory back.
//!
//! Invariants: every chunk of a size that has a free item, or room behind its last, stands in that size's list once. A piece that is read
//! begins with the bytes that were put in; up to three zeros follow, so whoever puts it in must know where it ends.
//!
//! Not here: what the pieces mean.

use std::num::NonZeroU32;
use std::ops::Range;

/// Bytes of a chunk; its pages are touched as they are filled.
const CHUNK: usize = 65_536;

/// Sizes are multiples of it.
const UNIT: usize = 4;

/// Pieces above this lie in a chunk of their own.
const MAX_SHARED: usize = 2_048;

/// Bits of a handle that tell the item of a chunk. The shortest item takes two units, so that no chunk has more items.
const ITEM_BITS: u32 = 13;

const MIN_UNITS: usize = 2;

const MAX_CHUNKS: u32 = (1 << (u32::BITS - ITEM_BITS)) - 1;

/// No item.
const NONE: u16 = u16::MAX;

/// Names one piece on a shelf. Not zero, so that none takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(NonZeroU32);

impl Handle {
    fn new(chunk: u32, item: u32) -> Option<Self> {
        let number = (chunk << ITEM_BITS | item).checked_add(1)?;
        NonZeroU32::new(number).map(Self)
    }

    fn number(self) -> u32 {
        self.0.get() - 1
    }

    fn chunk(self) -> u32 {
        self.number() >> ITEM_BITS
    }
}

/// The pieces, by size.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    chunks: Vec<Chunk>,
    /// Chunks with room, by size in units; the first list is of those that had a large piece.
    with_room: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    /// In units; zero for a chunk of one large piece.
    units: u16,
    live: u16,
    /// The first free item; each names the next in its first two bytes.
    free: u16,
}

impl Chunk {
    fn size(&self) -> usize {
        usize::from(self.units) * UNIT
    }

    fn range(&self, item: usize) -> Range<usize> {
        match self.units {
            0 => 0..self.bytes.len(),
            _ => item * self.size()..(item + 1) * self.size(),
        }
    }

    fn has_room(&self) -> bool {
        match self.units {
            0 => self.live == 0,
            _ => self.free != NONE || self.bytes.len() + self.size() <= CHUNK,
        }
    }

    /// Takes a piece in; there must be room.
    fn put(&mut self, piece: &[u8]) -> usize {
        self.live += 1;
        if self.units == 0 {
            self.bytes = piece.to_vec();
            return 0;
        }
        let item = match self.free {
            NONE => {
                if self.bytes.capacity() == 0 {
                    self.bytes = Vec::with_capacity(CHUNK);
                }
                let end = self.bytes.len();
                self.bytes.resize(end + self.size(), 0);
                end / self.size()
            }
            free => {
                let item = usize::from(free);
                self.free = self.next_free(item);
                item
            }
        };
        self.write(item, piece);
        item
    }

    fn write(&mut self, item: usize, piece: &[u8]) {
        let range = self.range(item);
        if let Some((own, rest)) = self.bytes[range].split_at_mut_checked(piece.len()) {
            own.copy_from_slice(piece);
            rest.fill(0);
        }
    }

    fn next_free(&self, item: usize) -> u16 {
        let next = self.bytes[self.range(item)].first_chunk();
        next.map_or(NONE, |next| u16::from_le_bytes(*next))
    }

    fn remove(&mut self, item: usize) {
        self.live -= 1;
        if self.live == 0 {
            self.bytes = Vec::new();
            self.free = NONE;
            return;
        }
        let range = self.range(item);
        self.bytes[range][..2].copy_from_slice(&self.free.to_le_bytes());
        self.free = u16::try_from(item).unwrap_or(NONE);
    }
}

impl Shelf {
    /// Takes a piece in; `None` if the shelf is full, after some thirty gigabytes.
    pub(crate) fn put(&mut self, piece: &[u8]) -> Option<Handle> {
        let units = units(piece.len());
        if self.with_room.len() <= units {
            self.with_room.resize_with(units + 1, Vec::new);
        }
        let chunk = match self.with_room[units].last() {
            Some(chunk) => *chunk,
            None => {
                let chunk = u32::try_from(self.chunks.len()).ok();
                let chunk = chunk.filter(|chunk| *chunk < MAX_CHUNKS)?;
                self.chunks.push(Chunk {
                    bytes: Vec::new(),
                    units: u16::try_from(units).unwrap_or(0),
                    live: 0,
                    free: NONE,
                });
                self.with_room[units].push(chunk);
                chunk
            }
        };
        let own = self.chunks.get_mut(place(chunk))?;
        let item = u32::try_from(own.put(piece)).ok()?;
        if !own.has_room() {
            self.with_room[units].pop();
        }
        Handle::new(chunk, item)
    }

    /// A piece, with up to three zeros behind it.
    pub(crate) fn read(&self, handle: Handle) -> &[u8] {
        let (chunk, item) = parts(handle);
        let chunk = self.chunks.get(chunk);
        chunk
            .and_then(|chunk| chunk.bytes.get(chunk.range(item)))
            .unwrap_or_default()
    }

    /// The same, to be changed in place.
    pub(crate) fn read_mut(&mut self, handle: Handle) -> &mut [u8] {
        let (chunk, item) = parts(handle);
        let chunk = self.chunks.get_mut(chunk);
        chunk
            .and_then(|chunk| {
                let range = chunk.range(item);
                chunk.bytes.get_mut(range)
            })
            .unwrap_or_default()
    }

    /// Puts another piece in the place of one, whose handle is worth nothing any more; `None` if the shelf is full and nothing was done.
    /// `part` sees the one that goes.
    pub(crate) fn replace(
        &mut self,
        handle: Handle,
        piece: &[u8],
        part: impl FnOnce(&[u8]),
    ) -> Option<Handle> {
        let (chunk, item) = parts(handle);
        let own = self.chunks.get_mut(chunk)?;
        if own.units != 0 && usize::from(own.units) == units(piece.len()) {
            part(own.bytes.get(own.range(item)).unwrap_or_default());
            own.write(item, piece);
            return Some(handle);
        }
        let other = self.put(piece)?;
        part(self.read(handle));
        self.remove(handle);
        Some(other)
    }

    /// Takes a piece out. Its handle must not be used any more.
    pub(crate) fn remove(&mut self, handle: Handle) {
        let (chunk, item) = parts(handle);
        let Some(own) = self.chunks.get_mut(chunk) else {
            return;
        };
        let was_full = !own.has_room();
        own.remove(item);
        if was_full {
            let units = usize::from(own.units);
            self.with_room[units].push(handle.chunk());
        }
    }
}

/// The size of a piece; zero for a large one.
fn units(len: usize) -> usize {
    match len {
        0..=MAX_SHARED => len.div_ceil(UNIT).max(MIN_UNITS),
        _ => 0,
    }
}

fn parts(handle: Handle) -> (usize, usize) {
    let item = handle.number() & ((1 << ITEM_BITS) - 1);
    (place(handle.chunk()), place(item))
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use sip::Ids;

    use super::*;

    fn piece(ids: &mut Ids) -> Vec<u8> {
        let most = match ids.u32() % 10 {
            0 => 5_000,
            1..=3 => 300,
            _ => 60,
        };
        let byte = ids.bytes::<1>()[0] | 1;
        vec![byte; 1 + ids.u32() as usize % most]
    }

    /// Whether every piece that was put in is read again.
    fn is_whole(shelf: &Shelf, kept: &[(Handle, Vec<u8>)]) -> bool {
        kept.iter().all(|(handle, piece)| {
            let read = shelf.read(*handle);
            let rest = read.strip_prefix(piece.as_slice());
            rest.is_some_and(|rest| rest.len() < 8 && rest.iter().all(|byte| *byte == 0))
        })
    }

    #[test]
    fn pieces_are_read_as_they_were_put_in_whatever_is_done_to_others() {
        let mut ids = Ids::from_seed([5; 32]);
        let mut shelf = Shelf::default();
        let mut kept: Vec<(Handle, Vec<u8>)> = Vec::new();
        for step in 0..20_000 {
            let is_growing = step % 4_000 < 2_500;
            let new = piece(&mut ids);
            let any = ids.u32() as usize % kept.len().max(1);
            match ids.u32() % 4 {
                0 if !kept.is_empty() => {
                    let (handle, old) = &mut kept[any];
                    let part = |before: &[u8]| assert!(before.starts_with(old));
                    *handle = shelf.replace(*handle, &new, part).unwrap();
                    *old = new;
                }
                1 | 2 if is_growing => kept.push((shelf.put(&new).unwrap(), new)),
                _ if !is_growing && !kept.is_empty() => {
                    shelf.remove(kept.swap_remove(any).0);
                }
                _ => {}
            }
            if step % 500 == 0 {
                assert!(is_whole(&shelf, &kept), "{step}");
            }
        }
        assert!(is_whole(&shelf, &kept) && kept.len() > 100);
        for (handle, _) in kept {
            shelf.remove(handle);
        }
        assert!(shelf.chunks.iter().all(|chunk| chunk.bytes.capacity() == 0));
    }

    #[test]
    fn what_goes_leaves_its_place_to_what_comes() {
        let mut shelf = Shelf::default();
        let handles: Vec<_> = (0..10_000).map(|_| shelf.put(&[7; 200]).unwrap()).collect();
        let chunks = shelf.chunks.len();
        assert!(chunks <= 10_000 * 200 / CHUNK + 1);
        for handle in handles.iter().step_by(2) {
            shelf.remove(*handle);
        }
        for _ in handles.iter().step_by(2) {
            shelf.put(&[8; 199]).unwrap();
        }
        assert_eq!(shelf.chunks.len(), chunks);
        let large = shelf.put(&[1; 9_000]).unwrap();
        assert_eq!(shelf.read(large).len(), 9_000);
        shelf.remove(large);
        let other = shelf.put(&[2; 8_000]).unwrap();
        assert_eq!(shelf.read(other), [2; 8_000]);
        assert_eq!(shelf.chunks.len(), chunks + 1);
    }
}
