//! Merge Link: what a customer's link is asked for with, and what comes back.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hris_core::{AccountId, EmployeeField, Error, ErrorKind, FieldSet, Result};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// Merge's own limits of how long a link lives, in minutes.
const SHORTEST: u64 = 30;
const LONGEST: u64 = 720;
const LONGEST_MAGIC: u64 = 10_080;
/// Merge's limit for each of the three texts.
const MAX_TEXT: usize = 100;

/// A link for one customer to connect an HR system with.
///
/// The origin id is yours, one for each connection: choose and keep it before asking, since a second request with
/// another one leaves an unfinished account behind, and the same one later means linking anew
/// (<https://docs.merge.dev/merge-unified>, Merge Link).
///
/// ```
/// use hris_merge::LinkRequest;
/// // The link of a campaign: a page to click through, and only the fields that campaigns need.
/// let request = LinkRequest::new("cust-0042-hris", "Lumen & Fable Ltd", "people@lumenfable.example")
///     .with_magic_link()
///     .for_campaigns();
/// ```
#[derive(Clone)]
pub struct LinkRequest {
    origin_id: String,
    organization: String,
    email: String,
    integration: Option<String>,
    expires_in: Option<Duration>,
    is_magic: bool,
    fields: Option<FieldSet>,
    language: Option<String>,
}

impl LinkRequest {
    /// For a customer: your own id of the connection, the company's name, and the address of whoever will link. Merge
    /// sends no mail; it shows name and address in its dashboard. At most 100 characters each.
    pub fn new(
        origin_id: impl Into<String>,
        organization: impl Into<String>,
        email: impl Into<String>,
    ) -> Self {
        Self {
            origin_id: origin_id.into(),
            organization: organization.into(),
            email: email.into(),
            integration: None,
            expires_in: None,
            is_magic: false,
            fields: None,
            language: None,
        }
    }

    /// Asks for a page of Merge's own that can be sent as a link. It lives for 7 days unless told otherwise. The account
    /// token then comes in the webhook [`WebhookEvent::Linked`](crate::WebhookEvent::Linked) and in no other way.
    #[must_use]
    pub fn with_magic_link(mut self) -> Self {
        self.is_magic = true;
        self
    }

    /// Sets how long the link lives: 30 minutes (as without it) to 12 hours, with a magic link to 7 days.
    #[must_use]
    pub fn with_expiry(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in);
        self
    }

    /// Skips the choice of the HR system, by its slug ([`MergeOrganisation::integrations`](crate::MergeOrganisation::integrations)).
    #[must_use]
    pub fn with_integration(mut self, slug: impl Into<String>) -> Self {
        self.integration = Some(slug.into());
        self
    }

    /// Sets the language of Merge's page: `en` or `de`.
    #[must_use]
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Lets Merge read no other fields of employees than these, the ids and the status. Relations stand for all their fields.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = EmployeeField>) -> Self {
        self.fields = Some(fields.into_iter().collect());
        self
    }

    /// Lets Merge read only what campaigns need: name, addresses, birth date, start and end.
    #[must_use]
    pub fn for_campaigns(self) -> Self {
        use EmployeeField::{BirthDate, EndDate, FirstName, LastName, PersonalEmail, StartDate, WorkEmail};
        self.with_fields([FirstName, LastName, WorkEmail, PersonalEmail, BirthDate, StartDate, EndDate])
    }

    pub(crate) fn is_magic(&self) -> bool {
        self.is_magic
    }

    pub(crate) fn origin_id(&self) -> &str {
        &self.origin_id
    }

    pub(crate) fn expires_in(&self) -> Duration {
        let usual = if self.is_magic { LONGEST_MAGIC } else { SHORTEST };
        self.expires_in.unwrap_or(Duration::from_secs(usual * 60))
    }

    /// The body of the request.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a text or an expiry beyond Merge's limits.
    pub(crate) fn body(&self) -> Result<Value> {
        for (name, text) in [
            ("origin id", &self.origin_id),
            ("organisation", &self.organization),
            ("e-mail address", &self.email),
        ] {
            if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
                let message = format!("the {name} of a link must have 1 to {MAX_TEXT} characters");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        let minutes = self.expires_in().as_secs() / 60;
        let longest = if self.is_magic { LONGEST_MAGIC } else { LONGEST };
        if !(SHORTEST..=longest).contains(&minutes) {
            let message = format!("a link lives for {SHORTEST} to {longest} minutes");
            let hint = "ask for a magic link if it has to live for up to 7 days";
            return Err(Error::new(ErrorKind::Invalid, message).with_hint(hint));
        }
        let mut body = json!({
            "end_user_origin_id": self.origin_id.trim(),
            "end_user_organization_name": self.organization.trim(),
            "end_user_email_address": self.email.trim(),
            "categories": ["hris"],
            "link_expiry_mins": minutes,
            "should_create_magic_link_url": self.is_magic,
        });
        let optional = [("integration", &self.integration), ("language", &self.language)];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            body[name] = json!(value);
        }
        if let Some(fields) = &self.fields {
            body["category_common_model_scopes"] = scopes(fields);
        }
        Ok(body)
    }
}

/// Shows nothing about the person who links.
impl fmt::Debug for LinkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("LinkRequest");
        out.field("origin_id", &self.origin_id).field("is_magic", &self.is_magic);
        out.field("integration", &self.integration).finish_non_exhaustive()
    }
}

/// Merge's names for the fields of a person, and the models behind relations.
fn scopes(fields: &FieldSet) -> Value {
    let mut enabled = vec!["id", "remote_id", "employment_status", "remote_was_deleted"];
    let mut models = Map::new();
    for field in EmployeeField::ALL.iter().filter(|field| fields.has(**field)) {
        let Some((names, model)) = merge_field(*field) else { continue };
        enabled.extend(names.iter().copied());
        if let Some(model) = model {
            models.insert(model.to_owned(), json!(null));
        }
    }
    enabled.sort_unstable();
    enabled.dedup();
    let permission = |model: &str, fields: Option<&[&str]>| {
        let mut scope = json!({
            "model_name": model,
            "model_permissions": { "READ": { "is_enabled": true }, "WRITE": { "is_enabled": false } },
        });
        if let Some(fields) = fields {
            scope["field_permissions"] = json!({ "enabled_fields": fields, "disabled_fields": [] });
        }
        scope
    };
    let others = models.keys().map(|model| permission(model, None));
    let all: Vec<_> = [permission("Employee", Some(&enabled))].into_iter().chain(others).collect();
    json!({ "hris": all })
}

/// Merge's fields behind one of ours, and the model that they lead to.
pub(crate) fn merge_field(field: EmployeeField) -> Option<(&'static [&'static str], Option<&'static str>)> {
    Some(match field {
        EmployeeField::EmployeeId => (&["employee_number"], None),
        EmployeeField::FirstName => (&["first_name"], None),
        EmployeeField::LastName => (&["last_name"], None),
        EmployeeField::PreferredName => (&["preferred_name"], None),
        EmployeeField::WorkEmail => (&["work_email"], None),
        EmployeeField::PersonalEmail => (&["personal_email"], None),
        EmployeeField::Phone => (&["mobile_phone_number"], None),
        EmployeeField::BirthDate => (&["date_of_birth"], None),
        EmployeeField::StartDate => (&["start_date", "hire_date"], None),
        EmployeeField::EndDate => (&["termination_date"], None),
        EmployeeField::Gender => (&["gender"], None),
        EmployeeField::Manager => (&["manager"], None),
        EmployeeField::Company => (&["company"], Some("Company")),
        EmployeeField::Department => (&["groups"], Some("Group")),
        EmployeeField::Location | EmployeeField::Country => (&["work_location"], Some("Location")),
        EmployeeField::JobTitle | EmployeeField::EmploymentType => (&["employments"], Some("Employment")),
        _ => return None,
    })
}

/// A link that was made.
#[non_exhaustive]
pub struct Link {
    /// For Merge's own script in a page of yours; to be used once.
    pub token: SecretString,
    /// The page to send, if one was asked for.
    pub magic: Option<MagicLink>,
}

/// A page of Merge's own on which a customer links. Whoever has the address can link in the customer's name: send it to
/// nobody else.
#[derive(Clone)]
#[non_exhaustive]
pub struct MagicLink {
    pub(crate) url: String,
    /// When it ends, by our clock.
    pub expires_at: DateTime<Utc>,
    /// The origin id that the webhook will name.
    pub origin_id: String,
}

impl MagicLink {
    /// The address to send.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("magic", &self.magic).finish_non_exhaustive()
    }
}

/// Shows no address.
impl fmt::Debug for MagicLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("MagicLink");
        out.field("expires_at", &self.expires_at).field("origin_id", &self.origin_id).finish_non_exhaustive()
    }
}

/// What an embedded link's public token was exchanged for.
#[non_exhaustive]
pub struct LinkedToken {
    /// The linked account: what [`MergeConfig::with_expected_account`](crate::MergeConfig::with_expected_account) takes.
    pub account: AccountId,
    /// The account token, to be kept as a secret. It goes on working when the customer links anew.
    pub account_token: SecretString,
    /// The HR system, as Merge names it.
    pub integration: Option<String>,
}

impl fmt::Debug for LinkedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("LinkedToken");
        out.field("account", &self.account).field("integration", &self.integration).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> LinkRequest {
        LinkRequest::new("cust-1", "Lumen", "ana@lumen.example")
    }

    #[test]
    fn a_link_lives_half_an_hour_and_a_magic_one_a_week_unless_told_otherwise() {
        let minutes =
            |request: LinkRequest| request.body().map(|body| body["link_expiry_mins"].as_u64().unwrap());
        assert_eq!(minutes(request()).unwrap(), 30);
        assert_eq!(minutes(request().with_magic_link()).unwrap(), 10_080);
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!(minutes(request().with_expiry(hours(12))).unwrap(), 720);
        for beyond in [request().with_expiry(hours(13)), request().with_expiry(Duration::from_secs(1740))] {
            assert_eq!(minutes(beyond).unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert!(minutes(request().with_magic_link().with_expiry(hours(169))).is_err());
    }

    #[test]
    fn texts_beyond_the_vendors_limits_are_refused_before_anything_is_sent() {
        let long = "x".repeat(101);
        for request in [
            LinkRequest::new("", "Lumen", "ana@lumen.example"),
            LinkRequest::new("c", " ", "ana@lumen.example"),
            LinkRequest::new("c", "Lumen", long),
        ] {
            assert_eq!(request.body().unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn the_link_of_a_campaign_asks_for_no_field_that_campaigns_do_not_need() {
        let body = request().with_magic_link().for_campaigns().body().unwrap();
        let models = body["category_common_model_scopes"]["hris"].as_array().unwrap();
        assert_eq!(models.len(), 1);
        assert_eq!(models[0]["model_permissions"]["WRITE"]["is_enabled"], false);
        assert_eq!(
            models[0]["field_permissions"]["enabled_fields"],
            json!([
                "date_of_birth",
                "employment_status",
                "first_name",
                "hire_date",
                "id",
                "last_name",
                "personal_email",
                "remote_id",
                "remote_was_deleted",
                "start_date",
                "termination_date",
                "work_email"
            ])
        );
        assert!(request().body().unwrap().get("category_common_model_scopes").is_none());
    }

    #[test]
    fn a_relation_brings_its_model() {
        let body = request().with_fields([EmployeeField::Department]).body().unwrap();
        let models = body["category_common_model_scopes"]["hris"].as_array().unwrap();
        let names: Vec<_> = models.iter().map(|model| model["model_name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Employee", "Group"]);
    }

    #[test]
    fn nothing_shown_holds_an_address_or_a_token() {
        let shown = format!(
            "{:?} {:?}",
            request(),
            MagicLink {
                url: "https://s3cret.example".into(),
                expires_at: DateTime::UNIX_EPOCH,
                origin_id: "o".into()
            }
        );
        assert!(!shown.contains("ana@") && !shown.contains("s3cret"), "{shown}");
    }
}
