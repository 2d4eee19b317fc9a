//! The configuration of a SCIM target: checked when a target is built, before anything is sent.
//!
//! It holds no secret, so that it can be stored and shown; the token is handed over beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use hris_core::{Error, Invitations, MemberRules, Parking, Result, TargetField};
use hris_http::{Auth, BaseUrl, Budget, BudgetScope, Rate, RetryPolicy, Session, Transport};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::attributes::{AttributePlace, Places};
use crate::classify::ScimAnswers;
use crate::client::Client;
use crate::profile::Profile;
use crate::{ScimPath, ScimTarget};

/// What the token may do, as it was issued (`scim.readOnly`, `scim.readWrite`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// Read, and change members.
    #[default]
    ReadWrite,
    /// Only read: every action is answered as not attempted, and nothing is sent for it.
    ReadOnly,
}

/// How a user is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateWith {
    /// PATCH, unless the server says that it has none; falls back to PUT where a PATCH is not understood.
    #[default]
    Patch,
    /// PUT of the whole user as it was read, changed.
    Put,
}

/// How many operations a PATCH has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchStyle {
    /// One for each attribute, with a path.
    #[default]
    PerAttribute,
    /// One `replace` without a path for all that is set. What is cleared needs paths all the same.
    Merged,
}

/// How one value of several (the work address among the e-mails) is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrayPatch {
    /// By a path with a filter, `emails[type eq "work"].value`; falls back to the whole array.
    Filtered,
    /// By replacing the array with all its values, those that are not ours among them.
    Whole,
}

/// What a create does that finds its Employee ID on an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is a conflict for the caller to see; the next plan adopts the account.
    #[default]
    Report,
    /// The account is put right and opened again, as if the plan had said so.
    Adopt,
}

/// How accounts are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filters {
    /// By filter; where the server does not understand or heed them, among all accounts.
    #[default]
    Auto,
    /// Always among all accounts, which are listed once in ten minutes.
    Off,
}

/// The configuration of a target: one programme of a platform. `None` leaves a value to the profile.
///
/// ```
/// use hris_core::MemberField;
/// use hris_target_scim::{Profile, ScimConfig, ValueFormat};
/// let config = ScimConfig::new("https://api.rewardgateway.net/7c1f5e0a/scim/v2/")
///     .with_profile(Profile::RewardGateway)
///     .with_attribute(
///         MemberField::BirthDate,
///         "urn:example:params:scim:schemas:extension:member:2.0:User:dateOfBirth".parse()?,
///         ValueFormat::DayMonthYear,
///     );
/// let stored = serde_json::to_string(&config).unwrap();
/// assert_eq!(serde_json::from_str::<ScimConfig>(&stored).unwrap(), config);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "switches of their own, each named in configurations")]
pub struct ScimConfig {
    /// The base URL as the platform shows it, version included: what stands before `/Users`.
    pub endpoint: String,
    /// Whose habits and rules are taken where nothing else is said.
    pub profile: Profile,
    /// What the token may do.
    pub scope: TokenScope,
    /// Where attributes are written, in addition to the profile's places or instead of them.
    pub attributes: BTreeMap<TargetField, AttributePlace>,
    /// Attributes of the profile that are not written.
    pub without: BTreeSet<TargetField>,
    /// What the user name is made of (`email`).
    pub user_name: TargetField,
    /// Whether the Employee ID is also written to the enterprise extension's `employeeNumber` (yes).
    pub employee_number: bool,
    /// Whether accounts are also looked up by `emails.value` when an address is looked for (no). It always is where the
    /// user name is not made of the address.
    pub match_email: bool,
    /// The rules for members, in place of the profile's.
    pub rules: Option<MemberRules>,
    /// How a user is changed.
    pub update_with: UpdateWith,
    /// How many operations a PATCH has.
    pub patch_style: PatchStyle,
    /// How one value of several is changed.
    pub arrays: Option<ArrayPatch>,
    /// What a create does that finds its Employee ID on an account.
    pub on_conflict: OnConflict,
    /// How accounts are looked up.
    pub filters: Filters,
    /// Whether versions are used where the server announces them (yes).
    pub etags: bool,
    /// The most operations of one bulk request; `None` sends each by itself. Used only where the server announces bulk.
    pub bulk: Option<NonZeroUsize>,
    /// Accounts a page, 1 to 1,000 (100). The server may give fewer.
    pub page_size: u32,
    /// Whether an account that was answered as created is read before it counts (no).
    pub confirm_creates: bool,
    /// Whether the platform invites whoever is created; its own switch, which nothing here can see or change.
    pub welcomes: Option<bool>,
    /// Days from a leaver's closing to deletion; zero for never.
    pub close_down_days: Option<u32>,
    /// Temporary values for members who take over each other's e-mail address or Employee ID (none: they are held).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parking: Option<Parking>,
    /// The content type of bodies: `application/scim+json`, or `application/json`, which is fallen back to on 415.
    pub plain_json: bool,
    /// Requests a second; zero switches the limit off.
    pub requests_per_second: Option<u32>,
    /// Requests in flight at a time.
    pub max_in_flight: Option<NonZeroUsize>,
}

impl Default for ScimConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            profile: Profile::default(),
            scope: TokenScope::default(),
            attributes: BTreeMap::new(),
            without: BTreeSet::new(),
            user_name: TargetField::EMAIL,
            employee_number: true,
            match_email: false,
            rules: None,
            update_with: UpdateWith::default(),
            patch_style: PatchStyle::default(),
            arrays: None,
            on_conflict: OnConflict::default(),
            filters: Filters::default(),
            etags: true,
            bulk: None,
            page_size: 100,
            confirm_creates: false,
            welcomes: None,
            close_down_days: None,
            parking: None,
            plain_json: false,
            requests_per_second: None,
            max_in_flight: None,
        }
    }
}

/// A configuration with nothing left open.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: ScimConfig,
    pub(crate) places: Places,
    pub(crate) rules: MemberRules,
    pub(crate) arrays: ArrayPatch,
    pub(crate) invitations: Invitations,
    pub(crate) close_down_days: Option<u32>,
    pub(crate) max_in_flight: NonZeroUsize,
}

impl ScimConfig {
    /// The defaults, for a base URL such as `https://api.rewardgateway.net/PROGRAMME/scim/v2/`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..Self::default() }
    }

    /// Sets whose habits and rules are taken.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sets what the token may do.
    #[must_use]
    pub fn with_scope(mut self, scope: TokenScope) -> Self {
        self.scope = scope;
        self
    }

    /// Writes an attribute to a place of its own, such as one of an extension.
    #[must_use]
    pub fn with_attribute(
        mut self,
        field: impl Into<TargetField>,
        path: ScimPath,
        format: crate::ValueFormat,
    ) -> Self {
        self.attributes.insert(field.into(), AttributePlace { path, format });
        self
    }

    /// Does not write an attribute that the profile has a place for.
    #[must_use]
    pub fn without_attribute(mut self, field: impl Into<TargetField>) -> Self {
        self.without.insert(field.into());
        self
    }

    /// Sets what the user name is made of.
    #[must_use]
    pub fn with_user_name(mut self, field: impl Into<TargetField>) -> Self {
        self.user_name = field.into();
        self
    }

    /// Sets the rules for members.
    #[must_use]
    pub fn with_rules(mut self, rules: MemberRules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Sets how a user is changed.
    #[must_use]
    pub fn with_update(mut self, update: UpdateWith) -> Self {
        self.update_with = update;
        self
    }

    /// Sets how many operations a PATCH has.
    #[must_use]
    pub fn with_patch_style(mut self, style: PatchStyle) -> Self {
        self.patch_style = style;
        self
    }

    /// Sets how one value of several is changed.
    #[must_use]
    pub fn with_arrays(mut self, arrays: ArrayPatch) -> Self {
        self.arrays = Some(arrays);
        self
    }

    /// Sets what a create does that finds its Employee ID on an account.
    #[must_use]
    pub fn with_on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// Sets how accounts are looked up.
    #[must_use]
    pub fn with_filters(mut self, filters: Filters) -> Self {
        self.filters = filters;
        self
    }

    /// Sends up to so many operations in one request, where the server announces bulk.
    #[must_use]
    pub fn with_bulk(mut self, operations: Option<NonZeroUsize>) -> Self {
        self.bulk = operations;
        self
    }

    /// Sets the accounts a page.
    #[must_use]
    pub fn with_page_size(mut self, accounts: u32) -> Self {
        self.page_size = accounts;
        self
    }

    /// Says whether created accounts are read before they count.
    #[must_use]
    pub fn with_confirmed_creates(mut self, confirm: bool) -> Self {
        self.confirm_creates = confirm;
        self
    }

    /// Says whether the platform's own switch invites whoever is created.
    #[must_use]
    pub fn with_welcomes(mut self, welcomes: bool) -> Self {
        self.welcomes = Some(welcomes);
        self
    }

    /// Allows temporary values for members who take over each other's e-mail address or Employee ID.
    #[must_use]
    pub fn with_parking(mut self, parking: Parking) -> Self {
        self.parking = Some(parking);
        self
    }

    /// Sets the requests a second; zero for no limit.
    #[must_use]
    pub fn with_requests_per_second(mut self, requests: u32) -> Self {
        self.requests_per_second = Some(requests);
        self
    }

    /// Sets the requests in flight at a time.
    #[must_use]
    pub fn with_max_in_flight(mut self, requests: NonZeroUsize) -> Self {
        self.max_in_flight = Some(requests);
        self
    }

    /// Builds the target. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) for an endpoint, a token or a value that cannot work.
    pub fn build(self, token: &SecretString, transport: &Transport) -> Result<ScimTarget> {
        self.build_with(token, transport, RetryPolicy::default())
    }

    /// Builds the target with another policy of attempts and waits.
    ///
    /// # Errors
    /// As [`ScimConfig::build`].
    pub fn build_with(
        self,
        token: &SecretString,
        transport: &Transport,
        policy: RetryPolicy,
    ) -> Result<ScimTarget> {
        let (base, path) = endpoint(&self.endpoint)?;
        if !(1..=1000).contains(&self.page_size) {
            return Err(Error::config("the page size is unusable", "set `page_size` between 1 and 1000"));
        }
        let settings = self.settings()?;
        let session = Session::new(transport, base.clone())
            .with_auth(Auth::bearer(token)?)
            .with_budget(settings.budget(&base, &path))
            .with_policy(policy)
            .with_classify(ScimAnswers);
        let client = Client::new(session, path, settings.config.plain_json);
        Ok(ScimTarget::new(settings, client))
    }

    fn settings(self) -> Result<Settings> {
        let mut table = self.profile.places();
        table.extend(self.attributes.clone());
        table.retain(|field, _| !self.without.contains(field));
        for needed in [TargetField::EMPLOYEE_ID, TargetField::EMAIL, self.user_name.clone()] {
            if !table.contains_key(&needed) {
                return Err(Error::config(
                    format!("`{needed}` has no place on the platform"),
                    "Employee ID, e-mail address and what the user name is made of are always written",
                ));
            }
        }
        let places = Places::new(table, self.user_name.clone(), self.employee_number);
        let places = places.ok_or_else(|| Error::config("a fixed SCIM path is broken", "report this"))?;
        let profile = self.profile;
        let welcomes = self.welcomes.unwrap_or(profile.welcomes());
        let invitations = if welcomes { Invitations::AlwaysOnCreate } else { Invitations::Never };
        Ok(Settings {
            places,
            rules: self.rules.clone().unwrap_or_else(|| profile.rules()),
            arrays: self.arrays.unwrap_or(profile.arrays()),
            invitations,
            close_down_days: self.close_down_days.or(profile.close_down_days()).filter(|days| *days > 0),
            max_in_flight: self.max_in_flight.unwrap_or(profile.max_in_flight()),
            config: self,
        })
    }
}

impl Settings {
    /// A programme is what a platform counts by, as far as is known.
    fn budget(&self, base: &BaseUrl, path: &str) -> Budget {
        let scope = BudgetScope::new(format!("scim/{}{path}", base.authority()));
        let in_flight = u32::try_from(self.max_in_flight.get()).unwrap_or(u32::MAX);
        let budget = Budget::of(scope).with_in_flight(in_flight);
        match self.config.requests_per_second.unwrap_or(self.config.profile.requests_per_second()) {
            0 => budget,
            // Counted by the minute, so that a pause is made up for by a small burst.
            requests => budget.with_rate(Rate::per_minute(requests.saturating_mul(60)).with_burst(requests)),
        }
    }
}

/// Scheme, host and port; and the path before `/Users`, without a slash at its end.
fn endpoint(text: &str) -> Result<(BaseUrl, String)> {
    let refused = || {
        Error::config(
            "the SCIM endpoint is not usable",
            "copy the platform's SCIM URL, as in https://api.rewardgateway.net/PROGRAMME/scim/v2/",
        )
    };
    let mut url = Url::parse(text.trim()).map_err(|_| refused())?;
    if url.query().is_some() || url.fragment().is_some() || url.cannot_be_a_base() {
        return Err(refused());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    // Segments are encoded when they are sent; one that is encoded already would be so twice.
    if path.contains("//") || path.contains('%') {
        return Err(refused());
    }
    url.set_path("");
    Ok((url.as_str().parse()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::MemberField;

    fn build(config: ScimConfig) -> Result<ScimTarget> {
        config.build(&"t".into(), &Transport::builder().build().unwrap())
    }

    #[test]
    fn an_endpoint_is_taken_as_it_is_copied_with_or_without_its_last_slash() {
        for text in [
            "https://api.example/7c/scim/v2",
            "https://api.example/7c/scim/v2/",
            " https://api.example/7c/scim/v2 ",
        ] {
            let (base, path) = endpoint(text).unwrap();
            assert_eq!((base.to_string().as_str(), path.as_str()), ("https://api.example", "/7c/scim/v2"));
        }
        assert_eq!(endpoint("http://127.0.0.1:9").unwrap().1, "");
        for text in [
            "",
            "api.example/scim",
            "http://api.example/scim",
            "https://u:s3cret@api.example/scim",
            "https://api.example/scim?key=s3cret",
            "https://api.example//scim",
            "mailto:a@b",
        ] {
            let error = endpoint(text).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn what_identifies_a_member_cannot_be_left_out() {
        let config = ScimConfig::new("https://api.example/scim/v2");
        assert!(build(config.clone()).is_ok());
        assert!(build(config.clone().without_attribute(MemberField::EmployeeId)).is_err());
        assert!(build(config.clone().with_user_name(MemberField::Gender)).is_err());
        assert!(build(config.with_page_size(0)).is_err());
    }

    #[test]
    fn a_stored_configuration_with_an_unknown_word_is_refused() {
        assert!(serde_json::from_str::<ScimConfig>(r#"{"endpont":"x"}"#).is_err());
        let config: ScimConfig = serde_json::from_str(
            r#"{"endpoint":"https://a.example/scim/v2","profile":"reward_gateway","attributes":{"custom:shop":"title"}}"#,
        )
        .unwrap();
        assert_eq!(config.profile, Profile::RewardGateway);
    }
}
