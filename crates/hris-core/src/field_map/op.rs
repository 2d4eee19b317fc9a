//! Transforms ready to run: arguments are parsed once, and what can go wrong is a problem with words and no value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate};
use std::fmt::Write as _;
use unicode_normalization::UnicodeNormalization as _;

use super::condition::fold;
use super::transform::{Otherwise, Transform};
use crate::problem::{RuleCode, rule};
use crate::{BirthDate, Email, Field, Value, ValueRef};

/// The longest text, in bytes, that a mapping puts together. No platform takes an attribute of such length.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// Why a value cannot be used: the rule, and what was expected.
pub(super) type Refused = (RuleCode, Cow<'static, str>);

/// The type of a value on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Date,
    BirthDate,
    /// Known only once the value is there: a field or an attribute of the customer's own.
    Any,
}

/// What an attribute takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Whatever comes.
    Anything,
    Text,
    Email,
    Date,
    BirthDate,
}

/// A transform with its arguments parsed.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Trim,
    Lower,
    Upper,
    Nfc,
    Date(DateFormat),
    Format(DateFormat),
    Replace { find: Box<str>, with: Box<str> },
    Split { on: Box<str>, part: i32 },
    Lookup { table: BTreeMap<Box<str>, Box<str>>, otherwise: Otherwise },
    Default(Value),
}

/// A date format, parsed.
#[derive(Clone, Debug)]
pub(super) struct DateFormat {
    text: Box<str>,
    items: Vec<Item<'static>>,
}

impl DateFormat {
    /// A format to read dates with: it must tell a whole day.
    pub(super) fn reading(text: &str) -> Result<Self, &'static str> {
        let format = Self::parsed(text)?;
        // 3 February 2001, 04:05:06 UTC: no two of its parts are equal, and its century is this one.
        let sample = DateTime::from_timestamp(981_173_106, 0).unwrap_or_default();
        let mut written = String::new();
        write!(written, "{}", sample.format_with_items(format.items.iter())).map_err(|_| "cannot be used")?;
        match format.parse(&written) {
            Some(date) if date == sample.date_naive() => Ok(format),
            _ => Err("does not tell year, month and day"),
        }
    }

    /// A format to write dates with: it must hold nothing but parts of a date.
    pub(super) fn writing(text: &str) -> Result<Self, &'static str> {
        let format = Self::parsed(text)?;
        match format.write(NaiveDate::MIN).and(format.write(NaiveDate::default())) {
            Some(_) => Ok(format),
            None => Err("has parts that a date does not have, such as hours"),
        }
    }

    fn parsed(text: &str) -> Result<Self, &'static str> {
        let items = StrftimeItems::new(text).parse_to_owned().map_err(|_| "is not a format of dates")?;
        if items.is_empty() {
            return Err("is empty");
        }
        Ok(Self { text: text.into(), items })
    }

    fn parse(&self, text: &str) -> Option<NaiveDate> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        parsed.to_naive_date().ok()
    }

    fn write(&self, date: NaiveDate) -> Option<String> {
        let mut text = String::new();
        write!(text, "{}", date.format_with_items(self.items.iter())).ok()?;
        Some(text)
    }
}

impl Op {
    /// Parses a transform's arguments. `kind` is the type of the values that it will meet.
    pub(super) fn compile(transform: &Transform, kind: Kind) -> Result<Self, String> {
        Ok(match transform {
            Transform::Trim => Self::Trim,
            Transform::Lower => Self::Lower,
            Transform::Upper => Self::Upper,
            Transform::Nfc => Self::Nfc,
            Transform::Date(format) => {
                Self::Date(DateFormat::reading(format).map_err(|why| format!("`{format}` {why}"))?)
            }
            Transform::Format(format) => {
                Self::Format(DateFormat::writing(format).map_err(|why| format!("`{format}` {why}"))?)
            }
            Transform::Replace { find, .. } if find.is_empty() => {
                return Err("`replace` looks for an empty text".to_owned());
            }
            Transform::Replace { find, with } => {
                Self::Replace { find: find.as_str().into(), with: with.as_str().into() }
            }
            Transform::Split { on, .. } if on.is_empty() => {
                return Err("`split` has an empty separator".to_owned());
            }
            Transform::Split { part: 0, .. } => {
                return Err("`split` has no part 0: 1 is the first, -1 the last".to_owned());
            }
            Transform::Split { on, part } => Self::Split { on: on.as_str().into(), part: *part },
            Transform::Lookup { table, otherwise } => {
                Self::Lookup { table: folded(table)?, otherwise: *otherwise }
            }
            Transform::Default(text) => {
                let fit = match kind {
                    Kind::Date => Fit::Date,
                    Kind::BirthDate => Fit::BirthDate,
                    Kind::Text | Kind::Any => Fit::Text,
                };
                Self::Default(literal(text, fit).map_err(|why| format!("`default` {why}"))?)
            }
        })
    }

    pub(super) fn apply<'a>(&self, value: Field<ValueRef<'a>>) -> Result<Field<ValueRef<'a>>, Refused> {
        let value = match value {
            Field::Value(value) => value,
            Field::Null => {
                let Self::Default(default) = self else { return Ok(Field::Null) };
                return Ok(Field::Value(owned(default)));
            }
            Field::Absent => return Ok(Field::Absent),
        };
        match (self, value) {
            (Self::Default(_), value) => Ok(Field::Value(value)),
            (Self::Date(format), value) => read_date(value, format).map(Field::Value),
            (Self::Format(format), value) => write_date(&value, format),
            (Self::Replace { find, with }, value) => replace(value.to_text(), find, with),
            (Self::Split { on, part }, value) => Ok(split(value.to_text(), on, *part)),
            (Self::Lookup { table, otherwise }, value) => lookup(value.to_text(), table, *otherwise),
            (Self::Trim, ValueRef::Text(text)) => Ok(text_or_null(trim(text))),
            (Self::Lower, ValueRef::Text(text)) => Ok(text_or_null(Cow::Owned(text.to_lowercase()))),
            (Self::Upper, ValueRef::Text(text)) => Ok(text_or_null(Cow::Owned(text.to_uppercase()))),
            (Self::Nfc, ValueRef::Text(text)) => Ok(text_or_null(nfc(text))),
            (Self::Trim | Self::Lower | Self::Upper | Self::Nfc, value) => Ok(Field::Value(value)),
        }
    }
}

impl Fit {
    /// Whether a value, or none, needs no change and no check.
    #[inline]
    pub(super) fn takes(self, value: &Field<ValueRef<'_>>) -> bool {
        matches!(
            (self, value),
            (_, Field::Absent | Field::Null)
                | (Self::Anything, _)
                | (Self::Text, Field::Value(ValueRef::Text(_)))
                | (Self::Date, Field::Value(ValueRef::Date(_)))
                | (Self::BirthDate, Field::Value(ValueRef::BirthDate(_)))
        )
    }

    /// Turns a value into one that the attribute takes.
    pub(super) fn accept(self, value: ValueRef<'_>) -> Result<ValueRef<'_>, Refused> {
        match (self, value) {
            (Self::Anything, value)
            | (Self::Text, value @ ValueRef::Text(_))
            | (Self::Date, value @ ValueRef::Date(_))
            | (Self::BirthDate, value @ ValueRef::BirthDate(_)) => Ok(value),
            (Self::Text, value) => Ok(ValueRef::Text(value.to_text())),
            (Self::Email, value) => {
                let text = value.to_text();
                if Email::is_plausible(&text) {
                    Ok(ValueRef::Text(text))
                } else {
                    Err((rule::EMAIL_INVALID, "is not an e-mail address".into()))
                }
            }
            (Self::Date, value) => iso(&value).map(ValueRef::Date).ok_or_else(no_iso_date),
            (Self::BirthDate, value) => birth_date(&value).map(ValueRef::BirthDate).ok_or_else(no_iso_date),
        }
    }
}

/// A text of the document as a value for an attribute.
pub(super) fn literal(text: &str, fit: Fit) -> Result<Value, Cow<'static, str>> {
    if text.trim().is_empty() {
        return Err("is empty".into());
    }
    let value = fit.accept(ValueRef::text(text)).map_err(|(_, why)| why)?;
    Ok(value.into_owned())
}

/// A value of the document for one person: they do not live long enough to borrow it.
pub(super) fn owned<'a>(value: &Value) -> ValueRef<'a> {
    match value {
        Value::Text(text) => ValueRef::Text(Cow::Owned(text.clone())),
        Value::Date(date) => ValueRef::Date(*date),
        Value::BirthDate(date) => ValueRef::BirthDate(*date),
        Value::Bool(flag) => ValueRef::Bool(*flag),
    }
}

/// White space alone is no value, in whatever field.
#[inline]
pub(super) fn blank_is_null(value: Field<ValueRef<'_>>) -> Field<ValueRef<'_>> {
    match value {
        Field::Value(ValueRef::Text(text)) if text.trim().is_empty() => Field::Null,
        value => value,
    }
}

fn text_or_null(text: Cow<'_, str>) -> Field<ValueRef<'_>> {
    blank_is_null(Field::Value(ValueRef::Text(text)))
}

fn no_iso_date() -> Refused {
    (rule::FIELD_UNREADABLE, "is not a date of the form YYYY-MM-DD".into())
}

fn iso(value: &ValueRef<'_>) -> Option<NaiveDate> {
    match value {
        ValueRef::Date(date) => Some(*date),
        ValueRef::BirthDate(date) => date.date(),
        ValueRef::Text(text) => text.trim().parse().ok(),
        ValueRef::Bool(_) => None,
    }
}

/// A birth date may lack its year: `--MM-DD`.
fn birth_date(value: &ValueRef<'_>) -> Option<BirthDate> {
    if let ValueRef::Text(text) = value
        && let Some((month, day)) = text.trim().strip_prefix("--").and_then(|text| text.split_once('-'))
    {
        return BirthDate::month_day(month.parse().ok()?, day.parse().ok()?);
    }
    iso(value).map(BirthDate::from)
}

fn read_date<'a>(value: ValueRef<'a>, format: &DateFormat) -> Result<ValueRef<'a>, Refused> {
    let text = match &value {
        ValueRef::Date(_) | ValueRef::BirthDate(_) => return Ok(value),
        ValueRef::Text(text) => text.trim(),
        ValueRef::Bool(_) => "",
    };
    let date = text.parse().ok().or_else(|| format.parse(text));
    let expected = || format!("is not a date of the form YYYY-MM-DD or {}", format.text).into();
    date.map(ValueRef::Date).ok_or_else(|| (rule::FIELD_UNREADABLE, expected()))
}

fn write_date<'a>(value: &ValueRef<'_>, format: &DateFormat) -> Result<Field<ValueRef<'a>>, Refused> {
    let date = iso(value).ok_or_else(no_iso_date)?;
    let text = format.write(date);
    let text = text.ok_or_else(|| (rule::FIELD_UNREADABLE, "is a date that cannot be written".into()))?;
    Ok(text_or_null(Cow::Owned(text)))
}

fn replace<'a>(text: Cow<'a, str>, find: &str, with: &str) -> Result<Field<ValueRef<'a>>, Refused> {
    let found = text.matches(find).count();
    if found == 0 {
        return Ok(text_or_null(text));
    }
    if text.len().saturating_add(found.saturating_mul(with.len())) > MAX_TEXT.max(text.len()) {
        return Err(too_long());
    }
    Ok(text_or_null(Cow::Owned(text.replace(find, with))))
}

pub(super) fn too_long() -> Refused {
    (rule::FIELD_TOO_LONG, format!("becomes longer than {MAX_TEXT} bytes").into())
}

fn split<'a>(text: Cow<'a, str>, on: &str, part: i32) -> Field<ValueRef<'a>> {
    let part = match text {
        Cow::Borrowed(text) => part_of(text, on, part).map(Cow::Borrowed),
        Cow::Owned(text) => part_of(&text, on, part).map(|part| Cow::Owned(part.to_owned())),
    };
    part.map_or(Field::Null, text_or_null)
}

fn part_of<'t>(text: &'t str, on: &str, part: i32) -> Option<&'t str> {
    let nth = usize::try_from(part.unsigned_abs()).ok()?.checked_sub(1)?;
    if part > 0 { text.split(on).nth(nth) } else { text.rsplit(on).nth(nth) }
}

fn folded(table: &BTreeMap<String, String>) -> Result<BTreeMap<Box<str>, Box<str>>, String> {
    let mut folded_table: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
    if table.is_empty() {
        return Err("`lookup` has an empty table".to_owned());
    }
    for (from, to) in table {
        let key = fold(from);
        if key.is_empty() {
            return Err("`lookup` has an entry for an empty text; use `on_null`".to_owned());
        }
        if folded_table.insert(key.into(), to.as_str().into()).is_some_and(|before| *before != **to) {
            return Err(format!(
                "`lookup` has two entries for `{}`, whose case does not matter",
                from.trim()
            ));
        }
    }
    Ok(folded_table)
}

fn lookup<'a>(
    text: Cow<'a, str>,
    table: &BTreeMap<Box<str>, Box<str>>,
    otherwise: Otherwise,
) -> Result<Field<ValueRef<'a>>, Refused> {
    let entry = table.get(&*fold(&text)).map(ToString::to_string);
    match (entry, otherwise) {
        (Some(entry), _) => Ok(text_or_null(Cow::Owned(entry))),
        (None, Otherwise::Keep) => Ok(text_or_null(text)),
        (None, Otherwise::Null) => Ok(Field::Null),
        (None, Otherwise::Problem) => {
            Err((rule::FIELD_UNMATCHED, "has no entry in the mapping's lookup table; add one".into()))
        }
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn nfc(text: Cow<'_, str>) -> Cow<'_, str> {
    if unicode_normalization::is_nfc(&text) { text } else { Cow::Owned(text.nfc().collect()) }
}
