//! The declarative mapping: a list of rules in a form that configuration files can hold.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use std::hash::Hasher as _;
use unicode_normalization::UnicodeNormalization as _;

use crate::mapping::{MAX_TARGETS, Mapped, MappingVersion};
use crate::problem::{FieldProblem, rule};
use crate::{
    Email, EmployeeField, Error, Field, FieldMapping, FieldSource, MemberField, Result, SourceField,
    TargetField, ValueRef,
};

/// A change of one value on its way. More will come: unknown ones are refused when a mapping is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transform {
    /// Removes white space at both ends; what is left empty counts as no value.
    Trim,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Unicode normalisation form C.
    Nfc,
    /// Reads text as a date. The format is chrono's, such as `%d/%m/%Y`; ISO 8601 is always tried first.
    Date(String),
}

/// Where one attribute comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldRule {
    /// The attribute to write.
    pub target: TargetField,
    /// The fields to read: the first that has a value is taken.
    pub from: Vec<SourceField>,
    /// Changes on the way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
}

impl FieldRule {
    /// An attribute that is copied from one field.
    pub fn copy(target: impl Into<TargetField>, from: impl Into<SourceField>) -> Self {
        Self { target: target.into(), from: vec![from.into()], transforms: Vec::new() }
    }

    /// Another field, for when those before it have no value.
    #[must_use]
    pub fn or(mut self, from: impl Into<SourceField>) -> Self {
        self.from.push(from.into());
        self
    }

    /// A change on the way.
    #[must_use]
    pub fn with(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }
}

/// The normal [`FieldMapping`]: a list of [`FieldRule`]s, checked when it is built.
///
/// ```
/// use hris_core::{FieldMap, FieldMapping};
/// let rules = serde_json::from_str(
///     r#"[
///         { "target": "employee_id", "from": ["employee_id"] },
///         { "target": "email", "from": ["work_email", "personal_email"], "transforms": ["trim"] }
///     ]"#,
/// )?;
/// let mapping = FieldMap::new(rules)?;
/// assert_eq!(mapping.targets().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMap {
    rules: Vec<FieldRule>,
    sources: Vec<SourceField>,
    targets: Vec<TargetField>,
    version: MappingVersion,
}

impl FieldMap {
    /// Checks the rules. Employee ID and e-mail must be mapped, and no attribute may be mapped twice.
    pub fn new(rules: Vec<FieldRule>) -> Result<Self> {
        let targets: Vec<_> = rules.iter().map(|rule| rule.target.clone()).collect();
        check_targets(&targets)?;
        if let Some(rule) = rules.iter().find(|rule| rule.from.is_empty()) {
            return Err(Error::config(
                format!("`{}` is mapped from no field", rule.target),
                "name at least one field in `from`, or leave the rule out",
            ));
        }
        let sources: BTreeSet<_> = rules.iter().flat_map(|rule| rule.from.iter().cloned()).collect();
        let version = version_of(&rules);
        Ok(Self { rules, sources: sources.into_iter().collect(), targets, version })
    }

    /// The usual start: Employee ID and work e-mail, names, and what a rewards platform can use, each from the
    /// field of the same meaning.
    pub fn standard() -> Self {
        let rules = vec![
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
            FieldRule::copy(MemberField::FirstName, EmployeeField::FirstName),
            FieldRule::copy(MemberField::LastName, EmployeeField::LastName),
            FieldRule::copy(MemberField::BirthDate, EmployeeField::BirthDate),
            FieldRule::copy(MemberField::Department, EmployeeField::Department),
            FieldRule::copy(MemberField::Location, EmployeeField::Location),
            FieldRule::copy(MemberField::JobTitle, EmployeeField::JobTitle),
        ];
        let targets = rules.iter().map(|rule| rule.target.clone()).collect();
        let sources: BTreeSet<_> = rules.iter().flat_map(|rule| rule.from.iter().cloned()).collect();
        let version = version_of(&rules);
        Self { rules, sources: sources.into_iter().collect(), targets, version }
    }

    /// The rules.
    pub fn rules(&self) -> &[FieldRule] {
        &self.rules
    }
}

fn check_targets(targets: &[TargetField]) -> Result<()> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !seen.insert(*target)) {
        return Err(Error::config(format!("`{twice}` is mapped twice"), "keep one of the rules"));
    }
    for mandatory in [TargetField::EMPLOYEE_ID, TargetField::EMAIL] {
        if !seen.contains(&mandatory) {
            return Err(Error::config(
                format!("`{mandatory}` is not mapped"),
                "no account can be created without Employee ID and e-mail address: map both",
            ));
        }
    }
    if targets.len() > MAX_TARGETS {
        return Err(Error::config(
            format!("{} attributes are mapped", targets.len()),
            format!("map at most {MAX_TARGETS}"),
        ));
    }
    Ok(())
}

fn version_of(rules: &[FieldRule]) -> MappingVersion {
    // Serialising texts into memory has no way to fail.
    let content = serde_json::to_vec(rules).unwrap_or_default();
    let mut hasher = SipHasher24::new();
    hasher.write(&content);
    MappingVersion::new(format!("{:032x}", hasher.finish128().as_u128()))
}

impl FieldMapping for FieldMap {
    fn version(&self) -> &MappingVersion {
        &self.version
    }

    fn sources(&self) -> &[SourceField] {
        &self.sources
    }

    fn targets(&self) -> &[TargetField] {
        &self.targets
    }

    fn map<'a>(&self, source: &'a dyn FieldSource) -> Mapped<'a> {
        let mut mapped = Mapped { values: Vec::with_capacity(self.rules.len()), problems: Vec::new() };
        for rule in &self.rules {
            let value = match rule.evaluate(source) {
                Ok(value) => value,
                Err(problem) => {
                    mapped.problems.push(problem);
                    Field::Absent
                }
            };
            mapped.values.push(value);
        }
        mapped
    }
}

impl FieldRule {
    fn evaluate<'a>(&self, source: &'a dyn FieldSource) -> Result<Field<ValueRef<'a>>, FieldProblem> {
        let mut result = Field::Absent;
        for from in &self.from {
            let mut value = blank_is_null(source.field(from));
            for transform in &self.transforms {
                value = transform
                    .apply(value)
                    .map_err(|expected| FieldProblem::unreadable(from.clone(), expected))?;
            }
            if let Field::Value(value) = value {
                return self.accept(from, value);
            }
            if !value.is_absent() {
                result = Field::Null;
            }
        }
        Ok(result)
    }

    fn accept<'a>(
        &self,
        from: &SourceField,
        value: ValueRef<'a>,
    ) -> Result<Field<ValueRef<'a>>, FieldProblem> {
        let is_email = self.target == TargetField::EMAIL
            || self.target == TargetField::Member(MemberField::PersonalEmail);
        if is_email && !Email::is_plausible(&value.to_text()) {
            let message = "is not an e-mail address".into();
            return Err(FieldProblem { field: from.clone(), rule: rule::EMAIL_INVALID, message });
        }
        Ok(Field::Value(value))
    }
}

impl Transform {
    fn apply<'a>(&self, value: Field<ValueRef<'a>>) -> Result<Field<ValueRef<'a>>, Cow<'static, str>> {
        let Field::Value(ValueRef::Text(text)) = value else {
            return Ok(value);
        };
        Ok(match self {
            Self::Trim => blank_is_null(Field::Value(ValueRef::Text(trim(text)))),
            Self::Lower => Field::Value(ValueRef::Text(Cow::Owned(text.to_lowercase()))),
            Self::Upper => Field::Value(ValueRef::Text(Cow::Owned(text.to_uppercase()))),
            Self::Nfc => Field::Value(ValueRef::Text(nfc(text))),
            Self::Date(format) => Field::Value(ValueRef::Date(parse_date(text.trim(), format)?)),
        })
    }
}

fn parse_date(text: &str, format: &str) -> Result<NaiveDate, Cow<'static, str>> {
    text.parse()
        .or_else(|_| NaiveDate::parse_from_str(text, format))
        .map_err(|_| Cow::Owned(format!("is not a date of the form YYYY-MM-DD or {format}")))
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

/// White space alone is no value, in whatever field.
fn blank_is_null(value: Field<ValueRef<'_>>) -> Field<ValueRef<'_>> {
    match value {
        Field::Value(ValueRef::Text(text)) if text.trim().is_empty() => Field::Null,
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Employee, EmploymentStatus, Value};

    fn employee() -> Employee {
        let mut employee = Employee::new("r1", EmploymentStatus::Active);
        employee.employee_id = Field::Value("00104".into());
        employee.work_email = Field::Value(" Nerea@Brisa.example ".into());
        employee.personal_email = Field::Value("n@home.example".into());
        employee
    }

    fn with_email(rule: FieldRule) -> FieldMap {
        FieldMap::new(vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId), rule])
            .unwrap()
    }

    fn email_of(map: &FieldMap, employee: &Employee) -> (Field<String>, Vec<FieldProblem>) {
        let mapped = map.map(employee);
        (mapped.values[1].clone().map(|value| value.to_text().into_owned()), mapped.problems)
    }

    #[test]
    fn a_mapping_without_email_or_employee_id_is_refused() {
        let only_id = vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId)];
        assert!(FieldMap::new(only_id).unwrap_err().to_string().contains("`email` is not mapped"));
        let only_mail = vec![FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail)];
        assert!(FieldMap::new(only_mail).is_err());
    }

    #[test]
    fn an_attribute_mapped_twice_is_refused() {
        let mut rules = FieldMap::standard().rules().to_vec();
        rules.push(FieldRule::copy(MemberField::Email, EmployeeField::PersonalEmail));
        assert!(FieldMap::new(rules).unwrap_err().to_string().contains("mapped twice"));
    }

    #[test]
    fn the_standard_mapping_passes_its_own_checks() {
        assert_eq!(FieldMap::new(FieldMap::standard().rules().to_vec()).unwrap(), FieldMap::standard());
    }

    #[test]
    fn the_first_field_with_a_value_is_taken() {
        let map = with_email(
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail)
                .or(EmployeeField::PersonalEmail)
                .with(Transform::Trim),
        );
        let mut person = employee();
        assert_eq!(email_of(&map, &person).0, Field::Value("Nerea@Brisa.example".into()));
        person.work_email = Field::Value("  ".into());
        assert_eq!(email_of(&map, &person).0, Field::Value("n@home.example".into()));
        person.personal_email = Field::Null;
        assert_eq!(email_of(&map, &person).0, Field::Null);
    }

    #[test]
    fn absent_stays_absent_and_null_stays_null() {
        let map = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
        let mut person = employee();
        person.work_email = Field::Absent;
        assert_eq!(email_of(&map, &person).0, Field::Absent);
        person.work_email = Field::Null;
        assert_eq!(email_of(&map, &person).0, Field::Null);
    }

    #[test]
    fn a_text_that_is_no_address_is_a_problem_without_the_text() {
        let map = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
        let mut person = employee();
        person.work_email = Field::Value("nerea at brisa".into());
        let (value, problems) = email_of(&map, &person);
        assert_eq!(value, Field::Absent);
        assert_eq!(problems[0].rule, rule::EMAIL_INVALID);
        assert!(!format!("{problems:?}").contains("nerea"));
    }

    #[test]
    fn a_date_in_the_customers_format_is_read_and_iso_always_is() {
        let rules = vec![
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
            FieldRule::copy(MemberField::StartDate, SourceField::Custom("joined".into()))
                .with(Transform::Date("%d/%m/%Y".into())),
        ];
        let map = FieldMap::new(rules).unwrap();
        let mut person = employee();
        let september = Field::Value(ValueRef::Date(NaiveDate::from_ymd_opt(2022, 9, 1).unwrap()));
        for text in ["01/09/2022", "2022-09-01"] {
            person.custom.insert("joined".into(), Field::Value(Value::from(text)));
            assert_eq!(map.map(&person).values[2], september);
        }
        person.custom.insert("joined".into(), Field::Value(Value::from("31/02/2022")));
        let mapped = map.map(&person);
        assert_eq!(mapped.values[2], Field::Absent);
        assert_eq!(mapped.problems[0].rule, rule::FIELD_UNREADABLE);
    }

    #[test]
    fn the_version_changes_with_any_rule() {
        let other = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
        let trimmed =
            with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim));
        assert_ne!(other.version(), trimmed.version());
    }
}
