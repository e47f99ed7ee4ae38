//! Webhooks from the form to a real receiver: what is told and signed, what is tried again, what is refused, and what people see of it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    calls::call,
    mail_server::Trust,
    phone::{Channel, activate},
    receiver::{Answering, Receiver},
    world::{Caller, World, now},
};

/// A portal that may connect to this machine and does not wait long.
fn local(config: &mut portal::PortalConfig, trust: &Trust) {
    config.egress =
        portal::Egress::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    config.trust(trust.authority.as_bytes()).unwrap();
    config.webhooks = portal::WebhookTimes {
        answer: Duration::from_secs(60),
        first_pause: Duration::from_millis(1),
        settling: Duration::ZERO,
    };
}

async fn world(trust: &Trust) -> World {
    World::start_with(|config| local(config, trust)).await
}

impl World {
    /// A webhook that tells the receiver of these, with its secret.
    async fn webhook(&self, url: &str, events: &[&str]) -> Value {
        let input = json!({"name": "Customers", "url": url, "events": events});
        let made = self.owner.post(&self.path("webhooks"), input).await;
        made.expect(StatusCode::CREATED).body
    }

    async fn webhook_now(&self, webhook: &Value) -> Value {
        let path = self.path(&format!("webhooks/{}", text(webhook, "id")));
        self.owner.get(&path).await.expect(StatusCode::OK).body
    }

    async fn deliveries(&self, webhook: &Value) -> Vec<Value> {
        let path = self.path(&format!("webhooks/{}/deliveries", text(webhook, "id")));
        let listed = self.owner.get(&path).await.expect(StatusCode::OK).body;
        listed["items"].as_array().unwrap().clone()
    }

    /// The newest delivery, once the page was told of one in this state.
    async fn delivery_in_state(&self, webhook: &Value, state: &str, page: &mut Channel) -> Value {
        loop {
            let newest = self.deliveries(webhook).await.remove(0);
            if newest["state"] == state {
                return newest;
            }
            page.until(tells_of_webhooks).await;
        }
    }

    /// A page that is told from now on.
    async fn page(&self) -> Channel {
        let mut page = Channel::open(&self.path("live"), &self.owner)
            .await
            .unwrap();
        page.until(|frame| frame["type"] == "snapshot" && frame["last"] == true)
            .await;
        page
    }
}

fn tells_of_webhooks(frame: &Value) -> bool {
    let lists = frame["lists"].as_array();
    lists.is_some_and(|lists| lists.contains(&json!("webhooks")))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_done_is_told_signed_as_the_interface_shows_it() {
    told_signed(|trust| Box::pin(async move { Some(world(trust).await) })).await;
}

#[tokio::test]
async fn what_is_done_is_told_signed_as_the_interface_shows_it_on_postgresql() {
    told_signed(|trust| {
        Box::pin(World::start_on_postgres_with(move |config| {
            local(config, trust);
        }))
    })
    .await;
}

async fn told_signed(
    start: impl for<'a> FnOnce(
        &'a Trust,
    )
        -> std::pin::Pin<Box<dyn Future<Output = Option<World>> + Send + 'a>>,
) {
    let trust = Trust::new();
    let Some(world) = start(&trust).await else {
        return;
    };
    let mut receiver = Receiver::start(&trust).await;
    let kinds = [
        "contact.created",
        "contact.updated",
        "contact.deleted",
        "account.created",
        "account.updated",
        "device.created",
        "device.activated",
        "device.deleted",
        "provider.created",
        "call.ended",
    ];
    let webhook = world.webhook(&receiver.url(), &kinds).await;
    let secret = text(&webhook, "secret");

    let contact = world.contact("Grace").await;
    let told = receiver.next().await;
    assert_eq!(told.path, "/events?from=tandem");
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(told.header("host"), format!("localhost:{}", receiver.port));
    assert!(told.is_signed_by(&secret));
    assert!(!told.is_signed_by("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"));
    let body = told.json();
    assert_eq!(body["type"], "contact.created");
    assert_eq!(body["tenant_id"], world.tenant.to_string());
    assert_eq!(body["version"], 1);
    assert_eq!(body["data"], contact);
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));

    let path = world.path(&format!("contacts/{}", text(&contact, "id")));
    let input = json!({"first_name": "Ada", "last_name": "Example",
        "emails": [{"address": "someone@example.com", "label": "work"}]});
    world.owner.put(&path, input).await.expect(StatusCode::OK);
    let changed = receiver.next_of("contact.updated").await.json();
    assert_eq!(changed["data"]["first_name"], "Ada");
    world.owner.delete(&path).await;
    let gone = receiver.next_of("contact.deleted").await.json();
    assert_eq!(gone["data"]["id"], contact["id"]);

    let account = world.account("101").await;
    let made = receiver.next_of("account.created").await;
    assert_eq!(made.json()["data"]["aor"], account["aor"]);
    let shown = String::from_utf8_lossy(&made.body).into_owned();
    assert!(!shown.contains("password\""), "{shown}");
    let device = world.device(&[&account]).await;
    receiver.next_of("device.created").await;
    activate(&device, &world).await;
    let active = receiver.next_of("device.activated").await.json();
    assert_eq!(active["data"]["id"], device["id"]);
    assert_eq!(active["data"]["status"], "offline");

    let over = call(5, "101", "102");
    world.append_calls(std::slice::from_ref(&over)).await;
    world.proxy.write_calls(world.tenant);
    let ended = receiver.next_of("call.ended").await.json();
    assert_eq!(ended["data"]["id"], over.id.to_string());
    assert_eq!(ended["data"]["callee"]["number"], "102");
    assert_eq!(ended["data"]["duration_secs"], 60);
}

#[tokio::test]
async fn an_import_is_told_as_one_and_a_member_when_they_join() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let kinds = ["contact.created", "import.committed", "member.joined"];
    world.webhook(&receiver.url(), &kinds).await;
    let path = world.path("contacts/imports");
    let file = "first_name,last_name,email\nAda,Lovelace,ada@example.com\nGrace,Hopper,grace@example.com\n";
    let checked = world.owner.upload(&path, file).await;
    let checked = checked.expect(StatusCode::CREATED).body;
    let commit = format!("{path}/{}/commit", text(&checked, "id"));
    world
        .owner
        .post(&commit, json!({}))
        .await
        .expect(StatusCode::ACCEPTED);
    let told = receiver.next().await.json();
    assert_eq!(told["type"], "import.committed");
    assert_eq!(told["data"]["create"], 2);
    assert_eq!(told["data"]["state"], "committed");

    let input = json!({"email": "new@example.com", "role": "read_only"});
    world
        .owner
        .post(&world.path("invitations"), input)
        .await
        .expect(StatusCode::CREATED);
    let token = invitation_token(&world).await;
    let accept = json!({"token": token, "first_name": "New", "last_name": "Member",
        "password": "correct horse battery staple"});
    world
        .nobody()
        .post("/api/v1/invitation/acceptance", accept)
        .await
        .expect(StatusCode::OK);
    let told = receiver.next().await.json();
    assert_eq!(told["type"], "member.joined");
    assert_eq!(told["data"]["email"], "new@example.com");
    assert_eq!(told["data"]["role"], "read_only");
}

async fn invitation_token(world: &World) -> String {
    loop {
        let listed = world.owner.get(&world.path("mailbox")).await;
        let listed = listed.expect(StatusCode::OK).body;
        let Some(id) = listed["items"][0]["id"].as_str() else {
            tokio::task::yield_now().await;
            continue;
        };
        let path = world.path(&format!("mailbox/{id}"));
        let mail = world.owner.get(&path).await.expect(StatusCode::OK).body;
        let behind = mail["text"].as_str().unwrap().split('#').nth(1).unwrap();
        return behind.split_whitespace().next().unwrap().to_owned();
    }
}

#[tokio::test]
async fn who_comes_and_goes_is_told_also_when_it_happened_while_the_server_was_away() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let phone = activate(&device, &world).await;
    let kinds = [
        "device.online",
        "device.offline",
        "account.registered",
        "account.unregistered",
    ];
    world.webhook(&receiver.url(), &kinds).await;
    // Only who comes after the first look is told of.
    while store::webhook::find_present(world.tenant, &world.db)
        .await
        .unwrap()
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    let aor = text(&account, "aor");
    world.proxy.bind(&aor, Some(api::instance_id(phone.id)));
    let came = ["account.registered", "device.online"];
    for message in told_in_any_order(&mut receiver, &came).await {
        assert_eq!(message["data"]["status"], "online", "{message}");
    }

    // The phone goes while the server is away; the next one knows of no registrations.
    let next = restart(&world, &trust).await;
    let went = ["account.unregistered", "device.offline"];
    for message in told_in_any_order(&mut receiver, &went).await {
        assert_eq!(message["data"]["status"], "offline", "{message}");
    }
    next.cancel();
}

/// What is told until all of these were. What came just before the server stopped may come again.
async fn told_in_any_order(receiver: &mut Receiver, kinds: &[&str]) -> Vec<Value> {
    let mut told: Vec<Value> = Vec::new();
    while told.len() < kinds.len() {
        let message = receiver.next().await.json();
        let kind = &message["type"];
        let is_new = told.iter().all(|known| known["type"] != *kind);
        if is_new && kinds.iter().any(|wanted| kind == wanted) {
            told.push(message);
        }
    }
    told
}

/// Stops the portal and starts another one on its database.
async fn restart(world: &World, trust: &Trust) -> CancellationToken {
    world.stop.cancel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut config = portal::PortalConfig::new(base, "sip:127.0.0.1:5060;lr", world.data.path());
    local(&mut config, trust);
    let (db, vault, proxy) = (world.db.clone(), world.vault.clone(), world.proxy.clone());
    let app = portal::App::new(db, vault, proxy, config).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(portal::serve(listener, app, stop.clone()));
    stop
}

#[tokio::test]
async fn what_was_being_told_when_the_server_stopped_is_told_after_the_next_start() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    world.webhook(&receiver.url(), &["contact.created"]).await;
    receiver.answer([Answering::Silence]);
    world.contact("Grace").await;
    let first = receiver.next().await;
    world.stop.cancel();
    // It is given back.
    let due = async || store::webhook::next_due(&world.db).await.unwrap();
    while due().await.is_none_or(|due| due > now()) {
        tokio::task::yield_now().await;
    }
    let next = restart(&world, &trust).await;
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(again.body, first.body);
    next.cancel();
}

#[tokio::test]
async fn what_a_receiver_refuses_is_tried_again_until_it_is_taken() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let mut page = world.page().await;
    receiver.answer([
        Answering::Status(500, "<b>broken</b>\r\nsecond line"),
        Answering::Status(404, ""),
    ]);
    world.contact("Grace").await;
    let first = receiver.next().await;
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert!(again.is_signed_by(webhook["secret"].as_str().unwrap()));
    }
    let taken = world
        .delivery_in_state(&webhook, "delivered", &mut page)
        .await;
    assert_eq!(taken["attempts"], 3);
    assert_eq!(taken["status"], 204);
    assert_eq!(taken.get("reason"), None);
    assert_eq!(taken["message_id"], first.header("webhook-id"));
    assert_eq!(world.webhook_now(&webhook).await.get("failing_since"), None);
    assert!(receiver.is_quiet());

    // By hand, under the same name.
    let path = world.path(&format!("webhook-deliveries/{}", text(&taken, "id")));
    let shown = world.owner.get(&path).await.expect(StatusCode::OK).body;
    assert_eq!(shown["message"], first.json());
    let path = format!("{path}/redelivery");
    let again = world.owner.post(&path, json!({})).await;
    let again = again.expect(StatusCode::ACCEPTED).body;
    assert_ne!(again["id"], taken["id"]);
    let received = receiver.next().await;
    assert_eq!(received.header("webhook-id"), first.header("webhook-id"));
}

#[tokio::test]
async fn what_a_receiver_says_is_shown_and_a_redirect_is_not_followed() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let elsewhere = Receiver::start(&trust).await;
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let mut page = world.page().await;
    let after_a_while = Answering::Header(503, "retry-after", "3600".to_owned());
    receiver.answer([
        Answering::Header(307, "location", elsewhere.url()),
        Answering::Status(500, "<b>broken</b>\r\nsecond line"),
        after_a_while,
    ]);
    world.contact("Grace").await;
    let mut said = Vec::new();
    loop {
        let newest = world.deliveries(&webhook).await.remove(0);
        let now = (newest["status"].clone(), newest["reason"].clone());
        if newest["status"] == 500 {
            assert_eq!(newest["excerpt"], "<b>broken</b>  second line");
        }
        if !newest["status"].is_null() && said.last() != Some(&now) {
            said.push(now);
        }
        if newest["status"] == 503 {
            // It asked for an hour.
            assert_eq!(newest["state"], "waiting");
            let failing = world.webhook_now(&webhook).await;
            assert!(failing["failing_since"].is_string());
            break;
        }
        page.until(tells_of_webhooks).await;
    }
    assert_eq!(said.last().unwrap().1, "status");
    for _ in 0..3 {
        receiver.next().await;
    }
    let mut elsewhere = elsewhere;
    assert!(elsewhere.is_quiet());
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_receiver_that_says_nothing_holds_up_nobody_else() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let (mut slow, mut quick) = (Receiver::start(&trust).await, Receiver::start(&trust).await);
    slow.answer(std::iter::repeat_n(Answering::Silence, 20));
    world.webhook(&slow.url(), &["contact.created"]).await;
    world.webhook(&quick.url(), &["contact.created"]).await;
    for name in ["A", "B", "C", "D", "E", "F", "G", "H"] {
        world.contact(name).await;
        let told = quick.next().await.json();
        assert_eq!(told["data"]["first_name"], name);
    }
    // Only so many are told to one receiver at the same time.
    for _ in 0..4 {
        slow.next().await;
    }
    assert!(slow.is_quiet());
}

#[tokio::test]
async fn a_receiver_is_waited_for_only_so_long() {
    let trust = Trust::new();
    let world = World::start_with(|config| {
        local(config, &trust);
        config.webhooks.answer = Duration::from_secs(2);
    })
    .await;
    let mut receiver = Receiver::start(&trust).await;
    receiver.answer([Answering::Silence]);
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let mut page = world.page().await;
    world.contact("Grace").await;
    receiver.next().await;
    receiver.next().await;
    let taken = world
        .delivery_in_state(&webhook, "delivered", &mut page)
        .await;
    assert!(taken["attempts"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn a_receiver_that_is_gone_switches_its_webhook_off_and_the_owners_learn_of_it() {
    let trust = Trust::new();
    let world = world(&trust).await;
    world.member("second@example.com", Role::Owner).await;
    let mut receiver = Receiver::start(&trust).await;
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let mut page = world.page().await;
    receiver.answer([Answering::Status(410, "gone")]);
    world.contact("Grace").await;
    receiver.next().await;
    let given_up = world.delivery_in_state(&webhook, "failed", &mut page).await;
    assert_eq!(given_up["status"], 410);
    let off = loop {
        let now = world.webhook_now(&webhook).await;
        if now["enabled"] == false {
            break now;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(off["off_reason"], "gone");
    for owner in ["owner@example.com", "second@example.com"] {
        let mails = mails_to(&world, owner).await;
        assert!(mails.contains("Customers"), "{mails}");
        assert!(mails.contains("410"), "{mails}");
        assert!(mails.contains("/t/acme/webhooks"), "{mails}");
    }
    // While it is off nothing is noted for it, and nothing can be sent.
    world.contact("Ada").await;
    assert_eq!(world.deliveries(&webhook).await.len(), 1);
    let path = world.path(&format!("webhooks/{}/test", text(&webhook, "id")));
    let refused = world.owner.post(&path, json!({})).await;
    refused.expect(StatusCode::CONFLICT);
    let path = world.path(&format!(
        "webhook-deliveries/{}/redelivery",
        text(&given_up, "id")
    ));
    let refused = world.owner.post(&path, json!({})).await;
    refused.expect(StatusCode::CONFLICT);
    let audit = world.owner.get(&world.path("audit")).await.text();
    assert!(audit.contains("webhook.switch_off"), "{audit}");

    let path = world.path(&format!("webhooks/{}", text(&webhook, "id")));
    let input = json!({"name": "Customers", "url": receiver.url(), "events": ["contact.created"]});
    let on = world.owner.put(&path, input).await.expect(StatusCode::OK);
    assert_eq!(on.body.get("off_reason"), None);
    world.contact("Mary").await;
    assert_eq!(receiver.next().await.json()["data"]["first_name"], "Mary");
}

async fn mails_to(world: &World, owner: &str) -> String {
    loop {
        let listed = world.owner.get(&world.path("mailbox")).await;
        let listed = listed.expect(StatusCode::OK).body;
        let items = listed["items"].as_array().unwrap();
        let theirs = items
            .iter()
            .find(|item| item["to"].as_str().unwrap().contains(owner));
        if let Some(item) = theirs {
            let path = world.path(&format!("mailbox/{}", text(item, "id")));
            let mail = world.owner.get(&path).await.expect(StatusCode::OK).body;
            return text(&mail, "text");
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn private_addresses_and_strangers_certificates_are_refused() {
    let trust = Trust::new();
    let mut receiver = Receiver::start(&trust).await;
    let closed = World::start().await;
    let page = &mut closed.page().await;
    let made = closed.webhook(&receiver.url(), &["contact.created"]).await;
    closed.contact("Grace").await;
    let refused = loop {
        let newest = closed.deliveries(&made).await.remove(0);
        if newest.get("reason").is_some() {
            break newest;
        }
        page.until(tells_of_webhooks).await;
    };
    assert_eq!(refused["reason"], "forbidden_host");
    assert_eq!(refused["state"], "waiting");

    // The same name is allowed here, but the certificate is of somebody unknown.
    let other = world(&Trust::new()).await;
    let page = &mut other.page().await;
    let made = other.webhook(&receiver.url(), &["contact.created"]).await;
    other.contact("Grace").await;
    let refused = loop {
        let newest = other.deliveries(&made).await.remove(0);
        if newest.get("reason").is_some() {
            break newest;
        }
        page.until(tells_of_webhooks).await;
    };
    assert_eq!(refused["reason"], "tls");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_form_is_refused_with_what_is_wrong() {
    let world = World::start().await;
    let path = world.path("webhooks");
    let refused = async |input: Value| world.owner.post(&path, input).await.wrong_fields();
    let with = |url: &str| json!({"name": "x", "url": url, "events": ["contact.created"]});
    for url in [
        "",
        "http://example.com/",
        "https://",
        "example.com",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://bücher.example/",
        "https://127.0.0.1/",
        "https://[::1]:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
    ] {
        assert_eq!(refused(with(url)).await, ["url"], "{url}");
    }
    let none = json!({"name": " ", "url": "https://example.com/", "events": []});
    assert_eq!(refused(none).await, ["events", "name"]);
    for events in [
        json!(["webhook.test"]),
        json!(["contact.created", "contact.created"]),
    ] {
        let input = json!({"name": "x", "url": "https://example.com/", "events": events});
        assert_eq!(refused(input).await, ["events"]);
    }
    let unknown = json!({"name": "x", "url": "https://example.com/", "events": ["contact.burned"]});
    let answer = world.owner.post(&path, unknown).await;
    assert!(answer.status.is_client_error());
    assert!(
        answer.text().contains("contact.burned"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_secret_is_told_once_and_replaced_with_an_overlap() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let first = text(&webhook, "secret");
    let path = world.path(&format!("webhooks/{}/secret", text(&webhook, "id")));
    let replace = async |hours: u32| {
        let input = json!({"overlap_hours": hours});
        world.owner.post(&path, input).await
    };
    let beyond = replace(169).await;
    assert_eq!(beyond.wrong_fields(), ["overlap_hours"]);
    let replaced = replace(2).await.expect(StatusCode::OK).body;
    let second = text(&replaced, "secret");
    assert_ne!(first, second);
    assert!(replaced["previous_secret_until"].is_string());
    world.contact("Grace").await;
    let told = receiver.next().await;
    assert!(told.is_signed_by(&first) && told.is_signed_by(&second));
    let replaced = replace(0).await.expect(StatusCode::OK).body;
    let third = text(&replaced, "secret");
    world.contact("Ada").await;
    let told = receiver.next().await;
    assert!(told.is_signed_by(&third));
    assert!(!told.is_signed_by(&first) && !told.is_signed_by(&second));

    let mut answers = vec![
        world.owner.get(&world.path("webhooks")).await.text(),
        world.owner.get(&world.path("audit")).await.text(),
        world.webhook_now(&webhook).await.to_string(),
    ];
    for delivery in world.deliveries(&webhook).await {
        let path = world.path(&format!("webhook-deliveries/{}", text(&delivery, "id")));
        answers.push(world.owner.get(&path).await.expect(StatusCode::OK).text());
    }
    for answer in answers {
        for secret in [&first, &second, &third] {
            assert!(!answer.contains(secret.as_str()), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_key_may_look_after_webhooks_but_never_see_a_secret() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let mut receiver = Receiver::start(&trust).await;
    let webhook = world.webhook(&receiver.url(), &["contact.created"]).await;
    let input = json!({"name": "Operations", "scopes": ["webhooks:write"]});
    let key = world.owner.post(&world.path("api-keys"), input).await;
    let key = text(&key.expect(StatusCode::CREATED).body, "key");
    let program = Caller::device(&world.base, &key);
    let one = world.path(&format!("webhooks/{}", text(&webhook, "id")));
    program.get(&one).await.expect(StatusCode::OK);
    let tested = program.post(&format!("{one}/test"), json!({})).await;
    tested.expect(StatusCode::ACCEPTED);
    let told = receiver.next().await.json();
    assert_eq!(told["type"], "webhook.test");
    assert_eq!(told["data"]["name"], "Customers");
    assert_eq!(told["data"]["asked_by"], "owner@example.com");
    let delivery = world.deliveries(&webhook).await.remove(0);
    let what = world.path(&format!("webhook-deliveries/{}", text(&delivery, "id")));
    world.owner.get(&what).await.expect(StatusCode::OK);
    // It may be of what the key's scopes do not let it read.
    program.get(&what).await.expect(StatusCode::FORBIDDEN);
    for (path, input) in [
        (
            world.path("webhooks"),
            json!({"name": "x", "url": receiver.url(), "events": ["contact.created"]}),
        ),
        (format!("{one}/secret"), json!({})),
    ] {
        let refused = program.send(Method::POST, &path, Some(input), &[]).await;
        refused.expect(StatusCode::FORBIDDEN);
    }
    program.delete(&one).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_audit_log_names_the_receiver_and_not_the_rest_of_the_address() {
    let trust = Trust::new();
    let world = world(&trust).await;
    let receiver = Receiver::start(&trust).await;
    let url = |token: &str| format!("{}?token={token}", receiver.url());
    let webhook = world.webhook(&url("first-one"), &["contact.created"]).await;
    let one = world.path(&format!("webhooks/{}", text(&webhook, "id")));
    let input =
        json!({"name": "Customers", "url": url("second-one"), "events": ["contact.created"]});
    world.owner.put(&one, input).await.expect(StatusCode::OK);
    world
        .owner
        .delete(&one)
        .await
        .expect(StatusCode::NO_CONTENT);
    let log = world.owner.get(&world.path("audit?action=webhook.")).await;
    let log = log.expect(StatusCode::OK);
    assert!(!log.text().contains("-one"), "{}", log.text());
    let host = receiver.url().parse::<reqwest::Url>().unwrap();
    let noted = &log.body["items"][2]["changes"]["url"][1];
    assert!(
        noted.as_str().unwrap().contains(host.host_str().unwrap()),
        "{noted}"
    );
    let changed = &log.body["items"][1]["changes"];
    assert_eq!(changed["url"][0], changed["url"][1], "that it changed");
}
