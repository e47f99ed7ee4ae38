//! Signing in through a tenant's OpenID provider: who may come, what they may do, and which tokens are not believed.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    issuer::{CLIENT, Issuer, Key, SECRET, redirecting},
    second_factor,
    sign_in::settled,
    world::{Answer, Caller, World},
};

const BEGIN: &str = "/api/v1/session/sign-on";
const COMPLETE: &str = "/api/v1/session/sign-on/completion";

fn input(issuer: &Issuer) -> Value {
    json!({"name": "Acme login", "issuer": issuer.base, "client_id": CLIENT, "client_secret": SECRET,
        "domains": ["acme.example"], "new_people": "nobody"})
}

fn with(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

/// A portal that may connect to this machine, and a provider of its tenant.
async fn ground() -> (World, Issuer) {
    let local = portal::Egress::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    let world = World::start_with(|config| config.egress = local).await;
    let issuer = Issuer::start().await;
    set(&world, input(&issuer)).await.expect(StatusCode::OK);
    (world, issuer)
}

async fn set(world: &World, input: Value) -> Answer {
    world
        .owner
        .put(&world.path("settings/sign-on"), input)
        .await
}

/// A sign-in that a browser began.
struct Begun {
    address: String,
    cookie: String,
}

async fn begin(world: &World) -> Begun {
    let answer = world
        .nobody()
        .post(BEGIN, json!({"tenant": "acme", "next": "/t/acme"}))
        .await;
    let answer = answer.expect(StatusCode::OK);
    let set = answer.header("set-cookie");
    for part in [
        "HttpOnly",
        "SameSite=Strict",
        "Path=/api/v1/session/sign-on",
    ] {
        assert!(set.contains(part), "{set}");
    }
    Begun {
        address: answer.body["address"].as_str().unwrap().to_owned(),
        cookie: format!("tandem_sign_on={}", answer.cookie("tandem_sign_on")),
    }
}

async fn complete(world: &World, cookie: &str, answer: Value) -> Answer {
    let headers = [("cookie", cookie)];
    world
        .nobody()
        .send(Method::POST, COMPLETE, Some(answer), &headers)
        .await
}

/// Signs somebody in whom the provider vouches for.
async fn sign_on(world: &World, issuer: &Issuer, claims: Value) -> Answer {
    let begun = begin(world).await;
    let (state, code) = issuer.approve(&begun.address, &claims);
    complete(world, &begun.cookie, json!({"state": state, "code": code})).await
}

/// Somebody comes through a provider of the tenant. Gives the client's secret and the code that they came with.
pub(crate) async fn somebody_comes(world: &World) -> (String, String) {
    let issuer = Issuer::start().await;
    let open = with(input(&issuer), "new_people", "read_only".into());
    set(world, open).await.expect(StatusCode::OK);
    let begun = begin(world).await;
    let (state, code) = issuer.approve(&begun.address, &bob());
    let answer = json!({"state": state, "code": code});
    complete(world, &begun.cookie, answer)
        .await
        .expect(StatusCode::OK);
    (SECRET.to_owned(), code)
}

fn bob() -> Value {
    json!({"sub": "s-bob", "email": "bob@acme.example", "email_verified": true})
}

fn session(world: &World, answer: &Answer) -> Caller {
    Caller::new(&world.base, Some(answer.cookie("tandem_session")))
}

#[track_caller]
fn refused(answer: Answer, reason: &str) {
    assert!(answer.headers.get_all("set-cookie").iter().next().is_none());
    let status = match reason {
        "turned_off" => StatusCode::CONFLICT,
        _ => StatusCode::FORBIDDEN,
    };
    let answer = answer.expect(status);
    assert_eq!(answer.body["type"], "sign-on-refused");
    assert_eq!(answer.body["reason"], reason, "{}", answer.text());
}

#[tokio::test]
async fn a_member_comes_by_address_once_and_by_subject_from_then_on() {
    let (world, issuer) = ground().await;
    world.member("Bob@acme.example", Role::Administrator).await;
    let first = sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
    assert_eq!(first.body["next"], "/t/acme");
    let shown = &first.body["session"];
    assert_eq!(shown["user"]["email"], "Bob@acme.example");
    assert_eq!(shown["sign_on"]["provider"], "Acme login");
    assert_eq!(shown["sign_on"]["tenant_id"], world.tenant.to_string());
    let caller = session(&world, &first);
    caller
        .get(&world.path("devices"))
        .await
        .expect(StatusCode::OK);

    let renamed = with(bob(), "email", "robert@elsewhere.example".into());
    let again = sign_on(&world, &issuer, renamed)
        .await
        .expect(StatusCode::OK);
    assert_eq!(again.body["session"]["user"]["email"], "Bob@acme.example");
    let other = with(bob(), "sub", "s-other".into());
    refused(sign_on(&world, &issuer, other).await, "other_subject");

    let audit = world.owner.get(&world.path("audit")).await.text();
    for action in ["sign_on.update", "member.bind", "sign_on.refuse"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    let mails = world.mails_to("Bob@acme.example", 1).await;
    assert!(
        mails.iter().any(|mail| mail.subject.contains("sign-in")),
        "{mails:?}"
    );
}

#[tokio::test]
async fn who_is_not_in_the_team_is_told_why() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    world.outsider("eve@acme.example").await;
    world.member("ann@other.example", Role::ReadOnly).await;
    for (field, value, reason) in [
        ("email", json!("nobody@acme.example"), "not_member"),
        ("email", json!("eve@acme.example"), "not_member"),
        ("email", json!("ann@other.example"), "foreign_domain"),
        (
            "email",
            json!("bob@acme.example.evil.example"),
            "foreign_domain",
        ),
        (
            "email",
            json!("bob@evil.example@acme.example"),
            "no_address",
        ),
        ("email", json!("<b>@acme.example"), "no_address"),
        ("email_verified", json!(false), "unverified_address"),
        ("email_verified", Value::Null, "unverified_address"),
    ] {
        refused(
            sign_on(&world, &issuer, with(bob(), field, value)).await,
            reason,
        );
    }
    refused(
        sign_on(&world, &issuer, json!({"sub": "s-bob"})).await,
        "unreadable",
    );
    let trusting = with(input(&issuer), "trusts_addresses", true.into());
    set(&world, trusting).await.expect(StatusCode::OK);
    let unverified = with(bob(), "email_verified", false.into());
    refused(
        sign_on(&world, &issuer, unverified).await,
        "unverified_address",
    );
    let untold = with(bob(), "email_verified", Value::Null);
    sign_on(&world, &issuer, untold)
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn an_address_may_be_told_beside_the_token_and_only_of_the_same_person() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    issuer.conduct(|conduct| conduct.user_info = with(bob(), "sub", "s-eve".into()));
    let brief = json!({"sub": "s-bob"});
    refused(
        sign_on(&world, &issuer, brief.clone()).await,
        "token_invalid",
    );
    issuer.conduct(|conduct| conduct.user_info = bob());
    sign_on(&world, &issuer, brief).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn new_people_become_members_who_read_if_the_tenant_wants_it() {
    let (world, issuer) = ground().await;
    world.outsider("eve@acme.example").await;
    let open = with(input(&issuer), "new_people", "read_only".into());
    set(&world, open).await.expect(StatusCode::OK);
    let new = json!({"sub": "s-new", "email": "new@acme.example", "email_verified": true,
        "given_name": "Nora", "family_name": "New"});
    let answer = sign_on(&world, &issuer, new.clone())
        .await
        .expect(StatusCode::OK);
    let shown = &answer.body["session"];
    assert_eq!(shown["user"]["first_name"], "Nora");
    assert_eq!(shown["tenants"][0]["role"], "read_only");
    assert_eq!(shown["must_set_password"], false);
    let caller = session(&world, &answer);
    caller
        .get(&world.path("devices"))
        .await
        .expect(StatusCode::OK);
    let change = caller.post(&world.path("providers"), json!({})).await;
    change.expect(StatusCode::FORBIDDEN);
    // Who has access elsewhere is not made a member behind their back.
    let eve = json!({"sub": "s-eve", "email": "eve@acme.example", "email_verified": true});
    refused(sign_on(&world, &issuer, eve).await, "not_member");

    let members = world.owner.get(&world.path("members")).await.body;
    let nora = members["items"].as_array().unwrap().iter();
    let nora = nora
        .clone()
        .find(|member| member["email"] == "new@acme.example")
        .unwrap();
    let path = world.path(&format!("members/{}", nora["user_id"].as_str().unwrap()));
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    caller
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    refused(sign_on(&world, &issuer, new).await, "not_member");
}

#[tokio::test]
async fn tokens_that_anybody_could_have_made_are_not_believed() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::Owner).await;
    let stranger = Key::new("k-1");
    let unknown = Key::new("k-2");
    let public = Key::new("k-1").public["x"].as_str().unwrap().to_owned();
    type Forgery = Arc<dyn Fn(Value, &Key) -> String + Send + Sync>;
    let claim = |field: &'static str, value: Value| -> Forgery {
        Arc::new(move |claims, key| key.sign(&with(claims, field, value.clone())))
    };
    let part = |token: &str, number: usize| token.split('.').nth(number).unwrap().to_owned();
    let forgeries: Vec<(&str, Forgery)> = vec![
        ("issuer", claim("iss", "https://evil.example".into())),
        ("audience", claim("aud", "another".into())),
        (
            "several audiences",
            claim("aud", json!([CLIENT, "another"])),
        ),
        ("party", claim("azp", "another".into())),
        ("expired", claim("exp", 1_000.into())),
        ("from the future", claim("iat", 4_000_000_000_u64.into())),
        ("nonce", claim("nonce", "another".into())),
        ("no nonce", claim("nonce", Value::Null)),
        (
            "access token",
            claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ".into()),
        ),
        ("nobody", claim("sub", "".into())),
        ("key", Arc::new(move |claims, _| stranger.sign(&claims))),
        (
            "unpublished key",
            Arc::new(move |claims, _| unknown.sign(&claims)),
        ),
        (
            "shared key",
            Arc::new(move |claims, _| {
                let shared = EncodingKey::from_secret(public.as_bytes());
                encode(&Header::new(Algorithm::HS256), &claims, &shared).unwrap()
            }),
        ),
        (
            "no signature",
            Arc::new(move |claims, key| {
                let token = key.sign(&claims);
                format!("{}.{}.", part(&token, 0), part(&token, 1))
            }),
        ),
        (
            "alg none",
            Arc::new(move |claims, key| {
                let token = key.sign(&claims);
                format!("eyJhbGciOiJub25lIn0.{}.", part(&token, 1))
            }),
        ),
        (
            "claims of another token",
            Arc::new(move |claims, key| {
                let token = key.sign(&claims);
                let other = key.sign(&with(claims, "sub", "s-ann".into()));
                format!(
                    "{}.{}.{}",
                    part(&token, 0),
                    part(&other, 1),
                    part(&token, 2)
                )
            }),
        ),
        ("not a token", Arc::new(|_, _| "...".to_owned())),
        (
            "encrypted",
            Arc::new(|_, key| format!("{}..", key.sign(&json!({})))),
        ),
    ];
    for (name, forge) in forgeries {
        println!("{name}");
        issuer.conduct(|conduct| conduct.forge = forge);
        refused(sign_on(&world, &issuer, bob()).await, "token_invalid");
    }
    issuer.conduct(|conduct| conduct.forge = Arc::new(|claims, key| key.sign(&claims)));
    sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_provider_may_change_its_keys_at_any_time() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
    issuer.conduct(|conduct| {
        conduct.key = Key::new("k-2");
        conduct.published = vec![conduct.key.public.clone()];
    });
    sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
    issuer.conduct(|conduct| conduct.published = vec![json!({"kty": "new"})]);
    refused(sign_on(&world, &issuer, bob()).await, "no_keys");
}

#[tokio::test]
async fn a_sign_in_comes_back_once_to_the_browser_that_began_it() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    let (ours, theirs) = (begin(&world).await, begin(&world).await);
    let (state, code) = issuer.approve(&ours.address, &bob());
    let answer = json!({"state": state, "code": code});
    refused(
        complete(&world, &theirs.cookie, answer.clone()).await,
        "lost",
    );
    refused(complete(&world, "", answer.clone()).await, "lost");
    let unknown = json!({"state": "x".repeat(43), "code": code});
    refused(complete(&world, &ours.cookie, unknown).await, "lost");
    // A code of another sign-in is bound to its own verifier.
    let (other_state, other_code) = issuer.approve(&theirs.address, &bob());
    let mixed = json!({"state": other_state, "code": code});
    refused(
        complete(&world, &theirs.cookie, mixed).await,
        "provider_refused",
    );
    let again = json!({"state": other_state, "code": other_code});
    refused(complete(&world, &theirs.cookie, again).await, "lost");
    let (state, code) = issuer.approve(&ours.address, &bob());
    let answer = json!({"state": state, "code": code});
    complete(&world, &ours.cookie, answer.clone())
        .await
        .expect(StatusCode::OK);
    refused(complete(&world, &ours.cookie, answer).await, "lost");
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_in_its_word() {
    let (world, issuer) = ground().await;
    let begun = begin(&world).await;
    let (state, code) = issuer.approve(&begun.address, &bob());
    let answer = json!({"state": state, "code": code, "error": "access_denied<script>"});
    let answer = complete(&world, &begun.cookie, answer).await;
    assert!(
        answer.text().contains("(access_deniedscript)"),
        "{}",
        answer.text()
    );
    refused(answer, "provider_refused");
    let begun = begin(&world).await;
    let (state, code) = issuer.approve(&begun.address, &bob());
    let answer = json!({"state": state, "code": code, "iss": "https://evil.example"});
    refused(
        complete(&world, &begun.cookie, answer).await,
        "other_issuer",
    );
    let wrong = with(input(&issuer), "client_secret", "wrong".into());
    set(&world, wrong).await.expect(StatusCode::OK);
    refused(sign_on(&world, &issuer, bob()).await, "client_refused");
    issuer.conduct(|conduct| conduct.description = json!({"issuer": "https://evil.example"}));
    let begun = world.nobody().post(BEGIN, json!({"tenant": "acme"})).await;
    refused(begun, "other_issuer");
    let elsewhere = world
        .nobody()
        .post(BEGIN, json!({"tenant": "nowhere"}))
        .await;
    refused(elsewhere, "turned_off");
}

#[tokio::test]
async fn what_a_provider_vouches_for_is_good_for_its_tenant_only() {
    let (world, issuer) = ground().await;
    let other = world.tenant_named("Other", &world.owner).await;
    let everywhere = with(input(&issuer), "domains", json!(["example.com"]));
    set(&world, everywhere).await.expect(StatusCode::OK);
    // Owner of both tenants and administrator of the installation.
    let claims = json!({"sub": "s-1", "email": "owner@example.com", "email_verified": true});
    let answer = sign_on(&world, &issuer, claims)
        .await
        .expect(StatusCode::OK);
    let shown = &answer.body["session"];
    assert_eq!(shown["tenants"].as_array().unwrap().len(), 1);
    assert_eq!(shown["user"]["installation_administrator"], false);
    let caller = session(&world, &answer);
    caller
        .get(&world.path("members"))
        .await
        .expect(StatusCode::OK);
    let elsewhere = format!("/api/v1/tenants/{other}/members");
    caller.get(&elsewhere).await.expect(StatusCode::NOT_FOUND);
    let installation = caller
        .post("/api/v1/tenants", json!({"name": "Third"}))
        .await;
    installation.expect(StatusCode::FORBIDDEN);
    let made = caller.post(&world.path("members"), json!({})).await;
    made.expect(StatusCode::FORBIDDEN);
    for (method, path) in [
        (Method::GET, "/api/v1/tenants"),
        (Method::GET, "/api/v1/sessions"),
        (Method::DELETE, "/api/v1/sessions"),
        (Method::POST, "/api/v1/session/second-factor"),
        (Method::DELETE, "/api/v1/session/second-factor"),
        (Method::PUT, "/api/v1/session/email"),
        (Method::POST, "/api/v1/invitation/joining"),
    ] {
        let body = (method != Method::GET).then(|| json!({}));
        let answer = caller.send(method, path, body, &[]).await;
        let answer = answer.expect(StatusCode::FORBIDDEN);
        assert_eq!(answer.body["type"], "own-password-required", "{path}");
    }
    let shown = caller.get("/api/v1/session").await.expect(StatusCode::OK);
    assert_eq!(shown.body["sign_on"]["provider"], "Acme login");
    assert_eq!(shown.body["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_unless_the_providers_is_trusted() {
    let (world, issuer) = ground().await;
    let caller = settled(&world, "ada@acme.example").await;
    let ada = store::user::find_by_email("ada@acme.example", &world.db)
        .await
        .unwrap();
    let ada = ada.unwrap().0.id;
    store::membership::insert(
        world.tenant,
        ada,
        Role::Administrator,
        crate::world::now(),
        &world.db,
    )
    .await
    .unwrap();
    let (_, codes) = second_factor::turn_on(&caller).await;
    let claims = json!({"sub": "s-ada", "email": "ada@acme.example", "email_verified": true, "amr": ["pwd", "mfa"]});
    let half = sign_on(&world, &issuer, claims.clone())
        .await
        .expect(StatusCode::OK);
    assert!(half.headers.get("set-cookie").is_none());
    assert_eq!(half.body.get("session"), None);
    let step = json!({"token": half.body["half"]["token"], "code": codes[0]});
    let answer = world
        .nobody()
        .post("/api/v1/session/second-step", step)
        .await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(
        answer.body["sign_on"]["provider"], "Acme login",
        "still good for one tenant only"
    );
    session(&world, &answer)
        .get("/api/v1/sessions")
        .await
        .expect(StatusCode::FORBIDDEN);

    let trusting = with(input(&issuer), "trusts_second_factor", true.into());
    set(&world, trusting).await.expect(StatusCode::OK);
    let one = with(claims.clone(), "amr", json!(["pwd"]));
    let half = sign_on(&world, &issuer, one).await.expect(StatusCode::OK);
    assert!(half.body["half"]["token"].is_string());
    let whole = sign_on(&world, &issuer, claims)
        .await
        .expect(StatusCode::OK);
    assert!(whole.body["session"].is_object());
    let demand = async |required| {
        store::tenant::require_second_factor(world.tenant, required, &world.db)
            .await
            .unwrap();
    };
    demand(true).await;
    world.member("bob@acme.example", Role::Administrator).await;
    let with_factor = with(bob(), "amr", json!(["mfa"]));
    let devices = world.path("devices");
    let asked = async |claims: Value| {
        let answer = sign_on(&world, &issuer, claims)
            .await
            .expect(StatusCode::OK);
        let tenant = &answer.body["session"]["tenants"][0];
        let missing = tenant["second_factor_missing"].as_bool().unwrap();
        let caller = session(&world, &answer);
        let again = caller.get("/api/v1/session").await.body;
        assert_eq!(&again["tenants"][0], tenant);
        (missing, caller)
    };
    let (missing, bare) = asked(bob()).await;
    assert!(missing, "it is told what the lists would refuse");
    bare.get(&devices).await.expect(StatusCode::FORBIDDEN);
    let (missing, caller) = asked(with_factor).await;
    assert!(!missing);
    caller.get(&devices).await.expect(StatusCode::OK);

    let key = json!({"name": "Program", "scopes": ["devices:read"]});
    let key = caller.post(&world.path("api-keys"), key).await;
    let key = key.expect(StatusCode::CREATED).body["key"].clone();
    let program = Caller::device(&world.base, key.as_str().unwrap());
    program.get(&devices).await.expect(StatusCode::OK);
    // The owner has none and could not come to it.
    demand(false).await;
    set(&world, input(&issuer)).await.expect(StatusCode::OK);
    demand(true).await;
    caller.get(&devices).await.expect(StatusCode::UNAUTHORIZED);
    let refused = program.get(&devices).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(refused.body["type"], "second-factor-required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_under_way_ends_with_its_provider() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    let (tenant, db, runtime) = (world.tenant, world.db.clone(), Handle::current());
    issuer.conduct(|conduct| {
        conduct.forge = Arc::new(move |claims, key| {
            // Between the settings that were read and the session that would begin.
            let gone = store::sign_on::delete_settings(tenant, &db);
            block_in_place(|| runtime.block_on(gone)).unwrap();
            key.sign(&claims)
        });
    });
    refused(sign_on(&world, &issuer, bob()).await, "lost");
}

#[tokio::test]
async fn all_but_owners_may_be_asked_to_come_through_the_provider() {
    let (world, issuer) = ground().await;
    let bob_by_password = world.member("bob@acme.example", Role::Administrator).await;
    let required = with(input(&issuer), "password_allowed", false.into());
    let early = set(&world, required.clone())
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(early.body["errors"][0]["field"], "password_allowed");
    sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
    let key = json!({"name": "Program", "scopes": ["devices:read"]});
    let key = bob_by_password.post(&world.path("api-keys"), key).await;
    let key = key.expect(StatusCode::CREATED).body["key"]
        .as_str()
        .unwrap()
        .to_owned();
    set(&world, required).await.expect(StatusCode::OK);

    let devices = world.path("devices");
    let refused = bob_by_password
        .get(&devices)
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(refused.body["type"], "sign-on-required");
    let shown = bob_by_password.get("/api/v1/session").await.body;
    assert_eq!(shown["tenants"][0]["sign_on_missing"], true);
    let answer = sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
    assert_eq!(
        answer.body["session"]["tenants"][0]["sign_on_missing"],
        false
    );
    session(&world, &answer)
        .get(&devices)
        .await
        .expect(StatusCode::OK);
    Caller::device(&world.base, &key)
        .get(&devices)
        .await
        .expect(StatusCode::OK);
    world.owner.get(&devices).await.expect(StatusCode::OK);

    let path = world.path("settings/sign-on");
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    bob_by_password.get(&devices).await.expect(StatusCode::OK);
    session(&world, &answer)
        .get(&devices)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn somebody_proves_anew_at_the_provider_who_they_are() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::Owner).await;
    world.member("ann@acme.example", Role::Owner).await;
    let old = with(
        bob(),
        "auth_time",
        (crate::world::now().unix_timestamp() - 3600).into(),
    );
    let answer = sign_on(&world, &issuer, old.clone())
        .await
        .expect(StatusCode::OK);
    let caller = session(&world, &answer);
    let matters = async || {
        caller
            .put(
                &world.path("settings/security"),
                json!({"second_factor_required": false}),
            )
            .await
    };
    let refused_first = matters().await.expect(StatusCode::FORBIDDEN);
    assert_eq!(
        refused_first.body["type"], "confirmation-required",
        "the provider remembered them"
    );
    let confirm = async |claims: &Value| {
        let begun = caller
            .post(
                "/api/v1/session/sign-on/confirmation",
                json!({"next": "/t/acme/team"}),
            )
            .await;
        let begun = begun.expect(StatusCode::OK);
        let address = begun.body["address"].as_str().unwrap();
        assert!(
            address.contains("prompt=login") && address.contains("max_age=0"),
            "{address}"
        );
        let (state, code) = issuer.approve(address, claims);
        let cookies = format!(
            "tandem_sign_on={}; tandem_session={}",
            begun.cookie("tandem_sign_on"),
            caller.session.as_deref().unwrap()
        );
        complete(&world, &cookies, json!({"state": state, "code": code})).await
    };
    refused(confirm(&old).await, "too_old");
    let ann = json!({"sub": "s-ann", "email": "ann@acme.example", "email_verified": true});
    refused(confirm(&ann).await, "other_person");
    matters().await.expect(StatusCode::FORBIDDEN);
    let confirmed = confirm(&bob()).await.expect(StatusCode::OK);
    assert_eq!(confirmed.body["next"], "/t/acme/team");
    matters().await.expect(StatusCode::OK);
    let lifetime = store::session::SessionLifetime {
        absolute: time::Duration::hours(1),
        idle: time::Duration::hours(1),
    };
    let token = caller.session.as_deref().unwrap();
    let earlier = with(
        bob(),
        "auth_time",
        (crate::world::now().unix_timestamp() - 100).into(),
    );
    confirm(&earlier).await.expect(StatusCode::OK);
    let found = store::session::find(token, &lifetime, crate::world::now(), &world.db).await;
    let at = found.unwrap().unwrap().confirmed_at.unwrap();
    assert_eq!(
        at.unix_timestamp(),
        earlier["auth_time"].as_i64().unwrap(),
        "it counts from when they proved it"
    );
    let own = world
        .owner
        .post("/api/v1/session/sign-on/confirmation", json!({}))
        .await;
    refused(own, "turned_off");
}

#[tokio::test]
async fn a_confirmation_asks_for_as_much_as_the_sign_in() {
    let (world, issuer) = ground().await;
    let own = settled(&world, "ada@acme.example").await;
    let found = store::user::find_by_email("ada@acme.example", &world.db).await;
    let (tenant, user) = (world.tenant, found.unwrap().unwrap().0.id);
    store::membership::insert(tenant, user, Role::Owner, crate::world::now(), &world.db)
        .await
        .unwrap();
    let (_, codes) = second_factor::turn_on(&own).await;
    let ada = json!({"sub": "s-ada", "email": "ada@acme.example", "email_verified": true});
    sign_on(&world, &issuer, ada.clone())
        .await
        .expect(StatusCode::OK);
    let caller = world.vouched_since("ada@acme.example", 11).await;
    let matters = async |caller: &Caller| {
        let path = world.path("settings/security");
        caller
            .put(&path, json!({"second_factor_required": false}))
            .await
    };
    let confirmation = "/api/v1/session/sign-on/confirmation";
    let begun = caller.post(confirmation, json!({"next": "/t/acme"})).await;
    let begun = begun.expect(StatusCode::OK);
    let address = begun.body["address"].as_str().unwrap();
    let (state, code) = issuer.approve(address, &ada);
    let cookies = format!(
        "tandem_sign_on={}; tandem_session={}",
        begun.cookie("tandem_sign_on"),
        caller.session.as_deref().unwrap()
    );
    let answer = complete(&world, &cookies, json!({"state": state, "code": code})).await;
    let half = answer.expect(StatusCode::OK).body["half"]["token"].clone();
    matters(&caller).await.expect(StatusCode::FORBIDDEN);
    let step = json!({"token": half, "code": codes[0]});
    let cookies = [("cookie", cookies.as_str())];
    let path = "/api/v1/session/second-step";
    let nobody = world.nobody();
    let answer = nobody.send(Method::POST, path, Some(step), &cookies).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.body["sign_on"]["provider"], "Acme login");
    let anew = session(&world, &answer);
    matters(&anew).await.expect(StatusCode::OK);
    caller
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn providers_are_found_by_tenant_and_by_domain() {
    let (world, _issuer) = ground().await;
    let found = async |name: &str| {
        let answer = world
            .nobody()
            .post("/api/v1/session/sign-on/lookup", json!({"name": name}))
            .await;
        answer.expect(StatusCode::OK).body["items"].clone()
    };
    let expected = json!([{"tenant": "acme", "tenant_name": "Acme", "provider": "Acme login", "host": "127.0.0.1"}]);
    for name in ["acme", " Acme ", "anybody@acme.example", "a@ACME.example"] {
        assert_eq!(found(name).await, expected, "{name}");
    }
    for name in [
        "nowhere",
        "a@nowhere.example",
        "acme.example",
        "a@sub.acme.example",
    ] {
        assert_eq!(found(name).await, json!([]), "{name}");
    }
}

#[tokio::test]
async fn settings_keep_their_secret_and_domains_their_tenant() {
    let (world, issuer) = ground().await;
    let path = world.path("settings/sign-on");
    let shown = world.owner.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown.body["provider"]["has_client_secret"], true);
    assert_eq!(
        shown.body["redirect_address"],
        format!("{}/signed-on", world.base)
    );
    assert!(!shown.text().contains(SECRET));
    let mut kept = input(&issuer);
    kept.as_object_mut().unwrap().remove("client_secret");
    let answer = set(&world, kept.clone()).await.expect(StatusCode::OK);
    assert_eq!(answer.body["provider"]["has_client_secret"], true);
    assert!(
        !world
            .owner
            .get(&world.path("audit"))
            .await
            .text()
            .contains(SECRET)
    );
    let moved = with(kept.clone(), "client_id", "another".into());
    let answer = set(&world, moved).await.expect(StatusCode::OK);
    assert_eq!(answer.body["provider"]["has_client_secret"], false);
    let stale = world
        .owner
        .send(
            Method::PUT,
            &path,
            Some(kept.clone()),
            &[("if-match", "\"1\"")],
        )
        .await;
    stale.expect(StatusCode::PRECONDITION_FAILED);

    for (field, value, wrong) in [
        ("name", json!(""), "name"),
        ("issuer", json!("http://login.example"), "issuer"),
        ("issuer", json!("https://login.example/?a=b"), "issuer"),
        ("client_id", json!(""), "client_id"),
        ("domains", json!([]), "domains"),
        ("domains", json!(["localhost"]), "domains"),
        ("domains", json!(["acme.example", "192.0.2.1"]), "domains"),
    ] {
        let answer = set(&world, with(kept.clone(), field, value)).await;
        assert_eq!(answer.wrong_fields(), [wrong]);
    }
    let boss = world.member("boss@umbrella.example", Role::Owner).await;
    let by_boss = async |domains: Value| {
        boss.put(&path, with(kept.clone(), "domains", domains))
            .await
    };
    for foreign in ["gmail.com", "others.example", "sub.umbrella.example"] {
        let answer = by_boss(json!([foreign])).await;
        assert_eq!(answer.wrong_fields(), ["domains"], "{foreign}");
    }
    by_boss(json!(["acme.example", "Umbrella.example"]))
        .await
        .expect(StatusCode::OK);
    let other = world.tenant_named("Other", &world.owner).await;
    let theirs = format!("/api/v1/tenants/{other}/settings/sign-on");
    let taken = world
        .owner
        .put(&theirs, kept)
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(taken.body["errors"][0]["field"], "domains");
}

#[tokio::test]
async fn a_trial_tells_what_is_wrong_first() {
    let (world, issuer) = ground().await;
    let try_out = async |field: &str, value: Value| {
        let input = json!({"issuer": issuer.base, "client_id": CLIENT, "client_secret": SECRET});
        let path = world.path("settings/sign-on/test");
        let answer = world.owner.post(&path, with(input, field, value)).await;
        let body = answer.expect(StatusCode::OK).body;
        let last = body["steps"].as_array().unwrap().last().unwrap().clone();
        let text = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
        (
            body["good"].as_bool().unwrap(),
            text("step"),
            text("reason"),
        )
    };
    let outcome = |good, step: &str, reason: &str| (good, step.to_owned(), reason.to_owned());
    let base = issuer.base.clone();
    assert_eq!(
        try_out("issuer", json!(base)).await,
        outcome(true, "client", "")
    );
    assert_eq!(
        try_out("client_secret", Value::Null).await,
        outcome(true, "client", ""),
        "the stored one"
    );
    assert_eq!(
        try_out("client_secret", json!("wrong")).await,
        outcome(false, "client", "client_refused")
    );
    assert_eq!(
        try_out("issuer", json!(format!("{base}/"))).await,
        outcome(false, "issuer", "other_issuer")
    );
    assert_eq!(
        try_out("issuer", json!(format!("{base}/a"))).await,
        outcome(false, "description", "status")
    );
    assert_eq!(
        try_out("issuer", json!("https://10.0.0.1")).await,
        outcome(false, "description", "forbidden_host")
    );
    assert_eq!(
        try_out("issuer", json!("http://127.0.0.1:1")).await,
        outcome(false, "description", "unreachable")
    );
    let describe = |description: Value| issuer.conduct(|conduct| conduct.description = description);
    for (description, step, reason) in [
        (
            json!({"token_endpoint": "http://evil.example/t"}),
            "endpoints",
            "not_https",
        ),
        (
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            "endpoints",
            "not_https",
        ),
        (
            json!({"token_endpoint": "https://192.168.0.1/t"}),
            "client",
            "forbidden_host",
        ),
        (
            json!({"id_token_signing_alg_values_supported": ["HS256", "none"]}),
            "keys",
            "no_keys",
        ),
        (
            json!({"jwks_uri": format!("{base}/nowhere")}),
            "keys",
            "status",
        ),
        (json!({"jwks_uri": null}), "description", "unreadable"),
    ] {
        describe(description.clone());
        assert_eq!(
            try_out("issuer", json!(base)).await,
            outcome(false, step, reason),
            "{description}"
        );
    }
    describe(json!({}));
    issuer.conduct(|conduct| conduct.in_its_place = Some(redirecting));
    assert_eq!(
        try_out("issuer", json!(base)).await,
        outcome(false, "description", "status"),
        "redirects are not followed"
    );
    issuer.conduct(|conduct| {
        conduct.in_its_place = Some(|| axum::response::IntoResponse::into_response("<html>"));
    });
    assert_eq!(
        try_out("issuer", json!(base)).await,
        outcome(false, "description", "unreadable")
    );
    let large = || axum::response::IntoResponse::into_response("x".repeat(300_000));
    issuer.conduct(|conduct| conduct.in_its_place = Some(large));
    assert_eq!(
        try_out("issuer", json!(base)).await,
        outcome(false, "description", "unreadable")
    );
}

#[tokio::test]
async fn private_networks_are_not_reached_unless_it_is_allowed() {
    let world = World::start().await;
    let issuer = Issuer::start().await;
    set(&world, input(&issuer)).await.expect(StatusCode::OK);
    let begun = world.nobody().post(BEGIN, json!({"tenant": "acme"})).await;
    refused(begun, "forbidden_host");
}

#[tokio::test]
async fn who_begins_many_sign_ins_keeps_nobody_out() {
    let (world, issuer) = ground().await;
    world.member("bob@acme.example", Role::ReadOnly).await;
    // More than the provider is asked for its description.
    for _ in 0..120 {
        begin(&world).await;
    }
    sign_on(&world, &issuer, bob()).await.expect(StatusCode::OK);
}
