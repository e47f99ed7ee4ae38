//! Rows: the bindings of addresses-of-record on their way to be kept beyond a restart.
//!
//! The rows of a group lie in few large blocks, so that the memory of thousands that were written at once goes back as a whole and is not
//! left in pieces between what stays.
//!
//! Not here: what is in a row (`bound.rs`, `record.rs`), when it is written (`commit.rs`).

use bytes::{Bytes, BytesMut};
use sip::Aor;

use crate::bound::{Binding, bindings_in};
use crate::record::BindingRef;

/// All bindings of an address-of-record as they are kept beyond a restart.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose bindings they are.
    pub aor: Aor,
    /// In the clear; `None` when the last one has ended.
    pub bindings: Option<Bytes>,
    /// When the last of them ends, in seconds since 1970.
    pub expires_unix_secs: u32,
}

impl Row {
    pub(crate) fn new(aor: Aor, record: Option<Bytes>) -> Self {
        let last = record.as_deref().map(bindings_in);
        Self {
            expires_unix_secs: last
                .and_then(|bindings| bindings.map(BindingRef::expires).max())
                .unwrap_or(0),
            aor,
            bindings: record,
        }
    }

    /// The bindings, for whoever looks into what is kept.
    #[must_use]
    pub fn read(&self) -> Vec<Binding> {
        let packed = self.bindings.as_deref().unwrap_or_default();
        bindings_in(packed)
            .filter_map(|binding| Binding::read(&self.aor, binding))
            .collect()
    }
}

impl std::fmt::Debug for Row {
    /// Contacts and push tokens stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.bindings.as_ref().map(Bytes::len);
        f.debug_struct("Row")
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}

/// Bytes of a block at most.
const BLOCK: usize = 1 << 20;

/// As many as most rows take.
const USUAL_ROW: usize = 512;

/// Where the rows of a group are put.
#[derive(Debug)]
pub(crate) struct Blocks {
    free: BytesMut,
}

impl Blocks {
    /// For about so many rows.
    pub(crate) fn for_rows(count: usize) -> Self {
        let bytes = count.saturating_mul(USUAL_ROW).min(BLOCK);
        Self {
            free: BytesMut::with_capacity(bytes),
        }
    }

    pub(crate) fn put(&mut self, record: &[u8]) -> Bytes {
        if self.free.capacity() < record.len() {
            self.free = BytesMut::with_capacity(BLOCK.max(record.len()));
        }
        self.free.extend_from_slice(record);
        self.free.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_blocks_and_any_number_of_any_size_fits() {
        let mut blocks = Blocks::for_rows(3);
        let rows: Vec<_> = (0..4_000_usize)
            .map(|number| {
                let record = vec![b'x'; number % 900];
                (blocks.put(&record), record)
            })
            .collect();
        assert!(rows.iter().all(|(row, record)| row == record));
        let large = vec![b'y'; 2 * BLOCK];
        assert_eq!(blocks.put(&large), large);
        let [first, second] = [&rows[1].0, &rows[2].0].map(|row| row.as_ptr() as usize);
        assert_eq!(second, first + 1, "side by side");
    }
}
