//! A client of the portal's HTTP interface, as strict as a browser: cookie, JSON, statuses checked.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Portal {
    client: Client,
    base: String,
    cookie: String,
    email: String,
}

/// What replaces the one-time password.
const PASSWORD: &str = "a long enough password";

/// A tenant with Tandem's own provider, ready for accounts and devices.
#[derive(Clone, Debug)]
pub struct Tenant {
    portal: Portal,
    path: String,
    provider: String,
    /// The SIP domain of its accounts.
    pub domain: String,
}

/// A device that waits for its activation, and the account it will have.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Id of the device.
    pub id: String,
    /// Id of its account.
    pub account: String,
    /// The typed activation code.
    pub code: String,
    /// The activation link.
    pub link: String,
}

impl Portal {
    /// Signs in with a one-time password and replaces it.
    pub async fn sign_in(base: &str, email: &str, once: &str) -> Self {
        let client = Client::new();
        let mut portal = Self {
            client,
            base: format!("{base}/api/v1"),
            cookie: String::new(),
            email: email.to_owned(),
        };
        portal.open_session(email, once).await;
        portal
            .send(
                Method::PUT,
                "/session/password",
                Some(json!({"current": once, "new": PASSWORD})),
                204,
            )
            .await;
        portal.open_session(email, PASSWORD).await;
        portal
    }

    /// The same person, signed in at another server that has the same data.
    pub async fn elsewhere(&self, base: &str) -> Self {
        let mut portal = Self {
            base: format!("{base}/api/v1"),
            ..self.clone()
        };
        portal.open_session(&self.email, PASSWORD).await;
        portal
    }

    async fn open_session(&mut self, email: &str, password: &str) {
        let answer = self
            .client
            .post(format!("{}/session", self.base))
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .expect("the portal answers");
        assert_eq!(answer.status(), StatusCode::OK, "signing in as {email}");
        let cookie = answer.headers()["set-cookie"]
            .to_str()
            .expect("a cookie is text");
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    }

    /// Sends a request and returns the body of an answer that must have this status.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let text = self.text(method, path, body, status).await;
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The same as text.
    async fn text(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> String {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the portal answers");
        let found = answer.status();
        let text = answer.text().await.expect("an answer is text");
        assert_eq!(found.as_u16(), status, "{method} {path}: {text}");
        text
    }

    /// The answer's body as JSON; the status must be 200.
    pub async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None, 200).await
    }

    /// The body of what was created.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body), 201).await
    }

    /// A new tenant.
    pub async fn tenant(&self, slug: &str) -> Tenant {
        let tenant = self
            .create("/tenants", json!({"name": slug, "slug": slug}))
            .await;
        let path = format!("/tenants/{}", text(&tenant["id"]));
        let providers = self.get(&format!("{path}/providers")).await;
        let own = providers["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|provider| provider["own"] == true);
        let own = own.expect("Tandem's own provider is there from the start");
        Tenant {
            portal: self.clone(),
            path,
            provider: text(&own["id"]),
            domain: text(&own["server"]),
        }
    }
}

impl Tenant {
    /// The same tenant with accounts at another provider, whose requests all go by way of `outbound_proxy`.
    pub async fn elsewhere(&self, server: &str, outbound_proxy: &str) -> Self {
        let body = json!({"name": server, "server": server, "outbound_proxy": outbound_proxy});
        let provider = self
            .portal
            .create(&format!("{}/providers", self.path), body)
            .await;
        Self {
            provider: text(&provider["id"]),
            domain: server.to_owned(),
            ..self.clone()
        }
    }

    /// An account with a known password; its id.
    pub async fn account(&self, username: &str, password: &str) -> String {
        self.account_with(username, json!({"password": password}))
            .await
    }

    /// An account with these fields of its own beside provider and user; its id.
    pub async fn account_with(&self, username: &str, fields: Value) -> String {
        let mut body =
            json!({"provider_id": self.provider, "name": username, "username": username});
        if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
            body.extend(fields);
        }
        let accounts = format!("{}/accounts", self.path);
        text(&self.portal.create(&accounts, body).await["id"])
    }

    /// An account at a provider of somebody else's, which is made from `provider`; the account's id.
    pub async fn account_elsewhere(
        &self,
        provider: Value,
        username: &str,
        password: &str,
    ) -> String {
        let provider = self
            .portal
            .create(&format!("{}/providers", self.path), provider)
            .await;
        let body = json!({"provider_id": provider["id"], "name": username, "username": username, "password": password});
        text(
            &self
                .portal
                .create(&format!("{}/accounts", self.path), body)
                .await["id"],
        )
    }

    /// A person with a device on a fresh account of its own.
    pub async fn device(&self, username: &str) -> NewDevice {
        let account = self.account_with(username, json!({})).await;
        self.device_on(username, &account).await
    }

    /// A person with a device on this account.
    pub async fn device_on(&self, name: &str, account: &str) -> NewDevice {
        let contact = json!({"first_name": name, "last_name": "Tester", "numbers": [],
            "emails": [{"address": format!("{name}@tester.example"), "label": "work"}]});
        let contact = self
            .portal
            .create(&format!("{}/contacts", self.path), contact)
            .await;
        let device = json!({"name": name, "contact_id": contact["id"], "account_ids": [account]});
        let device = self
            .portal
            .create(&format!("{}/devices", self.path), device)
            .await;
        let id = text(&device["id"]);
        let activation = self
            .portal
            .get(&format!("{}/devices/{id}/activation", self.path))
            .await;
        NewDevice {
            id,
            account: account.to_owned(),
            code: text(&activation["code"]),
            link: text(&activation["link"]),
        }
    }

    /// Gives the person of a device another name.
    pub async fn name_person(&self, device: &NewDevice, first_name: &str, last_name: &str) {
        let shown = self.shown(&device.id).await;
        let path = format!("{}/contacts/{}", self.path, text(&shown["contact"]["id"]));
        let mut contact = self.portal.get(&path).await;
        let fields = contact.as_object_mut().expect("a contact has fields");
        for told_only in ["id", "devices", "extensions", "version"] {
            fields.remove(told_only);
        }
        contact["first_name"] = first_name.into();
        contact["last_name"] = last_name.into();
        self.portal
            .send(Method::PUT, &path, Some(contact), 200)
            .await;
    }

    /// Asks for something of this tenant, such as `/calls`; the answer must have this status.
    pub async fn send(&self, method: Method, rest: &str, status: u16) -> Value {
        let path = format!("{}{rest}", self.path);
        self.portal.send(method, &path, None, status).await
    }

    /// The body of what was created in this tenant.
    pub async fn create(&self, rest: &str, body: Value) -> Value {
        let path = format!("{}{rest}", self.path);
        self.portal.create(&path, body).await
    }

    /// Changes something of this tenant.
    pub async fn put(&self, rest: &str, body: Value) -> Value {
        let path = format!("{}{rest}", self.path);
        self.portal.send(Method::PUT, &path, Some(body), 200).await
    }

    /// Something of this tenant, such as `/calls`.
    pub async fn get(&self, rest: &str) -> Value {
        self.send(Method::GET, rest, 200).await
    }

    /// Tries a provider that is not saved, or Tandem's own without `provider` in the input; all that was told.
    pub async fn try_provider(&self, input: Value) -> Vec<Value> {
        let path = match input.get("provider") {
            Some(_) => format!("{}/providers/test", self.path),
            None => format!("{}/providers/{}/test", self.path, self.provider),
        };
        let told = self
            .portal
            .text(Method::POST, &path, Some(input), 200)
            .await;
        let event = |line: &str| serde_json::from_str(line).expect("each line is an event");
        told.lines().map(event).collect()
    }

    /// Whether the portal shows an account that a device has as registered.
    pub async fn is_online(&self, account: &str) -> bool {
        self.portal
            .get(&format!("{}/accounts/{account}", self.path))
            .await["status"]
            == "online"
    }

    /// The device as the portal shows it.
    pub async fn shown(&self, id: &str) -> Value {
        self.portal
            .get(&format!("{}/devices/{id}", self.path))
            .await
    }

    /// Makes the device a desk phone; the address where that fetches its settings.
    pub async fn make_desk_phone(&self, id: &str, make: &str) -> String {
        let path = format!("{}/devices/{id}/desk-phone", self.path);
        text(&self.portal.create(&path, json!({"make": make})).await["address"])
    }

    /// A new activation, which ends the old one and the device's rights.
    pub async fn reset(&self, id: &str) -> Value {
        self.portal
            .create(&format!("{}/devices/{id}/activation", self.path), json!({}))
            .await
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("a text, not {value}"))
        .to_owned()
}
