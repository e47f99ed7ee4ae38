//! The pool, the transaction, and what fits both.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionSession, TransactionTrait,
};

use crate::StoreError;

/// The pool of connections that [`connect`](crate::connect) makes. Cheap to clone.
pub type Database = DatabaseConnection;

/// Several calls that happen together or not at all. Rolled back when dropped.
pub type Transaction = DatabaseTransaction;

/// A pool or a transaction, for functions that must be atomic: they open a transaction or, inside
/// one, a savepoint.
pub trait Db: ConnectionTrait + TransactionTrait {}

impl<T: ConnectionTrait + TransactionTrait> Db for T {}

/// Begins a transaction that may write.
///
/// # Errors
///
/// [`StoreError::Database`] if no connection is free in time.
pub async fn begin<D: TransactionTrait>(db: &D) -> Result<D::Transaction, StoreError> {
    // Immediate: a SQLite transaction that reads first and writes later could not wait for the lock.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(db.begin_with_options(options).await?)
}

/// Makes everything done in `transaction` durable.
///
/// # Errors
///
/// [`StoreError::Database`] if the database refuses; then nothing was done.
pub async fn commit<T: TransactionSession>(transaction: T) -> Result<(), StoreError> {
    Ok(transaction.commit().await?)
}
