//! The relay with real sockets on loopback.

mod refusals;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use media::relay::{DropReason, OwnerId, PacketKind, Peer, Protection, ProtectionError, Side};
use media::rtp::{MAX_DATAGRAM_BYTES, RtpPacket, is_rtcp};
use testkit::own_loopback;
use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::*;
use crate::ports::bind_socket;

const PATIENCE: Duration = Duration::from_secs(10);
const SHARED: LegRequest = LegRequest {
    interface: 0,
    pair: Wanted::Shared,
};
const OWN: LegRequest = LegRequest {
    interface: 0,
    pair: Wanted::Own(OwnerId(1)),
};

fn options() -> RelayOptions {
    RelayOptions {
        addresses: vec![own_loopback()],
        port: 0,
        range: PortRange::default(),
        pairs_per_owner: 4,
        max_calls: 10,
    }
}

/// A telephone as far as the relay sees it.
struct Party {
    socket: UdpSocket,
    ssrc: u32,
    sequence: u16,
}

impl Party {
    async fn on(address: IpAddr, ssrc: u32) -> Self {
        Self {
            socket: UdpSocket::bind((address, 0)).await.unwrap(),
            ssrc,
            sequence: 0,
        }
    }

    async fn new(ssrc: u32) -> Self {
        Self::on(own_loopback(), ssrc).await
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn peer(&self) -> Peer {
        Peer::at(self.address(), 8_000)
    }

    /// Says something; what was sent.
    async fn say(&mut self, to: LocalMedia) -> Vec<u8> {
        self.sequence += 1;
        let mut bytes = vec![0; 172];
        let packet = RtpPacket {
            payload_type: 0,
            marker: false,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence) * 160,
            ssrc: self.ssrc,
            payload: &[0x55; 160],
        };
        packet.write(&mut bytes).unwrap();
        self.socket.send_to(&bytes, to.rtp).await.unwrap();
        bytes
    }

    async fn hear(&self) -> (Vec<u8>, SocketAddr) {
        let mut bytes = vec![0; MAX_DATAGRAM_BYTES];
        let heard = timeout(PATIENCE, self.socket.recv_from(&mut bytes)).await;
        let (len, source) = heard.expect("something is heard").unwrap();
        bytes.truncate(len);
        (bytes, source)
    }

    /// Says something that the other hears as it is, from where the other sends to.
    async fn talks_to(&mut self, to: LocalMedia, other: &Self, from: LocalMedia) {
        let said = self.say(to).await;
        assert_eq!(other.hear().await, (said, from.rtp));
    }

    fn has_heard_nothing(&self) -> bool {
        self.socket.try_recv(&mut [0; 10]).is_err()
    }
}

struct Conversation {
    relay: RelayHandle,
    call: RelayedCall,
    caller: Party,
    callee: Party,
    media: [LocalMedia; 2],
}

impl Conversation {
    async fn with(wanted: [LegRequest; 2]) -> Self {
        let relay = start(&options()).unwrap();
        Self::over(relay, wanted).await
    }

    async fn over(relay: RelayHandle, wanted: [LegRequest; 2]) -> Self {
        let (caller, callee) = (Party::new(1).await, Party::new(2).await);
        let call = relay.create_call().await.unwrap();
        let (stream, media) = call.add_stream(wanted).await.unwrap();
        call.announce(stream, Side::Caller, caller.peer())
            .await
            .unwrap();
        call.announce(stream, Side::Callee, callee.peer())
            .await
            .unwrap();
        Self {
            relay,
            call,
            caller,
            callee,
            media,
        }
    }

    async fn both_talk(&mut self) {
        let [to_caller, to_callee] = self.media;
        let Self { caller, callee, .. } = self;
        caller.talks_to(to_caller, callee, to_callee).await;
        callee.talks_to(to_callee, caller, to_caller).await;
    }
}

/// Asks until it is so.
async fn until(relay: &RelayHandle, is_so: impl Fn(RelayIoStats) -> bool) {
    let wait = async {
        while !is_so(relay.stats().await.unwrap()) {
            yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it becomes so");
}

#[tokio::test]
async fn two_parties_hear_each_other_over_the_shared_port_and_over_pairs_of_their_own() {
    for wanted in [[SHARED; 2], [OWN; 2], [SHARED, OWN]] {
        let mut talk = Conversation::with(wanted).await;
        for _ in 0..5 {
            talk.both_talk().await;
        }
        let stats = talk.call.stats().await.unwrap();
        let sums = stats[0].map(|leg| (leg.packets_received, leg.packets_sent, leg.packets_lost));
        assert_eq!(sums, [(5, 5, 0); 2]);
    }
}

#[tokio::test]
async fn all_calls_share_one_port() {
    let relay = start(&options()).unwrap();
    let mut first = Conversation::over(relay.clone(), [SHARED; 2]).await;
    let mut second = Conversation::over(relay, [SHARED; 2]).await;
    assert_eq!(first.media, second.media);
    first.both_talk().await;
    second.both_talk().await;
    first.both_talk().await;
}

#[tokio::test]
async fn a_stranger_is_dropped_before_during_and_after_a_call_and_gets_nothing() {
    for wanted in [[SHARED; 2], [OWN; 2]] {
        let relay = start(&options()).unwrap();
        let (mut stranger, mut caller) = (Party::new(1).await, Party::new(1).await);
        let mut callee = Party::new(2).await;
        let call = relay.create_call().await.unwrap();
        let (stream, [at_caller, at_callee]) = call.add_stream(wanted).await.unwrap();
        call.announce(stream, Side::Caller, caller.peer())
            .await
            .unwrap();
        for _ in 0..5 {
            stranger.say(at_caller).await;
            stranger.say(at_callee).await;
        }
        until(&relay, |stats| stats.counts.all_dropped() == 10).await;
        call.announce(stream, Side::Callee, callee.peer())
            .await
            .unwrap();
        // The caller's packet is the next that the callee hears.
        caller.talks_to(at_caller, &callee, at_callee).await;
        callee.talks_to(at_callee, &caller, at_caller).await;
        for _ in 0..5 {
            stranger.say(at_caller).await;
            stranger.say(at_callee).await;
        }
        until(&relay, |stats| stats.counts.all_dropped() == 20).await;
        caller.talks_to(at_caller, &callee, at_callee).await;
        callee.talks_to(at_callee, &caller, at_caller).await;

        drop(call);
        until(&relay, |stats| stats.calls == 0).await;
        for party in [&mut stranger, &mut caller, &mut callee] {
            party.say(at_caller).await;
            party.say(at_callee).await;
        }
        if wanted == [SHARED; 2] {
            until(&relay, |stats| {
                stats.counts.dropped(DropReason::Unknown) >= 6
            })
            .await;
        }
        let silent = |party: &Party| party.has_heard_nothing();
        assert!(silent(&stranger) && silent(&caller) && silent(&callee));
        assert_eq!(relay.stats().await.unwrap().sent, 4);
    }
}

#[tokio::test]
async fn a_party_behind_translation_is_heard_at_a_pair_of_its_own() {
    let mut talk = Conversation::with([OWN, SHARED]).await;
    let announced = Peer::at("127.0.0.77:4000".parse().unwrap(), 8_000);
    talk.call
        .announce(0, Side::Caller, announced)
        .await
        .unwrap();
    let [to_caller, to_callee] = talk.media;
    talk.caller.say(to_caller).await;
    talk.caller.say(to_caller).await;
    talk.caller
        .talks_to(to_caller, &talk.callee, to_callee)
        .await;
    talk.callee
        .talks_to(to_callee, &talk.caller, to_caller)
        .await;
}

#[tokio::test]
async fn ports_are_closed_within_a_second_of_the_end() {
    let talk = Conversation::with([OWN; 2]).await;
    let ports = talk.media.map(|media| [media.rtp, media.rtcp()]);
    for address in ports.as_flattened() {
        assert!(bind_socket(*address).is_err(), "they are open now");
    }
    let ended = Instant::now();
    drop(talk.call);
    for address in ports.as_flattened() {
        while bind_socket(*address).is_err() {
            assert!(ended.elapsed() < Duration::from_secs(1));
            yield_now().await;
        }
    }
    until(&talk.relay, |stats| stats.pairs_used == 0).await;
}

#[tokio::test]
async fn the_thread_ends_with_the_last_handle_and_the_last_call() {
    let mut talk = Conversation::with([SHARED; 2]).await;
    let address = talk.media[0].rtp;
    drop(talk.relay.clone());
    talk.both_talk().await;
    drop(talk);
    let ended = Instant::now();
    while bind_socket(address).is_err() {
        assert!(ended.elapsed() < PATIENCE);
        yield_now().await;
    }
}

/// Breaks over every packet.
struct Broken;

impl Protection for Broken {
    fn unprotect(
        &mut self,
        _: PacketKind,
        _: &mut [u8],
        _: usize,
    ) -> Result<usize, ProtectionError> {
        panic!("a fault in the code that reads packets")
    }

    fn protect(&mut self, _: PacketKind, _: &mut [u8], _: usize) -> Result<usize, ProtectionError> {
        Err(ProtectionError::NoKey)
    }
}

#[tokio::test]
async fn a_panic_over_a_packet_ends_its_call_and_no_other() {
    let relay = start(&options()).unwrap();
    let mut healthy = Conversation::over(relay.clone(), [SHARED; 2]).await;
    let mut broken = Conversation::over(relay.clone(), [SHARED; 2]).await;
    broken
        .call
        .set_protection(0, Side::Caller, Some(Box::new(Broken)))
        .await
        .unwrap();
    broken.caller.say(broken.media[0]).await;
    until(&relay, |stats| (stats.panics, stats.calls) == (1, 1)).await;
    assert!(broken.call.stats().await.is_err());
    healthy.both_talk().await;
}

#[tokio::test]
async fn a_tap_gets_what_is_said_and_counts_what_nobody_fetched() {
    let mut talk = Conversation::with([SHARED; 2]).await;
    let (ear, mut packets) = tap(2);
    talk.call.set_tap(Some(ear)).await.unwrap();
    talk.both_talk().await;
    talk.both_talk().await;
    let first = packets.recv().await.unwrap();
    assert_eq!(
        (first.side, first.stream, first.rtp.len()),
        (Side::Caller, 0, 172)
    );
    assert_eq!(packets.recv().await.unwrap().side, Side::Callee);
    talk.both_talk().await;
    assert_eq!(packets.recv().await.unwrap().left_out, 2);
}

#[tokio::test]
async fn reports_come_from_the_port_for_reports() {
    let mut talk = Conversation::with([SHARED; 2]).await;
    let mut caller = talk.caller.peer();
    let reports = Party::new(0).await;
    caller.rtcp = media::relay::RtcpAddress::At(reports.address());
    talk.call.announce(0, Side::Caller, caller).await.unwrap();
    talk.both_talk().await;
    let (report, source) = reports.hear().await;
    assert!(is_rtcp(&report));
    assert_eq!(source, talk.media[0].rtcp());
}
