//! One call's media session.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use sdp::Negotiated;
use softphone_core::CallId;
use tokio::sync::mpsc;

use super::News;
use super::sound::CallSound;
use crate::control::protocol::MediaSummary;

/// What a media session tells.
#[derive(Debug)]
pub(super) enum MediaNews {
    /// The other side pressed a key.
    Digit(char),
    /// Something is wrong with the sound; the call goes on.
    Problem(String),
}

pub(super) struct CallMedia {
    socket: UdpSocket,
    local: SocketAddr,
}

impl CallMedia {
    pub(super) fn open(call: CallId, ip: IpAddr, news: mpsc::Sender<News>) -> Result<Self, String> {
        let _ = (call, news);
        let socket = UdpSocket::bind((ip, 0)).map_err(|error| error.to_string())?;
        let local = socket.local_addr().map_err(|error| error.to_string())?;
        Ok(Self { socket, local })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn update(&mut self, negotiated: &Negotiated, sound: CallSound) -> Result<(), String> {
        let _ = (negotiated, sound, &self.socket);
        Ok(())
    }

    pub(super) fn send_digits(&mut self, digits: &str) {
        let _ = digits;
    }

    pub(super) async fn close(self) -> Option<MediaSummary> {
        None
    }
}
