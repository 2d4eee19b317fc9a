//! Behaviours of leaving and coming back: closed and never deleted, the same member again, and anew after the end.

use std::time::Duration;

use hris_core::MemberQuery;

use super::harness::Planted;
use super::script::{
    already_so, applied, carry_out, create, error_of, has, leave, look_up, nothing, reactivate,
};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A leaver's account is closed in one write, with everything in it, and not deleted.
pub async fn a_leaver_is_closed_and_never_deleted(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let (member, other) = (it.joined(&target, 1).await, it.joined(&target, 2).await);
    let writes = it.platform().writes();
    let left = applied(carry_out(&target, leave(1, &member)).await, "a leaver");
    assert_eq!(left, member, "answer the member that was closed");
    assert_eq!(it.platform().writes(), writes + 1, "closing an account is one write");
    let raw = it.raw(&member, "close the account of a leaver, never delete it");
    assert!(!raw.active, "close the account of a leaver");
    assert!(has(&raw.attributes, &it.person(1)), "keep what a leaver's account has");
    assert!(it.raw(&other, "somebody else").active, "close nobody else");
    Ok(())
}

/// Who has left already is not closed again, and the day of the deletion does not move.
pub async fn leaving_twice_writes_once(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    applied(carry_out(&target, leave(1, &member)).await, "a leaver");
    let query = MemberQuery::Id(member.clone());
    let (writes, before) = (it.platform().writes(), look_up(&target, &query).await?);
    it.clock().advance(DAY);
    already_so(carry_out(&target, leave(1, &member)).await, "a leaver who has left already");
    assert_eq!(it.platform().writes(), writes, "write nothing for who has left already");
    let days = |found: &[hris_core::MemberRecord]| found.iter().map(|it| it.closes_on).collect::<Vec<_>>();
    let after = look_up(&target, &query).await?;
    assert_eq!(days(&after), days(&before), "leaving twice does not put the day of deletion off");
    Ok(())
}

/// Who comes back is the same member, in one write, with what changed meanwhile.
pub async fn a_returner_is_the_same_member(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    for changes in [nothing(), it.second(0)] {
        applied(carry_out(&target, leave(1, &member)).await, "a leaver");
        it.clock().advance(DAY);
        let writes = it.platform().writes();
        let back = applied(carry_out(&target, reactivate(1, &member, changes.clone())).await, "a returner");
        assert_eq!(back, member, "a returner is the same member");
        assert_eq!(it.platform().writes(), writes + 1, "opening an account is one write, changes included");
        let mut wanted = it.person(1);
        wanted.merge(&changes);
        let raw = it.has_one(&wanted, "a returner");
        assert!(raw.active, "open the account of a returner");
        for found in look_up(&target, &MemberQuery::Id(member.clone())).await? {
            assert!(found.active && found.closes_on.is_none(), "an open account has no day of deletion");
        }
    }
    Ok(())
}

/// An account that was there is linked as it is: attributes put right, opened if asked, in one write.
pub async fn an_account_that_was_there_is_put_right_and_opened(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let account = Planted::new(it.person(1)).closed();
    let member = it.planted(&account, "accounts cannot be made by hand")?;
    let target = it.good();
    let writes = it.platform().writes();
    let adopt = super::script::adopt(1, &member, it.second(0), true);
    let linked = applied(carry_out(&target, adopt).await, "linking an account");
    assert_eq!(linked, member, "an account that is linked stays the same member");
    assert_eq!(it.platform().writes(), writes + 1, "linking an account is one write");
    let mut wanted = it.person(1);
    wanted.merge(&it.second(0));
    let raw = it.has_one(&wanted, "an account that is linked");
    assert!(raw.active, "open an account that is to be opened");
    Ok(())
}

/// The days that the capabilities declare are the days that leavers have: the same member before, a new one after.
pub async fn the_close_down_lasts_as_long_as_declared(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let days =
        target.capabilities().close_down_days.ok_or(NotOffered("the target declares no close-down"))?;
    let member = it.joined(&target, 1).await;
    applied(carry_out(&target, leave(1, &member)).await, "a leaver");
    let query = MemberQuery::Id(member.clone());
    let until = it.today().checked_add_days(chrono::Days::new(days.into()));
    for found in look_up(&target, &query).await? {
        assert!(
            found.closes_on.is_none() || found.closes_on == until,
            "declare the day that the platform has"
        );
    }
    it.clock().advance(DAY * days.saturating_sub(1));
    let back = carry_out(&target, reactivate(1, &member, nothing())).await;
    assert_eq!(applied(back, "a return on the last day"), member, "until the last day it is the same member");

    applied(carry_out(&target, leave(1, &member)).await, "a leaver");
    it.clock().advance(DAY * (days + 1));
    if it.platform().members().iter().any(|raw| raw.id == member) {
        return Err(NotOffered("the harness's platform deletes nobody when the close-down is over"));
    }
    assert!(look_up(&target, &query).await?.is_empty(), "a member who was deleted is not found");
    let late = carry_out(&target, reactivate(1, &member, nothing())).await;
    assert!(error_of(&late).is_some(), "a member who was deleted cannot be opened: {late:?}");
    let anew =
        applied(carry_out(&target, create(it.person(1), false)).await, "a return after the close-down");
    assert_ne!(anew, member, "after the close-down it is a new member");
    it.has_one(&it.person(1), "a return after the close-down");
    Ok(())
}
