//! Many rows in few statements.

/// Rows in one statement, largest first. Few sizes make few statements, which every connection prepares once and keeps, a large one with
/// a quarter of a megabyte; PostgreSQL and SQLite take 32,766 values at most.
const ROWS_PER_STATEMENT: [usize; 5] = [256, 64, 16, 4, 1];

/// How many of `rows` rows the next statement takes.
pub(crate) fn fitting(rows: usize) -> usize {
    let fits = |size: &usize| *size <= rows;
    ROWS_PER_STATEMENT.into_iter().find(fits).unwrap_or(rows)
}
