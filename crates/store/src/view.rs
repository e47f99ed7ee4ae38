//! Views of lists that people have saved: what they searched for, their filters, order and columns, under a name. A view belongs to one
//! person in one tenant.

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::row::view as row;
use crate::words::words;
use crate::{Db, StoreError, begin, commit, id};

/// How many views of one list a person can have.
pub const MAX_VIEWS: u64 = 50;

words! {
    /// A list that can have views.
    ViewList {
        /// Contacts.
        Contacts = "contacts",
        /// Devices.
        Devices = "devices",
        /// SIP accounts.
        Accounts = "accounts",
        /// Service providers.
        Providers = "providers",
        /// Members of the tenant.
        Members = "members",
        /// Calls.
        Calls = "calls",
        /// Mails.
        Mails = "mails",
        /// The audit log.
        Audit = "audit",
    }
}

/// A saved view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The row's key.
    pub id: Uuid,
    /// What it is and shows.
    pub fields: ViewFields,
}

/// What a view is made of. It is shown as it was saved; what the list does not know any more, the list ignores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewFields {
    /// The list.
    pub list: ViewList,
    /// What the person calls it; a list has it once.
    pub name: String,
    /// What is searched for; may be empty.
    pub search: String,
    /// The order; empty for the usual one.
    pub sort: String,
    /// The values of each filter.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The columns that are shown, in order; `None` for the usual ones.
    pub columns: Option<Vec<String>>,
}

/// The views of a person in a tenant by list and name; of one list, if it is given.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    user: Uuid,
    list: Option<ViewList>,
    db: &impl ConnectionTrait,
) -> Result<Vec<View>, StoreError> {
    let mut select = own(tenant, user);
    if let Some(list) = list {
        select = select.filter(row::Column::List.eq(list.as_str()));
    }
    let rows = select
        .order_by_asc(row::Column::List)
        .order_by_asc(row::Column::Name)
        .all(db)
        .await?;
    rows.into_iter().map(View::try_from).collect()
}

/// Saves a view; one of the same list and name is replaced.
///
/// # Errors
///
/// [`StoreError::Count`] with `name` if the list has [`MAX_VIEWS`] others, [`StoreError::Database`].
pub async fn save(
    tenant: Uuid,
    user: Uuid,
    fields: &ViewFields,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<View, StoreError> {
    let transaction = begin(db).await?;
    let of_list = own(tenant, user).filter(row::Column::List.eq(fields.list.as_str()));
    let others = of_list
        .clone()
        .filter(row::Column::Name.ne(fields.name.as_str()));
    if others.count(&transaction).await? >= MAX_VIEWS {
        return Err(StoreError::Count {
            field: "name",
            max: usize::try_from(MAX_VIEWS).unwrap_or(usize::MAX),
        });
    }
    let new = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        user_id: user,
        list: fields.list.as_str().to_owned(),
        name: fields.name.clone(),
        search: fields.search.clone(),
        sort: fields.sort.clone(),
        filters: json!(fields.filters).to_string(),
        columns: fields
            .columns
            .as_ref()
            .map(|columns| json!(columns).to_string()),
        created_at: now.into(),
    };
    let key = [
        row::Column::TenantId,
        row::Column::UserId,
        row::Column::List,
        row::Column::Name,
    ];
    let shown = [
        row::Column::Search,
        row::Column::Sort,
        row::Column::Filters,
        row::Column::Columns,
    ];
    let replace = OnConflict::columns(key).update_columns(shown).to_owned();
    row::Entity::insert(row::ActiveModel::from(new))
        .on_conflict(replace)
        .exec_without_returning(&transaction)
        .await?;
    let saved = of_list
        .filter(row::Column::Name.eq(fields.name.as_str()))
        .one(&transaction)
        .await?
        .ok_or(StoreError::NotFound)?;
    commit(transaction).await?;
    saved.try_into()
}

/// Deletes a view of the person and says what it was.
///
/// # Errors
///
/// [`StoreError::NotFound`], also if it is somebody else's; [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn delete(tenant: Uuid, user: Uuid, id: Uuid, db: &impl Db) -> Result<View, StoreError> {
    let transaction = begin(db).await?;
    let view = own(tenant, user)
        .filter(row::Column::Id.eq(id))
        .one(&transaction)
        .await?
        .ok_or(StoreError::NotFound)?;
    row::Entity::delete_by_id(id).exec(&transaction).await?;
    commit(transaction).await?;
    view.try_into()
}

fn own(tenant: Uuid, user: Uuid) -> Select<row::Entity> {
    row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::UserId.eq(user))
}

impl TryFrom<row::Model> for View {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "views",
            column,
        };
        let columns = row.columns.as_deref().map(serde_json::from_str);
        Ok(Self {
            id: row.id,
            fields: ViewFields {
                list: row.list.parse().map_err(|_| corrupt("list"))?,
                name: row.name,
                search: row.search,
                sort: row.sort,
                filters: serde_json::from_str(&row.filters).map_err(|_| corrupt("filters"))?,
                columns: columns.transpose().map_err(|_| corrupt("columns"))?,
            },
        })
    }
}
