//! A SIP exchange of a hundred lines on loopback: registers everybody, passes everything on.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use sip::{Message, Method, Request, Response, parse_datagram};
use tokio::net::UdpSocket;

pub(crate) struct Exchange {
    pub(crate) port: u16,
}

impl Exchange {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut users = HashMap::new();
            let mut buffer = vec![0; 65_535];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let bytes = Bytes::copy_from_slice(&buffer[..length]);
                let passed = match parse_datagram(bytes) {
                    Ok(Message::Request(request)) => pass_request(*request, from, port, &mut users),
                    Ok(Message::Response(response)) => pass_response(*response),
                    Err(_) => None,
                };
                if let Some((to, bytes)) = passed {
                    socket.send_to(&bytes, to).await.unwrap();
                }
            }
        });
        Self { port }
    }
}

fn pass_request(
    mut request: Request,
    from: SocketAddr,
    port: u16,
    users: &mut HashMap<String, SocketAddr>,
) -> Option<(SocketAddr, Bytes)> {
    if request.method == Method::REGISTER {
        let user = request.to().unwrap().uri.user().unwrap().to_owned();
        users.insert(user, from);
        let mut response = request.response(200, Some("exchange"));
        if let Some(contact) = request.header("Contact") {
            response.push_header("Contact", contact);
        }
        return Some((from, response.to_bytes()));
    }
    let user = request.uri.user().unwrap_or_default();
    let Some(to) = users.get(user) else {
        let response = request.response(404, Some("exchange"));
        return (request.method != Method::ACK).then(|| (from, response.to_bytes()));
    };
    let branch = request
        .via()
        .unwrap()
        .params
        .value("branch")
        .unwrap()
        .to_owned();
    request.remove_header("Route");
    let via = format!(
        "SIP/2.0/UDP 127.0.0.1:{port};branch={branch}x;back={}",
        from.port()
    );
    request.insert_first("Via", via);
    Some((*to, request.to_bytes()))
}

fn pass_response(mut response: Response) -> Option<(SocketAddr, Bytes)> {
    let vias = response.vias().unwrap();
    let back: u16 = vias[0].params.value("back")?.parse().unwrap();
    response.remove_header("Via");
    for via in &vias[1..] {
        response.push_header("Via", via.to_string());
    }
    Some((
        SocketAddr::from(([127, 0, 0, 1], back)),
        response.to_bytes(),
    ))
}
