//! Behaviours of updates: exactly what is given is changed, and nothing is written without need.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use hris_core::{Attributes, ErrorKind, MemberQuery, Outcome, TargetField, Value};

use super::harness::Planted;
use super::script::{
    address, already_so, applied, carry_out, conflict, email, error_of, has, key, leave, look_up, nothing,
    one, park, reactivate, supported, update,
};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

/// An update changes the attributes that it gives and no others, in one write.
pub async fn only_the_given_attributes_are_changed(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let (member, other) = (it.joined(&target, 1).await, it.joined(&target, 2).await);
    let bystander = it.raw(&other, "somebody else");
    let writes = it.platform().writes();
    let updated = applied(carry_out(&target, update(1, &member, it.second(0))).await, "an update");
    assert_eq!(updated, member, "answer the member that was updated");
    let mut wanted = it.person(1);
    wanted.merge(&it.second(0));
    it.has_one(&wanted, "an update of one attribute");
    assert_eq!(it.platform().writes(), writes + 1, "an update is one write");
    assert_eq!(it.raw(&other, "somebody else"), bystander, "an update is about the member it names");
    Ok(())
}

/// An attribute that is given without a value is emptied, and the others stay.
pub async fn what_is_to_be_cleared_is_cleared(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let cleared = one(&it.field(0), None);
    let outcome = carry_out(&target, update(1, &member, cleared.clone())).await;
    let outcome = supported(outcome, "the platform cannot empty an attribute")?;
    applied(outcome, "an update that empties an attribute");
    let mut wanted = it.person(1);
    wanted.set(it.field(0), None);
    it.has_one(&wanted, "an attribute that is to be emptied");
    for found in look_up(&target, &MemberQuery::Id(member.clone())).await? {
        assert_eq!(found.attributes.get(&it.field(0)).flatten(), None, "an emptied attribute has no value");
    }
    let again = carry_out(&target, update(1, &member, cleared)).await;
    already_so(again, "an update that empties what is empty");
    Ok(())
}

/// What an account has and the target does not know survives every kind of action.
pub async fn what_the_target_does_not_know_is_kept(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let account = Planted::new(it.person(1)).with_other();
    let member = it.planted(&account, "accounts cannot be made by hand")?;
    let before = it.raw(&member, "an account made by hand").other;
    if before.is_empty() {
        return Err(NotOffered("accounts made by hand have nothing that the target does not know"));
    }
    let target = it.good();
    let adopt = |changes| super::script::adopt(1, &member, changes, false);
    for (action, what) in [
        (adopt(it.second(0)), "linking"),
        (update(1, &member, it.second(1)), "an update"),
        (leave(1, &member), "closing"),
        (reactivate(1, &member, it.person(1)), "opening"),
    ] {
        applied(carry_out(&target, action).await, what);
        let other = it.raw(&member, what).other;
        assert_eq!(other, before, "{what}: keep what the account has beside the attributes you write");
    }
    Ok(())
}

/// What somebody edited on the platform stays, except for what the update gives.
pub async fn an_edit_by_hand_stays_unless_it_is_overwritten(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    if !it.platform().edit(&member, &it.second(1)) {
        return Err(NotOffered("accounts cannot be changed by hand"));
    }
    applied(carry_out(&target, update(1, &member, it.second(0))).await, "an update after an edit by hand");
    let mut wanted = it.person(1);
    wanted.merge(&it.second(0));
    wanted.merge(&it.second(1));
    it.has_one(&wanted, "an edit by hand of what the update does not give");
    let back = one(&it.field(1), it.person(1).get(&it.field(1)).flatten().cloned());
    applied(
        carry_out(&target, update(1, &member, back.clone())).await,
        "an update that undoes an edit by hand",
    );
    wanted.merge(&back);
    it.has_one(&wanted, "an edit by hand of what the update gives");
    Ok(())
}

/// An update that would change nothing is answered with `AlreadySo`, and not written.
pub async fn what_is_already_so_is_not_written(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let (writes, before) = (it.platform().writes(), it.platform().members());
    let adopt = super::script::adopt(1, &member, it.person(1), true);
    for (action, what) in [
        (update(1, &member, it.person(1)), "an update with what is there"),
        (update(1, &member, nothing()), "an update with nothing"),
        (adopt, "linking an open account that is as it should be"),
        (reactivate(1, &member, nothing()), "opening an open account"),
    ] {
        let answered = already_so(carry_out(&target, action).await, what);
        assert_eq!(answered, member, "{what}: answer the member");
        assert_eq!(it.platform().writes(), writes, "{what}: write nothing");
    }
    assert_eq!(it.platform().members(), before, "change nothing where there is nothing to do");
    Ok(())
}

/// Another address, even one that differs in case alone, is the same member.
pub async fn a_changed_address_is_the_same_member(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    for new in [address(2), address(2).replace("persona", "Persona")] {
        let changes = one(&TargetField::EMAIL, Some(new.as_str().into()));
        let outcome = carry_out(&target, update(1, &member, changes)).await;
        let outcome = supported(outcome, "the platform cannot change an address")?;
        assert_eq!(
            applied(outcome, "an update of the address"),
            member,
            "another address is the same member"
        );
        it.has_one(&it.person_with(&key(1), &new), "another address");
        let found = look_up(&target, &MemberQuery::Email(email(&new))).await?;
        assert_eq!(found.len(), 1, "find a member by the new address");
    }
    let old = look_up(&target, &MemberQuery::Email(email(&address(1)))).await?;
    assert!(old.is_empty(), "find nobody by an address that is given up");
    Ok(())
}

/// Another Employee ID is the same member, and the old one is free.
pub async fn a_changed_employee_id_is_the_same_member(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let changes = one(&TargetField::EMPLOYEE_ID, Some(Value::Text(key(2))));
    let outcome = carry_out(&target, update(1, &member, changes)).await;
    let outcome = supported(outcome, "the platform cannot change an Employee ID")?;
    assert_eq!(
        applied(outcome, "an update of the Employee ID"),
        member,
        "another Employee ID is the same member"
    );
    it.has_one(&it.person_with(&key(2), &address(1)), "another Employee ID");
    assert!(it.with_key(&key(1)).is_empty(), "an Employee ID that is given up is free");
    let old = look_up(&target, &MemberQuery::EmployeeId(key(1).into())).await?;
    assert!(old.is_empty(), "find nobody by an Employee ID that is given up");
    Ok(())
}

/// An update to what is unique and somebody else's is a conflict, and changes neither.
pub async fn taking_over_somebody_elses_address_is_a_conflict(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    if it.shares_addresses() {
        return Err(NotOffered("members of this platform may share an address"));
    }
    let target = it.good();
    let member = it.joined(&target, 1).await;
    it.joined(&target, 2).await;
    let before = it.platform().members();
    let mut changes: Attributes = it.second(0);
    changes.set(TargetField::EMAIL, Some(Value::Text(address(2))));
    conflict(carry_out(&target, update(1, &member, changes)).await, "an update to somebody else's address");
    assert_eq!(it.platform().members(), before, "a conflict changes nothing, not even the other attributes");
    Ok(())
}

/// Where temporary values are allowed, a member goes to one, somebody takes over what it had, and it takes over what
/// they had: each step one write, with nobody invited, closed or doubled by it.
pub async fn who_take_over_each_others_values_go_by_way_of_temporary_ones(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let parking = target.capabilities().parking.unwrap_or_default();
    let token = "0".repeat(32);
    let email = parking.email(&token).map(|email| email.as_str().to_owned());
    let employee_id = parking.employee_id(&token).map(|id| id.as_str().to_owned());
    if email.is_none() && employee_id.is_none() {
        return Err(NotOffered("temporary values are not allowed"));
    }
    let (first, second) = (it.joined(&target, 1).await, it.joined(&target, 2).await);
    let fields = [
        (TargetField::EMAIL, email, address as fn(u32) -> String),
        (TargetField::EMPLOYEE_ID, employee_id, key),
    ];
    for (field, temporary, of) in fields {
        let Some(temporary) = temporary else { continue };
        let give = |value: String| one(&field, Some(Value::Text(value)));
        let (one_has, other_has) = (it.raw(&first, "the first"), it.raw(&second, "the second"));
        let steps = [
            (park(1, &first, give(temporary)), &first, "going to a temporary value"),
            (update(2, &second, give(of(1))), &second, "taking over what was given up"),
            (update(1, &first, give(of(2))), &first, "leaving the temporary value"),
        ];
        for (action, member, what) in steps {
            let writes = it.platform().writes();
            let answered = applied(carry_out(&target, action.clone()).await, what);
            assert_eq!(
                (&answered, it.platform().writes()),
                (member, writes + 1),
                "{what}: one write of the same member"
            );
            already_so(carry_out(&target, action).await, what);
        }
        for (member, mut before, value) in [(&first, one_has, of(2)), (&second, other_has, of(1))] {
            before.attributes.merge(&give(value));
            assert_eq!(
                it.raw(member, "who took over"),
                before,
                "nothing else changes for who takes over a value, and nobody is invited"
            );
        }
    }
    assert_eq!(it.platform().members().len(), 2, "nobody is doubled");
    Ok(())
}

/// An action about a member who is not there any more fails with [`ErrorKind::NotFound`] and creates nobody. For a
/// leaver that is what was wanted, and may be answered so.
pub async fn an_action_about_a_member_who_is_gone_creates_nobody(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let (gone, stays) = (it.joined(&target, 1).await, it.joined(&target, 2).await);
    if !it.platform().remove(&gone) {
        return Err(NotOffered("accounts cannot be deleted by hand"));
    }
    let before = it.platform().members();
    let actions = [
        update(1, &gone, it.second(0)),
        reactivate(1, &gone, it.person(1)),
        super::script::adopt(1, &gone, it.person(1), true),
        leave(1, &gone),
    ];
    for action in actions {
        let is_leave = action.kind.as_str() == "leave";
        match carry_out(&target, action).await {
            Outcome::AlreadySo(_) if is_leave => {}
            outcome @ (Outcome::Rejected(_) | Outcome::Conflict(_)) => {
                let kind = error_of(&outcome).map(hris_core::Error::kind);
                assert_eq!(kind, Some(ErrorKind::NotFound), "say that the member is gone: {outcome:?}");
            }
            other => panic!("an action about a member who is gone fails as NotFound, not with {other:?}"),
        }
        assert_eq!(it.platform().members(), before, "an action about a member who is gone changes nobody");
    }
    assert!(has(&it.raw(&stays, "somebody else").attributes, &it.person(2)), "nobody else is concerned");
    Ok(())
}
