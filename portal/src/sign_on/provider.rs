//! A provider as it describes itself (OpenID Connect Discovery 1.0), and what is asked of it.

use api::SignOnReason;
use reqwest::StatusCode;
use serde::Deserialize;
use store::Secret;
use url::{Host, Url, form_urlencoded};

use super::{
    Trouble,
    fetch::fetch,
    token::{Keys, Person, is_known},
};
use crate::egress::{Egress, literal};

/// A provider that can be spoken with.
pub(crate) struct Provider {
    description: Description,
    authorization: Url,
    token: Url,
    keys: Url,
    user_info: Option<Url>,
}

/// What the provider says of itself (OpenID Connect Discovery 1.0 section 3), as far as we need it.
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    pub(super) issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What the provider knows us by.
pub(crate) struct Client<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: Option<&'a Secret>,
    pub(crate) redirect: &'a str,
}

/// What people are sent to the provider with.
pub(crate) struct Request<'a> {
    pub(crate) state: &'a Secret,
    pub(crate) nonce: &'a str,
    pub(crate) challenge: &'a str,
    /// The address that somebody has typed already.
    pub(crate) email: Option<&'a str>,
    /// The person must prove now who they are, whatever the provider remembers.
    pub(crate) anew: bool,
}

/// What a code stands for.
pub(crate) struct Tokens {
    pub(crate) id: Secret,
    pub(crate) access: Secret,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    access_token: String,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

impl Provider {
    /// Reads the provider's description of itself.
    pub(crate) async fn discover(issuer: &str, egress: &Egress) -> Result<Self, Trouble> {
        let description = Self::describe(issuer, egress).await?;
        description.check_issuer(issuer)?;
        Self::of(description)
    }

    pub(super) async fn describe(issuer: &str, egress: &Egress) -> Result<Description, Trouble> {
        check_address(issuer)?;
        let place = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let place = check_address(&place)?;
        let fetched = fetch(&place, egress, |client| client.get(place.clone())).await?;
        fetched.json()
    }

    pub(super) fn of(description: Description) -> Result<Self, Trouble> {
        let user_info = description.userinfo_endpoint.as_deref();
        Ok(Self {
            authorization: check_address(&description.authorization_endpoint)?,
            token: check_address(&description.token_endpoint)?,
            keys: check_address(&description.jwks_uri)?,
            user_info: user_info.map(check_address).transpose()?,
            description,
        })
    }

    /// How the provider signs, in its words. Without a word of it: as all must be able to (OpenID Connect Core 1.0 section 15.1).
    pub(crate) fn algorithms(&self) -> Vec<String> {
        let told = &self.description.id_token_signing_alg_values_supported;
        if told.is_empty() {
            vec!["RS256".to_owned()]
        } else {
            told.clone()
        }
    }

    /// Whether it signs in a way that we can check.
    pub(super) fn signs_as_we_know(&self) -> bool {
        self.algorithms().iter().any(|name| is_known(name))
    }

    /// Refuses an answer that another provider gave (RFC 9207 section 2.4).
    pub(crate) fn check_sender(&self, sender: Option<&str>) -> Result<(), Trouble> {
        let wanted = self
            .description
            .authorization_response_iss_parameter_supported;
        match sender {
            Some(sender) if sender == self.description.issuer => Ok(()),
            None if !wanted => Ok(()),
            _ => Err(SignOnReason::OtherIssuer.into()),
        }
    }

    /// The page that people are sent to (OpenID Connect Core 1.0 section 3.1.2.1).
    pub(crate) fn address(&self, request: &Request<'_>, client: &Client<'_>) -> String {
        let mut address = self.authorization.clone();
        let mut query = address.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email profile")
            .append_pair("client_id", client.id)
            .append_pair("redirect_uri", client.redirect)
            .append_pair("state", request.state.reveal())
            .append_pair("nonce", request.nonce)
            .append_pair("code_challenge", request.challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(email) = request.email {
            query.append_pair("login_hint", email);
        }
        if request.anew {
            query
                .append_pair("prompt", "login")
                .append_pair("max_age", "0");
        }
        drop(query);
        address.into()
    }

    /// Gives the code for the tokens that it stands for (OpenID Connect Core 1.0 section 3.1.3).
    pub(crate) async fn exchange(
        &self,
        code: &str,
        verifier: &Secret,
        client: &Client<'_>,
        egress: &Egress,
    ) -> Result<Tokens, Trouble> {
        let answer = self.ask_for_tokens(code, verifier, client, egress).await?;
        let tokens: TokenAnswer = answer.map_err(refused)?;
        Ok(Tokens {
            id: Secret::new(tokens.id_token),
            access: Secret::new(tokens.access_token),
        })
    }

    /// Whether the provider knows the client: a code that stands for nothing is refused as such, and not for who brings it.
    pub(super) async fn knows(&self, client: &Client<'_>, egress: &Egress) -> Result<(), Trouble> {
        let verifier = Secret::new("x".repeat(43));
        let answer = self.ask_for_tokens("tandem-trial", &verifier, client, egress);
        match answer.await? {
            Err(error) if is_about_the_client(&error) => Err(refused(error)),
            _ => Ok(()),
        }
    }

    async fn ask_for_tokens(
        &self,
        code: &str,
        verifier: &Secret,
        client: &Client<'_>,
        egress: &Egress,
    ) -> Result<Result<TokenAnswer, String>, Trouble> {
        let in_body = self.wants_secret_in_body();
        let body = token_request(code, verifier, client, in_body);
        let fetched = fetch(&self.token, egress, |http| {
            let request = http
                .post(self.token.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
            match client.secret {
                Some(secret) if !in_body => {
                    request.basic_auth(encoded(client.id), Some(encoded(secret.reveal())))
                }
                _ => request,
            }
        })
        .await?;
        match fetched.status {
            StatusCode::OK => fetched.json().map(Ok),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                let refusal: TokenRefusal = fetched.any_json()?;
                Ok(Err(word(&refusal.error)))
            }
            _ => fetched.json().map(Ok),
        }
    }

    /// `client_secret_basic` is what counts without a word of it (OpenID Connect Core 1.0 section 9).
    fn wants_secret_in_body(&self) -> bool {
        let methods = self
            .description
            .token_endpoint_auth_methods_supported
            .as_deref();
        let has = |name: &str| methods.is_some_and(|all| all.iter().any(|one| one == name));
        has("client_secret_post") && !has("client_secret_basic")
    }

    /// The keys that the provider signs with.
    pub(crate) async fn keys(&self, egress: &Egress) -> Result<Keys, Trouble> {
        let fetched = fetch(&self.keys, egress, |http| http.get(self.keys.clone())).await?;
        let keys: Keys = fetched.json()?;
        if keys.is_empty() {
            return Err(SignOnReason::NoKeys.into());
        }
        Ok(keys)
    }

    /// What the provider tells of the person beside the token (OpenID Connect Core 1.0 section 5.3), if it is the same person.
    pub(crate) async fn person(
        &self,
        subject: &str,
        access: &Secret,
        egress: &Egress,
    ) -> Result<Option<Person>, Trouble> {
        #[derive(Deserialize)]
        struct UserInfo {
            sub: String,
            #[serde(flatten)]
            person: Person,
        }
        let Some(place) = &self.user_info else {
            return Ok(None);
        };
        let fetched = fetch(place, egress, |http| {
            http.get(place.clone()).bearer_auth(access.reveal())
        });
        let told: UserInfo = fetched.await?.json()?;
        if told.sub != subject {
            return Err(Trouble::new(
                SignOnReason::TokenInvalid,
                "user info of somebody else",
            ));
        }
        Ok(Some(told.person))
    }
}

impl Description {
    /// It must be of the issuer that was asked for, to the letter (OpenID Connect Discovery 1.0 section 4.3).
    pub(super) fn check_issuer(&self, expected: &str) -> Result<(), Trouble> {
        if self.issuer == expected {
            return Ok(());
        }
        Err(Trouble::new(
            SignOnReason::OtherIssuer,
            self.issuer.as_str(),
        ))
    }
}

/// An address that we may send people or requests to: `https`, or on this machine `http`.
pub(crate) fn check_address(text: &str) -> Result<Url, Trouble> {
    let wrong = || Trouble::new(SignOnReason::NotHttps, text);
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.host().ok_or_else(wrong)?;
    let is_local = match &host {
        Host::Domain(name) => *name == "localhost",
        other => literal(&other.to_string()).is_some_and(|address| address.is_loopback()),
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if secure && plain {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// RFC 6749 section 4.1.3 and RFC 7636 section 4.5.
fn token_request(code: &str, verifier: &Secret, client: &Client<'_>, secret_too: bool) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", client.redirect)
        .append_pair("code_verifier", verifier.reveal());
    if secret_too || client.secret.is_none() {
        form.append_pair("client_id", client.id);
    }
    if let Some(secret) = client.secret.filter(|_| secret_too) {
        form.append_pair("client_secret", secret.reveal());
    }
    form.finish()
}

/// As user name or password of HTTP Basic (RFC 6749 section 2.3.1).
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn refused(error: String) -> Trouble {
    let reason = if is_about_the_client(&error) {
        SignOnReason::ClientRefused
    } else {
        SignOnReason::ProviderRefused
    };
    Trouble::new(reason, error)
}

fn is_about_the_client(error: &str) -> bool {
    matches!(error, "invalid_client" | "unauthorized_client")
}

/// An error code as the standards write them, and nothing else that a provider may say.
pub(crate) fn word(text: &str) -> String {
    let plain = |sign: &char| sign.is_ascii_lowercase() || *sign == '_';
    text.chars().filter(plain).take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(more: &serde_json::Value) -> Provider {
        let mut description = json!({
            "issuer": "https://login.example", "authorization_endpoint": "https://login.example/a?b=c",
            "token_endpoint": "https://login.example/t", "jwks_uri": "https://login.example/k"});
        let object = description.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        Provider::of(serde_json::from_value(description).unwrap()).unwrap()
    }

    #[test]
    fn people_are_sent_only_where_it_is_safe() {
        for good in [
            "https://login.example/tenant/v2.0",
            "https://login.example:8443",
            "http://127.0.0.1:3000",
            "http://[::1]:3000/a",
            "http://localhost:3000",
        ] {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.example",
            "http://login.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://login.example",
            "https://user@login.example",
            "https://user:word@login.example",
            "https://login.example/#here",
            "https://",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_request_says_what_the_standard_asks_for() {
        let provider = described(&json!({}));
        let client = Client {
            id: "a b",
            secret: None,
            redirect: "https://portal.example/signed-on",
        };
        let request = Request {
            state: &Secret::new("st"),
            nonce: "no",
            challenge: "ch",
            email: Some("ada@example.com"),
            anew: false,
        };
        let address = Url::parse(&provider.address(&request, &client)).unwrap();
        let query: Vec<_> = address.query_pairs().into_owned().collect();
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            query,
            [
                ("b", "c"),
                ("response_type", "code"),
                ("scope", "openid email profile"),
                ("client_id", "a b"),
                ("redirect_uri", "https://portal.example/signed-on"),
                ("state", "st"),
                ("nonce", "no"),
                ("code_challenge", "ch"),
                ("code_challenge_method", "S256"),
                ("login_hint", "ada@example.com"),
            ]
        );
        let anew = Request {
            anew: true,
            ..request
        };
        let address = provider.address(&anew, &client);
        assert!(address.ends_with("&prompt=login&max_age=0"), "{address}");
    }

    #[test]
    fn an_answer_of_another_provider_is_refused() {
        let silent = described(&json!({}));
        let telling = described(&json!({"authorization_response_iss_parameter_supported": true}));
        for provider in [&silent, &telling] {
            assert!(provider.check_sender(Some("https://login.example")).is_ok());
            assert!(provider.check_sender(Some("https://evil.example")).is_err());
        }
        assert!(silent.check_sender(None).is_ok());
        assert!(telling.check_sender(None).is_err());
    }

    #[test]
    fn what_a_provider_says_is_cut_to_a_word() {
        assert_eq!(word("invalid_grant"), "invalid_grant");
        assert_eq!(word("<b>Code 7 eyJhbGciOi</b>\n"), "bodeeyhbciib");
        assert_eq!(word(&"x".repeat(100)).len(), 40);
    }
}
