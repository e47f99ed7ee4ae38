//! Who we are seen as from outside (RFC 8489 section 2): one Binding request to a server, and later a repetition
//! whenever the mapping in the translator could die (RFC 8445 section 11).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use stun_rs::methods::BINDING;

use crate::Transmit;
use crate::message::{self, Response, mapped_address};
use crate::transaction::{Due, Transaction};

/// Mappings live 30 s in hasty translators; Tr of RFC 8445 is 15 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Why there is no server-reflexive address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// Nobody answers there.
    #[error("the STUN server {server} does not answer")]
    NoAnswer {
        /// Who was asked.
        server: SocketAddr,
    },
    /// It does not want to say.
    #[error("the STUN server {server} refuses with {code}")]
    Refused {
        /// Who was asked.
        server: SocketAddr,
        /// The number of its error.
        code: u16,
    },
}

/// Asks one server.
#[derive(Debug)]
pub struct BindingClient {
    server: SocketAddr,
    random: ChaCha8Rng,
    transaction: Option<Transaction>,
    /// While there is an address to keep: when it is asked for again.
    again: Option<Instant>,
    outcome: Option<Result<SocketAddr, BindingError>>,
    is_known: bool,
}

impl BindingClient {
    /// Begins to ask.
    #[must_use]
    pub fn new(server: SocketAddr, random: ChaCha8Rng, now: Instant) -> Self {
        let mut client = Self {
            server,
            random,
            transaction: None,
            again: None,
            outcome: None,
            is_known: false,
        };
        client.ask(now);
        client
    }

    /// Who is asked.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    fn ask(&mut self, now: Instant) {
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        self.again = None;
        self.transaction = message::request(BINDING, id, Vec::new(), None)
            .map(|bytes| Transaction::new(id, bytes, now));
    }

    /// A datagram came from the server: whether it was an answer to us.
    pub fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> bool {
        let asked = self.transaction.as_ref().map(|transaction| transaction.id);
        if asked.is_none() || message::transaction_of(datagram) != asked {
            return false;
        }
        let outcome = match message::response(datagram, BINDING, None) {
            Some(Response::Success(message)) => match mapped_address(&message) {
                Some(mapped) => Ok(mapped),
                None => return false,
            },
            Some(Response::Error { code, .. }) => Err(BindingError::Refused {
                server: self.server,
                code,
            }),
            None => return false,
        };
        self.transaction = None;
        self.again = outcome.is_ok().then(|| now + KEEP_ALIVE);
        self.tell(outcome);
        true
    }

    /// Only the first outcome is told: a mapping that changed later is found by the checks.
    fn tell(&mut self, outcome: Result<SocketAddr, BindingError>) {
        if !std::mem::replace(&mut self.is_known, true) {
            self.outcome = Some(outcome);
        }
    }

    /// The deadline may have come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.ask(now);
        }
    }

    /// The next datagram to the server.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        match self.transaction.as_mut()?.poll(now) {
            Due::Send(bytes) => Some(Transmit {
                target: self.server,
                bytes: bytes.to_vec(),
            }),
            Due::Nothing => None,
            Due::Expired => {
                self.transaction = None;
                let server = self.server;
                self.tell(Err(BindingError::NoAnswer { server }));
                None
            }
        }
    }

    /// How it came out, once.
    pub fn poll_outcome(&mut self) -> Option<Result<SocketAddr, BindingError>> {
        self.outcome.take()
    }

    /// It came out one way or the other.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known
    }

    /// When [`BindingClient::handle_timeout`] and [`BindingClient::poll_transmit`] want to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.transaction
            .as_ref()
            .map(Transaction::next)
            .or(self.again)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;
    use stun_rs::attributes::stun::XorMappedAddress;
    use stun_rs::{MessageClass, MessageEncoderBuilder, StunMessageBuilder};

    use super::*;
    use crate::any_instant;

    const MAPPED: &str = "198.51.100.7:61000";

    fn client(now: Instant) -> BindingClient {
        let server = "192.0.2.1:3478".parse().unwrap();
        BindingClient::new(server, ChaCha8Rng::from_seed([1; 32]), now)
    }

    fn answer(request: &[u8], mapped: &str) -> Vec<u8> {
        let id: [u8; 12] = request[8..20].try_into().unwrap();
        let mapped: SocketAddr = mapped.parse().unwrap();
        let message = StunMessageBuilder::new(BINDING, MessageClass::SuccessResponse)
            .with_transaction_id(id.into())
            .with_attribute(XorMappedAddress::from(mapped))
            .build();
        let mut bytes = vec![0; 100];
        let encoder = MessageEncoderBuilder::default().build();
        let len = encoder.encode(&mut bytes, &message).unwrap();
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn the_answer_to_our_request_tells_who_we_are_and_the_mapping_is_kept() {
        let now = any_instant();
        let mut client = client(now);
        let request = client.poll_transmit(now).unwrap();
        assert_eq!(request.target, client.server());
        assert!(client.handle_datagram(&answer(&request.bytes, MAPPED), now));
        assert_eq!(client.poll_outcome(), Some(Ok(MAPPED.parse().unwrap())));
        assert_eq!(client.poll_timeout(), Some(now + KEEP_ALIVE));
        client.handle_timeout(now + KEEP_ALIVE);
        let again = client.poll_transmit(now + KEEP_ALIVE).unwrap();
        assert_ne!(again.bytes, request.bytes);
        assert!(client.handle_datagram(&answer(&again.bytes, MAPPED), now + KEEP_ALIVE));
        assert_eq!(client.poll_outcome(), None, "it is told once");
    }

    #[test]
    fn answers_to_nobodys_request_are_not_ours() {
        let now = any_instant();
        let mut client = client(now);
        let request = client.poll_transmit(now).unwrap();
        let mut forged = answer(&request.bytes, MAPPED);
        forged[19] ^= 1;
        assert!(!client.handle_datagram(&forged, now));
        assert!(
            !client.handle_datagram(&request.bytes, now),
            "our own words"
        );
        assert_eq!(client.poll_outcome(), None);
    }

    #[test]
    fn a_server_that_does_not_answer_is_said() {
        let now = any_instant();
        let mut client = client(now);
        while let Some(at) = client.poll_timeout() {
            client.handle_timeout(at);
            client.poll_transmit(at);
        }
        let server = client.server();
        let said = client.poll_outcome().unwrap().unwrap_err();
        assert_eq!(said, BindingError::NoAnswer { server });
        assert_eq!(
            said.to_string(),
            "the STUN server 192.0.2.1:3478 does not answer"
        );
    }
}
