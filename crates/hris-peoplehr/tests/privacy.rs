//! Secrets and people's data appear in no `Debug`, no `Display` and no trace. A program of its own, since what is
//! traced is decided once for a whole process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail with the test"
)]

#[path = "suite/setup.rs"]
#[allow(dead_code, reason = "the suite uses the rest of it")]
mod setup;

use std::iter::successors;

use hris_core::{EmployeeField, EmployeeRef, Error, FieldSet, HrisConnector as _, SourceField};
use hris_peoplehr::sim::{BusyForm, FlagSpelling, PeopleHrSim};
use hris_peoplehr::{PeopleHrConfig, PeopleHrConnector, QuerySource};
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::{Fault, SimResponse};
use hris_testkit::{Traces, run};

use setup::{build, config, read};

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in ["APIColumn1", "PayrollID", "Address", "BankDetail", "NISNumber", "BankName", "AccountNumber"]
    {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

fn feed() -> QuerySource {
    QuerySource::new(PeopleHrSim::QUERY)
        .with_column("Employee Id", EmployeeField::EmployeeId)
        .with_column("First Name", EmployeeField::FirstName)
        .with_column("Work Email", EmployeeField::WorkEmail)
        .with_column("Final Day of Employment", EmployeeField::EndDate)
}

/// What must not be shown of a person. Short names would be found inside other words.
fn canaries(person: &Person) -> Vec<String> {
    let texts = [
        &person.first_name,
        &person.last_name,
        &person.work_email,
        &person.personal_email,
        &person.phone,
        &person.department,
        &person.job_title,
    ];
    let texts = texts.into_iter().flatten().filter(|text| text.chars().count() > 10).cloned();
    let dates = [person.birth_date, person.start_date].into_iter().flatten().map(|date| date.to_string());
    texts.chain(dates).collect()
}

/// A failure whose message quotes somebody.
fn quoting(person: &Person) -> Fault {
    let email = person.work_email.as_deref().unwrap_or_default();
    let name = person.first_name.as_deref().unwrap_or_default();
    let message = format!("Record of {name} <{email}> with key {} cannot be read", PeopleHrSim::KEY);
    let body = serde_json::json!({ "isError": true, "Status": 5, "Message": message, "Result": null });
    Fault::Answer(SimResponse::json(200, &body))
}

async fn shown_by(connector: &PeopleHrConnector, person: &Person) -> String {
    let broken = read(connector, everything()).await;
    let mut shown = vec![format!("{broken:?} {broken:#?} {connector:?}")];
    shown.extend(broken.error.iter().map(chain));
    let checked = connector.check().await;
    shown.push(format!("{checked:?}"));
    shown.extend(checked.err().iter().map(chain));
    let number = person.employee_number.as_deref().map(Into::into);
    let who = EmployeeRef { record: person.record_id.as_str().into(), employee_id: number };
    let found = connector.employee(&who, &everything()).await;
    shown.push(format!("{found:?}"));
    shown.extend(found.err().iter().map(chain));
    shown.concat()
}

/// Does everything that can be done, well and badly, and gathers everything that is shown on the way.
async fn everything_shown(people: &Population) -> String {
    let sim = PeopleHrSim::start(people.clone()).await;
    let person = people.active().find(|person| person.malformed.is_none()).unwrap();
    let connector = build(config(sim.url()));
    let by_query = build(config(sim.url()).with_query(feed()));
    let mut shown = vec![format!("{:?}", connector.fields().await)];
    for connector in [&connector, &by_query] {
        shown.push(shown_by(connector, person).await);
    }
    for fault in [
        Fault::status(500),
        Fault::status(422),
        Fault::status(404),
        Fault::status(403),
        Fault::Html,
        Fault::BrokenJson,
        Fault::Refused,
        quoting(person),
    ] {
        for spared in 0..3 {
            for connector in [&connector, &by_query] {
                sim.faults().add(fault.clone().always().after(spared));
                shown.push(shown_by(connector, person).await);
                sim.faults().clear();
            }
        }
    }
    sim.behave(|vendor| vendor.busy_query = Some((BusyForm::Failure, 100)));
    shown.push(shown_by(&by_query, person).await);
    sim.behave(|vendor| vendor.flag = FlagSpelling::LeftOut);
    sim.revoke_key(PeopleHrSim::KEY);
    shown.push(shown_by(&connector, person).await);
    shown.push(format!("{sim:?} {:?}", sim.requests()));
    shown.concat()
}

/// An error with its causes.
fn chain(error: &Error) -> String {
    let causes = successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    causes.map(|cause| format!("{cause} {cause:?}")).collect::<Vec<_>>().concat()
}

#[test]
fn no_secret_and_nobodys_data_is_shown_or_traced() {
    let traces = Traces::of_this_process();
    let people = Population::new(7).size(200).build();
    let shown = run(everything_shown(&people));
    let traced = traces.text();
    assert!(shown.len() > 10_000, "{}", shown.len());
    assert!(traced.contains("peoplehr.employees"), "requests were traced");
    let secrets =
        [PeopleHrSim::KEY, "1111-4222", PeopleHrSim::DECOY, "decoy", "APIKey", "Kiln Row", "payroll-000417"];
    for (what, text) in [("shown", &shown), ("traced", &traced)] {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret:?} was {what}");
        }
        assert!(!text.contains("IncludeLeavers"), "a body was {what}");
        for person in people.people() {
            for canary in canaries(person) {
                assert!(!text.contains(&canary), "a person's {canary:?} was {what}");
            }
        }
    }
}

#[test]
fn bank_details_identity_numbers_and_the_like_are_delivered_to_nobody() {
    run(async {
        let sim = PeopleHrSim::start(Population::new(7).size(200).build()).await;
        let read = read(&build(config(sim.url())), everything()).await;
        assert!(read.employees.len() > 150);
        for employee in &read.employees {
            use hris_core::FieldSource as _;
            let mut values: Vec<String> =
                employee.custom.values().filter_map(|field| Some(field.value()?.to_string())).collect();
            for field in EmployeeField::ALL {
                let value = employee.field(&SourceField::from(*field));
                values.extend(value.value().map(|value| value.to_text().into_owned()));
            }
            assert!(!values.join("|").contains("decoy"));
        }
    });
}

#[test]
fn what_no_rewards_platform_needs_is_not_even_decoded() {
    // Not a test of behaviour alone: the wire module must not have a key for these at all.
    let wire = include_str!("../src/wire.rs");
    let code = wire.split("#[cfg(test)]").next().unwrap().lines();
    let code = code.filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n").to_lowercase();
    for word in [
        "bank",
        "account",
        "nis",
        "nationality",
        "righttowork",
        "document",
        "background",
        "othercontact",
        "relationship",
        "salary",
        "absence",
        "ethnic",
    ] {
        assert!(!code.contains(word), "{word}");
    }
}

#[test]
fn a_configuration_can_be_shown_since_it_holds_no_secret() {
    let shown = format!("{:?}", PeopleHrConfig::new().with_company_id("70001"));
    assert!(shown.contains("70001") && !shown.contains("api_key"), "{shown}");
}
