//! Who is there at the moment: known to the process alone, and joined with the rows in the database, so that lists can be filtered by it
//! at any length. However many there are, they reach a statement as one value.

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend};
use uuid::Uuid;

use crate::list::is_among;
use crate::row::device_account as line_row;

/// Users, devices and lines that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Online {
    /// The domain of `users`.
    pub domain: String,
    /// Users of the domain with a binding at the proxy.
    pub users: Vec<String>,
    /// Devices with a live channel or a binding.
    pub devices: Vec<Uuid>,
    /// Device and account, where the device says that the account is registered.
    pub lines: Vec<(Uuid, Uuid)>,
}

impl Online {
    /// `column` is one of the users.
    pub(crate) fn has_user(&self, column: impl ColumnTrait, backend: DbBackend) -> SimpleExpr {
        let list = match backend {
            DbBackend::Postgres => "(SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))",
            _ => "(SELECT value FROM json_each(?))",
        };
        let users = serde_json::to_string(&self.users).unwrap_or_else(|_| "[]".to_owned());
        Expr::col(column.as_column_ref()).binary(
            sea_orm::sea_query::BinOper::In,
            Expr::cust_with_values(list, [users]),
        )
    }

    /// `column` is one of the devices.
    pub(crate) fn has_device(&self, column: impl ColumnTrait, backend: DbBackend) -> SimpleExpr {
        is_among(column, self.devices.iter().copied(), backend)
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
