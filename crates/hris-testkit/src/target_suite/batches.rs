//! Behaviours of calls with several actions: one outcome each, in order, and nobody's failure is another's.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::collections::HashMap;

use futures_util::future::join_all;
use hris_core::{Action, EmployeeId, Outcome, TargetField, Value};

use super::harness::{PlatformFault, TargetHarness};
use super::script::{
    address, applied, carry_out, carry_out_all, create, error_of, has, key, leave, one, reactivate, update,
};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

/// Calls larger than this are not tried, whatever the target declares.
const LARGEST: usize = 2_000;

/// There is one outcome for each action, in their order, whatever becomes of them; and none for none.
pub async fn there_is_one_outcome_for_each_action_in_their_order(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let members = [it.joined(&target, 1).await, it.joined(&target, 2).await, it.joined(&target, 3).await];
    let [first, second, third] = &members;
    assert!(target.apply(&[]).await.is_empty(), "answer no outcome to no action");
    let mut without_address = it.person(9);
    without_address.set(TargetField::EMAIL, None);
    let actions = [
        update(1, first, it.second(0)),
        create(without_address, false),
        update(2, second, it.person(2)),
        create(it.person(4), false),
        leave(3, third),
    ];
    let outcomes = carry_out_all(&target, &actions).await;
    let words: Vec<_> = outcomes.iter().map(word).collect();
    let expected = ["applied", "refused", "already so", "applied", "applied"];
    assert_eq!(words, expected, "answer outcomes in the order of the actions: {outcomes:?}");
    for (place, member) in [(0, first), (2, second), (4, third)] {
        assert_eq!(member_of(&outcomes[place]), Some(member), "answer each action with its own member");
    }
    let raw = it.has_one(&it.person(4), "a create between other actions");
    assert_eq!(member_of(&outcomes[3]), Some(&raw.id), "answer each action with its own member");
    assert!(it.with_key(&key(9)).is_empty(), "an action that is refused is not carried out");
    Ok(())
}

/// No action is written more than once, and those without need or permission not at all.
pub async fn no_action_is_written_more_than_once(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let mut everything = it.second(0);
    everything.merge(&it.second(1));
    everything.set(TargetField::EMAIL, Some(Value::Text(address(2))));
    let steps: [(Action, u64); 6] = [
        (create(it.person(3), true), 1),
        (update(1, &member, everything.clone()), 1),
        (update(1, &member, everything), 0),
        (leave(1, &member), 1),
        (leave(1, &member), 0),
        (reactivate(1, &member, it.person(1)), 1),
    ];
    for (action, expected) in steps {
        let (kind, before) = (action.kind.as_str(), it.platform().writes());
        carry_out(&target, action).await;
        let written = it.platform().writes() - before;
        assert_eq!(written, expected, "write as often as needed, and never twice for one action: {kind}");
    }
    Ok(())
}

/// A call as large as declared is carried out; of one that is too large, every outcome is true.
pub async fn a_call_as_large_as_declared_is_carried_out(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let size = target.capabilities().max_batch.get().min(LARGEST);
    let people = u32::try_from(size).unwrap_or(u32::MAX);
    let creates: Vec<_> = (0..people).map(|n| create(it.person(1_000 + n), false)).collect();
    let outcomes = target.apply(&creates).await;
    assert_eq!(outcomes.len(), size, "answer one outcome for each action of a call");
    let members: Vec<_> = outcomes.into_iter().map(|it| applied(it, "a call as large as declared")).collect();
    let mut found = it.platform().members();
    assert_eq!(found.len(), size, "carry out every action of a call as large as declared");
    found.sort_by(|one, other| one.id.cmp(&other.id));
    for (number, member) in (1_000..).zip(&members) {
        let raw = found.binary_search_by(|raw| raw.id.cmp(member)).ok().and_then(|place| found.get(place));
        let is_theirs = raw.is_some_and(|raw| has(&raw.attributes, &it.person(number)));
        assert!(is_theirs, "answer each action with its own member, also in a large call");
    }
    let beyond: Vec<_> = (0..=people).map(|n| create(it.person(50_000 + n), false)).collect();
    let outcomes = target.apply(&beyond).await;
    assert_eq!(
        outcomes.len(),
        beyond.len(),
        "answer one outcome for each action, also beyond what is declared"
    );
    it.tells_the_truth(&beyond, &outcomes, "a call larger than declared");
    Ok(())
}

/// A record that breaks a rule is refused, and nobody else's problem.
pub async fn a_bad_record_harms_no_other(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let creates: Vec<_> = (1..=5)
        .map(|number| {
            let mut person = it.person(number);
            match number {
                2 => person.set(TargetField::EMAIL, Some("no address".into())),
                4 => person.set(TargetField::EMAIL, None),
                _ => {}
            }
            create(person, false)
        })
        .collect();
    let outcomes = carry_out_all(&target, &creates).await;
    for (number, outcome) in (1_u32..).zip(outcomes) {
        if number % 2 == 0 {
            let refused = matches!(outcome, Outcome::Rejected(_));
            assert!(refused, "reject a record without an address: {outcome:?}");
            assert!(it.with_key(&key(number)).is_empty(), "create nobody without an address");
        } else {
            applied(outcome, "a good record beside a bad one");
            it.has_one(&it.person(number), "a good record beside a bad one");
        }
    }
    let member = it.with_key(&key(1)).swap_remove(0).id;
    let without = one(&TargetField::EMAIL, None);
    let outcome = carry_out(&target, update(1, &member, without)).await;
    assert!(
        matches!(outcome, Outcome::Rejected(_)),
        "reject an update that takes the address away: {outcome:?}"
    );
    it.has_one(&it.person(1), "an update that is refused");
    Ok(())
}

/// A record that the platform refuses is reported, and nobody else's problem.
pub async fn a_record_that_the_platform_refuses_harms_no_other(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    it.faulty(PlatformFault::Refuses(key(3).into()), "the platform refuses nobody")?;
    let creates: Vec<_> = (1..=5).map(|number| create(it.person(number), false)).collect();
    let outcomes = it.patiently(carry_out_all(&target, &creates)).await;
    for (number, outcome) in (1..).zip(outcomes) {
        if number == 3 {
            assert!(matches!(outcome, Outcome::Rejected(_)), "reject who is refused: {outcome:?}");
            assert!(it.with_key(&key(3)).is_empty(), "whoever is refused has no account");
        } else {
            applied(outcome, "a record beside one that is refused");
            it.has_one(&it.person(number), "a record beside one that is refused");
        }
    }
    Ok(())
}

/// Where the platform asks to slow down in the middle, nobody is lost, doubled, or refused for it.
pub async fn a_slow_down_in_the_middle_loses_and_doubles_nobody(stage: TargetStage) -> Ran {
    let fault = PlatformFault::SlowsDown { after: 2 };
    trouble_in_the_middle(stage, fault, "the platform never asks to slow down").await
}

/// Where the platform is down from the middle on, nobody is lost, doubled, or refused for it.
pub async fn an_outage_in_the_middle_loses_and_doubles_nobody(stage: TargetStage) -> Ran {
    trouble_in_the_middle(stage, PlatformFault::IsDown { after: 2 }, "the platform is never down").await
}

async fn trouble_in_the_middle(stage: TargetStage, fault: PlatformFault, otherwise: &'static str) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let writes = it.platform().writes();
    it.faulty(fault.clone(), otherwise)?;
    let creates: Vec<_> = (1..=6).map(|number| create(it.person(number), false)).collect();
    let outcomes = it.patiently(carry_out_all(&target, &creates)).await;
    it.tells_the_truth(&creates, &outcomes, "a call that meets trouble");
    for outcome in &outcomes {
        let blamed = matches!(outcome, Outcome::Rejected(_) | Outcome::Conflict(_));
        assert!(!blamed, "trouble of the platform is no fault of a record, answer NotAttempted: {outcome:?}");
    }
    it.platform().clear_faults();
    let again: Vec<_> = creates
        .iter()
        .zip(&outcomes)
        .filter(|(create, _)| it.with_key(create.after.employee_id.as_str()).is_empty())
        .map(|(create, _)| create.clone())
        .collect();
    for outcome in it.patiently(carry_out_all(&target, &again)).await {
        applied(outcome, "an action that was not attempted, once the trouble is over");
    }
    for number in 1..=6 {
        it.has_one(&it.person(number), "trouble in the middle of a call");
    }
    assert_eq!(it.platform().writes() - writes, 6, "write nobody twice because of trouble");
    Ok(())
}

/// As many calls as declared may be under way at once.
pub async fn as_many_calls_as_declared_may_be_under_way(stage: TargetStage) -> Ran {
    const MOST: usize = 16;
    let it = stage.fresh().await;
    let target = it.good();
    let calls = target.capabilities().max_in_flight.get().min(MOST);
    if calls == 1 {
        return Err(NotOffered("the target declares one call at a time"));
    }
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    let each = target.capabilities().max_batch.get().min(3);
    let of_call = |call: u32| (0..).take(each).map(move |place| call * 100 + place);
    let batches: Vec<Vec<Action>> =
        (1..=calls).map(|call| of_call(call).map(|n| create(it.person(n), false)).collect()).collect();
    let answers = join_all(batches.iter().map(|batch| target.apply(batch)));
    for (call, outcomes) in (1..).zip(it.patiently(answers).await) {
        assert_eq!(outcomes.len(), each, "answer each call with its own outcomes");
        for (number, outcome) in of_call(call).zip(outcomes) {
            let member = applied(outcome, "calls at the same time");
            let raw = it.has_one(&it.person(number), "calls at the same time");
            assert_eq!(raw.id, member, "answer each call with its own outcomes");
        }
    }
    Ok(())
}

impl TargetHarness {
    /// Checks that outcomes of creates say what is on the platform: done means once, not done means not at all.
    #[track_caller]
    pub(crate) fn tells_the_truth(&self, creates: &[Action], outcomes: &[Outcome], what: &str) {
        let mut accounts_of: HashMap<EmployeeId, usize> = HashMap::new();
        for id in self.platform().members().iter().filter_map(|raw| raw.attributes.employee_id()) {
            *accounts_of.entry(id).or_default() += 1;
        }
        for (create, outcome) in creates.iter().zip(outcomes) {
            let accounts = accounts_of.get(&create.after.employee_id).copied().unwrap_or_default();
            match outcome {
                Outcome::Applied(_) | Outcome::AlreadySo(_) => {
                    assert_eq!(
                        accounts, 1,
                        "{what}: what is answered as done has to be done, once: {outcome:?}"
                    );
                }
                Outcome::InDoubt(_) => assert!(accounts < 2, "{what}: double nobody: {outcome:?}"),
                _ => {
                    assert_eq!(accounts, 0, "{what}: what is answered as not done has to be so: {outcome:?}");
                }
            }
        }
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::AlreadySo(_) => "already so",
        Outcome::Rejected(_) => "refused",
        _ if error_of(outcome).is_some() => "failed",
        _ => panic!("the suite does not know this outcome: {outcome:?}"),
    }
}

fn member_of(outcome: &Outcome) -> Option<&hris_core::MemberId> {
    match outcome {
        Outcome::Applied(member) | Outcome::AlreadySo(member) => Some(member),
        _ => None,
    }
}
