//! What a file of members does: durability, exclusion, damage, and the rules of a strict platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use hris_core::{
    Action, ActionKind, Attributes, BirthDate, Email, ErrorKind, LeaveReason, MemberField, MemberId,
    MemberQuery, MemberRecord, Outcome, ProvisioningTarget as _, TargetField, Value,
};
use hris_target_file::FileTarget;
use hris_testkit::{ManualClock, MockTarget, run, sample_action};
use proptest::prelude::*;
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z")
}

/// A folder that goes with the test, and the path of a file in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.jsonl");
    (folder, path)
}

fn attributes(employee_id: &str, email: &str) -> Attributes {
    let pairs = [(TargetField::EMPLOYEE_ID, employee_id), (TargetField::EMAIL, email)];
    pairs.map(|(field, text)| (field, Some(Value::from(text)))).into_iter().collect()
}

fn create(employee_id: &str, email: &str) -> Action {
    let attributes = attributes(employee_id, email);
    sample_action(employee_id, None, ActionKind::Create { attributes, invite: true })
}

fn update(member: &MemberId, field: MemberField, value: Option<&str>) -> Action {
    let changes = Attributes::from_iter([(field.into(), value.map(Value::from))]);
    sample_action("1", Some(member.clone()), ActionKind::Update { changes })
}

fn leave(member: &MemberId) -> Action {
    let kind = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
    sample_action("1", Some(member.clone()), kind)
}

fn reactivate(member: &MemberId) -> Action {
    sample_action("1", Some(member.clone()), ActionKind::Reactivate { changes: Attributes::new() })
}

fn apply(target: &FileTarget, action: Action) -> Outcome {
    run(target.apply(&[action])).pop().unwrap()
}

fn created(target: &FileTarget, employee_id: &str, email: &str) -> MemberId {
    match apply(target, create(employee_id, email)) {
        Outcome::Applied(id) => id,
        other => panic!("{other:?}"),
    }
}

fn members(target: &FileTarget) -> Vec<MemberRecord> {
    run(target.roster().unwrap().try_collect()).unwrap()
}

fn damage(path: &Path) -> hris_core::Error {
    let before = fs::read(path).unwrap();
    let error = FileTarget::open(path, clock()).unwrap_err();
    assert_eq!(fs::read(path).unwrap(), before, "a damaged file stays as it is");
    error
}

#[test]
fn what_was_applied_is_there_after_reopening() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let first = created(&target, "00104", "nerea@brisa.example");
    let second = created(&target, "105", "inigo@brisa.example");
    apply(&target, leave(&second));
    apply(&target, update(&first, MemberField::FirstName, Some("Nerea")));
    let before = members(&target);
    drop(target);

    let target = FileTarget::open(&path, clock()).unwrap();
    assert_eq!(members(&target), before);
    assert_eq!(before[0].attributes.text(&MemberField::FirstName.into()), Some("Nerea"));
    assert_eq!((before[1].active, before[1].closes_on), (false, "2026-05-01".parse().ok()));
    assert_eq!(run(target.invitations(&first)).unwrap(), 1);
}

#[test]
fn every_kind_of_value_is_read_back_as_it_was() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let mut attributes = attributes("1", "a@x.example");
    attributes.set(MemberField::FirstName, Some("İñigo \"Ñ\"\n\u{2028}\u{0}".into()));
    attributes.set(MemberField::StartDate, Some(Value::Date("2024-02-29".parse().unwrap())));
    attributes.set(MemberField::BirthDate, Some(Value::BirthDate(BirthDate::month_day(2, 29).unwrap())));
    attributes.set(TargetField::Custom("remote".into()), Some(Value::Bool(true)));
    let kind = ActionKind::Create { attributes: attributes.clone(), invite: false };
    assert!(matches!(apply(&target, sample_action("1", None, kind)), Outcome::Applied(_)));
    drop(target);
    let target = FileTarget::open(&path, clock()).unwrap();
    assert_eq!(members(&target)[0].attributes, attributes);
}

#[test]
fn the_file_has_a_line_that_says_what_it_is_and_one_for_each_member() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    created(&target, "00104", "nerea@brisa.example");
    let expected = r#"{"format":"hris-members","version":1,"members":1,"next_id":2}
{"id":"m-0000000001","active":true,"closes_on":null,"invitations":1,"attributes":{"employee_id":{"text":"00104"},"email":{"text":"nerea@brisa.example"}}}
"#;
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn a_file_of_the_first_version_is_still_read() {
    // Written by the first release; it must be readable by every later one.
    let golden = r#"{"format":"hris-members","version":1,"members":1,"next_id":8}
{"id":"m-0000000007","active":false,"closes_on":"2026-05-01","invitations":0,"attributes":{"birth_date":{"birth_date":{"year":null,"month":2,"day":29}},"email":{"text":"a@x.example"},"employee_id":{"text":"1"},"start_date":{"date":"2024-02-29"}}}
"#;
    let (_folder, path) = place();
    fs::write(&path, golden).unwrap();
    let target = FileTarget::open(&path, clock()).unwrap();
    let member = &members(&target)[0];
    assert_eq!((member.id.as_str(), member.active), ("m-0000000007", false));
    assert_eq!(member.attributes.len(), 4);
}

#[test]
fn a_second_target_on_the_same_file_is_refused_until_the_first_is_gone() {
    let (_folder, path) = place();
    let first = FileTarget::open(&path, clock()).unwrap();
    let handle = first.clone();
    drop(first);
    let error = FileTarget::open(&path, clock()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Leased, "a clone still holds it");
    drop(handle);
    FileTarget::open(&path, clock()).unwrap();
}

#[test]
fn a_read_only_target_sees_the_file_beside_its_writer_and_leaves_no_trace() {
    let (folder, path) = place();
    let reader = FileTarget::read_only(&path, clock()).unwrap();
    assert!(members(&reader).is_empty());
    assert!(matches!(apply(&reader, create("1", "a@x.example")), Outcome::NotAttempted(_)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let writer = FileTarget::open(&path, clock()).unwrap();
    created(&writer, "1", "a@x.example");
    assert_eq!(members(&FileTarget::read_only(&path, clock()).unwrap()).len(), 1);
    assert!(members(&reader).is_empty(), "it sees what was there when it was opened");
}

#[test]
fn a_damaged_file_is_named_with_its_line_and_never_overwritten() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    for (id, email) in [("1", "a@x.example"), ("2", "b@x.example"), ("3", "c@x.example")] {
        created(&target, id, email);
    }
    drop(target);
    let good = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n");
    let cases = [
        (String::new(), "0"),
        ("{}\n".to_owned(), "1"),
        (good.replace("hris-members", "other"), "1"),
        (good.replace("\"version\":1", "\"version\":2"), "1"),
        (joined(&lines[..3]), "3"),
        (good[..good.len() - 20].to_owned(), "4"),
        (good.replace("b@x.example", "A@X.example"), "3"),
        (good.replace("{\"text\":\"2\"}", "{\"text\":\"1\"}"), "3"),
        (good.replace("m-0000000002", "m-0000000001"), "3"),
        (good.replace("m-0000000002", "m-0000000009"), "3"),
        (good.replace("{\"text\":\"c@x.example\"}", "\"c@x.example\""), "4"),
        (format!("{good}\n"), "5"),
    ];
    for (content, line) in cases {
        fs::write(&path, &content).unwrap();
        let error = damage(&path);
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        assert_eq!(error.context().find(|(key, _)| *key == "line").unwrap().1, line, "{error}");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("x.example"), "{shown}");
    }
}

#[test]
fn a_batch_that_cannot_be_written_changed_nothing() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let member = created(&target, "1", "a@x.example");
    let before = fs::read(&path).unwrap();
    // A folder in the place of the temporary file, which no user can open for writing.
    let mut beside = path.clone().into_os_string();
    beside.push(".tmp");
    fs::create_dir(&beside).unwrap();
    let outcomes = run(target.apply(&[create("2", "b@x.example"), leave(&member)]));
    for outcome in outcomes {
        let Outcome::NotAttempted(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(members(&target).len(), 1);
    assert!(members(&target)[0].active);

    fs::remove_dir(&beside).unwrap();
    let second = created(&target, "2", "b@x.example");
    assert_eq!(members(&target)[1].id, second);
}

#[test]
fn a_batch_that_changes_nothing_writes_nothing() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let member = created(&target, "1", "a@x.example");
    fs::remove_file(&path).unwrap();
    let outcomes = run(target.apply(&[reactivate(&member), create("1", "b@x.example")]));
    assert!(matches!(outcomes[..], [Outcome::AlreadySo(_), Outcome::Conflict(_)]), "{outcomes:?}");
    assert!(!path.exists());
}

#[test]
fn a_leaver_is_kept_until_the_last_day_and_can_return() {
    let (_folder, path) = place();
    let clock = clock();
    let target = FileTarget::open(&path, clock.clone()).unwrap().with_close_down_days(Some(2));
    let member = created(&target, "1", "a@x.example");
    apply(&target, leave(&member));
    assert!(matches!(apply(&target, leave(&member)), Outcome::AlreadySo(_)));
    clock.advance(DAY);
    assert!(matches!(apply(&target, create("1", "b@x.example")), Outcome::Conflict(_)));
    assert!(matches!(apply(&target, reactivate(&member)), Outcome::Applied(_)));
    assert_eq!((members(&target)[0].active, members(&target)[0].closes_on), (true, None));

    apply(&target, leave(&member));
    clock.advance(2 * DAY);
    assert!(members(&target).is_empty());
    assert!(matches!(apply(&target, reactivate(&member)), Outcome::Rejected(_)));
    let second = created(&target, "1", "a@x.example");
    assert_ne!(second, member, "an id is never given twice");
}

#[test]
fn leavers_stay_for_ever_without_a_close_down() {
    let (_folder, path) = place();
    let clock = clock();
    let target = FileTarget::open(&path, clock.clone()).unwrap().with_close_down_days(None);
    let member = created(&target, "1", "a@x.example");
    apply(&target, leave(&member));
    clock.advance(5_000 * DAY);
    assert_eq!(members(&target)[0].closes_on, None);
}

#[test]
fn members_are_found_by_id_by_employee_id_as_written_and_by_address_in_any_case() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let member = created(&target, "00104", "Nerea@Brisa.example");
    let count = |query| run(target.find(&query)).unwrap().len();
    assert_eq!(count(MemberQuery::Id(member)), 1);
    assert_eq!(count(MemberQuery::EmployeeId("00104".into())), 1);
    assert_eq!(count(MemberQuery::EmployeeId("104".into())), 0);
    assert_eq!(count(MemberQuery::Email(Email::parse("nerea@BRISA.example").unwrap())), 1);
}

#[test]
fn actions_beyond_the_batch_are_not_attempted() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap().with_max_batch(NonZeroUsize::MIN);
    let outcomes = run(target.apply(&[create("1", "a@x.example"), create("2", "b@x.example")]));
    assert!(matches!(outcomes[..], [Outcome::Applied(_), Outcome::NotAttempted(_)]), "{outcomes:?}");
    assert_eq!(members(&target).len(), 1);
}

#[test]
fn the_roster_lists_more_than_a_page_in_the_order_of_creation() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    let people: Vec<_> = (0..1_000).map(|n| create(&format!("e{n}"), &format!("p{n}@x.example"))).collect();
    run(target.apply(&people));
    let listed: Vec<_> =
        members(&target).iter().filter_map(|member| member.attributes.employee_id()).collect();
    let expected: Vec<_> = (0..1_000).map(|n| format!("e{n}").into()).collect();
    assert_eq!(listed, expected);
}

#[test]
fn debug_shows_no_member() {
    let (_folder, path) = place();
    let target = FileTarget::open(&path, clock()).unwrap();
    created(&target, "00104", "nerea@brisa.example");
    let shown = format!("{target:?}");
    assert!(
        shown.contains("members.jsonl") && !shown.contains("nerea") && !shown.contains("00104"),
        "{shown}"
    );
}

#[test]
fn it_works_on_a_runtime_as_without_one() {
    let (_folder, path) = place();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(async {
        let target = FileTarget::open(&path, clock()).unwrap();
        let outcomes = target.apply(&[create("1", "a@x.example")]).await;
        assert!(matches!(outcomes[..], [Outcome::Applied(_)]), "{outcomes:?}");
        assert_eq!(target.find(&MemberQuery::EmployeeId("1".into())).await.unwrap().len(), 1);
    });
}

#[cfg(unix)]
#[test]
fn a_new_file_is_private_and_an_existing_ones_permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = place();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let target = FileTarget::open(&path, clock()).unwrap();
    created(&target, "1", "a@x.example");
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    created(&target, "2", "b@x.example");
    assert_eq!(mode(), 0o640);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let (folder, path) = place();
    let link = folder.path().join("link.jsonl");
    created(&FileTarget::open(&path, clock()).unwrap(), "1", "a@x.example");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    created(&FileTarget::open(&link, clock()).unwrap(), "2", "b@x.example");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
}

/// What a random history does next; numbers stand for people and members.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create(u8, u8),
    Email(u8, u8),
    Rename(u8, u8),
    Clear(u8),
    Leave(u8),
    Reactivate(u8),
    Adopt(u8, bool),
    Days(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..6_u8;
    prop_oneof![
        3 => (n.clone(), n.clone()).prop_map(|(id, email)| Step::Create(id, email)),
        2 => (n.clone(), n.clone()).prop_map(|(member, email)| Step::Email(member, email)),
        1 => (n.clone(), n.clone()).prop_map(|(member, id)| Step::Rename(member, id)),
        1 => n.clone().prop_map(Step::Clear),
        2 => n.clone().prop_map(Step::Leave),
        1 => n.clone().prop_map(Step::Reactivate),
        1 => (n, any::<bool>()).prop_map(|(member, reopen)| Step::Adopt(member, reopen)),
        1 => (1..70_u8).prop_map(Step::Days),
        1 => Just(Step::Reopen),
    ]
}

fn email_of(number: u8) -> String {
    // Every other address differs from the one before in case alone.
    if number.is_multiple_of(2) {
        format!("P{number}@x.example")
    } else {
        format!("p{}@X.example", number - 1)
    }
}

fn action_of(step: Step, ids: &[MemberId]) -> Option<Action> {
    let member = |number: u8| ids.get(usize::from(number)).cloned();
    Some(match step {
        Step::Create(id, email) => create(&format!("e{id}"), &email_of(email)),
        Step::Email(number, email) => update(&member(number)?, MemberField::Email, Some(&email_of(email))),
        Step::Rename(number, id) => {
            update(&member(number)?, MemberField::EmployeeId, Some(&format!("e{id}")))
        }
        Step::Clear(number) => update(&member(number)?, MemberField::Email, None),
        Step::Leave(number) => leave(&member(number)?),
        Step::Reactivate(number) => reactivate(&member(number)?),
        Step::Adopt(number, reopen) => {
            let kind = ActionKind::Adopt { changes: Attributes::new(), reopen };
            sample_action("1", Some(member(number)?), kind)
        }
        Step::Days(_) | Step::Reopen => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The mock target of the test kit holds its members in memory and was written apart from this crate.
    #[test]
    fn it_answers_as_the_mock_target_does(steps in prop::collection::vec(step(), 1..40)) {
        let (_folder, path) = place();
        let clock = clock();
        let mock = MockTarget::new(clock.clone());
        let mut target = FileTarget::open(&path, clock.clone()).unwrap();
        let (mut ids, mut mock_ids) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Days(days) => clock.advance(u32::from(days) * DAY),
                Step::Reopen => {
                    drop(target);
                    target = FileTarget::open(&path, clock.clone()).unwrap();
                }
                _ => {}
            }
            if let (Some(action), Some(mock_action)) = (action_of(step, &ids), action_of(step, &mock_ids)) {
                let (answer, expected) = (apply(&target, action), run(mock.apply(&[mock_action])).pop().unwrap());
                if let (Step::Create(..), Outcome::Applied(id), Outcome::Applied(mock_id)) = (step, &answer, &expected) {
                    ids.push(id.clone());
                    mock_ids.push(mock_id.clone());
                }
                prop_assert_eq!(kind(&answer), kind(&expected), "{:?}", step);
            }
            prop_assert_eq!(content(&members(&target)), content(&mock.members()));
        }
    }
}

fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied(_) => "applied".to_owned(),
        Outcome::AlreadySo(_) => "already so".to_owned(),
        Outcome::Rejected(error) | Outcome::Conflict(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Everything but the ids and versions, in the order of creation.
fn content(members: &[MemberRecord]) -> Vec<(Attributes, bool, Option<chrono::NaiveDate>)> {
    members.iter().map(|member| (member.attributes.clone(), member.active, member.closes_on)).collect()
}
