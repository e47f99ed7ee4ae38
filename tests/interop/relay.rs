//! What stands between an edge proxy and the server, to cut their connections the way a firewall does.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Ends a connection; done when the server has ended its side too.
struct Cut {
    ask: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

/// Passes TCP connections on.
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) address: String,
    connections: Arc<Mutex<Vec<Cut>>>,
    _listening: JoinHandle<()>,
}

impl Relay {
    /// In front of a server.
    pub(crate) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("its address").to_string();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(listener, server.to_owned(), connections.clone()));
        Self {
            address,
            connections,
            _listening: listening,
        }
    }

    /// Ends all connections that there are; new ones are passed on.
    pub(crate) async fn cut(&self) {
        let connections = std::mem::take(
            &mut *self
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        assert!(!connections.is_empty(), "nobody came this way");
        for Cut { ask, done } in connections {
            // One that has ended by itself needs no cut.
            let _ = ask.send(());
            done.await.expect("the connection ends");
        }
    }
}

async fn listen(listener: TcpListener, server: String, connections: Arc<Mutex<Vec<Cut>>>) {
    loop {
        let (near, _) = listener.accept().await.expect("a connection");
        let far = TcpStream::connect(&server)
            .await
            .expect("the server listens");
        let (ask, asked) = oneshot::channel();
        let done = tokio::spawn(pass(near, far, asked));
        connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Cut { ask, done });
    }
}

async fn pass(mut near: TcpStream, mut far: TcpStream, asked: oneshot::Receiver<()>) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => return,
        _ = asked => {}
    }
    drop(near);
    // A server that has already gone has ended its side.
    let _ = far.shutdown().await;
    let _ = far.read_to_end(&mut Vec::new()).await;
}
