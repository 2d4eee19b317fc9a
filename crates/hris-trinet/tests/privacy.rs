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

use hris_core::{Error, FieldSet, HrisConnector as _, SourceField};
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::Fault;
use hris_testkit::{Traces, run};
use hris_trinet::sim::{Refusal, TriNetSim};
use hris_trinet::{TokenStyle, TriNetConfig, View};

use setup::{DEPARTMENTS, EMPLOYEES, ORG_DETAILS, TOKEN, build, config, read};

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in ["alternateId", "customGroupA", "jobCode", "nationalId", "ssn"] {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

/// What must not be shown of a person. Short names would be found inside other words.
fn canaries(person: &Person) -> Vec<String> {
    let texts = [
        &person.first_name,
        &person.last_name,
        &person.work_email,
        &person.phone,
        &person.department,
        &person.job_title,
    ];
    let texts = texts.into_iter().flatten().filter(|text| text.chars().count() > 10).cloned();
    let dates = [person.birth_date, person.start_date].into_iter().flatten().map(|date| date.to_string());
    texts.chain(dates).collect()
}

/// Does everything that can be done, well and badly, and gathers everything that is shown on the way.
async fn everything_shown(people: &Population) -> String {
    let sim = TriNetSim::start(people.clone()).await;
    let connector = build(config(sim.url()).with_view(View::Full));
    let mut shown = vec![
        format!("{connector:?} {:?}", connector.check().await),
        format!("{:?}", connector.fields().await),
        format!("{:?}", read(&connector, everything()).await),
    ];
    for fault in [
        Fault::status(500),
        Fault::status(422),
        Fault::status(404),
        Fault::unauthorized(),
        Fault::Html,
        Fault::BrokenJson,
        Fault::Refused,
    ] {
        for path in [TOKEN, EMPLOYEES, ORG_DETAILS, DEPARTMENTS] {
            sim.behave(|vendor| vendor.is_flat = path == DEPARTMENTS);
            sim.faults().add(fault.clone().always().on_path(path));
            for style in [TokenStyle::GetBasic, TokenStyle::PostFormBody] {
                sim.behave(|vendor| vendor.accepts_form_credentials = style == TokenStyle::PostFormBody);
                let connector = build(config(sim.url()).with_token_style(style));
                let broken = read(&connector, everything()).await;
                shown.push(format!("{broken:?} {connector:?}"));
                shown.extend(broken.error.iter().map(chain));
                shown.push(format!("{:?}", connector.check().await));
            }
            sim.faults().clear();
        }
    }
    sim.behave(|vendor| vendor.refuses_full_view = Some(Refusal::NoScope));
    shown.push(format!("{:?}", read(&connector, everything()).await));
    sim.revoke_client(TriNetSim::CLIENT_ID);
    sim.tokens().revoke_all();
    shown.push(chain(read(&connector, everything()).await.error()));
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
    assert!(traced.contains("trinet.employees"), "requests were traced");
    let secrets = [
        TriNetSim::CLIENT_ID,
        TriNetSim::CLIENT_SECRET,
        TriNetSim::DECOY,
        "mockToken",
        "bW9ja0NsaWVudElk", // the beginning of the pair as a Basic header has it
        "decoy",
        "73190",
    ];
    for (what, text) in [("shown", &shown), ("traced", &traced)] {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret:?} was {what}");
        }
        assert!(!text.contains("viewType="), "a query was {what}");
        for person in people.people() {
            for canary in canaries(person) {
                assert!(!text.contains(&canary), "a person's {canary:?} was {what}");
            }
        }
    }
}

#[test]
fn identity_numbers_pay_and_the_like_are_delivered_to_nobody() {
    run(async {
        let sim = TriNetSim::start(Population::new(7).size(200).build()).await;
        let connector = build(config(sim.url()).with_view(View::Full));
        let read = read(&connector, everything()).await;
        assert!(read.employees.len() > 150);
        for employee in &read.employees {
            let mut values: Vec<String> =
                employee.custom.values().filter_map(|field| Some(field.value()?.to_string())).collect();
            for field in hris_core::EmployeeField::ALL {
                use hris_core::FieldSource as _;
                let value = employee.field(&SourceField::from(*field));
                values.extend(value.value().map(|value| value.to_text().into_owned()));
            }
            let values = values.join("|");
            for decoy in [TriNetSim::DECOY, "decoy", "Decoy", "73190"] {
                assert!(!values.contains(decoy), "{decoy}");
            }
        }
    });
}

#[test]
fn what_no_rewards_platform_needs_is_not_even_decoded() {
    // Not a test of behaviour alone: the wire module must not have a key for these at all.
    let wire = include_str!("../src/wire.rs");
    let code = wire.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n").to_lowercase();
    for word in [
        "ssn",
        "nationalid",
        "social",
        "tax",
        "ethnic",
        "marital",
        "citizen",
        "eligib",
        "pay",
        "wage",
        "salary",
        "compens",
        "bank",
        "street",
        "address1",
        "postal",
    ] {
        assert!(!code.contains(word), "{word}");
    }
}

#[test]
fn a_configuration_can_be_shown_since_it_holds_no_secret() {
    let shown = format!("{:?}", TriNetConfig::new("X7Q"));
    assert!(shown.contains("X7Q") && !shown.to_lowercase().contains("secret"), "{shown}");
}
