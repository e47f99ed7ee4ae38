//! A SIP password goes to the device that needs it and nowhere else: no answer, no log line. The same for the password of a mail server,
//! and for link and code of an activation that waits to be sent by mail: they are in no log, and not in clear in the database; and for what
//! signs the events of a webhook. Nor are what people prove by who they are: keys and codes of a second factor, tokens of mails, keys of
//! programs, and what a provider vouches with.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use reqwest::StatusCode;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    desk_phone, issuer,
    phone::{Phone, activate},
    second_factor::turn_on,
    sign_in::{NEW, settled, sign_in},
    sign_on,
    world::{Answer, Caller, World},
};

const CANARY: &str = "canary-5d1f2c";
const MAIL_CANARY: &str = "canary-mail-77ab";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_no_log() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(log.clone())
        .init();
    let local = portal::Egress::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    let world = World::start_with(|config| config.egress = local).await;
    let provider = world.own_provider().await["id"].clone();
    let input =
        json!({"provider_id": provider, "name": "101", "username": "101", "password": CANARY});
    let accounts = world.path("accounts");
    let mut answers: Vec<Answer> = Vec::new();
    let created = world
        .owner
        .post(&accounts, input.clone())
        .await
        .expect(StatusCode::CREATED);
    let account = created.body.clone();
    let path = format!("{accounts}/{}", created.id());
    answers.push(created);
    answers.push(
        world
            .owner
            .post(&accounts, input.clone())
            .await
            .expect(StatusCode::CONFLICT),
    );
    answers.push(
        world
            .owner
            .put(&path, input.clone())
            .await
            .expect(StatusCode::OK),
    );
    let mut wrong = input;
    wrong["username"] = "not allowed".into();
    answers.push(
        world
            .owner
            .put(&path, wrong)
            .await
            .expect(StatusCode::UNPROCESSABLE_ENTITY),
    );

    let device = world.device(&[&account]).await;
    let activation = world.activation_path(&device);
    let shown = world.owner.get(&activation).await.body;
    answers.extend(mail_that_waits(&world, &device).await);
    let signing = told_webhook(&world, &mut answers).await;
    let link = shown["link"].as_str().unwrap();
    for secret in [
        MAIL_CANARY,
        signing.as_str(),
        link.rsplit('#').next().unwrap(),
        shown["code"].as_str().unwrap(),
    ] {
        assert!(
            !lies_in_clear(secret, &world),
            "{secret} is in the database"
        );
    }
    let show = format!("{activation}/show");
    let shown_again = world
        .owner
        .post(&show, json!({}))
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(shown_again["link"], shown["link"]);
    let phone = activate(&device, &world).await;
    assert_eq!(phone.configuration["lines"][0]["password"], CANARY);
    for rest in [
        "providers",
        "accounts",
        "contacts",
        "devices",
        "audit",
        "members",
    ] {
        answers.push(
            world
                .owner
                .get(&world.path(rest))
                .await
                .expect(StatusCode::OK),
        );
    }
    answers.push(world.owner.get(&path).await);
    answers.push(world.owner.get(&activation).await);
    let used = shown["code"].as_str().unwrap();
    answers.push(
        Phone::new(&world)
            .activate("code", used)
            .await
            .expect(StatusCode::NOT_FOUND),
    );
    answers.push(world.owner.delete(&path).await.expect(StatusCode::CONFLICT));
    let (desk_phone, desk_password) = fetched_by_desk_phone(&world, &mut answers).await;
    assert!(
        !lies_in_clear(&desk_phone, &world),
        "an address is in the database"
    );
    let proofs = proofs(&world).await;
    for secret in &proofs {
        assert!(
            !lies_in_clear(secret, &world),
            "{secret} is in the database"
        );
    }
    for rest in [
        "audit?limit=200",
        "audit/export",
        "contacts/export",
        "calls/export",
        "search?q=101",
        "addresses",
        "mails",
        "webhooks",
        "api-keys",
        "mail",
        "settings/sign-on",
    ] {
        let answer = world.owner.get(&world.path(rest)).await;
        answers.push(answer.expect(StatusCode::OK));
    }
    let passwords = [CANARY, MAIL_CANARY, &signing, &desk_phone, &desk_password];
    for mail in world.mails_to("", 1).await {
        let leaked = passwords.iter().find(|secret| mail.text.contains(**secret));
        assert_eq!(leaked, None, "{}", mail.subject);
    }
    for answer in &answers {
        for secret in &proofs {
            assert!(
                !answer.text().contains(secret.as_str()),
                "{}",
                answer.text()
            );
        }
        for canary in [
            CANARY,
            MAIL_CANARY,
            signing.as_str(),
            &desk_phone,
            &desk_password,
        ] {
            assert!(!answer.text().contains(canary), "{}", answer.text());
        }
    }

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("answered"), "the log was captured");
    let token = shown["link"].as_str().unwrap().rsplit('#').next().unwrap();
    let session = world.owner.session.clone().unwrap();
    let bearer = phone.caller.bearer.clone().unwrap();
    let others = proofs.iter().map(String::as_str);
    for secret in [
        CANARY,
        MAIL_CANARY,
        signing.as_str(),
        desk_phone.as_str(),
        desk_password.as_str(),
        used,
        token,
        session.as_str(),
        bearer.as_str(),
    ]
    .into_iter()
    .chain(others)
    {
        if let Some(line) = logged.lines().find(|line| line.contains(secret)) {
            panic!("a secret was logged: {line}");
        }
    }
}

/// What people prove by who they are, each used once: key and codes of a second factor, tokens of mails, the key of a program, what a provider
/// knows us by and what it vouches with.
async fn proofs(world: &World) -> Vec<String> {
    const EMAIL: &str = "ada@example.com";
    let ada = settled(world, EMAIL).await;
    let (key, codes) = turn_on(&ada).await;
    let mut proofs = vec![NEW.to_owned(), key];
    for code in codes {
        proofs.push(code.replace('-', ""));
        proofs.push(code);
    }
    let half = sign_in(world, EMAIL, NEW)
        .await
        .expect(StatusCode::ACCEPTED);
    let half = half.body["token"].as_str().unwrap().to_owned();
    let step = json!({"token": half, "code": proofs[3]});
    let answer = world
        .nobody()
        .post("/api/v1/session/second-step", step)
        .await;
    proofs.push(answer.expect(StatusCode::OK).cookie("tandem_session"));
    proofs.push(half);

    let reset = json!({"email": EMAIL});
    let asked = world.nobody().post("/api/v1/password-reset", reset).await;
    asked.expect(StatusCode::ACCEPTED);
    let invited = json!({"email": "new@example.com", "role": "read_only"});
    // By the installation's way, which is the mailbox: the tenant's own server does not answer.
    let settings = json!({"language": "en"});
    world
        .owner
        .put(&world.path("mail"), settings)
        .await
        .expect(StatusCode::OK);
    let asked = world.owner.post(&world.path("invitations"), invited).await;
    asked.expect(StatusCode::CREATED);
    let mails = world.mails_to(EMAIL, 1).await;
    let mail = mails.iter().find(|mail| mail.subject.contains("password"));
    for token in [
        mail.unwrap().token(),
        world.mails_to("new@example.com", 1).await[0].token(),
    ] {
        let body = json!({"token": token, "password": "another password"});
        world
            .nobody()
            .post("/api/v1/password-reset/completion", body)
            .await;
        proofs.push(token);
    }

    let program = json!({"name": "Program", "scopes": ["devices:read"]});
    let made = world.owner.post(&world.path("api-keys"), program).await;
    let key = made.expect(StatusCode::CREATED).body["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let devices = Caller::device(&world.base, &key)
        .get(&world.path("devices"))
        .await;
    devices.expect(StatusCode::OK);
    proofs.push(key);

    let (client_secret, code) = sign_on::somebody_comes(world).await;
    proofs.extend([client_secret, code, issuer::ACCESS_TOKEN.to_owned()]);
    proofs
}

/// Instructions for a server that does not answer, so that they stay queued.
async fn mail_that_waits(world: &World, device: &serde_json::Value) -> Vec<Answer> {
    let server = json!({"host": "localhost", "port": 9, "security": "starttls", "sender_address": "a@example.com",
        "username": "phones", "password": MAIL_CANARY});
    let settings = json!({"language": "en", "server": server});
    let owner = &world.owner;
    let mut answers = vec![
        owner
            .put(&world.path("mail"), settings)
            .await
            .expect(StatusCode::OK),
    ];
    let test = json!({"address": "someone@example.com"});
    answers.push(
        owner
            .post(&world.path("mail/test"), test.clone())
            .await
            .expect(StatusCode::OK),
    );
    let path = format!("devices/{}/instructions", device["id"].as_str().unwrap());
    answers.push(
        owner
            .post(&world.path(&path), test)
            .await
            .expect(StatusCode::ACCEPTED),
    );
    loop {
        let mails = owner.get(&world.path("mails")).await.expect(StatusCode::OK);
        let tried = mails.body["items"][0].get("reason").is_some();
        answers.push(mails);
        if tried {
            return answers;
        }
        tokio::task::yield_now().await;
    }
}

/// The secret of a desk phone's address and the password in its file, both used once, and wrongly too.
async fn fetched_by_desk_phone(world: &World, answers: &mut Vec<Answer>) -> (String, String) {
    let account = world.account("desk").await;
    let device = world.device(&[&account]).await;
    let address = desk_phone::set_up(world, &device, "grandstream").await;
    let file = world.nobody().get(&format!("{address}cfg.xml")).await;
    let file = file.expect(StatusCode::OK).text();
    let password = file
        .split("<P34>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    assert!(password.len() >= 20);
    let nobody = world.nobody();
    for wrong in [
        format!("{address}other"),
        address.replace("/desk/", "/desk/x"),
    ] {
        answers.push(nobody.get(&wrong).await.expect(StatusCode::NOT_FOUND));
        let refused = nobody.post(&wrong, json!({})).await;
        answers.push(refused.expect(StatusCode::METHOD_NOT_ALLOWED));
    }
    let one = format!("devices/{}", device["id"].as_str().unwrap());
    answers.push(
        world
            .owner
            .get(&world.path(&one))
            .await
            .expect(StatusCode::OK),
    );
    answers.push(world.owner.get(&world.path("audit")).await);
    let token = address.trim_start_matches("/desk/").trim_end_matches('/');
    (token.to_owned(), password.to_owned())
}

/// The secret of a webhook whose receiver does not answer.
async fn told_webhook(world: &World, answers: &mut Vec<Answer>) -> String {
    let input =
        json!({"name": "Nobody", "url": "https://localhost:9/", "events": ["contact.created"]});
    let owner = &world.owner;
    let path = world.path("webhooks");
    let made = owner.post(&path, input).await.expect(StatusCode::CREATED);
    let one = format!("{path}/{}", made.id());
    let tested = owner.post(&format!("{one}/test"), json!({})).await;
    let delivery = tested.expect(StatusCode::ACCEPTED).id();
    let path = world.path(&format!("webhook-deliveries/{delivery}"));
    loop {
        let told = owner.get(&path).await.expect(StatusCode::OK);
        let tried = told.body.get("reason").is_some();
        answers.push(told);
        if tried {
            break;
        }
        tokio::task::yield_now().await;
    }
    answers.push(owner.get(&one).await);
    made.body["secret"].as_str().unwrap().to_owned()
}

/// Whether any file of the database has this.
fn lies_in_clear(secret: &str, world: &World) -> bool {
    std::fs::read_dir(world.data.path()).unwrap().any(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("tandem.db")
            && std::fs::read(&path)
                .unwrap()
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
    })
}
