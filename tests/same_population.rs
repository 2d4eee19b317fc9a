//! The same population, served by the simulator of each vendor, gives the same employees, apart from what is listed
//! here of each vendor.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's set-up works or fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use hris_core::{
    Employee, EmployeeField, FieldSet, FieldSource as _, HrisConnector, ReadEvent, ReadQuery, SourceField,
    ValueRef,
};
use hris_http::Transport;
use hris_merge::sim::MergeSim;
use hris_merge::{MergeConfig, MergeCredentials};
use hris_peoplehr::PeopleHrConfig;
use hris_peoplehr::sim::PeopleHrSim;
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::employee_of;
use hris_testkit::population::{Amount, Oddities, Oddity, Person, PersonStatus, Population};
use hris_trinet::TriNetConfig;
use hris_trinet::sim::TriNetSim;

/// How a vendor's employees differ from the truth.
#[derive(Clone, Copy, Debug)]
enum Difference {
    /// The vendor has no such field.
    Lacks(EmployeeField),
    /// Of people who have left the field is not read, since it costs a request each.
    LacksOfLeavers(EmployeeField),
    /// Of people who have not begun the vendor tells what they do today, if anything.
    OfToday(EmployeeField),
    /// The vendor has a word of its own in place of another.
    Says(EmployeeField, &'static str, &'static str),
    /// The vendor's own ids stand in the field.
    OwnIds(EmployeeField),
    /// A person's manager is named by Employee ID.
    ManagerByNumber,
    /// The vendor has two fields for last names, and the connector joins them.
    BothLastNames,
}

use Difference::{BothLastNames, Lacks, LacksOfLeavers, ManagerByNumber, OfToday, OwnIds, Says};
use EmployeeField as F;

const SESAME: &[Difference] = &[
    Says(F::Status, "on_leave", "active"),
    Says(F::Status, "pending", "active"),
    Says(F::Gender, "non-binary", "no_response"),
    BothLastNames,
    LacksOfLeavers(F::StartDate),
    LacksOfLeavers(F::EndDate),
    LacksOfLeavers(F::Manager),
];

const PEOPLEHR: &[Difference] = &[
    Says(F::Status, "on_leave", "active"),
    Says(F::Gender, "female", "Female"),
    Says(F::Gender, "male", "Male"),
    Says(F::Gender, "non-binary", "Not Specified"),
    BothLastNames,
    ManagerByNumber,
];

const TRINET: &[Difference] = &[
    OwnIds(F::RecordId),
    OwnIds(F::EmployeeId),
    OwnIds(F::Manager),
    Says(F::Status, "pending", "active"),
    Says(F::Gender, "female", "F"),
    Says(F::Gender, "male", "M"),
    Says(F::Gender, "non-binary", "X"),
    BothLastNames,
    Lacks(F::PersonalEmail),
];

const MERGE: &[Difference] = &[
    Says(F::Status, "on_leave", "active"),
    Says(F::Gender, "female", "FEMALE"),
    Says(F::Gender, "male", "MALE"),
    Says(F::Gender, "non-binary", "NON-BINARY"),
    OfToday(F::JobTitle),
];

/// What the population knows of a person. Names that a vendor makes of it, such as a preferred one, are its own.
const KNOWN: &[EmployeeField] = &[
    F::RecordId,
    F::EmployeeId,
    F::Status,
    F::FirstName,
    F::LastName,
    F::WorkEmail,
    F::PersonalEmail,
    F::Phone,
    F::StartDate,
    F::EndDate,
    F::BirthDate,
    F::Gender,
    F::Department,
    F::Location,
    F::Country,
    F::JobTitle,
    F::Manager,
];

/// A vendor's answer about the population.
struct Answer {
    vendor: &'static str,
    employees: Vec<Employee>,
    differences: &'static [Difference],
    /// The vendor's ids by those of the population, where it has its own.
    ids: BTreeMap<String, String>,
    people: Population,
}

/// Every vendor. A further one is a row here, a function that reads it, and its list of differences.
async fn answers(people: &Population) -> Vec<Answer> {
    let answer = |vendor, employees, differences| Answer {
        vendor,
        employees,
        differences,
        ids: BTreeMap::new(),
        people: people.clone(),
    };
    let own = TriNetSim::employee_id;
    let ids = people.people().iter().enumerate().map(|(at, person)| (person.record_id.clone(), own(at)));
    vec![
        answer("sesame", sesame(people).await, SESAME),
        answer("peoplehr", peoplehr(people).await, PEOPLEHR),
        Answer { ids: ids.collect(), ..answer("trinet", trinet(people).await, TRINET) },
        answer("merge", merge(people).await, MERGE),
    ]
}

async fn sesame(people: &Population) -> Vec<Employee> {
    let sim = SesameSim::start(people.clone()).await;
    let config = SesameConfig::new().with_base_url(sim.url().parse().unwrap());
    read(&config.build(&sim.token(), &transport()).unwrap()).await
}

async fn peoplehr(people: &Population) -> Vec<Employee> {
    let sim = PeopleHrSim::start(people.clone()).await;
    let config = PeopleHrConfig::new()
        .with_company_id(PeopleHrSim::COMPANY_ID)
        .with_base_url(sim.url().parse().unwrap())
        .with_requests_per_minute(None);
    read(&config.build(&PeopleHrSim::KEY.into(), &transport()).unwrap()).await
}

async fn trinet(people: &Population) -> Vec<Employee> {
    let sim = TriNetSim::start(people.clone()).await;
    let config = TriNetConfig::new(TriNetSim::COMPANY_ID)
        .with_base_url(sim.url().parse().unwrap())
        .with_requests_per_minute(None);
    let connector =
        config.build(&TriNetSim::CLIENT_ID.into(), &TriNetSim::CLIENT_SECRET.into(), &transport());
    read(&connector.unwrap()).await
}

async fn merge(people: &Population) -> Vec<Employee> {
    let sim = MergeSim::start(people.clone()).await;
    let config = MergeConfig::new().with_base_url(sim.url().parse().unwrap());
    let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), MergeSim::ACCOUNT_TOKEN.into());
    read(&config.build(&credentials, &transport()).unwrap()).await
}

fn transport() -> Transport {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    Transport::builder().with_clock(Arc::new(clock)).build().unwrap()
}

async fn read(connector: &dyn HrisConnector) -> Vec<Employee> {
    let events = connector.read(ReadQuery::everyone(FieldSet::all_canonical()));
    let events: Vec<_> = events.try_collect().await.unwrap();
    assert!(matches!(events.last(), Some(ReadEvent::End(_))), "the reading ends with a receipt");
    let pages = events.into_iter().filter_map(|event| match event {
        ReadEvent::Employees(page) => Some(page),
        _ => None,
    });
    pages.flatten().collect()
}

/// What an employee has in a field; null and absent are the same nothing here.
fn value(employee: &Employee, field: EmployeeField) -> Option<String> {
    let value = employee.field(&SourceField::from(field));
    value.value().map(|value| match value {
        ValueRef::Text(text) => text.to_string(),
        ValueRef::Date(date) => date.to_string(),
        ValueRef::BirthDate(date) => date.date().map(|date| date.to_string()).unwrap_or_default(),
        ValueRef::Bool(flag) => flag.to_string(),
        other => panic!("the population has nothing like {other:?}"),
    })
}

/// The truth about a person's field as the vendor tells it, and the differences that it took to get there.
/// `delivered` is what the vendor told.
fn told(
    person: &Person,
    field: EmployeeField,
    delivered: Option<&String>,
    answer: &Answer,
    used: &mut BTreeSet<usize>,
) -> Option<String> {
    let mut told = value(&employee_of(person), field);
    for (index, difference) in answer.differences.iter().enumerate() {
        let before = told.clone();
        match *difference {
            Lacks(lacked) if lacked == field => told = None,
            LacksOfLeavers(lacked) if lacked == field && person.status == PersonStatus::Inactive => {
                told = None;
            }
            OfToday(of) if of == field && person.status == PersonStatus::Pending => {
                told = delivered.cloned();
            }
            Says(of, word, own) if of == field && told.as_deref() == Some(word) => {
                told = Some(own.to_owned());
            }
            OwnIds(of) if of == field => {
                let record =
                    if field == F::EmployeeId { Some(person.record_id.clone()) } else { told.take() };
                told = record.and_then(|record| answer.ids.get(&record).cloned());
            }
            ManagerByNumber if field == F::Manager => {
                let manager = told.as_ref().and_then(|record| answer.people.person(record));
                told = manager.and_then(|manager| manager.employee_number.clone());
            }
            BothLastNames if field == F::LastName => {
                if let Some(second) = &person.second_last_name {
                    told = told.map(|first| format!("{first} {second}"));
                }
            }
            _ => {}
        }
        if told != before {
            used.insert(index);
        }
    }
    told
}

#[test]
fn the_same_population_gives_the_same_employees_apart_from_what_is_listed() {
    let awkward = Oddities::leavers_only()
        .with(Oddity::OnLeave, Amount::Cases(2))
        .with(Oddity::PreHire, Amount::Cases(2));
    let people = Population::new(11).size(60).oddities(awkward).build();
    for answer in hris_testkit::run(answers(&people)) {
        let vendor = answer.vendor;
        let mut used = BTreeSet::new();
        assert_eq!(answer.employees.len(), people.people().len(), "{vendor} delivers everybody once");
        let delivered: BTreeMap<_, _> =
            answer.employees.iter().map(|employee| (employee.record.as_str(), employee)).collect();
        for person in people.people() {
            let record = answer.ids.get(&person.record_id).unwrap_or(&person.record_id);
            let employee = delivered.get(record.as_str());
            let employee = employee.unwrap_or_else(|| panic!("{vendor} does not deliver {record}"));
            for field in KNOWN {
                let delivered = value(employee, *field);
                let told = told(person, *field, delivered.as_ref(), &answer, &mut used);
                assert_eq!(delivered, told, "{} of {record} by {vendor}", field.as_str());
            }
            assert!(employee.problems.is_empty(), "{vendor} reads every field of {record}");
        }
        let unused = answer.differences.iter().enumerate().filter(|(index, _)| !used.contains(index));
        let unused: Vec<_> = unused.map(|(_, difference)| difference).collect();
        assert!(unused.is_empty(), "{vendor} does not differ in {unused:?}; take it off the list");
    }
}
