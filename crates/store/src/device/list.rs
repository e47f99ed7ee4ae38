//! The list of devices: its orders, its filters, and which of them are there.

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Device, complete};
use crate::list::{Key, contains, page};
use crate::row::{activation as activation_row, device as row, mail as mail_row};
use crate::words::words;
use crate::{
    DeviceStatus, DeviceSubStatus, MailState, Online, Page, PageRequest, Sort, SortColumn,
    StoreError,
};

words! {
    /// What devices can be ordered by.
    DeviceSort {
        /// The name that people read.
        Name = "name",
        /// The operating system; devices that never said it come last.
        Platform = "platform",
        /// The version of the app; devices that never said it come last.
        AppVersion = "app_version",
        /// When it was heard of last; devices that never were come last.
        LastSeenAt = "last_seen_at",
        /// When it was made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for DeviceSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::Name);
}

/// Which devices are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// In one of these statuses, of which `online` knows more.
    pub statuses: Vec<DeviceStatus>,
    /// Waiting for one of these.
    pub sub_statuses: Vec<DeviceSubStatus>,
    /// With one of these operating systems, in any case.
    pub platforms: Vec<String>,
    /// Of one of these contacts.
    pub contacts: Vec<Uuid>,
    /// Who is there at the moment.
    pub online: Online,
}

/// The devices of a tenant; the search looks at the name.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &DeviceFilter,
    request: &PageRequest<DeviceSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Device>, StoreError> {
    let mut select = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(filter.condition(db.get_database_backend()));
    for word in request.words() {
        select = select.filter(contains(row::Column::SortName, &word));
    }
    let key = match request.sort.by {
        DeviceSort::Name => Key::Column(row::Column::SortName),
        DeviceSort::Platform => Key::Optional(row::Column::Platform),
        DeviceSort::AppVersion => Key::Optional(row::Column::AppVersion),
        DeviceSort::LastSeenAt => Key::Optional(row::Column::LastSeenAt),
        DeviceSort::CreatedAt => Key::Age,
    };
    let rows = page(select, key, row::Column::Id, request, db).await?;
    Ok(Page {
        items: complete(rows.items, db).await?,
        next: rows.next,
        total: rows.total,
    })
}

impl DeviceFilter {
    fn condition(&self, backend: DbBackend) -> Condition {
        let mut all = Condition::all();
        if !self.statuses.is_empty() {
            let statuses = self.statuses.iter();
            all = all.add(statuses.fold(Condition::any(), |any, status| {
                any.add(self.has_status(*status, backend))
            }));
        }
        if !self.sub_statuses.is_empty() {
            let waiting = self.sub_statuses.iter();
            all = all.add(waiting.fold(Condition::any(), |any, waiting| {
                any.add(self.waits_for(*waiting, backend))
            }));
        }
        if !self.platforms.is_empty() {
            let platforms = self
                .platforms
                .iter()
                .map(|platform| platform.to_lowercase());
            let platform = Func::lower(Expr::col(row::Column::Platform));
            all = all.add(platform.is_in(platforms));
        }
        if !self.contacts.is_empty() {
            let contacts = self.contacts.iter().copied();
            all = all.add(row::Column::ContactId.is_in(contacts));
        }
        all
    }

    fn has_status(&self, status: DeviceStatus, backend: DbBackend) -> Condition {
        let activated = row::Column::ActivatedAt.is_not_null();
        let there = self.online.has_device(row::Column::Id, backend);
        match status {
            DeviceStatus::NotActivated => Condition::all().add(activated.not()),
            DeviceStatus::Online => Condition::all().add(activated).add(there),
            DeviceStatus::Offline => Condition::all().add(activated).add(there.not()),
        }
    }

    fn waits_for(&self, waiting: DeviceSubStatus, backend: DbBackend) -> Condition {
        let silent = row::Column::AppliedVersion.is_null();
        match waiting {
            DeviceSubStatus::NotStarted => {
                self.has_status(DeviceStatus::Offline, backend).add(silent)
            }
            DeviceSubStatus::PendingUpdate => {
                let applied = Expr::col(row::Column::AppliedVersion);
                let older = applied.lt(Expr::col(row::Column::ConfigurationVersion));
                let started = self.has_status(DeviceStatus::Online, backend).add(silent);
                let pending = Condition::any().add(older).add(started);
                Condition::all()
                    .add(row::Column::ActivatedAt.is_not_null())
                    .add(pending)
            }
            DeviceSubStatus::InstructionsSent => Condition::all()
                .add(row::Column::ActivatedAt.is_null())
                .add(row::Column::Id.in_subquery(instructed())),
        }
    }
}

/// Devices whose activation was mailed and not used.
fn instructed() -> SelectStatement {
    let sent = Query::select()
        .column(mail_row::Column::Id)
        .from(mail_row::Entity)
        .and_where(mail_row::Column::State.eq(MailState::Sent.as_str()))
        .take();
    Query::select()
        .column(activation_row::Column::DeviceId)
        .from(activation_row::Entity)
        .and_where(activation_row::Column::UsedAt.is_null())
        .and_where(activation_row::Column::MailId.in_subquery(sent))
        .take()
}
