//! Lines: what is configured, registered, shown.
//!
//! ```text
//!  configure ─► registered ─► … ─┬─ other name or codecs: taken over at once
//!                                ├─ other account data: signed out, then registered anew
//!                                └─ not configured any more: signed out, then gone
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sdp::LocalSecurity;
use sip::Uri;
use sip::{
    Credentials, Flow, HostPort, NameAddr, Private, ResolveId, ResolveRequest, Target, Transport,
};
use ua::{Lookup, Registration, RegistrationEvent, RegistrationKey, RegistrationState};

use super::{MAX_LINES, Phone};
use crate::command::{LineConfig, LineId, Refusal};
use crate::dialing::{self, DialError};
use crate::event::{CallEnd, Event};
use crate::text::plain_text;
use crate::view::{LineStatus, LineView};

/// Longest name of a line that is shown, in characters.
const MAX_NAME: usize = 80;

/// How long a binding shall live: short enough that a phone that is gone is soon known to be.
const EXPIRES: Duration = Duration::from_secs(600);

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) config: LineConfig,
    /// Its registration; a line without password has none.
    key: Option<RegistrationKey>,
    pub(super) status: LineStatus,
    /// The server that accepted us.
    pub(super) server: Option<Target>,
    /// Since when it tries to connect.
    started: Instant,
    /// What it becomes when it is signed out.
    then: Then,
}

/// What a line becomes when it is signed out.
#[derive(Debug)]
enum Then {
    /// It is not being signed out.
    Stays,
    /// Registered anew like this.
    Becomes(Box<LineConfig>),
    Gone,
}

impl Phone {
    /// Makes the lines what is wanted.
    pub(super) fn configure(&mut self, wanted: &[LineConfig], now: Instant) -> Result<(), Refusal> {
        if wanted.len() > MAX_LINES {
            return Err(Refusal::TooManyLines);
        }
        let gone: Vec<_> = self
            .lines
            .iter()
            .map(|line| line.config.id)
            .filter(|id| !wanted.iter().any(|wanted| wanted.id == *id))
            .collect();
        for id in gone {
            self.end_calls_of(id, now);
            self.sign_out(id, Then::Gone, now);
        }
        for config in wanted.iter().cloned() {
            match self
                .lines
                .iter_mut()
                .find(|line| line.config.id == config.id)
            {
                None => self.add_line(config, now),
                Some(line) if line.config.is_same_account(&config) && !line.is_leaving() => {
                    line.config = config;
                }
                Some(_) => self.sign_out(config.id, Then::Becomes(Box::new(config)), now),
            }
        }
        let place = |line: &Line| {
            wanted
                .iter()
                .position(|wanted| wanted.id == line.config.id)
                .unwrap_or(MAX_LINES)
        };
        self.lines.sort_by_key(place);
        self.show_lines();
        Ok(())
    }

    fn add_line(&mut self, config: LineConfig, now: Instant) {
        let mut line = Line {
            config,
            key: None,
            status: LineStatus::NotConnected,
            server: None,
            started: now,
            then: Then::Stays,
        };
        self.register(&mut line, now);
        self.lines.push(line);
    }

    fn register(&mut self, line: &mut Line, now: Instant) {
        line.started = now;
        line.status = LineStatus::NotConnected;
        let Some(credentials) = line.config.credentials() else {
            return;
        };
        let config = &line.config;
        let registration = Registration {
            aor: config.address(),
            registrar: config.registrar(),
            outbound_proxy: config.outbound_proxy.clone(),
            transport: Some(config.transport),
            contact_user: config.username.clone(),
            instance: Some(config.instance.clone()),
            reg_id: None,
            credentials: Some(credentials),
            expires: EXPIRES,
        };
        match self
            .registrations
            .register(registration, &mut self.endpoint, now)
        {
            Ok(key) => {
                line.key = Some(key);
                line.status = LineStatus::Connecting;
            }
            Err(error) => tracing::warn!(%error, "line not registered"),
        }
    }

    fn sign_out(&mut self, id: LineId, then: Then, now: Instant) {
        let Some(index) = self.lines.iter().position(|line| line.config.id == id) else {
            return;
        };
        let line = &mut self.lines[index];
        let was_leaving = line.is_leaving();
        line.then = then;
        line.status = LineStatus::NotConnected;
        let Some(key) = line.key else {
            return self.signed_out(index, now);
        };
        if !was_leaving
            && self
                .registrations
                .unregister(key, &mut self.endpoint, now)
                .is_err()
        {
            self.signed_out(index, now);
        }
    }

    /// The line at `index` is no longer registered.
    fn signed_out(&mut self, index: usize, now: Instant) {
        let mut line = self.lines.remove(index);
        line.key = None;
        line.server = None;
        match std::mem::replace(&mut line.then, Then::Stays) {
            Then::Gone => return self.tell(Event::LineGone(line.config.id)),
            Then::Becomes(config) => {
                line.config = *config;
                self.register(&mut line, now);
            }
            Then::Stays => line.status = LineStatus::NotConnected,
        }
        self.lines.insert(index, line);
        self.show_lines();
    }

    pub(super) fn handle_registration(&mut self, event: &RegistrationEvent, now: Instant) {
        let of_event = |line: &Line| line.key == Some(event.registration);
        let Some(index) = self.lines.iter().position(of_event) else {
            return;
        };
        let line = &mut self.lines[index];
        match &event.state {
            RegistrationState::Unregistered => return self.signed_out(index, now),
            RegistrationState::Registering => line.status = LineStatus::Connecting,
            RegistrationState::Registered { destination, .. } => {
                line.server = Some(Target {
                    transport: destination.transport(),
                    peer: destination.peer(),
                    domain: destination.domain(),
                });
                if !matches!(line.status, LineStatus::Connected { .. }) {
                    line.status = LineStatus::Connected {
                        after: now - line.started,
                    };
                }
            }
            RegistrationState::Failed { failure, .. } => {
                if !matches!(line.status, LineStatus::Failed(_)) {
                    line.started = now;
                }
                line.status = LineStatus::Failed(*failure);
            }
        }
        if line.is_leaving() {
            line.status = LineStatus::NotConnected;
        }
        self.show_lines();
    }

    /// Passes a name on to the owner, who looks it up.
    pub(super) fn look_up(&mut self, lookup: Lookup) -> ResolveRequest {
        let id = ResolveId(self.next_lookup);
        self.next_lookup += 1;
        self.lookups.insert(id, lookup.registration);
        ResolveRequest {
            id,
            host: lookup.host,
            port: lookup.port,
            transport: lookup.transport,
            security: lookup.security,
        }
    }

    /// Whether a request on this flow comes from where one of our lines is registered.
    pub(super) fn is_registrar(&self, flow: &Flow) -> bool {
        self.lines.iter().any(|line| line.is_served_by(flow))
    }

    /// The line that a call to `user` on this flow is for.
    pub(super) fn line_of(&self, user: Option<&str>, flow: &Flow) -> Option<LineConfig> {
        let named = |line: &&Line| Some(line.config.username.as_str()) == user;
        let served = |line: &&Line| line.is_served_by(flow) && !line.is_leaving();
        self.lines
            .iter()
            .filter(served)
            .find(named)
            .map(|line| line.config.clone())
    }

    fn end_calls_of(&mut self, id: LineId, now: Instant) {
        let calls: Vec<_> = self
            .table
            .values()
            .filter(|call| call.line == id)
            .map(|call| call.id)
            .collect();
        for call in calls {
            if let Some(key) = self.table.get(&call).and_then(|call| call.key) {
                // Its end is ours to tell, with the reason.
                self.keys.remove(&key);
                if let Err(error) = self.calls.hang_up(key, None, &mut self.endpoint, now) {
                    tracing::debug!(%error, "call not hung up");
                }
            }
            self.end(call, CallEnd::LineRemoved, now);
        }
    }

    fn show_lines(&mut self) {
        let views: Vec<_> = self
            .lines
            .iter()
            .enumerate()
            .map(|(place, line)| line.view(place))
            .collect();
        for view in views {
            if self.shown.get(&view.id) != Some(&view) {
                self.shown.insert(view.id, view.clone());
                self.tell(Event::Line(view));
            }
        }
        let lines = &self.lines;
        self.shown
            .retain(|id, _| lines.iter().any(|line| line.config.id == *id));
    }
}

impl Line {
    fn is_leaving(&self) -> bool {
        !matches!(self.then, Then::Stays)
    }

    /// A datagram comes from the server's own port; a connection of the server's from any.
    fn is_served_by(&self, flow: &Flow) -> bool {
        match self.server {
            Some(server) if server.transport == Transport::Udp => {
                flow.transport == Transport::Udp && flow.peer == server.peer
            }
            Some(server) => {
                flow.transport == server.transport && flow.peer.ip() == server.peer.ip()
            }
            None => false,
        }
    }

    fn view(&self, place: usize) -> LineView {
        LineView {
            id: self.config.id,
            place,
            name: plain_text(&self.config.name, MAX_NAME),
            address: Private(plain_text(self.config.address().uri.as_str(), MAX_NAME)),
            status: self.status.clone(),
        }
    }
}

impl LineConfig {
    /// Who calls.
    pub(super) fn address(&self) -> NameAddr {
        let domain = HostPort::new(self.domain.host.clone(), None);
        let name = self.display_name.clone().unwrap_or_default();
        NameAddr::new(Uri::sip(Some(&self.username), domain)).with_display_name(name)
    }

    /// Who is called when a person asks for `text`.
    pub(super) fn target(&self, text: &str) -> Result<Uri, DialError> {
        dialing::target(text, &self.dialing_rules, &self.domain)
    }

    /// Where the peer reaches us during a call.
    pub(super) fn contact(&self) -> Uri {
        let address = SocketAddr::new(self.local.ip, self.local.port);
        let mut contact = Uri::sip(Some(&self.username), HostPort::from(address));
        if self.transport != Transport::Udp {
            contact.set_param("transport", self.transport.uri_param());
        }
        contact
    }

    /// Every call goes through the proxy that is configured (RFC 3261, section 8.1.2).
    pub(super) fn route(&self) -> Vec<NameAddr> {
        self.outbound_proxy
            .iter()
            .cloned()
            .map(NameAddr::new)
            .collect()
    }

    pub(super) fn credentials(&self) -> Option<Credentials> {
        let password = self.password.clone()?;
        Some(Credentials {
            username: self.auth_username.clone(),
            password,
            realm: None,
        })
    }

    fn registrar(&self) -> Uri {
        Uri::sip(None, self.domain.clone())
    }

    /// Whether a registration of the one serves the other too.
    fn is_same_account(&self, other: &Self) -> bool {
        let account = |config: &Self| Self {
            name: String::new(),
            formats: Vec::new(),
            security: LocalSecurity::default(),
            ..config.clone()
        };
        account(self) == account(other)
    }
}
