//! The file: locking it, reading it with suspicion, and replacing it whole.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use hris_core::{Attributes, Error, ErrorKind, MemberRecord, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::members::{Clash, ID_PREFIX, Kept, Members};

const FORMAT: &str = "hris-members";
const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    format: Cow<'a, str>,
    version: u32,
    /// How many lines follow, so that a file that lost its end is noticed.
    members: usize,
    next_id: u64,
}

/// One member.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: Cow<'a, str>,
    active: bool,
    closes_on: Option<NaiveDate>,
    invitations: u64,
    attributes: Cow<'a, Attributes>,
}

/// How a write failed.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The old file is still there.
    NotWritten(Error),
    /// The new file is in place, but may not outlive a power failure.
    MayBeLost(Error),
}

/// Where members are kept. Dropping it lets go of the lock.
#[derive(Debug)]
pub(crate) struct MemberFile {
    pub(crate) path: PathBuf,
    /// Held locked; `None` where nothing is ever written.
    lock: Option<File>,
}

impl MemberFile {
    /// Locks the file for this process.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        let path = resolved(path)?;
        let beside = with_suffix(&path, ".lock");
        let lock = private().read(true).create(true).truncate(false).open(&beside);
        let lock = lock.map_err(|error| unusable("the lock file cannot be opened", &beside, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(ErrorKind::Leased, "another process is using this file of members")
                    .with_hint("wait until it is done")
                    .with_context("file", path.display()))
            }
            Err(TryLockError::Error(error)) => Err(unusable("the file cannot be locked", &beside, error)),
        }
    }

    /// Only looks at the file.
    pub(crate) fn unlocked(path: &Path) -> Result<Self> {
        Ok(Self { path: resolved(path)?, lock: None })
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.lock.is_none()
    }

    /// Reads all members; none where there is no file yet.
    pub(crate) fn read(&self) -> Result<Members> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Members::default()),
            Err(error) => return Err(unusable("the file of members cannot be read", &self.path, error)),
        };
        let mut lines = Lines { path: &self.path, input: BufReader::new(file), number: 0, line: Vec::new() };
        let header: Header<'static> = match lines.next()? {
            Some(line) => line,
            None => return Err(lines.damaged("the file is empty")),
        };
        lines.check(&header)?;
        let (expected, next_id) = (header.members, header.next_id);
        let mut members = Members::starting_at(next_id);
        while let Some(line) = lines.next::<Line<'static>>()? {
            if line.number().is_some_and(|number| number >= next_id) {
                return Err(lines.damaged("the id is one that the first line calls free"));
            }
            let kept = line.into_kept();
            members.add(kept).map_err(|clash| lines.damaged(describe(clash)))?;
        }
        if members.len() == expected {
            return Ok(members);
        }
        let found = members.len();
        Err(lines.damaged(format!("there are {found} members where the first line says {expected}")))
    }

    /// Puts a new file in place of the old one.
    pub(crate) fn write(&self, members: &Members) -> Result<(), WriteError> {
        let beside = with_suffix(&self.path, ".tmp");
        let written = self.write_beside(&beside, members).and_then(|()| fs::rename(&beside, &self.path));
        if let Err(error) = written {
            // What is left of it is overwritten by the next batch.
            let _ = fs::remove_file(&beside);
            let error = unusable("the file of members cannot be written", &self.path, error);
            return Err(WriteError::NotWritten(
                error.with_hint("check that there is space left and that the folder may be written"),
            ));
        }
        sync_folder(&self.path).map_err(|error| {
            let message = "it cannot be told whether the file of members outlives a power failure";
            WriteError::MayBeLost(unusable(message, &self.path, error))
        })
    }

    fn write_beside(&self, beside: &Path, members: &Members) -> io::Result<()> {
        let file = private().create(true).truncate(true).open(beside)?;
        if let Ok(metadata) = fs::metadata(&self.path) {
            file.set_permissions(metadata.permissions())?;
        }
        let mut out = BufWriter::new(file);
        let header = Header {
            format: FORMAT.into(),
            version: VERSION,
            members: members.len(),
            next_id: members.next_id,
        };
        serde_json::to_writer(&mut out, &header)?;
        for kept in members.iter(None) {
            out.write_all(b"\n")?;
            serde_json::to_writer(&mut out, &Line::of(kept))?;
        }
        out.write_all(b"\n")?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl<'a> Line<'a> {
    fn of(kept: &'a Kept) -> Self {
        let record = &kept.record;
        Self {
            id: record.id.as_str().into(),
            active: record.active,
            closes_on: record.closes_on,
            invitations: kept.invitations,
            attributes: Cow::Borrowed(&record.attributes),
        }
    }

    /// The number in an id that was given here.
    fn number(&self) -> Option<u64> {
        self.id.strip_prefix(ID_PREFIX)?.parse().ok()
    }

    fn into_kept(self) -> Kept {
        // Merging leaves out what is null.
        let mut attributes = Attributes::new();
        attributes.merge(&self.attributes);
        let mut record = MemberRecord::new(self.id.into_owned(), attributes);
        record.active = self.active;
        record.closes_on = self.closes_on;
        Kept { record, invitations: self.invitations }
    }
}

/// The lines of a file, counted for errors.
struct Lines<'a> {
    path: &'a Path,
    input: BufReader<File>,
    number: u64,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// The next line; `None` after the last one.
    fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.line.clear();
        let read = self.input.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| unusable("the file of members cannot be read", self.path, error))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        // The reader's own message may quote a person's data, so that only the place is told.
        serde_json::from_slice(&self.line).map(Some).map_err(|error| {
            let place = format!("the line cannot be read from column {}", error.column());
            damaged(place, self.path, self.number)
        })
    }

    fn check(&self, header: &Header<'_>) -> Result<()> {
        if header.format != FORMAT {
            return Err(self.damaged("this is not a file of members"));
        }
        if header.version != VERSION {
            return Err(self.damaged(format!("the file has version {}, not {VERSION}", header.version)));
        }
        Ok(())
    }

    fn damaged(&self, what: impl Into<Cow<'static, str>>) -> Error {
        damaged(what, self.path, self.number)
    }
}

fn describe(clash: Clash) -> &'static str {
    match clash {
        Clash::Id => "an earlier line has the same id",
        Clash::EmployeeId => "an earlier line has the same Employee ID",
        Clash::Email => "an earlier line has the same e-mail address",
    }
}

fn damaged(what: impl Into<Cow<'static, str>>, path: &Path, line: u64) -> Error {
    Error::new(ErrorKind::Integrity, what)
        .with_hint("put a good copy in its place; nothing was written to it")
        .with_context("file", path.display())
        .with_context("line", line)
}

fn unusable(message: &'static str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, message)
        .with_retryable(false)
        .with_context("file", path.display())
        .with_context("cause", error.kind())
        .with_source(error)
}

/// The file itself where the path is a link, since renaming would replace the link.
fn resolved(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(unusable("the file of members cannot be reached", path, error)),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file is made readable by its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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
