//! The list of providers: its orders and filters.

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Provider, account_counts, to_provider};
use crate::list::{Key, contains, page};
use crate::row::provider as row;
use crate::words::words;
use crate::{Page, PageRequest, SipTransport, Sort, SortColumn, StoreError};

words! {
    /// What providers can be ordered by.
    ProviderSort {
        /// The name that people read.
        Name = "name",
        /// Host name or address.
        Server = "server",
        /// When it was made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for ProviderSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::Name);
}

/// Which providers are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderFilter {
    /// Reached in one of these ways.
    pub transports: Vec<SipTransport>,
}

/// The providers of a tenant; the search looks at name and server.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &ProviderFilter,
    request: &PageRequest<ProviderSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Provider>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if !filter.transports.is_empty() {
        let transports = filter.transports.iter().map(|transport| transport.as_str());
        select = select.filter(row::Column::Transport.is_in(transports));
    }
    for word in request.words() {
        select = select.filter(
            Condition::any()
                .add(contains(row::Column::SortName, &word))
                .add(contains(row::Column::Server, &word)),
        );
    }
    let key = match request.sort.by {
        ProviderSort::Name => Key::Column(row::Column::SortName),
        ProviderSort::Server => Key::Column(row::Column::Server),
        ProviderSort::CreatedAt => Key::Age,
    };
    let rows = page(select, key, row::Column::Id, request, db).await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|row| row.id).collect();
    let counts = account_counts(&ids, db).await?;
    let items = rows.items.into_iter().map(|row| {
        let count = counts.get(&row.id).copied();
        to_provider(row, count.unwrap_or(0))
    });
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next: rows.next,
        total: rows.total,
    })
}
