//! A large company in the database: contacts, an account and a device for some of them, activations for all devices.
//!
//! Through the store, as the portal itself writes, in transactions of many rows.

use std::{fs, path::PathBuf};

use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use store::{
    Database, EmailLabel, PageRequest, Secret, StoreConfig, StoreError, Transaction, Vault,
    account::{self, AccountFilter, Imported},
    activation::{self, ActivationState},
    begin, commit, connect,
    contact::{self, ContactEmail, ContactFields, ContactNumber},
    device::{self, DeviceFields},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Failure, tokens_file};

/// Which database, and how large a company.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// `sqlite:…` or `postgresql:…`.
    #[arg(long)]
    database: String,
    /// The server's data folder, with its master key; the tokens are left there.
    #[arg(long)]
    folder: PathBuf,
    /// The tenant's key.
    #[arg(long)]
    tenant: Uuid,
    /// The one password of all accounts.
    #[arg(long)]
    password: String,
    #[arg(long, default_value_t = 100_000)]
    contacts: usize,
    #[arg(long, default_value_t = 20_000)]
    devices: usize,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Value, Failure> {
    let db = connect(&arguments.database, &StoreConfig::default())
        .await
        .map_err(|error| Failure(error.to_string()))?;
    let vault = Vault::open_or_create(&arguments.folder.join("master.key"))
        .map_err(|error| Failure(error.to_string()))?;
    let people = contacts(arguments, &db).await?;
    let accounts = accounts(arguments, &vault, &db).await?;
    let tokens = devices(arguments, &people, &accounts, &vault, &db).await?;
    fs::write(tokens_file(&arguments.folder), tokens.join("\n"))?;
    Ok(json!({ "contacts": people.len(), "accounts": accounts.len(), "devices": tokens.len() }))
}

async fn contacts(arguments: &Arguments, db: &Database) -> Result<Vec<Uuid>, Failure> {
    let mut random = StdRng::seed_from_u64(5);
    let mut made = Vec::with_capacity(arguments.contacts);
    while made.len() < arguments.contacts {
        let transaction = begin(db).await?;
        for index in made.len()..(made.len() + BATCH).min(arguments.contacts) {
            let fields = somebody(index, &mut random);
            let now = OffsetDateTime::now_utc();
            let contact = contact::insert(arguments.tenant, &fields, now, &transaction).await?;
            made.push(contact.id);
        }
        commit(transaction).await?;
    }
    Ok(made)
}

async fn accounts(
    arguments: &Arguments,
    vault: &Vault,
    db: &Database,
) -> Result<Vec<Uuid>, Failure> {
    let accounts: Vec<_> = (0..arguments.devices)
        .map(|index| Imported {
            username: format!("u{index:06}"),
            password: Secret::new(arguments.password.as_str()),
        })
        .collect();
    let now = OffsetDateTime::now_utc();
    account::import(arguments.tenant, &accounts, vault, now, db).await?;
    let (mut made, all) = (Vec::with_capacity(accounts.len()), AccountFilter::default());
    let mut request = PageRequest {
        limit: store::MAX_PAGE,
        ..PageRequest::default()
    };
    loop {
        let page = account::list(arguments.tenant, &all, &request, db).await?;
        made.extend(page.items.iter().map(|account| account.id));
        request.after = page.next;
        if request.after.is_none() {
            return Ok(made);
        }
    }
}

async fn devices(
    arguments: &Arguments,
    people: &[Uuid],
    accounts: &[Uuid],
    vault: &Vault,
    db: &Database,
) -> Result<Vec<String>, Failure> {
    let mut tokens = Vec::with_capacity(arguments.devices);
    let owners: Vec<_> = people.iter().cycle().zip(accounts).collect();
    for (batch, some) in owners.chunks(BATCH).enumerate() {
        let transaction = begin(db).await?;
        for (index, (owner, account)) in some.iter().enumerate() {
            let name = format!("Phone {:05}", batch * BATCH + index);
            let fields = DeviceFields {
                name,
                contact_id: **owner,
                account_ids: vec![**account],
            };
            tokens.push(phone(&fields, arguments.tenant, vault, &transaction).await?);
        }
        commit(transaction).await?;
    }
    Ok(tokens)
}

/// A device with its activation; gives the token.
async fn phone(
    fields: &DeviceFields,
    tenant: Uuid,
    vault: &Vault,
    db: &Transaction,
) -> Result<String, StoreError> {
    let now = OffsetDateTime::now_utc();
    let device = device::insert(tenant, fields, now, db).await?;
    let life = Duration::days(7);
    let made = activation::replace(tenant, device.id, life, vault, now, db).await?;
    Ok(match made.state {
        ActivationState::Open { token, .. } => token.text().to_owned(),
        ActivationState::Used | ActivationState::Expired => String::new(),
    })
}

fn somebody(index: usize, random: &mut StdRng) -> ContactFields {
    let first_name = name(random);
    let last_name = format!("{}{}", name(random), name(random).to_lowercase());
    let address = format!("{first_name}.{last_name}.{index}@example.org").to_lowercase();
    ContactFields {
        company: Some(name(random)),
        job_title: None,
        in_directory: index.is_multiple_of(2),
        numbers: vec![ContactNumber {
            number: format!("+4930{index:07}"),
            label: "work".to_owned(),
        }],
        emails: vec![ContactEmail {
            address,
            label: EmailLabel::Work,
        }],
        first_name,
        last_name,
    }
}

/// Two or three syllables: names differ enough for an index, and pieces of them recur.
fn name(random: &mut StdRng) -> String {
    let syllables = random.random_range(2..=3);
    let mut name = String::new();
    for _ in 0..syllables {
        name.push_str(SYLLABLES[random.random_range(0..SYLLABLES.len())]);
    }
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Rows in a transaction.
const BATCH: usize = 500;

const SYLLABLES: [&str; 40] = [
    "an", "bel", "cor", "da", "el", "far", "gus", "hen", "is", "jo", "ka", "lin", "mar", "ne",
    "ol", "per", "qui", "ros", "sa", "tor", "ul", "vin", "wal", "xa", "yor", "zim", "bre", "chi",
    "dor", "fri", "gre", "hol", "kru", "lö", "mül", "nor", "pla", "sch", "ste", "tra",
];
