//! Behaviours of looking members up: by which keys, how exactly, and what a failure is.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use hris_core::{EmployeeId, MemberQuery, TargetField, Value};

use super::harness::{Planted, PlatformFault};
use super::script::{address, carry_out, create, email, has, key, leave, look_up, queries};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

/// Where there is nobody, nobody is found, and that is no error.
pub async fn nobody_is_no_error(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    for query in queries(1, &"no-such-member".into()) {
        let found = look_up(&target, &query).await?;
        assert!(found.is_empty(), "find nobody where there is nobody: {} came", found.len());
    }
    it.joined(&target, 2).await;
    for query in queries(1, &"no-such-member".into()) {
        let found = look_up(&target, &query).await?;
        assert!(found.is_empty(), "find nobody but whom the query names: {} came", found.len());
    }
    Ok(())
}

/// A member is found by id, by Employee ID and by address, and is the same each time.
pub async fn a_created_member_is_found_by_each_key(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    it.joined(&target, 2).await;
    let member = it.joined(&target, 1).await;
    for query in queries(1, &member) {
        let found = look_up(&target, &query).await?;
        let ids: Vec<_> = found.iter().map(|found| &found.id).collect();
        assert_eq!(ids, [&member], "find the member that was created, and nobody else");
        assert!(found.iter().all(|found| found.active), "say that a new account is open");
    }
    Ok(())
}

/// What was written is read back equal, in the same types: otherwise everybody would differ for ever.
pub async fn what_was_written_is_read_back_alike(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let raw = it.has_one(&it.person(1), "a new member");
    assert_eq!(raw.id, member, "answer the id that the platform gave");
    for query in queries(1, &member) {
        for found in look_up(&target, &query).await? {
            for (field, value) in it.person(1).iter() {
                let same = found.attributes.get(field).flatten() == value;
                assert!(same, "give {field} as it was written, in the same type");
            }
        }
    }
    Ok(())
}

/// An Employee ID is a text and is compared as one: `00104` is not `104`.
pub async fn employee_ids_are_matched_exactly_as_written(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    for (number, id) in [(1, "00104"), (2, "104"), (3, "00104a")] {
        let create = create(it.person_with(id, &address(number)), false);
        super::script::applied(carry_out(&target, create).await, "a create beside similar Employee IDs");
    }
    for id in ["00104", "104", "00104a"] {
        let found = look_up(&target, &MemberQuery::EmployeeId(id.into())).await?;
        let ids: Vec<_> = found.iter().filter_map(|found| found.attributes.employee_id()).collect();
        assert_eq!(ids, [EmployeeId::from(id)], "match an Employee ID as the text that it is");
    }
    for id in ["0104", "4", "0010", "00104A"] {
        let found = look_up(&target, &MemberQuery::EmployeeId(id.into())).await?;
        assert!(found.is_empty(), "`{id}` is nobody's Employee ID here");
    }
    Ok(())
}

/// An address is matched without regard to case, and delivered as it is written.
pub async fn addresses_are_matched_in_any_case(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let written = "Persona.Uno@Brisa.example";
    let person = it.person_with(&key(1), written);
    super::script::applied(carry_out(&target, create(person, false)).await, "a create");
    for asked in [written, "persona.uno@brisa.example", "PERSONA.UNO@BRISA.EXAMPLE"] {
        let found = look_up(&target, &MemberQuery::Email(email(asked))).await?;
        assert_eq!(found.len(), 1, "find an address in whatever case it is asked for");
        for found in found {
            let told = found.attributes.text(&TargetField::EMAIL);
            assert_eq!(told, Some(written), "give an address as it was written");
        }
    }
    Ok(())
}

/// A closed account is found, and as closed: who looks for somebody must not take them for new.
pub async fn closed_members_are_found_as_closed(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    super::script::applied(carry_out(&target, leave(1, &member)).await, "a leaver");
    for query in queries(1, &member) {
        let found = look_up(&target, &query).await?;
        assert_eq!(found.len(), 1, "find closed accounts as well");
        assert!(found.iter().all(|found| !found.active), "say that a closed account is closed");
    }
    Ok(())
}

/// Where several match, all are delivered: choosing is for whoever asks.
pub async fn everybody_who_matches_is_delivered(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let no_clash = "two accounts with one Employee ID cannot be made by hand";
    for number in [1, 2] {
        let account = Planted::new(it.person_with(&key(7), &address(number)));
        it.planted(&account, no_clash)?;
    }
    let target = it.good();
    let found = look_up(&target, &MemberQuery::EmployeeId(key(7).into())).await?;
    assert_eq!(found.len(), 2, "deliver every member that matches");
    for found in found {
        assert!(has(
            &found.attributes,
            &super::script::one(&TargetField::EMPLOYEE_ID, Some(Value::Text(key(7))))
        ));
    }
    Ok(())
}

/// What a query names is never read as a part of the question: quotes, operators and wildcards match nobody.
pub async fn a_query_is_never_read_as_an_expression(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    it.joined(&target, 1).await;
    it.joined(&target, 2).await;
    let tricks = [
        "x\" or externalId pr or externalId eq \"",
        "' OR '1'='1",
        "\\\" or userName pr or userName eq \\\"",
        "*",
        "%",
        "001\u{0}",
        "../",
        "?count=100&x=1#",
    ];
    for trick in tricks {
        for query in [MemberQuery::EmployeeId(trick.into()), MemberQuery::Id(trick.into())] {
            // An error about such a text is as good.
            let found = it.patiently(target.find(&query)).await.unwrap_or_default();
            assert!(found.is_empty(), "`{trick}` names nobody, but {} members were found", found.len());
        }
    }
    let address = "\"or%20pr\"'*'@brisa.example";
    if let Some(odd) = hris_core::Email::parse(address) {
        let found = it.patiently(target.find(&MemberQuery::Email(odd))).await.unwrap_or_default();
        assert!(found.is_empty(), "`{address}` is nobody's address, but {} members were found", found.len());
    }
    Ok(())
}

/// A look-up that cannot be answered is an error, and never nobody: a create would double the member.
pub async fn a_look_up_that_fails_is_an_error_and_never_empty(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    it.faulty(PlatformFault::FindsFail, "look-ups cannot be made to fail")?;
    let mut failed = 0;
    for query in queries(1, &member) {
        match it.patiently(target.find(&query)).await {
            Ok(found) => {
                panic!("a look-up that fails is an error; it answered as if there were {}", found.len())
            }
            Err(_) => failed += 1,
        }
    }
    assert_eq!(failed, 3);
    it.platform().clear_faults();
    let [by_id, ..] = queries(1, &member);
    assert_eq!(look_up(&target, &by_id).await?.len(), 1, "go on once the platform answers again");
    Ok(())
}

/// What was done on the platform by hand is seen at the next look.
pub async fn what_is_done_by_hand_is_seen(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let member = it.joined(&target, 1).await;
    let [by_id, ..] = queries(1, &member);
    look_up(&target, &by_id).await?;
    if !it.platform().edit(&member, &it.second(0)) {
        return Err(NotOffered("accounts cannot be changed by hand"));
    }
    let found = look_up(&target, &by_id).await?;
    let seen = found.iter().all(|found| has(&found.attributes, &it.second(0)));
    assert!(
        seen && found.len() == 1,
        "look at the platform each time: a member was changed by hand in between"
    );
    if !it.platform().remove(&member) {
        return Err(NotOffered("accounts cannot be deleted by hand"));
    }
    for query in queries(1, &member) {
        let found = look_up(&target, &query).await?;
        assert!(found.is_empty(), "look at the platform each time: a member was deleted by hand in between");
    }
    Ok(())
}
