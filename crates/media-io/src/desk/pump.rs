//! Sound without a call: tones while it is dialled, a ringing bell.

use std::time::Duration;

use media::SILENCE;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::{AudioSink, AudioSource};

/// As a session does.
const TICK: Duration = Duration::from_millis(5);

/// Plays a source to a sink until it is dropped.
#[derive(Debug)]
pub struct Pump(JoinHandle<()>);

impl Pump {
    /// Starts to play. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(mut source: Box<dyn AudioSource>, mut sink: Box<dyn AudioSink>) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for passed in [0, 1].into_iter().cycle() {
                ticks.tick().await;
                for _ in 0..sink.frames_due(passed) {
                    let mut frame = SILENCE;
                    source.read(&mut frame);
                    sink.write(&frame);
                }
            }
        }))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}
