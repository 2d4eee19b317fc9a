//! The texts of mails: one subject, one plain text and one HTML page for each kind of notice, each replaceable.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use hris_core::{ConnectionKey, Email, Error, Notice, NoticeContent, Recipient, Result, RunReport, Trigger};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::context::Context;

/// A part of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The subject, one line.
    Subject,
    /// The plain text.
    Text,
    /// The HTML page, in which values are escaped.
    Html,
}

impl Part {
    fn suffix(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "body.txt",
            Self::Html => "body.html",
        }
    }
}

/// The texts of mails. They are templates in the language of Jinja, with the fields of a notice: see the crate's page.
#[derive(Clone)]
pub struct Templates {
    environment: Environment<'static>,
}

/// The texts that come with the crate.
macro_rules! standard {
    ($($kind:literal),+) => {
        &[$(
            ($kind, Part::Subject, include_str!(concat!("templates/", $kind, ".subject.txt"))),
            ($kind, Part::Text, include_str!(concat!("templates/", $kind, ".body.txt"))),
            ($kind, Part::Html, include_str!(concat!("templates/", $kind, ".body.html"))),
        )+]
    };
}

const STANDARD: &[(&str, Part, &str)] =
    standard!("run_ended", "plan_held", "quarantined", "recovered", "runs_missed", "welcome");

/// What several of them share.
const SHARED: &[(&str, &str)] = &[
    ("report.txt", include_str!("templates/report.txt")),
    ("report.html", include_str!("templates/report.html")),
    ("page.html", include_str!("templates/page.html")),
];

/// A mail's texts.
#[derive(PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Templates {
    /// The texts that come with the crate.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] if one of them cannot be used, which a test rules out.
    pub fn standard() -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| unusable("standard", &error))?);
        environment.set_auto_escape_callback(|name| {
            let is_html = name.rsplit_once('.').is_some_and(|(_, extension)| extension == "html");
            if is_html { AutoEscape::Html } else { AutoEscape::None }
        });
        let mut templates = Self { environment };
        for (name, source) in SHARED {
            templates.add(name, Cow::Borrowed(source))?;
        }
        for (kind, part, source) in STANDARD {
            templates.add(&name(kind, *part), Cow::Borrowed(source))?;
        }
        Ok(templates)
    }

    /// Replaces one part of the mails of one kind, such as the subject of `run_ended`.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for a kind that does not exist, and for a template that cannot be read or asks
    /// for what a notice of that kind does not have. Nothing is replaced then.
    pub fn with(&self, kind: &str, part: Part, source: impl Into<String>) -> Result<Self> {
        if !STANDARD.iter().any(|(known, ..)| *known == kind) {
            let mut known: Vec<_> = STANDARD.iter().map(|(kind, ..)| *kind).collect();
            known.dedup();
            return Err(Error::config(
                format!("there is no kind of notice `{kind}`"),
                format!("the kinds are: {}", known.join(", ")),
            ));
        }
        let mut replaced = self.clone();
        replaced.add(&name(kind, part), Cow::Owned(source.into()))?;
        for sample in samples().into_iter().filter(|sample| sample.content.kind() == kind) {
            let to = sample_recipient().ok_or_else(|| Error::config("no sample", "report this"))?;
            replaced.render(&sample, &to, Some("https://portal.example"))?;
        }
        Ok(replaced)
    }

    fn add(&mut self, name: &str, source: Cow<'static, str>) -> Result<()> {
        let added = self.environment.add_template_owned(name.to_owned(), source.into_owned());
        added.map_err(|error| unusable(name, &error))
    }

    pub(crate) fn render(&self, notice: &Notice, to: &Recipient, pages: Option<&str>) -> Result<Rendered> {
        let context = Context::of(notice, to, pages);
        let part = |part| {
            let name = name(notice.content.kind(), part);
            let template = self.environment.get_template(&name).map_err(|error| unusable(&name, &error))?;
            template.render(Serde(&context)).map_err(|error| unusable(&name, &error))
        };
        let subject = part(Part::Subject)?;
        // One line, whatever a company's name brings along.
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Rendered { subject, text: part(Part::Text)?, html: part(Part::Html)? })
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.environment.templates().map(|(name, _)| name.to_owned())).finish()
    }
}

fn name(kind: &str, part: Part) -> String {
    format!("{kind}.{}", part.suffix())
}

/// The engine's message names the place; its detail can quote a value, so that only its kind is kept.
fn unusable(name: &str, error: &minijinja::Error) -> Error {
    Error::config(
        format!("the template `{name}` cannot be used: {}", error.kind()),
        "correct it: the crate's page lists what a template may ask for",
    )
    .with_context("line", error.line().unwrap_or_default())
}

fn sample_recipient() -> Option<Recipient> {
    Some(Recipient::new(Email::parse("somebody@company.example")?).named("Somebody"))
}

/// One notice of each kind, to try templates with.
fn samples() -> Vec<Notice> {
    let at = DateTime::UNIX_EPOCH;
    let connection = ConnectionKey::new("tenant", "connection");
    let report = || Box::new(RunReport::started("run".into(), connection.clone(), Trigger::OnDemand, at));
    let contents = vec![
        NoticeContent::RunEnded { report: report() },
        NoticeContent::PlanHeld { report: report(), digest: "digest".to_owned(), expires_at: at },
        NoticeContent::Quarantined {
            reason: "reason".into(),
            what: "what".to_owned(),
            remedy: "remedy".to_owned(),
            failures: 3,
            next_attempt: Some(at),
        },
        NoticeContent::Recovered { since: at },
        NoticeContent::RunsMissed { first: at, last: at, count: 1, cause: "cause".into(), next: None },
        NoticeContent::Welcome { organisation: "Company".to_owned(), link: None },
    ];
    let notice = |content| Notice::new("sample", connection.clone(), "Title", at, content);
    contents.into_iter().map(notice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_notice_has_its_texts() {
        let templates = Templates::standard().unwrap();
        for sample in samples() {
            for pages in [None, Some("https://portal.example/")] {
                let mail = templates.render(&sample, &sample_recipient().unwrap(), pages).unwrap();
                assert!(!mail.subject.is_empty() && !mail.text.trim().is_empty());
                assert!(
                    mail.html.starts_with("<!doctype html>") && mail.html.contains("</html>"),
                    "{}",
                    mail.html
                );
                assert_eq!(
                    mail.text.contains("https://portal.example/tenant/connection"),
                    pages.is_some() && sample.content.kind() != "welcome",
                    "{}",
                    mail.text
                );
            }
        }
    }

    #[test]
    fn a_template_is_replaced_and_only_that_one() {
        let standard = Templates::standard().unwrap();
        let own =
            standard.with("run_ended", Part::Subject, "{{ report.affected }} for {{ tenant }}").unwrap();
        let to = sample_recipient().unwrap();
        for sample in samples() {
            let (old, new) =
                (standard.render(&sample, &to, None).unwrap(), own.render(&sample, &to, None).unwrap());
            assert!(old.text == new.text && old.html == new.html);
            assert_eq!(old.subject == new.subject, sample.content.kind() != "run_ended");
        }
    }

    #[test]
    fn a_template_that_cannot_work_is_refused_when_it_is_given() {
        let standard = Templates::standard().unwrap();
        for source in ["{{ salary }}", "{% if %}", "{{ report.nothing }}", "{% include 'other' %}"] {
            let error = standard.with("plan_held", Part::Text, source).unwrap_err();
            assert!(error.to_string().contains("plan_held.body.txt"), "{error}");
        }
        let error = standard.with("birthday", Part::Text, "x").unwrap_err();
        assert!(error.to_string().contains("run_ended"), "{error}");
    }

    #[test]
    fn what_others_wrote_is_escaped_in_html_and_breaks_no_subject() {
        let mut notice = samples().remove(0);
        notice.title = "<script>alert(1)</script>\r\nBcc: x@evil.example".to_owned();
        let mail =
            Templates::standard().unwrap().render(&notice, &sample_recipient().unwrap(), None).unwrap();
        assert!(!mail.html.contains("<script>") && mail.html.contains("&lt;script&gt;"));
        assert!(!mail.subject.contains(['\r', '\n']));
    }
}
