//! Behaviours of building a target and of its token: when it asks, and what a token that is too weak leads to.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use futures_util::StreamExt as _;
use hris_core::{ActionKind, Error, ErrorKind, Outcome};

use super::harness::TargetCase;
use super::script::{carry_out_all, create, error_of, leave, look_up, queries, update};
use super::stage::TargetStage;
use crate::sample_action;
use crate::suite::{NotOffered, Ran, chain, debug};

/// Building a target, looking at it, and calls that nobody polls send nothing.
pub async fn nothing_is_sent_before_the_first_poll(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let before = it.platform().asked().ok_or(NotOffered("the harness does not count what arrives"))?;
    let target = it.good();
    let _ = (debug(&target), target.capabilities());
    let (actions, [query, ..]) = ([create(it.person(1), false)], queries(1, &"1".into()));
    drop((target.apply(&actions), target.find(&query), target.roster()));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(it.platform().asked(), Some(before), "send nothing before a call is polled");
    assert_eq!(it.platform().writes(), 0, "write nothing before a call is polled");
    Ok(())
}

/// A token that the platform refuses is [`ErrorKind::Unauthorized`] whatever is asked, and nothing is written.
pub async fn a_wrong_token_is_unauthorized(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let member = it.joined(&it.good(), 1).await;
    let writes = it.platform().writes();
    let target = it.built(TargetCase::WrongToken, "the harness builds no target with a wrong token")?;
    for query in queries(1, &member) {
        match it.patiently(target.find(&query)).await {
            Ok(found) => panic!("a look-up with a wrong token has to fail; it found {} members", found.len()),
            Err(error) => unauthorized(&error),
        }
    }
    if let Some(mut roster) = target.roster() {
        match it.patiently(roster.next()).await {
            Some(Err(error)) => unauthorized(&error),
            other => panic!("a roster with a wrong token has to begin with the error: {other:?}"),
        }
    }
    let actions = [create(it.person(2), false), update(1, &member, it.second(0)), leave(1, &member)];
    for outcome in it.patiently(carry_out_all(&target, &actions)).await {
        unauthorized(refused(&outcome, "with a wrong token"));
    }
    assert_eq!(it.platform().writes(), writes, "write nothing with a wrong token");
    Ok(())
}

/// A token that may only read finds and lists; every action with it is answered with a typed error, and nothing is
/// written.
pub async fn a_read_only_token_reads_and_is_told_apart_when_it_is_to_write(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let good = it.good();
    let member = it.joined(&good, 1).await;
    drop(good);
    let (writes, before) = (it.platform().writes(), it.platform().members());
    let target = it.built(TargetCase::ReadOnly, "the harness builds no target that may only read")?;
    let [by_id, ..] = queries(1, &member);
    assert_eq!(look_up(&target, &by_id).await?.len(), 1, "find members with a token that may read");
    let adopt = ActionKind::Adopt { changes: it.second(0), reopen: false };
    let actions = [
        create(it.person(2), false),
        update(1, &member, it.second(0)),
        sample_action(super::script::key(1), Some(member.clone()), adopt),
        leave(1, &member),
    ];
    for outcome in it.patiently(carry_out_all(&target, &actions)).await {
        let error = refused(&outcome, "with a token that may only read");
        assert!(
            matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unsupported),
            "tell a missing permission to write from other failures: {error:?}"
        );
        hopeless(error);
    }
    assert_eq!(it.platform().writes(), writes, "write nothing with a token that may only read");
    assert_eq!(it.platform().members(), before, "change nothing with a token that may only read");
    Ok(())
}

/// The error of an action that must not have been carried out, and is nobody's fault but the token's.
#[track_caller]
fn refused<'o>(outcome: &'o Outcome, what: &str) -> &'o Error {
    match outcome {
        Outcome::NotAttempted(_) | Outcome::Rejected(_) => {}
        other => panic!("an action {what} is not carried out, and that is certain; answer so, not {other:?}"),
    }
    error_of(outcome).unwrap_or_else(|| panic!("an action {what} has to fail"))
}

#[track_caller]
fn unauthorized(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "tell a refused token from other failures: {error:?}");
    hopeless(error);
}

#[track_caller]
fn hopeless(error: &Error) {
    assert!(!error.is_retryable(), "trying again does not make a token better: {error:?}");
    let said = chain(error);
    assert!(error.hint().is_some(), "say what to do about the token: {said}");
}
