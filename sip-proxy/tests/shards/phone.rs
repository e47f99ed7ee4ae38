//! A phone of few words on a real socket, which waits for each message that it must get.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sip::{
    Credentials, DigestClient, Frame, Ids, Message, Method, Private, Request, Response,
    StreamFramer, Transport, answer_challenges, parse_message,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

enum Link {
    Udp(UdpSocket),
    Tcp(TcpStream, StreamFramer),
}

pub(crate) struct Phone {
    pub(crate) user: String,
    pub(crate) domain: String,
    link: Link,
    local: SocketAddr,
    ids: Ids,
    digest: DigestClient,
    /// Requests that have come, to tell copies from new ones.
    seen: HashSet<(String, String)>,
    /// What has come and was not waited for.
    waiting: Vec<Message>,
}

/// The phone's end of a call.
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// As it stands in the phone's requests, tag and all.
    pub(crate) local: String,
    pub(crate) remote: String,
    target: String,
}

impl Dialog {
    /// The dialog that a 200 to our INVITE has made.
    pub(crate) fn of_caller(answer: &Response) -> Self {
        Self {
            call_id: answer.call_id().unwrap().to_owned(),
            local: answer.header("From").unwrap().to_owned(),
            remote: answer.header("To").unwrap().to_owned(),
            target: answer
                .contacts()
                .unwrap()
                .first()
                .unwrap()
                .uri()
                .to_string(),
        }
    }

    fn tag(party: &str) -> &str {
        party.split(";tag=").nth(1).unwrap()
    }

    /// What Replaces says of this dialog to the other side, escaped for a URI.
    pub(crate) fn replaces(&self) -> String {
        let (remote, local) = (Self::tag(&self.remote), Self::tag(&self.local));
        format!("{}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{local}", self.call_id)
    }
}

impl Phone {
    pub(crate) async fn connect(
        transport: Transport,
        proxy: SocketAddr,
        account: (&str, &str),
    ) -> Self {
        let (link, local) = match transport {
            Transport::Tcp => {
                let stream = TcpStream::connect(proxy).await.unwrap();
                let local = stream.local_addr().unwrap();
                (Link::Tcp(stream, StreamFramer::opened()), local)
            }
            _ => {
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                socket.connect(proxy).await.unwrap();
                let local = socket.local_addr().unwrap();
                (Link::Udp(socket), local)
            }
        };
        let mut seed = [0; 32];
        seed[..2].copy_from_slice(&local.port().to_be_bytes());
        Self {
            user: account.0.to_owned(),
            domain: account.1.to_owned(),
            link,
            local,
            ids: Ids::from_seed(seed),
            digest: DigestClient::new(),
            seen: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    fn transport(&self) -> &'static str {
        match self.link {
            Link::Udp(_) => "UDP",
            Link::Tcp(..) => "TCP",
        }
    }

    pub(crate) fn aor(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }

    fn contact(&self) -> String {
        let transport = self.transport().to_lowercase();
        format!("<sip:{}@{};transport={transport}>", self.user, self.local)
    }

    fn via(&mut self) -> String {
        let branch = self.ids.branch();
        format!(
            "SIP/2.0/{} {};branch={branch};rport",
            self.transport(),
            self.local
        )
    }

    async fn send(&mut self, bytes: &Bytes) {
        match &mut self.link {
            Link::Udp(socket) => {
                socket.send(bytes).await.unwrap();
            }
            Link::Tcp(stream, _) => stream.write_all(bytes).await.unwrap(),
        }
    }

    async fn receive(&mut self) -> Message {
        let mut buffer = vec![0; 65_535];
        match &mut self.link {
            Link::Udp(socket) => {
                let length = socket.recv(&mut buffer).await.unwrap();
                parse_message(Bytes::copy_from_slice(&buffer[..length])).unwrap()
            }
            Link::Tcp(stream, framer) => loop {
                if let Some(frame) = framer.next_frame().unwrap() {
                    if let Frame::Message(bytes) = frame {
                        return parse_message(bytes).unwrap();
                    }
                    continue;
                }
                let length = stream.read(&mut buffer).await.unwrap();
                assert_ne!(length, 0, "the connection has ended");
                framer.push(&buffer[..length]);
            },
        }
    }

    async fn next(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at);
        }
        let found = async {
            loop {
                let message = self.receive().await;
                if let Message::Request(request) = &message {
                    let via = request.header("Via").unwrap_or_default().to_owned();
                    if !self.seen.insert((via, request.method.to_string())) {
                        continue;
                    }
                }
                if wanted(&message) {
                    return message;
                }
                self.waiting.push(message);
            }
        };
        timeout(PATIENCE, found)
            .await
            .expect("what must come comes")
    }

    /// The next request of this kind.
    pub(crate) async fn request(&mut self, method: Method) -> Request {
        let is_it = |message: &Message| matches!(message, Message::Request(request) if request.method == method);
        self.next(is_it).await.into_request().unwrap()
    }

    /// The final response to a request of this kind.
    pub(crate) async fn response(&mut self, method: &Method) -> Response {
        let is_it = |message: &Message| match message {
            Message::Response(response) => {
                let of = response.cseq().unwrap().method;
                of == *method && response.status.code() >= 200
            }
            Message::Request(_) => false,
        };
        self.next(is_it).await.into_response().unwrap()
    }

    /// Sends a request outside of dialogs, proves it, and gives back the final response.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        uri: &str,
        body: Option<&'static str>,
    ) -> Response {
        let (tag, call_id, via) = (self.ids.tag(), self.ids.call_id(), self.via());
        let own = self.aor();
        let to = if method == Method::REGISTER {
            own.clone()
        } else {
            uri.to_owned()
        };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <{own}>;tag={tag}\r\nTo: <{to}>\r\n\
             Call-ID: {call_id}\r\nCSeq: 1 {method}\r\nContact: {}\r\nUser-Agent: Test\r\nContent-Length: 0\r\n\r\n",
            self.contact()
        );
        let mut request = parse_message(Bytes::from(text))
            .unwrap()
            .into_request()
            .unwrap();
        if let Some(body) = body {
            request.set_body("application/sdp", body);
        }
        self.send(&request.to_bytes()).await;
        let challenge = self.response(&method).await;
        self.acknowledge_refusal(&request, &challenge).await;
        let credentials = Credentials {
            username: self.user.clone(),
            password: Private(format!("secret-{}", self.user)),
            realm: None,
        };
        let (name, value) = answer_challenges(
            &challenge,
            &request,
            &credentials,
            &mut self.digest,
            &mut self.ids,
        )
        .unwrap();
        request.set_header(name, value);
        let via = self.via();
        request.set_header("Via", via);
        request.set_header("CSeq", format!("2 {method}"));
        self.send(&request.to_bytes()).await;
        let answer = self.response(&method).await;
        if answer.status.code() >= 300 {
            self.acknowledge_refusal(&request, &answer).await;
        }
        answer
    }

    async fn acknowledge_refusal(&mut self, request: &Request, refusal: &Response) {
        if request.method != Method::INVITE {
            return;
        }
        let number = request.cseq().unwrap().number;
        let mut ack = request.clone();
        ack.method = Method::ACK;
        ack.set_header("To", refusal.header("To").unwrap());
        ack.set_header("CSeq", format!("{number} ACK"));
        self.send(&ack.to_bytes()).await;
    }

    pub(crate) async fn register(&mut self) {
        let registrar = format!("sip:{}", self.domain);
        let answer = self.ask(Method::REGISTER, &registrar, None).await;
        assert_eq!(answer.status.code(), 200, "{answer:?}");
    }

    /// Sends a request inside a dialog.
    pub(crate) async fn say(&mut self, dialog: &Dialog, method: &Method, cseq: u32, extra: &str) {
        let via = self.via();
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\nContact: {}\r\n{extra}Content-Length: 0\r\n\r\n",
            dialog.target,
            dialog.local,
            dialog.remote,
            dialog.call_id,
            self.contact()
        );
        self.send(&Bytes::from(text)).await;
    }

    /// Does not take a call; others may be called instead.
    pub(crate) async fn refuse(&mut self, invite: &Request, status: u16, targets: &[&str]) {
        let mut response = invite.response(status, Some("refused"));
        for target in targets {
            response.push_header("Contact", format!("<{target}>"));
        }
        self.send(&response.to_bytes()).await;
    }

    /// Answers a request; the dialog as this side has it.
    pub(crate) async fn answer(&mut self, request: &Request, body: Option<&'static str>) -> Dialog {
        let mut response = request.response(200, Some("answered"));
        response.push_header("Contact", self.contact());
        if let Some(body) = body {
            response.set_body("application/sdp", body);
        }
        self.send(&response.to_bytes()).await;
        Dialog {
            call_id: request.call_id().unwrap().to_owned(),
            local: response.header("To").unwrap().to_owned(),
            remote: request.header("From").unwrap().to_owned(),
            target: request
                .contacts()
                .ok()
                .and_then(|contacts| contacts.first().map(|contact| contact.uri().to_string()))
                .unwrap_or_default(),
        }
    }
}
