//! The list of mails: its orders and filters.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Mail, of_tenant};
use crate::list::{Key, contains_in_any_case, page};
use crate::row::mail as row;
use crate::words::words;
use crate::{MailKind, MailState, Page, PageRequest, Sort, SortColumn, StoreError};

words! {
    /// What mails can be ordered by.
    MailSort {
        /// When it was queued.
        CreatedAt = "created_at",
    }
}

impl SortColumn for MailSort {
    const USUAL: Sort<Self> = Sort::descending(Self::CreatedAt);
}

/// Which mails are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailFilter {
    /// In one of these states.
    pub states: Vec<MailState>,
    /// About one of these things.
    pub kinds: Vec<MailKind>,
}

/// The mails of a tenant, or with `None` of the installation, the newest first unless asked otherwise; the search looks at the address.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Option<Uuid>,
    filter: &MailFilter,
    request: &PageRequest<MailSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Mail>, StoreError> {
    let mut select = row::Entity::find().filter(of_tenant(tenant));
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str());
        select = select.filter(row::Column::State.is_in(states));
    }
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind| kind.as_str());
        select = select.filter(row::Column::Kind.is_in(kinds));
    }
    for word in request.words() {
        select = select.filter(contains_in_any_case(row::Column::Recipient, &word));
    }
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    let items: Result<_, _> = rows.items.into_iter().map(Mail::try_from).collect();
    Ok(Page {
        items: items?,
        next: rows.next,
        total: rows.total,
    })
}
