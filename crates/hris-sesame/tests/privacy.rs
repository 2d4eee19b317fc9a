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
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::Fault;
use hris_testkit::{Traces, run};

use setup::{CONTRACTS, DEPARTMENT_ASSIGNATIONS, EMPLOYEES, clock, config, read, token, transport};

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in ["cf_talla", "cf_fecha_de_alta_en_beneficios", "cf_renamed"] {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

/// What must not be shown of a person. Short names would be found inside other words.
fn canaries(person: &Person) -> Vec<String> {
    let texts =
        [&person.first_name, &person.last_name, &person.work_email, &person.personal_email, &person.phone];
    let texts = texts.into_iter().flatten().filter(|text| text.chars().count() > 5).cloned();
    let number = person.employee_number.as_deref().unwrap_or("0");
    let secrets = ["nfc", "nid", "ssn", "iban"].map(|kind| format!("{kind}-{number}"));
    let dates = [person.birth_date, person.start_date].into_iter().flatten().map(|date| date.to_string());
    texts.chain(secrets).chain(dates).collect()
}

/// Does everything that can be done, well and badly, and gathers everything that is shown on the way.
async fn everything_shown(people: &Population) -> String {
    let sim = SesameSim::start(people.clone()).await;
    let connector = config(sim.url()).build(&token(), &transport(&clock())).unwrap();
    let mut shown = vec![
        format!("{connector:?} {:?}", connector.check().await),
        format!("{:?}", connector.fields().await),
        format!("{:?}", read(&connector, everything()).await),
    ];
    for person in people.listed().take(3) {
        let who = EmployeeRef::record(person.record_id.as_str());
        shown.push(format!("{:?}", connector.employee(&who, &everything()).await));
    }
    for fault in [Fault::status(500), Fault::status(422), Fault::Html, Fault::BrokenJson, Fault::Refused] {
        for path in [EMPLOYEES, DEPARTMENT_ASSIGNATIONS, CONTRACTS] {
            sim.faults().add(fault.clone().always().on(move |request| request.path().starts_with(path)));
            let broken = read(&connector, everything()).await;
            shown.push(format!("{broken:?}"));
            shown.extend(broken.error.iter().map(chain));
            sim.faults().clear();
        }
    }
    sim.tokens().revoke_all();
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
    assert!(traced.contains("sesame.employees"), "requests were traced");
    let texts = [("shown", &shown), ("traced", &traced)];
    for (what, text) in texts {
        assert!(!text.contains(SesameSim::TOKEN), "the token was {what}");
        assert!(!text.contains("73190024"), "the PIN was {what}");
        assert!(!text.contains("orderBy="), "a query was {what}");
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
    for key in [
        "pin",
        "nfc",
        "nid",
        "ssn",
        "iban",
        "accountnumber",
        "account_number",
        "bic",
        "price",
        "salary",
        "disab",
    ] {
        let named = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == key);
        assert!(!named, "{key}");
    }
}

#[test]
fn a_configuration_can_be_shown_since_it_holds_no_secret() {
    let shown = format!("{:?}", SesameConfig::new());
    assert!(shown.contains("eu1") && !shown.to_lowercase().contains("token"));
    let field = SourceField::from(EmployeeField::WorkEmail);
    assert_eq!(field.to_string(), "work_email");
}
