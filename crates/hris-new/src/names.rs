//! The names of a connector: of its crate, its types, and the system that people know.

use std::fmt;

/// Why a name cannot be used, and what would do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadName(&'static str);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadName {}

/// Every form of a connector's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// In configurations and modules: `acorn`.
    pub(crate) name: String,
    /// What types begin with: `Acorn`.
    pub(crate) type_name: String,
    /// What people call it: `Acorn HR`.
    pub(crate) display: String,
}

impl Names {
    /// The forms of `name`; types and people call it alike unless told otherwise.
    pub(crate) fn new(name: &str, type_name: Option<&str>, display: Option<&str>) -> Result<Self, BadName> {
        let is_word = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        if !is_word {
            return Err(BadName("a name is one word of lower-case letters and digits, such as `acorn`"));
        }
        let taken = ["core", "http", "new", "sync", "testkit", "self", "super", "crate", "mod", "type"];
        if taken.contains(&name) {
            return Err(BadName("this name means something else already; take another one"));
        }
        let capitalised = name[..1].to_uppercase() + &name[1..];
        let type_name = type_name.unwrap_or(&capitalised);
        if type_name.to_lowercase() != name
            || !type_name.starts_with(|first: char| first.is_ascii_uppercase())
        {
            return Err(BadName(
                "the name of types is the name with other capitals, such as `PeopleHr` for `peoplehr`",
            ));
        }
        let display = display.unwrap_or(&capitalised).trim();
        if display.is_empty() || display.contains(['"', '\\', '`', '{', '}', '\n']) {
            return Err(BadName("the name to show is plain text without quotes, braces and backslashes"));
        }
        Ok(Self { name: name.to_owned(), type_name: type_name.to_owned(), display: display.to_owned() })
    }

    /// The crate: `hris-acorn`.
    pub(crate) fn package(&self) -> String {
        format!("hris-{}", self.name)
    }

    /// Fills a template.
    pub(crate) fn fill(&self, template: &str) -> String {
        template
            .replace("{{crate}}", &self.package())
            .replace("{{crate_name}}", &self.package().replace('-', "_"))
            .replace("{{name}}", &self.name)
            .replace("{{Name}}", &self.type_name)
            .replace("{{display}}", &self.display)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_gives_all_forms() {
        let names = Names::new("acorn", None, None).unwrap();
        assert_eq!((names.type_name.as_str(), names.display.as_str()), ("Acorn", "Acorn"));
        assert_eq!(
            names.fill("{{crate}} {{crate_name}} {{name}} {{Name}}"),
            "hris-acorn hris_acorn acorn Acorn"
        );
        let names = Names::new("peoplehr", Some("PeopleHr"), Some("People HR")).unwrap();
        assert_eq!(
            names.fill("use {{crate_name}}::{{{Name}}Config};"),
            "use hris_peoplehr::{PeopleHrConfig};"
        );
        assert_eq!(names.display, "People HR");
    }

    #[test]
    fn names_that_are_no_words_are_refused() {
        for name in ["", "Acorn", "acorn-hr", "acorn_hr", "1st", "ácorn", "core", "../acorn"] {
            assert!(Names::new(name, None, None).is_err(), "{name}");
        }
        assert!(Names::new("acorn", Some("Oak"), None).is_err());
        assert!(Names::new("acorn", Some("acorn"), None).is_err());
        for display in ["", " ", "Acorn \"HR\"", "Acorn\nHR", "{Acorn}"] {
            assert!(Names::new("acorn", None, Some(display)).is_err(), "{display}");
        }
    }
}
