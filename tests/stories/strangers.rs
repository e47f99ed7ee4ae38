//! Somebody who is not in the call sends sound, reports, STUN and handshakes to where two phones talk.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tests::{Phone, Server, share_of_tone, text_of, write_tone};
use tokio::net::UdpSocket;
use tokio::time::interval;

const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 1_000.0;
/// A loud wave of six samples at 8 kHz.
const FORGED_HZ: f64 = 8_000.0 / 6.0;

/// Packets of 20 ms that a stranger sends to each port: for three seconds.
const FORGED_PACKETS: u16 = 150;

/// The greatest and the least value in µ-law (ITU-T G.711).
const LOUD: [u8; 2] = [0x80, 0x00];

/// Sound of one source whose numbers go on, as RTP in µ-law.
fn forged_sound(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend([9, 9, 9, 9]);
    let first = usize::from(sequence) * 160;
    packet.extend((first..first + 160).map(|sample| LOUD[sample / 3 % 2]));
    packet
}

/// A report that says BYE, a binding request, the beginning of a handshake.
const FORGED: [&[u8]; 3] = [
    &[0x80, 201, 0, 1, 9, 9, 9, 9, 0x81, 203, 0, 1, 9, 9, 9, 9],
    &[
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ],
    &[
        22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
];

/// Sends everything to all these ports at the pace of sound.
async fn attack(stranger: &UdpSocket, ports: &BTreeSet<u16>) {
    let mut pace = interval(Duration::from_millis(20));
    for sequence in 0..FORGED_PACKETS {
        pace.tick().await;
        let sound = forged_sound(sequence);
        for datagram in FORGED.into_iter().chain([&sound[..]]) {
            for port in ports {
                // A port that is closed is said by the system, and nothing else.
                let _ = stranger.send_to(datagram, ("127.0.0.1", *port)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_is_not_heard_in_a_call_does_not_end_it_and_is_sent_nothing() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    for (phone, extension, hz) in [(&mut alice, "1001", ALICE_HZ), (&mut bob, "1002", BOB_HZ)] {
        let device = tenant.device(extension).await;
        phone.activate(&server.portal_url, &device.code).await;
        write_tone(&phone.file("says.wav"), hz, 60.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        let sound = ["--play", text_of(&says), "--record", text_of(&heard)];
        phone
            .run(&[&["--auto-answer", "--codecs", "pcmu"][..], &sound].concat())
            .await;
    }
    let stranger = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let idle = ports_of([&alice, &bob]);

    alice.ok(&["call", "1002", "--wait", "placed"]).await;
    for (phone, hz) in [(&alice, BOB_HZ), (&bob, ALICE_HZ)] {
        phone.until_phase("connected").await;
        phone.hears("heard.wav", hz).await;
    }
    let talking = &ports_of([&alice, &bob]) - &idle;
    assert_eq!(talking.len(), 4, "sound and reports of two phones");
    attack(&stranger, &talking).await;
    for (phone, hz) in [(&alice, BOB_HZ), (&bob, ALICE_HZ)] {
        assert_eq!(phone.phase().await, "connected", "the call goes on");
        phone.hears("heard.wav", hz).await;
    }

    alice.ok(&["hangup"]).await;
    for phone in [&alice, &bob] {
        phone.until_phase("none").await;
        let ended = phone.ok(&["status"]).await["ended"][0].clone();
        assert_dropped(&ended["media"]);
        let heard = phone.file("heard.wav");
        assert!(share_of_tone(&heard, FORGED_HZ) < 0.01, "{ended}");
    }
    assert!(ports_of([&alice, &bob]).is_disjoint(&talking));
    attack(&stranger, &talking).await;
    assert!(
        stranger.try_recv(&mut [0; 100]).is_err(),
        "it is sent nothing"
    );
    for phone in [&alice, &bob] {
        phone.ok(&["status", "--wait", "registered"]).await;
    }
}

fn ports_of(phones: [&Phone; 2]) -> BTreeSet<u16> {
    phones.iter().flat_map(|phone| phone.udp_ports()).collect()
}

/// All that came of the stranger's sound, and much of the rest: a port for reports counts reports only.
fn assert_dropped(media: &Value) {
    let dropped = media["datagrams_dropped"].as_u64();
    assert!(dropped >= Some(u64::from(FORGED_PACKETS)), "{media}");
}
