//! Mail from settings to a real server, or to the mailbox; instructions from the page to the person.

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::{
    mail_server::{MailServer, Trust},
    phone::{Channel, Phone},
    world::World,
};

const PASSWORD: &str = "canary-smtp-91";
const ADDRESS: &str = "someone@example.com";

/// A portal whose tenants may use mail servers on this machine.
async fn local() -> World {
    World::start_with(|config| config.egress = loopback()).await
}

fn loopback() -> portal::Egress {
    portal::Egress::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

async fn trusting(trust: &Trust) -> World {
    World::start_with(|config| {
        config.egress = loopback();
        config.mail.trust(trust.authority.as_bytes()).unwrap();
    })
    .await
}

fn settings(server: &Value) -> Value {
    json!({"language": "en", "server": server})
}

fn plain(port: u16) -> Value {
    json!({"host": "localhost", "port": port, "security": "none", "sender_address": "phones@acme.example"})
}

fn secured(port: u16, security: &str, password: &str) -> Value {
    json!({"host": "localhost", "port": port, "security": security, "sender_address": "phones@acme.example",
        "sender_name": "Acme Telephones", "username": "phones", "password": password})
}

impl World {
    async fn set_mail(&self, server: &Value) -> Value {
        let set = self.owner.put(&self.path("mail"), settings(server)).await;
        set.expect(StatusCode::OK).body
    }

    async fn test_mail(&self) -> Value {
        let input = json!({"address": ADDRESS});
        let sent = self.owner.post(&self.path("mail/test"), input).await;
        sent.expect(StatusCode::OK).body
    }

    async fn send_instructions(&self, device: &Value) -> Value {
        let path = self.instructions_path(device);
        let sent = self.owner.post(&path, json!({"address": ADDRESS})).await;
        sent.expect(StatusCode::ACCEPTED).body
    }

    fn instructions_path(&self, device: &Value) -> String {
        self.path(&format!(
            "devices/{}/instructions",
            device["id"].as_str().unwrap()
        ))
    }

    /// The mail of the device's activation, once the live channel has said that it is in this state.
    async fn mail_in_state(&self, device: &Value, page: &mut Channel, state: &str) -> Value {
        let live = |live: &Value| live["id"] == device["id"] && live["instructions"] == state;
        page.until(|frame| {
            frame["devices"]
                .as_array()
                .is_some_and(|devices| devices.iter().any(live))
        })
        .await;
        let path = self.path(&format!("devices/{}", text(device, "id")));
        self.owner.get(&path).await.body["instructions"].clone()
    }

    async fn mailbox(&self) -> Vec<Value> {
        let listed = self
            .owner
            .get(&self.path("mailbox"))
            .await
            .expect(StatusCode::OK);
        listed.body["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn without_settings_instructions_lie_in_the_mailbox_and_activate_the_phone() {
    instructions_by_mailbox(World::start().await).await;
}

#[tokio::test]
async fn without_settings_instructions_lie_in_the_mailbox_and_activate_the_phone_on_postgresql() {
    if let Some(world) = World::start_on_postgres_with(|_| {}).await {
        instructions_by_mailbox(world).await;
    }
}

async fn instructions_by_mailbox(world: World) {
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let before = world.owner.get(&world.activation_path(&device)).await.body;
    let (link, code) = (text(&before, "link"), text(&before, "code"));
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();

    let hidden = world.send_instructions(&device).await;
    assert_eq!(
        (&hidden["hidden"], &hidden["state"]),
        (&json!(true), &json!("open"))
    );
    assert!(
        hidden.get("link").is_none()
            && hidden.get("code").is_none()
            && hidden.get("deep_link").is_none()
    );
    assert_eq!(hidden["instructions"]["recipient"], ADDRESS);
    let qr = format!("{}/qr.svg", world.activation_path(&device));
    assert_eq!(world.owner.get(&qr).await.status, StatusCode::NOT_FOUND);

    let mail = world.mail_in_state(&device, &mut page, "kept").await;
    assert_eq!(mail["recipient"], ADDRESS);
    let sent = world.path("devices?sub_status=instructions_sent");
    let sent = world.owner.get(&sent).await.expect(StatusCode::OK).body;
    assert_eq!(sent["items"], json!([]), "nobody has got them");
    let listed = world.mailbox().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["to"], ADDRESS);
    let path = world.path(&format!("mailbox/{}", text(&listed[0], "id")));
    let shown = world.owner.get(&path).await.expect(StatusCode::OK).body;
    assert!(text(&shown, "text").contains(&link) && text(&shown, "text").contains(&code));
    assert!(text(&shown, "html").contains("data:image/png;base64,"));
    assert_eq!(shown["attachments"][0]["inline"], true);
    assert!(text(&shown, "source").starts_with("Date: "));

    let again = format!("{}/show", world.activation_path(&device));
    let again = world
        .owner
        .post(&again, json!({}))
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(text(&again, "link"), link);

    Phone::new(&world)
        .activate("code", &code)
        .await
        .expect(StatusCode::OK);
    let after = world
        .owner
        .get(&world.path(&format!("devices/{}", text(&device, "id"))))
        .await
        .body;
    assert!(
        after.get("instructions").is_none(),
        "until it is activated: {after}"
    );
    let refused = world
        .owner
        .post(
            &world.instructions_path(&device),
            json!({"address": ADDRESS}),
        )
        .await;
    refused.expect(StatusCode::CONFLICT);
}

#[tokio::test]
async fn instructions_go_to_the_persons_addresses_only_and_not_too_often() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let path = world.instructions_path(&device);
    for address in [
        "stranger@example.com",
        "",
        "someone@example.com\r\nBcc: x@example.com",
    ] {
        let refused = world.owner.post(&path, json!({"address": address})).await;
        assert_eq!(refused.wrong_fields(), ["address"]);
    }
    let spelled = json!({"address": "Someone@Example.com", "language": "de"});
    world
        .owner
        .post(&path, spelled)
        .await
        .expect(StatusCode::ACCEPTED);
    for _ in 0..4 {
        world.send_instructions(&device).await;
    }
    let refused = world.owner.post(&path, json!({"address": ADDRESS})).await;
    let refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty());
    let mails = world
        .owner
        .get(&world.path("mails"))
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(mails["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_reset_makes_the_mail_useless_and_shows_the_new_code() {
    let world = local().await;
    // Nobody answers there, so the mail waits.
    world.set_mail(&plain(9)).await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    world.send_instructions(&device).await;
    let reset = world
        .owner
        .post(&world.activation_path(&device), json!({}))
        .await;
    let reset = reset.expect(StatusCode::CREATED).body;
    assert_eq!(reset["hidden"], false);
    assert!(reset.get("link").is_some() && reset.get("instructions").is_none());
    let mails = world.owner.get(&world.path("mails")).await.body;
    assert_eq!(mails["items"][0]["state"], "superseded");
}

#[tokio::test]
async fn a_mail_goes_to_the_tenants_server_over_starttls_with_its_password() {
    by_tls("starttls", "starttls").await;
}

#[tokio::test]
async fn a_mail_goes_to_the_tenants_server_over_tls_from_the_first_byte() {
    by_tls("implicit", "tls").await;
}

async fn by_tls(kind: &str, security: &str) {
    let trust = Trust::new();
    let mut server = MailServer::secured(kind, &trust, PASSWORD, "friendly").await;
    let world = trusting(&trust).await;
    let set = world
        .set_mail(&secured(server.port, security, PASSWORD))
        .await;
    assert_eq!(
        (&set["way"], &set["server"]["has_password"]),
        (&json!("own"), &json!(true))
    );
    assert!(!set.to_string().contains(PASSWORD));

    let tested = world.test_mail().await;
    assert_eq!(tested["sent"], true, "{tested}");
    let steps: Vec<_> = tested["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| text(step, "step"))
        .collect();
    assert_eq!(
        steps,
        [
            "resolve",
            "connect",
            "tls",
            "sign_in",
            "sender",
            "recipient",
            "content"
        ]
    );
    assert_eq!(tested["steps"][6]["said"], "250 2.0.0 Queued as T35T");
    let mail = server.mail().await;
    assert_eq!(
        (&mail["tls"], &mail["user"]),
        (&json!(true), &json!("phones"))
    );
    assert_eq!(mail["from"], "phones@acme.example");
    let source = text(&mail, "mail");
    assert!(
        source.contains("From: \"Acme Telephones\" <phones@acme.example>")
            || source.contains("From: Acme Telephones <phones@acme.example>"),
        "{source}"
    );

    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    world.send_instructions(&device).await;
    let mail = server.mail().await;
    assert_eq!(mail["to"], json!([ADDRESS]));
    let source = text(&mail, "mail");
    assert!(
        source.contains("Content-ID: <activation-qr>") && source.contains("multipart/alternative")
    );
    let sent = world.mail_in_state(&device, &mut page, "sent").await;
    assert_eq!(sent["attempts"], 1);
    assert!(world.mailbox().await.is_empty(), "it left the machine");
}

#[tokio::test]
async fn a_test_mail_says_at_which_step_the_server_refused_and_never_the_password() {
    let trust = Trust::new();
    let world = trusting(&trust).await;
    let failed = |tested: &Value| {
        let steps = tested["steps"].as_array().unwrap();
        let last = steps.last().unwrap();
        assert_eq!(
            (&tested["sent"], &last["done"]),
            (&json!(false), &json!(false)),
            "{tested}"
        );
        (
            text(last, "step"),
            text(tested, "reason"),
            text(last, "said"),
        )
    };

    let wrong = MailServer::secured("starttls", &trust, "another", "friendly").await;
    world
        .set_mail(&secured(wrong.port, "starttls", PASSWORD))
        .await;
    let (step, reason, said) = failed(&world.test_mail().await);
    assert_eq!((&*step, &*reason), ("sign_in", "sign_in"));
    assert!(said.starts_with("535 "), "{said}");

    let tells = MailServer::secured("starttls", &trust, PASSWORD, "tells-password").await;
    world
        .set_mail(&secured(tells.port, "starttls", PASSWORD))
        .await;
    let (_, _, said) = failed(&world.test_mail().await);
    assert!(
        said.contains("***") && !said.contains("AHBob25lcw"),
        "{said}"
    );

    let bare = MailServer::start(&[]).await;
    world
        .set_mail(&secured(bare.port, "starttls", PASSWORD))
        .await;
    let (step, reason, _) = failed(&world.test_mail().await);
    assert_eq!(
        (&*step, &*reason),
        ("tls", "tls"),
        "no STARTTLS, no password"
    );

    let refuses = MailServer::start(&["--mood", "no-recipient"]).await;
    world.set_mail(&plain(refuses.port)).await;
    let answer = failed(&world.test_mail().await);
    assert_eq!(
        answer,
        (
            "recipient".into(),
            "recipient".into(),
            "550 5.1.1 No such user here".into()
        )
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let trust = Trust::new();
    let server = MailServer::secured("starttls", &trust, PASSWORD, "friendly").await;
    let world = local().await;
    world
        .set_mail(&secured(server.port, "starttls", PASSWORD))
        .await;
    let tested = world.test_mail().await;
    assert_eq!(
        (&tested["sent"], &tested["reason"]),
        (&json!(false), &json!("tls")),
        "{tested}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = MailServer::start(&["--mood", "silent"]).await;
    let world = local().await;
    world.set_mail(&plain(server.port)).await;
    let tested = world.test_mail().await;
    assert_eq!(
        (&tested["sent"], &tested["reason"]),
        (&json!(false), &json!("timeout")),
        "{tested}"
    );
}

#[tokio::test]
async fn a_mail_that_a_server_refuses_for_good_has_failed() {
    let server = MailServer::start(&["--mood", "no-recipient"]).await;
    let world = local().await;
    world.set_mail(&plain(server.port)).await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    world.send_instructions(&device).await;
    let mail = world.mail_in_state(&device, &mut page, "failed").await;
    assert_eq!(
        (&mail["reason"], &mail["attempts"]),
        (&json!("recipient"), &json!(1))
    );
    assert_eq!(mail["detail"], "550 5.1.1 No such user here");
}

#[tokio::test]
async fn a_mail_that_a_server_defers_waits_for_another_attempt() {
    let server = MailServer::start(&["--mood", "greylist"]).await;
    let world = local().await;
    world.set_mail(&plain(server.port)).await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    world.send_instructions(&device).await;
    let mails = world.path("mails");
    let deferred = loop {
        let mail = world.owner.get(&mails).await.body["items"][0].clone();
        if mail.get("reason").is_some() {
            break mail;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (&deferred["state"], &deferred["reason"]),
        (&json!("queued"), &json!("deferred"))
    );
    assert_eq!(deferred["detail"], "451 4.7.1 Greylisted, please try again");
    assert!(deferred.get("next_attempt_at").is_some());
}

#[tokio::test]
async fn mail_servers_inside_the_network_are_refused_unless_the_installation_allows_them() {
    let world = World::start().await;
    for host in [
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.1.1",
        "fd00::1",
    ] {
        let server = json!({"host": host, "port": 25, "security": "starttls", "sender_address": "a@example.com"});
        let refused = world
            .owner
            .put(&world.path("mail"), settings(&server))
            .await;
        assert_eq!(refused.wrong_fields(), ["server.host"], "{host}");
    }
    let server = json!({"host": "localhost", "port": 9, "security": "starttls", "sender_address": "a@example.com"});
    world.set_mail(&server).await;
    let tested = world.test_mail().await;
    assert_eq!(tested["reason"], "forbidden_host");
    assert_eq!(tested["steps"][0]["step"], "resolve");

    let server = json!({"host": "mail.example.com", "port": 25, "security": "none", "sender_address": "a@example.com"});
    let refused = world
        .owner
        .put(&world.path("mail"), settings(&server))
        .await;
    assert_eq!(refused.wrong_fields(), ["server.security"]);
}

#[tokio::test]
async fn settings_are_checked_and_kept_with_their_version() {
    let world = World::start().await;
    let path = world.path("mail");
    let empty = world.owner.get(&path).await.expect(StatusCode::OK);
    assert_eq!(
        (empty.header("etag"), &empty.body["way"]),
        ("\"0\"", &json!("mailbox"))
    );
    let wrong = json!({"language": "en", "reply_to": "nobody", "apps": {"ios": "javascript:alert(1)"},
        "server": {"host": "two words", "port": 0, "security": "tls", "sender_address": "x", "password": "p"}});
    let refused = world.owner.put(&path, wrong).await;
    assert_eq!(
        refused.wrong_fields(),
        [
            "server.host",
            "server.port",
            "server.username",
            "server.sender_address",
            "reply_to",
            "apps.ios"
        ]
    );
    let good = json!({"language": "de", "apps": {"ios": "https://example.com/app"}});
    let set = world
        .owner
        .put(&path, good.clone())
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (set.header("etag"), &set.body["language"]),
        ("\"1\"", &json!("de"))
    );
    let stale = world
        .owner
        .send(
            reqwest::Method::PUT,
            &path,
            Some(good),
            &[("if-match", "\"0\"")],
        )
        .await;
    stale.expect(StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn every_kind_of_mail_can_be_looked_at_in_both_languages() {
    let world = World::start().await;
    for kind in [
        "activation",
        "invitation",
        "password_reset",
        "sign_up",
        "address_changed",
        "test",
        "security_notice",
    ] {
        let preview = async |language: &str| {
            let path = world.path(&format!("mail/previews/{kind}/{language}"));
            world.owner.get(&path).await.expect(StatusCode::OK).body
        };
        let (english, german) = (preview("en").await, preview("de").await);
        assert_ne!(english["text"], german["text"], "{kind}");
        assert!(
            !text(&english, "html").contains("cid:") && !text(&english, "html").contains("<style")
        );
    }
    for rest in ["activation/fr", "nothing/en"] {
        let path = world.path(&format!("mail/previews/{rest}"));
        assert_eq!(world.owner.get(&path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_mailbox_is_for_owners_and_that_of_all_for_the_installation() {
    let world = World::start().await;
    world.test_mail().await;
    let id = text(&world.mailbox().await[0], "id");
    let all = world
        .owner
        .get("/api/v1/mailbox")
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(text(&all["items"][0], "id"), id);
    world
        .owner
        .get(&format!("/api/v1/mailbox/{id}"))
        .await
        .expect(StatusCode::OK);

    let administrator = world.member("admin@example.com", Role::Administrator).await;
    let own = world.path("mailbox");
    assert_eq!(administrator.get(&own).await.status, StatusCode::FORBIDDEN);
    for path in [
        "/api/v1/mailbox".to_owned(),
        format!("/api/v1/mailbox/{id}"),
    ] {
        assert_ne!(
            administrator.get(&path).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    let other = world.tenant_named("Umbrella", &world.owner).await;
    let foreign = format!("/api/v1/tenants/{other}/mailbox/{id}");
    assert_eq!(
        world.owner.get(&foreign).await.status,
        StatusCode::NOT_FOUND
    );
    for wrong in [
        "..%2Fmaster.key",
        "x",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let path = format!("{own}/{wrong}");
        assert_eq!(
            world.owner.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{wrong}"
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = world.data.path().join("mailbox");
        for file in std::fs::read_dir(folder).unwrap() {
            assert_eq!(
                file.unwrap().metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
}

#[track_caller]
fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
        .to_owned()
}
