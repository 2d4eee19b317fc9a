//! Rows: every person of the sample population comes out as the truth behind the row says.

use hris_core::{
    Employee, EmployeeField, EmployeeId, EmploymentStatus, Field, HrisConnector as _, SourceField, rule,
};
use hris_sesame::EmployeeIdSource;
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{Gap, Malformation, Oddity, Person, PersonStatus};
use hris_testkit::run;

use crate::setup::{Read, build, config, connector, only, population, read, row_fields};

/// What a text of a person looks like after Sesame: blank is none, and none is missing where the row leaves it out.
fn text(value: Option<&str>, gaps: Gap) -> Field<String> {
    match (value, gaps) {
        (Some(text), _) if !text.trim().is_empty() => Field::Value(text.to_owned()),
        (None, Gap::LeftOut) => Field::Absent,
        _ => Field::Null,
    }
}

fn last_name(person: &Person) -> Field<String> {
    let Some(second) = person.second_last_name.as_deref() else {
        return text(person.last_name.as_deref(), person.gaps);
    };
    text(person.last_name.as_deref(), person.gaps).map(|first| format!("{first} {second}"))
}

fn status(person: &Person) -> EmploymentStatus {
    match &person.status {
        _ if person.malformed == Some(Malformation::StatusWrongType) => EmploymentStatus::Unknown(None),
        PersonStatus::Inactive => EmploymentStatus::Inactive,
        PersonStatus::Odd(word) => EmploymentStatus::Unknown(Some(word.clone())),
        PersonStatus::Active | PersonStatus::OnLeave | PersonStatus::Pending => EmploymentStatus::Active,
    }
}

fn check(employee: &Employee, person: &Person) {
    let gaps = person.gaps;
    assert_eq!(employee.status, status(person), "{person:?}");
    assert_eq!(employee.modified_at, Some(person.modified_at), "{person:?}");
    let number = text(person.employee_number.as_deref(), gaps).map(EmployeeId::from);
    assert_eq!(employee.employee_id, number, "{person:?}");
    assert!(employee.last_name == last_name(person), "{person:?}");
    assert!(employee.personal_email == text(person.personal_email.as_deref(), gaps), "{person:?}");
    assert!(employee.phone == text(person.phone.as_deref(), gaps), "{person:?}");
    assert!(employee.country == text(person.country.as_deref(), gaps), "{person:?}");
    assert!(employee.job_title == text(person.job_title.as_deref(), gaps), "{person:?}");
    if person.malformed.is_none() {
        assert!(employee.first_name == text(person.first_name.as_deref(), gaps), "{person:?}");
        assert!(employee.work_email == text(person.work_email.as_deref(), gaps), "{person:?}");
        let birth = person.birth_date.map(|date| date.to_string());
        assert!(
            employee.birth_date.map(|date| date.to_string()) == text(birth.as_deref(), gaps),
            "{person:?}"
        );
        assert!(employee.problems.is_empty(), "{person:?} {:?}", employee.problems);
    }
}

async fn everybody() -> (hris_testkit::population::Population, Read) {
    let people = population();
    let sim = SesameSim::start(people.clone()).await;
    let read = read(&connector(&sim), row_fields()).await;
    read.receipt();
    (people, read)
}

#[test]
fn every_person_comes_out_as_the_truth_behind_the_row_says() {
    run(async {
        let (people, read) = everybody().await;
        assert!(read.employees.len() > 200);
        for employee in &read.employees {
            check(employee, people.person(employee.record.as_str()).unwrap());
        }
        for oddity in [Oddity::NonLatinName, Oddity::CombiningMarkName, Oddity::LeadingZeros, Oddity::OnLeave]
        {
            assert!(people.with(oddity).count() > 0, "{oddity:?} was among them");
        }
    });
}

#[test]
fn an_unreadable_field_costs_that_field_only() {
    run(async {
        let (people, read) = everybody().await;
        for (kind, field) in [
            (Malformation::NameIsNumber, EmployeeField::FirstName),
            (Malformation::BirthDateImpossible, EmployeeField::BirthDate),
            (Malformation::StatusWrongType, EmployeeField::Status),
        ] {
            let person = people.listed().find(|person| person.malformed == Some(kind)).unwrap();
            let employee = read.person(&person.record_id);
            assert_eq!(employee.problems.len(), 1, "{kind:?}");
            assert_eq!(employee.problems[0].field, SourceField::from(field));
            assert_eq!(employee.problems[0].rule, rule::FIELD_UNREADABLE);
            let shown = format!("{:?}", employee.problems);
            assert!(!shown.contains("2023") && !shown.contains('7'), "no value in it: {shown}");
            assert!(employee.country.value().is_some(), "the rest of the row was used");
        }
    });
}

#[test]
fn a_text_that_is_no_address_is_delivered_as_written_for_the_mapping_to_judge() {
    run(async {
        let (people, read) = everybody().await;
        let kind = Some(Malformation::EmailNotAnEmail);
        let person = people.listed().find(|person| person.malformed == kind).unwrap();
        let employee = read.person(&person.record_id);
        assert!(employee.work_email.value().is_some_and(|email| !email.contains('@')));
        assert!(employee.problems.is_empty());
    });
}

#[test]
fn an_unknown_status_word_is_neither_active_nor_a_leaver() {
    run(async {
        let (people, read) = everybody().await;
        let person = people.with(Oddity::UnknownStatus).next().unwrap();
        let EmploymentStatus::Unknown(Some(word)) = &read.person(&person.record_id).status else {
            panic!("the word is kept");
        };
        assert_eq!(PersonStatus::Odd(word.clone()), person.status);
    });
}

#[test]
fn a_code_is_decimal_text_whether_it_comes_as_number_or_as_text() {
    run(async {
        let (people, read) = everybody().await;
        let padded = people.with(Oddity::LeadingZeros).next().unwrap();
        let id = read.person(&padded.record_id).employee_id.clone();
        assert_eq!(id.value().map(|id| id.as_str().to_owned()), padded.employee_number);
        assert!(id.value().unwrap().as_str().starts_with("0000"));
    });
}

#[test]
fn the_record_id_can_be_the_employee_id() {
    run(async {
        let sim = SesameSim::start(population()).await;
        let connector = build(config(sim.url()).with_employee_id(EmployeeIdSource::Id));
        let read = read(&connector, only(EmployeeField::EmployeeId)).await;
        let same =
            |row: &Employee| row.employee_id.value().map(EmployeeId::as_str) == Some(row.record.as_str());
        assert!(read.employees.iter().all(same));
        assert_eq!(connector.descriptor().record_id_kind, read.receipt().record_id_kind);
    });
}

#[test]
fn the_second_last_name_can_be_left_aside() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let connector = build(config(sim.url()).with_joined_last_names(false));
        let read = read(&connector, only(EmployeeField::LastName)).await;
        let person = people.listed().find(|person| person.second_last_name.is_some()).unwrap();
        let name = read.person(&person.record_id).last_name.clone();
        assert!(name.into_value() == person.last_name);
    });
}
