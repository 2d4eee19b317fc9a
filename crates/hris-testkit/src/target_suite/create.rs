//! Behaviours of creating members: once, invited as declared, and never against somebody else's unique values.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use hris_core::{Attributes, Invitations, Outcome, TargetField, Value};

use super::harness::Planted;
use super::script::{
    address, adopt, applied, carry_out, conflict, create, has, key, leave, reactivate, update,
};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

/// A create that is sent again makes no second account, whatever is answered.
pub async fn creating_twice_never_doubles(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let mut target = it.good();
    let member = it.joined(&target, 1).await;
    for built_anew in [false, true] {
        if built_anew {
            // The first has to go before: a platform may be somebody's alone.
            drop(target);
            target = it.good();
        }
        let again = carry_out(&target, create(it.person(1), false)).await;
        match again {
            Outcome::Applied(id) | Outcome::AlreadySo(id) => {
                assert_eq!(id, member, "a create of somebody who is there is the same member");
            }
            Outcome::Conflict(_) => {}
            other => panic!("a create of somebody who is there is done already, or a conflict: {other:?}"),
        }
        let raw = it.has_one(&it.person(1), "a create that is sent twice");
        assert_eq!(raw.id, member, "a create that is sent twice leaves the first account alone");
    }
    Ok(())
}

/// One invitation for each create as declared and asked; none for anything else.
pub async fn invitations_are_sent_as_declared_and_only_on_create(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let declared = target.capabilities().invitations;
    let cases: &[(bool, u64)] = match declared {
        Invitations::Never => &[(false, 0)],
        Invitations::AlwaysOnCreate => &[(true, 1)],
        Invitations::PerRecord => &[(false, 0), (true, 1)],
        _ => return Err(NotOffered("the suite does not know this way of inviting")),
    };
    for (number, (invite, sent)) in (1..).zip(cases) {
        let member = applied(carry_out(&target, create(it.person(number), *invite)).await, "a create");
        let invited = |what: &str| {
            let invitations = it.raw(&member, what).invitations;
            assert_eq!(
                invitations, *sent,
                "{what}: the target declares {declared:?}, and the create said invite: {invite}"
            );
        };
        invited("a create");
        for (action, what) in [
            (update(number, &member, it.second(0)), "an update invites nobody"),
            (update(number, &member, new_address(number)), "a changed address invites nobody"),
            (leave(number, &member), "a leaver is not invited"),
            (reactivate(number, &member, it.second(1)), "a returner is not invited again"),
            (adopt(number, &member, it.person(number), false), "an account that is linked is not invited"),
        ] {
            applied(carry_out(&target, action).await, what);
            invited(what);
        }
    }
    Ok(())
}

/// A create for an address that somebody else has is a conflict, and leaves them alone.
pub async fn somebody_elses_address_is_a_conflict(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    if it.shares_addresses() {
        return Err(NotOffered("members of this platform may share an address"));
    }
    let foreign = it.planted(&Planted::new(it.person(1)).with_other(), CANNOT_PLANT)?;
    let before = it.raw(&foreign, "an account made by hand");
    let target = it.good();
    for taken in [address(1), address(1).to_uppercase()] {
        let create = create(it.person_with(&key(2), &taken), false);
        conflict(carry_out(&target, create).await, "a create for an address that somebody else has");
        assert_eq!(it.with_key(&key(2)).len(), 0, "create nobody whose address somebody else has");
        assert_eq!(it.raw(&foreign, "a conflict"), before, "a conflict leaves the other account alone");
    }
    Ok(())
}

/// A create for an Employee ID that another account has, with another address, is a conflict, and leaves it alone.
pub async fn somebody_elses_employee_id_is_a_conflict(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let foreign = it.planted(&Planted::new(it.person(1)).with_other(), CANNOT_PLANT)?;
    let before = it.raw(&foreign, "an account made by hand");
    let target = it.good();
    let create = create(it.person_with(&key(1), &address(2)), false);
    conflict(carry_out(&target, create).await, "a create for an Employee ID that another account has");
    assert_eq!(it.with_key(&key(1)), [before], "a conflict makes no account and leaves the other one alone");
    Ok(())
}

/// Two accounts with one Employee ID: a create with it is a conflict, never a third and never a pick.
pub async fn two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    for number in [1, 2] {
        let account = Planted::new(it.person_with(&key(7), &address(number)));
        it.planted(&account, "two accounts with one Employee ID cannot be made by hand")?;
    }
    let before = it.with_key(&key(7));
    let target = it.good();
    for number in [1, 3] {
        let create = create(it.person_with(&key(7), &address(number)), false);
        conflict(carry_out(&target, create).await, "a create for an Employee ID that two accounts have");
        assert_eq!(
            it.with_key(&key(7)),
            before,
            "neither of two accounts is picked, changed or joined by a third"
        );
    }
    // Whoever says which of them is meant may be obeyed, but the other one stays as it is.
    let [first, second] = &before[..] else { panic!("the harness made {} accounts of two", before.len()) };
    let outcome = carry_out(&target, update(7, &second.id, it.second(0))).await;
    let carried_out = match outcome {
        Outcome::Applied(_) => true,
        Outcome::Conflict(_) => false,
        other => panic!("an update of one of two accounts is carried out or a conflict, not {other:?}"),
    };
    assert_eq!(&it.raw(&first.id, "the other of two"), first, "an update is about the member it names");
    let changed = has(&it.raw(&second.id, "one of two").attributes, &it.second(0));
    assert_eq!(changed, carried_out, "an update of one of two accounts is carried out or a conflict");
    Ok(())
}

const CANNOT_PLANT: &str = "accounts cannot be made by hand";

fn new_address(number: u32) -> Attributes {
    super::script::one(&TargetField::EMAIL, Some(Value::Text(address(number + 900))))
}
