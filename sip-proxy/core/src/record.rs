//! One binding as bytes in the clear: on its way through the registrar, between shards and on disk.
//!
//! ```text
//!   0 length │ 2 flags │ 3 kind │ 4 expires │ 8 updated │ 12 CSeq │ 16 reg-id │ 20 q │ 22 lengths of contact, Call-ID, path, user agent
//!   30 place and length of the URI │ 34 of the instance-id │ 38 generation of a connection │ addresses │ the texts, one after the other
//! ```
//!
//! Numbers are little-endian. Places are counted from the first text. URI and instance-id are not stored twice: they lie within the
//! contact. How a new one is made is in `record/new.rs`.
//!
//! Invariant: every accessor is total. Bytes that came from a disk may be wrong and then read as empty or zero, never as a panic.
//!
//! Not here: which bindings an address-of-record has (`bound.rs`), and how they lie in memory (`shelved.rs`).

mod new;

use std::net::{IpAddr, SocketAddr};

use sip::{Destination, Flow, Transport};

pub(crate) use new::{MAX_BYTES, NewBinding, cut_user_agent, repack};

const FIXED: usize = 38;

const OUTBOUND: u8 = 1;

const TRANSPORT: u8 = 0b111;
const IS_FLOW: u8 = 1 << 3;
const PEER_IS_V6: u8 = 1 << 4;
const LOCAL_IS_V6: u8 = 1 << 5;

pub(crate) const TRANSPORTS: [Transport; 5] = [
    Transport::Udp,
    Transport::Tcp,
    Transport::Tls,
    Transport::Ws,
    Transport::Wss,
];

/// Transport, and what kinds of addresses there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) u8);

impl Kind {
    /// `None` for a transport without a number.
    pub(crate) fn of(reached_by: Destination) -> Option<Self> {
        let (transport, peer, local) = match reached_by {
            Destination::Flow(flow) => (flow.transport, flow.peer, Some(flow.local)),
            Destination::Address {
                transport, peer, ..
            } => (transport, peer, None),
        };
        let index = TRANSPORTS.iter().position(|own| *own == transport)?;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(local.is_some(), IS_FLOW)
            | flag(peer.is_ipv6(), PEER_IS_V6)
            | flag(local.is_some_and(|local| local.is_ipv6()), LOCAL_IS_V6);
        Some(Self(u8::try_from(index).ok()? | flags))
    }

    /// What the addresses of this kind, as they lie in a binding, say together.
    pub(crate) fn reached_by(
        self,
        local: &[u8],
        peer: &[u8],
        generation: u64,
    ) -> Option<Destination> {
        let (transport, peer) = (self.transport(), address(peer)?);
        Some(match self.is_flow() {
            true => Destination::Flow(Flow {
                transport,
                local: address(local)?,
                peer,
                generation,
            }),
            false => Destination::Address {
                transport,
                peer,
                domain: None,
            },
        })
    }

    /// Whether it is reached by a connection, whose generation it has.
    pub(crate) fn is_stream(self) -> bool {
        self.is_flow() && self.transport().is_reliable()
    }

    /// How many bytes the device's address takes.
    pub(crate) fn peer_len(self) -> usize {
        address_len(self.0 & PEER_IS_V6)
    }

    /// How many our own address takes, which only a flow has.
    fn local_len(self) -> usize {
        match self.is_flow() {
            true => address_len(self.0 & LOCAL_IS_V6),
            false => 0,
        }
    }

    /// How many all addresses take, with the generation of a connection.
    fn addresses_len(self) -> usize {
        let generation = if self.is_stream() { 8 } else { 0 };
        generation + self.local_len() + self.peer_len()
    }

    fn is_flow(self) -> bool {
        self.0 & IS_FLOW != 0
    }

    fn transport(self) -> Transport {
        let index = usize::from(self.0 & TRANSPORT);
        TRANSPORTS.get(index).copied().unwrap_or(Transport::Udp)
    }
}

/// An address as it lies in a binding.
pub(crate) fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk()?;
    let ip: IpAddr = match ip.len() {
        4 => array::<4>(ip, 0)?.into(),
        _ => array::<16>(ip, 0)?.into(),
    };
    Some(SocketAddr::new(ip, u16::from_le_bytes(*port)))
}

/// A packed binding, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BindingRef<'a>(&'a [u8]);

impl<'a> BindingRef<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The first binding of `bytes` and what follows it; `None` at the end or where no whole binding is.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = usize::from(u16::from_le_bytes(array(bytes, 0)?));
        let (own, rest) = bytes.split_at_checked(length)?;
        (length >= FIXED).then_some((Self(own), rest))
    }

    /// Whether what was read from a disk can be used.
    pub(crate) fn is_sound(self) -> bool {
        let texts = self.texts();
        !self.contact().is_empty()
            && !self.uri().is_empty()
            && !self.call_id().is_empty()
            && std::str::from_utf8(texts).is_ok()
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn expires(self) -> u32 {
        self.u32(4)
    }

    /// When it was made or refreshed.
    pub(crate) fn updated(self) -> u32 {
        self.u32(8)
    }

    pub(crate) fn cseq(self) -> u32 {
        self.u32(12)
    }

    /// Zero for none.
    pub(crate) fn reg_id(self) -> u32 {
        self.u32(16)
    }

    /// The preference in thousandths.
    pub(crate) fn q_thousandths(self) -> u16 {
        self.u16(20)
    }

    /// Whether it is a flow of RFC 5626.
    pub(crate) fn is_outbound(self) -> bool {
        self.0.get(2).is_some_and(|flags| flags & OUTBOUND != 0)
    }

    /// The Contact value as the device sent it, without `expires`.
    pub(crate) fn contact(self) -> &'a str {
        self.text(0, self.length(22))
    }

    pub(crate) fn call_id(self) -> &'a str {
        self.text(self.length(22), self.length(24))
    }

    /// The Path values with commas between them.
    pub(crate) fn path(self) -> &'a str {
        self.text(self.length(22) + self.length(24), self.length(26))
    }

    pub(crate) fn user_agent(self) -> &'a str {
        let before = self.length(22) + self.length(24) + self.length(26);
        self.text(before, self.length(28))
    }

    /// The URI of the contact.
    pub(crate) fn uri(self) -> &'a str {
        self.text(self.length(30), self.length(32))
    }

    /// Empty for none.
    pub(crate) fn instance(self) -> &'a str {
        self.text(self.length(34), self.length(36))
    }

    /// Whether both are the same device, or the same flow of a device with several.
    pub(crate) fn is_same(self, other: Self) -> bool {
        let [uri, instance] = [30, 34].map(|at| self.part(at));
        let [other_uri, other_instance] = [30, 34].map(|at| other.part(at));
        match instance {
            [] => other_instance.is_empty() && uri == other_uri,
            _ => instance == other_instance && self.reg_id() == other.reg_id(),
        }
    }

    /// Generation of the connection it is reached by, if it is.
    pub(crate) fn generation(self) -> Option<u64> {
        let is_stream = self.kind().is_stream();
        is_stream
            .then(|| array(self.0, FIXED).map(u64::from_le_bytes))
            .flatten()
    }

    /// Where requests to the device go.
    pub(crate) fn reached_by(self) -> Option<Destination> {
        self.kind().reached_by(
            self.local_bytes(),
            self.peer_bytes(),
            self.generation().unwrap_or(0),
        )
    }

    /// Transport, and what kinds of addresses there are.
    pub(crate) fn kind(self) -> Kind {
        Kind(self.0.get(3).copied().unwrap_or(0))
    }

    /// Our own address of the flow as it lies here; empty if there is none.
    pub(crate) fn local_bytes(self) -> &'a [u8] {
        let at = self.local_at();
        self.0
            .get(at..at + self.kind().local_len())
            .unwrap_or_default()
    }

    /// The device's address as it lies here.
    pub(crate) fn peer_bytes(self) -> &'a [u8] {
        let at = self.peer_at();
        self.0
            .get(at..at + self.kind().peer_len())
            .unwrap_or_default()
    }

    /// The device's address, or its proxy's.
    pub(crate) fn peer(self) -> Option<SocketAddr> {
        address(self.peer_bytes())
    }

    /// Place and length of the URI and of the instance-id.
    pub(crate) fn places(self) -> [[u16; 2]; 2] {
        [[self.u16(30), self.u16(32)], [self.u16(34), self.u16(36)]]
    }

    /// The text behind all others, of which URI or instance-id is a part if they are none of the contact.
    pub(crate) fn more(self) -> &'a [u8] {
        let before: usize = [22, 24, 26, 28].map(|at| self.length(at)).iter().sum();
        self.texts().get(before..).unwrap_or_default()
    }

    fn local_at(self) -> usize {
        FIXED + if self.kind().is_stream() { 8 } else { 0 }
    }

    fn peer_at(self) -> usize {
        self.local_at() + self.kind().local_len()
    }

    fn texts(self) -> &'a [u8] {
        let at = self.peer_at() + self.kind().peer_len();
        self.0.get(at..).unwrap_or_default()
    }

    /// What the place and the length at `at` name.
    fn part(self, at: usize) -> &'a [u8] {
        let start = self.length(at);
        let end = start + self.length(at + 2);
        self.texts().get(start..end).unwrap_or_default()
    }

    fn text(self, at: usize, length: usize) -> &'a str {
        let bytes = self.texts().get(at..at + length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn length(self, at: usize) -> usize {
        usize::from(self.u16(at))
    }

    fn u16(self, at: usize) -> u16 {
        array(self.0, at).map_or(0, u16::from_le_bytes)
    }

    fn u32(self, at: usize) -> u32 {
        array(self.0, at).map_or(0, u32::from_le_bytes)
    }
}

fn address_len(is_v6: u8) -> usize {
    if is_v6 == 0 { 6 } else { 18 }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests;
