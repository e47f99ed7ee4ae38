//! Who may call which operation: judged in one place, before a handler is reached.
//!
//! [`table`](self::table) has a row for each operation of the description and the rights of each role.
//! [`authorize`](self::authorize) finds the row of a request, finds out who is asking, and either passes the
//! request on with the caller in its extensions or refuses it. An operation without a row is refused to
//! everybody. The test that asks every route as everybody is generated from the same table.

mod authorize;
mod caller;
mod scope;
mod table;

pub(crate) use authorize::{authorize, demands_second_factor, demands_sign_on};
pub(crate) use caller::{Caller, Device, KeyInUse, Means, OpenSession, Person};
pub use scope::{NoScope, Scope};
pub use table::{Access, Area, CONFIRMATION_LIFE, Rule, Who, rules};
