//! How an incoming connection begins: at once, or with a handshake or two.

use sip::Transport;

use crate::tls::TlsServer;
use crate::websocket::Origins;

/// What has to be done before a connection carries messages.
#[derive(Clone, Debug)]
pub(crate) enum Acceptor {
    Tcp,
    Tls(TlsServer),
    Ws(Origins),
    Wss(TlsServer, Origins),
}

impl Acceptor {
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            Self::Tls(_) => Transport::Tls,
            Self::Ws(_) => Transport::Ws,
            Self::Wss(..) => Transport::Wss,
        }
    }
}
