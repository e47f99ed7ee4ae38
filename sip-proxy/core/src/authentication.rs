//! Who may ask the proxy for something: digest for every request outside a dialog (RFC 3261, section 22).
//!
//! A request without credentials, for a user who does not exist or with a wrong password gets the same answer, so that nobody
//! learns which users there are. Credentials are verified against the account of the address-of-record that the request claims:
//! To for a REGISTER, From for everything else; who authenticates as one and claims to be another is refused.
//!
//! Not here: digest itself (`sip::DigestServer`), and the look-up of the account (`proxy.rs`).

use std::time::Instant;

use sip::{Algorithm, Aor, Claim, DigestServer, Ids, Method, Request, Response, Verdict};

use crate::effect::Account;

/// What a request's credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They are the account's; of [`Authentication::claim`]: they may be, look the account up.
    Proven,
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
        match self
            .digest
            .verify(request, realm, &secret, self.unix_secs(now))
        {
            Verdict::Ok { .. } => Standing::Proven,
            Verdict::Missing | Verdict::Wrong => Standing::Unproven,
            Verdict::Stale => Standing::Stale,
            Verdict::Malformed => Standing::Malformed,
        }
    }

    /// The answer to a request that is not proven: 401 of a registrar, 407 otherwise.
    pub(crate) fn refusal(
        &mut self,
        request: &Request,
        aor: &Aor,
        standing: Standing,
        tag: &str,
        now: Instant,
    ) -> Response {
        match standing {
            Standing::Malformed => request.response(400, Some(tag)),
            Standing::Foreign => request.response(403, Some(tag)),
            Standing::Proven | Standing::Unproven | Standing::Stale => {
                self.challenge(request, aor, standing == Standing::Stale, tag, now)
            }
        }
    }

    /// Every challenge, the best first. Where a short request does not earn so long an answer, MD5 alone and unnamed, as it is where no
    /// algorithm is (RFC 7616, section 3.3): every phone knows it, and a reply longer than the endpoint allows would be silence.
    fn challenge(
        &mut self,
        request: &Request,
        aor: &Aor,
        stale: bool,
        tag: &str,
        now: Instant,
    ) -> Response {
        let (status, name) = if request.method == Method::REGISTER {
            (401, "WWW-Authenticate")
        } else {
            (407, "Proxy-Authenticate")
        };
        let challenges = self
            .digest
            .challenges(aor.host(), stale, self.unix_secs(now));
        let mut response = request.response(status, Some(tag));
        for challenge in &challenges {
            response.push_header(name, challenge.as_str());
        }
        if response.to_bytes().len() > request.to_bytes().len() * 3 / 2
            && let Some(challenge) = challenges.last()
        {
            response.set_header(name, challenge.replace(", algorithm=MD5", ""));
        }
        response
    }

    fn unix_secs(&self, now: Instant) -> u64 {
        let (at, unix_secs) = self.started;
        unix_secs + now.saturating_duration_since(at).as_secs()
    }
}
