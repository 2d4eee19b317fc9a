//! What SQLite reports, in this library's words. No message here holds a value of a row.

use hris_core::{ActionId, ConnectionKey, Error, ErrorKind, PlanId};
use rusqlite::ErrorCode;

/// Turns an error of SQLite into one that says what to do.
pub(crate) fn from_sqlite(error: rusqlite::Error) -> Error {
    use rusqlite::Error as Sqlite;
    let (kind, message, hint) = match &error {
        Sqlite::SqliteFailure(failure, _) => describe(failure.code),
        Sqlite::FromSqlConversionFailure(..)
        | Sqlite::IntegralValueOutOfRange(..)
        | Sqlite::InvalidColumnType(..)
        | Sqlite::Utf8Error(..) => DAMAGED,
        _ => FAILED,
    };
    // Another process that writes is waited for; when that took too long, it may be over a little later.
    let retryable =
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
    Error::new(kind, message).with_hint(hint).with_retryable(retryable).with_source(error)
}

type Description = (ErrorKind, &'static str, &'static str);

const DAMAGED: Description = (
    ErrorKind::Integrity,
    "the store's file is damaged",
    "restore it from a backup and do not go on with this one",
);

const FAILED: Description =
    (ErrorKind::Store, "the store failed", "see the cause; nothing of this call was written");

fn describe(code: ErrorCode) -> Description {
    match code {
        ErrorCode::NotADatabase => (
            ErrorKind::Integrity,
            "the file is no store of this library",
            "name the right file, or restore it from a backup",
        ),
        ErrorCode::DatabaseCorrupt => DAMAGED,
        ErrorCode::DiskFull => (
            ErrorKind::Store,
            "there is no room left for the store",
            "free space on its disk or raise its size limit; nothing of this call was written",
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Store,
            "another process kept the store's file locked for too long",
            "try again, or give up what holds the file; nothing of this call was written",
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (
            ErrorKind::Store,
            "the store's file may not be written",
            "give this process the right to write the file and its folder",
        ),
        ErrorCode::CannotOpen => (
            ErrorKind::Store,
            "the store's file cannot be opened",
            "check that its folder exists and that this process may write there",
        ),
        ErrorCode::SystemIoFailure => (
            ErrorKind::Store,
            "the disk failed while the store was used",
            "check the disk; nothing of this call was written",
        ),
        _ => FAILED,
    }
}

pub(crate) fn leased(message: &'static str) -> Error {
    Error::new(ErrorKind::Leased, message).with_hint("leave this connection to the run that holds it")
}

pub(crate) fn no_plan(plan: &PlanId) -> Error {
    Error::new(ErrorKind::NotFound, "this connection has no such plan")
        .with_hint("look at its open plans")
        .with_context("plan", plan)
}

pub(crate) fn no_action(plan: &PlanId, action: &ActionId) -> Error {
    Error::new(ErrorKind::NotFound, "the plan has no such action")
        .with_hint("read the plan's actions again")
        .with_context("plan", plan)
        .with_context("action", action)
}

pub(crate) fn stale(message: &'static str, plan: &PlanId) -> Error {
    Error::new(ErrorKind::Stale, message).with_hint("make a new plan").with_context("plan", plan)
}

pub(crate) fn settled(plan: &PlanId, action: &ActionId) -> Error {
    Error::new(ErrorKind::Stale, "the action is final already")
        .with_hint("read the plan's actions again")
        .with_context("plan", plan)
        .with_context("action", action)
}

pub(crate) fn foreign(lease: &ConnectionKey, written: &ConnectionKey) -> Error {
    Error::new(ErrorKind::Invalid, "what is to be written belongs to another connection than the lease")
        .with_hint("take the lease of the connection that is written to")
        .with_context("lease", lease)
        .with_context("written", written)
}
