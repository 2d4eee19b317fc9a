//! Subject and body of a gift mail, filled in for one person.

use std::fmt;
use std::sync::OnceLock;

use hris_core::{Error, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

/// The names that a template may use.
pub const VARIABLES: [&str; 4] = ["first_name", "last_name", "claim_link", "campaign_name"];

/// Subject, plain text and, if wanted, HTML, with `{{ first_name }}`, `{{ last_name }}`, `{{ campaign_name }}` and
/// `{{ claim_link }}`.
///
/// Checked when it is made: it can be filled in, knows every name it uses, and every body has the claim link.
/// In HTML values are escaped; in a subject line breaks become spaces.
///
/// ```
/// use hris_campaigns::MailTemplate;
/// assert!(MailTemplate::new("Hi {{ first_name }}", "Your gift: {{ claim_link }}").is_ok());
/// assert!(MailTemplate::new("Hi", "No link").is_err());
/// assert!(MailTemplate::new("Hi", "{{ claim_link }} {{ salary }}").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Texts", into = "Texts")]
pub struct MailTemplate(Texts);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Texts {
    subject: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

/// A filled-in mail.
pub(crate) struct Filled {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}

/// What a mail is filled in with.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) claim_link: &'a str,
    pub(crate) campaign_name: &'a str,
}

impl MailTemplate {
    /// A mail in plain text.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for a template that cannot be filled in or has no claim link.
    pub fn new(subject: impl Into<String>, text: impl Into<String>) -> Result<Self> {
        Texts { subject: subject.into(), text: text.into(), html: None }.try_into()
    }

    /// Adds the HTML form.
    ///
    /// # Errors
    /// As [`MailTemplate::new`].
    pub fn with_html(self, html: impl Into<String>) -> Result<Self> {
        Texts { html: Some(html.into()), ..self.0 }.try_into()
    }

    pub(crate) fn fill(&self, values: Values<'_>) -> Result<Filled> {
        self.0.fill(values)
    }
}

impl TryFrom<Texts> for MailTemplate {
    type Error = Error;

    fn try_from(texts: Texts) -> Result<Self> {
        const LINK: &str = "https://gifts.example/claim/sample-of-a-link";
        let values =
            Values { first_name: "First", last_name: "Last", claim_link: LINK, campaign_name: "Campaign" };
        let sample = texts.fill(values)?;
        let has_link = |body: &str| body.contains("sample-of-a-link");
        if !has_link(&sample.text) || sample.html.as_deref().is_some_and(|html| !has_link(html)) {
            let hint = "put `{{ claim_link }}` into the text, and into the HTML where there is one";
            return Err(Error::config("a mail without its claim link is of no use", hint));
        }
        if sample.subject.trim().is_empty() {
            return Err(Error::config("the subject is empty", "write one"));
        }
        Ok(Self(texts))
    }
}

impl From<MailTemplate> for Texts {
    fn from(template: MailTemplate) -> Self {
        template.0
    }
}

impl Texts {
    fn fill(&self, values: Values<'_>) -> Result<Filled> {
        let subject = render(&self.subject, &AutoEscape::None, values)?;
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        Ok(Filled {
            subject: subject.chars().map(one_line).collect(),
            text: render(&self.text, &AutoEscape::None, values)?,
            html: self.html.as_deref().map(|html| render(html, &AutoEscape::Html, values)).transpose()?,
        })
    }
}

fn render(template: &str, escape: &AutoEscape, values: Values<'_>) -> Result<String> {
    let environment = match escape {
        AutoEscape::Html => environment(&HTML, || AutoEscape::Html),
        _ => environment(&TEXT, || AutoEscape::None),
    };
    let Values { first_name, last_name, claim_link, campaign_name } = values;
    let filled =
        environment.render_str(template, context! { first_name, last_name, claim_link, campaign_name });
    // The cause could quote what was filled in, so its kind is all that is kept.
    filled.map_err(|error| {
        Error::config("the mail's template cannot be filled in", format!("use {}", VARIABLES.join(", ")))
            .with_context("problem", error.kind())
            .with_context("line", error.line().unwrap_or_default())
    })
}

static TEXT: OnceLock<Environment<'static>> = OnceLock::new();
static HTML: OnceLock<Environment<'static>> = OnceLock::new();

fn environment(
    cell: &'static OnceLock<Environment<'static>>,
    escape: fn() -> AutoEscape,
) -> &'static Environment<'static> {
    cell.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(move |_| escape());
        environment
    })
}

impl fmt::Debug for MailTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailTemplate").field("subject", &self.0.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://gifts.example/claim?a=1&b=2";

    fn values(first_name: &str) -> Values<'_> {
        Values { first_name, last_name: "O'Hara", claim_link: LINK, campaign_name: "Birthdays" }
    }

    #[test]
    fn names_are_escaped_in_html_and_not_in_text() {
        let template = MailTemplate::new("{{ first_name }}", "{{ first_name }} {{ claim_link }}").unwrap();
        let template = template.with_html("<p>{{ first_name }} <a href=\"{{ claim_link }}\">x</a>").unwrap();
        let filled = template.fill(values("<b>Bo</b>")).unwrap();
        assert_eq!(filled.text, format!("<b>Bo</b> {LINK}"));
        let html = filled.html.unwrap();
        assert!(html.contains("&lt;b&gt;Bo") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn a_name_cannot_add_a_header() {
        let template = MailTemplate::new("Hi {{ first_name }}", "{{ claim_link }}").unwrap();
        let filled = template.fill(values("Bo\r\nBcc: all@brisa.example")).unwrap();
        assert_eq!(filled.subject, "Hi Bo  Bcc: all@brisa.example");
    }

    #[test]
    fn a_name_is_no_template() {
        let template = MailTemplate::new("Hi", "{{ first_name }} {{ claim_link }}").unwrap();
        assert!(template.fill(values("{{ claim_link }}")).unwrap().text.starts_with("{{ claim_link }}"));
    }

    #[test]
    fn a_template_that_cannot_be_filled_in_is_refused() {
        for bad in ["{{ claim_link", "{{ claim_link }} {{ birth_date }}", "{% for %}", "no link"] {
            assert!(MailTemplate::new("Hi", bad).is_err(), "{bad}");
        }
        assert!(MailTemplate::new("{{ nonsense }}", "{{ claim_link }}").is_err());
        assert!(MailTemplate::new(" ", "{{ claim_link }}").is_err());
        assert!(MailTemplate::new("Hi", "{{ claim_link }}").unwrap().with_html("none").is_err());
    }
}
