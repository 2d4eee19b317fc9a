//! Invented content for a store: one of everything, and numbered ones where many are needed.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print, Prints};
use hris_core::store::{Baseline, Checkpoint, Link, OpenClaim, Override};
use hris_core::{
    Action, ActionKind, AppliedCounts, Attributes, BirthDate, ConnectionKey, EmployeeId, EmployeeRef,
    Expectation, HoldReason, LeaveReason, LinkAfter, LinkState, MappingVersion, MemberField, MemberId,
    PlanHeader, PlanId, PlanOrigin, PlanSummary, Problem, ReadingSummary, RecordId, RecordIdKind, RunId,
    RunReport, RunResult, SecretKey, TargetField, Trigger, Value, Verdict, Watermark, rule,
};

const KIND: RecordIdKind = RecordIdKind::new("sample.record");

pub(crate) fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "hr")
}

/// Minutes after the morning on which everything here happens.
pub(crate) fn at(minutes: i64) -> DateTime<Utc> {
    let morning = DateTime::from_timestamp(1_772_434_800, 123_456_000).unwrap_or_default();
    morning + TimeDelta::minutes(minutes)
}

pub(crate) fn day(ordinal: u32) -> NaiveDate {
    NaiveDate::from_yo_opt(2026, ordinal).unwrap_or_default()
}

pub(crate) fn fingerprinter() -> Fingerprinter {
    Fingerprinter::new(&SecretKey::new(KeyId::new("sample"), [7; 32]), &connection())
}

pub(crate) fn baseline() -> Baseline {
    let mut baseline =
        Baseline::new("account-1".into(), KIND, KeyId::new("sample"), MappingVersion::new("map-1"));
    baseline.last_complete = Some(1_234);
    baseline.watermark = Some(Watermark::at(at(1)));
    if let Some(watermark) = &mut baseline.watermark {
        watermark.cursor = Some("cursor \u{201c}7\u{201d}".to_owned());
    }
    baseline
}

pub(crate) fn checkpoint() -> Checkpoint {
    let mut checkpoint =
        Checkpoint::new(baseline().watermark, MappingVersion::new("map-1"), "policy-1", at(-77));
    checkpoint.changes_on = Some(day(61));
    checkpoint.unsettled = vec![record(3), "record-9 \u{2014} \u{5c71}'\"%_".into()];
    checkpoint.claims = vec![
        OpenClaim { record: Print(u64::MAX), employee_id: Some(Print(0)), email: Some(Print(1 << 63)) },
        OpenClaim { record: Print(7), employee_id: None, email: None },
    ];
    checkpoint
}

pub(crate) fn one_override(number: usize) -> Override {
    let value = Some(Value::from("Ana\u{0301} \"Nerea\" \u{5c71}"));
    Override::new(record(number), MemberField::FirstName, value, "ola", "asked by mail", at(3))
}

pub(crate) fn record(number: usize) -> RecordId {
    RecordId::from(format!("record-{number:05}"))
}

pub(crate) fn member(number: usize) -> MemberId {
    MemberId::from(format!("member-{number:05}"))
}

fn person(number: usize) -> EmployeeRef {
    let employee_id = Some(EmployeeId::from(format!("{number:05}")));
    EmployeeRef { record: record(number), employee_id }
}

pub(crate) fn prints(number: usize) -> Prints {
    let number = number as u64;
    let email = FieldTag::of(&TargetField::EMAIL);
    Prints::new(vec![
        (email, Print(u64::MAX - number)),
        (FieldTag(u32::MAX), Print(number)),
        (FieldTag(0), Print(1 << 63)),
    ])
}

pub(crate) fn link(number: usize) -> Link {
    let employee_id = EmployeeId::from(format!("{number:05}"));
    let email = Some(Print(u64::MAX / 3 + number as u64));
    Link::new(record(number), employee_id, member(number), LinkState::Active, email, prints(number))
}

fn after(number: usize, state: LinkState) -> LinkAfter {
    let link = link(number);
    LinkAfter { employee_id: link.employee_id, state, email: link.email, prints: link.prints }
}

fn attributes(number: usize) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.set(TargetField::EMPLOYEE_ID, Some(Value::from(&*format!("{number:05}"))));
    attributes.set(TargetField::EMAIL, Some(Value::from(&*format!("person.{number}@brisa.example"))));
    attributes.set(MemberField::FirstName, Some(Value::from("Ana\u{0301} \"Nerea\" \u{5c71}")));
    attributes.set(MemberField::BirthDate, BirthDate::month_day(2, 29).map(Value::BirthDate));
    attributes.set(MemberField::StartDate, Some(Value::Date(day(60))));
    attributes.set(TargetField::Custom("remote".into()), Some(Value::Bool(true)));
    attributes.set(MemberField::Phone, None);
    attributes
}

fn linked(number: usize) -> Expectation {
    Expectation::Linked { state: LinkState::Active, row: prints(number).row() }
}

pub(crate) fn create(number: usize) -> Action {
    let kind = ActionKind::Create { attributes: attributes(number), invite: true };
    let after = after(number, LinkState::Active);
    Action::new(&fingerprinter(), person(number), None, kind, Expectation::Unlinked, after)
}

pub(crate) fn creates(numbers: std::ops::Range<usize>) -> Vec<Action> {
    let mut actions: Vec<_> = numbers.map(create).collect();
    actions.sort_by_key(Action::position);
    actions
}

/// One action of each kind, in order of position.
pub(crate) fn one_of_each() -> Vec<Action> {
    let gone = LinkState::Leaver { irreversible_from: Some(day(90)) };
    let changes = attributes(2);
    let kinds = [
        (
            ActionKind::Adopt { changes: attributes(1), reopen: true },
            Expectation::Unlinked,
            LinkState::Active,
        ),
        (ActionKind::Update { changes }, linked(2), LinkState::Active),
        (
            ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: Some(day(90)) },
            linked(3),
            gone,
        ),
        (
            ActionKind::Reactivate { changes: attributes(4) },
            Expectation::Linked {
                state: LinkState::Leaver { irreversible_from: None },
                row: Print(u64::MAX),
            },
            LinkState::Active,
        ),
    ];
    let known = kinds.into_iter().zip(1..).map(|((kind, expects, state), number)| {
        let after = after(number, state);
        Action::new(&fingerprinter(), person(number), Some(member(number)), kind, expects, after)
    });
    let mut actions: Vec<_> = std::iter::once(create(0)).chain(known).collect();
    actions.sort_by_key(Action::position);
    actions
}

pub(crate) fn problem(number: usize) -> Problem {
    if number.is_multiple_of(2) {
        return Problem::warning(rule::TOTAL_MISMATCH, format!("problem {number}"));
    }
    Problem::error(rule::EMAIL_MISSING, format!("problem {number}")).of(&person(number)).at("work_email")
}

pub(crate) fn header(connection: &ConnectionKey, plan: &PlanId, minutes: i64) -> PlanHeader {
    let origin = PlanOrigin {
        id: plan.clone(),
        connection: connection.clone(),
        run: RunId::from("run"),
        reading: ReadingSummary {
            account: "account-1".into(),
            record_id_kind: KIND,
            full: Some(12),
            watermark: baseline().watermark,
        },
        mapping: MappingVersion::new("map-1"),
        policy: "policy-1".to_owned(),
        as_of: day(60),
        created_at: at(minutes),
        expires_at: at(minutes + 60),
        first_import: true,
    };
    let mut summary = PlanSummary::default();
    summary.leave = 12;
    let verdict = Verdict::Held(vec![
        HoldReason::TooManyLeavers { planned: 12, limit: 3 },
        HoldReason::ShrunkSource { before: 40, now: 12 },
    ]);
    let mut header = PlanHeader::new(origin, summary, verdict, Some(day(120)), KeyId::new("sample"));
    header.digest = header.digester(&fingerprinter()).finish();
    header
}

pub(crate) fn report(connection: &ConnectionKey, run: &str, minutes: i64) -> RunReport {
    let mut report = RunReport::started(RunId::from(run), connection.clone(), Trigger::Schedule, at(minutes));
    report.finished_at = at(minutes + 2);
    report.result = RunResult::Held { reasons: vec![HoldReason::EmptySource { before: 9 }] };
    report.plan = Some(PlanId::from("plan"));
    report.applied = AppliedCounts::default();
    report.applied.created = 3;
    report.problems = BTreeMap::from([(rule::EMAIL_MISSING, 2)]);
    report.irreversible_from = Some(day(120));
    report
}
