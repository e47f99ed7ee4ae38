//! A network in which nobody is asked for a password, as behind an edge proxy that has asked already.

use std::time::Duration;

use tests::Server;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The status that a REGISTER of `user` without credentials gets when it comes from `host`.
async fn registered(server: &Server, domain: &str, host: &str, user: &str) -> String {
    let socket = UdpSocket::bind((host, 0)).await.expect("a free port");
    let from = socket.local_addr().expect("a bound socket has an address");
    let request = format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{user};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{domain}>;tag=1\r\nTo: <sip:{user}@{domain}>\r\nCall-ID: {user}@{from}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:{user}@{from}>\r\nUser-Agent: An edge that has asked for the password already\r\nContent-Length: 0\r\n\r\n"
    );
    let sent = socket.send_to(request.as_bytes(), &server.sip).await;
    sent.expect("a datagram leaves");
    let mut answer = [0; 2_048];
    let received = timeout(Duration::from_secs(10), socket.recv(&mut answer)).await;
    let length = received.expect("an answer comes").expect("a datagram");
    let text = String::from_utf8_lossy(&answer[..length]).into_owned();
    let status = text.split_whitespace().nth(1).unwrap_or_default();
    status.to_owned()
}

#[tokio::test]
async fn accounts_register_without_a_password_from_there_and_from_nowhere_else() {
    let server = Server::start_configured("[sip]\ntrusted_networks = [\"127.0.0.1\"]\n").await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("2001", "first-secret").await;
    for (host, user, status) in [
        ("127.0.0.1", "2001", "200"),
        ("127.0.0.1", "2999", "404"),
        ("127.0.0.2", "2001", "401"),
    ] {
        let got = registered(&server, &tenant.domain, host, user).await;
        assert_eq!(got, status, "{user} from {host}: {}", server.log());
    }
}
