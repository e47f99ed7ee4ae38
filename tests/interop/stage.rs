//! What every conversation needs: the server, our phone and somebody else's, both registered.

use serde_json::json;
use tests::{Phone, Server, Tenant, text_of, until, write_tone};

use crate::kamailio::{self, Kamailio};
use crate::peer::{Carrier, Identity, Peer};

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
    Tandem,
    Kamailio,
}

/// The server, and where the phones have accounts.
pub(crate) struct Stage {
    pub(crate) server: Server,
    tenant: Tenant,
    /// Where the other phone's requests go.
    proxy: String,
    carrier: Carrier,
    _kamailio: Option<Kamailio>,
}

impl Stage {
    pub(crate) async fn new(registrar: Registrar, carrier: Carrier) -> Self {
        let server = Server::start().await;
        let mut tenant = server.administrator().await.tenant("acme").await;
        let mut proxy = server.sip.clone();
        let mut kamailio = None;
        if registrar == Registrar::Kamailio {
            let started = Kamailio::start(PASSWORD).await;
            proxy.clone_from(&started.address);
            let outbound = format!("sip:{proxy};transport={};lr", carrier.name());
            tenant = tenant.elsewhere(kamailio::DOMAIN, &outbound).await;
            kamailio = Some(started);
        }
        Self {
            server,
            tenant,
            proxy,
            carrier,
            _kamailio: kamailio,
        }
    }

    /// Our phone, registered; it says its tone and writes what it hears into `heard.wav`.
    pub(crate) async fn our_phone(&self, number: &str) -> Phone {
        let fields = json!({"transport": self.carrier.name(), "password": PASSWORD});
        let account = self.tenant.account_with(number, fields).await;
        let device = self.tenant.device_on(number, &account).await;
        let mut phone = Phone::new();
        phone.activate(&self.server.portal_url, &device.code).await;
        write_tone(&phone.file("says.wav"), OURS_HZ, 60.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        phone
            .run(&["--play", text_of(&says), "--record", text_of(&heard)])
            .await;
        phone
    }

    /// Who the other phone is, with an account to register.
    pub(crate) async fn identity(&self, number: &str) -> Identity {
        self.tenant.account(number, PASSWORD).await;
        Identity {
            user: number.to_owned(),
            password: PASSWORD.to_owned(),
            domain: self.tenant.domain.clone(),
            proxy: self.proxy.clone(),
            carrier: self.carrier,
            codec: self.codec(),
            expires_secs: 300,
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
            Carrier::Udp => "opus",
            Carrier::Tcp => "PCMU",
        }
    }

    /// The SIP address of a number.
    pub(crate) fn address(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.tenant.domain)
    }
}
