//! Who may ask the proxy for something: digest for every request outside a dialog (RFC 3261, section 22).
//!
//! A request without credentials, for a user who does not exist or with a wrong password gets the same answer, so that nobody
//! learns which users there are. Credentials are verified against the account of the address-of-record that the request claims:
//! To for a REGISTER, From for everything else; who authenticates as one and claims to be another is refused.
//!
//! Not here: digest itself (`sip::DigestServer`), and the look-up of the account (`proxy.rs`).

use std::net::SocketAddr;
use std::time::Instant;

use sip::{
    Algorithm, Aor, AuthFields, Claim, DigestServer, Ids, Method, Request, Response, Verdict,
};

use crate::effect::Account;

/// What a request's credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They are the account's; of [`Authentication::claim`]: they may be, look the account up.
    Proven,
    /// They are, and this very message was proven before: only the first answer may be given again.
    Repeated,
    /// None, or wrong ones: to be challenged.
    Unproven,
    /// The right ones, for a nonce that is no longer good.
    Stale,
    /// Somebody else's.
    Foreign,
    /// They contradict themselves.
    Malformed,
}

/// The proxy's judge of credentials.
#[derive(Debug)]
pub(crate) struct Authentication {
    digest: DigestServer,
    started: (Instant, u64),
}

/// An answer to somebody who has proven nothing.
#[derive(Debug)]
pub(crate) struct UnprovenAnswer {
    pub(crate) response: Response,
    /// The least of the challenges in it, by header name and value.
    challenge: Option<(&'static str, String)>,
}

impl UnprovenAnswer {
    /// Leaves only MD5, unnamed, as it is where no algorithm is (RFC 7616, section 3.3): every phone knows it. For a request too short
    /// to earn the whole answer; `false` if nothing can be left out.
    pub(crate) fn shorten(&mut self) -> bool {
        let Some((name, challenge)) = self.challenge.take() else {
            return false;
        };
        let short = challenge.replace(", algorithm=MD5", "");
        self.response.set_header(name, short);
        true
    }
}

/// Whether nothing shall be kept of a request: a REGISTER, whose copies are answered alike, and whatever comes from outside a dialog
/// without credentials for the domain it claims.
pub(crate) fn is_stateless(request: &Request) -> bool {
    if request.method == Method::REGISTER {
        return true;
    }
    if request.to().is_ok_and(|to| to.tag().is_some()) {
        return false;
    }
    let mut credentials = ["Authorization", "Proxy-Authorization"]
        .into_iter()
        .flat_map(|name| request.headers_named(name))
        .peekable();
    if credentials.peek().is_none() {
        return true;
    }
    let claimed = claimed_aor(request);
    !credentials.any(|value| {
        let fields = AuthFields::parse(value);
        let realm = fields.as_ref().and_then(|fields| fields.value("realm"));
        realm.is_some_and(|realm| claimed.as_ref().is_some_and(|aor| aor.host() == realm))
    })
}

/// The identity that a request claims; `None` if it has none that can be an account.
pub(crate) fn claimed_aor(request: &Request) -> Option<Aor> {
    let who = if request.method == Method::REGISTER {
        request.to()
    } else {
        request.from()
    };
    Aor::from_uri(&who.ok()?.uri)
}

impl Authentication {
    pub(crate) fn new(algorithms: &[Algorithm], ids: &mut Ids, started: (Instant, u64)) -> Self {
        let digest = DigestServer::new(ids.bytes(), ids.fork()).with_algorithms(algorithms);
        Self { digest, started }
    }

    /// What can be said before the account is known.
    pub(crate) fn claim(&self, request: &Request, aor: &Aor) -> Standing {
        match self.digest.claim(request, aor.host()) {
            Claim::Missing => Standing::Unproven,
            Claim::Malformed => Standing::Malformed,
            Claim::User(_) => Standing::Proven,
        }
    }

    /// The judgement, once the account of `aor` is known; `None` if there is no such account.
    pub(crate) fn verify(
        &mut self,
        request: &Request,
        aor: &Aor,
        account: Option<&Account>,
        source: SocketAddr,
        now: Instant,
    ) -> Standing {
        let realm = aor.host();
        let Claim::User(username) = self.digest.claim(request, realm) else {
            return Standing::Malformed;
        };
        let expected = account.map_or(aor.user(), |account| &account.auth_username);
        if username != expected && username != aor.user() {
            return Standing::Foreign;
        }
        let secret = match account.filter(|_| username == expected) {
            Some(account) => account.secret,
            None => self.digest.secret_of_nobody(&username, realm),
        };
        let now = self.unix_secs(now);
        match self
            .digest
            .verify_copies(request, realm, &secret, source, now)
        {
            Verdict::Ok { .. } => Standing::Proven,
            Verdict::Repeated { .. } => Standing::Repeated,
            Verdict::Missing | Verdict::Wrong => Standing::Unproven,
            Verdict::Stale => Standing::Stale,
            Verdict::Malformed => Standing::Malformed,
        }
    }

    /// The answer to a request that is not proven: 401 of a registrar, 407 otherwise, with every challenge, the best first.
    pub(crate) fn refusal(
        &mut self,
        request: &Request,
        aor: &Aor,
        standing: Standing,
        tag: &str,
        now: Instant,
    ) -> UnprovenAnswer {
        let bare = |status: u16| UnprovenAnswer {
            response: request.response(status, Some(tag)),
            challenge: None,
        };
        match standing {
            Standing::Malformed => return bare(400),
            Standing::Foreign => return bare(403),
            Standing::Proven | Standing::Repeated | Standing::Unproven | Standing::Stale => {}
        }
        let (status, name) = if request.method == Method::REGISTER {
            (401, "WWW-Authenticate")
        } else {
            (407, "Proxy-Authenticate")
        };
        let is_stale = standing == Standing::Stale;
        let now = self.unix_secs(now);
        let mut challenges = self.digest.challenges(aor.host(), is_stale, now);
        let mut answer = bare(status);
        for challenge in &challenges {
            answer.response.push_header(name, challenge.as_str());
        }
        answer.challenge = challenges.pop().map(|last| (name, last));
        answer
    }

    fn unix_secs(&self, now: Instant) -> u64 {
        let (at, unix_secs) = self.started;
        unix_secs + now.saturating_duration_since(at).as_secs()
    }
}
