//! Who is there at the moment: known to the process alone, and joined with the rows in the database, so that lists can be filtered by it
//! at any length. However many there are, they reach a statement as one value.

use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend};
use uuid::Uuid;

use crate::list::is_among;
use crate::row::{
    account as account_row, desk_phone as desk_phone_row, device_account as line_row,
    provider as provider_row,
};

/// Users, devices and lines that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Online {
    /// The domain of `users`.
    pub domain: String,
    /// Users of the domain with a binding at the proxy.
    pub users: Vec<String>,
    /// Users of the domain with a binding that is no softphone's, which a desk phone's may be.
    pub strangers: Vec<String>,
    /// Devices with a live channel or a binding.
    pub devices: Vec<Uuid>,
    /// Device and account, where the device says that the account is registered.
    pub lines: Vec<(Uuid, Uuid)>,
}

impl Online {
    /// `column` is one of the users.
    pub(crate) fn has_user(&self, column: impl ColumnTrait, backend: DbBackend) -> SimpleExpr {
        is_one_of(column, &self.users, backend)
    }

    /// `column` is one of the devices, or a desk phone one of whose lines a stranger is bound to.
    pub(crate) fn has_device(&self, column: impl ColumnTrait, backend: DbBackend) -> SimpleExpr {
        let desk_phones = Query::select()
            .column(desk_phone_row::Column::DeviceId)
            .from(desk_phone_row::Entity)
            .take();
        let own = Query::select()
            .column(provider_row::Column::Id)
            .from(provider_row::Entity)
            .and_where(provider_row::Column::Own.eq(true))
            .and_where(provider_row::Column::Server.eq(self.domain.as_str()))
            .take();
        let accounts = Query::select()
            .column(account_row::Column::Id)
            .from(account_row::Entity)
            .and_where(account_row::Column::ProviderId.in_subquery(own))
            .and_where(is_one_of(
                account_row::Column::Username,
                &self.strangers,
                backend,
            ))
            .take();
        let lines = Query::select()
            .column(line_row::Column::DeviceId)
            .from(line_row::Entity)
            .and_where(line_row::Column::AccountId.in_subquery(accounts))
            .take();
        let bound = column
            .in_subquery(desk_phones)
            .and(column.in_subquery(lines));
        is_among(column, self.devices.iter().copied(), backend).or(bound)
    }

    /// The line of a device is one of those that it says are registered.
    pub(crate) fn has_line(&self, backend: DbBackend) -> SimpleExpr {
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|(device, account)| format!("[\"{}\",\"{}\"]", device.simple(), account.simple()))
            .collect();
        let list = match backend {
            DbBackend::Postgres => {
                "(SELECT (value->>0)::uuid, (value->>1)::uuid \
                 FROM jsonb_array_elements(CAST($1 AS jsonb)))"
            }
            _ => "(SELECT unhex(value->>0), unhex(value->>1) FROM json_each(?))",
        };
        let line = Expr::tuple([
            Expr::col(line_row::Column::DeviceId),
            Expr::col(line_row::Column::AccountId),
        ]);
        let lines = format!("[{}]", lines.join(","));
        line.binary(
            sea_orm::sea_query::BinOper::In,
            Expr::cust_with_values(list, [lines]),
        )
    }
}

/// `column` is one of these texts.
fn is_one_of(column: impl ColumnTrait, texts: &[String], backend: DbBackend) -> SimpleExpr {
    let list = match backend {
        DbBackend::Postgres => "(SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))",
        _ => "(SELECT value FROM json_each(?))",
    };
    let texts = serde_json::to_string(texts).unwrap_or_else(|_| "[]".to_owned());
    Expr::col(column.as_column_ref()).binary(
        sea_orm::sea_query::BinOper::In,
        Expr::cust_with_values(list, [texts]),
    )
}
