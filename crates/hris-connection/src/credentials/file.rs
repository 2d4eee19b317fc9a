//! Secrets in one file, each connection's encrypted for itself under one key that lives elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hris_core::{ConnectionKey, CredentialStore, Credentials, Error, ErrorKind, Purged, Result};
use secrecy::{ExposeSecret as _, SecretBox, SecretString, zeroize::Zeroizing};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "hris-credentials";
const VERSION: u32 = 1;

/// The key of a credentials file: 32 bytes that live outside of it.
pub struct CredentialKey(SecretBox<[u8; 32]>);

impl CredentialKey {
    /// A key made of random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// A key from 64 hexadecimal digits, as an environment variable can hold it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for anything else, which is not repeated.
    pub fn from_hex(text: &SecretString) -> Result<Self> {
        let digits = text.expose_secret().trim();
        let mut bytes = [0; 32];
        let pairs = digits.as_bytes().chunks_exact(2);
        let is_hex = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        if is_hex {
            return Ok(Self::new(bytes));
        }
        Err(Error::config(
            "the key of the credentials file is not usable",
            "give 64 hexadecimal digits, such as `openssl rand -hex 32` makes",
        ))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0.expose_secret()))
    }
}

impl fmt::Debug for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialKey")
    }
}

/// Keeps secrets in one file, encrypted and authenticated with XChaCha20-Poly1305.
///
/// Each connection's secrets are an entry of their own, bound to its name, so that none can be put in another's
/// place. The file is written whole beside the old one and then takes its place; it is readable by its owner alone.
/// One process writes it at a time.
///
/// `Debug` shows the path alone.
#[derive(Clone)]
pub struct FileCredentials(Arc<Inner>);

struct Inner {
    path: PathBuf,
    key: CredentialKey,
    /// Held while the file is read and written.
    turn: Mutex<()>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    format: String,
    version: u32,
    /// By tenant, then by connection.
    entries: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// The secrets of one connection, as hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    nonce: String,
    sealed: String,
}

impl FileCredentials {
    /// Opens a file, or starts a new one with the first secret.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for a file that is none of ours, a damaged one, or another key;
    /// [`ErrorKind::Store`] where it cannot be read.
    pub fn open(path: impl Into<PathBuf>, key: CredentialKey) -> Result<Self> {
        let store = Self(Arc::new(Inner { path: path.into(), key, turn: Mutex::new(()) }));
        let contents = store.0.read()?;
        for (tenant, entries) in &contents.entries {
            for (name, entry) in entries {
                store.0.unseal(&ConnectionKey::new(tenant.as_str(), name.as_str()), entry)?;
            }
        }
        Ok(store)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn read(&self) -> Result<Contents> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents {
                    format: FORMAT.to_owned(),
                    version: VERSION,
                    entries: BTreeMap::new(),
                });
            }
            Err(error) => return Err(self.unusable("the credentials file cannot be read", error)),
        };
        let contents: Contents = serde_json::from_str(&text).map_err(|_| self.damaged("it is damaged"))?;
        if contents.format != FORMAT || contents.version != VERSION {
            return Err(self.damaged("it is no credentials file of this version"));
        }
        Ok(contents)
    }

    /// Puts a new file in place of the old one.
    fn write(&self, contents: &Contents) -> Result<()> {
        let mut beside = self.path.as_os_str().to_owned();
        beside.push(".tmp");
        let beside = PathBuf::from(beside);
        let written = write_private(&beside, contents).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|error| {
            // What is left of it is overwritten the next time.
            let _ = fs::remove_file(&beside);
            self.unusable("the credentials file cannot be written", error)
        })?;
        sync_folder(&self.path).map_err(|error| self.unusable("the credentials file may be lost", error))
    }

    fn seal(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<Entry> {
        let plain: BTreeMap<&str, &str> =
            credentials.iter().map(|(name, secret)| (name, secret.expose_secret())).collect();
        let plain = serde_json::to_vec(&plain).map(Zeroizing::new);
        let plain = plain.map_err(|_| Error::new(ErrorKind::Store, "the credentials cannot be written"))?;
        let nonce = XNonce::try_generate()
            .map_err(|_| Error::new(ErrorKind::Store, "the system has no random numbers"))?;
        let bound = bound_to(connection);
        let sealed = self.key.cipher().encrypt(&nonce, Payload { msg: &plain, aad: &bound });
        let sealed =
            sealed.map_err(|_| Error::new(ErrorKind::Store, "the credentials cannot be encrypted"))?;
        Ok(Entry { nonce: to_hex(&nonce), sealed: to_hex(&sealed) })
    }

    fn unseal(&self, connection: &ConnectionKey, entry: &Entry) -> Result<Credentials> {
        let refused = || {
            let why = "its secrets do not open: it is damaged, was altered, or was written with another key";
            self.damaged(why).with_context("connection", connection)
        };
        let nonce = from_hex(&entry.nonce).ok_or_else(refused)?;
        let nonce = XNonce::try_from(nonce.as_slice()).map_err(|_| refused())?;
        let sealed = from_hex(&entry.sealed).ok_or_else(refused)?;
        let bound = bound_to(connection);
        let plain = self.key.cipher().decrypt(&nonce, Payload { msg: &sealed, aad: &bound });
        let plain = plain.map(Zeroizing::new).map_err(|_| refused())?;
        let secrets: BTreeMap<String, SecretString> =
            serde_json::from_slice::<BTreeMap<String, String>>(&plain)
                .map_err(|_| refused())?
                .into_iter()
                .map(|(name, secret)| (name, SecretString::from(secret)))
                .collect();
        Ok(secrets.into_iter().collect())
    }

    fn damaged(&self, why: &'static str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the credentials file cannot be used: {why}"))
            .with_hint("give the key it was written with, or restore it; it was left as it is")
            .with_context("file", self.path.display())
    }

    fn unusable(&self, message: &'static str, error: io::Error) -> Error {
        Error::new(ErrorKind::Store, message)
            .with_hint("check that there is space left and that the folder may be written")
            .with_context("file", self.path.display())
            .with_source(error)
    }
}

/// What an entry is bound to: its connection and the version of the form.
fn bound_to(connection: &ConnectionKey) -> Vec<u8> {
    let (tenant, name) = (connection.tenant().as_str(), connection.connection());
    format!("{FORMAT}/{VERSION}/{}/{tenant}/{name}", tenant.len()).into_bytes()
}

fn write_private(path: &Path, contents: &Contents) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    serde_json::to_writer_pretty(&mut file, contents)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// A rename is on the disk once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder cannot be opened, and the system sees to it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |index: u8| DIGITS.get(usize::from(index)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

impl fmt::Debug for FileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCredentials").field("path", &self.0.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialStore for FileCredentials {
    async fn get(&self, connection: &ConnectionKey) -> Result<Option<Credentials>> {
        let _turn = self.turn();
        let contents = self.0.read()?;
        let entries = contents.entries.get(connection.tenant().as_str());
        let entry = entries.and_then(|entries| entries.get(connection.connection()));
        entry.map(|entry| self.0.unseal(connection, entry)).transpose()
    }

    async fn put(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<()> {
        let _turn = self.turn();
        let mut contents = self.0.read()?;
        let entry = self.0.seal(connection, credentials)?;
        let entries = contents.entries.entry(connection.tenant().as_str().to_owned()).or_default();
        entries.insert(connection.connection().to_owned(), entry);
        self.0.write(&contents)
    }

    async fn purge(&self, connection: &ConnectionKey) -> Result<Purged> {
        let _turn = self.turn();
        let mut contents = self.0.read()?;
        let Some(entries) = contents.entries.get_mut(connection.tenant().as_str()) else {
            return Ok(Purged::Gone);
        };
        if entries.remove(connection.connection()).is_some() {
            contents.entries.retain(|_, entries| !entries.is_empty());
            self.0.write(&contents)?;
        }
        Ok(Purged::Gone)
    }
}
