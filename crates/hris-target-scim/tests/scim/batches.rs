//! Bulk requests.

use std::num::NonZeroUsize;

use hris_core::{ErrorKind, MemberField, Outcome, ProvisioningTarget as _};
use hris_target_scim::ScimTarget;
use hris_target_scim::sim::Behaviour;
use hris_testkit::run;
use hris_testkit::sim::Fault;

use crate::setup::{Stage, attributes, create, created, leave, person, planted, update};

fn bulky(stage: &Stage) -> ScimTarget {
    stage.build(stage.config().with_bulk(NonZeroUsize::new(20)))
}

fn creates(numbers: std::ops::Range<usize>) -> Vec<hris_core::Action> {
    numbers.map(|number| create(person(&number.to_string()))).collect()
}

fn calls(stage: &Stage, call: &str) -> usize {
    stage.sim.calls().iter().filter(|made| *made == call).count()
}

/// The words of the outcomes.
fn words(outcomes: &[Outcome]) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::AlreadySo(_) => "already",
        Outcome::Rejected(_) => "rejected",
        Outcome::Conflict(_) => "conflict",
        Outcome::InDoubt(_) => "in doubt",
        Outcome::NotAttempted(_) => "not attempted",
        _ => "?",
    };
    outcomes.iter().map(word).collect()
}

#[test]
fn creates_changes_and_leavers_go_together_where_the_platform_offers_it() {
    let stage = Stage::new();
    let target = bulky(&stage);
    let (one, two) = (created(&target, "1"), created(&target, "2"));
    let changes = attributes([(MemberField::FirstName, "Miren")]);
    let batch = [
        create(person("3")),
        update("1", &one, changes.clone()),
        leave("2", &two),
        update("1", &one, attributes([])),
    ];
    let outcomes = run(target.apply(&batch));
    assert_eq!(words(&outcomes), ["applied", "applied", "applied", "already"]);
    assert_eq!((calls(&stage, "POST Bulk"), stage.sim.accounts().len()), (1, 3));
    assert!(!stage.account(&two).is_active());
    assert_eq!(stage.user(&one)["name"]["givenName"], "Miren");
}

#[test]
fn one_refused_record_of_a_batch_is_its_own_problem() {
    let mut behaviour = Behaviour::default();
    behaviour.duplicate_external_ids = true;
    let stage = Stage::with(behaviour);
    let target = bulky(&stage);
    let mut batch = creates(0..3);
    // The same address twice within a batch: nobody can see it before it is sent.
    batch.push(create(crate::setup::with(person("9"), MemberField::Email, "persona.0@brisa.example")));
    assert_eq!(words(&run(target.apply(&batch))), ["applied", "applied", "applied", "conflict"]);
}

#[test]
fn a_batch_is_no_larger_than_the_platform_says_and_is_halved_where_that_was_not_true() {
    let mut behaviour = Behaviour::default();
    behaviour.bulk = Some(8);
    let stage = Stage::with(behaviour);
    let target = bulky(&stage);
    assert_eq!(words(&run(target.apply(&creates(0..20)))), ["applied"; 20]);
    assert_eq!(calls(&stage, "POST Bulk"), 3);
    stage.sim.behave(|behaviour| behaviour.bulk = Some(3));
    assert_eq!(words(&run(target.apply(&creates(20..28)))), ["applied"; 8]);
    assert_eq!(stage.sim.accounts().len(), 28);
}

#[test]
fn a_platform_that_announces_bulk_and_refuses_it_gets_the_actions_one_by_one() {
    let stage = Stage::new();
    let target = bulky(&stage);
    run(target.check()).unwrap();
    stage.sim.behave(|behaviour| behaviour.bulk = None);
    assert_eq!(words(&run(target.apply(&creates(0..4)))), ["applied"; 4]);
    assert_eq!(words(&run(target.apply(&creates(4..8)))), ["applied"; 4]);
    assert_eq!((calls(&stage, "POST Bulk"), stage.sim.accounts().len()), (1, 8));
}

#[test]
fn actions_that_a_batch_did_not_come_to_are_not_attempted_and_the_rest_is_known() {
    let mut behaviour = Behaviour::default();
    behaviour.bulk_ends_after = Some(2);
    let stage = Stage::with(behaviour);
    let target = bulky(&stage);
    let outcomes = run(target.apply(&creates(0..5)));
    assert_eq!(words(&outcomes), ["applied", "applied", "in doubt", "not attempted", "not attempted"]);
    assert_eq!(stage.sim.accounts().len(), 2);
}

#[test]
fn throttling_and_failure_within_a_batch_lose_and_double_nothing() {
    for (status, word) in [(429, "not attempted"), (503, "in doubt")] {
        let stage = Stage::new();
        let target = bulky(&stage);
        stage
            .sim
            .faults()
            .add(Fault::status(status).always().on(|request| request.path().ends_with("/Bulk")));
        assert_eq!(words(&run(target.apply(&creates(0..3)))), [word; 3], "{status}");
        assert!(stage.sim.accounts().is_empty());
        let bulks = calls(&stage, "POST Bulk");
        assert_eq!(bulks, if status == 429 { 5 } else { 1 }, "only what was refused unseen is sent again");
        stage.sim.faults().clear();
        assert_eq!(words(&run(target.apply(&creates(0..3)))), ["applied"; 3]);
        assert_eq!(stage.sim.accounts().len(), 3);
    }
}

#[test]
fn a_batch_that_was_stored_and_never_answered_is_in_doubt_as_a_whole() {
    let stage = Stage::new();
    let target = bulky(&stage);
    stage.sim.faults().add(Fault::Lost.once().on(|request| request.path().ends_with("/Bulk")));
    assert_eq!(words(&run(target.apply(&creates(0..3)))), ["in doubt"; 3]);
    assert_eq!(words(&run(target.apply(&creates(0..3)))), ["conflict"; 3]);
    assert_eq!(stage.sim.accounts().len(), 3);
}

#[test]
fn an_answer_that_leaves_actions_out_without_a_word_leaves_them_in_doubt() {
    let stage = Stage::new();
    let target = bulky(&stage);
    let shorten = |response: hris_testkit::sim::SimResponse| {
        let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        body["Operations"].as_array_mut().unwrap().pop();
        hris_testkit::sim::SimResponse::json(200, &body)
    };
    stage.sim.faults().add(Fault::change(shorten).once().on(|request| request.path().ends_with("/Bulk")));
    let outcomes = run(target.apply(&creates(0..2)));
    assert_eq!(words(&outcomes), ["applied", "in doubt"]);
}

#[test]
fn more_actions_than_a_call_takes_are_not_attempted() {
    let stage = Stage::new();
    let outcomes = run(stage.target().apply(&creates(0..2)));
    assert_eq!(words(&outcomes), ["applied", "not attempted"]);
    stage.sim.plant(planted(None, "z@x.example"));
    assert!(matches!(&outcomes[1], Outcome::NotAttempted(error) if error.kind() == ErrorKind::Unsupported));
}
