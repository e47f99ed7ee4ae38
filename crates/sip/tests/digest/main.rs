//! Digest authentication between our two sides, and what happens when one of them lies. The printed
//! vectors are tested beside the arithmetic.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

mod client;
mod server;

use std::net::{IpAddr, Ipv4Addr};

use sip::{
    AuthFields, Claim, Credentials, DigestClient, DigestSecret, DigestServer, Flow, Ids, Method,
    Private, Request, Transport, Verdict, answer_challenges,
};

const REALM: &str = "example.com";
const NOW: u64 = 1_800_000_000;

/// Where the challenges go.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn request(method: Method) -> Request {
    let cseq = format!("1 {method}");
    let mut request = Request::new(method, "sip:example.com".parse().unwrap());
    request.push_header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    request.push_header("From", "<sip:alice@example.com>;tag=1");
    request.push_header("To", "<sip:alice@example.com>");
    request.push_header("Call-ID", "1");
    request.push_header("CSeq", cseq);
    request
}

fn credentials(password: &str) -> Credentials {
    Credentials {
        username: "alice".to_owned(),
        password: Private(password.to_owned()),
        realm: Some(REALM.to_owned()),
    }
}

fn ids(seed: u8) -> Ids {
    Ids::from_seed([seed; 32])
}

/// A client and a server that know each other's rules only by the messages.
struct Pair {
    client: DigestClient,
    server: DigestServer,
    ids: Ids,
    secret: DigestSecret,
}

impl Pair {
    fn new() -> Self {
        Self {
            client: DigestClient::new(),
            server: DigestServer::new([9; 32], ids(2)),
            ids: ids(1),
            secret: DigestSecret::from_password("alice", REALM, "secret"),
        }
    }

    /// The request with an answer to the challenges that the server makes at `now`.
    fn answered(&mut self, password: &str, now: u64) -> Request {
        let mut request = request(Method::REGISTER);
        let mut response = request.response(401, Some("2"));
        for challenge in self.server.challenges(REALM, false, HERE, now) {
            response.push_header("WWW-Authenticate", challenge);
        }
        let (name, value) = answer_challenges(
            &response,
            &request,
            &credentials(password),
            &mut self.client,
            &mut self.ids,
        )
        .unwrap();
        request.set_header(name, value);
        request
    }

    /// Whom the credentials of a request name.
    fn username(&self, request: &Request) -> Option<String> {
        match self.server.claim(request, REALM) {
            Claim::User(presented) => Some(presented.username().to_owned()),
            Claim::Missing | Claim::Malformed => None,
        }
    }

    /// The judgement on a request that came on a flow.
    fn verify_on(&mut self, request: &Request, flow: &Flow) -> Verdict {
        let Claim::User(presented) = self.server.claim(request, REALM) else {
            panic!("the request carries credentials");
        };
        let secret = self.secret;
        self.server
            .verify_copies(request, &presented, &secret, flow, NOW)
    }

    fn verify(&mut self, request: &Request, now: u64) -> Verdict {
        let secret = self.secret;
        self.server.verify(request, REALM, &secret, now)
    }
}

fn flow(transport: Transport, peer: IpAddr, port: u16) -> Flow {
    Flow {
        transport,
        local: ([192, 0, 2, 9], 5060).into(),
        peer: (peer, port).into(),
        generation: 0,
    }
}

fn ok() -> Verdict {
    Verdict::Ok
}

/// `request` with one parameter of its credentials replaced.
fn with_param(request: &Request, name: &str, value: &str) -> Request {
    let old = request.header("Authorization").unwrap();
    let fields = AuthFields::parse(old).unwrap();
    let before = format!("{name}={}", fields.raw_value(name).unwrap());
    let mut changed = request.clone();
    changed.set_header(
        "Authorization",
        old.replace(&before, &format!("{name}={value}")),
    );
    assert_ne!(changed.header("Authorization"), Some(old));
    changed
}
