//! What every conversation needs: the server, our phone and somebody else's, both registered.

use serde_json::{Value, json};
use tests::{Phone, Server, Tenant, Trust, text_of, until, write_tone};

use crate::kamailio::{self, Kamailio};
use crate::peer::{Carrier, Encryption, Identity, Peer};
use crate::relay::Relay;

/// The tone that our phone says, in hertz.
pub(crate) const OURS_HZ: f64 = 1_000.0;

/// Our phone's number.
pub(crate) const OURS: &str = "1001";

/// The other phone's number.
pub(crate) const THEIRS: &str = "3001";

const PASSWORD: &str = "a-secret-of-theirs";

/// Whose registrar the phones are at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registrar {
    /// Ours.
    Tandem,
    /// Ours, and every message goes through a Kamailio in front of it.
    TandemBehindKamailio,
    /// Kamailio; our server has nothing to do with it.
    Kamailio,
}

/// The server, and where the phones have accounts.
pub(crate) struct Stage {
    pub(crate) server: Server,
    /// Where accounts at our own registrar are.
    own: Tenant,
    /// Where the phones' accounts are.
    tenant: Tenant,
    /// Where the other phone's requests go.
    proxy: String,
    registrar: Registrar,
    carrier: Carrier,
    trust: Option<Trust>,
    /// How the other phone secures its sound.
    encryption: Option<Encryption>,
    /// Between an edge proxy and our server, over TCP.
    relay: Option<Relay>,
    _kamailio: Option<Kamailio>,
}

impl Stage {
    pub(crate) async fn new(registrar: Registrar, carrier: Carrier) -> Self {
        let trust = (carrier == Carrier::Tls)
            .then(|| Trust::new(&["acme.tandem.localhost", kamailio::DOMAIN]));
        let server = match &trust {
            Some(trust) => Server::start_with_tls(&trust.certificate).await,
            None => Server::start().await,
        };
        let own = server.administrator().await.tenant("acme").await;
        let sip = match carrier {
            Carrier::Udp | Carrier::Tcp => server.sip.clone(),
            Carrier::Tls => server.sip_tls.clone().expect("the server speaks TLS"),
        };
        let relay = match (registrar, carrier) {
            (Registrar::TandemBehindKamailio, Carrier::Tcp) => Some(Relay::to(&sip).await),
            _ => None,
        };
        let kamailio = match registrar {
            Registrar::Tandem => None,
            Registrar::TandemBehindKamailio => {
                let server = relay.as_ref().map_or(&sip, |relay| &relay.address);
                let server = format!("{server};transport={}", carrier.name());
                Some(Kamailio::edge(&server, trust.as_ref()).await)
            }
            Registrar::Kamailio => Some(Kamailio::registrar(PASSWORD, trust.as_ref()).await),
        };
        let domain = match registrar {
            Registrar::Kamailio => kamailio::DOMAIN,
            _ => &own.domain,
        };
        let (tenant, proxy) = match &kamailio {
            None => (own.clone(), sip),
            Some(kamailio) => {
                let proxy = kamailio.address(carrier).to_owned();
                let outbound = format!("sip:{proxy};transport={};lr", carrier.name());
                (own.elsewhere(domain, &outbound).await, proxy)
            }
        };
        Self {
            server,
            own,
            tenant,
            proxy,
            registrar,
            carrier,
            trust,
            encryption: None,
            relay,
            _kamailio: kamailio,
        }
    }

    /// At our registrar, with phones of others that secure their sound.
    pub(crate) async fn secured(carrier: Carrier, encryption: Encryption) -> Self {
        Self {
            encryption: Some(encryption),
            ..Self::new(Registrar::Tandem, carrier).await
        }
    }

    /// What our phone must say of the sound of a call with the other one.
    pub(crate) fn assert_security(&self, call: &Value) {
        let security = &call["security"];
        let (by, lock) = match self.encryption {
            None => {
                assert!(security.is_null(), "{call}");
                return;
            }
            Some(Encryption::Sdes | Encryption::SdesOnly) => ("sdes", self.carrier == Carrier::Tls),
            Some(Encryption::Dtls) => ("dtls", true),
        };
        assert_eq!(security["by"], by, "{call}");
        assert_eq!(security["lock"], lock, "{call}");
    }

    /// The edge proxy loses its connections to our server, as when a firewall forgets them.
    pub(crate) async fn cut_edge_off(&self) {
        let relay = self.relay.as_ref();
        relay.expect("an edge proxy over TCP").cut().await;
    }

    /// Our phone, registered; it says its tone and writes what it hears into `heard.wav`.
    pub(crate) async fn our_phone(&self, number: &str) -> Phone {
        if self.registrar == Registrar::TandemBehindKamailio {
            self.own.account(number, PASSWORD).await;
        }
        let fields = json!({"transport": self.carrier.name(), "password": PASSWORD});
        let account = self.tenant.account_with(number, fields).await;
        let device = self.tenant.device_on(number, &account).await;
        let mut phone = Phone::new();
        phone.activate(&self.server.portal_url, &device.code).await;
        write_tone(&phone.file("says.wav"), OURS_HZ, 60.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        let mut arguments = vec!["--play", text_of(&says), "--record", text_of(&heard)];
        if let Some(trust) = &self.trust {
            arguments.extend(["--sip-authorities", text_of(&trust.authority)]);
        }
        if self.encryption == Some(Encryption::Dtls) {
            arguments.extend(["--secure-by", "dtls"]);
        }
        if self.encryption.is_some() {
            arguments.extend(["--secure-sound", "required"]);
        }
        phone.run(&arguments).await;
        phone
    }

    /// Who the other phone is, with an account to register.
    pub(crate) async fn identity(&self, number: &str) -> Identity {
        self.own.account(number, PASSWORD).await;
        Identity {
            user: number.to_owned(),
            password: PASSWORD.to_owned(),
            domain: self.tenant.domain.clone(),
            proxy: self.proxy.clone(),
            carrier: self.carrier,
            authority: self.trust.as_ref().map(|trust| trust.authority.clone()),
            codec: self.codec(),
            expires_secs: 300,
            encryption: self.encryption,
            stereo: None,
        }
    }

    /// The other phone, registered.
    pub(crate) async fn their_phone<P: Peer>(&self, number: &str) -> P {
        let peer = P::start(self.identity(number).await).await;
        until("the other phone registers", async || peer.is_registered()).await;
        peer
    }

    /// The codec of the other phone: each transport has another, so that both are tried.
    pub(crate) fn codec(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp | Carrier::Tls => "opus",
            Carrier::Tcp => "PCMU",
        }
    }

    /// The SIP address of a number.
    pub(crate) fn address(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.tenant.domain)
    }
}
