//! What systemd is told and asks (`sd_notify`): ready, reloading, stopping, still alive.
//!
//! Without systemd nothing of this does anything.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use sip_proxy::{Control, TlsServer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub(crate) fn ready(url: &str) {
    tell(&[
        NotifyState::Ready,
        NotifyState::Status(&format!("Serving {url}")),
    ]);
}

pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// On SIGHUP looks at the portal's certificate at once. That of SIP is looked at with the next connection anyway.
pub(crate) async fn reload(certificate: Option<TlsServer>, stop: CancellationToken) {
    let Ok(mut asked) = signal(SignalKind::hangup()) else {
        return;
    };
    while stop.run_until_cancelled(asked.recv()).await.is_some() {
        let began = NotifyState::monotonic_usec_now().ok();
        let reloading: Vec<_> = [NotifyState::Reloading].into_iter().chain(began).collect();
        tell(&reloading);
        match &certificate {
            Some(certificate) => certificate.look_again(),
            None => info!("nothing to read again: the portal has no certificate"),
        }
        tell(&[NotifyState::Ready]);
    }
}

/// Says that all is well as often as systemd wants to hear it, as long as the proxy answers.
pub(crate) async fn watchdog(proxy: Arc<Control>, stop: CancellationToken) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let every = (patience / 3).max(Duration::from_millis(10));
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if matches!(timeout(every, proxy.counts()).await, Ok(Ok(_))) {
            tell(&[NotifyState::Watchdog]);
        } else {
            warn!("the proxy does not answer: systemd is not told that all is well");
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd cannot be told");
    }
}
