//! `docs/webhooks.md` says what is: its examples are what the server would send, its code verifies what the server signs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Word as _, webhook::EventKind};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIME: &str = "1614265330";
const BODY: &str = r#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn reference() -> String {
    std::fs::read_to_string(root().join("docs/webhooks.md")).unwrap()
}

/// The blocks of the document in this language.
fn blocks(language: &str) -> Vec<String> {
    let text = reference();
    let start = format!("```{language}\n");
    let blocks = text.split(&start).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// What is read and written again is the same: no field is missing, none is invented.
fn is_exact<T: DeserializeOwned + Serialize>(data: &Value) {
    let read: T = serde_json::from_value(data.clone()).unwrap();
    assert_eq!(&serde_json::to_value(read).unwrap(), data);
}

#[test]
fn every_example_is_what_the_server_would_send() {
    let mut shown = BTreeSet::new();
    for block in blocks("json") {
        let example: Value = serde_json::from_str(&block).unwrap();
        is_exact::<api::WebhookMessage>(&example);
        let data = &example["data"];
        let kind = example["type"].as_str().unwrap();
        let object = kind.split('.').next().unwrap();
        match object {
            "contact" => is_exact::<api::Contact>(data),
            "import" => is_exact::<api::Import>(data),
            "device" => is_exact::<api::Device>(data),
            "account" => is_exact::<api::Account>(data),
            "provider" => is_exact::<api::Provider>(data),
            "call" => is_exact::<api::Call>(data),
            "member" => is_exact::<api::Member>(data),
            "webhook" => is_exact::<api::WebhookTest>(data),
            other => panic!("nothing is called {other}"),
        }
        shown.insert(object.to_owned());
    }
    let text = reference();
    for kind in EventKind::ALL {
        let word = kind.as_str();
        assert!(text.contains(&format!("`{word}`")), "{word} is not told");
        let object = word.split('.').next().unwrap();
        assert!(shown.contains(object), "{word} has no example");
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    let text = reference().replace(',', "");
    for (name, number) in [
        ("webhooks of a tenant", store::webhook::MAX_WEBHOOKS),
        ("events that wait of a tenant", store::webhook::MAX_WAITING),
    ] {
        assert!(text.contains(&format!("| {name} | {number}")), "{name}");
    }
    let days = store::webhook::KEPT.whole_days();
    let kept = store::webhook::MAX_KEPT;
    assert!(text.contains(&format!("{days} days at most {kept} of a webhook")));
    let secs = portal::WebhookTimes::default().answer.as_secs();
    assert!(text.contains(&format!("within {secs} seconds")));
}

/// Runs the program, which says what is genuine: as it came, with another body, of another time, with no signature that fits.
fn judged(program: &Path, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).to_lowercase();
    assert!(output.status.success(), "{output:?}");
    said.split_whitespace().map(str::to_owned).collect()
}

const VERDICTS: [&str; 5] = ["true", "true", "false", "false", "false"];

#[test]
fn the_example_in_python_verifies() {
    let code = blocks("python").remove(0);
    let trial = format!(
        "{code}
headers = {{'webhook-id': '{ID}', 'webhook-timestamp': '{TIME}', 'webhook-signature': '{SIGNATURE}'}}
both = dict(headers, **{{'webhook-signature': 'v1,AAAA {SIGNATURE}'}})
other = dict(headers, **{{'webhook-signature': 'v1,AAAA'}})
for told, body, tolerance in [(headers, b'{BODY}', 1e12), (both, b'{BODY}', 1e12), (headers, b'x', 1e12), (headers, b'{BODY}', 300), (other, b'{BODY}', 1e12)]:
    print(is_genuine('{SECRET}', told, body, tolerance))
"
    );
    let python = root().join(".venv/bin/python");
    assert_eq!(judged(&python, &["-c", &trial]), VERDICTS);
}

#[test]
fn the_example_in_javascript_verifies() {
    let code = blocks("javascript").remove(0);
    let trial = format!(
        "{code}
const headers = {{'webhook-id': '{ID}', 'webhook-timestamp': '{TIME}', 'webhook-signature': '{SIGNATURE}'}};
const both = {{...headers, 'webhook-signature': 'v1,AAAA {SIGNATURE}'}};
const other = {{...headers, 'webhook-signature': 'v1,AAAA'}};
for (const [told, body, tolerance] of [[headers, '{BODY}', 1e12], [both, '{BODY}', 1e12], [headers, 'x', 1e12], [headers, '{BODY}', 300], [other, '{BODY}', 1e12]])
  console.log(isGenuine('{SECRET}', told, Buffer.from(body), tolerance));
"
    );
    assert_eq!(judged(Path::new("node"), &["-e", &trial]), VERDICTS);
}
