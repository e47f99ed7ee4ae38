//! A request sent behind a torture message: once it is answered, so is whatever came before it, and silence is known without waiting.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::corpus::Torture;
use crate::link::Link;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Sends `message` and a fence behind it. What came back before the fence's answer; where that was nothing and silence is not allowed,
/// what comes next: a server may have to look something up for the message and nothing for the fence.
pub(crate) async fn exchange(link: &mut Link, message: &Torture, target: &str) -> Exchange {
    let bytes = match link.via_transport() {
        "TCP" | "TLS" => message.on_stream(),
        _ => message.bytes.clone(),
    };
    link.send(&bytes).await;
    let mut exchange = answers(link, target).await;
    while !exchange.closed && exchange.statuses.is_empty() && !message.allowed.permits(&[]) {
        match link.receive().await {
            None => exchange.closed = true,
            Some(text) => exchange.statuses.extend(final_of(&text)),
        }
    }
    exchange
}

/// What came of one message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Statuses other than 100, in order.
    pub(crate) statuses: Vec<u16>,
    /// Whether the peer has closed the connection rather than answer the fence.
    pub(crate) closed: bool,
}

/// Sends a fence and collects what comes back until it is answered.
pub(crate) async fn answers(link: &mut Link, target: &str) -> Exchange {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let call_id = format!("fence-{number}");
    link.send(fence(number, link.via_transport(), target).as_bytes())
        .await;
    let mut statuses = Vec::new();
    loop {
        let Some(text) = link.receive().await else {
            return Exchange {
                statuses,
                closed: true,
            };
        };
        if text.starts_with("SIP/2.0 ") && text.contains(&call_id) {
            return Exchange {
                statuses,
                closed: false,
            };
        }
        statuses.extend(final_of(&text));
    }
}

/// The status of a response other than 100; `None` for that and for a request.
fn final_of(text: &str) -> Option<u16> {
    let status = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    (status > 100).then_some(status)
}

fn fence(number: u64, transport: &str, target: &str) -> String {
    format!(
        "OPTIONS {target} SIP/2.0\r\n\
         Via: SIP/2.0/{transport} torture.invalid;branch=z9hG4bKfence{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:torture@torture.invalid>;tag=f{number}\r\n\
         To: <{target}>\r\n\
         Call-ID: fence-{number}\r\n\
         CSeq: 1 OPTIONS\r\n\
         User-Agent: a fence that is long enough to earn itself a challenge in answer, which may be one and a half times as long\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
