//! Secrets, names and addresses are searched in everything that a whole journey shows: `Debug` and `Display` of every
//! part, traces, reports, plans and files, faults included. A program of its own, since what is traced is decided once
//! for a process.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Debug;
use std::iter::successors;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use hris_core::keys::KeyId;
use hris_core::store::{Links as _, Plans as _, Runs as _};
use hris_core::{
    ConnectionKey, Error, FieldMap, HrisConnector as _, ProvisioningPlan as _, ProvisioningTarget as _,
    RunId, SecretKey, Severity, Trigger,
};
use hris_http::{BaseUrl, Transport};
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_store_sqlite::SqliteStore;
use hris_sync::{Engine, FileFormat, write_problems};
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::sim::Fault;
use hris_testkit::{ManualClock, MockTarget, TargetFault, Traces};

/// Everything that was shown on the way.
#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    fn debug(&mut self, thing: &(impl Debug + ?Sized)) {
        self.0.push(format!("{thing:?}\n{thing:#?}\n"));
    }

    fn error(&mut self, error: &Error) {
        let chain = successors(Some(error as &dyn std::error::Error), |error| error.source());
        chain.for_each(|error| self.0.push(format!("{error}\n{error:?}\n")));
    }

    fn text(&mut self, text: String) {
        self.0.push(text);
    }
}

/// What must not be shown of anybody. Short texts would be found inside other words.
fn canaries(people: &Population) -> Vec<String> {
    let texts = people.listed().flat_map(|person| {
        [&person.first_name, &person.last_name, &person.work_email, &person.personal_email, &person.phone]
    });
    let texts = texts.flatten().filter(|text| text.chars().count() > 5).cloned();
    texts.chain([SesameSim::TOKEN.to_owned(), "key-canary".to_owned()]).collect()
}

#[tokio::test]
async fn nothing_that_a_journey_shows_holds_a_secret_or_a_persons_data() {
    let traces = Traces::of_this_process();

    let sim = SesameSim::start(Population::new(5).size(250).build()).await;
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let config = SesameConfig::new().with_base_url(BaseUrl::parse(sim.url()).unwrap());
    let connector = config.clone().build(&sim.token(), &transport).unwrap();
    let target = MockTarget::new(clock.clone());
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    let key = SecretKey::new(KeyId::new("k"), *b"key-canary key-canary key-canary");
    let connection = ConnectionKey::new("acme", "hr");
    let engine = Engine::new(
        connection.clone(),
        Arc::new(connector.clone()),
        Arc::new(FieldMap::standard()),
        Arc::new(target.clone()),
        Arc::new(store.clone()),
        Arc::new(key.clone()),
        Arc::new(clock),
    );

    let mut shown = Shown::default();
    shown.debug(&(&config, &connector, &transport, &target, &store, &key, &engine, sim.token()));
    shown.debug(&connector.check().await.unwrap());
    let plan = engine.plan(&RunId::from("first"), sim.people().today()).await.unwrap();
    shown.debug(&plan);
    shown.text(plan.summary().to_string());
    let actions: Vec<_> = plan.actions(None).try_collect().await.unwrap();
    shown.debug(&actions);
    for action in actions.iter().take(20) {
        let query = hris_core::MemberQuery::Email(action.kind.changes().unwrap().email().unwrap());
        shown.debug(&query);
        shown.debug(&target.find(&query).await);
    }

    // A first import in which some writes fail in every way, then a day of changes.
    let ids: Vec<_> = actions.iter().map(|action| action.after.employee_id.clone()).collect();
    let faults = [
        TargetFault::StoresButAnswersInDoubt,
        TargetFault::StoresNothingAnswersInDoubt,
        TargetFault::ConflictOne,
        TargetFault::RejectsOne(hris_core::rule::MEMBER_REJECTED),
        TargetFault::NotAttempted { retryable: true },
    ];
    for (fault, id) in faults.into_iter().zip(&ids) {
        target.add_fault(fault.on_employee(id.clone()).times(2));
    }
    let header = plan.header();
    let report = engine.apply(&header.id, &header.digest, Trigger::OnDemand).await.unwrap();
    assert!(report.applied.created > 100 && report.applied.failed > 0, "{report}");
    shown.debug(&report);
    shown.text(report.to_string());
    sim.next_day(&DayPlan::typical(250));
    let report = engine.run(&RunId::from("second"), Trigger::Schedule, sim.people().today()).await.unwrap();
    shown.text(report.to_string());
    let links: Vec<_> = store.links(&connection).try_collect().await.unwrap();
    shown.debug(&links);
    shown.debug(&store.actions(&connection, &header.id, None, 500).await.unwrap());
    shown.debug(&target.members());
    for severity in [Severity::Error, Severity::Warning] {
        for format in [FileFormat::Csv, FileFormat::JsonLines] {
            let mut file = Vec::new();
            write_problems(plan.problems(), severity, format, &mut file).await.unwrap();
            shown.text(String::from_utf8(file).unwrap());
        }
    }

    // Readings that fail, each in its way.
    let faults = [
        Fault::status(500),
        Fault::unauthorized(),
        Fault::status(403),
        Fault::status(422),
        Fault::rate_limited(Some(1)),
        Fault::Html,
        Fault::Empty,
        Fault::BrokenJson,
        Fault::Refused,
        Fault::Lost,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        sim.faults().add(fault.always().on(|request| request.path() == "/core/v3/employees"));
        let run = RunId::from(format!("broken-{number}"));
        let error = engine.run(&run, Trigger::Schedule, sim.people().today()).await.unwrap_err();
        shown.error(&error);
        sim.faults().clear();
    }
    shown.debug(&store.runs(&connection, 0, 100).await.unwrap());

    let traced = traces.text();
    assert!(traced.contains("http.request") && traced.contains("hris.apply"), "traces were taken");
    let shown = shown.0.concat();
    assert!(shown.len() > 100_000, "much was shown");
    for canary in canaries(&sim.people()) {
        assert!(!shown.contains(&canary), "`{canary}` is shown");
        assert!(!traced.contains(&canary), "`{canary}` is traced");
    }
}
