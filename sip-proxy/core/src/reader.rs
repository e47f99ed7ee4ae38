//! Packed bytes, read from their front; and numbers in as few of them as they need.
//!
//! Not here: what stands where (`shelved.rs`, `accounts.rs`).

/// What is still to be read. Whatever is not there is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are still to be read.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A number that [`push_number`] has written.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The same, of what was 32 bits or less.
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    /// A length, and as many bytes.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.bytes(length)
    }
}

/// Adds a number, seven bits in each byte, the lowest first.
pub(crate) fn push_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(0x80 | u8::try_from(number & 0x7f).unwrap_or(0));
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

/// Adds bytes behind their length.
pub(crate) fn push_counted(bytes: &[u8], out: &mut Vec<u8>) {
    push_number(bytes.len() as u64, out);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_in_as_few_bytes_as_they_need() {
        for (number, bytes) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (16_383, 2),
            (16_384, 3),
            (u64::from(u32::MAX), 5),
            (u64::MAX, 10),
        ] {
            let mut out = Vec::new();
            push_number(number, &mut out);
            assert_eq!(out.len(), bytes, "{number}");
            assert_eq!(Reader::new(&out).number(), Some(number));
            assert_eq!(Reader::new(&out[1..]).number().is_none(), bytes == 1);
            assert_eq!(Reader::new(&out[..bytes - 1]).number(), None);
        }
        assert_eq!(Reader::new(&[0xff; 20]).number(), None);
        let mut counted = Vec::new();
        push_counted(b"abc", &mut counted);
        assert_eq!(Reader::new(&counted).counted(), Some(&b"abc"[..]));
        assert_eq!(Reader::new(&counted[..3]).counted(), None);
    }
}
