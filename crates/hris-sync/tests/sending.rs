//! Every future of the engine may move between threads, so that applications can spawn it.

use chrono::NaiveDate;
use hris_core::store::Override;
use hris_core::{EmployeeRef, FieldMap, PlanId, RecordId, RunId, TargetField, Trigger};
use hris_sync::{Engine, Replay};
use std::sync::Arc;

fn may_move<T: Send>(future: T) {
    drop(future);
}

/// Compiling is the proof; futures do nothing until somebody waits for them.
#[expect(clippy::too_many_arguments, reason = "one for each kind of argument that the engine takes")]
fn every_future_of_the_engine_may_move(
    engine: &Engine,
    run: &RunId,
    plan: &PlanId,
    person: &EmployeeRef,
    record: &RecordId,
    overrides: &[Override],
    fields: &[(RecordId, TargetField)],
    mapping: Arc<FieldMap>,
    day: NaiveDate,
) {
    may_move(engine.dry_run(day));
    may_move(engine.plan(run, day));
    may_move(engine.apply(plan, "", Trigger::OnDemand));
    may_move(engine.release(plan, "", ""));
    may_move(engine.stored(plan));
    may_move(engine.dismiss(plan, ""));
    may_move(engine.run(run, Trigger::OnDemand, day));
    may_move(engine.verify(run, Trigger::OnDemand, day));
    may_move(engine.verify_dry_run(day));
    may_move(engine.explain(person, day));
    may_move(engine.run_person(run, person, Trigger::OnDemand, day));
    may_move(engine.replay(run, run, Replay::Failed, day));
    may_move(engine.compare_mappings(mapping, day, 9));
    may_move(engine.put_overrides(overrides));
    may_move(engine.remove_overrides(fields));
    may_move(engine.overrides());
    may_move(engine.refeed(std::io::empty(), "", ""));
    may_move(engine.forget(record));
    may_move(engine.unlink(std::slice::from_ref(record)));
    may_move(engine.accept(plan, record, ""));
    may_move(engine.purge(day));
}

#[test]
fn futures_of_the_engine_can_be_spawned() {
    let _ = every_future_of_the_engine_may_move;
}
