//! Behaviours of drafts and sealed plans.

use hris_core::store::{ActionState, PlanState, Settlement, StoredAction, StoredPlan};
use hris_core::{ConnectionKey, ErrorKind, PlanId, Position, Problem, rule};

use super::StoreHarness;
use super::fixture::{Fixture, ids, ok, pending, refused};
use super::sample::{at, create, creates, header, link, one_of_each, problem};

fn dismissed() -> PlanState {
    PlanState::Dismissed { actor: "somebody".to_owned() }
}

/// A draft shows its actions to whoever makes it and is no plan for anybody else.
pub async fn a_draft_is_no_plan_until_it_is_sealed(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("plan", &creates(0..2)).await;
    let found = ok(it.store.plan(&it.connection, &plan).await, "look for a plan that is a draft");
    assert_eq!(found, None, "show a plan only once it is sealed");
    let open = ok(it.store.open_plans(&it.connection).await, "list open plans beside a draft");
    assert!(open.is_empty(), "leave drafts out of the open plans");
    assert_eq!(it.actions(&plan).await, pending(&creates(0..2)), "let the maker of a draft read its actions");

    let header = header(&it.connection, &plan, 0);
    ok(it.store.seal(&it.lease, &header).await, "seal a draft");
    let sealed = StoredPlan::new(header, PlanState::Sealed);
    for store in [&it.store, &it.harness.reopen().await] {
        let found = ok(store.plan(&it.connection, &plan).await, "read a sealed plan");
        assert_eq!(found.as_ref(), Some(&sealed), "show a plan as sealed");
        let open = ok(store.open_plans(&it.connection).await, "list open plans");
        assert_eq!(open, std::slice::from_ref(&sealed), "list a sealed plan among the open ones");
    }
    assert_eq!(it.actions(&plan).await, pending(&creates(0..2)), "keep the actions when a plan is sealed");
}

/// Whatever a crashed run gathered is gone when the next one starts, under whatever id.
pub async fn a_new_draft_throws_the_old_one_away(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let kept = it.sealed("kept", 0, &creates(5..6)).await;
    let old = it.draft("old", &creates(0..3)).await;
    ok(it.store.append(&it.lease, &old, &[], &[problem(0)]).await, "append problems alone");
    for name in ["new", "new"] {
        let new = it.draft(name, &creates(3..4)).await;
        assert!(it.actions(&old).await.is_empty(), "throw the old draft's actions away");
        assert_eq!(it.actions(&new).await, pending(&creates(3..4)), "start a draft of the same id anew");
    }
    let problems =
        ok(it.store.problems(&it.connection, &old, 0, 9).await, "read problems of a plan that is gone");
    assert!(problems.is_empty(), "throw the old draft's problems away");
    let late = it.store.append(&it.lease, &old, &creates(0..1), &[]).await;
    refused(late, ErrorKind::NotFound, "to append to a draft that was thrown away");
    assert_eq!(it.actions(&kept).await, pending(&creates(5..6)), "leave sealed plans alone");
}

/// A sealed plan is never overwritten.
pub async fn the_id_of_a_sealed_plan_cannot_be_used_again(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("plan", 0, &creates(0..2)).await;
    let again = it.store.open_plan(&it.lease, &plan).await;
    refused(again, ErrorKind::Conflict, "to open a plan under the id of a sealed one");
    it.set(&plan, dismissed()).await;
    let again = it.store.open_plan(&it.lease, &plan).await;
    refused(again, ErrorKind::Conflict, "to open a plan under the id of a dismissed one");
    assert_eq!(it.actions(&plan).await.len(), 2, "leave the plan whose id was asked for alone");
}

/// Actions of every kind last with every value.
pub async fn actions_come_back_as_appended(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("plan", 0, &one_of_each()).await;
    assert_eq!(it.actions(&plan).await, pending(&one_of_each()), "keep every part of an action");
}

/// Pages continue after a position and never repeat.
pub async fn actions_are_ordered_by_rank_and_id_and_paged(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let mut actions = creates(0..25);
    for (number, action) in actions.iter_mut().enumerate() {
        // Ranks of one, two and more bytes, so that no order by text passes for an order by number.
        action.rank = [1 << 20, 9, 10, 65_536].get(number % 4).copied().unwrap_or(u32::MAX);
    }
    let plan = it.draft("plan", &actions).await;
    actions.sort_by_key(hris_core::Action::position);
    let mut seen: Vec<StoredAction> = Vec::new();
    loop {
        let after = seen.last().map(|stored| stored.action.position());
        let page = it.page(&plan, after.as_ref(), 10).await;
        assert!(page.len() <= 10, "answer at most as many actions as asked for");
        if page.is_empty() {
            break;
        }
        seen.extend(page);
        assert!(seen.len() <= actions.len(), "answer no action on two pages");
    }
    assert_eq!(
        seen,
        pending(&actions),
        "order actions by rank, then id, and continue after the position given"
    );
    let between = Position { rank: 9, id: "".into() };
    let next = it.page(&plan, Some(&between), 1).await;
    assert_eq!(
        next.first().map(|stored| stored.action.rank),
        Some(9),
        "continue after positions that no action has"
    );
    assert!(it.page(&plan, None, 0).await.is_empty(), "answer nothing when at most nothing is asked for");
}

/// Connectors deliver at least once: what is planned twice is one action, at the rank given last.
pub async fn an_action_appended_twice_is_one(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let mut actions = creates(0..2);
    let plan = it.draft("plan", &actions).await;
    if let Some(last) = actions.last_mut() {
        last.rank = 3;
    }
    ok(
        it.store.append(&it.lease, &plan, &actions, &[]).await,
        "accept actions that are in the draft already",
    );
    actions.reverse();
    assert_eq!(it.actions(&plan).await, pending(&actions), "keep an action once, at the rank given last");
}

/// What was taken back is gone; ids that were never there do no harm.
pub async fn retracted_actions_are_gone(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..4);
    let plan = it.draft("plan", &actions).await;
    let [first, rest @ ..] = actions.as_slice() else { return };
    let gone = [first.id.clone(), "never there".into(), first.id.clone()];
    ok(it.store.retract(&it.lease, &plan, &gone).await, "retract, passing over ids that are not there");
    assert_eq!(it.actions(&plan).await, pending(rest), "take retracted actions out, and no others");
}

/// Changing ranks changes the order, and what the action says of its rank.
pub async fn reranked_actions_move(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let mut actions = creates(0..3);
    let plan = it.draft("plan", &actions).await;
    let ranks: Vec<_> = ids(&actions).into_iter().zip([30, 20, 10]).collect();
    ok(it.store.rerank(&it.lease, &plan, &ranks).await, "change ranks in a draft");
    for (action, (_, rank)) in actions.iter_mut().zip(ranks) {
        action.rank = rank;
    }
    actions.reverse();
    assert_eq!(
        it.actions(&plan).await,
        pending(&actions),
        "order by the new ranks and show them in the actions"
    );
}

/// A batch with one wrong id changes no rank at all.
pub async fn reranking_an_unknown_action_changes_nothing(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..3);
    let plan = it.draft("plan", &actions).await;
    let mut ranks: Vec<_> = ids(&actions).into_iter().map(|id| (id, 5)).collect();
    ranks.push((create(9).id, 5));
    let result = it.store.rerank(&it.lease, &plan, &ranks).await;
    refused(result, ErrorKind::NotFound, "a new rank for an action that is not in the draft");
    assert_eq!(it.actions(&plan).await, pending(&actions), "undo the whole batch when one id is wrong");
}

/// Problems keep their order over several calls.
pub async fn problems_are_paged_in_the_order_appended(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let problems: Vec<_> = (0..25).map(problem).collect();
    let plan = it.draft("plan", &[]).await;
    for batch in problems.chunks(10) {
        ok(it.store.append(&it.lease, &plan, &[], batch).await, "append problems");
    }
    ok(it.store.seal(&it.lease, &header(&it.connection, &plan, 0)).await, "seal a draft without actions");
    let mut seen: Vec<Problem> = Vec::new();
    loop {
        let page = it.store.problems(&it.connection, &plan, seen.len() as u64, 10).await;
        let page = ok(page, "page through problems");
        assert!(page.len() <= 10, "answer at most as many problems as asked for");
        if page.is_empty() {
            break;
        }
        seen.extend(page);
        assert!(seen.len() <= problems.len(), "answer no problem on two pages");
    }
    assert_eq!(
        seen, problems,
        "answer problems in the order in which they were appended, from the number given"
    );
}

/// Every part of a header lasts.
pub async fn a_header_comes_back_as_sealed(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("plan", 7, &[]).await;
    let found = ok(it.harness.reopen().await.plan(&it.connection, &plan).await, "read a sealed plan");
    let header = header(&it.connection, &plan, 7);
    assert_eq!(
        found.map(|plan| plan.header),
        Some(header),
        "keep every part of a header, times to the digit"
    );
}

/// A header that says it is of another connection is not stored under this one.
pub async fn a_header_of_another_connection_is_refused(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("plan", &creates(0..1)).await;
    let foreign = header(&ConnectionKey::new("calma", "hr"), &plan, 0);
    refused(it.store.seal(&it.lease, &foreign).await, ErrorKind::Invalid, "a header of another connection");
    let found = ok(it.store.plan(&it.connection, &plan).await, "look for a plan that is a draft");
    assert_eq!(found, None, "leave the draft a draft when its header is refused");
}

/// What was reviewed stays what it was.
pub async fn a_sealed_plan_takes_no_changes(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let actions = creates(0..2);
    let plan = it.sealed("plan", 0, &actions).await;
    let before = it.contents(&[]).await;
    let results = [
        ("append", it.store.append(&it.lease, &plan, &[create(5)], &[problem(0)]).await),
        ("retract", it.store.retract(&it.lease, &plan, &ids(&actions)).await),
        ("rerank", it.store.rerank(&it.lease, &plan, &[(create(0).id, 1)]).await),
        ("seal", it.store.seal(&it.lease, &header(&it.connection, &plan, 9)).await),
    ];
    for (name, result) in results {
        refused(result, ErrorKind::Stale, &format!("`{name}` for a plan that is sealed"));
    }
    assert_eq!(it.contents(&[]).await, before, "change nothing about a plan that is sealed");
}

/// Asking for a plan that is not there finds nothing; writing to it is an error.
pub async fn a_plan_that_is_not_there_is_empty_and_takes_nothing(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let nowhere = PlanId::from("nowhere");
    assert!(it.actions(&nowhere).await.is_empty(), "answer no actions for a plan that is not there");
    let problems = ok(it.store.problems(&it.connection, &nowhere, 0, 9).await, "read problems of no plan");
    assert!(problems.is_empty(), "answer no problems for a plan that is not there");
    let found = ok(it.store.plan(&it.connection, &nowhere).await, "look for a plan that is not there");
    assert_eq!(found, None, "answer None for a plan that is not there");
    let settlement = Settlement::done(create(0).id, link(0));
    let results = [
        ("append", it.store.append(&it.lease, &nowhere, &[], &[]).await),
        ("retract", it.store.retract(&it.lease, &nowhere, &[]).await),
        ("rerank", it.store.rerank(&it.lease, &nowhere, &[]).await),
        ("seal", it.store.seal(&it.lease, &header(&it.connection, &nowhere, 0)).await),
        ("set_plan_state", it.store.set_plan_state(&it.lease, &nowhere, &PlanState::Applying).await),
        ("begin", it.store.begin(&it.lease, &nowhere, &[]).await),
        ("settle", it.store.settle(&it.lease, &nowhere, &[settlement]).await),
    ];
    for (name, result) in results {
        refused(result, ErrorKind::NotFound, &format!("`{name}` for a plan that is not there"));
    }
    assert!(it.links().await.is_empty(), "write no link when its plan is not there");
}

/// Plans that wait are listed by age; final ones are not listed.
pub async fn open_plans_come_oldest_first(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for (name, minutes) in [("b", 2), ("c", 3), ("a", 1), ("d", 4), ("e", 5)] {
        it.sealed(name, minutes, &[]).await;
    }
    it.set(&"b".into(), PlanState::Applied).await;
    it.set(&"d".into(), dismissed()).await;
    it.set(&"e".into(), PlanState::Applying).await;
    let open = ok(it.store.open_plans(&it.connection).await, "list open plans");
    let names: Vec<_> = open.iter().map(|plan| plan.header.id.as_str()).collect();
    assert_eq!(names, ["a", "c", "e"], "list sealed plans that are not final by the time in their header");
}

/// Each state lasts with what it says.
pub async fn a_plan_goes_through_its_states(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("plan", 0, &[]).await;
    let released = PlanState::Released { actor: "Ola \u{201c}the boss\u{201d}".to_owned(), until: at(30) };
    for state in [released, PlanState::Applying, PlanState::Sealed, PlanState::Applying, PlanState::Applied] {
        it.set(&plan, state.clone()).await;
        let reopened = it.harness.reopen().await;
        let found = ok(reopened.plan(&it.connection, &plan).await, "read a plan");
        assert_eq!(found.map(|plan| plan.state), Some(state), "keep the state last set, with all it says");
    }
}

/// What was applied or dismissed is never opened again.
pub async fn a_final_plan_stays_final(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for (name, last) in [("applied", PlanState::Applied), ("dismissed", dismissed())] {
        let plan = it.sealed(name, 0, &creates(0..1)).await;
        it.set(&plan, last.clone()).await;
        let other = PlanState::Dismissed { actor: "somebody else".to_owned() };
        for state in [PlanState::Sealed, PlanState::Applying, other] {
            let result = it.store.set_plan_state(&it.lease, &plan, &state).await;
            refused(result, ErrorKind::Stale, "a move out of a final state");
        }
        let found = ok(it.store.plan(&it.connection, &plan).await, "read a final plan");
        assert_eq!(found.map(|plan| plan.state), Some(last), "leave a final state as it was");
    }
}

/// A draft becomes a plan by sealing alone, can be given up, and nothing becomes a draft again.
pub async fn a_draft_changes_state_only_by_sealing_or_dismissal(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("plan", &creates(0..1)).await;
    for state in [PlanState::Sealed, PlanState::Applying, PlanState::Applied] {
        let result = it.store.set_plan_state(&it.lease, &plan, &state).await;
        refused(result, ErrorKind::Stale, "a move of a draft by anything but sealing or dismissal");
    }
    it.set(&plan, dismissed()).await;
    assert!(it.actions(&plan).await.is_empty(), "throw a dismissed draft away, values and all");
    let sealed = it.sealed("plan", 0, &creates(0..1)).await;
    let back = it.store.set_plan_state(&it.lease, &sealed, &PlanState::Draft).await;
    refused(back, ErrorKind::Invalid, "a move of a sealed plan back to a draft");
}

/// Nothing personal outlives the plan that needed it.
pub async fn dismissal_erases_the_values_of_what_was_not_carried_out(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for (name, last) in [("applied", PlanState::Applied), ("dismissed", dismissed())] {
        let actions = one_of_each();
        let plan = it.sealed(name, 0, &actions).await;
        it.begin(&plan, actions.get(..2).unwrap_or_default()).await;
        let refusal = Problem::error(rule::MEMBER_REJECTED, "refused");
        let failed = actions
            .first()
            .map(|first| Settlement::new(first.id.clone(), ActionState::Failed(refusal.clone())));
        it.settle(&plan, failed.as_slice()).await;
        it.set(&plan, last).await;
        let states = [ActionState::Failed(refusal), ActionState::Begun, ActionState::Pending];
        let states = states.iter().chain(std::iter::repeat(&ActionState::Pending));
        let mut expected: Vec<_> = actions
            .into_iter()
            .zip(states)
            .map(|(action, state)| StoredAction::new(action, state.clone()))
            .collect();
        expected.iter_mut().for_each(StoredAction::erase);
        let found = it.actions(&plan).await;
        assert_eq!(
            found, expected,
            "keep state and identity of each action of a final plan, and erase its values"
        );
    }
}
