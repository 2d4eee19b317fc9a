//! The settings of a SessionM tenant: checked when a client is built, before anything is sent.
//!
//! They hold no secret, so that they can be stored and shown; keys are handed over beside them as
//! [`Credentials`](crate::Credentials).

mod base;
mod lists;
mod paths;
mod sections;
mod template;

use std::time::Duration;

use hris_core::{Error, Result};
use hris_http::BaseUrl;
use serde::{Deserialize, Serialize};

pub(crate) use base::API_KEY;
pub use base::{ConnectSettings, CoreSettings, Guards, Limits, ProfileSettings};
pub use lists::Choice;
pub(crate) use paths::Operation;
pub use paths::PathOverrides;
pub(crate) use sections::MERGE_PLACES;
pub use sections::{
    Available, ConfiguredOffer, CustomListing, DepositVersion, HistoryCall, LedgerCall, MergeCall,
    NoteFields, NotesCall, OfferSettings, PointSettings, PointSource, ReasonField, RewardSettings,
    TimelineSettings,
};
pub use template::{Call, Verb};
pub(crate) use template::{Values, append};

/// Which of the two keys customers are looked up by: the connector's box *Search by External ID*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LookupBy {
    /// The external id (the box is ticked).
    #[default]
    ExternalId,
    /// The e-mail address (the box is not ticked).
    Email,
}

/// Which of two search calls the organisation has; it has one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SearchStyle {
    /// `GET /users/search`: at most one customer.
    #[default]
    Exact,
    /// `GET /users/search_users`: a list.
    Advanced,
}

/// What Connect's `user_id` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectUserKey {
    /// SessionM's id.
    #[default]
    CustomerId,
    /// The external id, as some organisations have it.
    ExternalId,
}

/// How a cleared field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClearAs {
    /// As `null`.
    #[default]
    Null,
    /// As an empty text.
    EmptyText,
}

/// The settings of one SessionM tenant.
///
/// Only the Core address has no default. Whatever SessionM's public pages do not tell is a call template that is off
/// until given: such a task answers an error that says what to ask the vendor for. The file
/// `settings/complete.toml` of this crate shows everything, with comments.
///
/// ```
/// use hris_sessionm::Settings;
/// let settings = Settings::from_toml(r#"
///     lookup_by = "email"
///     [core]
///     base_url = "https://api-harbour.stg-sessionm.com"
/// "#)?;
/// assert_eq!(settings.culture, "en-US");
/// assert!(Settings::from_toml(Settings::COMPLETE_TOML).is_ok());
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Where the Core family is: customers, tags, notes, merge, timeline.
    pub core: CoreSettings,
    /// Where the Connect family is: points, offers, rewards. Without it those tasks are not configured.
    #[serde(default)]
    pub connect: Option<ConnectSettings>,
    /// Language of Connect's texts, as `en-US`.
    #[serde(default = "culture")]
    pub culture: String,
    /// The one key that customers are looked up by.
    #[serde(default)]
    pub lookup_by: LookupBy,
    /// Which search call the organisation has.
    #[serde(default)]
    pub search_style: SearchStyle,
    /// What Connect's `user_id` is.
    #[serde(default)]
    pub connect_user_key: ConnectUserKey,
    /// The label of the id system that external ids are written under, such as `crm`.
    #[serde(default)]
    pub external_id_type: Option<String>,
    /// How a cleared field is written; SessionM's pages do not say.
    #[serde(default)]
    pub clear_as: ClearAs,
    /// Fields of the profile.
    #[serde(default)]
    pub profile: ProfileSettings,
    /// What an agent may not do although SessionM might let them.
    #[serde(default)]
    pub guards: Guards,
    /// Points.
    #[serde(default)]
    pub points: PointSettings,
    /// Offers.
    #[serde(default)]
    pub offers: OfferSettings,
    /// The reward stores.
    #[serde(default)]
    pub rewards: RewardSettings,
    /// The activity timeline; the name of its view is the organisation's own.
    #[serde(default)]
    pub timeline: Option<TimelineSettings>,
    /// The merge of two customers.
    #[serde(default)]
    pub merge: Option<MergeCall>,
    /// Notes.
    #[serde(default)]
    pub notes: Option<NotesCall>,
    /// How a CRM is kept in step; for [`CrmRules`](crate::crm::CrmRules), the client itself does not look at it.
    #[serde(default)]
    pub crm: Option<crate::crm::CrmSettings>,
    /// How fast and how often.
    #[serde(default)]
    pub limits: Limits,
    /// Paths that differ from the documented ones, by operation.
    #[serde(default)]
    pub paths: PathOverrides,
}

fn culture() -> String {
    "en-US".to_owned()
}

impl Settings {
    /// A settings file with every setting and comments, to start from.
    pub const COMPLETE_TOML: &'static str = include_str!("../../settings/complete.toml");

    /// The defaults for a tenant's Core family.
    pub fn new(core: BaseUrl) -> Self {
        Self {
            core: CoreSettings::new(core),
            connect: None,
            culture: culture(),
            lookup_by: LookupBy::default(),
            search_style: SearchStyle::default(),
            connect_user_key: ConnectUserKey::default(),
            external_id_type: None,
            clear_as: ClearAs::default(),
            profile: ProfileSettings::default(),
            guards: Guards::default(),
            points: PointSettings::default(),
            offers: OfferSettings::default(),
            rewards: RewardSettings::default(),
            timeline: None,
            merge: None,
            notes: None,
            crm: None,
            limits: Limits::default(),
            paths: PathOverrides::default(),
        }
    }

    /// Reads a settings file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) with the place; the text is not repeated.
    pub fn from_toml(text: &str) -> Result<Self> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
            Error::config("the SessionM settings cannot be read", "compare them with settings/complete.toml")
                .with_context("problem", error.message().lines().next().unwrap_or_default())
                .with_context("line", line.max(1))
        })?;
        settings.validate()?;
        Ok(settings)
    }

    /// Sets where the Connect family is.
    #[must_use]
    pub fn with_connect(mut self, connect: ConnectSettings) -> Self {
        self.connect = Some(connect);
        self
    }

    /// Sets the key that customers are looked up by.
    #[must_use]
    pub fn with_lookup_by(mut self, key: LookupBy) -> Self {
        self.lookup_by = key;
        self
    }

    /// Checks every value.
    pub(crate) fn validate(&self) -> Result<()> {
        self.core.validate()?;
        if let Some(connect) = &self.connect {
            connect.validate()?;
        }
        self.profile.validate()?;
        self.points.validate()?;
        self.offers.validate()?;
        if let Some(timeline) = &self.timeline {
            timeline.validate()?;
        }
        if let Some(merge) = &self.merge {
            merge.validate()?;
        }
        if let Some(notes) = &self.notes {
            notes.validate()?;
        }
        if let Some(crm) = &self.crm {
            crate::crm::CrmRules::new(crm.clone(), self.lookup_by)?;
        }
        self.limits.validate()?;
        self.paths.validate()
    }

    /// The time-out of one attempt.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.limits.timeout_seconds.into())
    }
}

/// A text that must have something in it.
pub(crate) fn filled(name: &str, text: &str, hint: &'static str) -> Result<()> {
    if text.trim().is_empty() { Err(Error::config(format!("`{name}` is blank"), hint)) } else { Ok(()) }
}
