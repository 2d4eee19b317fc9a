//! What the suite expects of a person, and how it compares that with what was delivered.

use std::collections::{BTreeMap, HashMap};

use hris_core::{
    BirthDate, Employee, EmployeeField, EmploymentStatus, Field, FieldSource as _, ManagerRef, RecordId,
    SourceField, Value, ValueRef,
};

use super::harness::ConnectorHarness;
use crate::population::{Gap, Person, PersonStatus};

/// The fields that a [`Person`] has, beside record id, status and stamp. Others are not compared.
pub(crate) const KNOWN: [EmployeeField; 15] = [
    EmployeeField::EmployeeId,
    EmployeeField::FirstName,
    EmployeeField::LastName,
    EmployeeField::WorkEmail,
    EmployeeField::PersonalEmail,
    EmployeeField::Phone,
    EmployeeField::StartDate,
    EmployeeField::EndDate,
    EmployeeField::BirthDate,
    EmployeeField::Gender,
    EmployeeField::Department,
    EmployeeField::Location,
    EmployeeField::Country,
    EmployeeField::JobTitle,
    EmployeeField::Manager,
];

/// Those of [`KNOWN`] that are dates.
pub(crate) const DATES: [EmployeeField; 3] =
    [EmployeeField::StartDate, EmployeeField::EndDate, EmployeeField::BirthDate];

/// A person as a vendor with every field and every status delivers them.
///
/// A field without a value is as the person's row has it: [`Field::Null`] for null and for blank text,
/// [`Field::Absent`] where the row leaves it out. Custom fields are left to the harness, since each vendor has its
/// own names for them.
///
/// ```
/// use hris_core::Field;
/// use hris_testkit::connector_suite::employee_of;
/// use hris_testkit::population::Population;
/// let population = Population::new(7).size(20).without_oddities().build();
/// let person = &population.people()[0];
/// let employee = employee_of(person);
/// assert_eq!(employee.record.as_str(), person.record_id);
/// assert_eq!(employee.birth_date.value().and_then(|birth| birth.date()), person.birth_date);
/// ```
pub fn employee_of(person: &Person) -> Employee {
    let text = |text: &Option<String>| gapped(text.clone(), person.gaps);
    let mut employee = Employee::new(person.record_id.as_str(), status_of(&person.status));
    employee.modified_at = Some(person.modified_at);
    employee.employee_id = text(&person.employee_number).map(Into::into);
    employee.first_name = text(&person.first_name);
    employee.last_name = text(&person.last_name);
    employee.work_email = text(&person.work_email);
    employee.personal_email = text(&person.personal_email);
    employee.phone = text(&person.phone);
    employee.gender = text(&person.gender);
    employee.department = text(&person.department);
    employee.location = text(&person.location);
    employee.country = text(&person.country);
    employee.job_title = text(&person.job_title);
    employee.start_date = date(person.start_date, person.gaps);
    employee.end_date = date(person.end_date, person.gaps);
    employee.birth_date = date(person.birth_date, person.gaps).map(BirthDate::from);
    employee.manager = text(&person.manager).map(|record| ManagerRef::Record(record.into()));
    employee
}

fn status_of(status: &PersonStatus) -> EmploymentStatus {
    match status {
        PersonStatus::Active => EmploymentStatus::Active,
        PersonStatus::OnLeave => EmploymentStatus::OnLeave,
        PersonStatus::Pending => EmploymentStatus::Pending,
        PersonStatus::Inactive => EmploymentStatus::Inactive,
        PersonStatus::Odd(word) => EmploymentStatus::Unknown(Some(word.clone())),
    }
}

fn gapped(text: Option<String>, gaps: Gap) -> Field<String> {
    match text {
        Some(text) if !text.trim().is_empty() => Field::Value(text),
        None if gaps == Gap::LeftOut => Field::Absent,
        _ => Field::Null,
    }
}

fn date<T>(date: Option<T>, gaps: Gap) -> Field<T> {
    match date {
        None if gaps == Gap::LeftOut => Field::Absent,
        date => Field::from_option(date),
    }
}

impl ConnectorHarness {
    /// What is expected of a person.
    pub(crate) fn expected(&self, person: &Person) -> Employee {
        let mut expected = employee_of(person);
        let custom = self.custom_fields().iter().filter_map(|(name, key)| {
            let value = gapped(person.custom.get(key).cloned(), Gap::LeftOut).map(Value::Text);
            (!value.is_absent()).then(|| (name.as_str().into(), value))
        });
        expected.custom = custom.collect::<BTreeMap<_, _>>();
        self.vendor().expected(person, &mut expected);
        let left = person.status == PersonStatus::Inactive;
        assert_eq!(
            expected.status == EmploymentStatus::Inactive,
            left,
            "correct the harness: its `expected` must make leavers of those who have left and of nobody else, {person:?}"
        );
        expected
    }

    /// Everybody who stands in the listing and whose row is sound, with what is expected of them. Those who have left
    /// are among them only if the connector reads leavers.
    pub(crate) fn sound(&self, reads_leavers: bool) -> Vec<(&Person, Employee)> {
        let sound = self.population().listed().filter(|person| person.malformed.is_none());
        let visible = sound.filter(|person| reads_leavers || person.status != PersonStatus::Inactive);
        visible.map(|person| (person, self.expected(person))).collect()
    }
}

/// Delivered rows by record id; of several, the last.
pub(crate) fn by_record(rows: &[Employee]) -> HashMap<&RecordId, &Employee> {
    rows.iter().map(|row| (&row.record, row)).collect()
}

/// What differs between what is expected and what was delivered, one text for each of the fields. Values are shown:
/// nobody in a population exists.
pub(crate) fn differences(expected: &Employee, got: &Employee, fields: &[EmployeeField]) -> Vec<String> {
    let mut differences = Vec::new();
    for field in fields.iter().copied().map(SourceField::from) {
        let (expected, got) = (expected.field(&field), got.field(&field));
        if expected != got {
            differences.push(format!("{field} is {} in place of {}", shown(&got), shown(&expected)));
        }
    }
    differences
}

fn shown(field: &Field<ValueRef<'_>>) -> String {
    match field {
        Field::Absent => "absent".to_owned(),
        Field::Null => "null".to_owned(),
        Field::Value(value) => format!("{:?}", value.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::{Oddity, Population};

    #[test]
    fn gaps_become_null_or_absent_as_the_row_has_them() {
        let population = Population::new(7).build();
        for (oddity, expected) in [
            (Oddity::MissingFields, Field::Absent),
            (Oddity::NullFields, Field::Null),
            (Oddity::EmptyFields, Field::Null),
        ] {
            let person = population.with(oddity).next().unwrap();
            let employee = employee_of(person);
            assert_eq!(employee.phone, expected, "{oddity:?}");
            assert_eq!(employee.birth_date.is_absent(), expected.is_absent(), "{oddity:?}");
            assert!(employee.first_name.value().is_some());
        }
    }

    #[test]
    fn differences_name_the_field_and_both_sides() {
        let population = Population::new(7).size(1).without_oddities().build();
        let expected = employee_of(&population.people()[0]);
        let mut got = expected.clone();
        got.first_name = Field::Null;
        assert!(differences(&expected, &expected, &KNOWN).is_empty());
        let found = differences(&expected, &got, &KNOWN);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("first_name is null in place of "), "{found:?}");
        assert!(differences(&expected, &got, &[EmployeeField::LastName]).is_empty());
    }
}
