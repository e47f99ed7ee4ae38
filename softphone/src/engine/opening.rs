//! A call's media before the sides have agreed: it is found out by which addresses the call can be reached.

use std::sync::Arc;
use std::time::Duration;

use media::srtp::DtlsIdentity;
use media_io::desk::{Port, SharedCard};
use media_io::{IceEvent, RtpSockets};
use tokio::sync::mpsc;

use super::media::{MediaNews, Order, Reporter};
use super::reach::Reach;
use super::sound::CallSound;

/// So long a call that is placed waits for the word of STUN and TURN servers.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the task of one call begins with.
pub(super) struct Opening {
    pub(super) sockets: RtpSockets,
    pub(super) certificate: DtlsIdentity,
    /// `None`: without ICE.
    pub(super) reach: Option<Arc<Reach>>,
    /// `None`: the call uses no card.
    pub(super) card: Option<SharedCard>,
    pub(super) port: Port,
    pub(super) reporter: Reporter,
}

impl Opening {
    /// Waits for what the sides agree on, and finds out meanwhile by which addresses the call can be reached.
    /// Gives what to carry out first, what was agreed before all else, and the call's sound. `None`: the call is
    /// over before.
    pub(super) async fn begin(
        &mut self,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Option<(Vec<Order>, Box<CallSound>)> {
        let local = self.sockets.rtp_address();
        let reach = self.reach.take();
        let mut look_up = std::pin::pin!(async {
            match reach {
                Some(reach) => reach.look_up(local).await,
                None => std::future::pending().await,
            }
        });
        let mut first = Vec::new();
        let (mut is_asked, mut is_told) = (false, false);
        let mut patience = std::pin::pin!(tokio::time::sleep(PATIENCE));
        loop {
            let is_gathered = tokio::select! {
                order = orders.recv() => match order? {
                    Order::Parameters(parameters, agreement, sound) => {
                        first.insert(0, Order::Parameters(parameters, agreement, Box::default()));
                        return Some((first, sound));
                    }
                    Order::Digits(_) => false,
                    order @ (Order::Mute(_) | Order::Music(_)) => {
                        first.push(order);
                        false
                    }
                },
                servers = &mut look_up, if !is_asked => {
                    is_asked = true;
                    self.sockets.ask(servers);
                    false
                }
                event = self.sockets.ice_event() => match event {
                    IceEvent::Failed(error) => {
                        self.reporter.tell(MediaNews::Problem(error.to_string()));
                        false
                    }
                    event => event == IceEvent::Gathered,
                },
                () = &mut patience, if !is_told => true,
            };
            if !is_gathered {
                continue;
            }
            // A patience that is over is over at every look: without this the loop would never rest.
            is_told = true;
            if let Some(candidates) = self.sockets.local_candidates() {
                self.reporter
                    .tell(MediaNews::Gathered(Box::new(candidates)));
            }
        }
    }
}
