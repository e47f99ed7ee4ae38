//! The softphone's end of the control socket.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::codec::{Framed, LinesCodec};
use tokio_util::sync::CancellationToken;

use super::MAX_LINE_BYTES;
use super::protocol::{Answer, Command, Done, Line, Request, State};
use crate::failure::{Failure, FailureKind};

/// Clients at a time.
const MAX_CLIENTS: usize = 32;

/// A client that does not read for this long is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long answers may take to leave when the softphone ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// A command on its way to the engine, with the way back for its answer.
#[derive(Debug)]
pub struct Incoming {
    /// What is asked. Never [`Command::Status`] or [`Command::Follow`], which end here.
    pub command: Command,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Done, Failure>>,
}

/// Serves the socket at `path` until `stop`, then removes it.
///
/// The caller holds the profile's lock, so a socket that is there is a dead softphone's.
///
/// # Errors
///
/// What the system says if the socket cannot be made.
pub async fn serve(
    path: PathBuf,
    commands: mpsc::Sender<Incoming>,
    state: watch::Receiver<Arc<State>>,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = bind(&path)?;
    let owner = std::fs::metadata(&path)?.uid();
    let mut clients = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        if !is_from(&stream, owner) {
            tracing::warn!("another user tried the control socket");
            continue;
        }
        // One too many is closed at once.
        if clients.len() >= MAX_CLIENTS {
            continue;
        }
        let client = Client {
            lines: Framed::new(stream, LinesCodec::new_with_max_length(MAX_LINE_BYTES)),
            commands: commands.clone(),
            state: state.clone(),
            follows: false,
        };
        let stop = stop.clone();
        clients.spawn(async move {
            if let Err(reason) = client.run(stop).await {
                tracing::debug!(%reason, "control client gone");
            }
        });
    }
    // Whoever asked for the end gets an answer.
    let answered = async { while clients.join_next().await.is_some() {} };
    if timeout(FAREWELL, answered).await.is_err() {
        tracing::debug!("control clients that do not read are let go");
    }
    // The next start removes what stays.
    let _ = std::fs::remove_file(&path);
    Ok(())
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The socket's file mode says the same; folders outside our own are shared, so look again.
fn is_from(stream: &UnixStream, owner: u32) -> bool {
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == owner || peer.uid() == 0)
}

/// Why a client is let go.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("it closed the connection")]
    Closed,
    #[error("it does not read")]
    Slow,
    #[error("the softphone ends")]
    Ending,
    #[error("{0}")]
    Broken(#[from] tokio_util::codec::LinesCodecError),
}

struct Client {
    lines: Framed<UnixStream, LinesCodec>,
    commands: mpsc::Sender<Incoming>,
    state: watch::Receiver<Arc<State>>,
    follows: bool,
}

impl Client {
    /// A request that was read is answered, whatever happens meanwhile.
    async fn run(mut self, stop: CancellationToken) -> Result<(), Gone> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                line = self.lines.next() => {
                    let line = line.ok_or(Gone::Closed)??;
                    self.handle(&line).await?;
                }
                changed = self.state.changed(), if self.follows => {
                    changed.map_err(|_| Gone::Ending)?;
                    self.send_state().await?;
                }
            }
        }
    }

    async fn handle(&mut self, line: &str) -> Result<(), Gone> {
        let Ok(request) = serde_json::from_str::<Request>(line) else {
            let failure = Failure::new(FailureKind::Usage, "the command is not understood");
            return self.send(None, Answer::Failed(failure)).await;
        };
        let id = Some(request.id);
        match request.command {
            Command::Status => {
                self.send(id, Answer::Done(Done::default())).await?;
                self.send_state().await
            }
            Command::Follow => {
                self.follows = true;
                self.send(id, Answer::Done(Done::default())).await?;
                self.send_state().await
            }
            command => {
                let (answer, answered) = oneshot::channel();
                let incoming = Incoming { command, answer };
                self.commands
                    .send(incoming)
                    .await
                    .map_err(|_| Gone::Ending)?;
                let answer = match answered.await.map_err(|_| Gone::Ending)? {
                    Ok(done) => Answer::Done(done),
                    Err(failure) => Answer::Failed(failure),
                };
                self.send(id, answer).await
            }
        }
    }

    async fn send_state(&mut self) -> Result<(), Gone> {
        let state = self.state.borrow_and_update().as_ref().clone();
        self.send(None, Answer::State(Box::new(state))).await
    }

    async fn send(&mut self, id: Option<u64>, answer: Answer) -> Result<(), Gone> {
        let line = Line { id, answer };
        let text = serde_json::to_string(&line).expect("plain values become JSON");
        timeout(PATIENCE, self.lines.send(text))
            .await
            .map_err(|_| Gone::Slow)??;
        Ok(())
    }
}
