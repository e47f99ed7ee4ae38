//! The whole proxy in two shards: each of two tenants belongs to another, and their phones call across.

#![expect(clippy::unwrap_used, reason = "what a test unwraps it has made itself")]

mod phone;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use sip::{Method, Transport};
use sip_proxy::{
    Algorithm, CallingPolicy, Control, DialPlans, Durability, GuessingPolicy, MoreListeners,
    Service, ServiceConfig, TrustedNetworks,
};
use sip_proxy_core::Share;
use store::account::Imported;
use store::tenant::NewTenant;
use store::user::NewUser;
use store::{Database, Secret, StoreConfig, Vault};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use phone::{Dialog, Phone};

const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7002 RTP/AVP 0\r\n";
const OTHER: &str = "v=0\r\no=c 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7004 RTP/AVP 0\r\n";

fn shards() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

/// A domain that belongs to this shard.
fn domain_of(shard: usize) -> String {
    let share = Share::all(shards()).nth(shard).unwrap();
    let mut domains = (0..).map(|number| format!("tenant-{number}.test"));
    domains.find(|domain| share.owns(domain)).unwrap()
}

struct World {
    proxy: SocketAddr,
    control: Arc<Control>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = store::connect(&url, &StoreConfig::default()).await.unwrap();
        let vault = Vault::open_or_create(&folder.path().join("key")).unwrap();
        for shard in 0..2 {
            make_tenant(shard, &vault, &db).await;
        }
        let service = Service::bind(ServiceConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            more: MoreListeners::default(),
            shards: shards(),
            segments: true,
            algorithms: vec![Algorithm::Md5],
            durability: Durability::Durable,
            trusted: TrustedNetworks::default(),
            guessing: GuessingPolicy::default(),
            calling: CallingPolicy::default(),
            numbers: DialPlans::default(),
            trace: None,
            public_host: None,
            provider_authorities: sip_proxy::Authorities::System,
            may_reach: sip_proxy::Reach::everywhere(),
        })
        .await
        .unwrap();
        let proxy = service.advertised().to_string().parse().unwrap();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let control = service
            .start(vault, db, stop.clone(), &mut tasks)
            .await
            .unwrap();
        Self {
            proxy,
            control,
            stop,
            tasks,
            _folder: folder,
        }
    }

    /// A registered phone of this user of this shard's tenant.
    async fn phone(&self, transport: Transport, user: &str, shard: usize) -> Phone {
        let mut phone = Phone::connect(transport, self.proxy, (user, &domain_of(shard))).await;
        phone.register().await;
        phone
    }

    async fn end(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn make_tenant(shard: usize, vault: &Vault, db: &Database) {
    let now = OffsetDateTime::now_utc();
    let (email, slug) = (format!("owner-{shard}@test"), format!("tenant-{shard}"));
    let owner = NewUser {
        email: &email,
        first_name: "A",
        last_name: "B",
        installation_administrator: false,
        password_phc: &Secret::new("none"),
    };
    let owner = store::user::insert(&owner, now, db).await.unwrap();
    let tenant = NewTenant {
        slug: &slug,
        name: &slug,
        sip_domain: &domain_of(shard),
        demonstration: false,
        owner: owner.id,
    };
    let tenant = store::tenant::insert(&tenant, now, db).await.unwrap();
    let accounts: Vec<_> = ["1001", "1002"]
        .map(|user| Imported {
            username: user.to_owned(),
            password: Secret::new(format!("secret-{user}")),
        })
        .into();
    store::account::import(tenant.id, &accounts, vault, now, db)
        .await
        .unwrap();
}

/// A call of `caller` to `callee` that is answered: both ends of it.
async fn call(caller: &mut Phone, callee: &mut Phone, body: &'static str) -> (Dialog, Dialog) {
    let uri = callee.aor();
    let invited = async {
        let invite = callee.request(Method::INVITE).await;
        let theirs = callee.answer(&invite, Some(body)).await;
        callee.request(Method::ACK).await;
        theirs
    };
    let calling = async {
        let answer = caller.ask(Method::INVITE, &uri, Some(OFFER)).await;
        assert_eq!(answer.status.code(), 200, "{answer:?}");
        let own = Dialog::of_caller(&answer);
        caller.say(&own, &Method::ACK, 2, "").await;
        own
    };
    tokio::join!(calling, invited)
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_of_different_shards_call_each_other_over_every_transport_and_either_hangs_up() {
    let world = World::start().await;
    for (first, second) in [
        (Transport::Udp, Transport::Udp),
        (Transport::Tcp, Transport::Udp),
        (Transport::Udp, Transport::Tcp),
        (Transport::Tcp, Transport::Tcp),
    ] {
        let mut alice = world.phone(first, "1001", 0).await;
        let mut bob = world.phone(second, "1001", 1).await;
        let registrations = world.control.counts().await.unwrap().bindings;
        assert!(registrations >= 2, "{registrations}");

        let (own, _) = call(&mut alice, &mut bob, ANSWER).await;
        alice.say(&own, &Method::BYE, 3, "").await;
        assert_eq!(alice.response(&Method::BYE).await.status.code(), 200);
        let bye = bob.request(Method::BYE).await;
        bob.answer(&bye, None).await;

        let (_, theirs) = call(&mut bob, &mut alice, ANSWER).await;
        alice.say(&theirs, &Method::BYE, 1, "").await;
        assert_eq!(alice.response(&Method::BYE).await.status.code(), 200);
        let bye = bob.request(Method::BYE).await;
        bob.answer(&bye, None).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_transfers_a_phone_of_another_shard_to_one_of_his_own() {
    let world = World::start().await;
    let mut alice = world.phone(Transport::Udp, "1001", 0).await;
    let mut carol = world.phone(Transport::Tcp, "1002", 0).await;
    let mut bob = world.phone(Transport::Udp, "1001", 1).await;
    let (with_bob, _) = call(&mut alice, &mut bob, ANSWER).await;
    let (with_carol, _) = call(&mut alice, &mut carol, OTHER).await;
    let refer_to = format!(
        "Refer-To: <{}?Replaces={}>\r\n",
        carol.aor(),
        with_carol.replaces()
    );
    alice.say(&with_bob, &Method::REFER, 3, &refer_to).await;
    assert_eq!(alice.response(&Method::REFER).await.status.code(), 202);
    let asked = carol.request(Method::INVITE).await;
    carol.answer(&asked, Some(OTHER)).await;
    let moved = bob.request(Method::INVITE).await;
    let offered = String::from_utf8(moved.body().to_vec()).unwrap();
    assert!(offered.contains("m=audio 7004"), "{offered}");
    bob.answer(&moved, Some(ANSWER)).await;
    carol.request(Method::ACK).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_transfers_the_other_to_a_phone_of_another_shard() {
    let world = World::start().await;
    let mut alice = world.phone(Transport::Udp, "1001", 0).await;
    let mut bob = world.phone(Transport::Tcp, "1001", 1).await;
    let mut dave = world.phone(Transport::Udp, "1002", 1).await;
    let refer_to = format!("Refer-To: <{}>\r\n", dave.aor());
    // The call is of alice's shard, dave of the other one.
    for alice_refers in [true, false] {
        let (hers, his) = call(&mut alice, &mut bob, ANSWER).await;
        let (referrer, dialog, cseq, remaining) = match alice_refers {
            true => (&mut alice, &hers, 3, &mut bob),
            false => (&mut bob, &his, 1, &mut alice),
        };
        referrer.say(dialog, &Method::REFER, cseq, &refer_to).await;
        assert_eq!(referrer.response(&Method::REFER).await.status.code(), 202);
        let asked = dave.request(Method::INVITE).await;
        let daves = dave.answer(&asked, Some(OTHER)).await;
        let moved = remaining.request(Method::INVITE).await;
        let offered = String::from_utf8(moved.body().to_vec()).unwrap();
        assert!(offered.contains("m=audio 7004"), "{offered}");
        remaining.answer(&moved, Some(ANSWER)).await;
        dave.request(Method::ACK).await;
        let bye = referrer.request(Method::BYE).await;
        referrer.answer(&bye, None).await;
        dave.say(&daves, &Method::BYE, 1, "").await;
        assert_eq!(dave.response(&Method::BYE).await.status.code(), 200);
        let bye = remaining.request(Method::BYE).await;
        remaining.answer(&bye, None).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_redirects_a_caller_to_phones_of_another_shard_and_of_his_own() {
    let world = World::start().await;
    let mut alice = world.phone(Transport::Udp, "1001", 0).await;
    let mut carol = world.phone(Transport::Udp, "1002", 0).await;
    let mut bob = world.phone(Transport::Udp, "1001", 1).await;
    let mut dave = world.phone(Transport::Udp, "1002", 1).await;
    let uri = bob.aor();
    let ringing = async {
        let invite = bob.request(Method::INVITE).await;
        bob.refuse(&invite, 302, &[&dave.aor(), &carol.aor()]).await;
        let invite = dave.request(Method::INVITE).await;
        dave.refuse(&invite, 486, &[]).await;
        let invite = carol.request(Method::INVITE).await;
        carol.answer(&invite, Some(ANSWER)).await
    };
    let (answer, _) = tokio::join!(alice.ask(Method::INVITE, &uri, Some(OFFER)), ringing);
    assert_eq!(answer.status.code(), 200, "{answer:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_joins_calls_of_two_shards_is_refused_and_both_calls_stay() {
    let world = World::start().await;
    let mut alice = world.phone(Transport::Udp, "1001", 0).await;
    let mut bob = world.phone(Transport::Udp, "1001", 1).await;
    let mut dave = world.phone(Transport::Udp, "1002", 1).await;
    // Alice's call is her shard's, bob's own call is his.
    let (with_bob, bobs) = call(&mut alice, &mut bob, ANSWER).await;
    let (with_dave, _) = call(&mut bob, &mut dave, OTHER).await;
    let refer_to = format!(
        "Refer-To: <{}?Replaces={}>\r\n",
        dave.aor(),
        with_dave.replaces()
    );
    bob.say(&bobs, &Method::REFER, 1, &refer_to).await;
    assert_eq!(bob.response(&Method::REFER).await.status.code(), 404);
    alice.say(&with_bob, &Method::BYE, 3, "").await;
    assert_eq!(alice.response(&Method::BYE).await.status.code(), 200);
    bob.say(&with_dave, &Method::BYE, 3, "").await;
    assert_eq!(bob.response(&Method::BYE).await.status.code(), 200);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_the_proxy_is_asked_of_every_shard() {
    let world = World::start().await;
    let _phones = [
        world.phone(Transport::Udp, "1001", 0).await,
        world.phone(Transport::Tcp, "1001", 1).await,
        world.phone(Transport::Udp, "1002", 1).await,
    ];
    let control: &dyn api::ProxyControl = &*world.control;
    assert_eq!(control.registrations().await.unwrap().len(), 3);
    assert_eq!(world.control.counts().await.unwrap().bindings, 3);
    assert!(world.control.bans().await.unwrap().is_empty());
    let aor = format!("sip:1002@{}", domain_of(1));
    control.drop_bindings(&aor).await.unwrap();
    assert_eq!(world.control.counts().await.unwrap().bindings, 2);
    world.end().await;
}
