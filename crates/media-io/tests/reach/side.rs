//! One party of a call: a port with ICE, and a session that plays a tone into it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use media::srtp::DtlsIdentity;
use media::tone::share_at;
use media::{
    Codec, Direction, Frame, MediaParameters, MediaSecurity, MediaStats, ReceiveFormat,
    SAMPLE_RATE_HZ, SendFormat,
};
use media_io::{
    Agreement, AudioSink, IceEvent, IceServers, LocalCandidates, MediaEvent, MediaSession,
    PortRange, Role, RtpSockets, SessionOptions, ToneSource,
};
use tokio::sync::mpsc;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Before anything is agreed.
pub(crate) struct Port {
    pub(crate) sockets: RtpSockets,
    /// Servers that were of no use.
    pub(crate) failures: Vec<String>,
}

impl Port {
    /// Must be called where its address is.
    pub(crate) fn open(address: IpAddr) -> Self {
        let mut sockets = RtpSockets::bind(address, PortRange::default()).unwrap();
        sockets.gather();
        Self {
            sockets,
            failures: Vec::new(),
        }
    }

    pub(crate) async fn gather(&mut self, servers: IceServers) -> LocalCandidates {
        self.sockets.ask(servers);
        loop {
            let event = tokio::time::timeout(PATIENCE, self.sockets.ice_event());
            match event.await.unwrap() {
                IceEvent::Gathered => return self.local(),
                IceEvent::Failed(error) => self.failures.push(error.to_string()),
                event => panic!("{event:?} while gathering"),
            }
        }
    }

    pub(crate) fn local(&self) -> LocalCandidates {
        self.sockets.local_candidates().unwrap()
    }

    pub(crate) fn talk(self, frequency_hz: f64) -> Side {
        self.talk_as(frequency_hz, None)
    }

    /// With a certificate for DTLS-SRTP.
    pub(crate) fn talk_as(self, frequency_hz: f64, identity: Option<DtlsIdentity>) -> Side {
        let (ear, heard) = mpsc::unbounded_channel();
        let address = self.sockets.rtp_address();
        let (session, events) = MediaSession::start(
            self.sockets,
            Box::new(ToneSource::new(frequency_hz, 0.4)),
            Box::new(Ear(ear)),
            SessionOptions {
                identity,
                ..SessionOptions::default()
            },
        );
        Side {
            session,
            events,
            heard,
            address,
        }
    }
}

/// Hands every frame to the test.
struct Ear(mpsc::UnboundedSender<Frame>);

impl AudioSink for Ear {
    fn write(&mut self, frame: &Frame) {
        let _ = self.0.send(*frame);
    }
}

pub(crate) struct Side {
    pub(crate) session: MediaSession,
    events: mpsc::Receiver<MediaEvent>,
    heard: mpsc::UnboundedReceiver<Frame>,
    pub(crate) address: SocketAddr,
}

impl Side {
    /// Both sides know each other's candidates.
    pub(crate) fn agree(&self, ours: &LocalCandidates, theirs: &LocalCandidates, role: Role) {
        let agreement = Agreement {
            local: ours.credentials.clone(),
            remote: theirs.credentials.clone(),
            role,
            candidates: theirs.candidates.clone(),
        };
        self.session
            .set_parameters_by_ice(parameters(theirs.default), agreement)
            .unwrap();
    }

    /// Where the media goes, and whether by our TURN server.
    pub(crate) async fn path(&mut self) -> (SocketAddr, bool) {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv());
            if let MediaEvent::Path { remote, is_relayed } = event.await.unwrap().unwrap() {
                return (remote, is_relayed);
            }
        }
    }

    /// Whether a check has ever succeeded.
    pub(crate) fn has_path(&mut self) -> bool {
        let events = std::iter::from_fn(|| self.events.try_recv().ok());
        events
            .into_iter()
            .any(|event| matches!(event, MediaEvent::Path { .. }))
    }

    /// Until the tone of the other side is heard for half a second.
    pub(crate) async fn hear(&mut self, frequency_hz: f64) {
        let hearing = async {
            loop {
                let mut samples = Vec::new();
                while samples.len() < 24_000 {
                    samples.extend(self.heard.recv().await.unwrap());
                }
                if share_at(&samples, frequency_hz, SAMPLE_RATE_HZ) > 0.9 {
                    return;
                }
            }
        };
        let patience = tokio::time::timeout(PATIENCE, hearing).await;
        patience.expect("the tone is heard");
    }

    pub(crate) async fn stats_when(&self, is_reached: impl Fn(&MediaStats) -> bool) -> MediaStats {
        let mut stats = self.session.watch_stats();
        let reached = stats.wait_for(|stats| is_reached(stats));
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.unwrap().unwrap().clone()
    }
}

pub(crate) fn parameters(remote_rtp: SocketAddr) -> MediaParameters {
    let codec = Codec::Opus;
    MediaParameters {
        remote_rtp,
        remote_rtcp: remote_rtp,
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
        direction: Direction::SendRecv,
        send_event: None,
        receive_events: Vec::new(),
        rtcp_mux: true,
        voip_metrics: false,
        security: MediaSecurity::Plain,
    }
}
