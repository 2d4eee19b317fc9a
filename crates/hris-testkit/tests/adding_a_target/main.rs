//! The code of `docs/adding-a-target.md`, compiled and run: an invented platform's target passes the whole suite.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]
#![allow(unreachable_pub, reason = "the page shows these files as parts of a crate")]

mod sim;
mod target;

// [piece: harness]
use std::sync::Arc;
use std::time::Duration;

use hris_core::{Attributes, MemberField, MemberId, ProvisioningTarget, Result, TargetField};
use hris_http::Transport;
use hris_testkit::ManualClock;
use hris_testkit::sim::{Fault, SimRequest, SimResponse, SimServer};
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, TargetCase, TargetHarness, TestPlatform,
};
use serde_json::{Value, json};

use sim::{Nimbus, READER, WRITER};
use target::NimbusTarget;

struct TestNimbus {
    nimbus: Arc<Nimbus>,
    server: SimServer,
    transport: Transport,
}

const NAMES: [(MemberField, &str); 5] = [
    (MemberField::EmployeeId, "number"),
    (MemberField::Email, "mail"),
    (MemberField::FirstName, "given"),
    (MemberField::LastName, "family"),
    (MemberField::StartDate, "since"),
];

/// Attributes in the platform's own names.
fn as_json(attributes: &Attributes) -> Value {
    let named = NAMES.iter().filter_map(|(field, name)| {
        let value = attributes.get(&TargetField::from(*field))?;
        Some(((*name).to_owned(), json!(value.map(ToString::to_string))))
    });
    Value::Object(named.collect())
}

fn is_write(request: &SimRequest) -> bool {
    request.method() != "GET"
}

impl TestPlatform for TestNimbus {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        let build = |token: &str, page_size: u32| {
            let target = NimbusTarget::new(self.server.url().parse()?, &token.into(), &self.transport)?;
            Ok(Arc::new(target.with_page_size(page_size)) as _)
        };
        match case {
            TargetCase::Good => Some(build(WRITER, 200)),
            TargetCase::PageSize(members) => Some(build(WRITER, members)),
            TargetCase::ReadOnly => Some(build(READER, 200)),
            TargetCase::WrongToken => Some(build("nimbus-token-of-nobody", 200)),
            _ => None,
        }
    }

    fn members(&self) -> Vec<RawMember> {
        let state = self.nimbus.state();
        let raw = state.members.iter().map(|member| {
            let text = |name: &str| member[name].as_str().map(hris_core::Value::from);
            let there = NAMES.iter().filter_map(|(field, name)| Some(((*field).into(), Some(text(name)?))));
            let raw = RawMember::new(member["id"].as_str().unwrap(), there.collect())
                .with_active(member["open"] == true)
                .with_invitations(member["invitations"].as_u64().unwrap_or_default());
            match member["nickname"].as_str() {
                Some(nickname) => raw.with_other("nickname", nickname),
                None => raw,
            }
        });
        raw.collect()
    }

    fn writes(&self) -> u64 {
        self.nimbus.state().writes
    }

    fn asked(&self) -> Option<u64> {
        Some(self.server.request_count() as u64)
    }

    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let mut member = as_json(&account.attributes);
        member["open"] = json!(account.active);
        if account.other {
            member["nickname"] = json!("Pirulo");
        }
        Some(self.nimbus.state().plant(member).into())
    }

    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        let mut state = self.nimbus.state();
        let Some(record) = state.members.iter_mut().find(|it| it["id"] == member.as_str()) else {
            return false;
        };
        for (name, value) in as_json(changes).as_object().unwrap() {
            record[name] = value.clone();
        }
        true
    }

    fn remove(&self, member: &MemberId) -> bool {
        self.nimbus.state().members.retain(|it| it["id"] != member.as_str());
        true
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        let a_day = Duration::from_secs(24 * 3600);
        let failure = |status| SimResponse::json(status, &json!({ "error": status }));
        let rule = match fault {
            PlatformFault::StoresAndFails => Fault::change(move |_done| failure(500)).once().on(is_write),
            PlatformFault::StoresAndHangs => Fault::Slow(a_day).once().on(is_write),
            PlatformFault::AnswersAndForgets => {
                let answer = json!({ "id": "n0", "open": true });
                Fault::Answer(SimResponse::json(201, &answer)).once().on(is_write)
            }
            PlatformFault::Refuses(id) => {
                let about = move |request: &SimRequest| {
                    request.json().is_some_and(|body| body["number"] == id.as_str())
                };
                Fault::status(422).once().on(about)
            }
            PlatformFault::SlowsDown { after } => {
                Fault::rate_limited(Some(2)).once().on(is_write).after(after)
            }
            PlatformFault::IsDown { after } => Fault::status(503).always().on(is_write).after(after),
            PlatformFault::FindsFail => Fault::status(500).always(),
            PlatformFault::RosterFails { after } => {
                let pages = u64::try_from(after / 5).unwrap_or_default();
                Fault::status(500).always().on(|request| request.query("limit").is_some()).after(pages)
            }
            _ => return false,
        };
        self.server.faults().add(rule);
        true
    }

    fn clear_faults(&self) {
        self.server.faults().clear();
    }
}

async fn nimbus() -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let nimbus = Arc::new(Nimbus::new(clock.clone()));
    let server = SimServer::start(Arc::clone(&nimbus)).await;
    let day = |day| chrono::NaiveDate::from_ymd_opt(2021, 9, day).unwrap();
    TargetHarness::new(TestNimbus { nimbus, server, transport }, clock)
        .with_attribute(MemberField::FirstName, "Maialen", "Garazi")
        .with_attribute(MemberField::LastName, "Olmedo", "Etxeberria")
        .with_attribute(MemberField::StartDate, day(2), day(9))
        .with_secrets([WRITER, READER, "nimbus-token-of-nobody"])
        .skipping(&[(
            "who_take_over_each_others_values_go_by_way_of_temporary_ones",
            "no temporary values are allowed",
        )])
}

hris_testkit::target_conformance!(conformance, nimbus);
// [end]

/// The pieces of a file, by name, as the page has to show them.
fn pieces(file: &str) -> impl Iterator<Item = (&str, &str)> {
    file.split(concat!("// [", "piece: ")).skip(1).map(|rest| {
        let (name, rest) = rest.split_once("]\n").unwrap();
        (name, rest.split_once("// [end]").unwrap().0)
    })
}

#[test]
fn the_page_shows_the_code_that_runs() {
    let page = include_str!("../../../../docs/adding-a-target.md");
    let files = [include_str!("target.rs"), include_str!("sim.rs"), include_str!("main.rs")];
    let mut shown = 0;
    for (name, piece) in files.into_iter().flat_map(pieces) {
        assert!(
            page.contains(&format!("```rust\n{piece}```\n")),
            "copy `{name}` into docs/adding-a-target.md"
        );
        shown += 1;
    }
    assert_eq!(shown, 7);
}
