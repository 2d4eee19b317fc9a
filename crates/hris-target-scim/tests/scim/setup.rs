//! What every test needs: a simulated programme, a target for it, and people.

use std::num::NonZeroUsize;
use std::time::Duration;

use hris_core::{
    Action, ActionKind, Attributes, LeaveReason, MemberField, MemberId, MemberRecord, Outcome,
    ProvisioningTarget as _, TargetField, Value,
};
use hris_http::{RetryPolicy, Transport};
use hris_target_scim::sim::{Account, Behaviour, ScimSim};
use hris_target_scim::{Profile, ScimConfig, ScimTarget, ValueFormat};
use hris_testkit::{ManualClock, run, sample_action};
use serde_json::{Value as Json, json};

pub(crate) const MEMBER: &str = "urn:example:params:scim:schemas:extension:member:2.0:User";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A programme, and the clock that it and its targets go by.
pub(crate) struct Stage {
    pub(crate) sim: ScimSim,
    pub(crate) clock: ManualClock,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Behaviour::default())
    }

    pub(crate) fn with(behaviour: Behaviour) -> Self {
        let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(25));
        let sim = run(ScimSim::start(clock.clone()));
        sim.behave(|current| *current = behaviour);
        sim.add_extension(MEMBER, ["dateOfBirth", "gender", "startDate"]);
        Self { sim, clock }
    }

    /// Any SCIM server, without a limit on requests, with an extension for what has no place in the standard.
    pub(crate) fn config(&self) -> ScimConfig {
        let place = |name: &str| format!("{MEMBER}:{name}").parse().unwrap();
        ScimConfig::new(self.sim.endpoint())
            .with_requests_per_second(0)
            .with_max_in_flight(NonZeroUsize::new(8).unwrap())
            .with_attribute(MemberField::BirthDate, place("dateOfBirth"), ValueFormat::Iso)
            .with_attribute(MemberField::Gender, place("gender"), ValueFormat::Text)
            .with_attribute(MemberField::StartDate, place("startDate"), ValueFormat::DayMonthYear)
    }

    pub(crate) fn reward_gateway(&self) -> ScimConfig {
        self.config().with_profile(Profile::RewardGateway)
    }

    pub(crate) fn target(&self) -> ScimTarget {
        self.build(self.config())
    }

    pub(crate) fn build(&self, config: ScimConfig) -> ScimTarget {
        self.build_with_token(config, ScimSim::TOKEN)
    }

    pub(crate) fn build_with_token(&self, config: ScimConfig, token: &str) -> ScimTarget {
        let transport =
            Transport::builder().with_clock(std::sync::Arc::new(self.clock.clone())).build().unwrap();
        config.build_with(&token.into(), &transport, RetryPolicy::default()).unwrap()
    }

    pub(crate) fn account(&self, id: &MemberId) -> Account {
        self.sim.account(id.as_str()).unwrap()
    }

    pub(crate) fn user(&self, id: &MemberId) -> Json {
        self.account(id).user.into()
    }
}

pub(crate) fn person(number: &str) -> Attributes {
    attributes([
        (MemberField::EmployeeId, number),
        (MemberField::Email, &format!("persona.{number}@brisa.example")),
        (MemberField::FirstName, "Nerea"),
        (MemberField::LastName, "Olmedo"),
    ])
}

pub(crate) fn attributes<'v>(pairs: impl IntoIterator<Item = (MemberField, &'v str)>) -> Attributes {
    pairs.into_iter().map(|(field, value)| (field.into(), Some(Value::from(value)))).collect()
}

pub(crate) fn cleared(field: MemberField) -> Attributes {
    [(TargetField::from(field), None)].into_iter().collect()
}

pub(crate) fn with(mut attributes: Attributes, field: MemberField, value: impl Into<Value>) -> Attributes {
    attributes.set(field, Some(value.into()));
    attributes
}

pub(crate) fn create(attributes: Attributes) -> Action {
    let id = attributes.text(&TargetField::EMPLOYEE_ID).unwrap_or_default().to_owned();
    sample_action(id, None, ActionKind::Create { attributes, invite: true })
}

pub(crate) fn update(number: &str, member: &MemberId, changes: Attributes) -> Action {
    sample_action(number, Some(member.clone()), ActionKind::Update { changes })
}

pub(crate) fn leave(number: &str, member: &MemberId) -> Action {
    let kind = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
    sample_action(number, Some(member.clone()), kind)
}

pub(crate) fn reactivate(number: &str, member: &MemberId, changes: Attributes) -> Action {
    sample_action(number, Some(member.clone()), ActionKind::Reactivate { changes })
}

pub(crate) fn apply(target: &ScimTarget, action: Action) -> Outcome {
    run(target.apply(&[action])).pop().unwrap()
}

pub(crate) fn applied(outcome: Outcome) -> MemberId {
    match outcome {
        Outcome::Applied(id) => id,
        other => panic!("not applied: {other:?}"),
    }
}

pub(crate) fn find(target: &ScimTarget, query: &hris_core::MemberQuery) -> Vec<MemberRecord> {
    run(target.find(query)).unwrap()
}

pub(crate) fn by_id(target: &ScimTarget, number: &str) -> Vec<MemberRecord> {
    find(target, &hris_core::MemberQuery::EmployeeId(number.into()))
}

pub(crate) fn by_email(target: &ScimTarget, email: &str) -> Vec<MemberRecord> {
    find(target, &hris_core::MemberQuery::Email(hris_core::Email::parse(email).unwrap()))
}

/// An account that was made by hand.
pub(crate) fn planted(number: Option<&str>, email: &str) -> Json {
    let mut user = json!({
        "userName": email, "active": true, "emails": [{ "value": email, "type": "work", "primary": true }],
    });
    if let Some(number) = number {
        user["externalId"] = number.into();
    }
    user
}

/// Creates somebody, and the id of the account.
pub(crate) fn created(target: &ScimTarget, number: &str) -> MemberId {
    applied(apply(target, create(person(number))))
}
