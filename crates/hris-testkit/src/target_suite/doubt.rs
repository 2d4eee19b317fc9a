//! Behaviours of writes whose fate is not told or told wrongly: said so, never repeated, and settled by reading.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::pin::pin;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use hris_core::{Action, Attributes, MemberQuery, Outcome};

use super::harness::{PlatformFault, TargetHarness};
use super::script::{
    Target, applied, carry_out, create, has, key, leave, look_up, nothing, queries, reactivate, update,
};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

/// A write that is carried out and answered with a failure is `InDoubt`, is not repeated, and is found by reading.
pub async fn a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt(stage: TargetStage) -> Ran {
    const OFFERED: &str = "a write cannot be carried out and answered with a failure";
    doubtful(stage, PlatformFault::StoresAndFails, OFFERED).await
}

/// A write that is carried out and never answered is `InDoubt` once the attempt's time is over, is not repeated, and
/// is found by reading.
pub async fn a_write_that_is_stored_and_never_answered_is_in_doubt(stage: TargetStage) -> Ran {
    doubtful(stage, PlatformFault::StoresAndHangs, "every write is answered").await
}

async fn doubtful(stage: TargetStage, fault: PlatformFault, otherwise: &'static str) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let mut updated = it.person(1);
    updated.merge(&it.second(0));
    // What each action leads to: whose account, with what, open or closed.
    let steps: [(Action, u32, Attributes, bool); 4] = [
        (create(it.person(2), false), 2, it.person(2), true),
        (update(1, &member, it.second(0)), 1, updated.clone(), true),
        (leave(1, &member), 1, updated.clone(), false),
        (reactivate(1, &member, nothing()), 1, updated, true),
    ];
    for (action, number, wanted, open) in steps {
        let (kind, before) = (action.kind.as_str(), it.platform().writes());
        it.faulty(fault.clone(), otherwise)?;
        let outcome = it.unanswered(&target, action, &fault).await?;
        assert!(
            matches!(outcome, Outcome::InDoubt(_)),
            "whether a {kind} was carried out cannot be told: answer InDoubt, not {outcome:?}"
        );
        it.platform().clear_faults();
        assert_eq!(it.platform().writes(), before + 1, "never repeat a {kind} whose fate is unknown");
        let raw = it.has_one(&wanted, "a write in doubt");
        let query = MemberQuery::EmployeeId(key(number).into());
        let query = if number == 1 { MemberQuery::Id(member.clone()) } else { query };
        let found = look_up(&target, &query).await?;
        let settled = found.len() == 1
            && found.iter().all(|it| it.id == raw.id && it.active == open && has(&it.attributes, &wanted));
        assert!(settled, "reading settles a {kind} in doubt: find the member as it is now");
    }
    Ok(())
}

impl TargetHarness {
    /// The outcome of an action whose write meets a fault; where no answer comes, the attempt's time passes.
    async fn unanswered(
        &self,
        target: &Target,
        action: Action,
        fault: &PlatformFault,
    ) -> Result<Outcome, NotOffered> {
        if *fault != PlatformFault::StoresAndHangs {
            return Ok(self.patiently(carry_out(target, action)).await);
        }
        let before = self.platform().writes();
        let call = pin!(carry_out(target, action));
        let call = match select(call, pin!(self.writes_grow_beyond(before))).await {
            Either::Left((outcome, _)) => {
                panic!("a write that is not answered cannot have an outcome yet: {outcome:?}")
            }
            Either::Right((false, _)) => panic!("the write did not arrive at the platform"),
            Either::Right((true, call)) => call,
        };
        let (attempt, _) = self.timeouts();
        assert!(
            self.clock().sleepers() > 0,
            "give every attempt a time-out on the clock that is given: nothing would end this one"
        );
        self.clock().advance(attempt);
        Ok(self.patiently(call).await)
    }
}

/// A write that is answered as done and was not carried out is not found: nothing is remembered in its place.
pub async fn a_write_that_is_answered_and_not_stored_is_found_missing_by_reading(stage: TargetStage) -> Ran {
    const OFFERED: &str = "a write cannot be answered without being carried out";
    let it = stage.fresh().await;
    let target = it.good();
    it.faulty(PlatformFault::AnswersAndForgets, OFFERED)?;
    let outcome = it.patiently(carry_out(&target, create(it.person(1), false))).await;
    assert!(it.platform().members().is_empty(), "the harness's platform was to forget this write");
    it.platform().clear_faults();
    let id = match outcome {
        Outcome::Applied(member) => member,
        // The target looked for itself.
        Outcome::InDoubt(_) | Outcome::NotAttempted(_) => "no-such-member".into(),
        other => panic!("a create that is answered as done is Applied, or in doubt: {other:?}"),
    };
    for query in queries(1, &id) {
        let found = look_up(&target, &query).await?;
        assert!(found.is_empty(), "deliver what the platform has, not what was sent");
    }
    applied(carry_out(&target, create(it.person(1), false)).await, "a create after one that was forgotten");
    it.has_one(&it.person(1), "a create after one that was forgotten");

    let member = it.with_key(&key(1)).swap_remove(0).id;
    it.faulty(PlatformFault::AnswersAndForgets, OFFERED)?;
    let _ = it.patiently(carry_out(&target, update(1, &member, it.second(0)))).await;
    it.platform().clear_faults();
    for found in look_up(&target, &MemberQuery::Id(member.clone())).await? {
        assert!(has(&found.attributes, &it.person(1)), "deliver what the platform has, not what was sent");
    }
    let again = carry_out(&target, update(1, &member, it.second(0))).await;
    applied(again, "an update after one that was forgotten");
    Ok(())
}

/// A call that is dropped has written once or not at all; afterwards the target goes on, and the same action doubles
/// nobody.
pub async fn a_dropped_call_doubles_nobody_and_blocks_nothing(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let writes = it.platform().writes();
    let [first, second] = [1, 2].map(|number| create(it.person(number), false));
    let hangs = it.platform().fault(PlatformFault::StoresAndHangs);
    if hangs {
        let call = carry_out(&target, first.clone());
        match select(pin!(call), pin!(it.writes_grow_beyond(writes))).await {
            Either::Left((outcome, _)) => {
                panic!("a write that is not answered cannot have an outcome: {outcome:?}")
            }
            Either::Right((arrived, _dropped)) => {
                assert!(arrived, "the write did not arrive at the platform");
            }
        }
    } else {
        // Begun, and dropped wherever it first waits.
        let _ = carry_out(&target, first.clone()).now_or_never();
    }
    it.platform().clear_faults();
    let again = it.patiently(carry_out(&target, first)).await;
    match again {
        Outcome::Applied(_) | Outcome::AlreadySo(_) | Outcome::Conflict(_) => {}
        other => panic!("after a call that was dropped, carry the action out or find it done: {other:?}"),
    }
    it.has_one(&it.person(1), "a call that is dropped");
    applied(it.patiently(carry_out(&target, second)).await, "a call after one that was dropped");
    it.has_one(&it.person(2), "a call after one that was dropped");
    assert_eq!(it.platform().writes(), writes + 2, "a call that is dropped is not written twice");
    Ok(())
}
