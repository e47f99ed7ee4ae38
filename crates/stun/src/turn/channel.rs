//! ChannelData (RFC 8656 section 12.4): number, length, data. Over UDP it is not padded.

const HEADER_BYTES: usize = 4;

/// The datagram for data; `None` if it is too long for one.
pub(super) fn write(number: u16, data: &[u8]) -> Option<Vec<u8>> {
    let len = u16::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + data.len());
    bytes.extend(number.to_be_bytes());
    bytes.extend(len.to_be_bytes());
    bytes.extend(data);
    Some(bytes)
}

/// The number and data of a datagram; `None` if it is none of these (RFC 7983 gives them 64 to 79).
pub(super) fn read(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let &[first @ 64..=79, second, high, low, ref rest @ ..] = datagram else {
        return None;
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    Some((u16::from_be_bytes([first, second]), rest.get(..len)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_padding_is_left_out() {
        let mut bytes = write(0x4001, b"hello").unwrap();
        assert_eq!(bytes, b"\x40\x01\x00\x05hello");
        assert_eq!(read(&bytes), Some((0x4001, &b"hello"[..])));
        bytes.extend([0; 3]);
        assert_eq!(read(&bytes), Some((0x4001, &b"hello"[..])));
    }

    #[test]
    fn what_is_short_or_of_another_kind_is_none() {
        for bytes in [
            &b"\x40\x01\x00\x05hell"[..],
            b"\x40\x01\x00",
            b"\x3f\x01\x00\x00",
            b"\x50\x01\x00\x00",
            b"",
        ] {
            assert_eq!(read(bytes), None);
        }
        assert_eq!(write(0x4000, &[0; 70_000]), None);
    }
}
