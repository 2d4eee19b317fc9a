//! The file: opening it, recognising it, bringing it up to date, and running work on it off the async threads.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hris_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::runtime::Handle;

use crate::SqliteOptions;
use crate::error::from_sqlite;

/// Marks a file as ours (`hris` in ASCII), see <https://sqlite.org/pragma.html#pragma_application_id>.
const APPLICATION_ID: i64 = 0x6872_6973;

/// One script per version; the file's `user_version` says how many were run.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
];

/// Pages that the write-ahead log collects before they go to the file: enough that pages which change with every
/// batch are written to the file once for many batches.
const LOG_PAGES: i64 = 4_000;

/// Memory for pages: a large write needs its changed pages at hand, or they are written several times.
const WRITER_CACHE_KIB: i64 = 16 << 10;
const READER_CACHE_KIB: i64 = 4 << 10;

/// Statements kept prepared; there are fewer than this.
const STATEMENTS: usize = 64;

/// How often switching to the write-ahead log is tried while others open the same new file.
const WAL_ATTEMPTS: usize = 16;

/// When a commit is on the disk, so that it outlives a power failure. Either way it outlives a crash of the process.
#[derive(Clone, Copy)]
enum Flush {
    /// Before the call returns. Less would be faster and would let "about to be sent" vanish, so that a create is
    /// sent twice.
    Now,
    /// With a later commit.
    Later,
}

impl Flush {
    /// For `PRAGMA synchronous` with a write-ahead log, see <https://sqlite.org/pragma.html#pragma_synchronous>.
    fn level(self) -> &'static str {
        match self {
            Self::Now => "FULL",
            Self::Later => "NORMAL",
        }
    }
}

/// An open store.
pub(crate) struct Database {
    pub(crate) path: Option<PathBuf>,
    writer: Mutex<Connection>,
    /// Reads go by a connection of their own, so that they never wait for a write. A store in memory has one only.
    reader: Option<Mutex<Connection>>,
}

impl Database {
    pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Self> {
        let opened = Self::open_file(path, options);
        opened.map_err(|error| error.with_context("file", path.display()))
    }

    fn open_file(path: &Path, options: &SqliteOptions) -> Result<Self> {
        create_private(path)?;
        let writer = connect(path, options)?;
        prepare(&writer, options)?;
        use_wal(&writer)?;
        let writer = migrate(writer)?;
        let reader = connect(path, options)?;
        pragma(&reader, "query_only", true)?;
        pragma(&reader, "cache_size", -READER_CACHE_KIB)?;
        Ok(Self { path: Some(path.to_owned()), writer: Mutex::new(writer), reader: Some(Mutex::new(reader)) })
    }

    pub(crate) fn in_memory() -> Result<Self> {
        let writer = Connection::open_in_memory().map_err(from_sqlite)?;
        prepare(&writer, &SqliteOptions::default())?;
        Ok(Self { path: None, writer: Mutex::new(migrate(writer)?), reader: None })
    }

    /// Runs reads that see one state of the store.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = Arc::clone(self);
        blocking(move || {
            let mut reader = lock(database.reader.as_ref().unwrap_or(&database.writer));
            let view = reader.transaction().map_err(from_sqlite)?;
            work(&view)
        })
        .await
    }

    /// Runs writes as one transaction: if `work` fails, none of them happened.
    ///
    /// Once started it runs to its end, also if the future is dropped, so that there is never half a write.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = Arc::clone(self);
        blocking(move || database.transact(Flush::Now, work)).await
    }

    /// As [`Self::write`], for a draft: it may be gone after a power failure, since a draft found then is worthless.
    /// Whatever is written with [`Self::write`] later takes it to the disk as well.
    pub(crate) async fn write_draft<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = Arc::clone(self);
        blocking(move || database.transact(Flush::Later, work)).await
    }

    /// As [`Self::write`], for a write that erases values: leaves no copy of them in the write-ahead log either.
    pub(crate) async fn write_and_purge<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = Arc::clone(self);
        blocking(move || {
            let value = database.transact(Flush::Now, work)?;
            database.purge_log();
            Ok(value)
        })
        .await
    }

    fn transact<T>(&self, flush: Flush, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = lock(&self.writer);
        pragma(&writer, "synchronous", flush.level())?;
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(from_sqlite)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(from_sqlite)?;
        Ok(value)
    }

    /// Empties the write-ahead log. The write itself is done, so a log that cannot be emptied now (a reader in
    /// another process, a full disk) is no failure of it: the next purge or the last close catches up.
    fn purge_log(&self) {
        let writer = lock(&self.writer);
        let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        match busy {
            Ok(false) => {}
            Ok(true) => tracing::debug!("the store's write-ahead log is in use and was not emptied"),
            Err(error) => tracing::warn!(%error, "the store's write-ahead log could not be emptied"),
        }
    }

    /// Looks for damage in the whole file.
    pub(crate) async fn verify(self: &Arc<Self>) -> Result<()> {
        self.read(|view| {
            let found: String =
                view.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(from_sqlite)?;
            let mut orphans = view.prepare("PRAGMA foreign_key_check").map_err(from_sqlite)?;
            if found == "ok" && !orphans.exists([]).map_err(from_sqlite)? {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Integrity, "the store's file is damaged")
                .with_hint("restore it from a backup and do not go on with this one"))
        })
        .await
    }
}

/// A panic in earlier work rolled its transaction back, so the connection is as good as before.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work on a thread that may block; in place where there is no tokio runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let Ok(runtime) = Handle::try_current() else {
        return work();
    };
    runtime.spawn_blocking(work).await.unwrap_or_else(|stopped| {
        let message = if stopped.is_panic() {
            "the store stopped in the middle of a call, which was rolled back"
        } else {
            "the runtime shut down before the store was asked"
        };
        Err(Error::new(ErrorKind::Store, message).with_hint("open the store again"))
    })
}

/// Creates a missing file for this user alone: pending actions have people's values. SQLite gives its log and its
/// shared memory the same permissions.
fn create_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::new(ErrorKind::Store, "the store's file cannot be created")
            .with_hint("check that its folder exists and that this process may write there")
            .with_source(error)),
    }
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    // Neither URIs (a name is a name) nor SQLite's own mutex (a connection is used by one thread at a time).
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    connection.busy_timeout(options.busy_timeout).map_err(from_sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Recognises the file and sets the connection up. Nothing is written yet, so that a foreign file stays as it is.
fn prepare(connection: &Connection, options: &SqliteOptions) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    seen_version(connection)?;
    pragma(connection, "foreign_keys", true)?;
    // What is erased is overwritten, not just marked as free.
    pragma(connection, "secure_delete", true)?;
    // What it takes on macOS to have a commit on the disk, and nothing elsewhere.
    pragma(connection, "fullfsync", true)?;
    pragma(connection, "wal_autocheckpoint", LOG_PAGES)?;
    pragma(connection, "cache_size", -WRITER_CACHE_KIB)?;
    if let Some(bytes) = options.max_bytes {
        let pages = i64::try_from(bytes / page_bytes(connection)?).unwrap_or(i64::MAX);
        pragma(connection, "max_page_count", pages)?;
    }
    Ok(())
}

fn page_bytes(connection: &Connection) -> Result<u64> {
    let bytes = connection.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0));
    bytes.map(u64::from).map_err(from_sqlite)
}

fn pragma(connection: &Connection, name: &str, value: impl rusqlite::ToSql) -> Result<()> {
    // Some pragmas answer the value that took effect and some do not.
    connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(from_sqlite(error)),
    })
}

/// Readers and one writer at a time, across processes.
fn use_wal(connection: &Connection) -> Result<()> {
    for _ in 0..WAL_ATTEMPTS {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                // Somebody else opens the same new file. SQLite does not wait here, but it does for a transaction.
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").map_err(from_sqlite)?;
            }
            Err(error) => return Err(from_sqlite(error)),
            Ok(_) => break,
        }
    }
    Err(Error::new(ErrorKind::Store, "the store's file cannot have a write-ahead log")
        .with_hint("put it on a local disk: network file systems lack what the log needs"))
}

/// Brings the file up to date, or fills a new one, in one transaction.
fn migrate(mut connection: Connection) -> Result<Connection> {
    if seen_version(&connection)? < MIGRATIONS.len() {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(from_sqlite)?;
        // Asked again now that nobody else can write: another process may have been faster.
        let missing = MIGRATIONS.iter().skip(version(&transaction)?);
        for script in missing {
            transaction.execute_batch(script).map_err(from_sqlite)?;
        }
        pragma(&transaction, "application_id", APPLICATION_ID)?;
        pragma(&transaction, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or_default())?;
        transaction.commit().map_err(from_sqlite)?;
    }
    Ok(connection)
}

/// The version of the file as of one instant, since another process may be filling it right now.
fn seen_version(connection: &Connection) -> Result<usize> {
    let view = connection.unchecked_transaction().map_err(from_sqlite)?;
    version(&view)
}

/// The version of the file: 0 if it is new. A file of another application or of a newer version is refused.
fn version(connection: &Connection) -> Result<usize> {
    let number = |name| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(from_sqlite)
    };
    let version = number("user_version")?;
    if number("application_id")? != APPLICATION_ID {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(from_sqlite)?;
        if version == 0 && tables == 0 {
            return Ok(0);
        }
        return Err(Error::new(ErrorKind::Integrity, "the file belongs to another application")
            .with_hint("name another file for the store"));
    }
    let known = usize::try_from(version).ok().filter(|version| *version <= MIGRATIONS.len());
    known.ok_or_else(|| {
        Error::new(ErrorKind::Integrity, "a newer version of this library wrote the store's file")
            .with_hint("upgrade this library; the file was left as it is")
            .with_context("version", version)
            .with_context("known", MIGRATIONS.len())
    })
}
