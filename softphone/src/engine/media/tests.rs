use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use media::{Codec, Direction, EventFormat, MediaSecurity, ReceiveFormat, SendFormat};
use tokio::net::UdpSocket;

use super::super::sound::Source;
use super::*;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
const SPEECH: u8 = 0;
const EVENTS: u8 = 101;

fn parameters(remote_rtp: SocketAddr) -> MediaParameters {
    let event = EventFormat {
        payload_type: EVENTS,
        clock_rate_hz: 8_000,
    };
    MediaParameters {
        remote_rtp,
        remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port() + 1),
        send: SendFormat {
            payload_type: SPEECH,
            codec: Codec::Pcmu,
            peer_uses_fec: false,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: SPEECH,
            codec: Codec::Pcmu,
        }],
        direction: Direction::SendRecv,
        send_event: Some(event),
        receive_events: vec![event],
        rtcp_mux: false,
        security: MediaSecurity::Plain,
        voip_metrics: false,
    }
}

/// A file that cannot be opened before this is dropped.
struct SlowFile {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl SlowFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slow.wav");
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        Self {
            _folder: folder,
            path,
        }
    }
}

impl Drop for SlowFile {
    fn drop(&mut self) {
        let mut both_ends = OpenOptions::new();
        let _ = both_ends.read(true).write(true).open(&self.path);
    }
}

#[tokio::test]
async fn keys_are_heard_while_the_file_to_play_is_still_being_opened() {
    let file = SlowFile::new();
    let (news, mut told) = mpsc::channel(8);
    let certificate = media_io::new_identity().unwrap();
    let loopback = (Ipv4Addr::LOCALHOST.into(), PortRange::default());
    let call = CallMedia::open(CallId(1), loopback, certificate, None, None, news).unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let sound = CallSound {
        source: Source::File(file.path.clone()),
        sink: Sink::Nowhere,
    };
    let parameters = parameters(peer.local_addr().unwrap());
    call.order(Order::Parameters(
        Box::new(parameters),
        None,
        Box::new(sound),
    ))
    .unwrap();

    let mut packet = [0; 2_000];
    let sent = tokio::time::timeout(PATIENCE, peer.recv(&mut packet)).await;
    assert!(sent.is_ok(), "it speaks");
    let five = [
        0x80, EVENTS, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 0x8a, 0x03, 0x20,
    ];
    peer.send_to(&five, call.local()).await.unwrap();
    let heard = async {
        loop {
            if let Some(News::Media { news, .. }) = told.recv().await
                && let MediaNews::Digit(digit) = news
            {
                return digit;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, heard).await, Ok('5'));

    drop(file);
    assert!(call.close().await.is_some());
}

/// Counts how often a task asks to be looked at again.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_rings_for_long_rests_meanwhile() {
    let (news, _told) = mpsc::channel(8);
    let mut call = Opening {
        sockets: RtpSockets::bind(Ipv4Addr::LOCALHOST.into(), PortRange::default()).unwrap(),
        certificate: media_io::new_identity().unwrap(),
        reach: None,
        card: None,
        port: Port::default(),
        reporter: Reporter {
            call: CallId(1),
            news,
        },
    };
    let (_orders, mut queue) = mpsc::channel(1);
    let mut begin = Box::pin(call.begin(&mut queue));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut look = || begin.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(look().is_pending());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(wakes.0.swap(0, Ordering::Relaxed), 1, "the wait is over");
    assert!(look().is_pending());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0, "nothing to do");
}
