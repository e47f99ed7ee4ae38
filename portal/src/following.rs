//! What a live page follows, counted for the metrics.

use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

use crate::{
    live::Numbered,
    metrics::{self, Present},
};

/// The frames of a tenant from now on. A page that has one is present.
#[derive(Debug)]
pub(crate) struct Following {
    frames: Receiver<Numbered>,
    /// `None` if it is not a page that follows.
    present: Option<Present>,
}

impl Following {
    pub(crate) fn new(frames: Receiver<Numbered>) -> Self {
        Self {
            frames,
            present: Some(Present::page()),
        }
    }

    /// For who is not a page.
    pub(crate) fn uncounted(self) -> Self {
        Self {
            present: None,
            ..self
        }
    }

    /// The next frame.
    pub(crate) async fn recv(&mut self) -> Result<Numbered, RecvError> {
        let received = self.frames.recv().await;
        match &received {
            _ if self.present.is_none() => {}
            Ok(_) => metrics::frame_delivered(),
            Err(RecvError::Lagged(_)) => metrics::page_was_slow(),
            Err(RecvError::Closed) => {}
        }
        received
    }

    /// The next frame, if it is there already.
    pub(crate) fn try_recv(&mut self) -> Result<Numbered, TryRecvError> {
        self.frames.try_recv()
    }
}
