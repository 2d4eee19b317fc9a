//! A published connection: what is due, what was asked for, and what becomes of each run.

use chrono::TimeDelta;
use hris_connection::{Connection, NextRun, QuarantineReason, RunOutcome, RunRequest, Stage};
use hris_core::connections::ConnectionStore as _;
use hris_core::{
    EmployeeRef, ErrorKind, NoticeContent, ProgressEvent, RunId, RunReport, RunResult, Stage as Part, Trigger,
};
use hris_testkit::run;

use crate::desk::{Desk, NOW, account, at, key, published, setup};

/// The first night after publishing.
const NIGHT: &str = "2026-03-03T01:30:00Z";

fn report(next: &NextRun, result: RunResult) -> RunReport {
    let mut report = RunReport::started(next.run.clone(), key(), next.trigger, at(NIGHT));
    report.result = result;
    report
}

fn end(connection: &mut Connection, next: &NextRun, now: &str) {
    let report = report(next, RunResult::Applied);
    connection.note_run(next, Some(&report), &RunOutcome::Good, at(now));
}

fn notices(connection: &Connection) -> Vec<&'static str> {
    connection.outbox().pending.iter().map(|notice| notice.content.kind()).collect()
}

#[test]
fn publishing_starts_the_schedule() {
    let mut connection = published();
    assert_eq!(connection.next_look(), Some(at(NIGHT)));
    assert_eq!(connection.take_next(at("2026-03-03T01:29:59Z")), None);
    let next = connection.take_next(at(NIGHT)).unwrap();
    assert_eq!((next.run.as_str(), next.trigger), ("scheduled 2026-03-03T01:30Z", Trigger::Schedule));
    end(&mut connection, &next, NIGHT);
    assert_eq!(notices(&connection), ["run_ended"]);
    assert_eq!(connection.next_scheduled().unwrap().due, at("2026-03-04T01:30:00Z"));
    assert_eq!(connection.take_next(at(NIGHT)), None);
}

#[test]
fn a_run_that_was_taken_and_not_noted_is_taken_again_under_the_same_name() {
    let mut connection = published();
    let first = connection.take_next(at(NIGHT)).unwrap();
    assert_eq!(connection.take_next(at("2026-03-03T02:00:00Z")).unwrap(), first);
    connection.note_begun(&first.run, "w1", at(NIGHT), TimeDelta::minutes(2)).unwrap();
    // Another worker has it, or it was stopped to let the service go down: it stays due.
    connection.note_run(&first, None, &RunOutcome::of_error(ErrorKind::Leased), at(NIGHT));
    connection.note_run(&first, None, &RunOutcome::of_error(ErrorKind::Cancelled), at(NIGHT));
    assert_eq!(connection.take_next(at("2026-03-03T03:00:00Z")).unwrap(), first);
    assert!(notices(&connection).is_empty());
}

#[test]
fn a_second_worker_leaves_a_run_alone_until_the_first_one_is_silent() {
    let mut connection = published();
    let (run, silent) = (connection.take_next(at(NIGHT)).unwrap().run, TimeDelta::minutes(2));
    let mut begin = |worker: &str, seconds: i64| {
        connection
            .note_begun(&run, worker, at(NIGHT) + TimeDelta::seconds(seconds), silent)
            .map_err(|error| error.kind())
    };
    assert_eq!(begin("one", 0), Ok(()));
    assert_eq!(begin("other", 0), Err(ErrorKind::Leased));
    assert_eq!(begin("one", 60), Ok(()), "after a crash inside of it the same one goes on");
    assert_eq!(begin("other", 179), Err(ErrorKind::Leased));
    assert_eq!(begin("other", 180), Ok(()));
}

#[test]
fn what_somebody_asks_for_goes_ahead_of_the_schedule() {
    let mut connection = published();
    let person = EmployeeRef::record("r-17");
    let asked = RunRequest::everyone("import now", "olga", at(NOW));
    connection
        .request(RunRequest::everyone("import one", "olga", at(NOW)).of_person(person.clone()))
        .unwrap();
    connection.request(asked.clone()).unwrap();
    connection.request(asked).unwrap();
    assert_eq!(connection.next_look(), Some(at(NOW)));
    let first = connection.take_next(at(NIGHT)).unwrap();
    assert_eq!(
        (first.run.as_str(), first.trigger, first.person.as_ref()),
        ("import one", Trigger::OnDemand, Some(&person))
    );
    end(&mut connection, &first, NIGHT);
    let second = connection.take_next(at(NIGHT)).unwrap();
    assert_eq!((second.run.as_str(), &second.person), ("import now", &None));
    end(&mut connection, &second, NIGHT);
    assert_eq!(connection.take_next(at(NIGHT)).unwrap().trigger, Trigger::Schedule);
}

#[test]
fn progress_and_stops_go_by_the_runs_name() {
    let mut connection = published();
    connection.request(RunRequest::everyone("import now", "olga", at(NOW))).unwrap();
    connection.request(RunRequest::everyone("import again", "olga", at(NOW))).unwrap();
    let next = connection.take_next(at(NOW)).unwrap();
    connection.note_begun(&next.run, "w1", at(NOW), TimeDelta::minutes(2)).unwrap();
    let progress = ProgressEvent::new(Part::Reading, 40, None);
    connection.note_progress(&next.run, Some(progress), at(NOW));
    connection.note_progress(
        &RunId::from("another"),
        Some(ProgressEvent::new(Part::Reading, 1, None)),
        at(NOW),
    );
    assert_eq!(connection.timetable().running.as_ref().unwrap().progress, Some(progress));

    connection.ask_to_stop(&RunId::from("import again")).unwrap();
    assert_eq!(connection.timetable().requests.len(), 1, "a request that was not begun is taken back");
    assert_eq!(connection.ask_to_stop(&RunId::from("never")).unwrap_err().kind(), ErrorKind::NotFound);
    connection.ask_to_stop(&next.run).unwrap();
    assert_eq!(connection.timetable().stop.as_ref(), Some(&next.run));
    let report = report(&next, RunResult::Cancelled);
    connection.note_run(&next, Some(&report), &RunOutcome::of_error(ErrorKind::Cancelled), at(NOW));
    assert_eq!(connection.take_next(at(NOW)), None, "what somebody stopped is not begun again");
    assert_eq!(notices(&connection), ["run_ended"]);
}

#[test]
fn runs_that_were_due_and_did_not_happen_are_told_once() {
    let mut connection = published();
    let next = connection.take_next(at("2026-03-06T09:00:00Z")).unwrap();
    assert_eq!(next.run.as_str(), "scheduled 2026-03-06T01:30Z");
    assert_eq!(connection.take_next(at("2026-03-06T09:00:00Z")).unwrap(), next);
    let NoticeContent::RunsMissed { first, last, count, next: after, .. } =
        &connection.outbox().pending[0].content
    else {
        unreachable!("a notice of missed runs");
    };
    assert_eq!((*first, *last, *count), (at("2026-03-03T01:30:00Z"), at("2026-03-05T01:30:00Z"), 3));
    assert_eq!(*after, None, "the latest is made up for now");
    end(&mut connection, &next, "2026-03-06T09:01:00Z");
    assert_eq!(notices(&connection), ["runs_missed", "run_ended"]);
}

#[test]
fn a_pause_is_no_missed_run() {
    let mut connection = published();
    connection.pause("olga", at(NOW)).unwrap();
    assert_eq!((connection.next_look(), connection.take_next(at("2026-03-09T09:00:00Z"))), (None, None));
    let refused = connection.request(RunRequest::everyone("now", "olga", at(NOW))).unwrap_err();
    assert!(refused.to_string().contains("resume"), "{refused}");
    connection.resume("olga", at("2026-03-09T09:00:00Z")).unwrap();
    assert_eq!(connection.take_next(at("2026-03-09T09:00:00Z")), None);
    assert_eq!(connection.next_look(), Some(at("2026-03-10T01:30:00Z")));
    assert!(notices(&connection).is_empty());
}

#[test]
fn repeated_failure_leads_into_quarantine_and_slows_down() {
    let mut connection = published();
    let outage = RunOutcome::of_error(ErrorKind::Unavailable);
    let mut now = at(NIGHT);
    for night in 1..=3 {
        let next = connection.take_next(now).unwrap();
        let report = report(&next, RunResult::Failed { message: "no answer".to_owned() });
        connection.note_run(&next, Some(&report), &outage, now);
        assert_eq!(connection.stage() == Stage::Quarantined, night == 3);
        now += TimeDelta::days(1);
    }
    assert_eq!(notices(&connection), ["run_ended", "run_ended", "run_ended", "quarantined"]);
    let NoticeContent::Quarantined { reason, what, remedy, failures, next_attempt } =
        &connection.outbox().pending[3].content
    else {
        unreachable!("a notice of quarantine");
    };
    assert_eq!((&**reason, *failures), ("unreachable", 3));
    assert!(!what.is_empty() && !remedy.is_empty());
    assert_eq!(*next_attempt, Some(at("2026-03-06T01:30:00Z")));
    // A person may try at once; if it goes well the quarantine ends by itself.
    connection.request(RunRequest::everyone("try", "olga", at(NOW))).unwrap();
    let attempt = connection.take_next(at("2026-03-05T09:00:00Z")).unwrap();
    end(&mut connection, &attempt, "2026-03-05T09:00:00Z");
    assert_eq!(connection.stage(), Stage::Published);
    assert_eq!(notices(&connection)[4..], ["run_ended", "recovered"]);
}

#[test]
fn runs_left_out_in_quarantine_are_not_missed_and_a_new_credential_ends_it() {
    let mut connection = published();
    let next = connection.take_next(at(NIGHT)).unwrap();
    connection.note_run(&next, None, &RunOutcome::of_error(ErrorKind::Unauthorized), at(NIGHT));
    let quarantine = connection.health().quarantine.clone().unwrap();
    assert_eq!(quarantine.reason, QuarantineReason::CredentialRefused);
    assert_eq!(connection.take_next(at("2026-03-04T01:29:00Z")), None, "no sooner than the next attempt");
    let attempt = connection.take_next(at("2026-03-07T03:00:00Z")).unwrap();
    assert_eq!(attempt.run.as_str(), "scheduled 2026-03-07T01:30Z");
    assert_eq!(notices(&connection), ["quarantined"]);
    connection.authorised(&account(), "olga", at("2026-03-07T03:00:00Z")).unwrap();
    assert_eq!((connection.stage(), connection.health().failures), (Stage::Published, 0));
}

#[test]
fn a_connection_that_nobody_mends_is_given_up_and_paused() {
    let mut connection = published();
    let refused = RunOutcome::of_error(ErrorKind::Forbidden);
    let mut now = at(NIGHT);
    let mut attempts = 0;
    while connection.stage().is_live() {
        if let Some(next) = connection.take_next(now) {
            connection.note_run(&next, None, &refused, now);
            attempts += 1;
        }
        now += TimeDelta::hours(6);
    }
    assert_eq!(connection.stage(), Stage::Paused);
    assert!((9..=12).contains(&attempts), "daily for a week, then weekly: {attempts}");
    assert_eq!(notices(&connection), ["quarantined", "quarantined"]);
    connection.resume("olga", now).unwrap();
    assert_eq!((connection.stage(), &connection.health().quarantine), (Stage::Published, &None));
}

#[test]
fn a_clock_that_was_far_ahead_and_set_back_does_not_stop_the_schedule() {
    let mut connection = published();
    let ahead = connection.take_next(at("2027-03-03T09:00:00Z")).unwrap();
    end(&mut connection, &ahead, "2027-03-03T09:00:00Z");
    assert_eq!(connection.take_next(at("2026-03-03T09:00:00Z")), None, "counts from now");
    assert_eq!(connection.next_scheduled().unwrap().due, at("2026-03-04T01:30:00Z"));
}

#[test]
fn a_new_schedule_counts_from_now() {
    let mut connection = published();
    let hourly = hris_connection::Frequency::Cron { expression: "0 * * * *".to_owned() };
    let hourly =
        hris_connection::Schedule::new(hourly, "UTC".parse().unwrap()).unwrap().with_jitter_minutes(0);
    connection.set_up(setup().with_schedule(hourly), "olga", at("2026-03-05T09:30:00Z")).unwrap();
    assert_eq!(connection.take_next(at("2026-03-05T09:45:00Z")), None);
    assert_eq!(connection.next_look(), Some(at("2026-03-05T10:00:00Z")));
}

#[test]
fn what_is_due_is_found_in_the_store() {
    run(async {
        let desk = Desk::new();
        desk.connections.create(&published()).await.unwrap();
        let due = async |until: &str| desk.store.due_connections(at(until), 0, 9).await.unwrap().len();
        assert_eq!((due(NOW).await, due(NIGHT).await), (0, 1));
        let asked = RunRequest::everyone("now", "olga", at(NOW));
        desk.connections.change(&key(), |connection| connection.request(asked.clone())).await.unwrap();
        assert_eq!(due(NOW).await, 1);
        desk.connections.change(&key(), |connection| connection.pause("olga", at(NOW))).await.unwrap();
        assert_eq!(due("2027-01-01T00:00:00Z").await, 0);
    });
}
