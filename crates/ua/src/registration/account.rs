//! One registration: its requests and what the answers mean.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{
    CertificateProblem, ClientTransaction, Contact, Destination, Endpoint, Flow, Method, Request,
    Response, Security, Target, Transport, Uri,
};

use super::failure::Patience;
use super::schedule::{LAST_RETRY, back_off, granted_secs, refresh_after};
use super::{
    Lookup, Registration, RegistrationEvent, RegistrationFailure, RegistrationKey,
    RegistrationState,
};
use crate::CALL_METHODS;
use crate::login::{Login, LoginError};

/// Addresses of one host that are tried.
const MAX_SERVERS: usize = 8;

/// What is under way.
#[derive(Debug)]
enum Phase {
    /// The name is being looked up.
    Resolving,
    /// A REGISTER has no final response yet.
    Trying {
        transaction: ClientTransaction,
        request: Box<Request>,
    },
    /// Nothing until this time: refresh or retry.
    Waiting { at: Instant },
    /// To be dropped.
    Over,
}

/// What the account is wanted to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Registered,
    Unregistered,
}

/// One account at its registrar.
#[derive(Debug)]
pub(super) struct Account {
    key: RegistrationKey,
    registration: Registration,
    call_id: String,
    tag: String,
    sequence: u32,
    login: Login,
    /// What we ask for; 423 raises it.
    expires_secs: u32,
    goal: Goal,
    phase: Phase,
    /// Addresses that are left to try, the one in use first.
    servers: VecDeque<Target>,
    /// Why the server in use cannot be trusted, once that is known.
    untrusted: Option<CertificateProblem>,
    /// Where the last success came from.
    flow: Option<Flow>,
    failures: u32,
    pub(super) state: RegistrationState,
    pub(super) armed: Option<Instant>,
}

/// What an account may reach while something happens to it.
pub(super) struct Turn<'a> {
    pub(super) endpoint: &'a mut Endpoint,
    pub(super) now: Instant,
    pub(super) clients: &'a mut std::collections::HashMap<ClientTransaction, RegistrationKey>,
    pub(super) lookups: &'a mut VecDeque<Lookup>,
    pub(super) events: &'a mut VecDeque<RegistrationEvent>,
}

impl Account {
    pub(super) fn start(
        key: RegistrationKey,
        registration: Registration,
        turn: &mut Turn<'_>,
    ) -> Self {
        let ids = turn.endpoint.ids();
        let mut account = Self {
            key,
            call_id: ids.call_id(),
            tag: ids.tag(),
            sequence: 0,
            login: Login::new(registration.credentials.clone()),
            expires_secs: u32::try_from(registration.expires.as_secs()).unwrap_or(u32::MAX),
            registration,
            goal: Goal::Registered,
            phase: Phase::Resolving,
            servers: VecDeque::new(),
            untrusted: None,
            flow: None,
            failures: 0,
            state: RegistrationState::Unregistered,
            armed: None,
        };
        account.resolve(turn);
        account
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { at } => Some(at),
            Phase::Resolving | Phase::Trying { .. } | Phase::Over => None,
        }
    }

    pub(super) fn is_on(&self, flow: &Flow) -> bool {
        self.flow.as_ref() == Some(flow)
    }

    /// The wait is over.
    pub(super) fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Waiting { at } = self.phase
            && at <= turn.now
        {
            self.try_now(turn);
        }
    }

    /// Registers now, whatever was planned: the network changed, or the connection is gone.
    pub(super) fn refresh(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Waiting { .. } = self.phase {
            self.try_now(turn);
        }
    }

    /// Ends the registration: at the server too if it may know of us.
    pub(super) fn unregister(&mut self, turn: &mut Turn<'_>) {
        self.goal = Goal::Unregistered;
        match self.phase {
            Phase::Waiting { .. } if self.flow.is_some() => self.try_now(turn),
            Phase::Waiting { .. } | Phase::Resolving => self.end(turn),
            // What is under way comes first; its answer goes on from here.
            Phase::Trying { .. } | Phase::Over => {}
        }
    }

    pub(super) fn handle_resolved(
        &mut self,
        result: Result<Vec<Target>, sip::ResolveError>,
        turn: &mut Turn<'_>,
    ) {
        if !matches!(self.phase, Phase::Resolving) {
            return;
        }
        match result {
            Ok(servers) if servers.is_empty() => {
                self.fail(RegistrationFailure::HostNotFound, None, turn);
            }
            Ok(servers) => {
                self.servers = servers.into_iter().take(MAX_SERVERS).collect();
                self.send_first(turn);
            }
            Err(sip::ResolveError::NotFound) => {
                self.fail(RegistrationFailure::HostNotFound, None, turn);
            }
            Err(sip::ResolveError::NoTransport) => {
                self.fail(RegistrationFailure::NoRoute, None, turn);
            }
            Err(_) => self.fail(RegistrationFailure::NameService, None, turn),
        }
    }

    /// A server's certificate proves nothing; the failure of the request follows.
    pub(super) fn handle_untrusted(&mut self, server: Target, problem: CertificateProblem) {
        if matches!(self.phase, Phase::Trying { .. }) && self.servers.front() == Some(&server) {
            self.untrusted = Some(problem);
        }
    }

    /// The server answered.
    pub(super) fn handle_response(&mut self, response: &Response, flow: Flow, turn: &mut Turn<'_>) {
        if response.status.is_provisional() {
            return;
        }
        let Phase::Trying {
            transaction,
            request,
        } = std::mem::replace(&mut self.phase, Phase::Resolving)
        else {
            return;
        };
        turn.clients.remove(&transaction);
        match response.status.code() {
            200..=299 => {
                self.login.accepted(&request, response);
                self.succeed(&request, response, flow, turn);
            }
            401 | 407 => match self.answer(*request, response, turn) {
                Ok(request) => self.send(request, turn),
                Err(failure) => self.fail(failure, None, turn),
            },
            423 if self.raise_interval(response) => self.send_first(turn),
            status @ (408 | 500..=599) => {
                let retry_after = response.retry_after().ok().flatten();
                let wait = retry_after.map(|wait| Duration::from_secs(u64::from(wait.seconds)));
                self.try_next_server(RegistrationFailure::from_status(status), wait, turn);
            }
            status => self.fail(RegistrationFailure::from_status(status), None, turn),
        }
    }

    /// The server did not answer, or could not be reached.
    pub(super) fn handle_failure(&mut self, error: sip::TransactionError, turn: &mut Turn<'_>) {
        let failure = match error {
            sip::TransactionError::Timeout => RegistrationFailure::NoAnswer,
            sip::TransactionError::Transport => self.untrusted.take().map_or(
                RegistrationFailure::ServerDown,
                RegistrationFailure::Untrusted,
            ),
        };
        if let Phase::Trying { .. } = self.phase {
            self.try_next_server(failure, None, turn);
        }
    }

    /// Starts over with a look-up, or with the server that accepted us last.
    fn try_now(&mut self, turn: &mut Turn<'_>) {
        if !matches!(self.state, RegistrationState::Registered { .. }) {
            self.tell(RegistrationState::Registering, turn);
        }
        if self.failures == 0 && !self.servers.is_empty() {
            self.send_first(turn);
        } else {
            self.resolve(turn);
        }
    }

    fn resolve(&mut self, turn: &mut Turn<'_>) {
        self.tell(RegistrationState::Registering, turn);
        let next_hop = self
            .registration
            .outbound_proxy
            .as_ref()
            .unwrap_or(&self.registration.registrar);
        let Some(host) = next_hop.host().cloned() else {
            return self.fail(RegistrationFailure::NoRoute, None, turn);
        };
        self.phase = Phase::Resolving;
        turn.lookups.push_back(Lookup {
            registration: self.key,
            host,
            port: next_hop.port(),
            transport: next_hop.transport().or(self.registration.transport),
            security: Security::of(next_hop),
        });
    }

    /// A new REGISTER for the first server of the list.
    fn send_first(&mut self, turn: &mut Turn<'_>) {
        let Some(&Target { transport, .. }) = self.servers.front() else {
            return self.resolve(turn);
        };
        match self.request(transport, turn.endpoint) {
            Some(mut request) => {
                self.login.prepare(&mut request);
                self.send(request, turn);
            }
            None => self.try_next_server(RegistrationFailure::NoRoute, None, turn),
        }
    }

    fn send(&mut self, request: Request, turn: &mut Turn<'_>) {
        let Some(&server) = self.servers.front() else {
            return self.resolve(turn);
        };
        self.untrusted = None;
        let destination = Destination::from(server);
        match turn
            .endpoint
            .send_request(request.clone(), destination, turn.now)
        {
            Ok(transaction) => {
                turn.clients.insert(transaction, self.key);
                self.phase = Phase::Trying {
                    transaction,
                    request: Box::new(request),
                };
            }
            Err(_) => self.fail(RegistrationFailure::NoRoute, None, turn),
        }
    }

    fn request(&mut self, transport: Transport, endpoint: &Endpoint) -> Option<Request> {
        let Registration {
            aor,
            registrar,
            outbound_proxy,
            ..
        } = &self.registration;
        let contact = self.contact(transport, endpoint)?;
        // Some registrars drop a Request-URI with a user in silence (RFC 3261, section 10.2).
        let mut uri = registrar.clone();
        uri.set_user(None);
        self.sequence += 1;
        let mut request = Request::new(Method::REGISTER, uri);
        if let Some(proxy) = outbound_proxy {
            let mut proxy = proxy.clone();
            proxy.set_flag("lr");
            request.push_header("Route", format!("<{proxy}>"));
        }
        request.push_header("From", aor.clone().with_tag(&self.tag).to_string());
        request.push_header("To", aor.to_string());
        request.push_header("Call-ID", &self.call_id);
        request.push_header("CSeq", format!("{} REGISTER", self.sequence));
        request.push_header("Contact", contact.to_string());
        request.push_header("Expires", self.wanted_secs().to_string());
        request.push_header("Allow", CALL_METHODS);
        // Proxies on the way may add themselves to the path (RFC 3327, section 5.1).
        let supported = match self.registration.reg_id {
            Some(_) => "path, outbound",
            None => "path",
        };
        request.push_header("Supported", supported);
        Some(request)
    }

    /// Where we are reached, with what identifies the device (RFC 5626, section 4.2).
    fn contact(&self, transport: Transport, endpoint: &Endpoint) -> Option<Contact> {
        let address = endpoint.advertised(transport)?.clone();
        let mut uri = Uri::sip(Some(&self.registration.contact_user), address);
        if transport != Transport::Udp {
            uri.set_param("transport", transport.uri_param());
        }
        let mut contact = Contact::new(uri);
        if let Some(instance) = &self.registration.instance {
            contact.set_instance(instance);
        }
        if let Some(reg_id) = self.registration.reg_id {
            contact.address.params.set("reg-id", reg_id.to_string());
        }
        contact
            .address
            .params
            .set("expires", self.wanted_secs().to_string());
        Some(contact)
    }

    fn wanted_secs(&self) -> u32 {
        match self.goal {
            Goal::Registered => self.expires_secs,
            Goal::Unregistered => 0,
        }
    }

    fn answer(
        &mut self,
        mut request: Request,
        response: &Response,
        turn: &mut Turn<'_>,
    ) -> Result<Request, RegistrationFailure> {
        self.sequence += 1;
        request.set_header("CSeq", format!("{} REGISTER", self.sequence));
        match self
            .login
            .answer(response, &mut request, turn.endpoint.ids())
        {
            Ok(()) => Ok(request),
            Err(LoginError::NoCredentials) => Err(RegistrationFailure::PasswordMissing),
            Err(LoginError::Refused) => Err(RegistrationFailure::WrongPassword),
            Err(LoginError::Challenge(_)) => Err(RegistrationFailure::UnsupportedChallenge),
        }
    }

    /// 423: the server wants longer intervals (RFC 3261, section 10.2.8).
    fn raise_interval(&mut self, response: &Response) -> bool {
        let wanted = response.min_expires().ok().flatten().unwrap_or(0);
        let raised = wanted > self.expires_secs;
        self.expires_secs = self.expires_secs.max(wanted);
        raised
    }

    fn succeed(&mut self, request: &Request, response: &Response, flow: Flow, turn: &mut Turn<'_>) {
        self.failures = 0;
        let removed = request.expires() == Ok(Some(0));
        match self.goal {
            Goal::Unregistered if removed => return self.end(turn),
            // The answer to a REGISTER that was under way when we were told to leave.
            Goal::Unregistered => {
                self.flow = Some(flow);
                return self.send_first(turn);
            }
            Goal::Registered => {}
        }
        let granted = granted_secs(request, response).unwrap_or(self.expires_secs);
        if granted == 0 {
            return self.fail(RegistrationFailure::Refused { status: 200 }, None, turn);
        }
        self.flow = Some(flow);
        let at = turn.now + refresh_after(granted, turn.endpoint.ids().u32());
        self.phase = Phase::Waiting { at };
        let domain = self.servers.front().and_then(|server| server.domain);
        self.tell(
            RegistrationState::Registered {
                expires: Duration::from_secs(u64::from(granted)),
                destination: Destination::Address {
                    transport: flow.transport,
                    peer: flow.peer,
                    domain,
                },
            },
            turn,
        );
    }

    /// Goes on with the next address of the host, or gives up for a while.
    fn try_next_server(
        &mut self,
        failure: RegistrationFailure,
        wait: Option<Duration>,
        turn: &mut Turn<'_>,
    ) {
        if let Phase::Trying { transaction, .. } = self.phase {
            turn.clients.remove(&transaction);
        }
        self.servers.pop_front();
        if self.servers.is_empty() {
            self.fail(failure, wait, turn);
        } else {
            self.send_first(turn);
        }
    }

    /// Plans the next try.
    fn fail(&mut self, failure: RegistrationFailure, wait: Option<Duration>, turn: &mut Turn<'_>) {
        self.servers.clear();
        self.flow = None;
        if self.goal == Goal::Unregistered {
            return self.end(turn);
        }
        let random = turn.endpoint.ids().u32();
        let wait = match failure.patience() {
            Patience::Rarely => LAST_RETRY,
            Patience::BackOff => back_off(self.failures, random).max(wait.unwrap_or_default()),
        };
        self.failures = self.failures.saturating_add(1);
        let retry_at = turn.now + wait.min(LAST_RETRY);
        self.phase = Phase::Waiting { at: retry_at };
        self.tell(RegistrationState::Failed { failure, retry_at }, turn);
    }

    fn end(&mut self, turn: &mut Turn<'_>) {
        self.phase = Phase::Over;
        self.tell(RegistrationState::Unregistered, turn);
    }

    /// Tells the owner, if it is news.
    fn tell(&mut self, state: RegistrationState, turn: &mut Turn<'_>) {
        if state != self.state {
            self.state = state.clone();
            turn.events.push_back(RegistrationEvent {
                registration: self.key,
                state,
            });
        }
    }
}
