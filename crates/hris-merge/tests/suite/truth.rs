//! Every person of the sample population comes out as the truth behind the row says.

use hris_core::{
    BirthDate, Employee, EmployeeField, EmployeeId, EmploymentStatus, Field, FieldSource as _, ManagerRef,
    SourceField, Value, rule,
};
use hris_merge::sim::MergeSim;
use hris_merge::{RecordIdSource, StatusMeaning};
use hris_testkit::population::{Gap, Malformation, Oddity, Person, PersonStatus, Population};
use hris_testkit::run;

use crate::setup::{Read, build, config, connector, everything, only, population, read};

/// What Merge does not have, whatever is asked for. Of the population it lacks the second last name too.
const NEVER: [EmployeeField; 5] = [
    EmployeeField::MiddleName,
    EmployeeField::PreferredName,
    EmployeeField::WorkPhone,
    EmployeeField::Language,
    EmployeeField::TimeZone,
];

/// What a field of a person looks like after Merge: blank is none, and none is missing where the row leaves it out.
fn field<T>(value: Option<T>, gaps: Gap) -> Field<T> {
    match (value, gaps) {
        (Some(value), _) => Field::Value(value),
        (None, Gap::LeftOut) => Field::Absent,
        (None, _) => Field::Null,
    }
}

fn text(value: Option<&str>, gaps: Gap) -> Field<String> {
    match value {
        Some(text) if text.trim().is_empty() => Field::Null,
        value => field(value.map(str::to_owned), gaps),
    }
}

fn status(person: &Person) -> EmploymentStatus {
    match &person.status {
        _ if person.malformed == Some(Malformation::StatusWrongType) => EmploymentStatus::Unknown(None),
        PersonStatus::Inactive => EmploymentStatus::Inactive,
        PersonStatus::Pending => EmploymentStatus::Pending,
        PersonStatus::Odd(word) => EmploymentStatus::Unknown(Some(word.clone())),
        PersonStatus::Active | PersonStatus::OnLeave => EmploymentStatus::Active,
    }
}

/// The truth about a person with a sound row, as Merge tells it.
fn truth(person: &Person, people: &Population) -> Employee {
    let gaps = person.gaps;
    let mut truth = Employee::new(person.record_id.as_str(), status(person));
    truth.modified_at = Some(person.modified_at);
    truth.employee_id = text(person.employee_number.as_deref(), gaps).map(EmployeeId::from);
    truth.first_name = text(person.first_name.as_deref(), gaps);
    truth.last_name = text(person.last_name.as_deref(), gaps);
    truth.preferred_name = field(None, gaps);
    truth.work_email = text(person.work_email.as_deref(), gaps);
    truth.personal_email = text(person.personal_email.as_deref(), gaps);
    truth.phone = text(person.phone.as_deref(), gaps);
    truth.gender = text(person.gender.as_deref(), gaps).map(|word| word.to_uppercase());
    truth.birth_date = field(person.birth_date.map(BirthDate::from), gaps);
    truth.start_date = field(person.start_date, gaps);
    truth.end_date = field(person.end_date, gaps);
    truth.company = Field::Value(MergeSim::COMPANY.to_owned());
    truth.department = Field::from_option(person.department.clone());
    truth.location = text(person.location.as_deref(), gaps);
    truth.country = match person.location {
        Some(_) => Field::from_option(person.country.clone()),
        None => field(None, gaps),
    };
    truth.job_title = Field::from_option(person.job_title.clone());
    truth.employment_type = Field::from_option(person.job_title.as_ref().map(|_| "FULL TIME".to_owned()));
    truth.manager = match &person.manager {
        // Somebody whom Merge does not have is an id of Merge's that leads nowhere.
        Some(manager) if people.person(manager).is_none_or(hides_id) => Field::Absent,
        manager => field(manager.as_deref().map(|id| ManagerRef::Record(id.into())), gaps),
    };
    let own = [("gift_size", "shirt_size"), ("benefits_from", "benefit_date")];
    for (name, key) in own {
        if let Some(value) = person.custom.get(key) {
            truth.custom.insert(name.into(), Field::Value(Value::from(value.as_str())));
        }
    }
    if let Some(date) = person.original_start_date {
        truth.custom.insert("campaign_start_date".into(), Field::Value(Value::Date(date)));
    }
    truth
}

fn hides_id(person: &Person) -> bool {
    person.malformed.is_some_and(Malformation::hides_record_id)
}

async fn everybody() -> (Population, Read) {
    let people = population();
    let sim = MergeSim::start(people.clone()).await;
    let read = read(&connector(&sim), everything()).await;
    read.receipt();
    (people, read)
}

#[test]
fn every_person_comes_out_field_by_field_as_the_truth_behind_the_row_says() {
    run(async {
        let (people, read) = everybody().await;
        let mut sound = 0;
        for employee in &read.employees {
            let person = people.person(employee.record.as_str()).unwrap();
            let truth = truth(person, &people);
            if person.malformed.is_some() {
                continue;
            }
            sound += 1;
            assert_eq!(employee.status, truth.status, "{person:?}");
            assert_eq!(employee.modified_at, truth.modified_at, "{person:?}");
            for field in EmployeeField::ALL {
                let field = SourceField::from(*field);
                assert!(employee.field(&field) == truth.field(&field), "{field} of {person:?}");
            }
            assert!(employee.custom == truth.custom, "custom fields of {person:?}");
            let unresolved = employee.problems.iter().filter(|p| p.field.to_string() != "manager").count();
            assert_eq!(unresolved, 0, "{person:?} {:?}", employee.problems);
        }
        assert!(sound > 240, "{sound}");
        for oddity in [Oddity::NonLatinName, Oddity::CombiningMarkName, Oddity::LeadingZeros, Oddity::PreHire]
        {
            assert!(people.with(oddity).count() > 0, "{oddity:?} was among them");
        }
    });
}

#[test]
fn what_merge_does_not_have_stays_absent_or_null() {
    run(async {
        let (_, read) = everybody().await;
        for employee in &read.employees {
            for field in NEVER {
                assert!(employee.field(&SourceField::from(field)).value().is_none(), "{field:?}");
            }
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
            (Malformation::StartDateNotADate, EmployeeField::StartDate),
            (Malformation::StatusWrongType, EmployeeField::Status),
        ] {
            let person = people.listed().find(|person| person.malformed == Some(kind)).unwrap();
            let employee = read.person(&person.record_id);
            assert_eq!(employee.problems.len(), 1, "{kind:?}");
            assert_eq!(employee.problems[0].field, SourceField::from(field));
            assert_eq!(employee.problems[0].rule, rule::FIELD_UNREADABLE);
            let shown = format!("{:?}", employee.problems);
            assert!(!shown.contains("2023") && !shown.contains("soon"), "no value in it: {shown}");
            let truth = truth(person, &people);
            assert!(employee.last_name == truth.last_name, "the rest of the row was used");
            assert!(employee.department == truth.department);
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
fn an_unknown_status_word_is_neither_active_nor_a_leaver_until_somebody_says_what_it_means() {
    run(async {
        let people = population();
        let person = people.with(Oddity::UnknownStatus).next().unwrap();
        let PersonStatus::Odd(word) = person.status.clone() else { panic!("a word") };
        let sim = MergeSim::start(people.clone()).await;
        let plain = read(&connector(&sim), only(EmployeeField::EmployeeId)).await;
        assert_eq!(plain.person(&person.record_id).status, EmploymentStatus::Unknown(Some(word.clone())));
        let aliased = config(sim.url()).with_status_alias(word.to_uppercase(), StatusMeaning::OnLeave);
        let told = read(&build(aliased, &sim), only(EmployeeField::EmployeeId)).await;
        assert_eq!(told.person(&person.record_id).status, EmploymentStatus::OnLeave);
    });
}

#[test]
fn by_merges_own_id_people_and_their_managers_are_named_without_asking_for_more() {
    run(async {
        let people = population();
        let sim = MergeSim::start(people.clone()).await;
        let connector = build(config(sim.url()).with_record_id(RecordIdSource::MergeId), &sim);
        let read = read(&connector, only(EmployeeField::Manager)).await;
        assert_eq!(read.receipt().record_id_kind.as_str(), "merge.employee.id");
        let person = people.active().find(|person| person.manager.is_some()).unwrap();
        let employee = read.person(&MergeSim::merge_id(&person.record_id));
        let manager = MergeSim::merge_id(person.manager.as_deref().unwrap());
        assert_eq!(employee.manager, Field::Value(ManagerRef::Record(manager.into())));
        assert!(sim.requests().iter().all(|request| request.query("expand").is_none()));
    });
}

#[test]
fn a_time_of_day_in_a_date_is_reported_once_and_the_day_kept() {
    run(async {
        let people = population();
        let sim = MergeSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.time_in_dates = "T23:00:00Z".to_owned());
        let read = read(&connector(&sim), only(EmployeeField::BirthDate)).await;
        let person = people.with(Oddity::LeapDayBirth).next().unwrap();
        let born = person.birth_date.map(BirthDate::from).unwrap();
        assert_eq!(read.person(&person.record_id).birth_date, Field::Value(born));
        let warnings = &read.receipt().warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].field.as_deref(), Some("birth_date"));
        assert!(warnings[0].message.contains("time of day other than midnight"));
    });
}
