//! From a connection file to the parts of the library: connector, store, target, key, engine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;
use hris::core::keys::{Fingerprinter, KeyId};
use hris::core::{
    ConnectionKey, Error, FieldMap, HrisConnector, Problem, ProvisioningTarget, RunId, SecretKey,
    SharedClock, StateStore,
};
use hris::http::{SystemClock, Transport};
use hris::store_memory::MemoryStore;
use hris::store_sqlite::SqliteStore;
use hris::sync::{Cancel, Engine};
use hris::target_file::FileTarget;
use hris::target_scim::{ScimTarget, TokenScope};
use hris::{Credentials, Registry};
use hris_examples::Bar;
use secrecy::{ExposeSecret as _, SecretString};

use crate::connection::{ConnectionFile, Store, Target, TargetKind};
use crate::failure::Result;

/// A connection file that was read; the parts are made when a command needs them.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    connection: ConnectionFile,
    registry: &'a Registry,
    /// Paths are relative to the connection file.
    folder: PathBuf,
    clock: SharedClock,
    /// The platform, once an engine has it.
    platform: OnceLock<ScimTarget>,
    pub(crate) bar: Arc<Bar>,
}

/// What an engine may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads store and target, and leaves no trace in either, not even a new file.
    Look,
    /// Reads and writes; no other process may have the target meanwhile.
    Write,
}

impl<'a> Setup<'a> {
    /// Reads the connection file. `base_url` takes the place of what it says.
    pub(crate) fn read(path: &Path, base_url: Option<&str>, registry: &'a Registry) -> Result<Self> {
        let mut connection = ConnectionFile::read(path)?;
        if let Some(url) = base_url {
            connection.options.insert("base_url".to_owned(), url.into());
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (clock, bar) = (Arc::new(SystemClock::new()), Arc::new(Bar::default()));
        Ok(Self { connection, registry, folder, clock, platform: OnceLock::new(), bar })
    }

    /// The connector. Nothing is sent yet.
    pub(crate) fn connector(&self) -> Result<Arc<dyn HrisConnector>> {
        let ConnectionFile { vendor, options, credentials, .. } = &self.connection;
        let credentials = Credentials::resolve(credentials, variable)?;
        Ok(self.registry.build(vendor, options, &credentials, &self.transport()?)?)
    }

    fn transport(&self) -> Result<Transport> {
        let transport = Transport::builder()
            .with_user_agent(concat!("hrisctl/", env!("CARGO_PKG_VERSION")))
            .with_clock(Arc::clone(&self.clock));
        Ok(transport.build()?)
    }

    /// The mapping, checked against what the target has places for.
    pub(crate) fn mapping(&self) -> Result<FieldMap> {
        let is_scim = self.connection.target.as_ref().is_some_and(|target| target.kind == TargetKind::Scim);
        let platform = if is_scim { Some(self.scim_without_token()?) } else { None };
        Ok(self.connection.mapping(|field| platform.as_ref().is_none_or(|target| target.writes(field)))?)
    }

    /// Under which key the store knows this connection.
    pub(crate) fn key(&self) -> ConnectionKey {
        ConnectionKey::new(&*self.connection.tenant, &*self.connection.connection)
    }

    /// An engine, and the way to stop it.
    pub(crate) fn engine(&self, access: Access) -> Result<Engine> {
        let store = self.store_table()?;
        let key = secret_key(store)?;
        let connector = self.connector()?;
        let target = self.target(access)?;
        let mapping = Arc::new(self.mapping()?);
        let engine = Engine::new(
            self.key(),
            connector,
            mapping,
            target,
            self.store(store, access)?,
            Arc::new(key),
            Arc::clone(&self.clock),
        );
        let engine = engine.with_policy(self.connection.policy.clone());
        Ok(engine.with_progress(Arc::clone(&self.bar) as _).with_cancel(cancel_on_interrupt()))
    }

    fn target(&self, access: Access) -> Result<Arc<dyn ProvisioningTarget>> {
        let table = self.target_table()?;
        match table.kind {
            TargetKind::File => self.file(table, access),
            TargetKind::Scim => {
                let target = self.scim(table, access)?;
                Ok(Arc::new(self.platform.get_or_init(|| target).clone()))
            }
        }
    }

    fn file(&self, table: &Target, access: Access) -> Result<Arc<dyn ProvisioningTarget>> {
        let path = table.path.as_ref().ok_or_else(|| {
            Error::config("the target names no file", "set `path`, or `kind = \"scim\"` for a platform")
        })?;
        let path = self.folder.join(path);
        let target = match access {
            Access::Look => FileTarget::read_only(path, Arc::clone(&self.clock))?,
            Access::Write => FileTarget::open(path, Arc::clone(&self.clock))?,
        };
        Ok(Arc::new(target.with_close_down_days(Some(table.close_down_days.unwrap_or(60)))))
    }

    /// The platform, if members are written to one and not to a file.
    pub(crate) fn scim_target(&self) -> Result<Option<ScimTarget>> {
        match &self.connection.target {
            Some(table) if table.kind == TargetKind::Scim => Ok(Some(self.scim(table, Access::Write)?)),
            _ => Ok(None),
        }
    }

    fn scim(&self, table: &Target, access: Access) -> Result<ScimTarget> {
        let token = table.token.as_ref().ok_or_else(|| {
            Error::config("the target names no token", "add `token = \"env:NAME\"` to `[target]`")
        })?;
        let config = hris::targets::scim(&table.options)?;
        // A dry run changes nothing, whatever the token may do.
        let config = if access == Access::Look { config.with_scope(TokenScope::ReadOnly) } else { config };
        Ok(config.build(&token.resolve(variable)?, &self.transport()?)?)
    }

    /// For what can be told without asking the platform.
    fn scim_without_token(&self) -> Result<ScimTarget> {
        let config = hris::targets::scim(&self.target_table()?.options)?;
        Ok(config.build(&"none".into(), &self.transport()?)?)
    }

    /// What the platform has to tell of a run beside its report.
    pub(crate) fn end_run(&self) -> Vec<Problem> {
        self.platform.get().map(ScimTarget::take_problems).unwrap_or_default()
    }

    /// The store of earlier runs.
    pub(crate) fn existing_store(&self) -> Result<SqliteStore> {
        let path = self.folder.join(&self.store_table()?.path);
        if !path.exists() {
            let hint = "`hrisctl plan --save` and `hrisctl apply` make it";
            return Err(Error::config("there is no store yet", hint)
                .with_context("file", path.display())
                .into());
        }
        Ok(SqliteStore::open(path)?)
    }

    fn store(&self, table: &Store, access: Access) -> Result<Arc<dyn StateStore>> {
        let path = self.folder.join(&table.path);
        if access == Access::Look && !path.exists() {
            return Ok(Arc::new(MemoryStore::new()));
        }
        Ok(Arc::new(SqliteStore::open(path)?))
    }

    fn store_table(&self) -> Result<&Store> {
        let hint = "add `[store]` with `path` and `key`; see `hrisctl example`";
        let table = self.connection.store.as_ref();
        Ok(table.ok_or_else(|| Error::config("the connection file names no store", hint))?)
    }

    fn target_table(&self) -> Result<&Target> {
        let hint = "add `[target]` with `path`, or `kind` and what it needs; see `hrisctl example`";
        let table = self.connection.target.as_ref();
        Ok(table.ok_or_else(|| Error::config("the connection file names no target", hint))?)
    }

    /// The date for which to plan.
    pub(crate) fn as_of(&self, wanted: Option<NaiveDate>) -> NaiveDate {
        wanted.unwrap_or_else(|| self.clock.now().date_naive())
    }

    /// A name for a run that no other run has.
    pub(crate) fn new_run(&self) -> RunId {
        let now = self.clock.now().format("%Y%m%dT%H%M%S%.3fZ");
        RunId::from(format!("{now}-{}", std::process::id()))
    }
}

/// An error is printed where the bar was.
impl Drop for Setup<'_> {
    fn drop(&mut self) {
        self.bar.finish();
    }
}

/// A secret from the environment.
#[expect(clippy::disallowed_methods, reason = "this is the application")]
fn variable(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().map(SecretString::from)
}

fn secret_key(store: &Store) -> Result<SecretKey> {
    let hint = "make one with `openssl rand -hex 32`, and keep it as long as the store";
    let text = store.key.resolve(variable).map_err(|error| error.with_hint(hint))?;
    let bytes = hex(text.expose_secret().trim()).ok_or_else(|| {
        Error::config("the key is not 64 hexadecimal digits", hint).with_context("variable", store.key.name())
    })?;
    // Named after its content, so that another key for the same store is noticed and called so.
    let unnamed = SecretKey::new(KeyId::new(""), bytes);
    let digest = Fingerprinter::new(&unnamed, &ConnectionKey::new("hrisctl", "key")).digester().finish();
    Ok(SecretKey::new(KeyId::new(format!("key-{}", &digest[..8])), bytes))
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The first Ctrl-C lets a run stop where the next one can go on, the second one ends the program.
fn cancel_on_interrupt() -> Cancel {
    let cancel = Cancel::new();
    let asked = cancel.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if asked.is_cancelled() {
                std::process::exit(130);
            }
            asked.cancel();
        }
    });
    cancel
}
