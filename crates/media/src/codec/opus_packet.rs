//! What the bytes of an Opus packet say before it is decoded (RFC 6716 sections 3 and 4.2.3).
//!
//! Nothing in it is trusted: a packet that is cut off, or whose lengths do not fit, carries nothing.

/// Configurations from here on are CELT, which carries no copies (RFC 6716 table 2).
const FIRST_CELT_CONFIG: u8 = 16;
/// Configurations from here on are hybrid, whose frames last 10 or 20 ms.
const FIRST_HYBRID_CONFIG: u8 = 12;
/// A frame's length of this or more takes two bytes (RFC 6716 section 3.2.1).
const LONG_LENGTH: u8 = 252;

/// Whether the first frame of a packet carries a copy of the one before (the LBRR flag, RFC 6716
/// section 4.2.3). Without it decoding for FEC is concealment under another name.
///
/// In stereo it is the flag of the mid channel that counts, which comes first and stands where that of a mono
/// frame does. A copy of the side channel alone has nothing for who hears both channels as one, and the
/// library makes up the mid channel then.
pub(super) fn has_redundancy(payload: &[u8]) -> bool {
    let Some(toc) = payload.first() else {
        return false;
    };
    let config = toc >> 3;
    // In front of the flag is one for the voice activity of each 20 ms.
    let voice_flags = match (config, config % 4) {
        (FIRST_CELT_CONFIG.., _) => return false,
        (FIRST_HYBRID_CONFIG.., _) | (_, 0 | 1) => 1,
        (_, 2) => 2,
        _ => 3,
    };
    let first = first_frame(payload).and_then(|frame| frame.first());
    first.is_some_and(|flags| flags << voice_flags & 0x80 != 0)
}

/// The first frame of a packet, whatever else is in it (RFC 6716 section 3.2). `None` if it is malformed.
fn first_frame(payload: &[u8]) -> Option<&[u8]> {
    let (toc, rest) = payload.split_first()?;
    match toc & 0x03 {
        0 => Some(rest),
        1 => rest.get(..rest.len() / 2),
        2 => {
            let (len, rest) = frame_len(rest)?;
            rest.get(..len)
        }
        _ => first_of_many(rest),
    }
}

/// The first of a counted number of frames, which may be padded (RFC 6716 section 3.2.5).
fn first_of_many(rest: &[u8]) -> Option<&[u8]> {
    let (count, mut rest) = rest.split_first()?;
    let frames = usize::from(count & 0x3f);
    if count & 0x40 != 0 {
        rest = split_padding(rest)?.0;
    }
    if count & 0x80 == 0 {
        return rest.get(..rest.len().checked_div(frames)?);
    }
    if frames < 2 {
        return (frames == 1).then_some(rest);
    }
    let (first, mut rest) = frame_len(rest)?;
    for _ in 2..frames {
        rest = frame_len(rest)?.1;
    }
    rest.get(..first)
}

/// Frames and padding, by the length of the padding in front of both (RFC 6716 section 3.2.5).
pub(super) fn split_padding(mut rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut padding = 0_usize;
    loop {
        let (len, after) = rest.split_first()?;
        rest = after;
        padding += usize::from((*len).min(254));
        if *len < 255 {
            break;
        }
    }
    rest.split_at_checked(rest.len().checked_sub(padding)?)
}

/// A frame's length and what comes after it (RFC 6716 section 3.2.1).
fn frame_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < LONG_LENGTH {
        return Some((first.into(), rest));
    }
    let (&second, rest) = rest.split_first()?;
    Some((usize::from(first) + 4 * usize::from(second), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The TOC byte of a configuration, with the stereo flag and a code for the number of frames.
    fn toc(config: u8, stereo: bool, code: u8) -> u8 {
        config << 3 | u8::from(stereo) << 2 | code
    }

    #[test]
    fn the_flag_is_behind_those_of_voice_activity_and_in_stereo_that_of_mid() {
        for stereo in [false, true] {
            for (config, flag) in [
                // SILK of 10, 20, 40 and 60 ms.
                (0, 0x40),
                (1, 0x40),
                (6, 0x20),
                (11, 0x10),
                // Hybrid of 10 and 20 ms, super-wideband and fullband.
                (12, 0x40),
                (13, 0x40),
                (14, 0x40),
                (15, 0x40),
            ] {
                let payload = |flags: u8| [toc(config, stereo, 0), flags, 0];
                assert!(has_redundancy(&payload(flag)), "{config}");
                assert!(!has_redundancy(&payload(!flag)), "{config}");
            }
            // CELT has none.
            assert!(!has_redundancy(&[toc(16, stereo, 0), 0xff, 0xff]));
            assert!(!has_redundancy(&[toc(31, stereo, 0), 0xff, 0xff]));
        }
    }

    #[test]
    fn the_first_frame_is_found_in_packets_of_every_shape() {
        let long = [vec![toc(9, true, 2), 252, 1], vec![7; 256], vec![8; 9]].concat();
        for (payload, frame) in [
            (&[toc(9, true, 0), 1, 2, 3][..], &[1, 2, 3][..]),
            (&[toc(9, true, 1), 1, 2, 3, 4], &[1, 2]),
            (&[toc(9, true, 2), 1, 5, 6, 7], &[5]),
            (&[toc(9, true, 2), 0, 6, 7], &[]),
            (&long, &[7; 256]),
            // Three of equal length; the same with two bytes of padding; with 254 + 1.
            (&[toc(9, true, 3), 3, 1, 2, 3], &[1]),
            (&[toc(9, true, 3), 0x43, 2, 1, 2, 3, 0, 0], &[1]),
            (
                &[&[toc(9, true, 3), 0x41, 255, 1, 9], &[0; 255][..]].concat(),
                &[9],
            ),
            // Lengths of their own.
            (&[toc(9, true, 3), 0x83, 2, 1, 4, 5, 6, 7], &[4, 5]),
            (&[toc(9, true, 3), 0x81, 4, 5], &[4, 5]),
            (&[toc(9, true, 3), 0xc2, 1, 1, 4, 5, 0], &[4]),
        ] {
            assert_eq!(first_frame(payload), Some(frame), "{payload:?}");
        }
    }

    #[test]
    fn packets_that_are_cut_off_or_lie_about_lengths_carry_nothing() {
        for payload in [
            &[][..],
            &[toc(9, true, 0)],
            &[toc(9, true, 1), 0xff],
            &[toc(9, true, 2)],
            &[toc(9, true, 2), 200, 0xff],
            &[toc(9, true, 2), 252],
            &[toc(9, true, 3)],
            &[toc(9, true, 3), 0],
            &[toc(9, true, 3), 0x41],
            &[toc(9, true, 3), 0x41, 255, 255],
            &[toc(9, true, 3), 0x41, 3, 0xff, 0xff],
            &[toc(9, true, 3), 0x80, 1, 0xff],
            &[toc(9, true, 3), 0x83, 2],
            &[toc(9, true, 3), 0x82, 9, 0xff],
        ] {
            assert!(!has_redundancy(payload), "{payload:?}");
        }
    }
}
