//! Trials in simulated time, against registrars made of a few lines.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    CertificateProblem, Credentials, Destination, EndpointConfig, Flow, HostPort, Machine, Message,
    NameAddr, Output, Private, Request, ResolveError, ResolveId, Target, Transport, Uri,
};
use testkit::sim_net::SimNet;
use ua::{Registration, RegistrationFailure};

use super::{Probe, ProbeCommand, ProbeConfig, ProbeResult, ProbeStep, Reach};

const PASSWORD: &str = "c4n4ry";

/// A trial, and the registrar that it meets.
struct Trial {
    probe: Probe,
    now: Instant,
    steps: Vec<ProbeStep>,
}

impl Trial {
    fn new(may_reach: Reach) -> Self {
        let registrar = "sip:pbx.example".parse::<Uri>().unwrap();
        let endpoint = EndpointConfig {
            advertised: vec![(
                Transport::Udp,
                "192.0.2.9:5060".parse::<HostPort>().unwrap(),
            )],
            ..EndpointConfig::default()
        };
        let registration = Registration {
            aor: NameAddr::from("sip:100@pbx.example".parse::<Uri>().unwrap()),
            registrar,
            outbound_proxy: None,
            transport: Some(Transport::Udp),
            contact_user: "100".to_owned(),
            instance: None,
            reg_id: None,
            credentials: Some(Credentials {
                username: "100".to_owned(),
                password: Private(PASSWORD.to_owned()),
                realm: None,
            }),
            expires: Duration::from_secs(60),
        };
        let config = ProbeConfig {
            endpoint,
            registration,
            may_reach,
        };
        let mut trial = Self {
            probe: Probe::new(config, [7; 32]),
            now: SimNet::start(),
            steps: Vec::new(),
        };
        trial.probe.handle_command(ProbeCommand::Begin, trial.now);
        trial
    }

    /// What is to be done next, with what was told until then.
    fn next(&mut self) -> Option<Output<super::ProbeEvent>> {
        loop {
            match self.probe.poll_output()? {
                Output::Event(event) => self.steps.push(event.step),
                output => return Some(output),
            }
        }
    }

    fn resolve(&mut self, result: Result<&[&str], ResolveError>) {
        assert!(matches!(self.next(), Some(Output::Resolve(_))));
        let target = |peer: &&str| Target::new(Transport::Udp, peer.parse().unwrap());
        let found = result.map(|peers| peers.iter().map(target).collect());
        self.probe.handle_resolved(ResolveId(1), found, self.now);
    }

    /// Answers every request until nothing more is asked.
    fn serve(&mut self, answer: impl Fn(&Request) -> (u16, Vec<(&'static str, String)>)) {
        while let Some(output) = self.next() {
            let Output::Transmit(transmit) = output else {
                continue;
            };
            let Destination::Address {
                transport, peer, ..
            } = transmit.destination
            else {
                panic!("a request goes to an address");
            };
            let Ok(Message::Request(request)) = sip::parse_datagram(transmit.bytes) else {
                panic!("a request is sent");
            };
            let (status, headers) = answer(&request);
            let mut response = request.response(status, Some("tag"));
            for (name, value) in headers {
                response.push_header(name, value);
            }
            self.receive(transport, peer, response.to_bytes());
        }
    }

    fn receive(&mut self, transport: Transport, peer: SocketAddr, bytes: Bytes) {
        let flow = Flow {
            transport,
            local: "192.0.2.9:5060".parse().unwrap(),
            peer,
            generation: 0,
        };
        self.probe.handle_received(flow, bytes, self.now);
    }

    fn result(&mut self) -> Option<ProbeResult> {
        while self.next().is_some() {}
        match self.steps.last() {
            Some(ProbeStep::Ended(result)) => Some(*result),
            _ => None,
        }
    }
}

/// A registrar that wants a password and takes any, or none.
fn registrar(takes: bool) -> impl Fn(&Request) -> (u16, Vec<(&'static str, String)>) {
    move |request| {
        let asked = "Digest realm=\"pbx\", nonce=\"n0nce\", algorithm=MD5, qop=\"auth\"";
        if request.header("Authorization").is_some() && takes {
            let contact = request.header("Contact").unwrap_or_default();
            (200, vec![("Contact", contact.to_owned())])
        } else {
            (401, vec![("WWW-Authenticate", asked.to_owned())])
        }
    }
}

#[test]
fn a_good_account_is_registered_and_unregistered_and_no_secret_is_told() {
    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Ok(&["198.51.100.1:5060"]));
    trial.serve(registrar(true));
    assert_eq!(trial.result(), Some(ProbeResult::Good));
    let kinds: Vec<_> = trial
        .steps
        .iter()
        .map(|step| match step {
            ProbeStep::LookingUp { .. } => "looking up",
            ProbeStep::Found { .. } => "found",
            ProbeStep::Trying { .. } => "trying",
            ProbeStep::Sent(_) => "sent",
            ProbeStep::Received(_) => "received",
            ProbeStep::Challenged { realm, .. } if realm == "pbx" => "challenged",
            ProbeStep::Registered { .. } => "registered",
            _ => "else",
        })
        .collect();
    assert_eq!(
        kinds[..9],
        [
            "looking up",
            "found",
            "trying",
            "sent",
            "received",
            "challenged",
            "sent",
            "received",
            "registered"
        ]
    );
    let told = format!("{:?}", trial.steps);
    let ProbeStep::Sent(second) = &trial.steps[6] else {
        panic!("{told}");
    };
    assert!(second.text.0.contains("Authorization: Digest ***"));
    for step in &trial.steps {
        if let ProbeStep::Sent(message) | ProbeStep::Received(message) = step {
            assert!(!message.text.0.contains("response="), "{}", message.text.0);
            assert!(!message.text.0.contains("n0nce"), "{}", message.text.0);
        }
    }
    let last = trial.steps.iter().rev().find_map(|step| match step {
        ProbeStep::Sent(message) => Some(&message.text.0),
        _ => None,
    });
    assert!(last.is_some_and(|text| text.contains("Expires: 0")));
}

#[test]
fn refusals_are_told_as_what_they_mean() {
    for (status, failure) in [
        (403, RegistrationFailure::Forbidden),
        (404, RegistrationFailure::UnknownAccount { status: 404 }),
        (503, RegistrationFailure::ServerError { status: 503 }),
    ] {
        let mut trial = Trial::new(Reach::everywhere());
        trial.resolve(Ok(&["198.51.100.1:5060"]));
        trial.serve(|_| (status, Vec::new()));
        assert_eq!(trial.result(), Some(ProbeResult::Failed(failure)));
    }
    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Ok(&["198.51.100.1:5060"]));
    trial.serve(registrar(false));
    let wrong = ProbeResult::Failed(RegistrationFailure::WrongPassword);
    assert_eq!(trial.result(), Some(wrong));
    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Err(ResolveError::NotFound));
    let unknown = ProbeResult::Failed(RegistrationFailure::HostNotFound);
    assert_eq!(trial.result(), Some(unknown));
}

#[test]
fn nothing_is_sent_to_addresses_that_may_not_be_reached() {
    let inside = |address: std::net::IpAddr| !address.to_string().starts_with("10.");
    let mut trial = Trial::new(Reach::new(inside));
    trial.resolve(Ok(&["10.0.0.1:5060", "10.0.0.2:5060"]));
    assert!(trial.next().is_none(), "nothing leaves");
    assert_eq!(trial.result(), Some(ProbeResult::Forbidden));

    let mut trial = Trial::new(Reach::new(inside));
    trial.resolve(Ok(&["10.0.0.1:5060", "198.51.100.1:5060"]));
    trial.serve(registrar(true));
    assert_eq!(trial.result(), Some(ProbeResult::Good));
    let found = ProbeStep::Found {
        servers: vec![(Transport::Udp, "198.51.100.1:5060".parse().unwrap())],
        forbidden: 1,
    };
    assert!(trial.steps.contains(&found), "{:?}", trial.steps);
}

#[test]
fn silence_and_a_certificate_that_proves_nothing_are_told() {
    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Ok(&["198.51.100.1:5060"]));
    while trial.result().is_none() {
        trial.now = trial.probe.poll_timeout().expect("something is awaited");
        let now = trial.now;
        trial.probe.handle_timeout(now);
    }
    let silent = ProbeResult::Failed(RegistrationFailure::NoAnswer);
    assert_eq!(trial.result(), Some(silent));
    let sent = |step: &&ProbeStep| matches!(step, ProbeStep::Sent(_));
    let copies = trial.steps.iter().filter(sent).count();
    assert_eq!(copies, 1, "copies of a request are not told");

    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Ok(&["198.51.100.1:5060"]));
    let Some(Output::Transmit(transmit)) = trial.next() else {
        panic!("a request leaves");
    };
    let (target, problem) = (
        Target::new(Transport::Udp, "198.51.100.1:5060".parse().unwrap()),
        CertificateProblem::WrongName,
    );
    let now = trial.now;
    trial.probe.handle_untrusted(target, problem, now);
    trial.probe.handle_transmit_failed(transmit.id, now);
    let untrusted = ProbeResult::Failed(RegistrationFailure::Untrusted(problem));
    assert_eq!(trial.result(), Some(untrusted));
}

#[test]
fn who_was_not_asked_is_not_heard_and_what_is_no_sip_is_not_shown() {
    let mut trial = Trial::new(Reach::everywhere());
    trial.resolve(Ok(&["198.51.100.1:5060"]));
    assert!(matches!(trial.next(), Some(Output::Transmit(_))));
    let before = trial.steps.len();
    let banner = Bytes::from_static(b"220 mail.internal ESMTP c4n4ry\r\n\r\n");
    trial.receive(Transport::Udp, "198.51.100.1:5060".parse().unwrap(), banner);
    let stranger = Bytes::from_static(b"SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n");
    trial.receive(
        Transport::Udp,
        "203.0.113.1:5060".parse().unwrap(),
        stranger,
    );
    while trial.next().is_some() {}
    assert_eq!(trial.steps.len(), before, "{:?}", trial.steps);
    trial.probe.handle_command(ProbeCommand::GiveUp, trial.now);
    let silent = ProbeResult::Failed(RegistrationFailure::NoAnswer);
    assert_eq!(trial.result(), Some(silent));
}
