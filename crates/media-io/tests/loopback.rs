//! Two sessions over real sockets: the tone that goes in on one side comes out on the other.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use media::tone::share_at;
use media::{
    Codec, Direction, EventFormat, FRAME_DURATION, Frame, MediaParameters, MediaStats, Microphone,
    ReceiveFormat, SAMPLE_RATE_HZ, SendFormat,
};
use media_io::{
    AfterEnd, AudioSink, AudioSource, EndCause, MediaEvent, MediaSession, NoSink, PortRange,
    RtpSockets, SessionError, SessionOptions, Silence, ToneSource, WavSink, WavSource, loop_back,
};
use testkit::own_loopback;
use tokio::sync::{mpsc, oneshot};

const PATIENCE: Duration = Duration::from_secs(30);

fn sockets() -> RtpSockets {
    RtpSockets::bind(own_loopback(), PortRange::default()).unwrap()
}

fn parameters(codec: Codec, remote_rtp: SocketAddr, direction: Direction) -> MediaParameters {
    let event = EventFormat {
        payload_type: 101,
        clock_rate_hz: codec.clock_rate_hz(),
    };
    MediaParameters {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        send: SendFormat {
            payload_type: 96,
            codec,
            peer_uses_fec: true,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: 96,
            codec,
        }],
        direction,
        send_event: Some(event),
        receive_events: vec![event],
        rtcp_mux: false,
        voip_metrics: false,
        security: media::MediaSecurity::Plain,
    }
}

/// Hands every frame to the test, and counts them.
struct Ear(mpsc::UnboundedSender<Frame>, Arc<AtomicUsize>);

impl AudioSink for Ear {
    fn write(&mut self, frame: &Frame) {
        self.1.fetch_add(1, Ordering::Relaxed);
        let _ = self.0.send(*frame);
    }
}

struct Side {
    session: MediaSession,
    events: mpsc::Receiver<MediaEvent>,
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Frame>,
    frames_heard: Arc<AtomicUsize>,
}

impl Side {
    fn start(source: Box<dyn AudioSource>) -> Self {
        let (ear, heard) = mpsc::unbounded_channel();
        let frames_heard = Arc::new(AtomicUsize::new(0));
        let sockets = sockets();
        let address = sockets.rtp_address();
        let (session, events) = MediaSession::start(
            sockets,
            source,
            Box::new(Ear(ear, frames_heard.clone())),
            SessionOptions::default(),
        );
        Self {
            session,
            events,
            address,
            heard,
            frames_heard,
        }
    }

    fn connect(&self, codec: Codec, other: &Self) {
        self.session
            .set_parameters(parameters(codec, other.address, Direction::SendRecv))
            .unwrap();
    }

    async fn hear(&mut self, frames: usize) -> Vec<i16> {
        let mut samples = Vec::new();
        for _ in 0..frames {
            samples.extend(
                tokio::time::timeout(PATIENCE, self.heard.recv())
                    .await
                    .unwrap()
                    .unwrap(),
            );
        }
        samples
    }

    async fn event(&mut self) -> MediaEvent {
        tokio::time::timeout(PATIENCE, self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    async fn stats_when(&self, is_reached: impl Fn(&MediaStats) -> bool) -> MediaStats {
        let mut stats = self.session.watch_stats();
        let reached = stats.wait_for(|stats| is_reached(stats));
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap()
            .unwrap()
            .clone()
    }
}

#[tokio::test]
async fn each_hears_the_tone_of_the_other_and_no_packet_is_lost() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut alice = Side::start(Box::new(ToneSource::new(500.0, 0.4)));
        let mut bob = Side::start(Box::new(ToneSource::new(900.0, 0.4)));
        alice.connect(codec, &bob);
        bob.connect(codec, &alice);
        let (to_alice, to_bob) = tokio::join!(alice.hear(200), bob.hear(200));
        for (heard, frequency_hz) in [(to_alice, 900.0), (to_bob, 500.0)] {
            let end = &heard[48_000..];
            assert!(
                share_at(end, frequency_hz, SAMPLE_RATE_HZ) > 0.9,
                "{codec:?} at {frequency_hz} Hz"
            );
            let level = media::level::level_dbfs(end);
            assert!(
                (level + 10.97).abs() < 1.0,
                "{codec:?}: {level} dB, sent at -10.97"
            );
        }
        assert!(
            matches!(alice.event().await, MediaEvent::Started { source, .. } if source == bob.address)
        );
        let (of_alice, of_bob) = (alice.session.stop().await, bob.session.stop().await);
        for (mine, other) in [(&of_alice, &of_bob), (&of_bob, &of_alice)] {
            assert!(mine.packets_received >= 95 && mine.packets_received <= other.packets_sent);
            assert_eq!((mine.packets_lost, mine.datagrams_dropped), (0, 0));
        }
    }
}

/// Silent, then from one frame on a tone; says what the other side had heard by then.
struct Marker {
    frames: u32,
    tone: ToneSource,
    frames_heard: Arc<AtomicUsize>,
    began: Option<oneshot::Sender<usize>>,
}

impl AudioSource for Marker {
    fn read(&mut self, frame: &mut Frame) {
        self.frames += 1;
        if self.frames < 50 {
            return;
        }
        if let Some(began) = self.began.take() {
            let _ = began.send(self.frames_heard.load(Ordering::Relaxed));
        }
        self.tone.read(frame);
    }
}

/// Counted in frames that were played meanwhile, which a busy machine does not change as it does the time of day.
#[tokio::test]
async fn sound_arrives_within_100_ms() {
    let (sender, began) = oneshot::channel();
    let mut bob = Side::start(Box::new(Silence));
    let marker = Marker {
        frames: 0,
        tone: ToneSource::new(700.0, 0.5),
        frames_heard: bob.frames_heard.clone(),
        began: Some(sender),
    };
    let alice = Side::start(Box::new(marker));
    alice.connect(Codec::Opus, &bob);
    bob.connect(Codec::Opus, &alice);
    let mut arrived = 1;
    while media::level::level_dbfs(&bob.hear(1).await) < -20.0 {
        arrived += 1;
    }
    let began = began.await.unwrap();
    let delay = FRAME_DURATION * u32::try_from(arrived - began).unwrap();
    // A packet's 20 ms and 10 for what comes late; more where a busy machine delivers late.
    assert!(
        delay >= Duration::from_millis(30),
        "{delay:?} leaves nothing for what comes late"
    );
    assert!(delay < Duration::from_millis(100), "{delay:?}");
}

#[tokio::test]
async fn hold_stops_packets_and_resume_starts_them_again() {
    let alice = Side::start(Box::new(ToneSource::new(500.0, 0.4)));
    let mut bob = Side::start(Box::new(ToneSource::new(900.0, 0.4)));
    alice.connect(Codec::Opus, &bob);
    bob.connect(Codec::Opus, &alice);
    alice.stats_when(|stats| stats.packets_sent >= 25).await;
    alice
        .session
        .set_parameters(parameters(Codec::Opus, bob.address, Direction::Inactive))
        .unwrap();
    let held = alice.stats_when(|stats| stats.packets_sent > 0).await;
    // Bob goes on for more than a second, so ticks of Alice's task pass as well.
    bob.stats_when(|stats| stats.packets_sent >= 100).await;
    let later = alice.session.stats();
    assert!(
        later.packets_sent <= held.packets_sent + 25,
        "only what was sent before the hold took effect"
    );
    let frozen = later.packets_sent;
    bob.stats_when(|stats| stats.packets_sent >= 150).await;
    assert_eq!(alice.session.stats().packets_sent, frozen);
    alice.connect(Codec::Opus, &bob);
    alice
        .stats_when(|stats| stats.packets_sent > frozen + 20)
        .await;
    bob.heard.close();
    while bob.heard.recv().await.is_some() {}
    assert_eq!(bob.session.stop().await.packets_lost, 0);
}

#[tokio::test]
async fn digits_are_heard_and_unknown_ones_refused() {
    let alice = Side::start(Box::new(Silence));
    let mut bob = Side::start(Box::new(Silence));
    alice.connect(Codec::Pcma, &bob);
    bob.connect(Codec::Pcma, &alice);
    assert_eq!(
        alice.session.send_digits("12x"),
        Err(SessionError::NotADigit { label: 'x' })
    );
    alice.session.send_digits("1#A").unwrap();
    let mut heard = String::new();
    while heard.len() < 3 {
        if let MediaEvent::Digit(digit) = bob.event().await {
            heard.push(digit.as_char());
        }
    }
    assert_eq!(heard, "1#A");
}

#[tokio::test]
async fn a_muted_microphone_sends_soft_noise_and_a_file_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("speech.wav");
    let mut file = WavSink::create(&path).unwrap();
    let mut tone = ToneSource::new(500.0, 0.4);
    for _ in 0..100 {
        let mut frame = media::SILENCE;
        tone.read(&mut frame);
        file.write(&frame);
    }
    file.finish();
    let alice = Side::start(Box::new(WavSource::open(&path, AfterEnd::Silence).unwrap()));
    let mut bob = Side::start(Box::new(Silence));
    alice.session.set_microphone(Microphone::Muted).unwrap();
    alice.connect(Codec::Pcmu, &bob);
    bob.connect(Codec::Pcmu, &alice);
    let quiet = bob.hear(150).await;
    let level = media::level::level_dbfs(&quiet);
    assert!((-80.0..-58.0).contains(&level), "{level}");
    alice.session.set_microphone(Microphone::Live).unwrap();
    let mut loud_frames = 0;
    for _ in 0..100 {
        let heard = bob.hear(2).await;
        loud_frames += usize::from(media::level::level_dbfs(&heard) > -20.0);
    }
    assert!(
        (48..=53).contains(&loud_frames),
        "the whole file of a second was heard: {loud_frames} times 20 ms"
    );
}

#[tokio::test]
async fn a_loop_back_returns_what_was_said() {
    let mut alice = Side::start(Box::new(ToneSource::new(600.0, 0.4)));
    let (sink, source) = loop_back();
    let echo_sockets = sockets();
    let echo_address = echo_sockets.rtp_address();
    let (echo, _events) = MediaSession::start(
        echo_sockets,
        Box::new(source),
        Box::new(sink),
        SessionOptions::default(),
    );
    alice
        .session
        .set_parameters(parameters(Codec::Opus, echo_address, Direction::SendRecv))
        .unwrap();
    echo.set_parameters(parameters(Codec::Opus, alice.address, Direction::SendRecv))
        .unwrap();
    // A busy machine stretches and conceals; in the end a whole second comes back as it was said.
    let comes_back =
        async { while share_at(&alice.hear(100).await, 600.0, SAMPLE_RATE_HZ) <= 0.9 {} };
    tokio::time::timeout(PATIENCE, comes_back).await.unwrap();
}

#[tokio::test]
async fn stopping_says_bye_closes_the_ports_and_completes_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard.wav");
    let mut alice = Side::start(Box::new(ToneSource::new(500.0, 0.4)));
    let bob_sockets = sockets();
    let bob_address = bob_sockets.rtp_address();
    let sink = Box::new(WavSink::create(&path).unwrap());
    let (bob, mut bob_events) = MediaSession::start(
        bob_sockets,
        Box::new(Silence),
        sink,
        SessionOptions::default(),
    );
    alice
        .session
        .set_parameters(parameters(Codec::Opus, bob_address, Direction::SendRecv))
        .unwrap();
    bob.set_parameters(parameters(Codec::Opus, alice.address, Direction::SendRecv))
        .unwrap();
    alice.hear(100).await;
    bob.stop().await;
    let seconds = WavSource::open(&path, AfterEnd::Silence)
        .unwrap()
        .duration()
        .as_secs_f64();
    assert!((0.8..1.5).contains(&seconds), "{seconds} s");
    let port = bob_address.port();
    RtpSockets::bind(own_loopback(), PortRange::new(port, port + 1).unwrap()).unwrap();
    while !matches!(alice.event().await, MediaEvent::RemoteBye) {}
    let mut last = None;
    while let Some(event) = bob_events.recv().await {
        last = Some(event);
    }
    assert_eq!(last, Some(MediaEvent::Ended(EndCause::Stopped)));
}

/// Stands for a codec with a mistake.
struct Trap;

impl AudioSource for Trap {
    fn read(&mut self, _frame: &mut Frame) {
        panic!("a mistake in the path of one call");
    }
}

#[tokio::test]
async fn a_panic_ends_the_sound_of_its_own_call_only() {
    let mut alice = Side::start(Box::new(Trap));
    let mut bob = Side::start(Box::new(ToneSource::new(900.0, 0.4)));
    let mut carol = Side::start(Box::new(ToneSource::new(500.0, 0.4)));
    bob.connect(Codec::Pcmu, &carol);
    carol.connect(Codec::Pcmu, &bob);
    alice.connect(Codec::Pcmu, &bob);
    assert_eq!(alice.event().await, MediaEvent::Ended(EndCause::Panicked));
    assert_eq!(
        alice.session.set_microphone(Microphone::Live),
        Err(SessionError::Ended)
    );
    bob.hear(100).await;
    carol.hear(100).await;
}

#[tokio::test]
async fn a_dropped_handle_stops_the_session() {
    let sockets = sockets();
    let port = sockets.rtp_address().port();
    let (session, mut events) = MediaSession::start(
        sockets,
        Box::new(Silence),
        Box::new(NoSink),
        SessionOptions::default(),
    );
    drop(session);
    assert_eq!(
        tokio::time::timeout(PATIENCE, events.recv()).await.unwrap(),
        Some(MediaEvent::Ended(EndCause::Stopped))
    );
    RtpSockets::bind(own_loopback(), PortRange::new(port, port + 1).unwrap()).unwrap();
}
