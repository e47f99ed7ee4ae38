//! Who may ask the proxy for something: digest for every request outside a dialog (RFC 3261, section 22).
//!
//! A request without credentials, for a user who does not exist or with a wrong password gets the same answer, so that nobody
//! learns which users there are. Credentials are verified against the account of the address-of-record that the request claims:
//! To for a REGISTER, From for everything else; who authenticates as one and claims to be another is refused.
//!
//! Not here: digest itself (`sip::DigestServer`), the look-up of the account (`door.rs`), and where nobody is asked (`trusted.rs`).

use std::net::IpAddr;
use std::time::Instant;

use sip::{
    Algorithm, Aor, Challenges, Claim, DigestServer, Flow, Ids, Method, Presented, Request,
    Response, Verdict, has_credentials,
};

use crate::accounts::AccountRef;
use crate::screening::brief;
use crate::trusted::TrustedNetworks;

/// What a request's credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They are the account's; of [`Authentication::claim`]: they may be, look the account up.
    Proven,
    /// They are, and this very message was proven before: only the first answer may be given again.
    Repeated,
    /// None, or none that can be judged: to be challenged.
    Unproven,
    /// Wrong ones, of somebody who is where he says: to be challenged, and remembered.
    Wrong,
    /// For a nonce that is no longer good, or not there.
    Stale,
    /// Somebody else's.
    Foreign,
    /// None are needed, but there is no such account.
    Nobody,
    /// They contradict themselves.
    Malformed,
}

impl Standing {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Proven,
            Verdict::Repeated => Self::Repeated,
            Verdict::Unheard => Self::Unproven,
            Verdict::Wrong => Self::Wrong,
            Verdict::Stale => Self::Stale,
            Verdict::Missing | Verdict::Malformed => Self::Malformed,
        }
    }
}

/// The proxy's judge of credentials.
#[derive(Debug)]
pub(crate) struct Authentication {
    digest: DigestServer,
    started: (Instant, u64),
}

/// Whether nothing shall be kept of a request: a REGISTER, whose copies are answered alike, and whatever comes from outside a dialog
/// without credentials for the domain it claims, unless it needs none.
pub(crate) fn is_stateless(request: &Request, flow: &Flow, trusted: &TrustedNetworks) -> bool {
    if request.method == Method::REGISTER {
        return true;
    }
    if request.to_tag().is_some() || trusted.contain(flow.peer.ip()) {
        return false;
    }
    let names = ["Authorization", "Proxy-Authorization"];
    let is_bare = names.iter().all(|name| request.header(name).is_none());
    is_bare || !claimed_aor(request).is_some_and(|aor| has_credentials(request, aor.host()))
}

/// The identity that a request claims; `None` if it has none that can be an account.
pub(crate) fn claimed_aor(request: &Request) -> Option<Aor> {
    if request.method == Method::REGISTER {
        request.to_aor()
    } else {
        request.from_aor()
    }
}

/// What can be said without the account, before anybody is troubled to look it up.
pub(crate) fn unheard(presented: &Presented<'_>, flow: &Flow) -> Option<Standing> {
    presented.unheard(flow).map(Standing::of)
}

impl Authentication {
    pub(crate) fn new(algorithms: &[Algorithm], ids: &mut Ids, started: (Instant, u64)) -> Self {
        let digest = DigestServer::new(ids.bytes(), ids.fork()).with_algorithms(algorithms);
        Self { digest, started }
    }

    /// What a request presents to prove that it is of `aor`.
    ///
    /// # Errors
    ///
    /// The standing of one that presents nothing that can be read.
    pub(crate) fn claim<'a>(
        &self,
        request: &'a Request,
        aor: &Aor,
    ) -> Result<Presented<'a>, Standing> {
        match self.digest.claim(request, aor.host()) {
            Claim::Missing => Err(Standing::Unproven),
            Claim::Malformed => Err(Standing::Malformed),
            Claim::User(presented) => Ok(presented),
        }
    }

    /// The judgement on what a request has presented, once the account of `aor` is known; `None` if there is no such account.
    pub(crate) fn verify(
        &mut self,
        request: &Request,
        presented: &Presented<'_>,
        claimed: (&Aor, Option<AccountRef<'_>>),
        flow: &Flow,
        now: Instant,
    ) -> Standing {
        if let Some(standing) = unheard(presented, flow) {
            return standing;
        }
        let (aor, account) = claimed;
        let username = presented.username();
        let expected = account.map_or(aor.user(), |account| account.auth_username);
        let secret = match account {
            _ if username != expected && username != aor.user() => return Standing::Foreign,
            Some(account) if username == expected => account.secret,
            _ => self.digest.secret_of_nobody(username, aor.host()),
        };
        let now = self.unix_secs(now);
        let verdict = self
            .digest
            .verify_copies(request, presented, &secret, flow, now);
        match Standing::of(verdict) {
            // Nobody has the secret of nobody.
            Standing::Proven | Standing::Repeated if account.is_none() => Standing::Wrong,
            standing => standing,
        }
    }

    /// The answers to a request that is not proven.
    pub(crate) fn refusals<'a>(
        &'a mut self,
        request: &'a Request,
        aor: &'a Aor,
        standing: Standing,
        source: IpAddr,
        tag: &'a str,
        now: Instant,
    ) -> Refusals<'a> {
        let (status, name) = match standing {
            Standing::Malformed => (400, ""),
            Standing::Foreign => (403, ""),
            Standing::Nobody if request.method == Method::REGISTER => (404, ""),
            Standing::Nobody => (403, ""),
            _ if request.method == Method::REGISTER => (401, "WWW-Authenticate"),
            _ => (407, "Proxy-Authenticate"),
        };
        let is_challenge = !name.is_empty();
        let challenges = is_challenge.then(|| {
            let is_stale = standing == Standing::Stale;
            let now = self.unix_secs(now);
            self.digest.challenges(aor.host(), is_stale, source, now)
        });
        Refusals {
            request,
            tag,
            status,
            name,
            challenges,
        }
    }

    fn unix_secs(&self, now: Instant) -> u64 {
        let (at, unix_secs) = self.started;
        unix_secs + now.saturating_duration_since(at).as_secs()
    }
}

/// The answers to a request that is not proven, each shorter than the one before and made only if it is wanted: 401 of a registrar, 407
/// otherwise, or what is wrong.
pub(crate) struct Refusals<'a> {
    request: &'a Request,
    tag: &'a str,
    status: u16,
    /// Of the header field with a challenge.
    name: &'static str,
    challenges: Option<Challenges<'a>>,
}

impl Refusals<'_> {
    /// With every challenge.
    pub(crate) fn whole(&self) -> Response {
        let mut whole = self.request.response(self.status, Some(self.tag));
        for challenge in self.challenges.clone().into_iter().flatten() {
            whole.push_header(self.name, challenge);
        }
        whole
    }

    /// With the least of them only.
    pub(crate) fn shorter(&self) -> Response {
        let mut shorter = brief(self.request, self.status, self.tag);
        let least = self.challenges.as_ref().and_then(Challenges::least);
        if let Some(least) = least {
            shorter.push_header(self.name, least);
        }
        shorter
    }

    /// A refusal that any request has room for, in the place of a challenge.
    pub(crate) fn shortest(&self) -> Option<Response> {
        let is_challenge = self.challenges.is_some();
        is_challenge.then(|| brief(self.request, 403, self.tag))
    }
}
