//! A table of rules that a platform has for its members' attributes, checked before anything is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::{Attributes, Email, MemberField, Problem, RuleCode, TargetField, Value, rule};

/// What a platform accepts, attribute by attribute.
///
/// Text is trimmed, inner white space becomes single blanks, and it is composed (Unicode form NFC) before it is checked
/// and sent. A broken rule on a mandatory attribute refuses the record; on an optional one it costs that attribute.
///
/// ```
/// use hris_core::{AttributeRule, Attributes, MemberField, MemberRules};
/// let rules = MemberRules::minimal().with(MemberField::FirstName, AttributeRule::new().with_length(1, 5));
/// let mut wanted = Attributes::new();
/// wanted.set(MemberField::EmployeeId, Some("00104".into()));
/// wanted.set(MemberField::Email, Some(" nerea@brisa.example".into()));
/// wanted.set(MemberField::FirstName, Some("Nerea Miren".into()));
/// let checked = rules.check_new(&wanted);
/// assert!(checked.refusal.is_none());
/// assert_eq!(checked.attributes.text(&MemberField::Email.into()), Some("nerea@brisa.example"));
/// assert_eq!(checked.problems[0].rule, hris_core::rule::VALUE_LENGTH);
/// assert_eq!(checked.attributes.get(&MemberField::FirstName.into()), None, "left out, not cut");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberRules(BTreeMap<TargetField, AttributeRule>);

/// The rules for one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AttributeRule {
    /// Whether no record is sent without it. A broken rule then refuses the record; otherwise the attribute is left
    /// out.
    pub required: bool,
    /// The fewest and the most it may have, in [`AttributeRule::unit`].
    pub length: Option<(usize, usize)>,
    /// What length is counted in.
    pub unit: LengthUnit,
    /// Which characters it may have.
    pub characters: Characters,
    /// The only values there are, if not empty; compared exactly.
    pub one_of: Vec<String>,
    /// Whether it has to be an e-mail address, and by whose rules.
    pub email: Option<EmailForm>,
    /// Whether a broken rule is only reported and the value sent all the same.
    pub only_warns: bool,
}

/// What the length of a text is counted in, after composition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Unicode code points.
    #[default]
    CodePoints,
    /// Bytes in UTF-8.
    Bytes,
}

/// Sets of characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Characters {
    /// Any.
    #[default]
    Any,
    /// Any but `<` and `>`.
    NoAngleBrackets,
    /// Letters of any script (`\p{L}`), white space, hyphen, dot, `'` and `’`. A combining mark that no letter composes
    /// with is none of them.
    Name,
}

/// Ideas of what an e-mail address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EmailForm {
    /// That of [`Email::is_plausible`].
    Plausible,
    /// That of PHP's `FILTER_VALIDATE_EMAIL` without its Unicode flag: ASCII, dot-separated atoms of at most 64
    /// characters, a domain of two labels or more whose last begins with a letter. Quoted local parts and address
    /// literals are refused here, although that filter takes some of them.
    PhpFilter,
}

/// What is left of a record once the rules were applied.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What may be sent: composed, and without the attributes that break a rule.
    pub attributes: Attributes,
    /// Why the record must not be sent at all, if so.
    pub refusal: Option<Problem>,
    /// Attributes that are left out, and warnings.
    pub problems: Vec<Problem>,
}

impl MemberRules {
    /// No rules.
    pub fn none() -> Self {
        Self::default()
    }

    /// What every platform asks for: an Employee ID that is not blank, and an e-mail address.
    pub fn minimal() -> Self {
        let email = AttributeRule { email: Some(EmailForm::Plausible), ..AttributeRule::required() };
        Self::none().with(MemberField::EmployeeId, AttributeRule::required()).with(MemberField::Email, email)
    }

    /// Sets the rules for an attribute.
    #[must_use]
    pub fn with(mut self, field: impl Into<TargetField>, rule: AttributeRule) -> Self {
        self.0.insert(field.into(), rule);
        self
    }

    /// The rules for an attribute, if it has any.
    pub fn get(&self, field: &TargetField) -> Option<&AttributeRule> {
        self.0.get(field)
    }

    /// Checks everything that is wanted for a new member.
    pub fn check_new(&self, wanted: &Attributes) -> Checked {
        let mut checked = self.check_change(wanted);
        let has = |field: &TargetField| checked.attributes.get(field).flatten().is_some();
        let missing = self.0.iter().find(|(field, rule)| rule.required && !has(field));
        if let (None, Some((field, _))) = (&checked.refusal, missing) {
            checked.refusal = Some(broken(field, rule::VALUE_REQUIRED, "the platform needs this attribute"));
        }
        checked
    }

    /// Checks a change of a member: what it does not speak of stays as it is.
    pub fn check_change(&self, changes: &Attributes) -> Checked {
        let mut checked = Checked::default();
        for (field, value) in changes.iter() {
            let value = value.map(|value| (self.composed(field, value), value));
            let found = match (self.0.get(field), &value) {
                (Some(rule), None) if rule.required => {
                    Some((rule::VALUE_REQUIRED, "it cannot be emptied".into()))
                }
                (Some(rule), Some((Some(text), _))) => rule.broken_by(text),
                _ => None,
            };
            let rule = self.0.get(field);
            if let Some((code, message)) = found {
                let problem = broken(field, code, message);
                match rule {
                    Some(rule) if rule.only_warns => checked.problems.push(problem),
                    Some(rule) if rule.required => {
                        checked.refusal.get_or_insert(problem);
                        continue;
                    }
                    _ => {
                        checked.problems.push(problem);
                        continue;
                    }
                }
            }
            let kept = value.map(|(text, value)| text.map_or_else(|| value.clone(), Value::Text));
            checked.attributes.set(field.clone(), kept);
        }
        checked
    }

    /// Text as it is checked and sent; `None` for what is no text. An Employee ID stays as it is, since it is compared
    /// exactly.
    fn composed(&self, field: &TargetField, value: &Value) -> Option<String> {
        let text = value.as_text()?;
        if *field == TargetField::EMPLOYEE_ID || self.0.is_empty() {
            return Some(text.to_owned());
        }
        Some(text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect())
    }
}

impl AttributeRule {
    /// Anything goes.
    pub fn new() -> Self {
        Self::default()
    }

    /// It must be there, and not blank.
    pub fn required() -> Self {
        Self { required: true, ..Self::default() }
    }

    /// Lets a record be sent without it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Sets what length is counted in.
    #[must_use]
    pub fn with_unit(mut self, unit: LengthUnit) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the fewest and the most.
    #[must_use]
    pub fn with_length(mut self, fewest: usize, most: usize) -> Self {
        self.length = Some((fewest, most));
        self
    }

    /// Sets the characters.
    #[must_use]
    pub fn with_characters(mut self, characters: Characters) -> Self {
        self.characters = characters;
        self
    }

    /// Sets the only values.
    #[must_use]
    pub fn with_one_of<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.one_of = values.into_iter().map(Into::into).collect();
        self
    }

    /// Says that it is an e-mail address.
    #[must_use]
    pub fn with_email(mut self, form: EmailForm) -> Self {
        self.email = Some(form);
        self
    }

    /// Reports a broken rule and sends the value all the same.
    #[must_use]
    pub fn warning_only(mut self) -> Self {
        self.only_warns = true;
        self
    }

    fn broken_by(&self, text: &str) -> Option<(RuleCode, Cow<'static, str>)> {
        if self.required && text.trim().is_empty() {
            return Some((rule::VALUE_REQUIRED, "it is blank".into()));
        }
        let length = match self.unit {
            LengthUnit::CodePoints => text.chars().count(),
            LengthUnit::Bytes => text.len(),
        };
        if let Some((fewest, most)) =
            self.length.filter(|(fewest, most)| !(*fewest..=*most).contains(&length))
        {
            let message = format!("it has {length} characters where {fewest} to {most} are allowed");
            return Some((rule::VALUE_LENGTH, message.into()));
        }
        if !text.chars().all(|c| self.characters.contain(c)) {
            return Some((rule::VALUE_CHARACTERS, self.characters.described().into()));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|allowed| allowed == text) {
            let message = format!("it is none of {}", self.one_of.join(", "));
            return Some((rule::VALUE_CHARACTERS, message.into()));
        }
        let is_address = match self.email {
            None => true,
            Some(EmailForm::Plausible) => Email::is_plausible(text),
            Some(EmailForm::PhpFilter) => passes_php_filter(text),
        };
        (!is_address).then(|| (rule::VALUE_EMAIL, "it is no e-mail address by the platform's rules".into()))
    }
}

impl Characters {
    fn contain(self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::NoAngleBrackets => !matches!(c, '<' | '>'),
            Self::Name => is_letter(c) || c.is_whitespace() || matches!(c, '\'' | '’' | '-' | '.'),
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Name => "only letters, blanks, hyphens, dots and apostrophes are allowed",
            _ => "`<` and `>` are not allowed",
        }
    }
}

/// Unicode's general category L. The property "alphabetic" also has marks, numbers and circled letters.
fn is_letter(c: char) -> bool {
    const CIRCLED: [(char, char); 4] =
        [('Ⓐ', 'ⓩ'), ('\u{1F130}', '\u{1F149}'), ('\u{1F150}', '\u{1F169}'), ('\u{1F170}', '\u{1F189}')];
    let circled = || CIRCLED.iter().any(|(first, last)| (*first..=*last).contains(&c));
    c.is_alphabetic() && !is_combining_mark(c) && !c.is_numeric() && !circled()
}

fn passes_php_filter(text: &str) -> bool {
    const ATOM: &str = "!#$%&'*+-/=?^_`{|}~";
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let labels: Vec<_> = domain.split('.').collect();
    let atom =
        |atom: &str| !atom.is_empty() && atom.chars().all(|c| c.is_ascii_alphanumeric() || ATOM.contains(c));
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 320
        && local.len() <= 64
        && local.split('.').all(atom)
        && labels.len() > 1
        && domain.len() <= 253
        && labels.iter().all(label)
        && labels.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn broken(field: &TargetField, rule: RuleCode, message: impl Into<Cow<'static, str>>) -> Problem {
    Problem::warning(rule, message).at(field.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_breaks(text: &str) -> bool {
        let rules = MemberRules::none()
            .with(MemberField::FirstName, AttributeRule::new().with_characters(Characters::Name));
        let wanted = [(MemberField::FirstName.into(), Some(Value::from(text)))].into_iter().collect();
        !rules.check_change(&wanted).problems.is_empty()
    }

    #[test]
    fn a_name_is_composed_first_and_then_letters_of_any_script_pass() {
        for good in [
            "Anne-Marie",
            "O'Neil",
            "O’Neil",
            "J. R.",
            "José",
            "Jose\u{301}",
            "Nguyễn",
            "Łukasz",
            "李",
            "ʻOkina",
            "A\u{a0}B",
            "A\tB",
            "-",
        ] {
            assert!(!name_breaks(good), "{good:?}");
        }
        for bad in ["Col·lell", "Smith 2", "Smith, Jr", "Ann (HR)", "A_B", "a\u{200d}b", "कि", "Ⅷ", "ⓐ"]
        {
            assert!(name_breaks(bad), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_judged_as_the_php_filter_does() {
        let long = |local: usize, label: usize| format!("{}@{}.com", "a".repeat(local), "b".repeat(label));
        for good in
            ["a@b.co", "A@B.COM", "a+b@c.com", "a'b@c.ie", "a/b@c.com", "a@1.com", "a@b.c1", "a@xn--tda.com"]
        {
            assert!(passes_php_filter(good), "{good}");
        }
        assert!(passes_php_filter(&long(64, 63)));
        for bad in [
            "a@b",
            "a@localhost",
            ".a@b.com",
            "a.@b.com",
            "a..b@c.com",
            "a@-b.com",
            "a@b-.com",
            "a@b_c.com",
            "<a@b.com>",
            "a b@c.com",
            "\"a b\"@c.com",
            "a@b.co.",
            "a@b.com,c@d.com",
            "ü@b.com",
            "a@ü.com",
            "a@b.1c",
            "",
            "a",
            "a@b.com\n",
        ] {
            assert!(!passes_php_filter(bad), "{bad:?}");
        }
        assert!(!passes_php_filter(&long(65, 63)) && !passes_php_filter(&long(64, 64)));
    }

    #[test]
    fn a_broken_optional_attribute_is_left_out_and_a_broken_mandatory_one_refuses_the_record() {
        let rules =
            MemberRules::minimal().with(MemberField::Gender, AttributeRule::new().with_one_of(["M", "F"]));
        let mut wanted = Attributes::new();
        wanted.set(MemberField::EmployeeId, Some("1".into()));
        wanted.set(MemberField::Email, Some("a@b.example".into()));
        wanted.set(MemberField::Gender, Some("secret".into()));
        let checked = rules.check_new(&wanted);
        assert!(checked.refusal.is_none());
        assert_eq!(checked.attributes.len(), 2);
        assert!(!format!("{:?}", checked.problems).contains("secret"));

        wanted.set(MemberField::Email, Some("nobody".into()));
        assert_eq!(rules.check_new(&wanted).refusal.map(|problem| problem.rule), Some(rule::VALUE_EMAIL));
        wanted.set(MemberField::Email, None);
        assert_eq!(rules.check_new(&wanted).refusal.map(|problem| problem.rule), Some(rule::VALUE_REQUIRED));
    }

    #[test]
    fn a_change_says_nothing_about_what_it_leaves_out_but_cannot_empty_a_mandatory_attribute() {
        let rules = MemberRules::minimal();
        assert!(rules.check_change(&Attributes::new()).refusal.is_none());
        let emptied = [(TargetField::EMAIL, None)].into_iter().collect();
        assert!(rules.check_change(&emptied).refusal.is_some());
        let blank = [(TargetField::EMPLOYEE_ID, Some(Value::from("  ")))].into_iter().collect();
        assert!(rules.check_change(&blank).refusal.is_some());
    }

    #[test]
    fn length_is_counted_after_composition_in_code_points_or_bytes() {
        let length = |unit| {
            let rule = AttributeRule { unit, ..AttributeRule::new().with_length(1, 4) };
            let rules = MemberRules::none().with(MemberField::FirstName, rule);
            let wanted =
                [(MemberField::FirstName.into(), Some(Value::from("Jose\u{301}")))].into_iter().collect();
            rules.check_change(&wanted).problems.len()
        };
        assert_eq!((length(LengthUnit::CodePoints), length(LengthUnit::Bytes)), (0, 1));
    }
}
