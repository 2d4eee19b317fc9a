//! One connection from review to revocation.

use std::time::Duration;

use hris_connection::{Missing, Stage};
use hris_core::store::Runs as _;
use hris_core::{
    Clock as _, ConnectionKey, EmployeeRef, EmploymentStatus, Error, ErrorKind, HrisConnector as _,
    Invitations, NoticeContent, ProvisioningPlan as _, RunResult, Scope, Severity, Trigger,
};
use hris_sync::FileFormat;
use hris_testkit::{Ending, MockConnector};

use crate::house::{EVENING, House, at, people, vendor};

fn key() -> ConnectionKey {
    ConnectionKey::new("brisa", "acme")
}

#[test]
fn publishing_carries_out_the_plan_that_the_review_showed_and_starts_the_schedule() {
    let house = House::new();
    let target = house.target();
    house.add(&key(), MockConnector::new(people(0..5)), target.clone());
    house.clock.drive(async {
        let plan = house.worker.review(&key(), "olga").await.unwrap();
        assert_eq!(
            (plan.summary().create, plan.summary().invitations),
            (5, 5),
            "the review says how many are invited"
        );
        assert!(target.members().is_empty());
        let wrong = house.worker.publish(&key(), "another", "olga").await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Stale);
        let report = house.worker.publish(&key(), &plan.header().digest, "olga").await.unwrap();
        assert_eq!((report.applied.created, report.applied.invited), (5, 5));
    });
    assert_eq!(house.connection(&key()).stage(), Stage::Published);
    assert_eq!(house.notices.kinds(), ["run_ended"]);
    house.run_for(24);
    let runs = house.clock.drive(house.store.runs(&key(), 0, 9)).unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[0].trigger, runs[0].started_at), (Trigger::Schedule, at("2026-03-03T02:30:00Z")));
    assert_eq!(
        house.notices.kinds(),
        ["run_ended", "run_ended"],
        "a mail after every sync, also an empty one"
    );
    let notice = &house.notices.all()[1];
    assert_eq!(notice.to[0].address.as_str(), "olga@brisa.example", "to whoever set it up");
}

#[test]
fn a_review_lists_what_is_missing_and_refuses_a_welcome_that_nobody_can_send() {
    let house = House::new();
    let target = house.target().with_capabilities(|it| it.invitations = Invitations::Never);
    house.add(&key(), MockConnector::new(people(0..2)), target);
    let refused = house.clock.drive(house.worker.review(&key(), "olga")).unwrap_err();
    assert!(refused.to_string().contains("invite"), "{refused}");
    let now = house.clock.now();
    let nobody = |connection: &mut hris_connection::Connection| {
        let mut setup = connection.setup().clone();
        setup.owner = None;
        connection.set_up(setup, "olga", now)
    };
    house.clock.drive(house.worker.connections().change(&key(), nobody)).unwrap();
    let missing = house.clock.drive(house.worker.review(&key(), "olga")).unwrap_err();
    assert!(missing.to_string().contains(Missing::Owner.code()), "{missing}");
}

#[test]
fn running_once_more_under_the_same_name_answers_the_same_report() {
    let house = House::new();
    let target = house.target();
    house.publish(&key(), MockConnector::new(people(0..3)), target.clone());
    let day = at(EVENING).date_naive();
    let run =
        || house.clock.drive(house.worker.run_once(&key(), Trigger::Schedule, &"job 7".into(), day)).unwrap();
    house.ends.ends.lock().unwrap()[&key()].0.set_people(people(0..6));
    let (first, writes) = (run(), target.writes());
    house.ends.ends.lock().unwrap()[&key()].0.set_people(people(0..9));
    assert_eq!(run(), first);
    assert_eq!((target.writes(), first.applied.created), (writes, 3));
}

#[test]
fn an_import_now_goes_ahead_of_the_schedule_for_everyone_or_for_one_person() {
    let house = House::new();
    let target = house.target();
    let mut all = MockConnector::new([]).capabilities();
    all.single_read = true;
    let connector = MockConnector::new(people(0..3)).with_capabilities(all);
    house.publish(&key(), connector.clone(), target.clone());
    connector.set_people(people(0..6));
    let who = EmployeeRef { record: "r-0004".into(), employee_id: Some("0004".into()) };
    let run = house.clock.drive(house.worker.import_person_now(&key(), who, "olga")).unwrap();
    house.run_for(1);
    let report = house.clock.drive(house.worker.history().run(&key(), &run)).unwrap();
    assert_eq!((report.trigger, report.applied.created), (Trigger::OnDemand, 1));
    assert!(target.member_by_employee_id("0004").is_some() && target.member_by_employee_id("0003").is_none());
    let run = house.clock.drive(house.worker.import_now(&key(), "olga")).unwrap();
    house.run_for(1);
    let report = house.clock.drive(house.worker.history().run(&key(), &run)).unwrap();
    assert_eq!((report.applied.created, report.planned.leave, target.members().len()), (2, 0, 6));
    assert_eq!(report.finished_at.date_naive(), at(EVENING).date_naive(), "before the night");
}

#[test]
fn a_webhook_has_one_person_read_once_or_everyone_soon_and_nobody_else() {
    let house = House::new();
    let target = house.target();
    let mut all = MockConnector::new([]).capabilities();
    all.single_read = true;
    let connector = MockConnector::new(people(0..3)).with_capabilities(all);
    house.publish(&key(), connector.clone(), target.clone());
    connector.set_people(people(0..6));
    let told = house.notices.kinds().len();
    let person = |record: &str| EmployeeRef::record(record);
    let both = Scope::People(vec![person("r-0004"), person("r-0003")]);
    let runs = house.clock.drive(house.worker.read_soon(&key(), &both)).unwrap();
    assert_eq!(runs.len(), 2);
    let again = Scope::People(vec![person("r-0003"), person("r-0003"), person("r-0004")]);
    assert_eq!(house.clock.drive(house.worker.read_soon(&key(), &again)).unwrap(), runs);
    house.run_for(1);
    for run in &runs {
        let report = house.clock.drive(house.worker.history().run(&key(), run)).unwrap();
        assert_eq!((report.trigger, report.planned.read), (Trigger::Webhook, 1), "one person is read");
        assert_eq!((report.applied.created, report.planned.leave), (1, 0));
    }
    assert!(target.member_by_employee_id("0003").is_some() && target.member_by_employee_id("0005").is_none());
    let runs = house.clock.drive(house.worker.read_soon(&key(), &Scope::Everyone)).unwrap();
    house.run_for(1);
    let report = house.clock.drive(house.worker.history().run(&key(), &runs[0])).unwrap();
    assert_eq!((report.applied.created, target.members().len()), (1, 6));
    assert_eq!(house.notices.kinds().len(), told + 3, "each that did something is told");
}

#[test]
fn a_held_plan_is_told_with_its_digest_and_carried_out_when_released() {
    let house = House::new();
    let target = house.target();
    let connector = MockConnector::new(people(0..40));
    house.publish(&key(), connector.clone(), target.clone());
    let mut gone = people(0..40);
    gone.iter_mut().take(30).for_each(|person| person.status = EmploymentStatus::Inactive);
    connector.set_people(gone);
    house.run_for(12);
    assert_eq!(target.members().iter().filter(|member| member.active).count(), 40, "nothing was applied");
    assert_eq!(house.notices.kinds(), ["run_ended", "plan_held"]);
    let NoticeContent::PlanHeld { report, digest, .. } = house.notices.all()[1].content.clone() else {
        unreachable!("a held plan")
    };
    assert_eq!((report.held(), report.applied.affected()), (30, 0));
    assert!(matches!(report.result, RunResult::Held { .. }));
    let plan = report.plan.unwrap();
    house.clock.drive(async {
        let view = house.worker.plan(&key(), &plan).await.unwrap();
        assert_eq!(view.header().digest, digest);
        assert!(house.worker.release(&key(), &plan, "another", "olga").await.is_err());
        let released = house.worker.release(&key(), &plan, &digest, "olga").await.unwrap();
        assert_eq!((released.trigger, released.applied.left), (Trigger::Release, 30));
    });
    assert_eq!(house.notices.kinds(), ["run_ended", "plan_held", "run_ended"]);
}

#[test]
fn a_failed_run_is_told_and_the_third_in_a_row_slows_the_connection_down() {
    let house = House::new();
    let connector = MockConnector::new(people(0..3));
    let target = house.target();
    house.publish(&key(), connector.clone(), target.clone());
    connector.set_ending(Ending::failing_after(1, || Error::new(ErrorKind::Unavailable, "no answer")));
    house.run_for(3 * 24);
    assert_eq!(house.notices.kinds(), ["run_ended", "run_ended", "run_ended", "run_ended", "quarantined"]);
    assert_eq!(house.connection(&key()).stage(), Stage::Quarantined);
    assert_eq!(target.members().iter().filter(|member| member.active).count(), 3);
    let runs = house.clock.drive(house.store.runs(&key(), 0, 9)).unwrap();
    let mut file = Vec::new();
    let (key, history) = (key(), house.worker.history());
    let errors = history.write_file(&key, &runs[0].run, Severity::Error, FileFormat::Csv, &mut file);
    assert_eq!(house.clock.drive(errors).unwrap(), 1);
    assert!(String::from_utf8(file).unwrap().contains("run.failed,no answer"));
    connector.set_ending(Ending::complete());
    house.run_for(36);
    assert_eq!(house.connection(&key).stage(), Stage::Published);
    assert!(house.notices.kinds().contains(&"recovered"));
}

#[test]
fn an_outage_of_the_service_is_told_and_made_up_for_once() {
    let house = House::new();
    house.publish(&key(), MockConnector::new(people(0..3)), house.target());
    house.clock.advance(Duration::from_secs(4 * 24 * 3600));
    house.run_for(1);
    let runs = house.clock.drive(house.store.runs(&key(), 0, 9)).unwrap();
    assert_eq!(runs.len(), 2, "the first import and one that makes up for the nights");
    assert_eq!(house.notices.kinds(), ["run_ended", "runs_missed", "run_ended"]);
    let NoticeContent::RunsMissed { count, .. } = house.notices.all()[1].content else {
        unreachable!("missed")
    };
    assert_eq!(count, 3);
}

#[test]
fn a_mail_server_that_is_down_keeps_no_run_from_running_and_gets_its_notices_later() {
    let house = House::new();
    house.notices.failing(Some(ErrorKind::Unavailable));
    house.publish(&key(), MockConnector::new(people(0..3)), house.target());
    house.run_for(12);
    assert_eq!(house.connection(&key()).outbox().pending.len(), 2);
    assert!(house.notices.kinds().is_empty());
    house.notices.failing(None);
    house.run_for(8);
    assert_eq!(house.notices.kinds(), ["run_ended", "run_ended"]);
    assert!(house.connection(&key()).outbox().pending.is_empty());
}

#[test]
fn a_run_is_stopped_from_another_process_and_progress_is_seen_there() {
    let house = House::new();
    let connector = MockConnector::new(people(0..100));
    house.publish(&key(), connector.clone(), house.target());
    let slow = MockConnector::new(people(0..100))
        .with_page_size(10)
        .with_delay(house.clock.clone(), Duration::from_secs(30));
    house.ends.ends.lock().unwrap().insert(key(), (slow, house.target()));
    let other = house.another_process();
    let run = house.clock.drive(other.import_now(&key(), "olga")).unwrap();
    house.clock.drive(async {
        let watching = async {
            house.clock.sleep(Duration::from_secs(100)).await;
            let progress = other.progress(&key(), &run).await.unwrap().unwrap();
            assert!(progress.done > 0 && progress.done < 100, "{progress:?}");
            other.ask_to_stop(&key(), &run).await.unwrap();
        };
        let key = key();
        let (stepped, ()) = futures_util::join!(house.worker.step(&key), watching);
        let (name, result) = stepped.unwrap().ran.unwrap();
        assert_eq!((name, result.unwrap_err().kind()), (run.clone(), ErrorKind::Cancelled));
    });
    let report = house.clock.drive(house.worker.history().run(&key(), &run)).unwrap();
    assert_eq!(report.result, RunResult::Cancelled);
    assert!(
        house.connection(&key()).timetable().requests.is_empty(),
        "what somebody stopped is not begun again"
    );
}

#[test]
fn revoking_stops_the_run_under_way_and_makes_nobody_a_leaver() {
    let house = House::new();
    let target = house.target();
    house.publish(&key(), MockConnector::new(people(0..50)), target.clone());
    let mut gone = people(0..50);
    gone.iter_mut().take(3).for_each(|person| person.status = EmploymentStatus::Inactive);
    let slow =
        MockConnector::new(gone).with_page_size(10).with_delay(house.clock.clone(), Duration::from_secs(30));
    house.ends.ends.lock().unwrap().insert(key(), (slow, target.clone()));
    house.clock.drive(house.worker.import_now(&key(), "olga")).unwrap();
    house.clock.drive(async {
        let revoking = async {
            house.clock.sleep(Duration::from_secs(60)).await;
            house.worker.revoke(&key(), &vendor(), "olga").await.unwrap();
        };
        let key = key();
        let (stepped, ()) = futures_util::join!(house.worker.step(&key), revoking);
        assert!(stepped.unwrap().ran.unwrap().1.is_err());
    });
    assert_eq!(target.members().iter().filter(|member| member.active).count(), 50);
    house.run_for(48);
    assert_eq!(house.connection(&key()).stage(), Stage::Revoked);
    assert_eq!(target.members().iter().filter(|member| member.active).count(), 50, "nor later");
}
