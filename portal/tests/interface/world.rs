//! A running portal with a database of its own, a proxy that notes what it is asked, and callers.

use std::sync::{Arc, Mutex};

use api::{
    CallLadder, ControlAnswer, LadderMessage, ProviderTestEvent, ProxyControl, Registration,
    RegistrationChange, RegistrationTrial,
};
use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::{Value, json};
use store::{
    Database, Role, Secret, StoreConfig, Vault,
    session::{NewSession, SessionLifetime, SignedInBy},
    user::NewUser,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tokio::{
    net::TcpListener,
    sync::{Notify, broadcast, mpsc},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A portal to talk to.
pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) db: Database,
    pub(crate) vault: Vault,
    pub(crate) proxy: Arc<FakeProxy>,
    /// The tenant most tests are about.
    pub(crate) tenant: Uuid,
    /// Owner of the tenant and administrator of the installation.
    pub(crate) owner: Caller,
    pub(crate) stop: CancellationToken,
    /// The data folder.
    pub(crate) data: TempDir,
}

impl World {
    /// On SQLite, which is enough for most.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// On SQLite, with another configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut portal::PortalConfig)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", data.path().join("tandem.db").display());
        Self::on(&url, data, change).await
    }

    /// On PostgreSQL, unless these tests are left out.
    pub(crate) async fn start_on_postgres() -> Option<Self> {
        let url = testkit::postgres::database_url()?;
        Some(Self::on(&url, tempfile::tempdir().unwrap(), |_| {}).await)
    }

    /// On PostgreSQL, with another configuration.
    pub(crate) async fn start_on_postgres_with(
        change: impl FnOnce(&mut portal::PortalConfig),
    ) -> Option<Self> {
        let url = testkit::postgres::database_url()?;
        Some(Self::on(&url, tempfile::tempdir().unwrap(), change).await)
    }

    async fn on(url: &str, data: TempDir, change: impl FnOnce(&mut portal::PortalConfig)) -> Self {
        let db = store::connect(url, &StoreConfig::default()).await.unwrap();
        let vault = Vault::open_or_create(&data.path().join("secrets.key")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = portal::PortalConfig::new(&base, "sip:127.0.0.1:5060;lr", data.path());
        change(&mut config);
        let proxy = Arc::new(FakeProxy::default());
        let app = portal::App::new(db.clone(), vault.clone(), proxy.clone(), config).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(portal::serve(listener, app, stop.clone()));

        let user = user("owner@example.com", true, &db).await;
        let owner = Caller::new(&base, Some(session(user, &db).await));
        let mut world = Self {
            base,
            db,
            vault,
            proxy,
            tenant: Uuid::nil(),
            owner,
            stop,
            data,
        };
        world.tenant = world.tenant_named("Acme", &world.owner).await;
        world
    }

    /// A new tenant of this caller.
    pub(crate) async fn tenant_named(&self, name: &str, owner: &Caller) -> Uuid {
        let created = owner.post("/api/v1/tenants", json!({"name": name})).await;
        created.expect(StatusCode::CREATED).id()
    }

    /// Somebody signed in with this role in the tenant.
    pub(crate) async fn member(&self, email: &str, role: Role) -> Caller {
        self.member_of(self.tenant, email, role).await
    }

    /// Somebody signed in with this role in that tenant.
    pub(crate) async fn member_of(&self, tenant: Uuid, email: &str, role: Role) -> Caller {
        let user = user(email, false, &self.db).await;
        store::membership::insert(tenant, user, role, now(), &self.db)
            .await
            .unwrap();
        Caller::new(&self.base, Some(session(user, &self.db).await))
    }

    /// Somebody signed in who belongs to no tenant.
    pub(crate) async fn outsider(&self, email: &str) -> Caller {
        let user = user(email, false, &self.db).await;
        Caller::new(&self.base, Some(session(user, &self.db).await))
    }

    /// The same person in a browser that was left open for so long.
    pub(crate) async fn left_open(&self, email: &str, minutes: i64) -> Caller {
        let found = store::user::find_by_email(email, &self.db).await.unwrap();
        let began = now() - Duration::minutes(minutes);
        let session = session_since(found.unwrap().0.id, began, &self.db).await;
        Caller::new(&self.base, Some(session))
    }

    /// The same person in a browser where only the tenant's provider says who they are.
    pub(crate) async fn vouched(&self, email: &str) -> Caller {
        self.vouched_since(email, 0).await
    }

    /// The same, and they proved it so long ago.
    pub(crate) async fn vouched_since(&self, email: &str, minutes: i64) -> Caller {
        let found = store::user::find_by_email(email, &self.db).await.unwrap();
        let by = SignedInBy::Provider {
            tenant: self.tenant,
            authenticated_at: Some(now() - Duration::minutes(minutes)),
            second_factor: false,
        };
        let session = session_by(by, found.unwrap().0.id, now(), &self.db).await;
        Caller::new(&self.base, Some(session))
    }

    /// Signs the person in once more; gives what that session is spoken of by.
    pub(crate) async fn another_session(&self, email: &str) -> Uuid {
        let found = store::user::find_by_email(email, &self.db).await.unwrap();
        let user = found.unwrap().0.id;
        let token = session(user, &self.db).await;
        let lifetime = SessionLifetime {
            absolute: Duration::hours(1),
            idle: Duration::hours(1),
        };
        let found = store::session::find(&token, &lifetime, now(), &self.db).await;
        found.unwrap().unwrap().id
    }

    pub(crate) fn nobody(&self) -> Caller {
        Caller::new(&self.base, None)
    }

    /// Where something of the tenant is.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/tenants/{}/{rest}", self.tenant)
    }

    /// Tandem's own provider of the tenant.
    pub(crate) async fn own_provider(&self) -> Value {
        let listed = self.owner.get(&self.path("providers")).await;
        listed.expect(StatusCode::OK).body["items"][0].clone()
    }

    /// An account at Tandem's own provider.
    pub(crate) async fn account(&self, username: &str) -> Value {
        let provider = self.own_provider().await["id"].clone();
        let input = json!({"provider_id": provider, "name": username, "username": username});
        let created = self.owner.post(&self.path("accounts"), input).await;
        created.expect(StatusCode::CREATED).body
    }

    pub(crate) async fn contact(&self, first_name: &str) -> Value {
        let input = json!({"first_name": first_name, "last_name": "Example",
            "emails": [{"address": "someone@example.com", "label": "work"}]});
        let created = self.owner.post(&self.path("contacts"), input).await;
        created.expect(StatusCode::CREATED).body
    }

    /// A device with these accounts.
    pub(crate) async fn device(&self, accounts: &[&Value]) -> Value {
        let contact = self.contact("Alice").await["id"].clone();
        let ids: Vec<_> = accounts.iter().map(|account| &account["id"]).collect();
        let input = json!({"name": "Laptop", "contact_id": contact, "account_ids": ids});
        let created = self.owner.post(&self.path("devices"), input).await;
        created.expect(StatusCode::CREATED).body
    }

    /// Where the activation of a device is.
    pub(crate) fn activation_path(&self, device: &Value) -> String {
        self.path(&format!(
            "devices/{}/activation",
            device["id"].as_str().unwrap()
        ))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A user whose password nobody knows and who need not set one.
async fn user(email: &str, installation_administrator: bool, db: &Database) -> Uuid {
    let nothing = Secret::new("no password");
    let new = NewUser {
        email,
        first_name: "Some",
        last_name: "One",
        installation_administrator,
        password_phc: &nothing,
    };
    let user = store::user::insert(&new, now(), db).await.unwrap();
    store::user::set_password(user.id, &nothing, db)
        .await
        .unwrap();
    user.id
}

/// Somebody who has just signed in.
async fn session(user: Uuid, db: &Database) -> String {
    session_since(user, now(), db).await
}

async fn session_since(user: Uuid, began: OffsetDateTime, db: &Database) -> String {
    session_by(SignedInBy::Own, user, began, db).await
}

async fn session_by(by: SignedInBy, user: Uuid, began: OffsetDateTime, db: &Database) -> String {
    let new = NewSession {
        user,
        by,
        browser: "Firefox, Linux",
        address: "192.0.2.7",
    };
    let lifetime = SessionLifetime {
        absolute: Duration::hours(1),
        idle: Duration::hours(1),
    };
    let token = store::session::insert(&new, &lifetime, began, db)
        .await
        .unwrap();
    token.reveal().to_owned()
}

/// A mail that the portal put into its mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Posted {
    /// What stands behind the `#` of the link in it.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let behind = self.text.split('#').nth(1).unwrap();
        behind.split_whitespace().next().unwrap().to_owned()
    }
}

impl World {
    /// The mails that somebody got, the newest first, once there are so many.
    pub(crate) async fn mails_to(&self, recipient: &str, at_least: usize) -> Vec<Posted> {
        loop {
            let listed = self.owner.get("/api/v1/mailbox?limit=200").await;
            let listed = listed.expect(StatusCode::OK).body["items"].clone();
            let listed = listed.as_array().unwrap().iter();
            let theirs = listed.filter(|item| item["to"].as_str().unwrap().contains(recipient));
            let theirs: Vec<_> = theirs.collect();
            if theirs.len() < at_least {
                tokio::task::yield_now().await;
                continue;
            }
            let mut mails = Vec::new();
            for item in theirs {
                let path = format!("/api/v1/mailbox/{}", item["id"].as_str().unwrap());
                let mail = self.owner.get(&path).await.expect(StatusCode::OK).body;
                mails.push(Posted {
                    subject: mail["subject"].as_str().unwrap().to_owned(),
                    text: mail["text"].as_str().unwrap().to_owned(),
                });
            }
            return mails;
        }
    }
}

/// Somebody, or nobody, who sends requests.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) base: String,
    pub(crate) session: Option<String>,
    pub(crate) bearer: Option<String>,
    client: Client,
}

impl Caller {
    pub(crate) fn new(base: &str, session: Option<String>) -> Self {
        Self {
            base: base.to_owned(),
            session,
            bearer: None,
            client: Client::new(),
        }
    }

    /// The same portal seen by a device.
    pub(crate) fn device(base: &str, token: &str) -> Self {
        Self {
            bearer: Some(token.to_owned()),
            ..Self::new(base, None)
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Sends a file.
    pub(crate) async fn upload(&self, path: &str, file: impl Into<Vec<u8>>) -> Answer {
        let mut request = self.client.post(format!("{}{path}", self.base));
        if let Some(session) = &self.session {
            request = request.header("cookie", format!("tandem_session={session}"));
        }
        let request = request.header("content-type", "text/csv").body(file.into());
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(session) = &self.session {
            request = request.header("cookie", format!("tandem_session={session}"));
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut request = request.build().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        Answer::of(self.client.execute(request).await.unwrap()).await
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `null` if it is not JSON.
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        Self {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The fields that are wrong, in order.
    #[track_caller]
    pub(crate) fn wrong_fields(self) -> Vec<String> {
        let answer = self.expect(StatusCode::UNPROCESSABLE_ENTITY);
        let errors = answer.body["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> Uuid {
        self.body["id"].as_str().unwrap().parse().unwrap()
    }

    /// The value of a cookie that the answer sets.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> String {
        let set = self.headers.get_all("set-cookie").iter();
        let texts = set.map(|value| value.to_str().unwrap());
        let start = format!("{name}=");
        let found = texts.filter_map(|text| text.strip_prefix(&start)).next();
        found.unwrap().split(';').next().unwrap().to_owned()
    }

    /// What must not depend on the request: everything but its identifier.
    pub(crate) fn without_request_id(mut self) -> (StatusCode, Value) {
        self.body["request_id"] = Value::Null;
        (self.status, self.body)
    }
}

/// A proxy without phones.
pub(crate) struct FakeProxy {
    asked: Mutex<Vec<String>>,
    /// Registrations that were tried, and whom to tell what comes of them.
    tried: Mutex<Vec<(RegistrationTrial, mpsc::Sender<ProviderTestEvent>)>>,
    changes: broadcast::Sender<RegistrationChange>,
    calls: broadcast::Sender<Uuid>,
    /// What is asked is not answered before this opens.
    gate: Mutex<Option<Arc<Notify>>>,
}

impl Default for FakeProxy {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
            tried: Mutex::default(),
            changes: broadcast::Sender::new(16),
            calls: broadcast::Sender::new(16),
            gate: Mutex::default(),
        }
    }
}

impl FakeProxy {
    /// What the portal asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// What was tried last and not taken yet, and whom to tell what comes of it.
    pub(crate) fn tried(&self) -> Option<(RegistrationTrial, mpsc::Sender<ProviderTestEvent>)> {
        self.tried.lock().unwrap().pop()
    }

    /// A device registers or, with `None`, the last binding ends.
    pub(crate) fn bind(&self, aor: &str, instance: Option<String>) {
        let registrations = instance.map(|instance| Registration {
            aor: aor.to_owned(),
            instance: Some(instance),
            expires_at: now() + Duration::hours(1),
        });
        let change = RegistrationChange {
            aor: aor.to_owned(),
            registrations: registrations.into_iter().collect(),
        };
        self.changes.send(change).unwrap();
    }

    /// Calls of a tenant are written.
    pub(crate) fn write_calls(&self, tenant: Uuid) {
        self.calls.send(tenant).unwrap();
    }

    /// Leaves what is asked next without an answer until whoever gets this tells it.
    pub(crate) fn close_gate(&self) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        *self.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    fn note(&self, asked: String) -> ControlAnswer<'_, ()> {
        self.asked.lock().unwrap().push(asked);
        let gate = self.gate.lock().unwrap().take();
        Box::pin(async move {
            if let Some(gate) = gate {
                gate.notified().await;
            }
            Ok(())
        })
    }
}

impl ProxyControl for FakeProxy {
    fn registrations(&self) -> ControlAnswer<'_, Vec<Registration>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn subscribe(&self) -> broadcast::Receiver<RegistrationChange> {
        self.changes.subscribe()
    }

    fn revoke_device<'a>(&'a self, instance: &'a str) -> ControlAnswer<'a, ()> {
        self.note(format!("revoke {instance}"))
    }

    fn drop_bindings<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()> {
        self.note(format!("drop {aor}"))
    }

    fn account_changed<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()> {
        self.note(format!("changed {aor}"))
    }

    fn subscribe_calls(&self) -> broadcast::Receiver<Uuid> {
        self.calls.subscribe()
    }

    fn try_registration(&self, trial: RegistrationTrial) -> mpsc::Receiver<ProviderTestEvent> {
        let (told, steps) = mpsc::channel(4);
        self.tried.lock().unwrap().push((trial, told));
        steps
    }

    fn call_ladder<'a>(
        &'a self,
        _: Uuid,
        call_id: &'a str,
    ) -> ControlAnswer<'a, Option<CallLadder>> {
        Box::pin(async move {
            let message = LadderMessage {
                at: now(),
                received: true,
                transport: "UDP".to_owned(),
                peer: "192.0.2.1:5060".to_owned(),
                call_id: call_id.to_owned(),
                first_line: "INVITE sip:1002@acme.test SIP/2.0".to_owned(),
                text: "INVITE sip:1002@acme.test SIP/2.0\n\n".to_owned(),
            };
            Ok((call_id == "traced").then(|| CallLadder {
                messages: vec![message],
                dropped: 0,
            }))
        })
    }
}
