//! Lists: one page at a time, by an opaque cursor, which belongs to the order of the list.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// At most `limit` items, in the list's order.
    pub items: Vec<T>,
    /// Pass this as `after` to read on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many items there are on all pages, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
}

/// How many items a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Total {
    /// How many, at most 10,000.
    pub count: u64,
    /// Whether there are no more than that.
    pub exact: bool,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items to return, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Only items that contain each of these words.
    pub search: Option<String>,
    /// The column that the items are ordered by, with `-` before it for descending. Items without a value in it come last.
    pub sort: Option<String>,
    /// Whether to count the items of all pages.
    pub total: Option<bool>,
}
