//! The list of accounts: its orders, its filters, and who of them is online.

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Account, complete};
use crate::list::{Key, contains, page};
use crate::row::{
    account as row, device as device_row, device_account as line_row, provider as provider_row,
};
use crate::words::words;
use crate::{AccountStatus, Online, Page, PageRequest, Sort, SortColumn, StoreError};

words! {
    /// What accounts can be ordered by.
    AccountSort {
        /// The name that people read.
        Name = "name",
        /// The user of the address-of-record.
        Username = "username",
        /// When it was made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for AccountSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::Name);
}

/// Which accounts are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Of one of these providers.
    pub providers: Vec<Uuid>,
    /// On a device of one of these contacts.
    pub contacts: Vec<Uuid>,
    /// With push, or without.
    pub push: Option<bool>,
    /// In one of these statuses, of which `online` knows more.
    pub statuses: Vec<AccountStatus>,
    /// Who is there at the moment.
    pub online: Online,
}

/// The accounts of a tenant; the search looks at name and user name.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &AccountFilter,
    request: &PageRequest<AccountSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Account>, StoreError> {
    let mut select = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(filter.condition(tenant, db.get_database_backend()));
    for word in request.words() {
        select = select.filter(
            Condition::any()
                .add(contains(row::Column::SortName, &word))
                .add(contains(row::Column::Username, &word)),
        );
    }
    let key = match request.sort.by {
        AccountSort::Name => Key::Column(row::Column::SortName),
        AccountSort::Username => Key::Column(row::Column::Username),
        AccountSort::CreatedAt => Key::Age,
    };
    let rows = page(select, key, row::Column::Id, request, db).await?;
    Ok(Page {
        items: complete(rows.items, db).await?,
        next: rows.next,
        total: rows.total,
    })
}

impl AccountFilter {
    fn condition(&self, tenant: Uuid, backend: DbBackend) -> Condition {
        let mut all = Condition::all();
        if !self.providers.is_empty() {
            let providers = self.providers.iter().copied();
            all = all.add(row::Column::ProviderId.is_in(providers));
        }
        if !self.contacts.is_empty() {
            all = all.add(row::Column::Id.in_subquery(self.of_contacts(tenant)));
        }
        if let Some(push) = self.push {
            all = all.add(row::Column::Push.eq(push));
        }
        if !self.statuses.is_empty() {
            let mut any = Condition::any();
            for status in &self.statuses {
                any = any.add(self.has_status(*status, tenant, backend));
            }
            all = all.add(any);
        }
        all
    }

    fn of_contacts(&self, tenant: Uuid) -> SelectStatement {
        Query::select()
            .column((line_row::Entity, line_row::Column::AccountId))
            .from(device_row::Entity)
            .inner_join(
                line_row::Entity,
                Expr::col((line_row::Entity, line_row::Column::DeviceId))
                    .equals((device_row::Entity, device_row::Column::Id)),
            )
            .and_where(device_row::Column::TenantId.eq(tenant))
            .and_where(device_row::Column::ContactId.is_in(self.contacts.iter().copied()))
            .take()
    }

    fn has_status(&self, status: AccountStatus, tenant: Uuid, backend: DbBackend) -> Condition {
        let used = row::Column::Id.in_subquery(used(tenant));
        match status {
            AccountStatus::NotInUse => Condition::all().add(used.not()),
            AccountStatus::Online => Condition::all()
                .add(used)
                .add(self.is_there(tenant, backend)),
            AccountStatus::Offline => Condition::all()
                .add(used)
                .add(self.is_there(tenant, backend).not()),
        }
    }

    /// A binding of its address-of-record is known, or one of its devices says that the account is registered.
    fn is_there(&self, tenant: Uuid, backend: DbBackend) -> Condition {
        let providers = Query::select()
            .column(provider_row::Column::Id)
            .from(provider_row::Entity)
            .and_where(provider_row::Column::TenantId.eq(tenant))
            .and_where(provider_row::Column::Server.eq(self.online.domain.as_str()))
            .take();
        let bound = Condition::all()
            .add(row::Column::ProviderId.in_subquery(providers))
            .add(self.online.has_user(row::Column::Username, backend));
        let reported = Query::select()
            .column(line_row::Column::AccountId)
            .from(line_row::Entity)
            .and_where(line_row::Column::TenantId.eq(tenant))
            .and_where(self.online.has_line(backend))
            .take();
        Condition::any()
            .add(bound)
            .add(row::Column::Id.in_subquery(reported))
    }
}

/// The accounts of the tenant that a device has.
fn used(tenant: Uuid) -> SelectStatement {
    Query::select()
        .expr(Expr::col(line_row::Column::AccountId))
        .from(line_row::Entity)
        .and_where(line_row::Column::TenantId.eq(tenant))
        .take()
}
