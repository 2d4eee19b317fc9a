//! People: everybody of the sample population comes out as the truth behind the row says.

use std::collections::HashMap;

use chrono::NaiveDate;
use hris_core::{
    Employee, EmployeeField, EmploymentStatus, Field, FieldSet, FieldSource as _, ManagerRef, SourceField,
    Value, rule,
};
use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::population::{Gap, Malformation, Oddity, Person, PersonStatus, Population};
use hris_testkit::run;

use crate::setup::{Read, connector, custom, only, population, read};

/// What PeopleHR does not have, of what an employee can have.
const NOT_IN_PEOPLEHR: &[EmployeeField] = &[EmployeeField::Language, EmployeeField::TimeZone];

/// What PeopleHR has, and a person of the population has not; each is tested elsewhere.
const NOT_IN_POPULATION: &[EmployeeField] = &[EmployeeField::Company, EmployeeField::EmploymentType];

/// A field without a value, as the row shows it.
fn nothing<T>(person: &Person) -> Field<T> {
    if person.gaps == Gap::LeftOut { Field::Absent } else { Field::Null }
}

/// The employee that a person is expected to become.
fn truth(person: &Person, people: &Population, numbers: &HashMap<&str, Option<&str>>) -> Employee {
    let text = |value: Option<&str>| match value.map(str::trim) {
        Some("") => Field::Null,
        Some(text) => Field::Value(text.to_owned()),
        None => nothing(person),
    };
    let date = |value: Option<NaiveDate>| value.map_or_else(|| nothing(person), Field::Value);
    let mut employee = Employee::new(person.record_id.as_str(), status(person));
    employee.employee_id = text(person.employee_number.as_deref()).map(Into::into);
    employee.first_name = text(person.first_name.as_deref());
    employee.middle_name = text(None);
    let last = match (&person.last_name, &person.second_last_name) {
        (Some(last), Some(second)) => Some(format!("{last} {second}")),
        (last, _) => last.clone(),
    };
    employee.last_name = text(last.as_deref());
    employee.preferred_name = text(None);
    employee.work_email = text(person.work_email.as_deref());
    employee.personal_email = text(person.personal_email.as_deref());
    employee.phone = text(person.phone.as_deref());
    employee.work_phone = text(None);
    employee.start_date = date(person.start_date);
    // Nobody of current staff has a last day that is over.
    let is_over =
        person.status != PersonStatus::Inactive && person.end_date.is_some_and(|end| end < people.today());
    employee.end_date = date(person.end_date.filter(|_| !is_over));
    employee.birth_date = date(person.birth_date).map(Into::into);
    let word = |word| match word {
        "female" => "Female",
        "male" => "Male",
        _ => "Not Specified",
    };
    employee.gender = text(person.gender.as_deref().map(word));
    employee.department = text(person.department.as_deref());
    employee.location = text(person.location.as_deref());
    employee.country = text(person.country.as_deref());
    employee.job_title = text(person.job_title.as_deref());
    let number = |record: &String| numbers.get(record.as_str()).copied().unwrap_or(Some("99999999"));
    let manager = text(person.manager.as_ref().and_then(number));
    employee.manager = manager.map(|id| ManagerRef::EmployeeId(id.into()));
    employee
}

/// PeopleHR has no word for leave, and its codes are not documented.
fn status(person: &Person) -> EmploymentStatus {
    match &person.status {
        PersonStatus::Active | PersonStatus::OnLeave | PersonStatus::Odd(_) => EmploymentStatus::Active,
        PersonStatus::Pending => EmploymentStatus::Pending,
        PersonStatus::Inactive => EmploymentStatus::Inactive,
    }
}

async fn everybody(people: &Population) -> Read {
    let sim = PeopleHrSim::start(people.clone()).await;
    let read = read(&connector(&sim), FieldSet::all_canonical()).await;
    read.receipt();
    read
}

#[test]
fn every_readable_person_is_the_truth_field_by_field() {
    run(async {
        let people = Population::new(7).size(460).build();
        let read = everybody(&people).await;
        let numbers = people.people().iter();
        let numbers =
            numbers.map(|person| (person.record_id.as_str(), person.employee_number.as_deref())).collect();
        let mut compared = 0;
        for person in people.listed().filter(|person| person.malformed.is_none()) {
            let (employee, truth) = (read.person(&person.record_id), truth(person, &people, &numbers));
            for field in EmployeeField::ALL.iter().filter(|field| !NOT_IN_POPULATION.contains(field)) {
                let field = SourceField::from(*field);
                assert!(employee.field(&field) == truth.field(&field), "{field} of {person:?}");
            }
            assert_eq!(employee.company, Field::Value("Bramble & Finch Ltd".to_owned()));
            assert!(employee.problems.is_empty(), "{person:?}");
            compared += 1;
        }
        assert!(compared > 440, "{compared}");
        for oddity in [Oddity::NonLatinName, Oddity::LeadingZeros, Oddity::EmptyFields, Oddity::EndDatePassed]
        {
            assert!(people.with(oddity).count() > 0, "{oddity:?} was among them");
        }
    });
}

#[test]
fn what_peoplehr_does_not_have_stays_absent_when_asked_for() {
    run(async {
        let read = everybody(&population()).await;
        for field in NOT_IN_PEOPLEHR {
            let field = SourceField::from(*field);
            assert!(read.employees.iter().all(|employee| employee.field(&field).is_absent()), "{field}");
        }
        assert!(read.employees.iter().all(|employee| employee.modified_at.is_none()));
    });
}

#[test]
fn an_unreadable_field_costs_that_field_only() {
    run(async {
        let people = population();
        let read = everybody(&people).await;
        for (kind, field) in [
            (Malformation::NameIsNumber, EmployeeField::FirstName),
            (Malformation::BirthDateImpossible, EmployeeField::BirthDate),
            (Malformation::StartDateNotADate, EmployeeField::StartDate),
            (Malformation::StatusWrongType, EmployeeField::Status),
        ] {
            let person = people.people().iter().find(|person| person.malformed == Some(kind)).unwrap();
            let employee = read.person(&person.record_id);
            let about = |problem: &&hris_core::FieldProblem| problem.field == SourceField::from(field);
            let problem = employee.problems.iter().find(about).unwrap();
            assert_eq!(problem.rule, rule::FIELD_UNREADABLE);
            let shown = format!("{:?}", employee.problems);
            assert!(!shown.contains("2023") && !shown.contains("soon"), "no value in it: {shown}");
            assert!(employee.country.value().is_some(), "the rest of the row was used");
            if field == EmployeeField::Status {
                assert_eq!(employee.status, EmploymentStatus::Unknown(None), "which changes nothing");
            } else {
                assert!(employee.field(&SourceField::from(field)).is_absent());
            }
        }
    });
}

#[test]
fn rows_without_a_readable_id_are_rejected_and_refuse_absence() {
    run(async {
        let people = population();
        let read = everybody(&people).await;
        let hidden =
            people.listed().filter(|person| person.malformed.is_some_and(Malformation::hides_record_id));
        assert_eq!(read.rejected.len(), hidden.count());
        assert!(read.rejected.iter().all(|row| row.field.as_deref().unwrap().starts_with("Result[")));
        assert!(read.absence_refusal().contains("no readable record id"));
    });
}

#[test]
fn custom_columns_are_read_where_they_are_asked_for_and_unknown_ones_are_told() {
    run(async {
        let people = population();
        let sim = PeopleHrSim::start(people.clone()).await;
        let columns = read(&connector(&sim), custom("APIColumn1")).await;
        for person in people.listed().filter(|person| person.malformed.is_none()) {
            let field = columns.person(&person.record_id).custom.get("APIColumn1").cloned();
            let expected =
                person.custom.get("shirt_size").map(|size| Field::Value(Value::from(size.as_str())));
            assert_eq!(field, expected, "{person:?}");
        }
        let unknown = read(&connector(&sim), custom("BankDetail")).await;
        assert!(unknown.employees.iter().all(|employee| employee.custom.is_empty()));
        assert!(unknown.warnings().contains("no such field"), "{}", unknown.warnings());
    });
}

#[test]
fn the_fields_of_2015_are_enough() {
    run(async {
        let sim = PeopleHrSim::start(population()).await;
        sim.behave(|vendor| (vendor.is_of_2015, vendor.has_null_histories) = (true, true));
        let by_employee_id =
            crate::setup::config(sim.url()).with_record_id(hris_peoplehr::RecordIdSource::EmployeeId);
        let read = read(&crate::setup::build(by_employee_id), FieldSet::all_canonical()).await;
        read.receipt();
        assert!(read.employees.iter().all(|employee| employee.personal_email.is_absent()));
        assert!(read.employees.iter().any(|employee| employee.phone.value().is_some()));
    });
}

#[test]
fn lists_that_are_objects_change_nothing() {
    run(async {
        let people = population();
        let one = everybody(&people).await;
        let sim = PeopleHrSim::start(people).await;
        sim.behave(|vendor| vendor.lists_are_objects = true);
        let other = read(&connector(&sim), FieldSet::all_canonical()).await;
        assert!(one.employees == other.employees);
        assert_eq!(
            read(&connector(&sim), only(EmployeeField::EmployeeId)).await.employees.len(),
            one.employees.len()
        );
    });
}
