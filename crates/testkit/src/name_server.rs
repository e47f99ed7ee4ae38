//! A small name server on loopback that answers from a table and counts what it is asked.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Seconds that a record may be kept.
const TTL_SECS: u32 = 300;

/// What a zone says, made by its methods.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: Vec<Record>,
    silent: Vec<RecordType>,
}

impl Zone {
    /// An A or AAAA record.
    ///
    /// # Panics
    ///
    /// If `name` is no domain name, as with all methods.
    #[must_use]
    pub fn address(self, name: &str, ip: IpAddr) -> Self {
        let data = match ip {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.with(name, data)
    }

    /// An SRV record: priority, weight, port and target.
    #[must_use]
    pub fn srv(self, name: &str, (priority, weight, port): (u16, u16, u16), target: &str) -> Self {
        let target = domain(target);
        self.with(name, RData::SRV(SRV::new(priority, weight, port, target)))
    }

    /// A NAPTR record with flag `s`.
    #[must_use]
    pub fn naptr(self, name: &str, order: u16, service: &str, replacement: &str) -> Self {
        let data = NAPTR::new(
            order,
            0,
            Box::from(b"s".as_slice()),
            Box::from(service.as_bytes()),
            Box::from(b"".as_slice()),
            domain(replacement),
        );
        self.with(name, RData::NAPTR(data))
    }

    /// Questions for NAPTR and SRV records get no answer, as behind some routers.
    #[must_use]
    pub fn silent_for_services(mut self) -> Self {
        self.silent.extend([RecordType::NAPTR, RecordType::SRV]);
        self
    }

    fn with(mut self, name: &str, data: RData) -> Self {
        let record = Record::from_rdata(domain(name), TTL_SECS, data);
        self.records.push(record);
        self
    }
}

#[expect(
    clippy::expect_used,
    reason = "a wrong name in a test is a bug of the test"
)]
fn domain(name: &str) -> Name {
    let absolute = format!("{}.", name.trim_end_matches('.'));
    Name::from_ascii(absolute).expect("a domain name")
}

/// A running name server; it ends when dropped.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<HashMap<String, usize>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts a server for `zone` on a port of its own.
    ///
    /// # Errors
    ///
    /// If the operating system gives no socket.
    pub fn start(zone: Zone) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (counts, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                if let Some(answer) = answer(&buffer[..length], &zone, &counts) {
                    // A lost answer is like one on a real network.
                    let _ = socket.send_to(&answer, peer);
                }
            }
        });
        Ok(Self {
            address,
            asked,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often a question came, as in `SRV _sip._udp.example.test`.
    #[must_use]
    pub fn asked(&self, question: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(question).copied().unwrap_or(0)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It ends at its next time-out; a panic there has failed the test already.
            let _ = thread.join();
        }
    }
}

fn answer(query: &[u8], zone: &Zone, asked: &Mutex<HashMap<String, usize>>) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let name = question.name.to_ascii().to_ascii_lowercase();
    let text = format!("{} {}", question.query_type, name.trim_end_matches('.'));
    *asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(text)
        .or_default() += 1;
    if zone.silent.contains(&question.query_type) {
        return None;
    }
    let mut response = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    response.metadata.recursion_desired = query.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    let of_name = |record: &&Record| record.name.to_ascii().eq_ignore_ascii_case(&name);
    if !zone.records.iter().any(|record| of_name(&record)) {
        response.metadata.response_code = ResponseCode::NXDomain;
    }
    for record in zone.records.iter().filter(of_name) {
        if record.record_type() == question.query_type {
            response.add_answer(record.clone());
        }
    }
    response.add_query(question);
    response.to_vec().ok()
}
