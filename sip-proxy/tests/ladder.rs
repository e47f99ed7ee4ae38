//! A real call between two phones over UDP, and what the proxy's owner then sees of it.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sip::{EndpointConfig, HostPort, Private, Transport};
use sip_io::Listeners;
use sip_proxy::{
    Algorithm, CallingPolicy, Control, DialPlans, Durability, GuessingPolicy, MoreListeners,
    Service, ServiceConfig, TraceDirection, TracePolicy, TrustedNetworks,
};
use softphone_core::{
    Action, CallId, Command, Event, LineConfig, LineId, LineStatus, LocalAddress, Phase, Phone,
    PhoneConfig, ReplyId,
};
use store::account::AccountFields;
use store::tenant::{NewTenant, Tenant};
use store::user::NewUser;
use store::{Database, Secret, StoreConfig, Vault};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const DOMAIN: &str = "acme.test";
const PASSWORD: &str = "correct horse battery staple";

/// A phone that answers every question for ports and has its events read by the test.
struct Handset {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    port: u16,
}

impl Handset {
    fn start(user: &str, proxy: &HostPort, stop: &CancellationToken) -> Self {
        let bound = Listeners::on((Ipv4Addr::LOCALHOST, 0).into())
            .bind()
            .unwrap();
        let local = bound.udp_addresses()[0];
        let endpoint = EndpointConfig {
            advertised: vec![(Transport::Udp, HostPort::from(local))],
            ..EndpointConfig::default()
        };
        let phone = Phone::new(PhoneConfig { endpoint }, rand::random());
        let (commands, inbox) = mpsc::channel(16);
        let (outbox, events) = mpsc::channel(256);
        let stop = stop.clone();
        tokio::spawn(sip_io::run(phone, bound, inbox, outbox, stop));
        let handset = Self {
            commands,
            events,
            port: local.port(),
        };
        handset.act(Action::Configure(vec![LineConfig {
            dialing_rules: Vec::new(),
            id: LineId(1),
            name: user.to_owned(),
            display_name: None,
            username: user.to_owned(),
            domain: DOMAIN.parse().unwrap(),
            auth_username: user.to_owned(),
            password: Some(Private(PASSWORD.to_owned())),
            transport: Transport::Udp,
            outbound_proxy: Some(format!("sip:{proxy};lr").parse().unwrap()),
            formats: sdp::LocalMedia::audio(local).formats,
            security: sdp::LocalSecurity::default(),
            instance: format!("urn:uuid:00000000-0000-4000-8000-00000000{user}"),
            local: LocalAddress {
                ip: IpAddr::from(Ipv4Addr::LOCALHOST),
                port: local.port(),
            },
        }]));
        handset
    }

    fn act(&self, action: Action) {
        let reply = ReplyId(1);
        self.commands.try_send(Command { reply, action }).unwrap();
    }

    /// Waits for the first event of which `wanted` makes something.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Event::OpenMedia { call, .. } = &event {
                    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
                    self.act(Action::MediaOpened { call: *call, local });
                }
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .expect("the phone tells it in time")
    }

    async fn is_connected(&mut self) {
        self.until(|event| match event {
            Event::Line(line) => matches!(line.status, LineStatus::Connected { .. }).then_some(()),
            _ => None,
        })
        .await;
    }

    async fn call_is(&mut self, phase: Phase) -> CallId {
        self.until(|event| match event {
            Event::Call(call) if call.phase == phase => Some(call.id),
            _ => None,
        })
        .await
    }

    async fn call_is_over(&mut self) {
        let ended = |event: &Event| matches!(event, Event::CallEnded(_)).then_some(());
        self.until(ended).await;
    }
}

struct Ground {
    control: Arc<Control>,
    proxy: HostPort,
    tenant: Tenant,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

async fn serve(trace: Option<TracePolicy>) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite:{}?mode=rwc",
        folder.path().join("tandem.db").display()
    );
    let db = store::connect(&url, &StoreConfig::default()).await.unwrap();
    let vault = Vault::open_or_create(&folder.path().join("master.key")).unwrap();
    let tenant = new_tenant(&vault, &db).await;
    let service = Service::bind(ServiceConfig {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        more: MoreListeners::default(),
        shards: std::num::NonZeroUsize::MIN,
        segments: true,
        algorithms: vec![Algorithm::Md5],
        durability: Durability::MemoryFirst,
        trusted: TrustedNetworks::default(),
        guessing: GuessingPolicy::default(),
        calling: CallingPolicy::default(),
        numbers: DialPlans::default(),
        trace,
        public_host: None,
        provider_authorities: sip_proxy::Authorities::System,
        may_reach: sip_proxy::Reach::everywhere(),
    })
    .await
    .unwrap();
    let proxy = service.advertised().clone();
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let started = service.start(vault, db, stop.clone(), &mut tasks);
    Ground {
        control: started.await.unwrap(),
        proxy,
        tenant,
        stop,
        tasks,
        _folder: folder,
    }
}

async fn new_tenant(vault: &Vault, db: &Database) -> Tenant {
    let now = OffsetDateTime::now_utc();
    let user = NewUser {
        email: "ada@example.org",
        first_name: "Ada",
        last_name: "Byron",
        installation_administrator: false,
        password_phc: &Secret::new("$argon2id$"),
    };
    let user = store::user::insert(&user, now, db).await.unwrap();
    let new = NewTenant {
        slug: "acme",
        name: "Acme",
        sip_domain: DOMAIN,
        demonstration: false,
        owner: user.id,
    };
    let tenant = store::tenant::insert(&new, now, db).await.unwrap();
    let provider = store::provider::load_own(tenant.id, db).await.unwrap();
    for user in ["1001", "1002"] {
        let fields = AccountFields {
            dialing_rules: Vec::new(),
            provider_id: provider.id,
            name: user.to_owned(),
            username: user.to_owned(),
            auth_username: None,
            enter_on_device: false,
            transport: None,
            display_name: None,
            codecs: Vec::new(),
            push: false,
        };
        let password = Secret::new(PASSWORD.to_owned());
        store::account::insert(tenant.id, &fields, Some(&password), vault, now, db)
            .await
            .unwrap();
    }
    tenant
}

/// 1001 calls 1002, who answers; after that 1002 hangs up.
async fn call(ground: &Ground) -> (u16, u16) {
    let mut caller = Handset::start("1001", &ground.proxy, &ground.stop);
    let mut callee = Handset::start("1002", &ground.proxy, &ground.stop);
    caller.is_connected().await;
    callee.is_connected().await;
    caller.act(Action::Call {
        line: None,
        target: Private("1002".to_owned()),
    });
    caller.call_is(Phase::Dialing).await;
    callee.call_is(Phase::Ringing).await;
    callee.act(Action::Answer(None));
    caller.call_is(Phase::Connected).await;
    let tenant = ground.tenant.id.as_u128();
    let during = ground.control.recent_calls(tenant, 10).await.unwrap();
    assert!(during.iter().all(|call| call.ended.is_none()));
    callee.act(Action::HangUp(None));
    caller.call_is_over().await;
    callee.call_is_over().await;
    (caller.port, callee.port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_between_two_phones_is_a_ladder_of_both_legs_without_secrets() {
    let started = OffsetDateTime::now_utc();
    let mut ground = serve(Some(TracePolicy::default())).await;
    let (caller, callee) = call(&ground).await;
    let tenant = ground.tenant.id.as_u128();
    let calls = ground.control.recent_calls(tenant, 10).await.unwrap();
    let [recent] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(recent.owner.tenant, tenant);
    assert_eq!(recent.call_ids.len(), 2, "{recent:?}");
    assert!(recent.began >= started && recent.ended.unwrap() >= recent.began);
    let leg = &recent.call_ids[1];
    let ladder = ground.control.ladder(tenant, leg).await.unwrap().unwrap();
    let said: Vec<_> = ladder
        .messages
        .iter()
        .map(|message| {
            (
                message.direction,
                message.peer.port(),
                message.method.as_str(),
            )
        })
        .collect();
    let (received, sent) = (TraceDirection::Received, TraceDirection::Sent);
    for step in [
        (received, caller, "INVITE"),
        (sent, callee, "INVITE"),
        (received, callee, "INVITE"),
        (sent, caller, "INVITE"),
        (received, caller, "ACK"),
        (sent, callee, "ACK"),
        (received, callee, "BYE"),
        (sent, caller, "BYE"),
    ] {
        assert!(said.contains(&step), "{step:?} in {said:?}");
    }
    assert!(ladder.messages.is_sorted_by_key(|message| message.at));
    let texts: String = ladder
        .messages
        .iter()
        .map(|message| message.text.0.as_str())
        .collect();
    assert!(texts.contains("Proxy-Authorization: Digest ***"), "{texts}");
    assert!(!texts.contains("response="), "{texts}");
    // Nobody else's business.
    let other = ground.control.ladder(tenant + 1, leg).await.unwrap();
    assert_eq!(other, None);
    ground.stop.cancel();
    while ground.tasks.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nothing_is_kept() {
    let mut ground = serve(None).await;
    call(&ground).await;
    let tenant = ground.tenant.id.as_u128();
    let calls = ground.control.recent_calls(tenant, 10).await.unwrap();
    assert_eq!(calls, []);
    ground.stop.cancel();
    while ground.tasks.join_next().await.is_some() {}
}
