//! Many bindings from one socket: filled, refreshed at a fixed rate, asked for after a restart.
//!
//! Commands come on standard input, one a line, each answered with one line of JSON: `fill`, `refresh RATE COUNT`, `ask`.

use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use sip::Ids;
use socket2::SockRef;

use crate::message::{Account, push_token};
use crate::registrar::{Purpose, Registrar, Tally};

/// Requests under way at the same time while no rate is asked for.
const WINDOW: usize = 128;

const RECEIVE_BUFFER: usize = 4 << 20;

/// Who registers where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server, on UDP.
    #[arg(long)]
    target: SocketAddr,
    #[arg(long)]
    domain: String,
    /// The one password of all.
    #[arg(long)]
    password: String,
    /// How many accounts: u000000, u000001, ….
    #[arg(long)]
    accounts: usize,
    /// Contacts carry a push token of 153 characters.
    #[arg(long)]
    push: bool,
}

/// Works commands off until standard input ends.
pub(crate) fn run(arguments: &Arguments) -> io::Result<()> {
    let mut registrar = connect(arguments)?;
    let everybody = 0..arguments.accounts;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let started = Instant::now();
        match words[..] {
            ["fill"] => at_once(&mut registrar, everybody.clone(), Purpose::Bind)?,
            ["ask"] => at_once(&mut registrar, everybody.clone(), Purpose::Ask)?,
            ["refresh", rate, count] => {
                let (Ok(rate), Ok(count)) = (rate.parse(), count.parse()) else {
                    return Err(io::ErrorKind::InvalidInput.into());
                };
                at_rate(&mut registrar, rate, count)?;
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        let tally = std::mem::take(&mut registrar.tally);
        println!("{}", report(tally, started.elapsed()));
        io::stdout().flush()?;
    }
    Ok(())
}

fn connect(arguments: &Arguments) -> io::Result<Registrar> {
    let socket = UdpSocket::bind((arguments.target.ip(), 0))?;
    SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(arguments.target)?;
    let address = socket.local_addr()?;
    let mut ids = Ids::from_seed([3; 32]);
    let users: Vec<String> = (0..arguments.accounts)
        .map(|index| format!("u{index:06}"))
        .collect();
    let contacts = users.iter().map(|user| {
        let push = match arguments.push {
            true => format!(
                ";pn-provider=fcm;pn-param=tandem-1a2b3;pn-prid={}",
                push_token(&mut ids)
            ),
            false => String::new(),
        };
        format!("Contact: <sip:{user}@{address}{push}>\r\n")
    });
    let contacts = contacts.collect();
    let accounts = users
        .iter()
        .map(|user| Account::new(user, &arguments.domain, &arguments.password));
    Registrar::new(socket, accounts.collect(), contacts, ids)
}

fn at_once(
    registrar: &mut Registrar,
    accounts: impl Iterator<Item = usize>,
    purpose: Purpose,
) -> io::Result<()> {
    for account in accounts {
        while registrar.open() >= WINDOW {
            registrar.step()?;
        }
        registrar.start(account, purpose)?;
    }
    while registrar.open() > 0 {
        registrar.step()?;
    }
    Ok(())
}

fn at_rate(registrar: &mut Registrar, rate: u32, count: usize) -> io::Result<()> {
    let started = Instant::now();
    let everybody = registrar.accounts.len();
    for index in 0..count {
        let due = started + Duration::from_secs_f64(index as f64 / f64::from(rate));
        while Instant::now() < due {
            registrar.turn()?;
        }
        registrar.start(index % everybody, Purpose::Bind)?;
    }
    while registrar.open() > 0 {
        registrar.turn()?;
    }
    Ok(())
}

fn report(mut tally: Tally, took: Duration) -> Value {
    json!({
        "granted": tally.granted,
        "refused": tally.refused,
        "unanswered": tally.unanswered,
        "challenged": tally.challenged,
        "repeated": tally.repeated,
        "contacts": tally.contacts,
        "seconds": took.as_secs_f64(),
        "p50_ms": tally.quantile_ms(0.5),
        "p99_ms": tally.quantile_ms(0.99),
        "max_ms": tally.quantile_ms(1.0),
    })
}
