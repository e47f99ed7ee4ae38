//! Providers, accounts, contacts, devices, members: what is checked, what conflicts, what is noted.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;

use crate::world::World;

#[tokio::test]
async fn tandems_own_provider_is_there_and_stays() {
    let world = World::start().await;
    let own = world.own_provider().await;
    assert_eq!(own["own"], true);
    assert_eq!(own["server"], "acme.tandem.localhost");
    assert_eq!(own["outbound_proxy"], "sip:127.0.0.1:5060;lr");
    let path = world.path(&format!("providers/{}", own["id"].as_str().unwrap()));
    world.owner.delete(&path).await.expect(StatusCode::CONFLICT);
    let renamed =
        json!({"name": "House", "server": "evil.example", "outbound_proxy": "evil.example"});
    let changed = world
        .owner
        .put(&path, renamed)
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(changed["name"], "House");
    assert_eq!(changed["server"], own["server"]);
    assert_eq!(changed["outbound_proxy"], own["outbound_proxy"]);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let world = World::start().await;
    let post = async |kind: &str, input: Value| {
        world
            .owner
            .post(&world.path(kind), input)
            .await
            .wrong_fields()
    };
    let provider = json!({"name": " ", "server": "not a host", "port": 0, "outbound_proxy": "a b"});
    assert_eq!(
        post("providers", provider).await,
        ["name", "server", "port", "outbound_proxy"]
    );
    let own = world.own_provider().await["id"].clone();
    let account =
        json!({"provider_id": own, "name": "", "username": "a b", "codecs": ["opus", "opus"]});
    assert_eq!(
        post("accounts", account).await,
        ["codecs", "name", "username"]
    );
    let contact = json!({"first_name": "", "last_name": "", "emails": [],
        "numbers": [{"number": "030 123", "label": "work"}, {"number": "+493012345", "label": ""}]});
    assert_eq!(
        post("contacts", contact).await,
        [
            "first_name",
            "last_name",
            "numbers[0].number",
            "numbers[1].label",
            "emails"
        ]
    );
    let unknown = json!({"name": "n", "server": "s.example", "own": true});
    let refused = world.owner.post(&world.path("providers"), unknown).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "unknown fields are refused"
    );
}

#[tokio::test]
async fn a_provider_with_accounts_cannot_be_deleted() {
    let world = World::start().await;
    let input =
        json!({"name": "Sub", "server": "SIP.Example.com", "port": 5070, "transport": "tcp"});
    let provider = world
        .owner
        .post(&world.path("providers"), input)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(provider.body["server"], "sip.example.com");
    let path = world.path(&format!("providers/{}", provider.id()));
    let without = json!({"provider_id": provider.id(), "name": "Trunk", "username": "4711"});
    let accounts = world.path("accounts");
    let missing = world.owner.post(&accounts, without.clone()).await;
    assert_eq!(missing.wrong_fields(), ["password"]);
    let mut with = without.clone();
    with["password"] = "secret".into();
    let account = world
        .owner
        .post(&accounts, with.clone())
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(account.body["aor"], "sip:4711@sip.example.com");
    assert_eq!(account.body["push"], false);
    assert_eq!(
        account.body["codecs"],
        json!(["opus", "g722", "pcma", "pcmu"])
    );
    let again = world
        .owner
        .post(&accounts, with)
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(again.body["errors"][0]["field"], "username");

    let refused = world.owner.delete(&path).await.expect(StatusCode::CONFLICT);
    assert_eq!(refused.body["type"], "in-use");
    assert!(refused.body["detail"].as_str().unwrap().contains("Trunk"));
    let trunk =
        json!({"kind": "account", "id": account.id(), "name": "Trunk", "effect": "removed"});
    assert_eq!(refused.body["dependents"], json!([trunk]));
    assert_eq!(refused.body["dependents_count"], 1);
    let looked = world.owner.get(&format!("{path}/dependents")).await;
    let looked = looked.expect(StatusCode::OK).body;
    assert_eq!(looked, json!({"items": [trunk], "count": 1}));
    let account_path = world.path(&format!("accounts/{}", account.id()));
    world
        .owner
        .delete(&account_path)
        .await
        .expect(StatusCode::NO_CONTENT);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    world.owner.get(&path).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_write_on_an_old_version_is_refused() {
    let world = World::start().await;
    let input = json!({"name": "Sub", "server": "sip.example.com"});
    let created = world
        .owner
        .post(&world.path("providers"), input.clone())
        .await;
    let tag = created.header("etag").to_owned();
    let path = world.path(&format!("providers/{}", created.id()));
    let put = async |tag: &str| {
        world
            .owner
            .send(
                Method::PUT,
                &path,
                Some(input.clone()),
                &[("if-match", tag)],
            )
            .await
    };
    let second = put(&tag).await.expect(StatusCode::OK);
    assert_ne!(second.header("etag"), tag);
    let stale = put(&tag).await.expect(StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.body["type"], "stale-version");
    put("\"nonsense\"")
        .await
        .expect(StatusCode::PRECONDITION_FAILED);
    put(second.header("etag")).await.expect(StatusCode::OK);
    world
        .owner
        .put(&path, input.clone())
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_device_has_one_to_four_accounts() {
    let world = World::start().await;
    let mut accounts = Vec::new();
    for name in ["101", "102", "103", "104", "105"] {
        accounts.push(world.account(name).await);
    }
    let contact = world.contact("Alice").await["id"].clone();
    let with = |count: usize| {
        let ids: Vec<_> = accounts[..count]
            .iter()
            .map(|account| &account["id"])
            .collect();
        json!({"name": "Laptop", "contact_id": contact, "account_ids": ids})
    };
    let path = world.path("devices");
    assert_eq!(
        world.owner.post(&path, with(5)).await.wrong_fields(),
        ["account_ids"]
    );
    assert_eq!(
        world.owner.post(&path, with(0)).await.wrong_fields(),
        ["account_ids"]
    );
    let device = world
        .owner
        .post(&path, with(4))
        .await
        .expect(StatusCode::CREATED)
        .body;
    assert_eq!(device["status"], "not_activated");
    assert_eq!(device["pending_update"], false);
    assert_eq!(device["contact"]["name"], "Alice Example");
    let names: Vec<_> = device["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["name"])
        .collect();
    assert_eq!(names, ["101", "102", "103", "104"]);

    let account = world.path(&format!("accounts/{}", accounts[0]["id"].as_str().unwrap()));
    let refused = world
        .owner
        .delete(&account)
        .await
        .expect(StatusCode::CONFLICT);
    assert!(refused.body["detail"].as_str().unwrap().contains("Laptop"));
    let contact = world.path(&format!("contacts/{}", contact.as_str().unwrap()));
    world
        .owner
        .delete(&contact)
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(world.owner.get(&account).await.body["status"], "offline");
    let unused = world.path(&format!("accounts/{}", accounts[4]["id"].as_str().unwrap()));
    assert_eq!(world.owner.get(&unused).await.body["status"], "not_in_use");
}

#[tokio::test]
async fn an_account_that_is_renamed_or_deleted_leaves_no_bindings() {
    let world = World::start().await;
    let account = world.account("101").await;
    world.proxy.asked();
    let path = world.path(&format!("accounts/{}", account["id"].as_str().unwrap()));
    let renamed = json!({"provider_id": account["provider_id"], "name": "Bob", "username": "102"});
    world.owner.put(&path, renamed).await.expect(StatusCode::OK);
    assert_eq!(
        world.proxy.asked(),
        [
            "changed sip:101@acme.tandem.localhost",
            "drop sip:101@acme.tandem.localhost",
            "changed sip:102@acme.tandem.localhost"
        ]
    );
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(
        world.proxy.asked(),
        [
            "changed sip:102@acme.tandem.localhost",
            "drop sip:102@acme.tandem.localhost"
        ]
    );
}

#[tokio::test]
async fn lists_are_searched_and_paged() {
    let world = World::start().await;
    for name in ["Carol", "Alice", "Bob"] {
        world.contact(name).await;
    }
    let first = world
        .owner
        .get(&world.path("contacts?limit=2"))
        .await
        .expect(StatusCode::OK);
    let next = first.body["next"].as_str().unwrap().to_owned();
    let second = world
        .owner
        .get(&world.path(&format!("contacts?limit=2&after={next}")))
        .await;
    let names: Vec<_> = [&first.body, &second.body]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|contact| contact["first_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Alice", "Bob", "Carol"]);
    assert_eq!(second.body.get("next"), None);
    let found = world.owner.get(&world.path("contacts?search=aro")).await;
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
    for list in ["contacts", "mailbox", "audit"] {
        let wrong = world.path(&format!("{list}?after=nonsense&limit=201"));
        let refused = world.owner.get(&wrong).await;
        assert_eq!(refused.wrong_fields(), ["limit", "after"], "{list}");
    }
    let none = world.owner.get(&world.path("contacts?limit=0")).await;
    assert_eq!(none.wrong_fields(), ["limit"]);
    let long = "x".repeat(201);
    for (query, field) in [
        ("contacts?search=%00".to_owned(), "search"),
        (format!("devices?search={long}"), "search"),
        ("audit?actor=a%00b".to_owned(), "actor"),
        ("audit/export?action=%00".to_owned(), "action"),
    ] {
        let refused = world.owner.get(&world.path(&query)).await;
        assert_eq!(refused.wrong_fields(), [field], "{query}");
    }
    let bulk = json!({"action": "delete", "matching": {"search": long, "filters": {}}});
    let refused = world.owner.post(&world.path("contacts/bulk"), bulk).await;
    assert_eq!(refused.wrong_fields(), ["matching.search"]);
    world
        .owner
        .get(&world.path("contacts?limit=x"))
        .await
        .expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn members_are_existing_people_and_every_write_is_noted() {
    let world = World::start().await;
    world.outsider("bob@example.com").await;
    let path = world.path("members");
    let unknown = json!({"email": "nobody@example.com", "role": "read_only"});
    assert_eq!(
        world.owner.post(&path, unknown).await.wrong_fields(),
        ["email"]
    );
    let bob = json!({"email": "bob@example.com", "role": "administrator"});
    let added = world
        .owner
        .post(&path, bob.clone())
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(added.body["role"], "administrator");
    world
        .owner
        .post(&path, bob)
        .await
        .expect(StatusCode::CONFLICT);
    let listed = world.owner.get(&path).await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);

    world.account("101").await;
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let audit = reader
        .get(&world.path("audit"))
        .await
        .expect(StatusCode::OK)
        .body;
    let entries: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["subject"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            ("account.create", "sip:101@acme.tandem.localhost"),
            ("member.create", "bob@example.com"),
            ("tenant.create", "Acme"),
        ]
    );
    assert_eq!(audit["items"][0]["actor"], "owner@example.com");
    assert_eq!(audit["items"][0]["source"], "127.0.0.1");
}

#[tokio::test]
async fn dialing_rules_keep_their_order_reach_the_phone_and_are_checked() {
    let world = World::start().await;
    let provider = world.own_provider().await["id"].clone();
    let rule = |from: &str, to: &str, length: u8| json!({"starts_with": from, "replace_with": to, "minimum_length": length});
    let with = |rules: Vec<Value>| json!({"provider_id": provider, "name": "n", "username": "201", "dialing_rules": rules});
    let path = world.path("accounts");
    let wrong = vec![rule("017", "x", 0), rule("", "", 41)];
    let refused = world.owner.post(&path, with(wrong)).await;
    assert_eq!(
        refused.wrong_fields(),
        [
            "dialing_rules[0].replace_with",
            "dialing_rules[1].minimum_length"
        ]
    );
    let many = vec![rule("0", "1", 0); 51];
    assert_eq!(
        world.owner.post(&path, with(many)).await.wrong_fields(),
        ["dialing_rules"]
    );

    let rules = vec![rule("017", "1", 0), rule("", "0", 5)];
    let account = world.owner.post(&path, with(rules.clone())).await;
    let account = account.expect(StatusCode::CREATED).body;
    assert_eq!(account["dialing_rules"], json!(rules));
    let device = world.device(&[&account]).await;
    let phone = crate::phone::activate(&device, &world).await;
    assert_eq!(
        phone.configuration["lines"][0]["dialing_rules"],
        json!(rules)
    );
}

#[tokio::test]
async fn push_is_on_at_first_for_the_own_proxy_and_never_without_a_password() {
    let world = World::start().await;
    let provider = json!({"name": "Telco", "server": "sip.example.com"});
    let telco = world.owner.post(&world.path("providers"), provider).await;
    let telco = telco.expect(StatusCode::CREATED).body["id"].clone();
    let own = world.own_provider().await["id"].clone();
    let mut number = 100;
    let mut account = async |provider: &Value, more: Value| {
        number += 1;
        let mut input =
            json!({"provider_id": provider, "name": "n", "username": number.to_string()});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        world.owner.post(&world.path("accounts"), input).await
    };
    assert_eq!(account(&own, json!({})).await.body["push"], true);
    assert_eq!(
        account(&own, json!({"push": false})).await.body["push"],
        false
    );
    let password = json!({"password": "a password"});
    assert_eq!(account(&telco, password).await.body["push"], false);
    let chosen = json!({"password": "a password", "push": true});
    assert_eq!(account(&telco, chosen).await.body["push"], true);
    let entered = json!({"enter_on_device": true});
    assert_eq!(account(&telco, entered).await.body["push"], false);
    let both = json!({"enter_on_device": true, "push": true});
    assert_eq!(account(&telco, both).await.wrong_fields(), ["push"]);
}

#[tokio::test]
async fn the_log_says_which_fields_changed_from_what_to_what_and_never_a_password() {
    let world = World::start().await;
    let account = world.account("101").await;
    let id = account["id"].as_str().unwrap();
    let input = json!({"provider_id": account["provider_id"], "name": "Reception",
        "username": "101", "password": "canary-3fK9"});
    let path = world.path(&format!("accounts/{id}"));
    world.owner.put(&path, input).await.expect(StatusCode::OK);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);

    let log = async |query: &str| {
        world
            .owner
            .get(&world.path(&format!("audit?{query}")))
            .await
    };
    let of_account = log(&format!("object={id}")).await.body;
    let actions: Vec<_> = of_account["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["account.delete", "account.update", "account.create"]
    );
    let changes = &of_account["items"][1]["changes"];
    assert_eq!(
        *changes,
        json!({"name": ["101", "Reception"], "password": ["***", "***"]})
    );
    assert_eq!(
        of_account["items"][0]["changes"]["name"],
        json!(["Reception", null])
    );
    assert!(!of_account.to_string().contains("canary"));

    let found = log("action=account.d&search=OWNER%20101").await.body;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    log("from=yesterday").await.expect(StatusCode::BAD_REQUEST);
    let verification = world
        .owner
        .get(&world.path("audit/verification"))
        .await
        .body;
    assert_eq!(verification["broken_at"], Value::Null);
    // The tenant itself, and three deeds on the account.
    assert_eq!(verification["entries"], 4);
}

#[tokio::test]
async fn accounts_imported_on_the_command_line_are_shown_and_noted_and_a_wrong_line_is_named() {
    let world = World::start().await;
    let now = time::OffsetDateTime::now_utc();
    let import = async |slug: &str, text: &str| {
        portal::import_accounts(slug, text, &world.vault, now, &world.db).await
    };
    let made = import("acme", "1001,a,b\n1002, c \n").await.unwrap();
    assert_eq!(made, 2);
    let listed = world.owner.get(&world.path("accounts")).await;
    let names = listed.body["items"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|account| account["username"].clone()).collect();
    assert_eq!(names, ["1001", "1002"]);
    let log = world.owner.get(&world.path("audit")).await.body;
    assert_eq!(log["items"][0]["action"], "account.import");
    assert_eq!(log["items"][0]["actor"], "command line");

    let refused = async |slug: &str, text: &str| import(slug, text).await.unwrap_err().to_string();
    assert_eq!(
        refused("nobody", "1,a").await,
        "there is no tenant \"nobody\""
    );
    let wrong = refused("acme", "1003,a\n10 04,b").await;
    assert!(wrong.starts_with("line 2: "), "{wrong}");
    assert!(refused("acme", "1003").await.starts_with("line 1: "));
    let twice = refused("acme", "1003,a\n1001,b").await;
    assert!(twice.contains("exists already"), "{twice}");
    let after = world.owner.get(&world.path("accounts")).await;
    assert_eq!(after.body["items"].as_array().map(Vec::len), Some(2));
}
