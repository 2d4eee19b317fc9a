//! Tests on a field, for conditions in a mapping and for scope filters: true, false, or not to be told.

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::{Field, FieldSource, SourceField, ValueRef};

/// One test on one field. Several in a list must all be true.
///
/// Texts are compared without regard to case, to white space around them and to the form of accents. What was not
/// delivered cannot be judged: the answer is neither true nor false. See [`Answer`].
///
/// ```
/// use hris_core::{Answer, Employee, EmploymentStatus, Field, Test};
/// let test: Test = serde_json::from_str(r#"{ "field": "employment_type", "in": ["contractor", "freelance"] }"#)?;
/// let mut person = Employee::new("r1", EmploymentStatus::Active);
/// assert_eq!(test.judge(&person), Answer::Unknown);
/// person.employment_type = Field::Value("Contractor ".to_owned());
/// assert_eq!(test.judge(&person), Answer::True);
/// person.employment_type = Field::Null;
/// assert_eq!(test.judge(&person), Answer::False);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The field.
    pub field: SourceField,
    /// What it is tested for.
    #[serde(flatten)]
    pub is: Is,
}

/// What a field is tested for. A field without a value fits only [`Is::NotEquals`], [`Is::NotIn`] and
/// `present = false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Is {
    /// Equal to a text.
    Equals(String),
    /// Not equal to a text.
    NotEquals(String),
    /// One of these texts.
    In(Vec<String>),
    /// None of these texts.
    NotIn(Vec<String>),
    /// Begins with a text.
    StartsWith(String),
    /// Ends with a text.
    EndsWith(String),
    /// Holds a text somewhere.
    Contains(String),
    /// Has a value, or has none.
    Present(bool),
    /// A date before this one.
    Before(NaiveDate),
    /// A date on this day or later.
    OnOrAfter(NaiveDate),
}

/// The answer of a test. `Unknown` is the answer about what was not delivered or is no date where one is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Answer {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// It cannot be told.
    Unknown,
}

impl From<bool> for Answer {
    fn from(answer: bool) -> Self {
        if answer { Self::True } else { Self::False }
    }
}

impl Test {
    /// A test on a field.
    pub fn new(field: impl Into<SourceField>, is: Is) -> Self {
        Self { field: field.into(), is }
    }

    /// Tests one person.
    pub fn judge(&self, source: &dyn FieldSource) -> Answer {
        self.is.judge(&source.field(&self.field))
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match &self.is {
            Is::In(texts) | Is::NotIn(texts) if texts.is_empty() => Some("compares with an empty list"),
            Is::In(texts) | Is::NotIn(texts) if texts.iter().any(|text| text.trim().is_empty()) => {
                Some("compares with an empty text; use `present`")
            }
            Is::Equals(text) | Is::NotEquals(text) if text.trim().is_empty() => {
                Some("compares with an empty text; use `present`")
            }
            Is::StartsWith(text) | Is::EndsWith(text) | Is::Contains(text) if text.trim().is_empty() => {
                Some("looks for an empty text; use `present`")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.is {
            Is::Equals(text) => write!(f, "{field} is \"{text}\""),
            Is::NotEquals(text) => write!(f, "{field} is not \"{text}\""),
            Is::In(texts) => write!(f, "{field} is one of {texts:?}"),
            Is::NotIn(texts) => write!(f, "{field} is none of {texts:?}"),
            Is::StartsWith(text) => write!(f, "{field} starts with \"{text}\""),
            Is::EndsWith(text) => write!(f, "{field} ends with \"{text}\""),
            Is::Contains(text) => write!(f, "{field} contains \"{text}\""),
            Is::Present(true) => write!(f, "{field} has a value"),
            Is::Present(false) => write!(f, "{field} has no value"),
            Is::Before(date) => write!(f, "{field} is before {date}"),
            Is::OnOrAfter(date) => write!(f, "{field} is {date} or later"),
        }
    }
}

impl Is {
    fn judge(&self, value: &Field<ValueRef<'_>>) -> Answer {
        let value = match value {
            Field::Absent => return Answer::Unknown,
            Field::Null => None,
            Field::Value(value) => Some(value).filter(|value| !is_blank(value)),
        };
        let Some(value) = value else {
            return matches!(self, Self::NotEquals(_) | Self::NotIn(_) | Self::Present(false)).into();
        };
        match self {
            Self::Present(wanted) => (*wanted).into(),
            Self::Before(date) => date_of(value).map_or(Answer::Unknown, |value| (value < *date).into()),
            Self::OnOrAfter(date) => date_of(value).map_or(Answer::Unknown, |value| (value >= *date).into()),
            _ => self.judge_text(&value.to_text()).into(),
        }
    }

    fn judge_text(&self, value: &str) -> bool {
        let folded = |text: &str, judge: fn(&str, &str) -> bool| judge(&fold(value), &fold(text));
        match self {
            Self::Equals(text) => same(value, text),
            Self::NotEquals(text) => !same(value, text),
            Self::In(texts) => texts.iter().any(|text| same(value, text)),
            Self::NotIn(texts) => !texts.iter().any(|text| same(value, text)),
            Self::StartsWith(text) => folded(text, |value, text| value.starts_with(text)),
            Self::EndsWith(text) => folded(text, |value, text| value.ends_with(text)),
            Self::Contains(text) => folded(text, |value, text| value.contains(text)),
            Self::Present(_) | Self::Before(_) | Self::OnOrAfter(_) => false,
        }
    }
}

/// The answer to a list of tests: true if all are. One that is false outweighs those that cannot be told.
pub(crate) fn all(tests: &[Test], source: &dyn FieldSource) -> Answer {
    let mut answer = Answer::True;
    for test in tests {
        match test.judge(source) {
            Answer::True => {}
            Answer::False => return Answer::False,
            Answer::Unknown => answer = Answer::Unknown,
        }
    }
    answer
}

fn is_blank(value: &ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Text(text) if text.trim().is_empty())
}

fn date_of(value: &ValueRef<'_>) -> Option<NaiveDate> {
    match value {
        ValueRef::Date(date) => Some(*date),
        ValueRef::BirthDate(date) => date.date(),
        ValueRef::Text(text) => text.trim().parse().ok(),
        ValueRef::Bool(_) => None,
    }
}

fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim(), right.trim());
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    fold(left) == fold(right)
}

/// The form under which texts are compared: trimmed, composed, in lower case.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    // Lower case first, since it can bring forth what composing then puts together.
    Cow::Owned(text.nfc().collect::<String>().to_lowercase().nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Employee, EmployeeField, EmploymentStatus};

    fn person() -> Employee {
        let mut person = Employee::new("r1", EmploymentStatus::Active);
        person.country = Field::Value(" Es ".into());
        person.last_name = Field::Value("N\u{fa}n\u{303}ez".into());
        person.department = Field::Null;
        person.start_date = Field::Value(NaiveDate::from_ymd_opt(2022, 9, 1).unwrap());
        person
    }

    fn judge(field: EmployeeField, is: Is) -> Answer {
        Test::new(field, is).judge(&person())
    }

    #[test]
    fn texts_are_compared_without_case_blanks_and_forms_of_accents() {
        assert_eq!(judge(EmployeeField::Country, Is::Equals("ES".into())), Answer::True);
        assert_eq!(judge(EmployeeField::LastName, Is::Equals("nu\u{301}\u{f1}ez".into())), Answer::True);
        assert_eq!(judge(EmployeeField::LastName, Is::StartsWith("N\u{da}".into())), Answer::True);
        assert_eq!(judge(EmployeeField::LastName, Is::In(vec!["x".into(), "nunez".into()])), Answer::False);
    }

    #[test]
    fn a_test_on_what_was_not_delivered_is_neither_true_nor_false() {
        for is in [Is::Present(false), Is::Present(true), Is::NotIn(vec!["x".into()]), Is::Equals("x".into())]
        {
            assert_eq!(judge(EmployeeField::Company, is), Answer::Unknown);
        }
        assert_eq!(judge(EmployeeField::Department, Is::Present(false)), Answer::True);
        assert_eq!(judge(EmployeeField::Department, Is::NotEquals("x".into())), Answer::True);
        assert_eq!(judge(EmployeeField::Department, Is::Contains("x".into())), Answer::False);
    }

    #[test]
    fn dates_are_compared_as_dates_and_other_texts_cannot_be_told() {
        let day = NaiveDate::from_ymd_opt(2022, 9, 1).unwrap();
        assert_eq!(judge(EmployeeField::StartDate, Is::OnOrAfter(day)), Answer::True);
        assert_eq!(judge(EmployeeField::StartDate, Is::Before(day)), Answer::False);
        assert_eq!(judge(EmployeeField::Country, Is::Before(day)), Answer::Unknown);
    }

    #[test]
    fn a_false_test_outweighs_one_that_cannot_be_told() {
        let unknown = Test::new(EmployeeField::Company, Is::Present(true));
        let no = Test::new(EmployeeField::Country, Is::Equals("FR".into()));
        assert_eq!(all(&[unknown.clone(), no], &person()), Answer::False);
        assert_eq!(all(&[unknown], &person()), Answer::Unknown);
    }

    #[test]
    fn a_test_with_an_unknown_key_is_refused() {
        for text in [
            r#"{ "field": "country", "equals": "x", "or": "y" }"#,
            r#"{ "field": "country" }"#,
            r#"{ "field": "country", "like": "x" }"#,
        ] {
            assert!(serde_json::from_str::<Test>(text).is_err(), "{text}");
        }
    }
}
