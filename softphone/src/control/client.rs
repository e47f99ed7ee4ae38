//! The command line's end of the control socket.

use std::io;
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LinesCodec};

use super::protocol::{Answer, Command, Done, Line, Request, State};
use super::{MAX_LINE_BYTES, socket_path};
use crate::failure::{Failure, FailureKind};

/// A connection to the softphone that runs on a profile.
pub struct ControlClient {
    lines: Framed<UnixStream, LinesCodec>,
    next_id: u64,
    /// A state that arrived while an answer was awaited.
    state: Option<Box<State>>,
}

impl ControlClient {
    /// Connects to the softphone that runs on the profile in `folder`.
    ///
    /// # Errors
    ///
    /// [`FailureKind::NotRunning`] if there is none.
    pub async fn connect(folder: &Path) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket_path(folder))
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Failure::new(
                    FailureKind::NotRunning,
                    "no softphone is running on this profile: start it with `softphone run`",
                ),
                _ => Failure::new(
                    FailureKind::General,
                    format!("the running softphone cannot be reached: {error}"),
                ),
            })?;
        let codec = LinesCodec::new_with_max_length(MAX_LINE_BYTES);
        Ok(Self {
            lines: Framed::new(stream, codec),
            next_id: 1,
            state: None,
        })
    }

    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    ///
    /// The softphone's own [`Failure`], or [`FailureKind::NotRunning`] if it ended meanwhile.
    pub async fn request(&mut self, command: Command) -> Result<Done, Failure> {
        let id = self.next_id;
        self.next_id += 1;
        let text =
            serde_json::to_string(&Request { id, command }).expect("plain values become JSON");
        self.lines.send(text).await.map_err(|_| ended())?;
        loop {
            let line = self.line().await?;
            match line.answer {
                Answer::State(state) => self.state = Some(state),
                Answer::Done(done) if line.id == Some(id) => return Ok(done),
                Answer::Failed(failure) if line.id.is_none_or(|line| line == id) => {
                    return Err(failure);
                }
                _ => {}
            }
        }
    }

    /// The next state, after [`Command::Status`] or [`Command::Follow`].
    ///
    /// Safe to cancel.
    ///
    /// # Errors
    ///
    /// [`FailureKind::NotRunning`] if the softphone ended.
    pub async fn state(&mut self) -> Result<Box<State>, Failure> {
        if let Some(state) = self.state.take() {
            return Ok(state);
        }
        loop {
            if let Answer::State(state) = self.line().await?.answer {
                return Ok(state);
            }
        }
    }

    async fn line(&mut self) -> Result<Line, Failure> {
        let line = self
            .lines
            .next()
            .await
            .and_then(Result::ok)
            .ok_or_else(ended)?;
        serde_json::from_str(&line).map_err(|_| {
            Failure::new(
                FailureKind::General,
                "the running softphone is of another version",
            )
        })
    }
}

fn ended() -> Failure {
    Failure::new(FailureKind::NotRunning, "the softphone has ended")
}
