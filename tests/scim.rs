//! Journeys to a platform over SCIM: whatever goes wrong there, nobody is lost, nobody is doubled, and all is reported.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::keys::KeyId;
use hris_core::{
    Clock as _, ConnectionKey, Employee, EmployeeField, EmploymentStatus, Field, FieldMap, FieldRule,
    HrisConnector, ManagerRef, MemberField, Problem, ProvisioningTarget as _, RunId, RunReport, SecretKey,
    Trigger, rule,
};
use hris_http::Transport;
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_store_sqlite::SqliteStore;
use hris_sync::{Engine, Policy};
use hris_target_scim::sim::ScimSim;
use hris_target_scim::{Profile, ScimConfig, ScimTarget, ValueFormat};
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::{Fault, SimRequest, SimResponse};
use hris_testkit::{ManualClock, MockConnector, run};
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Journey {
    sim: ScimSim,
    clock: ManualClock,
    directory: MockConnector,
    target: ScimTarget,
    engine: Engine,
    runs: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

fn person(number: u32) -> Employee {
    let mut employee = Employee::new(format!("record-{number}"), EmploymentStatus::Active);
    employee.employee_id = Field::Value(format!("E{number}").into());
    employee.first_name = Field::Value("Nerea".to_owned());
    employee.last_name = Field::Value("Olmedo".to_owned());
    employee.work_email = Field::Value(format!("persona.{number}@brisa.example"));
    employee.department = Field::Value("Retail".to_owned());
    employee
}

fn inactive(number: u32) -> Employee {
    let mut employee = person(number);
    employee.status = EmploymentStatus::Inactive;
    employee
}

impl Journey {
    fn new(people: impl IntoIterator<Item = Employee>, configure: impl Fn(ScimConfig) -> ScimConfig) -> Self {
        let directory = MockConnector::new(people).with_page_size(7);
        Self::from(|_| Arc::new(directory.clone()), directory.clone(), configure)
    }

    /// A journey from a directory of another kind.
    fn from(
        connector: impl FnOnce(&Transport) -> Arc<dyn HrisConnector>,
        directory: MockConnector,
        configure: impl Fn(ScimConfig) -> ScimConfig,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
        let sim = run(ScimSim::start(clock.clone()));
        let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
        let config = ScimConfig::new(sim.endpoint())
            .with_profile(Profile::RewardGateway)
            .with_attribute(
                MemberField::Manager,
                format!("{ENTERPRISE}:manager.value").parse().unwrap(),
                ValueFormat::Text,
            )
            .with_requests_per_second(0)
            .with_max_in_flight(NonZeroUsize::new(4).unwrap());
        let target = configure(config).build(&sim.token(), &transport).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = FieldMap::standard().rules().to_vec();
        let mut rules: Vec<FieldRule> =
            rules.into_iter().filter(|rule| target.writes(&rule.target)).collect();
        rules.retain(|rule| rule.target != MemberField::BirthDate.into());
        rules.push(FieldRule::copy(MemberField::Manager, EmployeeField::Manager));
        let engine = Engine::new(
            ConnectionKey::new("brisa", "scim"),
            connector(&transport),
            Arc::new(FieldMap::new(rules).unwrap()),
            Arc::new(target.clone()),
            Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap()),
            Arc::new(SecretKey::new(KeyId::new("k"), [7; 32])),
            Arc::new(clock.clone()),
        );
        let engine = engine.with_policy(Policy::default());
        Self { sim, clock, directory, target, engine, runs: 0.into(), _folder: folder }
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    fn next(&self) -> RunId {
        self.runs.set(self.runs.get() + 1);
        RunId::from(format!("run-{}", self.runs.get()))
    }

    fn run(&self) -> RunReport {
        run(self.engine.run(&self.next(), Trigger::Schedule, self.today())).unwrap()
    }

    fn verify(&self) -> RunReport {
        run(self.engine.verify(&self.next(), Trigger::Schedule, self.today())).unwrap()
    }

    /// How many open accounts each Employee ID has.
    fn accounts(&self) -> BTreeMap<String, usize> {
        let mut accounts = BTreeMap::new();
        for account in self.sim.accounts().iter().filter(|account| account.is_active()) {
            *accounts.entry(account.text("externalId").unwrap_or("none").to_owned()).or_default() += 1;
        }
        accounts
    }

    fn account(&self, number: u32) -> hris_target_scim::sim::Account {
        let id = format!("E{number}");
        self.sim.accounts().into_iter().find(|account| account.text("externalId") == Some(&*id)).unwrap()
    }

    fn plan_problems(&self) -> Vec<Problem> {
        run(async {
            self.engine.dry_run(self.today()).await.unwrap().problems().try_collect().await.unwrap()
        })
    }
}

fn once_each(numbers: impl IntoIterator<Item = u32>) -> BTreeMap<String, usize> {
    numbers.into_iter().map(|number| (format!("E{number}"), 1)).collect()
}

fn is_write(request: &SimRequest) -> bool {
    request.method() != "GET"
}

#[test]
fn a_second_run_is_empty_and_a_leaver_returns_within_the_close_down_as_the_same_member() {
    let journey = Journey::new((0..20).map(person), |config| config);
    assert_eq!(journey.run().applied.created, 20);
    let writes = journey.sim.writes();
    assert_eq!(journey.run().applied, hris_core::AppliedCounts::default());
    assert_eq!(journey.sim.writes(), writes);
    let before = journey.account(3);

    journey
        .directory
        .set_people((0..20).map(|number| if number == 3 { inactive(3) } else { person(number) }));
    assert_eq!(journey.run().applied.left, 1);
    assert!(!journey.account(3).is_active());
    journey.clock.advance(DAY * 59);
    journey.directory.set_people((0..20).map(person));
    assert_eq!(journey.run().applied.reactivated, 1);
    let back = journey.account(3);
    assert_eq!((back.id, back.invitations, back.user), (before.id, 1, before.user));
    assert_eq!(journey.accounts(), once_each(0..20));
}

#[test]
fn a_leaver_who_returns_after_the_close_down_is_a_new_member() {
    let journey = Journey::new((0..5).map(person), |config| config);
    journey.run();
    let before = journey.account(3);
    journey.directory.set_people((0..5).map(|number| if number == 3 { inactive(3) } else { person(number) }));
    journey.run();
    journey.clock.advance(DAY * 60);
    journey.directory.set_people((0..5).map(person));
    for _ in 0..2 {
        journey.run();
    }
    let back = journey.account(3);
    assert!(back.is_active() && back.id != before.id);
    assert_eq!(journey.accounts(), once_each(0..5));
}

#[test]
fn a_member_edited_by_hand_is_put_right_by_a_verify_run() {
    let journey = Journey::new((0..10).map(person), |config| config);
    journey.run();
    let good = journey.account(4);
    journey.sim.edit(&good.id, |user| {
        user["name"]["familyName"] = "Somebody".into();
        user.insert("nickName".into(), "Ne".into());
    });
    journey.sim.edit(&journey.account(5).id, |user| _ = user.insert("active".into(), false.into()));
    assert_eq!(journey.run().applied, hris_core::AppliedCounts::default(), "an ordinary run does not look");
    let report = journey.verify();
    let verified = report.verified.unwrap();
    assert_eq!((verified.members, verified.drifted, verified.closed), (10, 1, 1));
    let repaired = journey.account(4);
    assert_eq!(repaired.user["name"]["familyName"], "Olmedo");
    assert_eq!(repaired.user["nickName"], "Ne", "what is not ours stays");
    assert!(journey.account(5).is_active());
    let again = journey.verify();
    assert_eq!(again.applied, hris_core::AppliedCounts::default());
}

/// Person `number`, who reports to person `manager`.
fn reporting(number: u32, manager: u32) -> Employee {
    let mut employee = person(number);
    employee.manager = Field::Value(ManagerRef::EmployeeId(format!("E{manager}").into()));
    employee
}

impl Journey {
    /// Whom each account refers to, by Employee ID.
    fn managers(&self) -> BTreeMap<String, String> {
        let accounts = self.sim.accounts();
        let name = |id: &str| {
            let account = accounts.iter().find(|account| account.id == id).unwrap();
            account.text("externalId").unwrap().to_owned()
        };
        let manager = |account: &hris_target_scim::sim::Account| {
            account.user[ENTERPRISE]["manager"]["value"].as_str().map(name)
        };
        accounts.iter().filter_map(|account| Some((name(&account.id), manager(account)?))).collect()
    }
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn report_to(pairs: impl IntoIterator<Item = (u32, u32)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(one, manager)| (format!("E{one}"), format!("E{manager}"))).collect()
}

#[test]
fn managers_who_come_after_their_reports_are_referred_to_in_the_same_run_and_in_circles() {
    for bulk in [None, NonZeroUsize::new(5)] {
        let circle = (0..12).map(|number| reporting(number, (number + 1) % 12));
        let journey = Journey::new(circle, |config| config.with_bulk(bulk));
        let report = journey.run();
        assert_eq!((report.applied.created, report.problems.get(&rule::MANAGER_UNKNOWN)), (12, None));
        assert_eq!(journey.managers(), report_to((0..12).map(|number| (number, (number + 1) % 12))));
        let writes = journey.sim.writes();
        assert_eq!(journey.run().planned.actions(), 0);
        assert!(journey.verify().verified.unwrap().is_clean());
        assert_eq!(journey.sim.writes(), writes);
    }
}

#[test]
fn line_managers_of_sesame_are_referred_to_although_it_names_them_by_record() {
    let people = Population::new(7).size(60).without_oddities().build();
    let sesame = run(SesameSim::start(people.clone()));
    let connector = |transport: &Transport| -> Arc<dyn HrisConnector> {
        let config = SesameConfig::new().with_base_url(sesame.url().parse().unwrap());
        Arc::new(config.build(&sesame.token(), transport).unwrap())
    };
    let journey = Journey::from(connector, MockConnector::new([]), |config| config);
    journey.run();
    let accounts = journey.accounts();
    let number = |record: &String| {
        let number = people.person(record)?.employee_number.clone()?;
        accounts.contains_key(&number).then_some(number)
    };
    let manager = |person: &Person| Some((number(&person.record_id)?, number(person.manager.as_ref()?)?));
    let expected: BTreeMap<_, _> = people.people().iter().filter_map(manager).collect();
    assert!(expected.len() > 30, "{} of {}", expected.len(), accounts.len());
    assert_eq!(journey.managers(), expected);
    assert_eq!(journey.run().planned.actions(), 0);
}

#[test]
fn a_manager_who_comes_in_a_later_run_is_referred_to_then_by_whatever_process() {
    let journey = Journey::new([reporting(1, 2), person(3)], |config| config);
    assert_eq!(journey.run().warnings.get(&rule::MANAGER_UNKNOWN), Some(&1));
    assert_eq!(journey.run().planned.actions(), 0, "whoever waits is no update");
    assert!(journey.managers().is_empty());
    journey.directory.set_people([reporting(1, 2), person(2), person(3)]);
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.updated), (1, 1));
    assert_eq!(journey.managers(), report_to([(1, 2)]));
    assert_eq!(journey.run().planned.actions(), 0);
}

#[test]
fn a_create_that_was_answered_with_201_and_not_stored_is_found_by_a_verify_run() {
    let journey = Journey::new((0..6).map(person), |config| config);
    journey.sim.forget(1);
    journey.run();
    assert_eq!(journey.sim.accounts().len(), 5);
    let report = journey.verify();
    assert_eq!(report.verified.unwrap().vanished, 1);
    assert_eq!(report.problems.get(&rule::MEMBER_VANISHED), Some(&1));
}

#[test]
fn where_creates_are_confirmed_one_that_was_not_stored_is_made_in_the_same_run() {
    let journey = Journey::new((0..6).map(person), |config| config.with_confirmed_creates(true));
    journey.sim.forget(1);
    assert_eq!(journey.run().applied.created, 6);
    assert_eq!(journey.accounts(), once_each(0..6));
}

#[test]
fn writes_that_are_stored_and_answered_with_500_are_read_back_and_count_once() {
    let journey = Journey::new((0..12).map(person), |config| config);
    let failed = Fault::change(|_| SimResponse::empty(500));
    journey.sim.faults().add(failed.times(4).on(is_write));
    journey.sim.faults().add(Fault::Lost.times(3).after(2).on(is_write));
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.uncertain), (12, 0));
    assert_eq!(journey.accounts(), once_each(0..12));
    assert!(journey.sim.accounts().iter().all(|account| account.invitations == 1));
}

#[test]
fn an_outage_and_throttling_in_the_middle_of_a_batch_are_made_up_for_by_the_next_run() {
    for bulk in [None, NonZeroUsize::new(5)] {
        for status in [429, 503] {
            let journey = Journey::new((0..20).map(person), |config| config.with_bulk(bulk));
            journey.sim.hinder(7, status, Some(40));
            let first = journey.run();
            journey.sim.behave_well();
            let second = journey.run();
            let third = journey.run();
            let created = first.applied.created + second.applied.created + third.applied.created;
            assert_eq!(journey.accounts(), once_each(0..20), "{status}");
            let adopted = second.applied.adopted + third.applied.adopted;
            assert_eq!(created + adopted, 20, "{status}: {first:?}");
            assert!(journey.plan_problems().is_empty());
        }
    }
}

#[test]
fn foreign_and_doubled_accounts_are_reported_and_left_alone_and_harm_nobody_else() {
    let journey = Journey::new((0..8).map(person), |config| config);
    let planted = |id: &str, email: &str| json!({ "externalId": id, "userName": email, "active": true, "emails": [{ "type": "work", "value": email }] });
    journey.sim.plant(planted("other", "Persona.1@brisa.example"));
    journey.sim.plant(planted("E2", "x@x.example"));
    journey.sim.plant(planted("E2", "y@x.example"));
    let before: Vec<_> = journey.sim.accounts();
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.adopted), (6, 0));
    assert_eq!(report.problems.get(&rule::MEMBER_CONFLICT), Some(&2));
    assert_eq!(journey.sim.accounts()[..3], before);
}

#[test]
fn an_account_that_was_there_is_adopted_without_an_invitation() {
    let journey = Journey::new((0..4).map(person), |config| config);
    journey.sim.plant(json!({ "externalId": "E1", "userName": "old@x.example", "active": false }));
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.adopted), (3, 1));
    let adopted = journey.account(1);
    assert!(adopted.is_active() && adopted.invitations == 0);
    assert_eq!(adopted.text("userName"), Some("persona.1@brisa.example"));
}

#[test]
fn an_address_that_the_platform_would_refuse_is_a_problem_row_and_nobody_elses_problem() {
    let mut bad = person(1);
    bad.work_email = Field::Value("nerea@localhost".to_owned());
    let journey = Journey::new([person(0), bad, person(2)], |config| config);
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.failed), (2, 1));
    assert_eq!(report.problems.get(&rule::MEMBER_REJECTED), Some(&1));
    assert_eq!(journey.accounts(), once_each([0, 2]));
}

#[test]
fn a_token_that_may_not_write_leaves_everything_pending_and_a_better_one_goes_on() {
    let journey = Journey::new((0..3).map(person), |config| config);
    journey.sim.tokens().add(ScimSim::TOKEN, "scim.readOnly");
    let report = journey.run();
    assert_eq!((report.applied.created, report.applied.pending), (0, 3));
    assert!(journey.sim.accounts().is_empty());
    journey.sim.tokens().add(ScimSim::TOKEN, "scim.readWrite");
    journey.clock.advance(Duration::from_secs(120));
    journey.run();
    assert_eq!(journey.accounts(), once_each(0..3));
}

/// Random trouble of every kind, and then a clean run: what a history without trouble would have given.
#[test]
fn after_any_trouble_one_clean_run_gives_what_a_run_without_trouble_gives() {
    let calm = Journey::new((0..15).map(person), |config| config);
    calm.run();
    let without_meta = |journey: &Journey| -> BTreeSet<String> {
        let accounts = journey.sim.accounts();
        accounts.iter().map(|account| format!("{:?} {}", account.user, account.invitations)).collect()
    };
    let expected = without_meta(&calm);
    for seed in 0..cases() {
        let bulk = if seed % 3 == 0 { NonZeroUsize::new(4) } else { None };
        let journey = Journey::new((0..15).map(person), |config| config.with_bulk(bulk));
        let faults = journey.sim.faults();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        for _ in 0..=draw(6) {
            let fault = match draw(7) {
                0 => Fault::status(500),
                1 => Fault::status(503),
                2 => Fault::rate_limited(Some(3)),
                3 => Fault::Lost,
                4 => Fault::Refused,
                5 => Fault::change(|_| SimResponse::empty(502)),
                _ => Fault::Html,
            };
            faults.add(fault.times(1 + draw(6)).after(draw(40)));
        }
        for _ in 0..2 {
            // A reading that fails ends the run; the next one comes by itself.
            let _ = run(journey.engine.run(&journey.next(), Trigger::Schedule, journey.today()));
        }
        faults.clear();
        journey.clock.advance(Duration::from_secs(3600));
        for _ in 0..2 {
            journey.run();
        }
        assert_eq!(without_meta(&journey), expected, "seed {seed}");
        assert_eq!(journey.verify().applied, hris_core::AppliedCounts::default(), "seed {seed}");
        assert_eq!(journey.target.capabilities().close_down_days, Some(60));
    }
}

/// More with `SCIM_SCHEDULES=1000`.
#[expect(clippy::disallowed_methods, reason = "an option of this test program")]
fn cases() -> u64 {
    std::env::var("SCIM_SCHEDULES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12)
}
