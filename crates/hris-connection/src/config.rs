//! A connection's configuration as a document: versioned, without secrets and people, with a JSON schema.

use std::borrow::Cow;

use hris_core::descriptor::Integration;
use hris_core::{ConnectionKey, Error, MappingDocument, Result};
use hris_sync::Policy;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::schedule::Schedule;
use crate::setup::DateFormat;

/// What the document is, in its first line.
const FORMAT: &str = "hris-connection";
/// The version that this code writes.
const VERSION: u32 = 1;
/// Parts of option names that are at home in a credential store.
const SECRETIVE: &[&str] = &["secret", "password", "token", "api_key", "apikey", "private_key", "credential"];

/// A connection's configuration, to keep under version control or to carry to another environment.
///
/// It has what was chosen: vendor, options, schedule, date format, welcome message, mapping and policy. It has no
/// secret, no account, nobody's name or address, and nothing of what ran. Importing it makes a draft, which is
/// authorised, reviewed and published like any other.
///
/// ```
/// use hris_connection::{Connection, ConnectionConfig};
/// use hris_core::descriptor::Integration;
/// use hris_core::{ConnectionKey, Descriptor, RecordIdKind};
/// let facts = Descriptor::new("acme", "Acme HR", RecordIdKind::new("acme.id"));
/// let acme = Integration::new(&facts, "Reads the people of one company in Acme.");
/// let draft = Connection::draft(ConnectionKey::new("brisa", "acme"), &acme);
/// let json = draft.export()?.to_json()?;
/// let copy = ConnectionConfig::from_json(&json)?.into_draft(ConnectionKey::new("brisa", "copy"), &acme)?;
/// assert_eq!(copy.setup().welcome, draft.setup().welcome);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Configuration of a connection")]
pub struct ConnectionConfig {
    /// Always `hris-connection`.
    #[schemars(with = "FormatName")]
    format: Cow<'static, str>,
    /// The version of this form.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// The HR system's short name, such as `sesame`.
    pub vendor: String,
    /// The vendor's own options, such as a region. Never a secret.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// When imports happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How dates are written in free text, where that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_format: Option<DateFormat>,
    /// Whether new members get a welcome message.
    #[serde(default = "yes")]
    pub welcome: bool,
    /// Where each attribute comes from, and whom the connection is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingDocument>,
    /// Guards and the like; what is left out has its default.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub policy: Policy,
}

fn yes() -> bool {
    true
}

impl Connection {
    /// The configuration of this connection: the mapping that is live, or the one being worked on.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] if an option's name says that its value is a secret.
    pub fn export(&self) -> Result<ConnectionConfig> {
        check_options(&self.options)?;
        Ok(ConnectionConfig {
            format: FORMAT.into(),
            version: VERSION,
            vendor: self.vendor.clone(),
            options: self.options.clone(),
            schedule: self.setup.schedule.clone(),
            date_format: self.setup.date_format,
            welcome: self.setup.welcome,
            mapping: self.draft_document().cloned(),
            policy: self.policy.clone(),
        })
    }
}

impl ConnectionConfig {
    /// Reads a document.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] with the place where it is wrong and never with what stands there, which may
    /// be a secret in the wrong place.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_str(json).map_err(|error| unreadable(&error))?;
        if head.format != FORMAT {
            return Err(Error::config(
                "this is no configuration of a connection",
                format!("its `format` has to be `{FORMAT}`"),
            ));
        }
        if head.version > VERSION {
            return Err(Error::config(
                format!("the configuration has version {}, not {VERSION}", head.version),
                "upgrade this library",
            ));
        }
        let config: Self = serde_json::from_str(json).map_err(|error| unreadable(&error))?;
        check_options(&config.options)?;
        Ok(config)
    }

    /// Writes the document, for people to read.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|_| Error::config("the configuration cannot be written as JSON", "look at its options"))
    }

    /// The JSON schema of the document.
    pub fn schema() -> Schema {
        schema_for!(Self)
    }

    /// A draft with this configuration.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] if the configuration is another vendor's.
    pub fn into_draft(self, key: ConnectionKey, vendor: &Integration) -> Result<Connection> {
        if self.vendor != vendor.vendor {
            return Err(Error::config(
                format!("the configuration is for `{}`, not for `{}`", self.vendor, vendor.vendor),
                "import it for the vendor that it names",
            ));
        }
        let mut draft = Connection::draft(key, vendor).with_options(self.options).with_policy(self.policy);
        draft.setup.schedule = self.schedule;
        draft.setup.date_format = self.date_format.filter(|_| vendor.asks_date_format);
        draft.setup.welcome = self.welcome;
        draft.draft = self.mapping;
        Ok(draft)
    }
}

fn check_options(options: &Map<String, Value>) -> Result<()> {
    let secretive = |name: &&String| SECRETIVE.iter().any(|part| name.to_ascii_lowercase().contains(part));
    match options.keys().find(secretive) {
        None => Ok(()),
        Some(name) => Err(Error::config(
            format!("the option `{name}` looks like a secret"),
            "keep secrets among the credentials, where no configuration shows them",
        )),
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::config(
        "the configuration cannot be read",
        "see the schema; the place is named and its content is not shown",
    )
    .with_context("line", error.line())
    .with_context("column", error.column())
}

/// The name of the format.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[expect(dead_code, reason = "only its schema is used")]
struct FormatName(#[schemars(regex(pattern = "^hris-connection$"))] String);
