//! The connection file: its form, its checks, its JSON schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hris::SecretRef;
use hris::core::{Error, ErrorKind, FieldMap, FieldRule, MappingDocument, Result, ScopeFilter, TargetField};
use hris::sync::Policy;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A commented example, which is also the default policy and a usual mapping.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// One connection between an HR system and a file of members or a platform.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "hrisctl connection file")]
pub(crate) struct ConnectionFile {
    /// The customer in whose name the connection runs.
    pub(crate) tenant: String,
    /// The connection's name within the tenant.
    pub(crate) connection: String,
    /// The HR system's name, as listed by `hrisctl vendors`.
    pub(crate) vendor: String,
    /// The vendor's own options, such as `region` or `base_url`.
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
    /// References to the vendor's secrets by name: `env:NAME` is the environment variable NAME.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SecretReference>")]
    pub(crate) credentials: BTreeMap<String, SecretRef>,
    /// What is remembered between runs.
    #[serde(default)]
    pub(crate) store: Option<Store>,
    /// Where members are written to.
    #[serde(default)]
    pub(crate) target: Option<Target>,
    /// What becomes of which field. Left out: the usual fields, each from the one of the same meaning.
    #[serde(default)]
    #[schemars(with = "Option<Vec<FieldRule>>")]
    mapping: Option<Value>,
    /// Whom the connection is for. Left out: everybody.
    #[serde(default)]
    #[schemars(with = "Option<ScopeFilter>")]
    scope: Option<Value>,
    /// Guards and invitations. Left out: the defaults.
    #[serde(default)]
    #[schemars(with = "PolicyTable")]
    pub(crate) policy: Policy,
}

/// A SQLite file and the key of the fingerprints in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// The SQLite file, relative to the connection file.
    pub(crate) path: PathBuf,
    /// A reference to 64 hexadecimal digits. Whoever has the store but not the key cannot tell values from it.
    #[schemars(with = "SecretReference")]
    pub(crate) key: SecretRef,
}

/// Where members are written to: a file, or a platform over SCIM 2.0.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// What kind of target it is (`file`).
    #[serde(default)]
    pub(crate) kind: TargetKind,
    /// `file`: the JSON-lines file, relative to the connection file.
    pub(crate) path: Option<PathBuf>,
    /// `file`: from how many days after the closing an account is gone for good (60).
    pub(crate) close_down_days: Option<u32>,
    /// `scim`: a reference to the programme's token.
    #[schemars(with = "Option<SecretReference>")]
    pub(crate) token: Option<SecretRef>,
    /// `scim`: the options of a SCIM target, `endpoint` and `profile` among them.
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
}

/// The kinds of targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetKind {
    /// A file of JSON lines.
    #[default]
    File,
    /// A platform over SCIM 2.0.
    Scim,
}

impl ConnectionFile {
    /// Reads a connection file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = "name it with `--connection FILE`; `hrisctl example` prints one to start from";
            Error::config("the connection file cannot be read", hint)
                .with_context("file", path.display())
                .with_source(error)
        })?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            // The line is named and not shown: a secret may stand there by mistake.
            Error::new(ErrorKind::Config, "the connection file is not usable")
                .with_hint(without_value(error.message()).to_owned())
                .with_context("file", path.display())
                .with_context("line", line)
        })
    }

    /// The mapping and the filter, checked; everything that is wrong with them is told at once. What the target has
    /// no place for may not be mapped, and is left out of the usual fields.
    pub(crate) fn mapping(&self, writes: impl Fn(&TargetField) -> bool) -> Result<FieldMap> {
        let usual = || {
            let rules = FieldMap::standard().rules().to_vec();
            json!(rules.into_iter().filter(|rule| writes(&rule.target)).collect::<Vec<_>>())
        };
        let fields = self.mapping.clone().unwrap_or_else(usual);
        let scope = self.scope.clone().unwrap_or_else(|| json!({}));
        let mapping = MappingDocument::from_value(
            json!({ "format": MappingDocument::FORMAT, "fields": fields, "scope": scope }),
        )?
        .build()?;
        match mapping.rules().iter().find(|rule| !writes(&rule.target)) {
            None => Ok(mapping),
            Some(rule) => Err(Error::config(
                format!("the target has no place for `{}`", rule.target),
                "give it one under `[target.options.attributes]`, or do not map it",
            )),
        }
    }
}

/// A reader's message without the value that it found.
fn without_value(message: &str) -> &str {
    let quotes = ["invalid type", "invalid value", "unknown variant"];
    let has_value = quotes.iter().any(|quote| message.starts_with(quote));
    let expected = message.rfind("expected ").filter(|_| has_value);
    expected.map_or(message, |at| &message[at..])
}

/// The JSON schema of connection files.
pub(crate) fn schema() -> Schema {
    schema_for!(ConnectionFile)
}

/// The JSON schema of mapping documents.
pub(crate) fn mapping_schema() -> Schema {
    schema_for!(MappingDocument)
}

/// A reference to a secret: `env:NAME` is the environment variable NAME.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[expect(dead_code, reason = "only its schema is used")]
struct SecretReference(#[schemars(regex(pattern = "^env:[A-Za-z_][A-Za-z0-9_]*$"))] String);

/// Guards and invitations.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(deny_unknown_fields)]
struct PolicyTable {
    /// Whether new members are invited (yes).
    invite: Option<bool>,
    /// By which rules a member who is there already is taken for a person (Employee ID, then e-mail address).
    matching: Option<Vec<MatchRule>>,
    /// How many may leave in one run (10 %, between 3 and 500).
    leavers: Option<Limit>,
    /// How many may be created in one run, first imports excepted (no limit).
    creates: Option<Limit>,
    /// How many e-mail addresses may change in one run (no limit).
    email_changes: Option<Limit>,
    /// By how many percent a complete reading may shrink against the one before (20).
    shrink_percent: Option<u8>,
    /// What a reading that broke off may do (`apply_nothing`).
    broken_reading: Option<BrokenReading>,
    /// How many Employee IDs of known members may change in one run (no limit).
    re_keys: Option<Limit>,
    /// For how many members one attribute may be emptied in one run (20 %, 10 at least).
    emptied: Option<Limit>,
    /// Whether the end date has a say in who leaves (`warns`).
    end_date: Option<EndDate>,
    /// What becomes of known people who are missing from complete listings (`report`).
    absence: Option<Absence>,
    /// Members who are neither changed nor closed, by Employee ID (none).
    protected: Option<Vec<String>>,
    /// Kinds of action that are shown as blocked and not carried out (none).
    switched_off: Option<Vec<Switch>>,
    /// What a verify run does about members who are gone from the platform (`report`).
    vanished: Option<Vanished>,
    /// Whether runs read only what changed where that is enough (no: they read everyone).
    incremental: Option<Incremental>,
    /// What becomes of a member whom the scope filter does not let in any more (`stay`).
    left_scope: Option<LeftScope>,
    /// How many days before their start pending people are created (never).
    create_before_start_days: Option<u16>,
    /// How many seconds a plan may wait to be applied (a week).
    plan_expires_after: Option<u64>,
}

/// A limit in people: a percentage of the active members, between a floor and a ceiling.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(deny_unknown_fields)]
struct Limit {
    /// Allowed however few people there are.
    at_least: u64,
    /// Percentage of the linked active members, rounded down.
    percent: u8,
    /// Never more than this.
    at_most: u64,
}

/// Whether the end date has a say in who leaves.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum EndDate {
    Warns,
    /// Nobody leaves before the end of their last day where they work, and everybody does then.
    Decides {
        /// The zone of people for whom the HR system names none.
        time_zone: String,
    },
}

/// A rule by which a member is taken for a person: they agree in all of these attributes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(deny_unknown_fields)]
struct MatchRule {
    /// The attributes, Employee ID or e-mail address among them.
    all: Vec<String>,
    /// Whether the member may have another Employee ID, which is changed then.
    any_employee_id: Option<bool>,
}

/// What becomes of known people who are missing from complete listings.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum Absence {
    Report,
    /// They leave once they missed so many complete listings in a row and a read of that very person confirms it.
    Leave {
        complete_runs: u32,
    },
}

/// A kind of action.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum Switch {
    Create,
    Adopt,
    Update,
    Leave,
    Reactivate,
}

/// What a verify run does about members who are not on the platform any more.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum Vanished {
    Report,
    Recreate,
}

/// How readings of changes are used.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(deny_unknown_fields)]
struct Incremental {
    /// The days after which everyone is read (7).
    full_after_days: Option<u16>,
    /// How many seconds earlier than the watermark reading starts (300).
    overlap: Option<u64>,
    /// Up to how many people, about whom something was left open, are asked for one by one (200).
    reread_at_most: Option<usize>,
}

/// What a reading that broke off may do. It never makes a leaver.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum BrokenReading {
    ApplyNothing,
    ApplyCreatesAndUpdates,
}

/// What becomes of a member whom the scope filter does not let in any more.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename_all = "snake_case")]
enum LeftScope {
    /// They stay as they are, and are reported.
    Stay,
    /// They leave, under the guard on leavers.
    Leave,
}
