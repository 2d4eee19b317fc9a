//! Every sloppy form of the simulated provider: a whole story ends well, or with that form's own error, and never with a
//! doubled or lost account.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use futures_util::TryStreamExt as _;
use hris_core::{Error, ErrorKind, MemberField, MemberRecord, Outcome, ProvisioningTarget as _};
use hris_target_scim::ScimTarget;
use hris_target_scim::sim::Behaviour;
use hris_testkit::run;

use crate::setup::{
    Stage, apply, attributes, by_email, by_id, create, leave, person, planted, reactivate, update,
};

/// What a sloppy form may end with; every other one ends well.
fn listed_error(name: &str) -> Option<ErrorKind> {
    matches!(name, "paging skips one" | "paging always first").then_some(ErrorKind::Incomplete)
}

fn roster(target: &ScimTarget) -> Result<Vec<MemberRecord>, Error> {
    run(target.roster().unwrap().try_collect())
}

/// Twelve people are created in batches, changed, half of them leave and two return.
fn story(name: &str, stage: &Stage, target: &ScimTarget) {
    let max = target.capabilities().max_batch.get();
    let numbers: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
    let mut open: Vec<_> = numbers.iter().map(|number| create(person(number))).collect();
    // As an engine does it: what is in doubt is read back, what was not attempted comes again.
    for _ in 0..12 {
        let mut left = Vec::new();
        for batch in open.chunks(max) {
            for (action, outcome) in batch.iter().zip(run(target.apply(batch))) {
                let there = !by_id(target, action.after.employee_id.as_str()).is_empty();
                match outcome {
                    Outcome::Applied(_) => assert!(there, "{name}"),
                    Outcome::InDoubt(_) | Outcome::NotAttempted(_) if !there => left.push(action.clone()),
                    Outcome::InDoubt(_) => {}
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
        open = left;
    }
    assert!(open.is_empty());
    for number in &numbers {
        let [member] = &by_id(target, number)[..] else { panic!("{name}: one account for {number}") };
        assert_eq!(by_email(target, &format!("PERSONA.{number}@brisa.example")).len(), 1);
        let changes = attributes([(MemberField::FirstName, "Miren"), (MemberField::Phone, "+34 1")]);
        match apply(target, update(number, &member.id, changes.clone())) {
            Outcome::Applied(_) => {}
            other => panic!("{other:?}"),
        }
        assert!(matches!(apply(target, update(number, &member.id, changes)), Outcome::AlreadySo(_)));
        if number.len() == 2 {
            assert!(matches!(apply(target, leave(number, &member.id)), Outcome::Applied(_)));
            assert!(!by_id(target, number)[0].active);
        }
        if number == "12" {
            assert!(matches!(
                apply(target, reactivate(number, &member.id, attributes([]))),
                Outcome::Applied(_)
            ));
            assert!(by_id(target, number)[0].active);
        }
        assert!(matches!(apply(target, create(person(number))), Outcome::Conflict(_)));
    }
    let accounts = stage.sim.accounts();
    assert_eq!(accounts.len(), 12);
    assert_eq!(accounts.iter().filter(|account| account.is_active()).count(), 10);
    assert!(accounts.iter().all(|account| account.invitations == 1));
    assert!(accounts.iter().all(|account| account.user["name"]["givenName"] == "Miren"));
}

#[test]
fn the_strict_form_and_every_sloppy_one_carry_a_whole_story_without_doubling_or_losing_an_account() {
    let forms = [("strict", Behaviour::default())].into_iter().chain(Behaviour::sloppy());
    for (name, behaviour) in forms {
        for bulk in [None, NonZeroUsize::new(5)] {
            let stage = Stage::with(behaviour.clone());
            let target = stage.build(stage.config().with_bulk(bulk).with_page_size(5));
            story(name, &stage, &target);
            match (roster(&target), listed_error(name)) {
                (Ok(members), None) => {
                    let ids: BTreeSet<_> = members.iter().map(|member| member.id.as_str()).collect();
                    assert_eq!((members.len(), ids.len()), (12, 12), "{name}");
                }
                (Err(error), Some(kind)) => assert_eq!(error.kind(), kind, "{name}"),
                (result, _) => panic!("{name}: {:?}", result.map(|members| members.len())),
            }
            assert_eq!(stage.sim.deletions(), 0, "{name}");
        }
    }
}

#[test]
fn where_neither_filters_nor_paging_work_nothing_is_written() {
    let mut behaviour = Behaviour::default();
    behaviour.filters = hris_target_scim::sim::FilterHabit::Ignored;
    behaviour.paging = hris_target_scim::sim::PagingHabit::SkipsOne;
    let stage = Stage::with(behaviour);
    for number in ["1", "2", "3"] {
        stage.sim.plant(planted(Some(number), &format!("{number}@x.example")));
    }
    let outcome = apply(&stage.build(stage.config().with_page_size(1)), create(person("9")));
    assert!(matches!(outcome, Outcome::NotAttempted(error) if error.kind() == ErrorKind::Incomplete));
    assert_eq!(stage.sim.writes(), 0);
}
