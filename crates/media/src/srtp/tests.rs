use std::fmt::Write;

use sdp::{MasterKey, Mki, SrtpSuite};

use super::cipher::{Cipher, Position};
use super::keys::Traffic;
use super::*;

/// The pairs of a name and a text in hexadecimal digits in a file of vectors, in order.
pub(super) fn vectors(file: &str) -> Vec<(String, Vec<u8>)> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/protocol-vectors/"
    );
    let text = std::fs::read_to_string(format!("{folder}{file}")).unwrap();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.trim().trim_end_matches(',').split_once(": ")?;
            Some((
                name.trim_matches('"').to_owned(),
                hex(value.trim_matches('"'))?,
            ))
        })
        .collect()
}

pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn key(suite: SrtpSuite, seed: u8) -> MasterKey {
    let mut next = seed;
    MasterKey::generate(suite, |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(37).wrapping_add(11);
            *byte = next;
        }
    })
}

/// Two ends of one call.
fn pair(suite: SrtpSuite) -> (SrtpSession, SrtpSession) {
    let (alice, bob) = (key(suite, 1), key(suite, 2));
    (
        SrtpSession::new(&alice, &bob),
        SrtpSession::new(&bob, &alice),
    )
}

fn rtp(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    let [_, low] = sequence.to_be_bytes();
    packet.extend((0..160).map(|n: u8| n ^ low));
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 202, 0, 2]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 1, b'x', 0]);
    packet
}

fn protected(session: &mut SrtpSession, plain: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + 200, 0);
    let len = match plain[1] {
        200..=206 => session.protect_rtcp(&mut buffer, plain.len())?,
        _ => session.protect_rtp(&mut buffer, plain.len())?,
    };
    buffer.truncate(len);
    Ok(buffer)
}

fn opened(session: &mut SrtpSession, secured: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = secured.to_vec();
    let len = match secured.get(1) {
        Some(200..=206) => session.unprotect_rtcp(&mut buffer)?,
        _ => session.unprotect_rtp(&mut buffer)?,
    };
    buffer.truncate(len);
    Ok(buffer)
}

#[test]
fn packets_are_those_of_section_16_of_rfc_7714() {
    let vectors = vectors("rfc7714-srtp-gcm.json");
    for (at, suite) in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm]
        .into_iter()
        .enumerate()
    {
        let read = |name: &str| {
            let mut named = vectors.iter().filter(|(found, _)| found == name);
            named.nth(at).unwrap().1.clone()
        };
        let cipher = Cipher::new(suite, Traffic::Rtp, &read("key"), &[], &read("salt"));
        let packet = read("packet");
        let at = Position {
            ssrc: 0x5501_a0b2,
            index: 0xf17b,
        };
        let mut buffer = packet.clone();
        buffer.resize(packet.len() + 16, 0);
        cipher.protect_rtp(&mut buffer, 12, packet.len(), &[], at);
        assert_eq!(buffer, read("srtp_encrypted"), "{suite}");
        assert_eq!(
            cipher.unprotect_rtp(&mut buffer, 12, 0, at),
            Ok(packet.len())
        );
        assert_eq!(buffer[..packet.len()], packet);
    }
}

/// Sections 17.1 and 17.2 of RFC 7714, which work on another packet than the one printed before them.
#[test]
fn reports_are_those_of_section_17_of_rfc_7714() {
    let plain = hex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    )
    .unwrap();
    let keys = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    for (suite, expected) in [
        (
            SrtpSuite::AeadAes128Gcm,
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        ),
        (
            SrtpSuite::AeadAes256Gcm,
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        ),
    ] {
        let key = hex(&keys[..2 * suite.key_bytes()]).unwrap();
        let salt = hex("517569642070726f2071756f").unwrap();
        let cipher = Cipher::new(suite, Traffic::Rtcp, &key, &[], &salt);
        let at = Position {
            ssrc: 0x4d61_7273,
            index: 0x5d4,
        };
        let mut buffer = plain.clone();
        buffer.resize(plain.len() + 20, 0);
        cipher.protect_rtcp(&mut buffer, plain.len(), &[], at);
        assert_eq!(text(&buffer), expected, "{suite}");
        assert_eq!(cipher.unprotect_rtcp(&mut buffer, 0, at), Ok(plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    }
}

#[test]
fn what_one_end_protects_the_other_opens() {
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        for sequence in 0..300 {
            let packet = rtp(sequence, 7);
            let secured = protected(&mut alice, &packet).unwrap();
            assert_ne!(secured[12..packet.len()], packet[12..], "{suite}");
            assert_eq!(opened(&mut bob, &secured), Ok(packet), "{suite}");
            let report = rtcp(7);
            let secured = protected(&mut bob, &report).unwrap();
            assert_ne!(secured[8..report.len()], report[8..], "{suite}");
            assert_eq!(opened(&mut alice, &secured), Ok(report), "{suite}");
        }
    }
}

#[test]
fn contributing_sources_and_extensions_stay_readable_and_genuine() {
    let mut packet = vec![0x92, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 7];
    packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    packet.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
    packet.extend([1, 2, 3, 4]);
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        let mut secured = protected(&mut alice, &packet).unwrap();
        assert_eq!(secured[..28], packet[..28]);
        assert_eq!(opened(&mut bob, &secured), Ok(packet.clone()));
        secured[15] ^= 1;
        assert_eq!(opened(&mut pair(suite).1, &secured), Err(SrtpError::Forged));
    }
}

#[test]
fn both_ends_wrap_together_in_spite_of_loss_and_disorder() {
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        let mut waiting = Vec::new();
        for n in 0..200_000_u32 {
            let sequence = u16::try_from((65_000 + n) & 0xffff).unwrap();
            // Most of the time only every thousandth is sent through; around each wrap all but some.
            let near_wrap = !(40..65_500).contains(&sequence);
            if !near_wrap && !n.is_multiple_of(1_000) {
                continue;
            }
            if !near_wrap {
                waiting.clear();
            }
            let secured = protected(&mut alice, &rtp(sequence, 7)).unwrap();
            match n % 7 {
                0 => {}
                1 | 2 if near_wrap => waiting.push((sequence, secured)),
                _ => {
                    assert_eq!(opened(&mut bob, &secured), Ok(rtp(sequence, 7)), "{n}");
                    for (sequence, late) in waiting.drain(..).rev() {
                        assert_eq!(opened(&mut bob, &late), Ok(rtp(sequence, 7)), "{n}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_source_whose_first_packets_were_lost_at_the_wrap_is_understood() {
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        protected(&mut alice, &rtp(65_535, 7)).unwrap();
        for sequence in 0..3 {
            let secured = protected(&mut alice, &rtp(sequence, 7)).unwrap();
            assert_eq!(opened(&mut bob, &secured), Ok(rtp(sequence, 7)), "{suite}");
        }
    }
}

#[test]
fn a_packet_counts_once_whoever_repeats_it() {
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        for plain in [rtp(9, 7), rtcp(7)] {
            let secured = protected(&mut alice, &plain).unwrap();
            assert!(opened(&mut bob, &secured).is_ok());
            assert_eq!(opened(&mut bob, &secured), Err(SrtpError::Replayed));
        }
        assert_eq!(
            protected(&mut alice, &rtp(9, 7)),
            Err(SrtpError::Replayed),
            "the same key stream is never used twice"
        );
    }
}

#[test]
fn any_changed_bit_is_noticed() {
    for suite in SrtpSuite::ALL {
        for plain in [rtp(9, 7), rtcp(7)] {
            let secured = protected(&mut pair(suite).0, &plain).unwrap();
            let mut bob = pair(suite).1;
            for at in 0..secured.len() * 8 {
                let mut changed = secured.clone();
                changed[at / 8] ^= 1 << (at % 8);
                let result = opened(&mut bob, &changed);
                assert!(result.is_err(), "{suite} bit {at}");
            }
            assert_eq!(opened(&mut bob, &secured), Ok(plain));
        }
    }
}

#[test]
fn forged_packets_leave_no_trace() {
    let (mut alice, mut bob) = pair(SrtpSuite::AesCm128HmacSha1_80);
    for ssrc in 0..10_000 {
        let mut forged = rtp(1, ssrc);
        forged.extend([0; 10]);
        assert_eq!(opened(&mut bob, &forged), Err(SrtpError::Forged));
    }
    let secured = protected(&mut alice, &rtp(1, 7)).unwrap();
    assert_eq!(opened(&mut bob, &secured), Ok(rtp(1, 7)));
}

#[test]
fn genuine_sources_are_bounded() {
    let (mut alice, mut bob) = pair(SrtpSuite::AeadAes128Gcm);
    let mut senders: Vec<_> = (0..33).map(|_| pair(SrtpSuite::AeadAes128Gcm).0).collect();
    for (ssrc, sender) in (0..32).zip(&mut senders) {
        let secured = protected(sender, &rtp(1, ssrc)).unwrap();
        assert!(opened(&mut bob, &secured).is_ok());
    }
    for plain in [rtp(1, 99), rtcp(99)] {
        let secured = protected(&mut alice, &plain).unwrap();
        assert_eq!(opened(&mut bob, &secured), Err(SrtpError::TooManySources));
    }
}

#[test]
fn short_and_foreign_packets_are_refused_before_anything_is_computed() {
    for suite in SrtpSuite::ALL {
        let (mut alice, mut bob) = pair(suite);
        for plain in [rtp(1, 7), rtcp(7)] {
            let secured = protected(&mut alice, &plain).unwrap();
            for len in 0..secured.len() {
                assert!(opened(&mut bob, &secured[..len]).is_err(), "{suite} {len}");
            }
        }
        let mut other = rtp(2, 7);
        other[0] = 0x40;
        other.extend([0; 20]);
        assert_eq!(opened(&mut bob, &other), Err(SrtpError::Malformed));
        // An extension longer than the packet.
        let mut long = rtp(2, 7);
        (long[0], long[14], long[15]) = (0x90, 0xff, 0xff);
        long.extend([0; 20]);
        let len_bytes = long.len();
        assert_eq!(
            opened(&mut bob, &long),
            Err(SrtpError::TooShort { len_bytes })
        );
    }
}

#[test]
fn reports_that_are_not_encrypted_are_refused() {
    let (mut alice, mut bob) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let mut secured = protected(&mut alice, &rtcp(7)).unwrap();
    let index = secured.len() - 14;
    secured[index] &= 0x7f;
    assert_eq!(opened(&mut bob, &secured), Err(SrtpError::Unencrypted));
}

#[test]
fn a_key_that_is_named_in_every_packet_must_be_the_right_one() {
    for suite in SrtpSuite::ALL {
        let named = |value, len_bytes| key(suite, 1).with_mki(Some(Mki { value, len_bytes }));
        let other = key(suite, 2);
        let mut alice = SrtpSession::new(&named(0x0102, 4), &other);
        let mut bob = SrtpSession::new(&other, &named(0x0102, 4));
        let mut carol = SrtpSession::new(&other, &named(0x0103, 4));
        for plain in [rtp(1, 7), rtcp(7)] {
            let secured = protected(&mut alice, &plain).unwrap();
            assert!(
                secured.windows(4).any(|bytes| bytes == [0, 0, 1, 2]),
                "{suite}"
            );
            assert_eq!(opened(&mut carol, &secured), Err(SrtpError::UnknownKey));
            assert_eq!(opened(&mut bob, &secured), Ok(plain), "{suite}");
        }
    }
}

#[test]
fn a_buffer_without_room_is_left_alone() {
    let (mut alice, _) = pair(SrtpSuite::AeadAes256Gcm);
    let plain = rtp(1, 7);
    let mut buffer = plain.clone();
    let needed_bytes = plain.len() + 16;
    assert_eq!(
        alice.protect_rtp(&mut buffer, plain.len()),
        Err(SrtpError::NoRoom { needed_bytes })
    );
    assert_eq!(buffer, plain);
    assert!(
        protected(&mut alice, &plain).is_ok(),
        "its number is not used up"
    );
    let report = rtcp(7);
    assert!(alice.overhead_bytes() >= 20);
    let needed_bytes = report.len() + 20;
    assert_eq!(
        alice.protect_rtcp(&mut report.clone(), report.len()),
        Err(SrtpError::NoRoom { needed_bytes })
    );
}

#[test]
fn a_changed_key_starts_anew_and_an_unchanged_one_goes_on() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let (mut alice, mut bob) = pair(suite);
    let before = protected(&mut alice, &rtp(1, 7)).unwrap();
    opened(&mut bob, &before).unwrap();
    bob.set_keys(&key(suite, 2), &key(suite, 1));
    assert_eq!(opened(&mut bob, &before), Err(SrtpError::Replayed));
    alice.set_keys(&key(suite, 3), &key(suite, 2));
    bob.set_keys(&key(suite, 2), &key(suite, 3));
    assert_eq!(opened(&mut bob, &before), Err(SrtpError::Forged));
    let after = protected(&mut alice, &rtp(1, 7)).unwrap();
    assert_eq!(opened(&mut bob, &after), Ok(rtp(1, 7)));
}

#[test]
fn keys_are_not_printed() {
    let (alice, _) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let printed = format!("{alice:?} {:?}", key(SrtpSuite::AesCm128HmacSha1_80, 1));
    assert!(!printed.contains('['), "{printed}");
    assert!(printed.contains("AesCm128HmacSha1_80"));
}
