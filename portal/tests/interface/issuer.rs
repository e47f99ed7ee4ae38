//! An OpenID provider of the tests' own: it vouches for whom it is told, and as wrongly as it is told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

use crate::world::now;

pub(crate) const CLIENT: &str = "tandem";
pub(crate) const SECRET: &str = "a secret: of 1 client";
pub(crate) const ACCESS_TOKEN: &str = "access-canary-9d21";

/// A key that the provider may sign with.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) encoding: EncodingKey,
    pub(crate) public: Value,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let encoding = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::ES256).unwrap();
        let mut public = serde_json::to_value(jwk).unwrap();
        public["kid"] = kid.into();
        Self { encoding, public }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = self.public["kid"].as_str().map(str::to_owned);
        encode(&header, claims, &self.encoding).unwrap()
    }
}

type Forge = Arc<dyn Fn(Value, &Key) -> String + Send + Sync>;

/// What the provider does.
pub(crate) struct Conduct {
    pub(crate) key: Key,
    pub(crate) published: Vec<Value>,
    /// Makes the ID Token of its claims.
    pub(crate) forge: Forge,
    /// Fields of the description that are otherwise.
    pub(crate) description: Value,
    /// In place of the description.
    pub(crate) in_its_place: Option<fn() -> Response>,
    /// What is told only to who asks for it with the access token.
    pub(crate) user_info: Value,
    codes: HashMap<String, Grant>,
}

struct Grant {
    challenge: String,
    claims: Value,
}

/// The provider, on a port of its own.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) base: String,
    conduct: Arc<Mutex<Conduct>>,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let key = Key::new("k-1");
        let conduct = Conduct {
            published: vec![key.public.clone()],
            key,
            forge: Arc::new(|claims, key| key.sign(&claims)),
            description: json!({}),
            in_its_place: None,
            user_info: json!({}),
            codes: HashMap::new(),
        };
        let issuer = Self {
            base,
            conduct: Arc::new(Mutex::new(conduct)),
        };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/person", get(person))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    pub(crate) fn conduct(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.conduct.lock().unwrap());
    }

    /// Somebody signs in on the provider's page: gives `state` and `code` with which the browser is sent back.
    pub(crate) fn approve(&self, address: &str, claims: &Value) -> (String, String) {
        let url = Url::parse(address).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        let mut all = json!({"iss": self.base, "aud": CLIENT, "nonce": query["nonce"], "iat": now().unix_timestamp(),
            "exp": now().unix_timestamp() + 300, "auth_time": now().unix_timestamp()});
        let told = claims.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(told);
        let code = format!("code-{}", query["state"]);
        let grant = Grant {
            challenge: query["code_challenge"].clone(),
            claims: all,
        };
        self.conduct(|conduct| drop(conduct.codes.insert(code.clone(), grant)));
        (query["state"].clone(), code)
    }
}

async fn description(State(issuer): State<Issuer>) -> Response {
    let conduct = issuer.conduct.lock().unwrap();
    if let Some(other) = conduct.in_its_place {
        return other();
    }
    let base = &issuer.base;
    let mut told = json!({"issuer": base, "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/keys"),
        "userinfo_endpoint": format!("{base}/person"), "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"]});
    let changes = conduct.description.as_object().unwrap().clone();
    told.as_object_mut().unwrap().extend(changes);
    Json(told).into_response()
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let conduct = issuer.conduct.lock().unwrap();
    Json(json!({ "keys": conduct.published }))
}

async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: Bytes) -> Response {
    let refused = |status, error: &str| (status, Json(json!({ "error": error }))).into_response();
    let client = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    if client != Some(basic().as_str()) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let mut conduct = issuer.conduct.lock().unwrap();
    let Some(grant) = conduct.codes.remove(&form["code"]) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    if challenge != grant.challenge || !form["redirect_uri"].ends_with("/signed-on") {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let id_token = (conduct.forge)(grant.claims, &conduct.key);
    let tokens =
        json!({"id_token": id_token, "access_token": ACCESS_TOKEN, "token_type": "Bearer"});
    Json(tokens).into_response()
}

async fn person(State(issuer): State<Issuer>, headers: HeaderMap) -> Response {
    let bearer = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    if bearer != Some(format!("Bearer {ACCESS_TOKEN}").as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let conduct = issuer.conduct.lock().unwrap();
    Json(conduct.user_info.clone()).into_response()
}

/// RFC 6749 section 2.3.1: both parts are form-encoded first.
fn basic() -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let both = format!("{}:{}", encoded(CLIENT), encoded(SECRET));
    let both = base64::engine::general_purpose::STANDARD.encode(both);
    format!("Basic {both}")
}

/// What leads to another address, where a private service may be.
pub(crate) fn redirecting() -> Response {
    let to = [(LOCATION, "http://127.0.0.1:1/")];
    (StatusCode::FOUND, to).into_response()
}
