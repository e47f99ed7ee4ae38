//! A phone with full ICE whose call goes through the relay to one that knows nothing of it, and strangers.

use std::net::{IpAddr, Ipv4Addr};

use media::MediaSecurity;
use media::relay::{
    DropReason, HandshakeAgreement, HandshakeState, OwnerId, Peer, RtcpAddress, Side as LegSide,
};
use media_io::relay::{
    LegRequest, LocalMedia, RelayHandle, RelayOptions, RelayedCall, Wanted, start,
};
use media_io::{Agreement, Credentials, LiteAgent, PortRange, Role, Secret, new_identity};
use sdp::DtlsRole;
use tokio::net::UdpSocket;

use crate::side::{PATIENCE, Port, Side, parameters};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SHARED: Wanted = Wanted::Shared;
const OWN: Wanted = Wanted::Own(OwnerId(1));

struct Relayed {
    relay: RelayHandle,
    call: RelayedCall,
    /// Full ICE; hears 900 Hz.
    alice: Side,
    /// None; hears 500 Hz.
    bob: Side,
    media: [LocalMedia; 2],
    /// What the relay told Alice.
    credentials: Credentials,
}

fn relay() -> RelayHandle {
    start(&RelayOptions {
        addresses: vec![HERE],
        port: 0,
        range: PortRange::default(),
        pairs_per_owner: 4,
        max_calls: 10,
    })
    .unwrap()
}

/// Media at an address, RTCP there too or not.
fn peer(side: &Side, rtcp: impl FnOnce(Peer) -> RtcpAddress) -> Peer {
    let peer = Peer::at(side.address, 48_000);
    Peer {
        rtcp: rtcp(peer),
        ..peer
    }
}

/// A call whose caller does ICE at such a port, with the role that she believes to have.
async fn call(relay: RelayHandle, wanted: Wanted, role: Role) -> Relayed {
    secured_call(relay, wanted, role, None).await
}

/// With keys by a handshake between Alice and the relay, in which the relay has this part.
async fn secured_call(
    relay: RelayHandle,
    wanted: Wanted,
    role: Role,
    part: Option<DtlsRole>,
) -> Relayed {
    let (alice, bob) = (Port::open(HERE), Port::open(HERE));
    let of_alice = alice.local();
    let [identity, of_relay] = [new_identity().unwrap(), new_identity().unwrap()];
    let security = part.map(|part| MediaSecurity::Dtls {
        role: match part {
            DtlsRole::Client => DtlsRole::Server,
            DtlsRole::Server => DtlsRole::Client,
        },
        fingerprints: vec![of_relay.fingerprint()],
    });
    let handshake = part.map(|role| HandshakeAgreement {
        identity: of_relay,
        role,
        fingerprints: vec![identity.fingerprint()],
    });
    let (alice, bob) = (alice.talk_as(500.0, Some(identity)), bob.talk(900.0));
    let call = relay.create_call().await.unwrap();
    let leg = |pair| LegRequest { interface: 0, pair };
    let (stream, media) = call.add_stream([leg(wanted), leg(SHARED)]).await.unwrap();
    let credentials = Credentials::random(|bytes| rand::fill(bytes));
    let remote = Some(of_alice.credentials.ufrag.clone());
    let agent = LiteAgent::new(&credentials, remote).unwrap();
    call.set_ice(stream, LegSide::Caller, Some(agent))
        .await
        .unwrap();
    let multiplexed = peer(&alice, |_| RtcpAddress::Multiplexed);
    call.announce(stream, LegSide::Caller, multiplexed)
        .await
        .unwrap();
    let apart = peer(&bob, |peer| peer.rtcp);
    call.announce(stream, LegSide::Callee, apart).await.unwrap();
    if let Some(handshake) = handshake {
        let set = call.set_handshake(stream, LegSide::Caller, handshake);
        set.await.unwrap();
    }
    let agreement = Agreement {
        local: of_alice.credentials,
        remote: credentials.clone(),
        role,
        candidates: vec![media[0].candidate()],
    };
    let mut of_alice = parameters(media[0].rtp);
    of_alice.security = security.unwrap_or(MediaSecurity::Plain);
    alice
        .session
        .set_parameters_by_ice(of_alice, agreement)
        .unwrap();
    let mut of_bob = parameters(media[1].rtp);
    (of_bob.rtcp_mux, of_bob.remote_rtcp) = (false, media[1].rtcp());
    bob.session.set_parameters(of_bob).unwrap();
    Relayed {
        relay,
        call,
        alice,
        bob,
        media,
        credentials,
    }
}

impl Relayed {
    async fn both_hear(&mut self) {
        let path = self.alice.path().await;
        assert_eq!(path, (self.media[0].rtp, false));
        tokio::join!(self.alice.hear(900.0), self.bob.hear(500.0));
    }
}

#[tokio::test]
async fn a_phone_with_ice_and_one_without_hear_each_other_through_the_relay() {
    for wanted in [SHARED, OWN] {
        let mut talk = call(relay(), wanted, Role::Controlling).await;
        talk.both_hear().await;
        let stats = talk.call.stats().await.unwrap();
        let sources = [talk.alice.address, talk.bob.address].map(Some);
        assert_eq!(stats[0].map(|leg| leg.source), sources);
    }
}

#[tokio::test]
async fn a_phone_that_believes_to_be_controlled_is_told_and_heard() {
    let mut talk = call(relay(), SHARED, Role::Controlled).await;
    talk.both_hear().await;
}

#[tokio::test]
async fn a_phone_that_secures_by_dtls_and_one_that_does_not_hear_each_other() {
    for part in [DtlsRole::Client, DtlsRole::Server] {
        let mut talk = secured_call(relay(), SHARED, Role::Controlling, Some(part)).await;
        talk.both_hear().await;
        let stats = talk.call.stats().await.unwrap();
        let handshakes = stats[0].map(|leg| leg.handshake);
        assert_eq!(handshakes, [Some(HandshakeState::Connected), None]);
    }
}

#[tokio::test]
async fn calls_with_ice_share_one_port() {
    let relay = relay();
    let mut first = call(relay.clone(), SHARED, Role::Controlling).await;
    let mut second = call(relay, SHARED, Role::Controlling).await;
    assert_eq!(first.media, second.media);
    first.both_hear().await;
    second.both_hear().await;
}

/// A Binding request that nominates, with these names and an integrity that is not right.
fn forged(credentials: &Credentials) -> Vec<u8> {
    let mut name = format!("{}:anybody", credentials.ufrag).into_bytes();
    let name_len = u8::try_from(name.len()).unwrap();
    name.resize(name.len().next_multiple_of(4), 0);
    let attributes = [
        &[0, 0x06, 0, name_len][..],
        &name,
        &[0, 0x24, 0, 4, 0x7e, 0, 0, 0xff],
        &[0x80, 0x2a, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0, 0x25, 0, 0],
        &[0, 0x08, 0, 20],
        &[7; 20],
    ]
    .concat();
    let len = u8::try_from(attributes.len()).unwrap();
    let header = [&[0, 1, 0, len, 0x21, 0x12, 0xA4, 0x42][..], &[9; 12]].concat();
    [header, attributes].concat()
}

#[tokio::test]
async fn strangers_get_nothing_out_of_the_relay_whatever_they_send() {
    let mut talk = call(relay(), SHARED, Role::Controlling).await;
    talk.both_hear().await;
    let answered = talk.relay.stats().await.unwrap().counts.checks_answered;
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    let vector = include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_1.bin");
    let bare = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
    let forged = forged(&talk.credentials);
    let rtp = [&[0x80, 96, 0, 1][..], &[0; 8], &[1; 40]].concat();
    let bye = [0x80, 203, 0, 1, 0, 0, 0, 7];
    let hello = [&[22, 254, 253][..], &[0; 60]].concat();
    for datagram in [&forged[..], vector, &bare, &rtp, &bye, &hello] {
        for port in [talk.media[0].rtp, talk.media[0].rtcp()] {
            for _ in 0..10 {
                stranger.send_to(datagram, port).await.unwrap();
            }
        }
    }
    // A whole agent that knows the name and not the password.
    let outsider = Port::open(HERE);
    let local = outsider.local().credentials;
    let mut outsider = outsider.talk(1_300.0);
    let agreement = Agreement {
        local,
        remote: Credentials {
            password: Secret::new("a-password-that-is-not-it".to_owned()),
            ..talk.credentials.clone()
        },
        role: Role::Controlling,
        candidates: vec![talk.media[0].candidate()],
    };
    outsider
        .session
        .set_parameters_by_ice(parameters(talk.media[0].rtp), agreement)
        .unwrap();
    let dropped = async {
        loop {
            let counts = talk.relay.stats().await.unwrap().counts;
            if counts.dropped(DropReason::NotAuthentic) >= 25 && counts.all_dropped() >= 125 {
                return counts;
            }
            tokio::task::yield_now().await;
        }
    };
    let counts = tokio::time::timeout(PATIENCE, dropped).await.unwrap();
    let genuine = counts.checks_answered - answered;
    assert!(genuine <= 20, "Alice's own at most: {genuine}");
    tokio::join!(talk.alice.hear(900.0), talk.bob.hear(500.0));
    assert!(stranger.try_recv(&mut [0; 10]).is_err(), "no answer");
    assert!(!outsider.has_path());
    let stats = talk.call.stats().await.unwrap();
    assert_eq!(stats[0][0].source, Some(talk.alice.address));
    let sums =
        [&talk.alice, &talk.bob].map(|side| side.session.watch_stats().borrow().packets_lost);
    assert_eq!(sums, [0, 0]);

    drop(talk.call);
    for datagram in [&forged[..], &rtp] {
        stranger.send_to(datagram, talk.media[0].rtp).await.unwrap();
    }
    let before = talk.relay.stats().await.unwrap();
    let over = async {
        while talk.relay.stats().await.unwrap().counts.all_dropped()
            < before.counts.all_dropped() + 20
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.unwrap();
    let after = talk.relay.stats().await.unwrap();
    assert_eq!((after.calls, after.sent), (0, before.sent));
    assert!(stranger.try_recv(&mut [0; 10]).is_err(), "no answer");
}
