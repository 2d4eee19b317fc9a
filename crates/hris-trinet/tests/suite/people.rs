//! People: everybody of the sample population comes out as the truth behind the row says.

use std::collections::HashMap;

use hris_core::{
    Employee, EmployeeField, EmployeeId, EmploymentStatus, Field, FieldSet, FieldSource as _, ManagerRef,
    SourceField, rule,
};
use hris_testkit::population::{Gap, Malformation, Oddity, Person, PersonStatus, Population};
use hris_testkit::run;
use hris_trinet::sim::TriNetSim;

use crate::setup::{Read, build, config, connector, custom, only, plain_population, population, read};

/// What TriNet does not have, of what a person of the population has.
const NOT_IN_TRINET: &[EmployeeField] = &[EmployeeField::PersonalEmail, EmployeeField::Language];

/// What TriNet has, and a person of the population has not; each is tested elsewhere.
const NOT_IN_POPULATION: &[EmployeeField] = &[
    EmployeeField::Company,
    EmployeeField::TimeZone,
    EmployeeField::EmploymentType,
    EmployeeField::PreferredName,
];

/// The ids of everybody, by the population's own record ids.
struct Ids(HashMap<String, String>);

impl Ids {
    fn of(people: &Population) -> Self {
        let people = people.people().iter().enumerate();
        Self(people.map(|(at, person)| (person.record_id.clone(), TriNetSim::employee_id(at))).collect())
    }
}

/// The employee that a person is expected to become.
fn truth(position: usize, person: &Person, ids: &Ids) -> Employee {
    let text = |value: Option<&str>| match (value, person.gaps) {
        (Some(text), _) if !text.trim().is_empty() => Field::Value(text.trim().to_owned()),
        (None, Gap::LeftOut) => Field::Absent,
        _ => Field::Null,
    };
    let date = |value: Option<chrono::NaiveDate>| match (value, person.gaps) {
        (None, Gap::LeftOut) => Field::Absent,
        (value, _) => Field::from_option(value),
    };
    let id = TriNetSim::employee_id(position);
    let mut employee = Employee::new(id.as_str(), status(person));
    employee.employee_id = Field::Value(EmployeeId::from(id));
    employee.first_name = text(person.first_name.as_deref());
    employee.middle_name = text(None);
    let last = match (&person.last_name, &person.second_last_name) {
        (Some(last), Some(second)) => Some(format!("{last} {second}")),
        (last, _) => last.clone(),
    };
    employee.last_name = text(last.as_deref());
    employee.work_email = text(person.work_email.as_deref());
    employee.work_phone = text(None);
    employee.phone = text(person.phone.as_deref());
    employee.start_date = date(person.start_date);
    employee.end_date = date(person.end_date);
    employee.birth_date = date(person.birth_date).map(Into::into);
    let letter = |word| match word {
        "female" => "F",
        "male" => "M",
        _ => "X",
    };
    employee.gender = text(person.gender.as_deref().map(letter));
    employee.department = text(person.department.as_deref());
    employee.location = text(person.location.as_deref());
    employee.country = text(person.country.as_deref());
    employee.job_title = text(person.job_title.as_deref());
    let manager =
        person.manager.as_ref().map(|manager| ids.0.get(manager).map_or("00009999999", String::as_str));
    employee.manager = text(manager).map(|id| ManagerRef::Record(id.into()));
    employee
}

fn status(person: &Person) -> EmploymentStatus {
    match &person.status {
        PersonStatus::Active | PersonStatus::Pending => EmploymentStatus::Active,
        PersonStatus::OnLeave => EmploymentStatus::OnLeave,
        PersonStatus::Inactive => EmploymentStatus::Inactive,
        PersonStatus::Odd(word) => EmploymentStatus::Unknown(Some(word.clone())),
    }
}

async fn everybody(size: usize) -> (Population, Read) {
    let people = Population::new(7).size(size).build();
    let sim = TriNetSim::start(people.clone()).await;
    let read = read(&connector(&sim), FieldSet::all_canonical()).await;
    read.receipt();
    (people, read)
}

#[test]
fn every_readable_person_is_the_truth_field_by_field() {
    run(async {
        let (people, read) = everybody(460).await;
        let ids = Ids::of(&people);
        let mut compared = 0;
        for (position, person) in people.people().iter().enumerate().filter(|(_, person)| person.is_listed())
        {
            if person.malformed.is_some() {
                continue;
            }
            let (employee, truth) = (read.person(position), truth(position, person, &ids));
            for field in EmployeeField::ALL.iter().filter(|field| !NOT_IN_POPULATION.contains(field)) {
                let field = SourceField::from(*field);
                assert!(employee.field(&field) == truth.field(&field), "{field} of {person:?}");
                compared += 1;
            }
            assert!(employee.problems.is_empty(), "{person:?} {:?}", employee.problems);
        }
        assert!(compared > 400 * 15, "{compared}");
        for oddity in
            [Oddity::NonLatinName, Oddity::CombiningMarkName, Oddity::FormulaName, Oddity::EmptyFields]
        {
            assert!(people.with(oddity).count() > 0, "{oddity:?} was among them");
        }
    });
}

#[test]
fn what_trinet_does_not_have_stays_absent_when_asked_for() {
    run(async {
        let (_, read) = everybody(260).await;
        for field in NOT_IN_TRINET {
            let field = SourceField::from(*field);
            assert!(read.employees.iter().all(|employee| employee.field(&field).is_absent()), "{field}");
        }
        assert!(read.employees.iter().all(|employee| employee.modified_at.is_none()));
    });
}

#[test]
fn an_unreadable_field_costs_that_field_only() {
    run(async {
        let (people, read) = everybody(260).await;
        for (kind, field) in [
            (Malformation::NameIsNumber, EmployeeField::FirstName),
            (Malformation::BirthDateImpossible, EmployeeField::BirthDate),
            (Malformation::StartDateNotADate, EmployeeField::StartDate),
            (Malformation::StatusWrongType, EmployeeField::Status),
        ] {
            let position = people.people().iter().position(|person| person.malformed == Some(kind)).unwrap();
            let employee = read.person(position);
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
fn a_text_that_is_no_address_is_delivered_as_written_for_the_mapping_to_judge() {
    run(async {
        let (people, read) = everybody(260).await;
        let kind = Some(Malformation::EmailNotAnEmail);
        let position = people.people().iter().position(|person| person.malformed == kind).unwrap();
        let employee = read.person(position);
        assert!(employee.work_email.value().is_some_and(|email| !email.contains('@')));
        assert!(employee.problems.is_empty());
    });
}

#[test]
fn the_companys_own_number_is_a_field_of_its_own_and_never_stands_in_for_the_employee_id() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let mut fields = custom("alternateId");
        fields.insert(EmployeeField::EmployeeId);
        let read = read(&connector(&sim), fields).await;
        for (position, person) in
            people.people().iter().enumerate().filter(|(_, person)| person.malformed.is_none())
        {
            let employee = read.person(position);
            assert_eq!(employee.employee_id.value().unwrap().as_str(), employee.record.as_str());
            let number = employee.custom.get("alternateId").and_then(|field| field.value()?.as_text());
            assert_eq!(number, person.number_key(), "{person:?}");
        }
    });
}

#[test]
fn leading_zeros_are_part_of_an_id_and_a_number_is_an_id_too() {
    run(async {
        let people = plain_population(30);
        let sim = TriNetSim::start(people).await;
        let as_text = read(&connector(&sim), only(EmployeeField::Manager)).await;
        assert!(as_text.employees[0].record.as_str().starts_with("0000"));
        sim.behave(|vendor| vendor.has_numeric_ids = true);
        let mut fields = only(EmployeeField::EmployeeId);
        fields.insert(EmployeeField::Manager);
        let as_number = read(&connector(&sim), fields).await;
        assert_eq!(as_number.receipt().distinct, 30);
        for (text, number) in as_text.employees.iter().zip(&as_number.employees) {
            assert_eq!(number.record.as_str(), text.record.as_str().trim_start_matches('0'));
            assert_eq!(number.employee_id.value().unwrap().as_str(), number.record.as_str());
            let manager = text.manager.value().map(|manager| manager.as_str().trim_start_matches('0'));
            assert_eq!(number.manager.value().map(ManagerRef::as_str), manager);
        }
    });
}

#[test]
fn the_legal_name_is_read_and_the_preferred_one_beside_it_whatever_their_order_and_codes() {
    run(async {
        let people = plain_population(30);
        let sim = TriNetSim::start(people.clone()).await;
        for has_codes in [false, true] {
            sim.behave(|vendor| vendor.has_name_codes = has_codes);
            let mut fields = only(EmployeeField::FirstName);
            fields.insert(EmployeeField::PreferredName);
            let legal = read(&connector(&sim), fields).await;
            for (position, person) in people.people().iter().enumerate() {
                let employee = legal.person(position);
                assert!(employee.first_name.value() == person.first_name.as_ref(), "{person:?}");
                let preferred = position.is_multiple_of(4).then(|| "Kit".to_owned());
                assert_eq!(employee.preferred_name, Field::from_option(preferred));
            }
            let config = config(sim.url()).with_preferred_names(true);
            let preferred = read(&build(config), only(EmployeeField::FirstName)).await;
            assert_eq!(preferred.person(4).first_name, Field::Value("Kit".to_owned()));
            assert!(preferred.person(5).first_name.value() == people.people()[5].first_name.as_ref());
        }
    });
}
