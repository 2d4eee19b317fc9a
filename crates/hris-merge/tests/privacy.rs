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

use hris_core::{EmployeeRef, Error, HrisConnector as _};
use hris_merge::MergeConfig;
use hris_merge::sim::MergeSim;
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::Fault;
use hris_testkit::{Traces, run};

use setup::{ACCOUNT, EMPLOYEES, SYNC_STATUS, connector, everything, read};

/// What must not be shown of a person. Short names would be found inside other words.
fn canaries(person: &Person) -> Vec<String> {
    let texts =
        [&person.first_name, &person.last_name, &person.work_email, &person.personal_email, &person.phone];
    let texts = texts.into_iter().flatten().filter(|text| text.chars().count() > 5).cloned();
    let number = person.employee_number.as_deref().unwrap_or("0");
    let secrets = ["ethnicity", "filing", "iban"].map(|kind| format!("{kind}-{number}"));
    let secrets = secrets.into_iter().chain([format!("badge-{}", person.record_id)]);
    let dates = [person.birth_date, person.start_date].into_iter().flatten().map(|date| date.to_string());
    texts.chain(secrets).chain(dates).collect()
}

/// Does everything that can be done, well and badly, and gathers everything that is shown on the way.
async fn everything_shown(people: &Population) -> String {
    let sim = MergeSim::start(people.clone()).await;
    let connector = connector(&sim);
    let mut shown = vec![
        format!("{connector:?} {:?} {:?}", sim.credentials(), connector.check().await),
        format!("{:?}", connector.fields().await),
        format!("{:?}", read(&connector, everything()).await),
    ];
    for person in people.listed().take(3) {
        let who = EmployeeRef::record(person.record_id.as_str());
        shown.push(format!("{:?}", connector.employee(&who, &everything()).await));
        shown.push(format!("{:?}", connector.remote_data(&who).await));
    }
    for fault in [
        Fault::status(500),
        Fault::status(400),
        Fault::status(401),
        Fault::Html,
        Fault::BrokenJson,
        Fault::Refused,
    ] {
        for path in [EMPLOYEES, ACCOUNT, SYNC_STATUS] {
            sim.faults().add(fault.clone().always().on_path(path));
            let broken = read(&connector, everything()).await;
            shown.push(format!("{broken:?}"));
            shown.extend(broken.error.iter().map(chain));
            sim.faults().clear();
        }
    }
    sim.behave(|vendor| "T01:00:00Z".clone_into(&mut vendor.time_in_dates));
    shown.push(format!("{:?}", read(&connector, everything()).await));
    sim.account_tokens().revoke_all();
    shown.push(chain(read(&connector, everything()).await.error()));
    shown.push(format!("{sim:?}"));
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
    assert!(traced.contains("merge.employees"), "requests were traced");
    let texts = [("shown", &shown), ("traced", &traced)];
    for (what, text) in texts {
        assert!(!text.contains(MergeSim::API_KEY), "the API key was {what}");
        assert!(!text.contains(MergeSim::ACCOUNT_TOKEN), "the account token was {what}");
        assert!(!text.contains("include_deleted_data"), "a query was {what}");
        for person in people.people() {
            for canary in canaries(person) {
                assert!(!text.contains(&canary), "a person's {canary:?} was {what}");
            }
        }
    }
}

#[test]
fn what_no_rewards_platform_needs_is_not_even_decoded() {
    // Not a test of behaviour alone: the wire module must not have a key for these at all.
    let wire = include_str!("../src/wire.rs");
    let code = wire.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n").to_lowercase();
    for key in ["ssn", "ethnicity", "marital_status", "pay_rate", "avatar", "custom_fields", "username"] {
        let named = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == key);
        assert!(!named, "{key}");
    }
}

#[test]
fn a_configuration_can_be_shown_since_it_holds_no_secret() {
    let shown = format!("{:?}", MergeConfig::new());
    assert!(shown.contains("page_size") && !shown.contains("api_key") && !shown.contains("account_token"));
}
