//! Calls of the real program with ICE, and with a peer that has none.

use serde_json::Value;

use crate::exchange::Exchange;
use crate::phones::Phone;

async fn call_between(caller: &[&str], callee: &[&str]) -> [Value; 2] {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let alice = Phone::running("200", &exchange, parent.path(), caller).await;
    let callee = [&["--auto-answer"], callee].concat();
    let bob = Phone::running("201", &exchange, parent.path(), &callee).await;
    let ended = alice.succeeds(&["call", "201", "--duration", "1.5"]).await;
    let bob = bob.succeeds(&["status", "--wait", "idle"]).await;
    [ended["media"].clone(), bob["ended"][0]["media"].clone()]
}

fn heard(media: &Value) -> bool {
    media["packets_received"]
        .as_u64()
        .is_some_and(|packets| packets > 10)
}

#[tokio::test]
async fn two_phones_with_ice_hear_each_other_by_the_path_that_it_found() {
    // A server that is silent keeps nobody from talking.
    let caller = ["--stun", "127.0.0.1:9"];
    for media in call_between(&caller, &["--ice", "on"]).await {
        assert_eq!(media["path"], "direct", "{media}");
        assert!(heard(&media), "{media}");
    }
}

#[tokio::test]
async fn a_phone_with_ice_and_one_without_hear_each_other_too() {
    for [caller, callee] in [["on", "off"], ["off", "on"]] {
        for media in call_between(&["--ice", caller], &["--ice", callee]).await {
            assert_eq!(media["path"], Value::Null, "{media}");
            assert!(heard(&media), "{media}");
        }
    }
}
