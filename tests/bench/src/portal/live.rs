//! Pages that watch a tenant while accounts register: from the moment a REGISTER leaves until each page knows.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::StreamExt;
use serde_json::{Value, json};
use sip::Ids;
use socket2::SockRef;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{Failure, Target, client::Page, times};
use crate::{
    message::Account,
    registrar::{Purpose, Registrar},
};

/// How many pages, how many events.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The proxy, on UDP.
    #[arg(long)]
    sip: SocketAddr,
    #[arg(long)]
    domain: String,
    /// The one password of all accounts.
    #[arg(long)]
    password: String,
    /// Pages that watch.
    #[arg(long, default_value_t = 200)]
    pages: usize,
    /// Accounts that come a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Accounts that come in all: each is one event. They must not be registered yet.
    #[arg(long, default_value_t = 4000)]
    count: usize,
}

/// When each account's REGISTER left, by the account's key.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;

/// What a page saw.
#[derive(Debug, Default)]
struct Seen {
    taken: Vec<Duration>,
    /// Frames that were no successor of the one before.
    gaps: usize,
    /// Snapshots beyond the first.
    snapshots: usize,
    frames: usize,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Value, Failure> {
    let keys = keys(arguments).await?;
    let sent = Sent::default();
    let (ready, mut is_ready) = mpsc::channel(arguments.pages.max(1));
    let (over, end) = watch::channel(false);
    let (counter, mut arrived) = watch::channel(0);
    let mut pages = Vec::new();
    for _ in 0..arguments.pages {
        let page = watch_page(
            arguments.target.clone(),
            sent.clone(),
            ready.clone(),
            counter.clone(),
            end.clone(),
        );
        pages.push(tokio::spawn(page));
    }
    drop(ready);
    let begun = Instant::now();
    for _ in 0..arguments.pages {
        is_ready
            .recv()
            .await
            .ok_or_else(|| Failure("a page was refused".to_owned()))?;
    }
    let joined = begun.elapsed();

    let begun = Instant::now();
    let (work, clock) = (arguments.clone(), sent.clone());
    let registering = thread::spawn(move || register(&work, &keys, &clock));
    let registered = tokio::task::spawn_blocking(move || registering.join())
        .await
        .map_err(|error| Failure(error.to_string()))?;
    let granted = registered.map_err(|_| Failure("the registrations broke off".to_owned()))??;
    // Whatever is not there by then was missed.
    let _ = timeout(
        SETTLE,
        arrived.wait_for(|count| *count >= granted * arguments.pages),
    )
    .await;
    let during = begun.elapsed();
    over.send_replace(true);

    let mut seen = Seen::default();
    for page in pages {
        let page = page.await.map_err(|error| Failure(error.to_string()))??;
        seen.taken.extend(page.taken);
        seen.gaps += page.gaps;
        seen.snapshots += page.snapshots;
        seen.frames += page.frames;
    }
    let missed = granted * arguments.pages - seen.taken.len();
    Ok(json!({
        "pages": arguments.pages,
        "all_pages_had_the_snapshot_after_ms": joined.as_millis(),
        "events": granted,
        "frames": seen.frames,
        "gaps": seen.gaps,
        "snapshots": seen.snapshots,
        "missed": missed,
        "from_register_to_page": times(seen.taken, during),
    }))
}

/// The accounts' keys in the order of their user names.
async fn keys(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let page = Page::new(&arguments.target)?;
    let mut found: Vec<(String, String)> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", "200")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let answer = page.json("/accounts", &query).await?;
        for account in answer["items"].as_array().into_iter().flatten() {
            if let (Some(user), Some(id)) = (account["username"].as_str(), account["id"].as_str()) {
                found.push((user.to_owned(), id.to_owned()));
            }
        }
        match answer["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    found.retain(|(user, _)| user.starts_with('u'));
    found.sort_unstable();
    if found.len() < arguments.count {
        return Err(Failure(format!("there are only {} accounts", found.len())));
    }
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// Registers one account after the other at the rate. Gives how many were granted.
fn register(arguments: &Arguments, keys: &[String], sent: &Sent) -> Result<usize, Failure> {
    let socket = UdpSocket::bind((arguments.sip.ip(), 0))?;
    SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(arguments.sip)?;
    let address = socket.local_addr()?;
    let users = (0..arguments.count).map(|index| format!("u{index:06}"));
    let (accounts, contacts) = users
        .map(|user| {
            let contact = format!("Contact: <sip:{user}@{address}>\r\n");
            let account = Account::new(&user, &arguments.domain, &arguments.password);
            (account, contact)
        })
        .unzip();
    let mut registrar = Registrar::new(socket, accounts, contacts, Ids::from_seed([5; 32]))?;
    let begun = Instant::now();
    for (index, key) in keys.iter().take(arguments.count).enumerate() {
        let due = begun + Duration::from_secs_f64(index as f64 / f64::from(arguments.rate));
        while Instant::now() < due {
            registrar.turn()?;
        }
        sent.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), Instant::now());
        registrar.start(index, Purpose::Bind)?;
    }
    while registrar.open() > 0 {
        registrar.step()?;
    }
    Ok(registrar.tally.granted)
}

/// One page, until the end is told.
async fn watch_page(
    target: Target,
    sent: Sent,
    ready: mpsc::Sender<()>,
    arrived: watch::Sender<usize>,
    mut end: watch::Receiver<bool>,
) -> Result<Seen, Failure> {
    let broken = |error: tokio_tungstenite::tungstenite::Error| Failure(error.to_string());
    let address = format!(
        "{}/api/v1/tenants/{}/live",
        target.url.replacen("http", "ws", 1),
        target.tenant
    );
    let mut request = address.into_client_request().map_err(broken)?;
    for (name, value) in [("cookie", &target.cookie), ("origin", &target.url)] {
        let value = HeaderValue::from_str(value).map_err(|error| Failure(error.to_string()))?;
        request.headers_mut().insert(name, value);
    }
    let (mut socket, _) = connect_async(request).await.map_err(broken)?;
    let mut seen = Seen::default();
    let mut last: Option<u64> = None;
    loop {
        let message = tokio::select! {
            _ = end.wait_for(|over| *over) => return Ok(seen),
            message = socket.next() => message,
        };
        let Some(Ok(message)) = message else {
            return Err(Failure("the server closed a page's channel".to_owned()));
        };
        let Message::Text(text) = message else {
            continue;
        };
        let now = Instant::now();
        let frame: Value =
            serde_json::from_str(&text).map_err(|error| Failure(error.to_string()))?;
        let seq = frame["seq"].as_u64().unwrap_or_default();
        if frame["type"] == "snapshot" {
            if frame["last"] == true {
                seen.snapshots += usize::from(last.is_some());
                last = Some(seq);
                // Whoever waits for all pages may have gone on.
                let _ = ready.try_send(());
            }
            continue;
        }
        seen.frames += 1;
        seen.gaps += usize::from(last.is_none_or(|last| seq != last + 1));
        last = Some(seq);
        let counted = seen.taken.len();
        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        for account in frame["accounts"].as_array().into_iter().flatten() {
            let left = account["id"].as_str().and_then(|id| sent.get(id));
            seen.taken.extend(left.map(|left| now - *left));
        }
        drop(sent);
        arrived.send_modify(|count| *count += seen.taken.len() - counted);
    }
}

/// After the last registration, for what is still on its way.
const SETTLE: Duration = Duration::from_secs(2);

const RECEIVE_BUFFER: usize = 4 << 20;
