//! Conditions and orders that every paged list shares, and the check of row versions.

use std::borrow::Borrow;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, LikeExpr, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, ModelTrait,
    Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Value,
};
use uuid::Uuid;

use crate::page::SortValue;
use crate::{Cursor, MAX_TOTAL, Page, PageRequest, SortColumn, StoreError, Total};

/// The name that lists are ordered by.
pub(crate) fn sort_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What the rows of a list are ordered by; the row's key decides between equal ones.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<C> {
    /// The row's key alone, which begins with the time it was made.
    Age,
    /// A column in which every row has a value.
    Column(C),
    /// A column in which some rows have none: those come last.
    Optional(C),
}

impl<C: Copy> Key<C> {
    fn column(self) -> Option<C> {
        match self {
            Self::Age => None,
            Self::Column(column) | Self::Optional(column) => Some(column),
        }
    }
}

/// One page of `select`, ordered by `key` and then by `id`.
///
/// Rows after the cursor are found by one row-value comparison, which both databases answer from an index on the two; the OR form of the
/// same condition is 15 to 60 times slower deep in a list. A comparison with NULL is neither true nor false, so rows without a value are
/// asked for by themselves, after the others.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`] if the cursor is of another order, [`StoreError::Database`].
pub(crate) async fn page<E: EntityTrait, S: SortColumn>(
    select: Select<E>,
    key: Key<E::Column>,
    id: E::Column,
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Page<E::Model>, StoreError> {
    page_of(select, key, id, request, db).await
}

/// A page like that of [`page`], of rows with more in them than the columns of the table. What `select` adds to those must be asked of the
/// rows of the page alone: the database orders by an index.
///
/// # Errors
///
/// See [`page`].
pub(crate) async fn page_of<E, M, S>(
    select: Select<E>,
    key: Key<E::Column>,
    id: E::Column,
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Page<M>, StoreError>
where
    E: EntityTrait,
    M: FromQueryResult + Borrow<E::Model>,
    S: SortColumn,
{
    let after = own_cursor(request)?;
    let total = match request.total {
        true => Some(total(select.clone(), id, db).await?),
        false => None,
    };
    let wanted = request.rows() + 1;
    let walk = Walk {
        key,
        id,
        descending: request.sort.descending,
    };
    let among_the_last =
        matches!(key, Key::Optional(_)) && after.is_some_and(|cursor| cursor.value.is_none());
    let mut rows = Vec::new();
    if !among_the_last {
        let some = walk.with_value(select.clone(), after);
        rows = first(some, wanted, request, db).await?;
    }
    let missing = wanted - u64::try_from(rows.len()).unwrap_or(wanted);
    if let Key::Optional(column) = key
        && missing > 0
    {
        let after = after.filter(|_| among_the_last);
        let rest = walk.without_value(select, column, after);
        rows.extend(first::<_, M, _>(rest, missing, request, db).await?);
    }
    let page = Page::cut(rows, request, |row: &M| {
        let row: &E::Model = row.borrow();
        let value = key.column().and_then(|column| sort_value(row.get(column)));
        let id = row.get(id).unwrap::<Uuid>();
        Cursor::of(request.sort.to_string(), value, id)
    });
    Ok(Page { total, ..page })
}

/// Keeps a page of `select` to the next `rows` rows of the list, of which `column` is the order, never without a value; `None` if there are no
/// more than these. Only the index of the order is read.
///
/// # Errors
///
/// See [`page`].
pub(crate) async fn among_the_next<E: EntityTrait, S: SortColumn>(
    rows: u64,
    select: Select<E>,
    column: E::Column,
    key: E::Column,
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Option<SimpleExpr>, StoreError> {
    let places = select.select_only().column(column).column(key);
    let places = the_next(1, places, column, key, request)?.offset(rows);
    let statement = db.get_database_backend().build(&places.into_query());
    let Some(place) = db.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let (value, id): (String, Uuid) = (place.try_get_by_index(0)?, place.try_get_by_index(1)?);
    let row = Expr::tuple([
        Expr::col(column.as_column_ref()),
        Expr::col(key.as_column_ref()),
    ]);
    let place = Expr::tuple([Expr::val(value), Expr::val(id)]);
    Ok(Some(match request.sort.descending {
        true => row.gt(place),
        false => row.lt(place),
    }))
}

/// The next `rows` rows of the list, of which `column` is the order, never without a value.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`] if the cursor is of another order.
pub(crate) fn the_next<E: EntityTrait, S: SortColumn>(
    rows: u64,
    select: Select<E>,
    column: E::Column,
    id: E::Column,
    request: &PageRequest<S>,
) -> Result<Select<E>, StoreError> {
    let walk = Walk {
        key: Key::Column(column),
        id,
        descending: request.sort.descending,
    };
    let rows_after = walk.with_value(select, own_cursor(request)?);
    Ok(rows_after.limit(rows))
}

/// The first rows of `select`.
///
/// PostgreSQL plans a statement anew each time if how many rows are wanted is a parameter of it: it takes a plan for any number of rows to be
/// worse. For a page of contacts that took half as long as finding it. What is searched for does make plans different.
async fn first<E, M, S>(
    select: Select<E>,
    rows: u64,
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Vec<M>, DbErr>
where
    E: EntityTrait,
    M: FromQueryResult,
{
    if request.search.is_some() {
        return select.limit(rows).into_model().all(db).await;
    }
    let mut statement = db.get_database_backend().build(&select.into_query());
    statement.sql.push_str(&format!(" LIMIT {rows}"));
    M::find_by_statement(statement).all(db).await
}

/// The cursor of the request, which must be of its order.
fn own_cursor<S: SortColumn>(request: &PageRequest<S>) -> Result<Option<&Cursor>, StoreError> {
    match &request.after {
        Some(cursor) if !cursor.is_of(&request.sort) => Err(StoreError::ForeignCursor),
        after => Ok(after.as_ref()),
    }
}

/// A direction through the rows.
struct Walk<C> {
    key: Key<C>,
    id: C,
    descending: bool,
}

impl<C: ColumnTrait> Walk<C> {
    /// The rows after the cursor that have a value in the column.
    fn with_value<E: EntityTrait>(
        &self,
        mut select: Select<E>,
        after: Option<&Cursor>,
    ) -> Select<E> {
        if let Key::Optional(column) = self.key {
            select = select.filter(column.is_not_null());
        }
        if let Some(cursor) = after {
            select = select.filter(self.beyond(cursor));
        }
        self.ordered(select)
    }

    /// The rows after the cursor that have none.
    fn without_value<E: EntityTrait>(
        &self,
        mut select: Select<E>,
        column: C,
        after: Option<&Cursor>,
    ) -> Select<E> {
        select = select.filter(column.is_null());
        if let Some(cursor) = after {
            select = select.filter(self.ahead(self.id(), Expr::val(cursor.id)));
        }
        self.ordered(select)
    }

    fn beyond(&self, cursor: &Cursor) -> SimpleExpr {
        let id = Expr::val(cursor.id);
        match (self.key.column(), &cursor.value) {
            (Some(column), Some(value)) => {
                let value = match value {
                    SortValue::Integer(number) => Expr::val(*number),
                    SortValue::Text(text) => Expr::val(text.as_str()),
                };
                let column = Expr::col(column.as_column_ref());
                self.ahead(Expr::tuple([column, self.id()]), Expr::tuple([value, id]))
            }
            _ => self.ahead(self.id(), id),
        }
    }

    fn id(&self) -> SimpleExpr {
        Expr::col(self.id.as_column_ref())
    }

    fn ahead(&self, row: SimpleExpr, place: SimpleExpr) -> SimpleExpr {
        if self.descending {
            row.lt(place)
        } else {
            row.gt(place)
        }
    }

    fn ordered<E: EntityTrait>(&self, mut select: Select<E>) -> Select<E> {
        let order = || match self.descending {
            true => Order::Desc,
            false => Order::Asc,
        };
        if let Some(column) = self.key.column() {
            select = select.order_by(column, order());
        }
        select.order_by(self.id, order())
    }
}

fn sort_value(value: Value) -> Option<SortValue> {
    match value {
        Value::BigInt(number) => number.map(SortValue::Integer),
        Value::String(text) => text.map(SortValue::Text),
        _ => None,
    }
}

/// How many rows `select` finds, counted up to [`MAX_TOTAL`].
pub(crate) async fn total<E: EntityTrait>(
    select: Select<E>,
    id: E::Column,
    db: &impl ConnectionTrait,
) -> Result<Total, StoreError> {
    let rows = select
        .select_only()
        .column(id)
        .limit(MAX_TOTAL + 1)
        .into_query();
    let mut count = Query::select();
    count
        .expr(Func::count(Expr::col(Asterisk)))
        .from_subquery(rows, "counted");
    let statement = db.get_database_backend().build(&count);
    let counted = db.query_one_raw(statement).await?;
    let counted: Option<i64> = counted.map(|row| row.try_get_by_index(0)).transpose()?;
    let counted = counted.unwrap_or(0).unsigned_abs();
    Ok(Total {
        count: Ord::min(counted, MAX_TOTAL),
        exact: counted <= MAX_TOTAL,
    })
}

/// `column` is one of these, however many they are: one value in the statement holds all of them.
pub(crate) fn is_among(
    column: impl ColumnTrait,
    ids: impl IntoIterator<Item = Uuid>,
    backend: DbBackend,
) -> SimpleExpr {
    let (list, one) = match backend {
        DbBackend::Postgres => (
            "jsonb_array_elements_text(CAST($1 AS jsonb))",
            "value::uuid",
        ),
        _ => ("json_each(?)", "unhex(value)"),
    };
    let ids: Vec<String> = ids
        .into_iter()
        .map(|id| format!("\"{}\"", id.simple()))
        .collect();
    let column = Expr::col(column.as_column_ref());
    let list = Expr::cust_with_values(
        format!("(SELECT {one} FROM {list})"),
        [format!("[{}]", ids.join(","))],
    );
    column.binary(sea_orm::sea_query::BinOper::In, list)
}

/// `column` contains `word`, whatever signs are in it.
pub(crate) fn contains(column: impl ColumnTrait, word: &str) -> SimpleExpr {
    text_contains(Expr::col(column.as_column_ref()), word)
}

/// `column` contains `word` in any case; `word` is in lower case.
pub(crate) fn contains_in_any_case(column: impl ColumnTrait, word: &str) -> SimpleExpr {
    text_contains(Func::lower(Expr::col(column.as_column_ref())), word)
}

fn text_contains(text: impl ExprTrait, word: &str) -> SimpleExpr {
    text.like(LikeExpr::new(format!("%{}%", escaped(word))).escape('\\'))
}

fn escaped(word: &str) -> String {
    word.replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_")
}

/// Refuses a change that was made on an older version of the row.
pub(crate) fn check_version(current: i64, expected: Option<u64>) -> Result<(), StoreError> {
    let current = current.unsigned_abs();
    match expected {
        Some(expected) if expected != current => Err(StoreError::StaleVersion { current }),
        _ => Ok(()),
    }
}

/// Refuses a change that another one overtook between reading the row and writing it.
pub(crate) fn check_updated(rows_affected: u64, read: i64) -> Result<(), StoreError> {
    if rows_affected == 1 {
        return Ok(());
    }
    let current = read.unsigned_abs() + 1;
    Err(StoreError::StaleVersion { current })
}
