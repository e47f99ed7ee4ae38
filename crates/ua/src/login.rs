//! Credentials of one account or call, and how often they were tried.
//!
//! A challenge is answered once. The same challenge again means that the password is wrong, unless
//! the server says that only its nonce went stale (RFC 7616, section 3.3).

use sip::{Credentials, DigestClient, DigestError, Ids, Request, Response, answer_challenges};

/// Most challenges in a row that are answered: a proxy's, a registrar's, and a stale nonce of
/// each.
const MAX_ATTEMPTS: u8 = 4;

/// Credentials with the memory that digest needs.
#[derive(Debug)]
pub(crate) struct Login {
    credentials: Option<Credentials>,
    client: DigestClient,
    attempts: u8,
}

/// Why a challenge cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LoginError {
    /// There is nothing to answer with.
    NoCredentials,
    /// The server has refused what we have.
    Refused,
    /// The server wants something that we cannot do.
    Challenge(DigestError),
}

impl Login {
    pub(crate) fn new(credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            client: DigestClient::new(),
            attempts: 0,
        }
    }

    /// Whether a challenge can be answered at all.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// A new request starts: uses the nonce that the server gave before, if it did.
    pub(crate) fn prepare(&mut self, request: &mut Request) {
        self.attempts = 0;
        if let Some(credentials) = &self.credentials
            && let Some((name, value)) = self.client.anticipate(request, credentials)
        {
            request.set_header(name, value);
        }
    }

    /// `request` was accepted: the server may say which nonce it wants next.
    pub(crate) fn accepted(&mut self, request: &Request, response: &Response) {
        self.client.handle_info(response, request);
    }

    /// Puts the answer to a 401 or 407 into `request`, which still holds what was tried before.
    pub(crate) fn answer(
        &mut self,
        response: &Response,
        request: &mut Request,
        ids: &mut Ids,
    ) -> Result<(), LoginError> {
        let credentials = self.credentials.as_ref().ok_or(LoginError::NoCredentials)?;
        if self.attempts >= MAX_ATTEMPTS {
            return Err(LoginError::Refused);
        }
        self.attempts += 1;
        match answer_challenges(response, request, credentials, &mut self.client, ids) {
            Ok((name, value)) => {
                request.set_header(name, value);
                Ok(())
            }
            Err(DigestError::Refused) => Err(LoginError::Refused),
            Err(error) => Err(LoginError::Challenge(error)),
        }
    }
}
