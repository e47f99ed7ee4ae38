//! Those who mean well and must not notice.

use std::io::{self, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use serde_json::{Value, json};
use sip::{Ids, Request, Response};

use super::attack::options;
use super::wire::{Over, Stream, connect, open, read_message};
use super::{Arguments, Counters};
use crate::message::{Account, Sender, renumber, response};
use crate::registrar::{Purpose, Registrar, Tally};
use crate::streams::believing;

/// Between two newcomers.
const NEWCOMERS_EVERY: Duration = Duration::from_millis(250);

pub(super) fn report(tally: &mut Tally) -> Value {
    json!({
        "asked": tally.done(),
        "served": tally.granted,
        "p50_ms": tally.quantile_ms(0.5),
        "p99_ms": tally.quantile_ms(0.99),
        "most_ms": tally.quantile_ms(1.0),
    })
}

fn account(arguments: &Arguments) -> Account {
    Account::new(&arguments.user, &arguments.domain, &arguments.password)
}

/// A phone on UDP, registered.
pub(super) fn over_udp(arguments: &Arguments) -> io::Result<Registrar> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(arguments.udp)?;
    let address = socket.local_addr()?;
    let contact = format!("Contact: <sip:{}@{address}>\r\n", arguments.user);
    let ids = Ids::from_seed([6; 32]);
    let mut registrar = Registrar::new(socket, vec![account(arguments)], vec![contact], ids)?;
    refresh_once(&mut registrar)?;
    if registrar.tally.granted == 0 {
        return Err(io::Error::other("the phone cannot register over UDP"));
    }
    registrar.tally = Tally::default();
    Ok(registrar)
}

fn refresh_once(registrar: &mut Registrar) -> io::Result<()> {
    registrar.start(0, Purpose::Bind)?;
    while registrar.open() > 0 {
        registrar.turn()?;
    }
    Ok(())
}

pub(super) fn refresh_over_udp(
    registrar: &mut Registrar,
    arguments: &Arguments,
    counters: &Counters,
) -> io::Result<()> {
    at_rate(arguments.rate, counters, || refresh_once(registrar))
}

/// Does something again and again, at this rate if it is quick enough.
fn at_rate(
    rate: u32,
    counters: &Counters,
    mut step: impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let interval = Duration::from_secs(1) / rate.max(1);
    while !counters.is_over() {
        let started = Instant::now();
        step()?;
        thread::park_timeout(interval.saturating_sub(started.elapsed()));
    }
    Ok(())
}

/// A phone on a connection that lasts, registered.
pub(super) struct Lasting {
    over: Over,
    stream: Box<dyn Stream>,
    from: Sender,
    account: Account,
    contact: String,
    cseq: u32,
    ids: Ids,
    pub(super) tally: Tally,
}

impl Lasting {
    pub(super) fn open(arguments: &Arguments) -> io::Result<Self> {
        let over = arguments.over;
        let tcp = connect(Ipv4Addr::LOCALHOST, arguments.target, None)?;
        let address = tcp.local_addr()?;
        let transport = over.name();
        let mut lasting = Self {
            over,
            stream: open(over, config(arguments)?.as_ref(), tcp)?,
            from: Sender { transport, address },
            account: account(arguments),
            contact: format!(
                "Contact: <sip:{}@{address};transport={}>\r\n",
                arguments.user,
                transport.to_ascii_lowercase()
            ),
            cseq: 0,
            ids: Ids::from_seed([7; 32]),
            tally: Tally::default(),
        };
        lasting.register()?;
        if lasting.tally.granted == 0 {
            return Err(io::Error::other("the phone cannot register over a stream"));
        }
        lasting.tally = Tally::default();
        Ok(lasting)
    }

    pub(super) fn refresh(&mut self, arguments: &Arguments, counters: &Counters) -> io::Result<()> {
        at_rate(arguments.rate, counters, || self.register())
    }

    /// Registers once. A connection that the server has closed is an error.
    fn register(&mut self) -> io::Result<()> {
        let started = Instant::now();
        self.cseq += 1;
        let (contact, cseq) = (self.contact.as_str(), self.cseq);
        let mut request = self
            .account
            .register(self.from, contact, cseq, &mut self.ids);
        self.account.anticipate(&mut request);
        let mut answer = self.ask(&request)?;
        if answer.status.code() == 401
            && let Some(mut again) =
                self.account
                    .answer(&answer, &request, self.from, &mut self.ids)
        {
            self.cseq += 1;
            renumber(&mut again, self.cseq, self.from, &mut self.ids);
            answer = self.ask(&again)?;
        }
        match answer.status.code() {
            200 => {
                self.tally.granted += 1;
                self.tally.times.push(started.elapsed());
            }
            _ => self.tally.refused += 1,
        }
        Ok(())
    }

    fn ask(&mut self, request: &Request) -> io::Result<Response> {
        self.stream
            .write_all(&self.over.frame(&request.to_bytes()))?;
        self.stream.flush()?;
        let bytes = read_message(self.over, &mut *self.stream)?;
        response(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn config(arguments: &Arguments) -> io::Result<Option<Arc<ClientConfig>>> {
    let config = arguments.authority.as_deref().map(believing).transpose()?;
    Ok(config.map(Arc::new))
}

/// Somebody who connects, asks something and leaves; how long that took.
pub(super) fn newcomer(arguments: &Arguments) -> io::Result<Duration> {
    let started = Instant::now();
    let tcp = connect(Ipv4Addr::LOCALHOST, arguments.target, None)?;
    let address = tcp.local_addr()?;
    let mut stream = open(arguments.over, config(arguments)?.as_ref(), tcp)?;
    let question = options(arguments.over, &address, "new", 0);
    stream.write_all(&arguments.over.frame(&question))?;
    stream.flush()?;
    let bytes = read_message(arguments.over, &mut *stream)?;
    response(&bytes).ok_or(io::ErrorKind::InvalidData)?;
    Ok(started.elapsed())
}

pub(super) fn newcomers(arguments: &Arguments, counters: &Counters) -> Tally {
    let mut tally = Tally::default();
    while !counters.is_over() {
        match newcomer(arguments) {
            Ok(time) => {
                tally.granted += 1;
                tally.times.push(time);
            }
            Err(error) => {
                eprintln!("a newcomer: {error}");
                tally.unanswered += 1;
            }
        }
        thread::park_timeout(NEWCOMERS_EVERY);
    }
    tally
}
