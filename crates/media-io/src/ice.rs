//! ICE on the port of one call: from the first candidate to the path that media takes.
//!
//! ```text
//!  RtpSockets::gather, ask ──► ice_event() until Gathered ──► local_candidates() ──► description
//!  MediaSession::set_parameters_by_ice ──► checks between datagrams of media ──► MediaEvent::Path
//! ```
//!
//! Gathering waits for nobody: who has to answer takes what is there. Without [`RtpSockets::gather`] a datagram of STUN
//! is dropped by the session, as ever.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use media::Transmit;
use media::rtp::{MAX_DATAGRAM_BYTES, MediaPath};
use stun::{Agreement, Credentials, Ice, IceEvent, IceServers, Incoming};
use tokio::net::UdpSocket;
use tokio::time::Instant;
use tracing::debug;

use crate::RtpSockets;

/// Longest wait for the TURN server's word that our address is given back; without it the address expires.
const FAREWELL: Duration = Duration::from_millis(300);

/// What a description of ours says for ICE.
#[derive(Clone, Debug)]
pub struct LocalCandidates {
    /// For the first offer or answer.
    pub credentials: Credentials,
    /// Values of `a=candidate`, as far as they are known now.
    pub candidates: Vec<String>,
    /// For `c=` and `m=`; one of the candidates.
    pub default: SocketAddr,
}

/// The machine, and whether it decides.
#[derive(Debug)]
pub(crate) struct PortIce {
    ice: Ice,
    /// The peer does ICE too.
    is_agreed: bool,
}

impl RtpSockets {
    /// Makes the port of RTP ready for ICE, with the socket's own address as its only candidate.
    ///
    /// Must be called inside a tokio runtime, once.
    pub fn gather(&mut self) {
        let (host, now) = (self.rtp_address(), Instant::now().into_std());
        self.ice = Some(Box::new(PortIce {
            ice: Ice::new(host, rand::random(), now),
            is_agreed: false,
        }));
    }

    /// Begins to find out by which other addresses it can be reached; nothing without [`RtpSockets::gather`].
    pub fn ask(&mut self, servers: IceServers) {
        if let Some(port) = &mut self.ice {
            port.ice.ask(servers, Instant::now().into_std());
        }
    }

    /// What is known now; `None` without [`RtpSockets::gather`].
    #[must_use]
    pub fn local_candidates(&self) -> Option<LocalCandidates> {
        let ice = &self.ice.as_ref()?.ice;
        Some(LocalCandidates {
            credentials: ice.credentials().clone(),
            candidates: ice.candidates(),
            default: ice.default_address(),
        })
    }

    /// Waits for news while there is no session yet; for ever without [`RtpSockets::gather`]. Media that comes
    /// meanwhile is dropped.
    ///
    /// Safe to cancel.
    pub async fn ice_event(&mut self) -> IceEvent {
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        loop {
            if let Some(event) = self.drive_ice() {
                return event;
            }
            let due = self.ice_deadline();
            tokio::select! {
                _ = self.rtp.readable(), if self.ice.is_some() => {
                    while let Ok((len, source)) = self.rtp.try_recv_from(&mut buffer) {
                        self.sort(&buffer[..len], source);
                    }
                }
                () = until(due) => {}
            }
        }
    }

    /// Gives the address of the TURN server back and closes the sockets. Dropping them does the latter alone.
    pub async fn close(mut self) {
        if let Some(port) = &mut self.ice {
            port.ice.close(Instant::now().into_std());
        }
        let is_over = |sockets: &Self| sockets.ice.as_ref().is_none_or(|port| port.ice.is_over());
        let farewell = async {
            let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
            while self.drive_ice().is_some() {}
            while !is_over(&self) {
                let due = self.ice_deadline();
                tokio::select! {
                    _ = self.rtp.readable() => {
                        while let Ok((len, source)) = self.rtp.try_recv_from(&mut buffer) {
                            self.sort(&buffer[..len], source);
                        }
                    }
                    () = until(due) => {}
                }
                while self.drive_ice().is_some() {}
            }
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            debug!("the TURN server does not say farewell");
        }
    }

    /// Offer and answer are there: who decides where media goes from now on.
    pub(crate) fn start_ice(&mut self, agreement: Option<Agreement>) -> MediaPath {
        let Some(port) = &mut self.ice else {
            return MediaPath::Latched;
        };
        port.is_agreed = agreement.is_some();
        let Some(agreement) = agreement else {
            return MediaPath::Latched;
        };
        port.ice.start(agreement, Instant::now().into_std());
        port.ice
            .remote()
            .map_or(MediaPath::Sought, MediaPath::Chosen)
    }

    /// What is left for the session of a datagram on the port of RTP, and from which address of the peer.
    pub(crate) fn sort<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
    ) -> Option<(Cow<'a, [u8]>, SocketAddr)> {
        let Some(port) = &mut self.ice else {
            return Some((datagram.into(), source));
        };
        let now = Instant::now().into_std();
        match port.ice.handle_datagram(datagram, source, now) {
            Incoming::Taken => None,
            Incoming::Media { peer, bytes } => Some((bytes, peer)),
            Incoming::Dropped => (!port.is_agreed).then_some((datagram.into(), source)),
        }
    }

    /// Sends what is due and gives the next news.
    pub(crate) fn drive_ice(&mut self) -> Option<IceEvent> {
        let port = self.ice.as_mut()?;
        let now = Instant::now().into_std();
        if port.ice.poll_timeout().is_some_and(|due| due <= now) {
            port.ice.handle_timeout(now);
        }
        while let Some(datagram) = port.ice.poll_transmit(now) {
            send(&self.rtp, datagram.target, &datagram.bytes);
        }
        port.ice.poll_event()
    }

    /// When [`RtpSockets::drive_ice`] wants to be called.
    pub(crate) fn ice_deadline(&mut self) -> Option<Instant> {
        let due = self.ice.as_mut()?.ice.poll_timeout();
        due.map(Instant::from_std)
    }

    /// Sends from the port of RTP, by the path that ICE chose if it decides.
    pub(crate) fn send_rtp(&mut self, Transmit { target, bytes }: Transmit<'_>) {
        match &mut self.ice {
            Some(port) if port.is_agreed => {
                if let Some((to, wrapped)) = port.ice.wrap(target, bytes) {
                    send(&self.rtp, to, &wrapped);
                }
            }
            _ => send(&self.rtp, target, bytes),
        }
    }

    /// Sends from the port of RTCP.
    pub(crate) fn send_rtcp(&self, Transmit { target, bytes }: Transmit<'_>) {
        send(&self.rtcp, target, bytes);
    }
}

fn send(socket: &UdpSocket, target: SocketAddr, bytes: &[u8]) {
    // Never waits: a full socket is a lost packet, which the other side conceals.
    if let Err(error) = socket.try_send_to(bytes, target) {
        debug!(%error, "media not sent");
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
