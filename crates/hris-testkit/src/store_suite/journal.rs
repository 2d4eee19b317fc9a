//! Behaviours of the journal: what is written before and after an action is sent.

use hris_core::store::{ActionState, PlanState, Settlement, StoredAction};
use hris_core::{Action, ErrorKind, Problem, rule};

use super::StoreHarness;
use super::fixture::{Fixture, done, ids, in_state, ok, pending, refused};
use super::sample::{create, creates, link, one_of_each, record};

fn failed() -> ActionState {
    ActionState::Failed(Problem::error(rule::MEMBER_REJECTED, "refused"))
}

/// After a crash it is known what may have been sent, with the values needed to find out.
pub async fn what_was_begun_is_known_after_reopening(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = one_of_each();
    let plan = it.sealed("plan", 0, &actions).await;
    it.set(&plan, PlanState::Applying).await;
    let (sent, rest) = actions.split_at(2);
    it.begin(&plan, sent).await;
    let reopened = it.harness.reopen().await;
    let found = reopened.actions(&it.connection, &plan, None, 9).await;
    let found = ok(found, "read actions after reopening");
    let expected: Vec<_> = in_state(sent, &ActionState::Begun).into_iter().chain(pending(rest)).collect();
    assert_eq!(found, expected, "write down what was begun, values and all, before `begin` returns");
    it.begin(&plan, sent).await;
    assert_eq!(it.actions(&plan).await, expected, "accept the beginning of what was begun already");
}

/// There is no outcome without its link and no link without its outcome.
pub async fn an_outcome_and_its_link_are_written_together(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..3);
    let plan = it.sealed("plan", 0, &actions).await;
    it.begin(&plan, &actions).await;
    let [first, second, third] = actions.as_slice() else { return };
    let outcomes = [done(first, &link(0)), Settlement::new(second.id.clone(), failed())];
    it.settle(&plan, &outcomes).await;
    assert_eq!(it.state(&plan, first).await, Some(ActionState::Done), "write the outcome of each settlement");
    assert_eq!(it.state(&plan, second).await, Some(failed()), "keep the problem of an action that failed");
    assert_eq!(it.state(&plan, third).await, Some(ActionState::Begun), "leave other actions as they were");
    assert_eq!(it.links().await, [link(0)], "write the link of each settlement that has one");
    it.settle(&plan, &[]).await;
}

/// A batch with one wrong settlement writes nothing of the right ones.
pub async fn one_wrong_settlement_undoes_its_batch(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..3);
    let plan = it.sealed("plan", 0, &actions).await;
    it.begin(&plan, &actions).await;
    let [first, second, third] = actions.as_slice() else { return };
    it.settle(&plan, &[Settlement::new(third.id.clone(), ActionState::Done)]).await;
    let right = done(first, &link(0));
    let begun = Settlement::new(second.id.clone(), ActionState::Begun);
    let wrong = [
        (
            done(&create(9), &link(9)),
            ErrorKind::NotFound,
            "the outcome of an action that the plan does not have",
        ),
        (done(third, &link(2)), ErrorKind::Stale, "a second outcome of an action that is final"),
        (right.clone(), ErrorKind::Stale, "two outcomes of one action in a batch"),
        (begun, ErrorKind::Invalid, "a settlement to `Begun`"),
    ];
    let before = it.contents(&[]).await;
    for (wrong, kind, what) in wrong {
        let result = it.store.settle(&it.lease, &plan, &[right.clone(), wrong]).await;
        refused(result, kind, what);
        assert_eq!(it.contents(&[]).await, before, "undo the whole batch, links and all, after {what}");
    }
}

/// A batch with one wrong beginning begins none of the right ones.
pub async fn one_wrong_beginning_undoes_its_batch(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..2);
    let plan = it.sealed("plan", 0, &actions).await;
    let mut batch = ids(&actions);
    batch.push(create(9).id);
    let result = it.store.begin(&it.lease, &plan, &batch).await;
    refused(result, ErrorKind::NotFound, "the beginning of an action that the plan does not have");
    assert_eq!(it.actions(&plan).await, pending(&actions), "undo the whole batch when one id is wrong");
}

/// Whatever the kind and however it ended: identity stays, values go.
pub async fn a_final_action_has_no_values_left(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let doubt = ActionState::Uncertain(Problem::error(rule::ACTION_UNCERTAIN, "no answer"));
    for (name, state) in [("done", ActionState::Done), ("failed", failed()), ("uncertain", doubt)] {
        let actions = one_of_each();
        let plan = it.sealed(name, 0, &actions).await;
        it.begin(&plan, &actions).await;
        let (ended, rest) = actions.split_at(4);
        let outcomes: Vec<_> = ids(ended).into_iter().map(|id| Settlement::new(id, state.clone())).collect();
        it.settle(&plan, &outcomes).await;
        let mut expected = in_state(ended, &state);
        expected.iter_mut().for_each(StoredAction::erase);
        expected.extend(in_state(rest, &ActionState::Begun));
        let found = it.actions(&plan).await;
        assert_eq!(found, expected, "erase exactly the values of final actions (StoredAction::erase)");
    }
}

/// An action that provably was not sent keeps its values and is sent later.
pub async fn an_action_that_was_not_sent_goes_back_to_pending(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..1);
    let plan = it.sealed("plan", 0, &actions).await;
    let back: Vec<_> =
        ids(&actions).into_iter().map(|id| Settlement::new(id, ActionState::Pending)).collect();
    for _ in 0..2 {
        it.begin(&plan, &actions).await;
        it.settle(&plan, &back).await;
        assert_eq!(
            it.actions(&plan).await,
            pending(&actions),
            "keep the values of what goes back to pending"
        );
    }
}

/// Never twice: an end is an end.
pub async fn a_final_action_is_neither_begun_nor_settled_again(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let doubt = ActionState::Uncertain(Problem::error(rule::ACTION_UNCERTAIN, "no answer"));
    let actions = creates(0..3);
    let plan = it.sealed("plan", 0, &actions).await;
    let ends = actions.iter().zip([ActionState::Done, failed(), doubt]);
    let ends: Vec<_> = ends.map(|(action, state)| Settlement::new(action.id.clone(), state)).collect();
    it.settle(&plan, &ends).await;
    let before = it.contents(&[]).await;
    for action in &actions {
        let one: &[Action] = std::slice::from_ref(action);
        let begun = it.store.begin(&it.lease, &plan, &ids(one)).await;
        refused(begun, ErrorKind::Stale, "the beginning of an action that is final");
        for state in [ActionState::Done, ActionState::Pending] {
            let again = [Settlement::new(action.id.clone(), state)];
            let settled = it.store.settle(&it.lease, &plan, &again).await;
            refused(settled, ErrorKind::Stale, "another outcome of an action that is final");
        }
    }
    assert_eq!(it.contents(&[]).await, before, "leave final actions as they are");
}

/// What is skipped, since its precondition no longer holds, is never sent.
pub async fn an_action_can_end_without_having_begun(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..1);
    let plan = it.sealed("plan", 0, &actions).await;
    let outcomes: Vec<_> = ids(&actions).into_iter().map(|id| Settlement::new(id, failed())).collect();
    it.settle(&plan, &outcomes).await;
    let states: Vec<_> = it.actions(&plan).await.into_iter().map(|stored| stored.state).collect();
    assert_eq!(states, [failed()], "settle actions that were never begun");
}

/// Neither a draft nor a plan that was given up is carried out.
pub async fn only_a_live_plan_is_carried_out(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let applied = it.sealed("applied", 0, &creates(0..1)).await;
    it.set(&applied, PlanState::Applied).await;
    let dismissed = it.sealed("dismissed", 0, &creates(0..1)).await;
    it.set(&dismissed, PlanState::Dismissed { actor: "somebody".to_owned() }).await;
    let draft = it.draft("draft", &creates(0..1)).await;
    let plans = [(&draft, "a draft"), (&applied, "an applied plan"), (&dismissed, "a dismissed plan")];
    for (plan, what) in plans {
        let begun = it.store.begin(&it.lease, plan, &ids(&creates(0..1))).await;
        refused(begun, ErrorKind::Stale, &format!("to begin an action of {what}"));
        let settled = it.store.settle(&it.lease, plan, &[done(&create(0), &link(0))]).await;
        refused(settled, ErrorKind::Stale, &format!("to settle an action of {what}"));
    }
    let link = ok(it.store.links_of(&it.connection, &[record(0)]).await, "look a link up");
    assert_eq!(link, [None], "write no link for a plan that is not carried out");
}
