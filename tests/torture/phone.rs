//! The messages against a softphone, from the registrar it has registered with: nobody else may send it anything.

use serde_json::json;
use tests::{Phone, Server, Trust, text_of};
use tokio::net::{TcpListener, UdpSocket};

use crate::corpus::{Role, messages};
use crate::fence::exchange;
use crate::link::Link;
use crate::secret::acceptor;

/// Messages that end a stream because nobody can tell where the next one begins, or that never come to their end on one.
const NOT_ON_ONE_STREAM: [&str; 5] = ["ncl", "mcl01", "inv2543", "clerr", "dblreq"];

#[tokio::test]
async fn over_udp_a_phone_answers_each_message_as_it_may() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let server = Server::start().await;
    let mut phone = activated(&server, port, "udp").await;
    phone.start(&[]);
    let mut buffer = vec![0; 65_535];
    let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
    socket.connect(peer).await.unwrap();
    let register = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let mut link = Link::Udp(socket);
    link.send(granted(&register).as_bytes()).await;
    torture(&mut link, &register, &[]).await;
}

#[tokio::test]
async fn over_tcp_a_phone_answers_each_message_as_it_may() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::start().await;
    let mut phone = activated(&server, port, "tcp").await;
    phone.start(&[]);
    let (stream, _) = listener.accept().await.unwrap();
    let mut link = Link::over_tcp(stream);
    let register = link.receive().await.unwrap();
    link.send(granted(&register).as_bytes()).await;
    torture(&mut link, &register, &NOT_ON_ONE_STREAM).await;
}

#[tokio::test]
async fn over_tls_a_phone_answers_each_message_as_it_may() {
    let trust = Trust::new(&["acme.tandem.localhost"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::start().await;
    let mut phone = activated(&server, port, "tls").await;
    phone.start(&["--sip-authorities", text_of(&trust.authority)]);
    let (stream, _) = listener.accept().await.unwrap();
    let stream = acceptor(&trust).accept(stream).await.unwrap();
    let mut link = Link::stream("TLS", Box::new(stream));
    let register = link.receive().await.unwrap();
    link.send(granted(&register).as_bytes()).await;
    torture(&mut link, &register, &NOT_ON_ONE_STREAM).await;
}

/// A phone whose account is at a provider on this port of ours.
async fn activated(server: &Server, port: u16, transport: &str) -> Phone {
    let tenant = server.administrator().await.tenant("acme").await;
    let provider =
        json!({"name": "torture", "server": "127.0.0.1", "port": port, "transport": transport});
    let account = tenant.account_elsewhere(provider, "1001", "secret").await;
    let device = tenant.device_on("1001", &account).await;
    let phone = Phone::new();
    phone.activate(&server.portal_url, &device.code).await;
    phone
}

async fn torture(link: &mut Link, register: &str, left_out: &[&str]) {
    let contact = field(register, "Contact").unwrap();
    let target = contact.split(['<', '>']).nth(1).unwrap().to_owned();
    let mut wrong = Vec::new();
    for message in messages(Role::Phone) {
        if left_out.contains(&message.name.as_str()) {
            continue;
        }
        let exchange = exchange(link, &message, &target).await;
        assert!(!exchange.closed, "{} closed the connection", message.name);
        if !message.allowed.permits(&exchange.statuses) {
            let statuses = exchange.statuses;
            wrong.push(format!(
                "{}: {statuses:?}, allowed {:?}",
                message.name, message.allowed
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// 200 for a REGISTER, with its contact for an hour.
fn granted(register: &str) -> String {
    let copied: String = ["Via", "From", "To", "Call-ID", "CSeq"]
        .iter()
        .map(|name| {
            let value = field(register, name).unwrap();
            let tag = if *name == "To" { ";tag=registrar" } else { "" };
            format!("{name}: {value}{tag}\r\n")
        })
        .collect();
    let contact = field(register, "Contact").unwrap();
    let contact = contact.split(";expires").next().unwrap();
    format!(
        "SIP/2.0 200 OK\r\n{copied}Contact: {contact};expires=3600\r\nContent-Length: 0\r\n\r\n"
    )
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
