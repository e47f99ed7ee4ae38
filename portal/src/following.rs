//! What a live page follows, counted for the metrics.

use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    live::Numbered,
    metrics::{self, Present},
};

/// The frames of a tenant from now on. A page that has one is present.
#[derive(Debug)]
pub(crate) struct Following {
    frames: Receiver<Numbered>,
    _present: Present,
}

impl Following {
    pub(crate) fn new(frames: Receiver<Numbered>) -> Self {
        Self {
            frames,
            _present: Present::page(),
        }
    }

    /// The next frame.
    pub(crate) async fn recv(&mut self) -> Result<Numbered, RecvError> {
        let received = self.frames.recv().await;
        match &received {
            Ok(_) => metrics::frame_delivered(),
            Err(RecvError::Lagged(_)) => metrics::page_was_slow(),
            Err(RecvError::Closed) => {}
        }
        received
    }

    #[cfg(test)]
    pub(crate) fn try_recv(
        &mut self,
    ) -> Result<Numbered, tokio::sync::broadcast::error::TryRecvError> {
        self.frames.try_recv()
    }
}
