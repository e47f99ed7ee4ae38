//! A fresh database with a tenant, and shorthands to fill it.

use store::account::{self, Account, AccountFields};
use store::contact::{self, Contact, ContactEmail, ContactFields, ContactNumber};
use store::device::{self, Device, DeviceFields};
use store::provider::{self, Provider, ProviderFields};
use store::tenant::{self, NewTenant, Tenant};
use store::user::{self, NewUser, User};
use store::{
    Codec, Database, EmailLabel, PageRequest, Secret, SipTransport, SortColumn, StoreConfig, Vault,
    connect,
};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// When every scenario begins.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 09:00 UTC);

/// So many minutes after the beginning.
pub(crate) fn after_minutes(minutes: i64) -> OffsetDateTime {
    NOW + Duration::minutes(minutes)
}

pub(crate) struct Ground {
    pub(crate) db: Database,
    pub(crate) vault: Vault,
    pub(crate) user: User,
    pub(crate) tenant: Tenant,
    pub(crate) folder: TempDir,
}

/// Makes a test on SQLite of each scenario, and one on PostgreSQL of all of them in turn: where every
/// test is a process of its own, each would start a server of its own.
macro_rules! on_both {
    ($($scenario:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario($crate::ground::Ground::on_sqlite().await).await;
            })+
        }
        mod postgresql {
            #[tokio::test(flavor = "multi_thread")]
            async fn every_scenario_of_this_file_holds() {
                $(if let Some(ground) = $crate::ground::Ground::on_postgresql().await {
                    println!("{}", stringify!($scenario));
                    super::$scenario(ground).await;
                })+
            }
        }
    };
}
pub(crate) use on_both;

impl Ground {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tandem.db").display());
        Self::new(&url, folder).await
    }

    pub(crate) async fn on_postgresql() -> Option<Self> {
        let url = testkit::postgres::database_url()?;
        Some(Self::new(&url, tempfile::tempdir().unwrap()).await)
    }

    async fn new(url: &str, folder: TempDir) -> Self {
        let db = connect(url, &StoreConfig::default()).await.unwrap();
        let vault = Vault::open_or_create(&folder.path().join("master.key")).unwrap();
        let user = new_user("ada@example.org", &db).await;
        let tenant = new_tenant("acme", &user, &db).await;
        Self {
            db,
            vault,
            user,
            tenant,
            folder,
        }
    }

    /// A second tenant, which must never see anything of the first.
    pub(crate) async fn other_tenant(&self) -> Tenant {
        new_tenant("umbrella", &self.user, &self.db).await
    }

    pub(crate) async fn provider(&self, name: &str) -> Provider {
        provider::insert(self.tenant.id, &provider_fields(name), NOW, &self.db)
            .await
            .unwrap()
    }

    pub(crate) async fn own_provider(&self) -> Provider {
        provider::load_own(self.tenant.id, &self.db).await.unwrap()
    }

    /// An account of Tandem's own provider with the password `secret-` and the user name.
    pub(crate) async fn account(&self, username: &str) -> Account {
        let fields = account_fields(self.own_provider().await.id, username);
        self.account_of(self.tenant.id, &fields).await
    }

    pub(crate) async fn account_of(&self, tenant: Uuid, fields: &AccountFields) -> Account {
        let password = Secret::new(format!("secret-{}", fields.username));
        account::insert(tenant, fields, Some(&password), &self.vault, NOW, &self.db)
            .await
            .unwrap()
    }

    pub(crate) async fn contact(&self, first_name: &str, last_name: &str) -> Contact {
        let fields = contact_fields(first_name, last_name);
        contact::insert(self.tenant.id, &fields, NOW, &self.db)
            .await
            .unwrap()
    }

    /// A device of a new contact with these accounts.
    pub(crate) async fn device(&self, name: &str, accounts: &[&Account]) -> Device {
        let fields = DeviceFields {
            name: name.to_owned(),
            contact_id: self.contact("Grace", name).await.id,
            account_ids: accounts.iter().map(|account| account.id).collect(),
        };
        device::insert(self.tenant.id, &fields, NOW, &self.db)
            .await
            .unwrap()
    }
}

pub(crate) async fn new_user(email: &str, db: &Database) -> User {
    let new = NewUser {
        email,
        first_name: "Ada",
        last_name: "Lovelace",
        installation_administrator: true,
        password_phc: &Secret::new("$argon2id$one-time"),
    };
    user::insert(&new, NOW, db).await.unwrap()
}

async fn new_tenant(slug: &str, owner: &User, db: &Database) -> Tenant {
    let new = NewTenant {
        slug,
        name: &slug.to_uppercase(),
        sip_domain: &format!("{slug}.tandem.example"),
        demonstration: false,
        owner: owner.id,
    };
    tenant::insert(&new, NOW, db).await.unwrap()
}

pub(crate) fn provider_fields(name: &str) -> ProviderFields {
    ProviderFields {
        name: name.to_owned(),
        server: "sip.provider.example".to_owned(),
        port: Some(5061),
        transport: SipTransport::Tls,
        outbound_proxy: Some("sip:edge.provider.example;lr".to_owned()),
    }
}

pub(crate) fn account_fields(provider: Uuid, username: &str) -> AccountFields {
    AccountFields {
        provider_id: provider,
        name: format!("Line {username}"),
        username: username.to_owned(),
        auth_username: None,
        enter_on_device: false,
        transport: None,
        display_name: Some("Grace".to_owned()),
        dialing_rules: Vec::new(),
        codecs: vec![Codec::Opus, Codec::Pcmu],
        push: true,
    }
}

pub(crate) fn contact_fields(first_name: &str, last_name: &str) -> ContactFields {
    ContactFields {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        company: Some("Eckert–Mauchly".to_owned()),
        job_title: None,
        in_directory: true,
        numbers: vec![ContactNumber {
            number: "+493012345678".to_owned(),
            label: "work".to_owned(),
        }],
        emails: vec![ContactEmail {
            address: format!("{last_name}@example.org"),
            label: EmailLabel::Work,
        }],
    }
}

pub(crate) fn search<S: SortColumn>(words: &str) -> PageRequest<S> {
    PageRequest {
        search: Some(words.to_owned()),
        ..PageRequest::default()
    }
}
