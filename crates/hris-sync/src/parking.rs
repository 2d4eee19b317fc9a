//! Temporary values: which there are, and the two steps of somebody who goes to one first.

use std::collections::BTreeSet;

use hris_core::keys::{FieldTag, Fingerprinter};
use hris_core::store::Link;
use hris_core::{
    Action, ActionKind, Attributes, Expectation, LinkAfter, Parking, RecordId, TargetField, Value,
};

use crate::planner::Unique;

/// Of which kinds there are temporary values.
pub(crate) fn kinds(parking: Option<&Parking>) -> BTreeSet<Unique> {
    let sample = "0";
    let email = parking.and_then(|parking| parking.email(sample)).map(|_| Unique::Email);
    let employee_id = parking.and_then(|parking| parking.employee_id(sample)).map(|_| Unique::EmployeeId);
    email.into_iter().chain(employee_id).collect()
}

/// An action in two steps: its member first goes to temporary values, and from there to what the action wants. The
/// link after the first step tells the temporary values, so that whatever happens in between, the next run knows what
/// the member has and what it still lacks.
pub(crate) fn in_two_steps(
    fingerprinter: &Fingerprinter,
    parking: &Parking,
    action: Action,
    link: &Link,
    kinds: &BTreeSet<Unique>,
) -> [Action; 2] {
    let token = token(fingerprinter, &link.record);
    let mut between = LinkAfter {
        employee_id: link.employee_id.clone(),
        state: link.state,
        email: link.email,
        prints: link.prints.clone(),
    };
    let mut changes = Attributes::new();
    let email = parking.email(&token).filter(|_| kinds.contains(&Unique::Email));
    let employee_id = parking.employee_id(&token).filter(|_| kinds.contains(&Unique::EmployeeId));
    if let Some(email) = email {
        between.email = Some(fingerprinter.email(email.as_str()));
        changes.set(TargetField::EMAIL, Some(email.as_str().into()));
    }
    if let Some(employee_id) = employee_id {
        changes.set(TargetField::EMPLOYEE_ID, Some(employee_id.as_str().into()));
        between.employee_id = employee_id;
    }
    let changed = changes.iter().map(|(field, value)| {
        let tag = FieldTag::of(field);
        (tag, fingerprinter.attribute(tag, value.map(Value::as_ref).as_ref()))
    });
    between.prints = link.prints.with(&changed.collect::<Vec<_>>());
    let (person, member) = (action.person.clone(), action.member.clone());
    let row = between.prints.row();
    let kind = ActionKind::Park { changes };
    let first = Action::new(fingerprinter, person, member, kind, action.expects, between);
    let expects = Expectation::Linked { state: link.state, row };
    let second = Action::new(fingerprinter, action.person, action.member, action.kind, expects, action.after);
    [first, second]
}

/// The same for a person in every plan, so that the same step planned again is the same action, and nobody else's.
fn token(fingerprinter: &Fingerprinter, record: &RecordId) -> String {
    let mut digester = fingerprinter.digester();
    digester.add(b"hris/parking/1");
    digester.add(record.as_str().as_bytes());
    digester.finish()
}
