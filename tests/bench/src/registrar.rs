//! Many accounts that register from one UDP socket: answers matched by Call-ID, requests repeated as RFC 3261 has it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use sip::{Contacts, Ids, Request, Response};

use crate::message::{Account, Sender, renumber, response};

/// Until a request is sent again for the first time (T1).
const T1: Duration = Duration::from_millis(500);

/// The longest time between two sendings (T2).
const T2: Duration = Duration::from_secs(4);

/// After so long nobody will answer (timer F, 64 times T1).
const TIMER_F: Duration = Duration::from_secs(32);

/// How long a receive waits: requests that are due are looked at this often.
const TURN: Duration = Duration::from_millis(1);

/// What a round of requests came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) granted: usize,
    pub(crate) refused: usize,
    pub(crate) unanswered: usize,
    pub(crate) repeated: usize,
    pub(crate) challenged: usize,
    /// Contacts in the answers.
    pub(crate) contacts: usize,
    /// From the first sending to the last answer.
    pub(crate) times: Vec<Duration>,
}

impl Tally {
    /// The time that `share` of the answers did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&mut self, share: f64) -> f64 {
        self.times.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index between the first and the last"
        )]
        let index = (self.times.len().saturating_sub(1) as f64 * share).round() as usize;
        self.times
            .get(index)
            .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    pub(crate) fn done(&self) -> usize {
        self.granted + self.refused + self.unanswered
    }
}

/// A request under way.
struct Open {
    account: usize,
    request: Request,
    /// Before it was challenged, if it was.
    first_sent: Instant,
    sent: Instant,
    /// Until it is sent again.
    interval: Duration,
}

/// The socket, the accounts, and what is under way.
pub(crate) struct Registrar {
    socket: UdpSocket,
    from: Sender,
    pub(crate) accounts: Vec<Account>,
    contacts: Vec<String>,
    /// One for each account, for as long as it lives (RFC 3261, section 10.2).
    call_ids: Vec<String>,
    cseq: u32,
    open: HashMap<String, Open>,
    due: BTreeSet<(Instant, String)>,
    ids: Ids,
    buffer: Vec<u8>,
    pub(crate) tally: Tally,
}

/// What a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Bind the account's contact, or refresh it.
    Bind,
    /// Ask what is bound.
    Ask,
}

impl Registrar {
    /// Accounts behind a socket that is connected to the server; each has the contact of the same index.
    pub(crate) fn new(
        socket: UdpSocket,
        accounts: Vec<Account>,
        contacts: Vec<String>,
        mut ids: Ids,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(TURN))?;
        let from = Sender {
            transport: "UDP",
            address: socket.local_addr()?,
        };
        Ok(Self {
            socket,
            from,
            call_ids: accounts.iter().map(|_| ids.call_id()).collect(),
            accounts,
            contacts,
            cseq: 0,
            open: HashMap::new(),
            due: BTreeSet::new(),
            ids,
            buffer: vec![0; 65_535],
            tally: Tally::default(),
        })
    }

    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// Sends one request of an account, with credentials if it has a nonce.
    pub(crate) fn start(&mut self, account: usize, purpose: Purpose) -> io::Result<()> {
        self.cseq += 1;
        let contact = match purpose {
            Purpose::Bind => self.contacts[account].as_str(),
            Purpose::Ask => "",
        };
        let mut request =
            self.accounts[account].register(self.from, contact, self.cseq, &mut self.ids);
        request.set_header("Call-ID", &self.call_ids[account]);
        self.accounts[account].anticipate(&mut request);
        self.send(account, request, Instant::now())
    }

    fn send(&mut self, account: usize, request: Request, first_sent: Instant) -> io::Result<()> {
        transmit(&self.socket, &request.to_bytes())?;
        let call_id = request.call_id().unwrap_or_default().to_owned();
        let sent = Instant::now();
        self.due.insert((sent + T1, call_id.clone()));
        let open = Open {
            account,
            request,
            first_sent,
            sent,
            interval: T1,
        };
        self.open.insert(call_id, open);
        Ok(())
    }

    /// Takes answers in until none is there, at most for one turn, and repeats what is due.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let end = Instant::now() + TURN;
        while self.take_next()? && Instant::now() < end {}
        self.repeat()
    }

    /// Takes one answer in, so that another request can leave at once, and repeats what is due.
    pub(crate) fn step(&mut self) -> io::Result<()> {
        self.take_next()?;
        self.repeat()
    }

    /// Waits for an answer, at most as long as the socket does; whether there was one.
    fn take_next(&mut self) -> io::Result<bool> {
        match self.socket.recv(&mut self.buffer) {
            Ok(len) => {
                let datagram = self.buffer[..len].to_vec();
                self.take(&datagram)?;
                Ok(true)
            }
            Err(error) if is_nothing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An answer, maybe not to a request of ours.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(response) = response(bytes) else {
            return Ok(());
        };
        let Ok(call_id) = response.call_id() else {
            return Ok(());
        };
        // A request that was sent again is answered again, maybe while the next one of its account is open.
        let answers = |open: &Open| {
            let [of_response, of_request] = [response.cseq(), open.request.cseq()];
            matches!((of_response, of_request), (Ok(one), Ok(other)) if one == other)
        };
        if !self.open.get(call_id).is_some_and(answers) {
            return Ok(());
        }
        let Some(open) = self.open.remove(call_id) else {
            return Ok(());
        };
        match response.status.code() {
            100..=199 => {
                let call_id = open.request.call_id().unwrap_or_default().to_owned();
                self.open.insert(call_id, open);
            }
            200..=299 => {
                self.tally.granted += 1;
                self.tally.contacts += contacts(&response);
                self.tally.times.push(open.first_sent.elapsed());
            }
            401 => {
                self.tally.challenged += 1;
                let account = &mut self.accounts[open.account];
                match account.answer(&response, &open.request, self.from, &mut self.ids) {
                    Some(mut again) => {
                        self.cseq += 1;
                        renumber(&mut again, self.cseq, self.from, &mut self.ids);
                        self.send(open.account, again, open.first_sent)?;
                    }
                    None => self.tally.refused += 1,
                }
            }
            _ => self.tally.refused += 1,
        }
        Ok(())
    }

    fn repeat(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while self.due.first().is_some_and(|(due, _)| *due <= now) {
            let Some((due, call_id)) = self.due.pop_first() else {
                break;
            };
            let Some(open) = self.open.get_mut(&call_id) else {
                continue;
            };
            // It was challenged since: the request with credentials has its own time.
            if due < open.sent + open.interval {
                continue;
            }
            if now - open.sent >= TIMER_F {
                self.open.remove(&call_id);
                self.tally.unanswered += 1;
                continue;
            }
            transmit(&self.socket, &open.request.to_bytes())?;
            self.tally.repeated += 1;
            let before = open.interval;
            open.interval = (before * 2).min(T2);
            self.due.insert((now + open.interval, call_id));
        }
        Ok(())
    }
}

fn contacts(response: &Response) -> usize {
    match response.contacts() {
        Ok(Contacts::List(contacts)) => contacts.len(),
        _ => 0,
    }
}

/// A datagram that the socket has no room for, or whose receiver is not there, is a lost one.
fn transmit(socket: &UdpSocket, bytes: &[u8]) -> io::Result<()> {
    match socket.send(bytes) {
        Err(error) if !is_nothing(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, Interrupted, TimedOut, WouldBlock};
    matches!(
        error.kind(),
        WouldBlock | TimedOut | ConnectionRefused | Interrupted
    )
}
