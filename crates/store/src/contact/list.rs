//! The list of contacts: its orders and filters.

use sea_orm::sea_query::{ExprTrait, IntoCondition, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::parts::{Whole, with_parts};
use super::{Contact, read_in_order, search};
use crate::list::{Key, page, page_of};
use crate::row::{contact as row, device as device_row};
use crate::words::words;
use crate::{Page, PageRequest, Sort, SortColumn, StoreError};

words! {
    /// What contacts can be ordered by.
    ContactSort {
        /// Last name, then first name.
        Name = "name",
        /// The company; people without one come last.
        Company = "company",
        /// When it was made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for ContactSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::Name);
}

/// Which contacts are wanted; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Shown in the company directory, or not.
    pub in_directory: Option<bool>,
    /// With a device, or without.
    pub has_device: Option<bool>,
}

/// The contacts of a tenant; the search looks at names, company, job title, numbers and e-mail addresses, and finds parts of words, and
/// numbers in whatever form.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &ContactFilter,
    request: &PageRequest<ContactSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Contact>, StoreError> {
    let words = search::words(request.search.as_deref().unwrap_or_default());
    if request.sort.by == ContactSort::Name
        && *filter == ContactFilter::default()
        && !words.is_empty()
    {
        return found_by_name(tenant, &words, request, db).await;
    }
    let key = match request.sort.by {
        ContactSort::Name => Key::Column(row::Column::SortName),
        ContactSort::Company => Key::Optional(row::Column::SortCompany),
        ContactSort::CreatedAt => Key::Age,
    };
    let id = row::Column::Id;
    if *filter == ContactFilter::default() && words.is_empty() {
        // An index has the order: what belongs to a contact is asked of those of the page alone.
        let own = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
        let own = with_parts(own, db.get_database_backend());
        return whole(page_of(own, key, id, request, db).await?);
    }
    let matching = matching(tenant, filter, request.search.as_deref(), db).await?;
    let rows = page(row::Entity::find().filter(matching), key, id, request, db).await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|row| row.id).collect();
    Ok(Page {
        items: read_in_order(&ids, db).await?,
        next: rows.next,
        total: rows.total,
    })
}

fn whole(page: Page<Whole>) -> Result<Page<Contact>, StoreError> {
    let contacts = page.items.into_iter().map(Contact::try_from);
    Ok(Page {
        items: contacts.collect::<Result<_, _>>()?,
        next: page.next,
        total: page.total,
    })
}

/// A page of those who contain the words, in the order of names: read from what is searched alone, and whole for the few of the page.
async fn found_by_name(
    tenant: Uuid,
    words: &[String],
    request: &PageRequest<ContactSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Contact>, StoreError> {
    let found = search::page_of_texts(tenant, words, request, db).await?;
    let ids: Vec<Uuid> = found.items.iter().map(|text| text.contact_id).collect();
    Ok(Page {
        items: read_in_order(&ids, db).await?,
        next: found.next,
        total: found.total,
    })
}

/// The contacts of the tenant that the filter and the search leave in.
pub(super) async fn matching(
    tenant: Uuid,
    filter: &ContactFilter,
    search: Option<&str>,
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let words = search::words(search.unwrap_or_default());
    let mut matching = if words.is_empty() {
        row::Column::TenantId.eq(tenant).into_condition()
    } else {
        search::matching(tenant, &words, db).await?
    };
    if let Some(shown) = filter.in_directory {
        matching = matching.add(row::Column::InDirectory.eq(shown));
    }
    if let Some(has) = filter.has_device {
        let owners = Query::select()
            .column(device_row::Column::ContactId)
            .from(device_row::Entity)
            .and_where(device_row::Column::TenantId.eq(tenant))
            .take();
        let owns = row::Column::Id.in_subquery(owners);
        matching = matching.add(if has { owns } else { owns.not() });
    }
    Ok(matching)
}
