//! Secrets and people's data appear in no `Debug`, no `Display` and no trace. A program of its own, since what is traced is
//! decided once for a whole process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

#[path = "scim/setup.rs"]
#[allow(dead_code, reason = "the other tests use the rest of it")]
mod setup;

use std::error::Error;
use std::iter::successors;
use std::num::NonZeroUsize;

use futures_util::TryStreamExt as _;
use hris_core::{Email, MemberField, MemberQuery, Outcome, ProvisioningTarget as _};
use hris_target_scim::ScimTarget;
use hris_target_scim::sim::ScimSim;
use hris_testkit::sim::{Fault, SimResponse};
use hris_testkit::{Traces, run};
use serde_json::json;

use setup::{Stage, attributes, create, leave, person, update, with};

const CANARIES: [&str; 9] = [
    ScimSim::TOKEN,
    ScimSim::READ_ONLY_TOKEN,
    "persona.",
    "brisa.example",
    "Canariona",
    "Canarieta",
    "1988-04-17",
    "17/04/1988",
    "unicornio",
];

fn chain(error: &hris_core::Error) -> String {
    let causes = successors(error.source(), |cause| (*cause).source());
    causes.fold(format!("{error} {error:?} "), |shown, cause| shown + &format!("{cause} {cause:?} "))
}

fn shown(outcomes: &[Outcome]) -> String {
    let one = |outcome: &Outcome| match outcome {
        Outcome::Rejected(error)
        | Outcome::Conflict(error)
        | Outcome::InDoubt(error)
        | Outcome::NotAttempted(error) => {
            format!("{outcome:?} {}", chain(error))
        }
        outcome => format!("{outcome:?}"),
    };
    outcomes.iter().map(one).collect()
}

/// Does everything that can be done, and gathers everything that is shown on the way.
fn story(stage: &Stage, target: &ScimTarget) -> String {
    let somebody = |number: &str| {
        let named = with(
            with(person(number), MemberField::FirstName, "Canariona"),
            MemberField::LastName,
            "Canarieta",
        );
        let named = with(with(named, MemberField::BirthDate, "1988-04-17"), MemberField::Gender, "unicornio");
        with(named, MemberField::Manager, "persona.77")
    };
    let mut out = format!("{target:?} {:?} {:?}", stage.sim, run(target.check()));
    for number in ["1", "2"] {
        out += &shown(&run(target.apply(&[create(somebody(number)), create(somebody("1"))])));
    }
    for query in [
        MemberQuery::Id("usr-000001".into()),
        MemberQuery::EmployeeId("1".into()),
        MemberQuery::Email(Email::parse("persona.1@brisa.example").unwrap()),
    ] {
        match run(target.find(&query)) {
            Ok(found) => out.extend(found.iter().map(|member| format!("{member:?}"))),
            Err(error) => out += &chain(&error),
        }
    }
    let changes =
        attributes([(MemberField::FirstName, "Canarieta"), (MemberField::Email, "persona.2@brisa.example")]);
    out += &shown(&run(
        target.apply(&[update("1", &"usr-000001".into(), changes), leave("2", &"usr-000002".into())])
    ));
    let roster: Result<Vec<_>, _> = run(target.roster().unwrap().try_collect());
    out += &roster.map_or_else(|error| chain(&error), |members| format!("{members:?}"));
    out.extend(target.take_problems().iter().map(|problem| format!("{problem:?}")));
    out
}

#[test]
fn no_output_shows_a_secret_or_a_persons_data_faults_included() {
    let traces = Traces::of_this_process();
    let talkative = SimResponse::json(
        400,
        &json!({ "scimType": "persona.1", "detail": "Canariona Canarieta persona.1@brisa.example is refused" }),
    );
    let faults = [
        None,
        Some(Fault::status(500)),
        Some(Fault::rate_limited(None)),
        Some(Fault::Html),
        Some(Fault::BrokenJson),
        Some(Fault::Refused),
        Some(Fault::Lost),
        Some(Fault::Answer(talkative)),
    ];
    for fault in faults {
        for bulk in [None, NonZeroUsize::new(5)] {
            let stage = Stage::new();
            let target = stage.build(stage.config().with_bulk(bulk).with_confirmed_creates(true));
            if let Some(fault) = fault.clone() {
                stage.sim.faults().add(fault.always().on(|request| request.method() != "GET"));
            }
            let mut out = story(&stage, &target);
            if let Some(fault) = fault.clone() {
                stage.sim.faults().add(fault.always());
            }
            out += &story(&stage, &stage.build_with_token(stage.reward_gateway(), ScimSim::READ_ONLY_TOKEN));
            for canary in CANARIES {
                assert!(!out.contains(canary), "{canary} is shown after {fault:?}: {out}");
            }
        }
    }
    let traced = traces.text();
    assert!(traced.contains("http.request") && traced.contains("hris.target_scim.apply"), "traces are kept");
    for canary in CANARIES {
        let found = traced.lines().find(|line| line.contains(canary));
        assert!(found.is_none(), "{canary} is traced: {found:?}");
    }
}
