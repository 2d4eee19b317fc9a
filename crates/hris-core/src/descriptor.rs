//! What an application shows of a vendor's integration: a card for the catalogue, a form to authorise with, and what
//! to expect of it. Plain data, so that no application draws any vendor by name.
//!
//! ```
//! use hris_core::descriptor::{CredentialStep, Integration, TextFormat, search};
//! use hris_core::{Descriptor, RecordIdKind};
//!
//! let facts = Descriptor::new("acme", "Acme People", RecordIdKind::new("acme.person"));
//! let acme = Integration::new(&facts, "Reads the people of one company in Acme.")
//!     .with_search_words(["personnel"])
//!     .with_step(
//!         CredentialStep::secret("api_key", "API key")
//!             .with_answer("How do I find my API key?", ["Open Settings, API.", "Press Create."])
//!             .with_format(TextFormat::new().with_length(8, 64)),
//!     );
//!
//! assert_eq!(search([&acme], "acme peo").len(), 1);
//! let key = &acme.steps[0];
//! assert!(key.format.check(&key.label, " 4f17ab90 ").is_err()); // names what is wrong, never the text
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::{Descriptor, EmployeeField, Error, Result, SourceField};

/// A text that comes with the program or from data.
pub type Text = Cow<'static, str>;

/// Everything that an application shows of a vendor's integration before there is a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Integration {
    /// The name in configurations, such as `sesame`.
    pub vendor: Text,
    /// The name to show to people.
    pub display_name: Text,
    /// One sentence about what it does.
    pub about: Text,
    /// Other words by which people look for it.
    pub search_words: Vec<Text>,
    /// What has to be there before somebody starts: a role, an add-on, a contract.
    pub needs: Vec<Text>,
    /// What is asked for, in order.
    pub steps: Vec<CredentialStep>,
    /// The least that the credential has to permit, in the vendor's own words.
    pub least_permissions: Vec<Text>,
    /// What is worth knowing about permissions beyond the least, once, when somebody authorises.
    pub permissions_remark: Option<Text>,
    /// Whether set-up asks for a date format, because dates among the customer's own fields are free text.
    pub asks_date_format: bool,
    /// The fields that every account can deliver; an account's own come from
    /// [`HrisConnector::fields`](crate::HrisConnector::fields).
    pub delivers: Vec<Delivered>,
    /// What limits it: rates, delays, what cannot be read.
    pub limits: Vec<Text>,
    /// What to remove in the vendor's own screens when access is revoked, in order.
    pub revocation: Vec<Text>,
}

/// A field that an integration delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Delivered {
    /// The field, by its name in mappings.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub field: SourceField,
    /// A name to show to people.
    pub label: Text,
    /// What it costs or needs, if that is remarkable.
    pub remark: Option<Text>,
}

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CredentialStep {
    /// Its name in configurations, such as `token`.
    pub name: Text,
    /// Where its value belongs.
    pub place: Place,
    /// The name to show to people.
    pub label: Text,
    /// The question that people have about it, such as "How do I find my API token?".
    pub question: Text,
    /// The answer, step by step, in the words of the vendor's own screens.
    pub answer: Vec<Text>,
    /// Who gives it.
    pub given_by: GivenBy,
    /// Whether it must not be shown, stored in the clear or logged.
    pub secret: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// What is taken where nothing is given.
    pub default: Option<Text>,
    /// What it has to look like.
    pub format: TextFormat,
}

/// Where the value of a step belongs in a connection's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// Among the credentials, which are kept apart.
    Credential,
    /// Among the vendor's options.
    Option,
}

/// Who gives the value of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GivenBy {
    /// The customer, in the authorise form.
    Customer,
    /// Whoever operates the application, once for all customers.
    Operator,
    /// The end of a flow in the vendor's own window, which the customer goes through by a link. Can also be pasted.
    LinkFlow,
}

/// What a text has to look like. It is as careful as the vendor's documentation is, and no more: where a length is not
/// known, none is demanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TextFormat {
    /// The fewest characters.
    pub least: u32,
    /// The most characters, where that is known.
    pub most: Option<u32>,
    /// Whether white space around it is dropped before it is used; otherwise it is refused.
    pub trims: bool,
    /// Characters that it cannot have.
    pub excludes: Text,
    /// Whether it consists of ASCII letters, digits and hyphens alone.
    pub plain: bool,
    /// The texts that it can be, where these are known; any, if there are none.
    pub choices: Vec<Text>,
}

impl Default for TextFormat {
    fn default() -> Self {
        Self {
            least: 1,
            most: None,
            trims: false,
            excludes: Text::Borrowed(""),
            plain: false,
            choices: Vec::new(),
        }
    }
}

impl TextFormat {
    /// Any text with at least one character and no white space around it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bounds the number of characters.
    #[must_use]
    pub fn with_length(mut self, least: u32, most: u32) -> Self {
        (self.least, self.most) = (least, Some(most));
        self
    }

    /// Drops white space around it.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.trims = true;
        self
    }

    /// Excludes characters.
    #[must_use]
    pub fn without(mut self, characters: impl Into<Text>) -> Self {
        self.excludes = characters.into();
        self
    }

    /// Allows ASCII letters, digits and hyphens alone.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Allows these texts alone.
    #[must_use]
    pub fn one_of<T: Into<Text>>(mut self, choices: impl IntoIterator<Item = T>) -> Self {
        self.choices.extend(choices.into_iter().map(Into::into));
        self
    }

    /// Checks a text, and gives it as it is to be used.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`], which names the step by `label` and says what is wrong. It never has the text, which
    /// may be a secret.
    pub fn check<'t>(&self, label: &str, text: &'t str) -> Result<&'t str> {
        let trimmed = text.trim();
        let used = if self.trims { trimmed } else { text };
        let wrong = |what: String| {
            Err(Error::config(format!("`{label}` {what}"), "copy it once more from its source"))
        };
        if trimmed.is_empty() {
            return wrong("is empty".to_owned());
        }
        if used != trimmed {
            return wrong("has white space around it".to_owned());
        }
        let length = u32::try_from(used.chars().count()).unwrap_or(u32::MAX);
        if length < self.least {
            return wrong(format!("has {length} characters, at least {} are expected", self.least));
        }
        if let Some(most) = self.most.filter(|most| length > *most) {
            return wrong(format!("has {length} characters, at most {most} are expected"));
        }
        if let Some(excluded) = used.chars().find(|character| self.excludes.contains(*character)) {
            return wrong(format!("has a character that it cannot have: {}", excluded.escape_default()));
        }
        if self.plain && !used.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
        {
            return wrong("has something other than letters, digits and hyphens".to_owned());
        }
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == used) {
            return wrong(format!("is none of: {}", self.choices.join(", ")));
        }
        Ok(used)
    }
}

impl CredentialStep {
    /// A secret that the customer gives.
    pub fn secret(name: impl Into<Text>, label: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            place: Place::Credential,
            label: label.into(),
            question: Text::Borrowed(""),
            answer: Vec::new(),
            given_by: GivenBy::Customer,
            secret: true,
            optional: false,
            default: None,
            format: TextFormat::new(),
        }
    }

    /// An option that the customer gives.
    pub fn option(name: impl Into<Text>, label: impl Into<Text>) -> Self {
        Self { place: Place::Option, secret: false, ..Self::secret(name, label) }
    }

    /// Says that it may be shown although it stands among the credentials, such as a client id.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.secret = false;
        self
    }

    /// Says where people find it: their question, and the answer step by step.
    #[must_use]
    pub fn with_answer<T: Into<Text>>(
        mut self,
        question: impl Into<Text>,
        answer: impl IntoIterator<Item = T>,
    ) -> Self {
        self.question = question.into();
        self.answer = answer.into_iter().map(Into::into).collect();
        self
    }

    /// Says who gives it.
    #[must_use]
    pub fn given_by(mut self, who: GivenBy) -> Self {
        self.given_by = who;
        self
    }

    /// Says that it may be left out, and what is taken then.
    #[must_use]
    pub fn with_default(mut self, value: impl Into<Text>) -> Self {
        self.optional = true;
        self.default = Some(value.into());
        self
    }

    /// Says that it may be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Says what it has to look like.
    #[must_use]
    pub fn with_format(mut self, format: TextFormat) -> Self {
        self.format = format;
        self
    }

    /// Checks what was given.
    ///
    /// # Errors
    /// Those of [`TextFormat::check`].
    pub fn check<'t>(&self, text: &'t str) -> Result<&'t str> {
        self.format.check(&self.label, text)
    }
}

impl Integration {
    /// An integration with the facts that every vendor has, and one sentence about what it does.
    pub fn new(facts: &Descriptor, about: impl Into<Text>) -> Self {
        Self {
            vendor: facts.vendor.into(),
            display_name: facts.display_name.into(),
            about: about.into(),
            search_words: Vec::new(),
            needs: Vec::new(),
            steps: Vec::new(),
            least_permissions: Vec::new(),
            permissions_remark: None,
            asks_date_format: facts.asks_date_format,
            delivers: Vec::new(),
            limits: Vec::new(),
            revocation: Vec::new(),
        }
    }

    /// Adds words by which people look for it.
    #[must_use]
    pub fn with_search_words<T: Into<Text>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.search_words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Adds what has to be there before somebody starts.
    #[must_use]
    pub fn with_needs<T: Into<Text>>(mut self, needs: impl IntoIterator<Item = T>) -> Self {
        self.needs.extend(needs.into_iter().map(Into::into));
        self
    }

    /// Adds what is asked for next.
    #[must_use]
    pub fn with_step(mut self, step: CredentialStep) -> Self {
        self.steps.push(step);
        self
    }

    /// Says what the credential has to permit at least.
    #[must_use]
    pub fn with_least_permissions<T: Into<Text>>(mut self, least: impl IntoIterator<Item = T>) -> Self {
        self.least_permissions.extend(least.into_iter().map(Into::into));
        self
    }

    /// Says what is worth knowing about permissions beyond the least.
    #[must_use]
    pub fn with_permissions_remark(mut self, remark: impl Into<Text>) -> Self {
        self.permissions_remark = Some(remark.into());
        self
    }

    /// Adds the fields that every account can deliver: each with its label, and a remark that may be empty.
    #[must_use]
    pub fn with_fields(
        mut self,
        fields: impl IntoIterator<Item = (EmployeeField, &'static str, &'static str)>,
    ) -> Self {
        self.delivers.extend(fields.into_iter().map(|(field, label, remark)| Delivered {
            field: field.into(),
            label: label.into(),
            remark: (!remark.is_empty()).then(|| remark.into()),
        }));
        self
    }

    /// Adds what limits it.
    #[must_use]
    pub fn with_limits<T: Into<Text>>(mut self, limits: impl IntoIterator<Item = T>) -> Self {
        self.limits.extend(limits.into_iter().map(Into::into));
        self
    }

    /// Says what to remove in the vendor's own screens when access is revoked.
    #[must_use]
    pub fn with_revocation<T: Into<Text>>(mut self, steps: impl IntoIterator<Item = T>) -> Self {
        self.revocation.extend(steps.into_iter().map(Into::into));
        self
    }

    /// Whether there is a field among those that every account can deliver.
    pub fn can_deliver(&self, field: EmployeeField) -> bool {
        self.delivers.iter().any(|delivered| delivered.field == SourceField::Employee(field))
    }

    /// How well a text finds it; `None` if it does not.
    fn rank(&self, query: &str) -> Option<Rank> {
        let (name, wanted) = (folded(&self.display_name), folded(query));
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let words: Vec<String> = [&self.display_name, &self.vendor]
            .into_iter()
            .chain(&self.search_words)
            .flat_map(|text| [folded(text), squeezed(&folded(text))])
            .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let is_found = |wanted: &str| words.iter().any(|word| word.starts_with(wanted));
        if name == wanted {
            Some(Rank::Name)
        } else if name.starts_with(&wanted) {
            Some(Rank::Beginning)
        } else if is_found(&squeezed(&wanted)) || wanted.split_whitespace().all(is_found) {
            Some(Rank::Words)
        } else {
            None
        }
    }
}

/// How well a text finds an integration, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Name,
    Beginning,
    Words,
}

/// The integrations that a text finds, best first: by name, by its beginning, or by the beginnings of words. Case,
/// accents and blanks do not matter; an empty text finds all, by name.
pub fn search<'i>(
    integrations: impl IntoIterator<Item = &'i Integration>,
    query: &str,
) -> Vec<&'i Integration> {
    let mut found: Vec<_> = integrations
        .into_iter()
        .filter_map(|it| Some((it.rank(query.trim())?, folded(&it.display_name), it)))
        .collect();
    found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    found.into_iter().map(|(.., integration)| integration).collect()
}

/// Lower case without accents; what is neither letter nor digit becomes a blank.
fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase);
    let spaced: String =
        plain.map(|character| if character.is_alphanumeric() { character } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, RecordIdKind};

    fn integration(vendor: &'static str, name: &'static str) -> Integration {
        Integration::new(&Descriptor::new(vendor, name, RecordIdKind::new("x")), "Reads.")
    }

    fn names<'i>(integrations: &'i [Integration], query: &str) -> Vec<&'i str> {
        search(integrations, query).into_iter().map(|found| &*found.display_name).collect()
    }

    #[test]
    fn people_find_an_integration_by_what_they_remember_of_its_name() {
        let all = [
            integration("northwind", "NorthWind HR"),
            integration("tramuntana", "Tramuntana").with_search_words(["Nómina Nord", "North Sea Payroll"]),
            integration("garbi", "Garbí"),
        ];
        for query in ["northwind", "North Wind", "NORTHWIND hr", "northwind-hr", "wind"] {
            let expected: &[&str] = if query == "wind" { &[] } else { &["NorthWind HR"] };
            assert_eq!(names(&all, query), expected, "{query}");
        }
        assert_eq!(names(&all, "north"), ["NorthWind HR", "Tramuntana"], "a name before another word");
        assert_eq!(names(&all, "payr nor"), ["Tramuntana"], "any order of words");
        assert_eq!(names(&all, "nomina"), ["Tramuntana"]);
        assert_eq!(names(&all, "garbi"), ["Garbí"]);
        assert_eq!(names(&all, " "), ["Garbí", "NorthWind HR", "Tramuntana"]);
        assert!(names(&all, "mistral").is_empty());
    }

    #[test]
    fn a_format_says_what_is_wrong_and_never_the_text() {
        let strict = TextFormat::new().with_length(4, 8).without("/");
        assert_eq!(strict.check("Key", "s3cret").unwrap(), "s3cret");
        for (text, said) in [
            ("", "is empty"),
            ("  \t", "is empty"),
            (" s3cret", "white space"),
            ("s3cret\n", "white space"),
            ("s3", "at least 4"),
            ("s3cret-s3cret", "at most 8"),
            ("s3/cret", "cannot have: /"),
        ] {
            let error = strict.check("Key", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(said) && shown.contains("`Key`"), "{text:?}: {shown}");
            assert!(!shown.contains("s3"), "{shown}");
        }
        assert_eq!(TextFormat::new().trimmed().check("Key", " s3cret ").unwrap(), "s3cret");
        assert!(TextFormat::new().plain().check("Region", "eu-1").is_ok());
        assert!(TextFormat::new().plain().check("Region", "eu.1").is_err());
        let choice = TextFormat::new().one_of(["us", "eu"]);
        assert!(choice.check("Region", "eu").is_ok());
        assert!(choice.check("Region", "s3").unwrap_err().to_string().contains("none of: us, eu"));
    }

    #[test]
    fn what_is_written_as_json_is_read_back_alike() {
        let step = CredentialStep::option("company", "Company ID").with_default("X7Q");
        let step = step.with_answer("How do I find my Company ID?", ["Look at the top."]);
        let written = integration("acme", "Acme")
            .with_step(step.clone())
            .with_step(CredentialStep::secret("id", "Client ID").shown().given_by(GivenBy::Operator))
            .with_fields([
                (EmployeeField::WorkEmail, "E-mail", ""),
                (EmployeeField::Gender, "Gender", "rare"),
            ])
            .with_least_permissions(["read"])
            .with_revocation(["Remove it."]);
        let json = serde_json::to_string(&written).unwrap();
        assert!(json.contains(r#""field":"work_email""#), "{json}");
        assert_eq!(serde_json::from_str::<Integration>(&json).unwrap(), written);
        assert!(written.can_deliver(EmployeeField::Gender) && !written.can_deliver(EmployeeField::Phone));
        assert_eq!((step.place, step.secret, step.optional), (Place::Option, false, true));
    }

    #[cfg(feature = "schema")]
    #[test]
    fn the_schema_describes_every_member_of_what_is_written() {
        let schema = serde_json::to_value(schemars::schema_for!(Integration)).unwrap();
        let json = serde_json::to_value(integration("acme", "Acme")).unwrap();
        for name in json.as_object().unwrap().keys() {
            assert!(schema["properties"][name].is_object(), "{name} in {schema}");
        }
    }
}
