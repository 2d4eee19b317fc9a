//! The persisted forms: what is written for a fixed example is what `tests/golden/` has, and that is read back.
//!
//! A difference means that files in the field could not be read any more. If a form really has to change, give it a
//! new version that still reads the old one, and keep the old golden file. To write the files of a new version, run
//! this test with the environment variable `HRIS_WRITE_GOLDEN` set.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use hris_core::connections::{ConnectionStore as _, StoredConnection, WelcomeLedger as _, WelcomeState};
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print, Prints};
use hris_core::store::{
    ActionState, Baseline, Checkpoint, Checkpoints as _, Leases as _, Link, Links as _, OpenClaim, Override,
    Overrides as _, PlanState, Plans as _, Retention as _, Runs as _, Settlement, StoredAction, StoredPlan,
    Until,
};
use hris_core::{
    Action, ActionKind, Attributes, BirthDate, ConnectionKey, EmployeeRef, Expectation, HoldReason,
    LeaveReason, LinkAfter, LinkState, MappingVersion, MemberField, PlanHeader, PlanId, PlanOrigin,
    PlanSummary, Problem, ReadingSummary, RecordIdKind, RunReport, RunResult, SecretKey, TargetField,
    Trigger, Value, Verdict, Watermark, rule,
};
use hris_store_sqlite::SqliteStore;
use hris_testkit::run;
use rusqlite::Connection;

/// The store of version 1 with the example in it, as SQL. It is never written again.
const STORE_V1: &str = "store-v1.sql";
/// The store of version 3. It is never written again.
const STORE_V3: &str = "store-v3.sql";
/// The store of version 4.
const STORE_V4: &str = "store-v4.sql";
/// The store as it is written now.
const STORE: &str = "store-v5.sql";

/// Every persisted form: its golden file, and where it is found in the example's store.
const FORMS: [(&str, &str); 12] = [
    ("override-v1.json", "SELECT body FROM override"),
    ("checkpoint-v1.json", "SELECT body FROM checkpoint"),
    ("baseline-v1.json", "SELECT baseline FROM connection"),
    ("header-v1.json", "SELECT header FROM plan WHERE name = 'held'"),
    ("plan-state-v1.json", "SELECT state FROM plan WHERE name = 'held'"),
    ("action-v1.json", "SELECT body FROM action WHERE state IS NULL AND plan = 1"),
    ("action-erased-v1.json", "SELECT body FROM action WHERE ended = 1 ORDER BY rank DESC LIMIT 1"),
    ("action-state-v1.json", "SELECT state FROM action WHERE ended = 1 ORDER BY rank LIMIT 1"),
    ("problem-v1.json", "SELECT body FROM problem"),
    ("report-v1.json", "SELECT report FROM run"),
    ("welcome-v1.json", "SELECT state FROM welcome"),
    ("prints-v1.hex", "SELECT hex(prints) FROM link ORDER BY record LIMIT 1"),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Compares with a golden file, or writes it if that was asked for.
fn compare(name: &str, written: &str) {
    if env::var_os("HRIS_WRITE_GOLDEN").is_some() {
        fs::write(golden(name), written).unwrap();
    }
    let expected = fs::read_to_string(golden(name)).unwrap();
    assert_eq!(written, expected, "{name} is written differently now");
}

fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

fn at(minute: u32) -> DateTime<Utc> {
    format!("2026-03-02T06:{minute:02}:00.123456789Z").parse().unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 5, day).unwrap()
}

fn prints() -> Prints {
    let tag = FieldTag::of(&TargetField::EMAIL);
    Prints::new(vec![(tag, Print(0x0123_4567_89AB_CDEF)), (FieldTag(7), Print(u64::MAX))])
}

fn link(record: &str, state: LinkState) -> Link {
    let member = format!("member-{record}");
    Link::new(record.into(), "00042".into(), (*member).into(), state, Some(Print(u64::MAX - 1)), prints())
}

fn links() -> [Link; 3] {
    let mut gone = link("r3", LinkState::Leaver { irreversible_from: Some(day(1)) });
    gone.email = None;
    [link("r1", LinkState::Active), link("r2", LinkState::Leaver { irreversible_from: None }), gone]
}

fn attributes() -> Attributes {
    let mut attributes = Attributes::new();
    attributes.set(TargetField::EMAIL, Some(Value::from("nerea@brisa.example")));
    attributes.set(MemberField::BirthDate, BirthDate::month_day(2, 29).map(Value::BirthDate));
    attributes.set(MemberField::StartDate, Some(Value::Date(day(4))));
    attributes.set(TargetField::Custom("remote".into()), Some(Value::Bool(true)));
    attributes.set(MemberField::Phone, None);
    attributes
}

fn action(record: &str, kind: ActionKind) -> Action {
    let fingerprinter = Fingerprinter::new(&SecretKey::new(KeyId::new("k1"), [7; 32]), &connection());
    let person = EmployeeRef { record: record.into(), employee_id: Some("00042".into()) };
    let after = LinkAfter {
        employee_id: "00042".into(),
        state: LinkState::Active,
        email: Some(Print(1)),
        prints: prints(),
    };
    let expects = Expectation::Linked { state: LinkState::Active, row: prints().row() };
    Action::new(&fingerprinter, person, Some("member-r1".into()), kind, expects, after)
}

/// One of each kind, in order of position.
fn actions() -> [Action; 5] {
    let reason = LeaveReason::Absent;
    [
        action("r1", ActionKind::Create { attributes: attributes(), invite: true }),
        action("r2", ActionKind::Adopt { changes: attributes(), reopen: false }),
        action("r3", ActionKind::Update { changes: attributes() }),
        action("r4", ActionKind::Reactivate { changes: attributes() }),
        action("r5", ActionKind::Leave { reason, irreversible_from: Some(day(31)) }),
    ]
}

fn problem() -> Problem {
    let person = EmployeeRef { record: "r9".into(), employee_id: Some("00009".into()) };
    Problem::error(rule::EMAIL_INVALID, "is not an e-mail address").of(&person).at("work_email")
}

fn baseline() -> Baseline {
    let kind = RecordIdKind::new("sesame.employee.id");
    let mut baseline =
        Baseline::new("account-1".into(), kind, KeyId::new("k1"), MappingVersion::new("map-1"));
    baseline.last_complete = Some(1_234);
    let mut watermark = Watermark::at(at(1));
    watermark.cursor = Some("c2".to_owned());
    baseline.watermark = Some(watermark);
    baseline
}

fn checkpoint() -> Checkpoint {
    let mut checkpoint =
        Checkpoint::new(baseline().watermark, MappingVersion::new("map-1"), "policy-1", at(0));
    checkpoint.changes_on = Some(day(3));
    checkpoint.unsettled = vec!["r9".into()];
    checkpoint.claims = vec![OpenClaim { record: Print(u64::MAX), employee_id: Some(Print(1)), email: None }];
    checkpoint
}

fn one_override() -> Override {
    let value = Some(Value::from("Nerea"));
    let one = Override::new("r9", MemberField::FirstName, value, "ola", "asked by mail", at(4));
    one.until(Until::SourceChanges(Some(Print(7))))
}

fn header(plan: &str) -> PlanHeader {
    let origin = PlanOrigin {
        id: PlanId::from(plan),
        connection: connection(),
        run: "night".into(),
        reading: ReadingSummary {
            account: "account-1".into(),
            record_id_kind: RecordIdKind::new("sesame.employee.id"),
            full: Some(1_234),
            watermark: baseline().watermark,
        },
        mapping: MappingVersion::new("map-1"),
        policy: "policy-1".to_owned(),
        as_of: day(2),
        created_at: at(2),
        expires_at: at(59),
        first_import: true,
    };
    let mut summary = PlanSummary::default();
    summary.read = 1_234;
    summary.leave = 12;
    let verdict = Verdict::Held(vec![HoldReason::TooManyLeavers { planned: 12, limit: 3 }]);
    let mut header = PlanHeader::new(origin, summary, verdict, Some(day(31)), KeyId::new("k1"));
    "0123456789abcdef0123456789abcdef".clone_into(&mut header.digest);
    header
}

fn released() -> PlanState {
    PlanState::Released { actor: "ola".to_owned(), until: at(30) }
}

fn report() -> RunReport {
    let mut report = RunReport::started("night".into(), connection(), Trigger::OnDemand, at(0));
    report.finished_at = at(5);
    let reasons = vec![HoldReason::ShrunkSource { before: 1_500, now: 1_234 }];
    report.result = RunResult::Held { reasons };
    report.plan = Some("held".into());
    report.planned.leave = 12;
    report.applied.uncertain = 1;
    report.problems = BTreeMap::from([(rule::EMAIL_INVALID, 1)]);
    report.irreversible_from = Some(day(31));
    report
}

fn uncertain() -> ActionState {
    ActionState::Uncertain(Problem::error(rule::ACTION_UNCERTAIN, "no answer"))
}

/// A store with one of everything.
async fn write_example(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let ttl = Duration::from_secs(600);
    let lease = store.acquire(&connection(), &"night".into(), at(0), ttl).await.unwrap();
    store.set_baseline(&lease, &baseline()).await.unwrap();
    store.set_checkpoint(&lease, Some(&checkpoint())).await.unwrap();
    store.put_overrides(&lease, &[one_override()]).await.unwrap();
    store.forget(&lease, &"r8".into(), Print(1 << 63)).await.unwrap();
    store.put_links(&lease, &links()).await.unwrap();
    let [create, adopt, update, reactivate, leave] = actions();
    let plan = PlanId::from("held");
    store.open_plan(&lease, &plan).await.unwrap();
    store.append(&lease, &plan, &actions(), &[problem()]).await.unwrap();
    store.seal(&lease, &header("held")).await.unwrap();
    store.set_plan_state(&lease, &plan, &released()).await.unwrap();
    store.begin(&lease, &plan, &[update.id, reactivate.id.clone(), adopt.id.clone()]).await.unwrap();
    let ends = [(adopt, uncertain()), (reactivate, ActionState::Done), (leave, ActionState::Done)];
    let ends: Vec<_> = ends.into_iter().map(|(action, state)| Settlement::new(action.id, state)).collect();
    store.settle(&lease, &plan, &ends).await.unwrap();
    let draft = PlanId::from("draft");
    store.open_plan(&lease, &draft).await.unwrap();
    store.append(&lease, &draft, &[create], &[]).await.unwrap();
    store.record_run(&lease, &report()).await.unwrap();
    write_setups(&store).await;
}

fn setup() -> StoredConnection {
    let due = "2026-03-03T02:07:00Z".parse().unwrap();
    StoredConnection::new(connection(), Some(due), r#"{"v":1}"#)
}

async fn write_setups(store: &SqliteStore) {
    store.put_connection(&setup()).await.unwrap();
    let begun = ("00042".into(), Some(WelcomeState::Begun));
    store.set_welcomes(&connection(), &[begun]).await.unwrap();
}

async fn check_setups(store: &SqliteStore) {
    let found = store.connection(&connection()).await.unwrap();
    assert_eq!(found, Some(setup().at_revision(1)));
    let welcomes = store.welcomes(&connection()).await.unwrap();
    assert_eq!(welcomes, [("00042".into(), WelcomeState::Begun)]);
}

/// Reads back what [`write_example`] wrote, with what came in later versions if the file had it.
async fn check_example(path: &Path, version: u32) {
    let store = SqliteStore::open(path).unwrap();
    store.verify().await.unwrap();
    let own = connection();
    assert_eq!(store.baseline(&own).await.unwrap(), Some(baseline()));
    let remembered = (version >= 2).then(checkpoint);
    assert_eq!(store.checkpoint(&own).await.unwrap(), remembered);
    let overrides: Vec<_> = store.overrides(&own).try_concat().await.unwrap();
    assert_eq!(overrides, Vec::from_iter((version >= 4).then(one_override)));
    let forgotten = store.forgotten(&own).await.unwrap();
    assert_eq!(forgotten, Vec::from_iter((version >= 4).then_some(Print(1 << 63))));
    let found: Vec<_> = store.links(&own).try_concat().await.unwrap();
    assert_eq!(found, links());
    let plans = store.open_plans(&own).await.unwrap();
    assert_eq!(plans, [StoredPlan::new(header("held"), released())]);
    let states =
        [ActionState::Pending, uncertain(), ActionState::Begun, ActionState::Done, ActionState::Done];
    let expected = actions().into_iter().zip(states).map(|(action, state)| {
        let mut stored = StoredAction::new(action, state);
        if stored.state.is_final() {
            stored.erase();
        }
        stored
    });
    let found = store.actions(&own, &"held".into(), None, 9).await.unwrap();
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(store.problems(&own, &"held".into(), 0, 9).await.unwrap(), [problem()]);
    let draft = store.actions(&own, &"draft".into(), None, 9).await.unwrap();
    assert_eq!(draft.len(), 1);
    assert_eq!(store.runs(&own, 0, 9).await.unwrap(), [report()]);
    let early = store.acquire(&own, &"other".into(), at(9), Duration::ZERO).await;
    assert!(early.is_err(), "the lease is still held");
    let later = store.acquire(&own, &"other".into(), at(11), Duration::ZERO).await.unwrap();
    assert_eq!(later.token, 2);
    if version >= 5 {
        check_setups(&store).await;
    }
}

/// An older file is brought up to date, so that it takes what newer versions remember.
async fn write_what_is_new(path: &Path, version: u32) {
    let store = SqliteStore::open(path).unwrap();
    if version < 5 {
        write_setups(&store).await;
    }
    check_setups(&store).await;
    let lease = store.acquire(&connection(), &"new".into(), at(30), Duration::ZERO).await.unwrap();
    store.set_checkpoint(&lease, Some(&checkpoint())).await.unwrap();
    assert_eq!(store.checkpoint(&connection()).await.unwrap(), Some(checkpoint()));
    store.put_overrides(&lease, &[one_override()]).await.unwrap();
    store.forget(&lease, &"r77".into(), Print(1)).await.unwrap();
    assert_eq!(store.remove_links(&lease, &["r1".into()]).await.unwrap(), 1);
}

/// Tables and rows of a file as SQL that makes them.
fn dump(file: &Connection) -> String {
    let mut out = String::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = file.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        writeln!(out, "PRAGMA {pragma} = {value};").unwrap();
    }
    let list = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for sql in list("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid") {
        writeln!(out, "{sql};").unwrap();
    }
    for table in list("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid") {
        let columns = list(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')"));
        let columns = columns.join(" || ', ' || ");
        for row in list(&format!("SELECT {columns} FROM {table}")) {
            writeln!(out, "INSERT INTO {table} VALUES ({row});").unwrap();
        }
    }
    out
}

#[test]
fn every_form_is_written_as_its_golden_file_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    run(write_example(&path));
    let file = Connection::open(&path).unwrap();
    for (name, sql) in FORMS {
        let form: String = file.query_row(sql, [], |row| row.get(0)).unwrap();
        compare(name, &format!("{form}\n"));
    }
    compare(STORE, &dump(&file));
    drop(file);
    run(check_example(&path, 4));
}

#[test]
fn a_store_of_every_version_is_read_and_takes_what_is_new() {
    for (version, name) in [(1, STORE_V1), (3, STORE_V3), (4, STORE_V4), (5, STORE)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let script = fs::read_to_string(golden(name)).unwrap();
        Connection::open(&path).unwrap().execute_batch(&script).unwrap();
        run(check_example(&path, version));
        run(write_what_is_new(&path, version));
    }
}
