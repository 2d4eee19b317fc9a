//! Actions for tests of a target, without a plan around them.

use hris_core::keys::{Fingerprinter, KeyId, Print, Prints, SecretKey};
use hris_core::{
    Action, ActionKind, ConnectionKey, EmployeeId, EmployeeRef, Expectation, LinkAfter, LinkState, MemberId,
};

/// An action about the person with an Employee ID: `member` is `None` for a create and the member otherwise.
///
/// The record id is the Employee ID with `record-` before it; fingerprints are empty, since a target does not look
/// at them.
///
/// ```
/// use hris_core::{ActionKind, LeaveReason};
/// let leave = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
/// let action = hris_testkit::sample_action("00104", Some("m-1".into()), leave);
/// assert_eq!(action.kind.as_str(), "leave");
/// ```
pub fn sample_action(
    employee_id: impl Into<EmployeeId>,
    member: Option<MemberId>,
    kind: ActionKind,
) -> Action {
    let employee_id = employee_id.into();
    let key = SecretKey::new(KeyId::new("sample"), [7; 32]);
    let fingerprinter = Fingerprinter::new(&key, &ConnectionKey::new("sample", "sample"));
    let person = EmployeeRef {
        record: format!("record-{employee_id}").into(),
        employee_id: Some(employee_id.clone()),
    };
    let (before, after) = states(&kind);
    let expects = match member {
        None => Expectation::Unlinked,
        Some(_) => Expectation::Linked { state: before, row: Print(0) },
    };
    let after = LinkAfter { employee_id, state: after, email: None, prints: Prints::default() };
    Action::new(&fingerprinter, person, member, kind, expects, after)
}

/// The states of the link before and after an action.
fn states(kind: &ActionKind) -> (LinkState, LinkState) {
    let left = |irreversible_from| LinkState::Leaver { irreversible_from };
    match kind {
        ActionKind::Leave { irreversible_from, .. } => (LinkState::Active, left(*irreversible_from)),
        ActionKind::Reactivate { .. } => (left(None), LinkState::Active),
        _ => (LinkState::Active, LinkState::Active),
    }
}
