//! Which attribute of a member is written where, in which form, and what is read from there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use hris_core::{Attributes, BirthDate, MemberField, TargetField, Value, ValueRef};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::path::{Document, ENTERPRISE, ScimPath};

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueFormat {
    /// As text; dates as `yyyy-mm-dd`.
    #[default]
    Text,
    /// A date as `yyyy-mm-dd`.
    Iso,
    /// A date as `dd/mm/yyyy`.
    DayMonthYear,
    /// A date as `mm/dd/yyyy`.
    MonthDayYear,
    /// `true` or `false`.
    Boolean,
}

/// Where an attribute is written, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct AttributePlace {
    /// The path.
    pub path: ScimPath,
    /// The form of its values.
    pub format: ValueFormat,
}

/// In configurations: the path alone, or with a format.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Path(ScimPath),
    Formatted { path: ScimPath, format: ValueFormat },
}

impl From<Written> for AttributePlace {
    fn from(written: Written) -> Self {
        match written {
            Written::Path(path) => path.into(),
            Written::Formatted { path, format } => Self { path, format },
        }
    }
}

impl From<AttributePlace> for Written {
    fn from(place: AttributePlace) -> Self {
        match place.format {
            ValueFormat::Text => Self::Path(place.path),
            format => Self::Formatted { path: place.path, format },
        }
    }
}

impl From<ScimPath> for AttributePlace {
    fn from(path: ScimPath) -> Self {
        Self { path, format: ValueFormat::Text }
    }
}

/// The table of all attributes, and the fixed places beside it.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    table: BTreeMap<TargetField, AttributePlace>,
    /// Further places that a field is written to and not read from.
    copies: Vec<(TargetField, ScimPath)>,
    pub(crate) external_id: ScimPath,
    pub(crate) user_name: ScimPath,
    pub(crate) active: ScimPath,
    pub(crate) manager: ScimPath,
    pub(crate) emails: ScimPath,
    /// What the user name is made of.
    pub(crate) user_name_from: TargetField,
}

/// A fixed path. What is written here parses, which a test shows.
fn fixed(text: &str) -> Option<ScimPath> {
    text.parse().ok()
}

/// The places that every SCIM server knows.
pub(crate) fn standard() -> BTreeMap<TargetField, AttributePlace> {
    let enterprise = |name: &str| format!("{ENTERPRISE}:{name}");
    let table = [
        (MemberField::EmployeeId, "externalId".to_owned()),
        (MemberField::Email, "emails[type eq \"work\"].value".to_owned()),
        (MemberField::FirstName, "name.givenName".to_owned()),
        (MemberField::MiddleName, "name.middleName".to_owned()),
        (MemberField::LastName, "name.familyName".to_owned()),
        (MemberField::DisplayName, "displayName".to_owned()),
        (MemberField::PersonalEmail, "emails[type eq \"home\"].value".to_owned()),
        (MemberField::Phone, "phoneNumbers[type eq \"work\"].value".to_owned()),
        (MemberField::JobTitle, "title".to_owned()),
        (MemberField::Language, "preferredLanguage".to_owned()),
        (MemberField::Location, "addresses[type eq \"work\"].locality".to_owned()),
        (MemberField::Country, "addresses[type eq \"work\"].country".to_owned()),
        (MemberField::Department, enterprise("department")),
        (MemberField::Company, enterprise("organization")),
        (MemberField::Manager, enterprise("manager.value")),
    ];
    let places = table.into_iter().filter_map(|(field, path)| Some((field.into(), fixed(&path)?.into())));
    places.collect()
}

impl Places {
    pub(crate) fn new(
        table: BTreeMap<TargetField, AttributePlace>,
        user_name_from: TargetField,
        employee_number: bool,
    ) -> Option<Self> {
        let user_name = fixed("userName")?;
        let mut copies = Vec::new();
        if table.get(&user_name_from).is_none_or(|place| place.path != user_name) {
            copies.push((user_name_from.clone(), user_name.clone()));
        }
        if employee_number {
            copies.push((TargetField::EMPLOYEE_ID, fixed(&format!("{ENTERPRISE}:employeeNumber"))?));
        }
        Some(Self {
            table,
            copies,
            external_id: fixed("externalId")?,
            user_name,
            active: fixed("active")?,
            manager: fixed(&format!("{ENTERPRISE}:manager.value"))?,
            emails: fixed("emails")?,
            user_name_from,
        })
    }

    /// Whether an attribute is written at all.
    pub(crate) fn writes(&self, field: &TargetField) -> bool {
        self.table.contains_key(field) || self.copies.iter().any(|(copied, _)| copied == field)
    }

    /// The manager's place, where managers are written.
    pub(crate) fn has_manager(&self) -> bool {
        self.table.contains_key(&MemberField::Manager.into())
    }

    /// Every place that an attribute is written to.
    pub(crate) fn of<'p>(&'p self, field: &TargetField) -> impl Iterator<Item = &'p ScimPath> {
        let copies = self.copies.iter().filter(move |(copied, _)| copied == field).map(|(_, path)| path);
        self.table.get(field).map(|place| &place.path).into_iter().chain(copies.collect::<Vec<_>>())
    }

    /// The JSON form of a value; `None` where it has none, as a birth date without a year.
    pub(crate) fn encode(&self, field: &TargetField, value: &Value) -> Option<Json> {
        let format = self.table.get(field).map_or(ValueFormat::Text, |place| place.format);
        let date = match value.as_ref() {
            ValueRef::Date(date) => Some(date),
            ValueRef::BirthDate(date) => Some(date.date()?),
            ValueRef::Text(text) => text.parse().ok(),
            _ => None,
        };
        Some(match (format, date) {
            (ValueFormat::Text, _) => value.as_ref().to_text().into_owned().into(),
            (ValueFormat::Boolean, _) => match value.as_ref() {
                ValueRef::Bool(flag) => flag.into(),
                other => read_flag(&other.to_text())?.into(),
            },
            (format, date) => date?.format(pattern(format)).to_string().into(),
        })
    }

    /// What a user document says of the attributes in the table; the manager as the id that stands there.
    pub(crate) fn read(&self, document: &Document) -> Attributes {
        let mut attributes = Attributes::new();
        for (field, place) in &self.table {
            if let Some(value) = place.path.get(document).and_then(|json| decode(field, place.format, json)) {
                attributes.set(field.clone(), Some(value));
            }
        }
        attributes
    }
}

fn pattern(format: ValueFormat) -> &'static str {
    match format {
        ValueFormat::DayMonthYear => "%d/%m/%Y",
        ValueFormat::MonthDayYear => "%m/%d/%Y",
        _ => "%Y-%m-%d",
    }
}

fn decode(field: &TargetField, format: ValueFormat, json: &Json) -> Option<Value> {
    let text = text_of(json)?;
    if format == ValueFormat::Boolean {
        return Some(read_flag(&text).map_or_else(|| Value::Text(text.into_owned()), Value::Bool));
    }
    let is_date = |date: &[MemberField]| date.iter().any(|known| *field == TargetField::from(*known));
    let is_birth_date = is_date(&[MemberField::BirthDate]);
    if format == ValueFormat::Text
        && !is_birth_date
        && !is_date(&[MemberField::StartDate, MemberField::EndDate])
    {
        return Some(Value::Text(text.into_owned()));
    }
    let date = NaiveDate::parse_from_str(&text, pattern(format));
    Some(match date {
        Ok(date) if is_birth_date => Value::BirthDate(BirthDate::from(date)),
        Ok(date) => Value::Date(date),
        Err(_) => Value::Text(text.into_owned()),
    })
}

/// A scalar as text: some servers write numbers and booleans where the schema has strings, and the reverse.
pub(crate) fn text_of(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// A boolean, also where it is written as a string.
pub(crate) fn flag_of(json: &Json) -> Option<bool> {
    text_of(json).and_then(|text| read_flag(&text))
}

fn read_flag(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places() -> Places {
        let mut table = standard();
        for (field, format) in [
            (MemberField::BirthDate, ValueFormat::DayMonthYear),
            (MemberField::StartDate, ValueFormat::MonthDayYear),
        ] {
            let path = format!("urn:x:User:{}", field.as_str().replace('_', "")).parse().unwrap();
            table.insert(field.into(), AttributePlace { path, format });
        }
        Places::new(table, TargetField::EMAIL, true).unwrap()
    }

    #[test]
    fn every_standard_place_is_there_and_email_and_employee_id_are_written_twice() {
        assert_eq!(standard().len(), 15);
        let places = places();
        let of = |field: TargetField| places.of(&field).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(TargetField::EMAIL), ["emails[type eq \"work\"].value", "userName"]);
        assert_eq!(of(TargetField::EMPLOYEE_ID)[1], format!("{ENTERPRISE}:employeeNumber"));
        assert!(!places.writes(&MemberField::Gender.into()));
    }

    #[test]
    fn dates_go_out_and_come_back_in_the_form_of_their_field() {
        let places = places();
        let day = NaiveDate::from_ymd_opt(1988, 4, 17).unwrap();
        let mut user = Document::new();
        for (field, value, text) in [
            (MemberField::BirthDate, Value::BirthDate(day.into()), "17/04/1988"),
            (MemberField::StartDate, Value::Date(day), "04/17/1988"),
        ] {
            let field = TargetField::from(field);
            assert_eq!(places.encode(&field, &value), Some(json!(text)));
            assert_eq!(places.encode(&field, &"1988-04-17".into()), Some(json!(text)));
            assert_eq!(places.encode(&field, &"soon".into()), None);
            for path in places.of(&field) {
                path.set(&mut user, places.encode(&field, &value));
            }
            assert_eq!(places.read(&user).get(&field).flatten(), Some(&value));
        }
        let hidden = Value::BirthDate(BirthDate::month_day(4, 17).unwrap());
        assert_eq!(places.encode(&MemberField::BirthDate.into(), &hidden), None);
    }

    #[test]
    fn a_place_is_configured_by_its_path_alone_or_with_a_format() {
        let short: AttributePlace = serde_json::from_str("\"title\"").unwrap();
        assert_eq!((short.path.to_string().as_str(), short.format), ("title", ValueFormat::Text));
        let long: AttributePlace =
            serde_json::from_str(r#"{"path":"urn:x:U:born","format":"day_month_year"}"#).unwrap();
        assert_eq!(long.format, ValueFormat::DayMonthYear);
        assert_eq!(serde_json::to_string(&short).unwrap(), "\"title\"");
    }
}
