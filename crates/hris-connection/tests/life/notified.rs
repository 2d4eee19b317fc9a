//! Readings that the HR system's notifications ask for: never more than there is to read.

use chrono::TimeDelta;
use hris_connection::{Connection, NextRun, RunOutcome, RunRequest};
use hris_core::{EmployeeRef, ErrorKind, RunId, RunReport, RunResult, Trigger};

use crate::desk::{NOW, at, key, published};

fn who(number: usize) -> EmployeeRef {
    EmployeeRef::record(format!("r-{number}"))
}

/// A notification about one person, or about everyone; the run that will read.
fn notified(connection: &mut Connection, person: Option<usize>) -> RunId {
    let person = person.map(who);
    connection.request_notified(person.as_ref(), at(NOW)).unwrap().unwrap()
}

fn end(connection: &mut Connection, next: &NextRun, result: RunResult) {
    let mut report = RunReport::started(next.run.clone(), key(), next.trigger, at(NOW));
    report.result = result;
    let outcome = RunOutcome::of_report(connection.health_policy(), &report);
    connection.note_run(next, Some(&report), &outcome, at(NOW));
}

#[test]
fn notifications_that_come_twice_or_out_of_order_are_one_reading_each() {
    let mut connection = published();
    let first = notified(&mut connection, Some(1));
    let second = notified(&mut connection, Some(2));
    assert_ne!(first, second, "two people in one instant are two runs");
    for (person, run) in [(2, &second), (1, &first), (2, &second)] {
        assert_eq!(notified(&mut connection, Some(person)), *run);
    }
    assert_eq!(connection.timetable().requests.len(), 2);
    let next = connection.take_next(at(NOW)).unwrap();
    assert_eq!((&next.run, next.trigger, next.person.as_ref()), (&first, Trigger::Webhook, Some(&who(1))));
}

#[test]
fn what_came_while_a_reading_was_under_way_is_read_after_it() {
    let mut connection = published();
    let first = notified(&mut connection, Some(1));
    let next = connection.take_next(at(NOW)).unwrap();
    connection.note_begun(&next.run, "w", at(NOW), TimeDelta::minutes(2)).unwrap();
    let later = notified(&mut connection, Some(1));
    assert_ne!(later, first, "the one under way may have been there already");
    assert_eq!(notified(&mut connection, Some(1)), later);
    end(&mut connection, &next, RunResult::Applied);
    let next = connection.take_next(at(NOW)).unwrap();
    assert_eq!(next.run, later);
    end(&mut connection, &next, RunResult::Applied);
    let last = notified(&mut connection, Some(1));
    assert!(last != first && last != later, "a name of before would answer the report of before");
}

#[test]
fn a_reading_of_everyone_that_waits_is_enough_and_takes_the_place_of_single_ones() {
    let mut connection = published();
    connection.request(RunRequest::everyone("import one", "olga", at(NOW)).of_person(who(7))).unwrap();
    for person in 1..=3 {
        notified(&mut connection, Some(person));
    }
    let everyone = notified(&mut connection, None);
    assert_eq!(notified(&mut connection, Some(4)), everyone);
    assert_eq!(notified(&mut connection, None), everyone);
    let asked: Vec<_> = connection.timetable().requests.iter().map(|asked| asked.run.as_str()).collect();
    assert_eq!(asked, ["import one", everyone.as_str()], "what a person asked for stays");
}

#[test]
fn a_flood_of_notifications_becomes_one_reading_of_everyone() {
    let mut connection = published();
    let runs: Vec<_> = (0..10_000).map(|person| notified(&mut connection, Some(person))).collect();
    let requests = &connection.timetable().requests;
    assert_eq!((requests.len(), &requests[0].person), (1, &None));
    assert_eq!(Some(&requests[0].run), runs.last());
}

#[test]
fn a_reading_that_found_nothing_to_do_is_told_to_nobody_and_every_other_is() {
    let mut connection = published();
    for (result, told) in [
        (RunResult::NothingToDo, 0),
        (RunResult::Applied, 1),
        (RunResult::Failed { message: "down".to_owned() }, 2),
    ] {
        notified(&mut connection, Some(1));
        let next = connection.take_next(at(NOW)).unwrap();
        end(&mut connection, &next, result);
        assert_eq!(connection.outbox().pending.len(), told);
    }
}

#[test]
fn a_connection_that_is_not_live_or_in_quarantine_is_asked_for_nothing() {
    let mut connection = published();
    connection.pause("olga", at(NOW)).unwrap();
    let refused = connection.request_notified(None, at(NOW)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);

    let mut connection = published();
    let next = NextRun::named("r".into(), Trigger::Schedule);
    connection.note_run(&next, None, &RunOutcome::of_error(ErrorKind::Unauthorized), at(NOW));
    assert!(connection.health().quarantine.is_some());
    assert_eq!(connection.request_notified(Some(&who(1)), at(NOW)).unwrap(), None);
    assert!(connection.timetable().requests.is_empty());
}

#[test]
fn what_asked_for_a_run_outlives_a_restart_and_old_states_are_read() {
    let request = RunRequest::everyone("r", "webhook", at(NOW)).started_by(Trigger::Webhook);
    let saved = serde_json::to_value(&request).unwrap();
    assert_eq!(serde_json::from_value::<RunRequest>(saved.clone()).unwrap(), request);
    let mut old = saved;
    old.as_object_mut().unwrap().remove("trigger");
    assert_eq!(serde_json::from_value::<RunRequest>(old).unwrap().trigger, Trigger::OnDemand);
}
