//! The messages against `tandem serve`.

use tests::{Server, Trust};

use crate::corpus::{Role, Torture, messages};
use crate::fence::{Exchange, answers, exchange};
use crate::link::Link;

/// Messages that end a stream because nobody can tell where the next one begins (RFC 3261, section 18.3): no Content-Length, a
/// negative one, several different ones.
const FRAMING_LOST: [&str; 3] = ["ncl", "mcl01", "inv2543"];

/// A message that promises more than it brings: on a stream the rest is waited for.
const INCOMPLETE: &str = "clerr";

/// A message with a second one behind it, which counts on a stream, and five octets of neither, which end it.
const DOUBLE: &str = "dblreq";

#[tokio::test]
async fn over_udp_each_message_gets_an_answer_that_is_allowed() {
    let server = Server::start().await;
    let target = format!("sip:{}", server.sip);
    let mut wrong = Vec::new();
    for message in messages(Role::Server) {
        let mut link = Link::udp(&server.sip).await;
        let exchange = exchange(&mut link, &message, &target).await;
        judge(&message, &exchange, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn over_a_web_socket_each_frame_gets_an_answer_that_is_allowed() {
    let trust = Trust::new(&[]);
    let server = Server::start_with_tls(&trust.certificate).await;
    let mut link = Link::ws(server.sip_ws.as_deref().unwrap()).await;
    in_frames(&server, &mut link).await;
}

#[tokio::test]
async fn over_a_secure_web_socket_each_frame_gets_an_answer_that_is_allowed() {
    let trust = Trust::new(&[]);
    let server = Server::start_with_tls(&trust.certificate).await;
    let mut link = Link::wss(server.sip_wss.as_deref().unwrap(), &trust).await;
    in_frames(&server, &mut link).await;
}

/// Every message on the same connection.
async fn in_frames(server: &Server, link: &mut Link) {
    let target = format!("sip:{}", server.sip);
    let mut wrong = Vec::new();
    for message in messages(Role::Server) {
        let exchange = exchange(link, &message, &target).await;
        assert!(!exchange.closed, "{} closed the connection", message.name);
        judge(&message, &exchange, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn over_tcp_each_message_gets_an_answer_that_is_allowed_and_only_lost_framing_closes() {
    let server = Server::start().await;
    on_streams(&server, async || Link::tcp(&server.sip).await).await;
}

#[tokio::test]
async fn over_tls_each_message_gets_an_answer_that_is_allowed_and_only_lost_framing_closes() {
    let trust = Trust::new(&[]);
    let server = Server::start_with_tls(&trust.certificate).await;
    let tls = server.sip_tls.as_deref().unwrap();
    on_streams(&server, async || Link::tls(tls, &trust).await).await;
}

/// Every message on a connection of its own.
async fn on_streams(server: &Server, connect: impl AsyncFn() -> Link) {
    let target = format!("sip:{}", server.sip);
    let mut wrong = Vec::new();
    for message in messages(Role::Server) {
        let mut link = connect().await;
        if message.name == INCOMPLETE {
            link.send(&message.on_stream()).await;
            assert_eq!(link.receive().await, None, "the rest never came");
            continue;
        }
        let exchange = exchange(&mut link, &message, &target).await;
        let closes = ends_a_stream(&message.name);
        assert_eq!(exchange.closed, closes, "{}: {exchange:?}", message.name);
        match message.name.as_str() {
            DOUBLE => assert_eq!(exchange.statuses.len(), 2, "{exchange:?}"),
            _ if closes => {}
            _ => judge(&message, &exchange, &mut wrong),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn after_all_messages_on_one_connection_the_next_is_still_served() {
    let server = Server::start().await;
    let target = format!("sip:{}", server.sip);
    let mut link = Link::tcp(&server.sip).await;
    for message in messages(Role::Server) {
        if message.name != INCOMPLETE && !ends_a_stream(&message.name) {
            link.send(&message.on_stream()).await;
        }
    }
    let exchange = answers(&mut link, &target).await;
    assert!(!exchange.closed, "{exchange:?}");
}

fn ends_a_stream(name: &str) -> bool {
    name == DOUBLE || FRAMING_LOST.contains(&name)
}

fn judge(message: &Torture, exchange: &Exchange, wrong: &mut Vec<String>) {
    let statuses = &exchange.statuses;
    if !message.allowed.permits(statuses) {
        wrong.push(format!(
            "{}: {statuses:?}, allowed {:?}",
            message.name, message.allowed
        ));
    }
}
