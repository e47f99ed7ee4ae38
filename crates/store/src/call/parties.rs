//! Who the parties of calls are now: five queries for a page, however long.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Call, Known, KnownCall, Party};
use crate::contact::full_name;
use crate::row::{
    account as account_row, contact as contact_row, contact_number as number_row,
    device as device_row, device_account as line_row,
};
use crate::{Reference, StoreError};

/// What is known of the tenant, as far as some calls concern it.
struct Book {
    accounts: HashMap<Uuid, Reference>,
    /// The device that has an account.
    device_of: HashMap<Uuid, Uuid>,
    devices: HashMap<Uuid, device_row::Model>,
    by_number: HashMap<String, Uuid>,
    contacts: HashMap<Uuid, Reference>,
}

pub(super) async fn known(
    tenant: Uuid,
    calls: Vec<Call>,
    db: &impl ConnectionTrait,
) -> Result<Vec<KnownCall>, StoreError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let parties = calls.iter().flat_map(|call| [&call.caller, &call.callee]);
    let book = Book::read(tenant, &parties.collect::<Vec<_>>(), db).await?;
    let known = calls.into_iter().map(|call| KnownCall {
        caller: book.find(&call.caller),
        callee: book.find(&call.callee),
        call,
    });
    Ok(known.collect())
}

impl Book {
    async fn read(
        tenant: Uuid,
        parties: &[&Party],
        db: &impl ConnectionTrait,
    ) -> Result<Self, StoreError> {
        let accounts = parties.iter().filter_map(|party| party.account_id);
        let accounts = account_row::Entity::find()
            .filter(account_row::Column::TenantId.eq(tenant))
            .filter(account_row::Column::Id.is_in(accounts))
            .all(db)
            .await?;
        let lines = line_row::Entity::find()
            .filter(line_row::Column::AccountId.is_in(accounts.iter().map(|account| account.id)))
            .all(db)
            .await?;
        let devices = parties.iter().filter_map(|party| party.device_id);
        let devices = device_row::Entity::find()
            .filter(device_row::Column::TenantId.eq(tenant))
            .filter(
                device_row::Column::Id
                    .is_in(devices.chain(lines.iter().map(|line| line.device_id))),
            )
            .all(db)
            .await?;
        let numbers = parties.iter().filter_map(|party| party.number.as_deref());
        let numbers = number_row::Entity::find()
            .filter(number_row::Column::TenantId.eq(tenant))
            .filter(number_row::Column::Number.is_in(numbers))
            .all(db)
            .await?;
        let contacts = devices.iter().map(|device| device.contact_id);
        let contacts = contacts.chain(numbers.iter().map(|number| number.contact_id));
        let contacts = contact_row::Entity::find()
            .filter(contact_row::Column::TenantId.eq(tenant))
            .filter(contact_row::Column::Id.is_in(contacts))
            .all(db)
            .await?;
        let reference = |id, name| (id, Reference { id, name });
        Ok(Self {
            accounts: accounts
                .into_iter()
                .map(|account| reference(account.id, account.name))
                .collect(),
            device_of: lines
                .into_iter()
                .map(|line| (line.account_id, line.device_id))
                .collect(),
            devices: devices
                .into_iter()
                .map(|device| (device.id, device))
                .collect(),
            by_number: numbers
                .into_iter()
                .map(|number| (number.number, number.contact_id))
                .collect(),
            contacts: contacts
                .into_iter()
                .map(|contact| {
                    let name = full_name(&contact.first_name, &contact.last_name);
                    reference(contact.id, name)
                })
                .collect(),
        })
    }

    /// The person is the one whose device it was, else the one who has the account now, else the one with the number.
    fn find(&self, party: &Party) -> Known {
        let device = party.device_id.and_then(|id| self.devices.get(&id));
        let has_account = party.account_id.and_then(|id| self.device_of.get(&id));
        let has_account = has_account.and_then(|id| self.devices.get(id));
        let number = party.number.as_ref();
        let contact = device
            .or(has_account)
            .map(|device| device.contact_id)
            .or_else(|| self.by_number.get(number?).copied());
        Known {
            account: party
                .account_id
                .and_then(|id| self.accounts.get(&id).cloned()),
            device: device.map(|device| Reference {
                id: device.id,
                name: device.name.clone(),
            }),
            contact: contact.and_then(|id| self.contacts.get(&id).cloned()),
        }
    }
}
