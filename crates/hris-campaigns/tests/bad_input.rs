//! What is wrong with the data, the day or the mail server: each with its outcome and its line in the report.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use chrono::NaiveDate;
use common::{World, born, campaign, date, person, started};
use hris_campaigns::{CampaignReport, ReadingOutcome, Rule, rule};
use hris_core::ledger::{CancelReason, SendState, Stage};
use hris_core::{
    BirthDate, EmployeeField, EmploymentStatus, Error, ErrorKind, Field, FieldDescriptor, Ground, RecordId,
    RejectedRecord, RuleCode, Value,
};
use hris_testkit::{Ending, MailFault, run};

fn records(report: &CampaignReport, code: &RuleCode) -> Vec<String> {
    report.lines_of(code).filter_map(|line| Some(line.problem.record.as_ref()?.to_string())).collect()
}

fn birthdays() -> hris_campaigns::Campaign {
    campaign("birthdays", Rule::birthday())
}

fn hires() -> hris_campaigns::Campaign {
    campaign("hires", Rule::new_hire())
}

#[test]
fn somebody_without_a_birth_date_is_reported_and_others_go_on() {
    run(async {
        let people = vec![person("1"), born("2", "1990-03-03")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::DATE_MISSING), ["1"]);
        assert_eq!(report.counts("birthdays").scheduled, 1);
    });
}

#[test]
fn somebody_without_a_personal_address_waits_for_one_and_is_reported() {
    run(async {
        let mut without = born("1", "1990-03-03");
        without.personal_email = Field::Null;
        let world = World::new("2026-03-02", vec![without]).running(&birthdays()).await;
        let report = world.day().await;
        assert_eq!(records(&report, &rule::ADDRESS_MISSING), ["1"]);
        assert_eq!(world.states().await, [SendState::Planned]);
        assert!(world.sends().await[0].recipient().is_none(), "no name is kept while nothing can be sent");

        world.sleep_days(2);
        world.directory.set_people(vec![born("1", "1990-03-03")]);
        world.day().await;
        assert_eq!(world.mails().len(), 1, "the address came a day late, within the allowed lateness");
    });
}

#[test]
fn an_address_that_never_comes_ends_in_a_line_of_the_report() {
    run(async {
        let mut without = born("1", "1990-03-03");
        without.personal_email = Field::Value("no address".into());
        let world = World::new("2026-03-02", vec![without]).running(&birthdays()).await;
        for _ in 0..3 {
            world.day().await;
            world.sleep_days(1);
        }
        assert_eq!(world.states().await, [SendState::Planned]);
        world.sleep_days(1);
        world.go_to(12);
        let report = world.dispatch().await;
        assert_eq!(report.count_of(&rule::TOO_LATE), 1);
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::TooLate, _)));
        assert!(world.mails().is_empty());
    });
}

#[test]
fn a_start_date_of_1900_gives_no_gift_and_a_line() {
    run(async {
        let anniversaries = campaign("years", Rule::anniversary());
        let people = vec![started("1", "1900-03-03"), started("2", "2020-03-03")];
        let world = World::new("2026-03-02", people).running(&anniversaries).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::DATE_PLACEHOLDER), ["1"]);
        assert_eq!(report.counts("years").scheduled, 1);
    });
}

#[test]
fn a_30th_of_february_gives_no_gift_and_a_line() {
    run(async {
        let field: hris_core::SourceField = "custom:birthday".parse().unwrap();
        let rule = Rule::birthday().with_anchor(hris_campaigns::Anchor::Birth(field.clone()));
        let with = |record: &str, text: &str| {
            let mut employee = person(record);
            employee.custom.insert("birthday".into(), Field::Value(Value::from(text)));
            employee
        };
        let people = vec![with("1", "1990-02-30"), with("2", "03-03"), with("3", "1990-03-04T08:00:00Z")];
        let world = World::new("2026-03-02", people).running(&campaign("birthdays", rule)).await;
        let _ = world.directory.clone().with_fields([
            FieldDescriptor::new(field, "Birthday"),
            FieldDescriptor::new(EmployeeField::PersonalEmail, "Personal e-mail"),
        ]);
        let report = world.run().await;
        assert_eq!(records(&report, &rule::DATE_IMPOSSIBLE), ["1"]);
        assert_eq!(records(&report, &rule::DATE_WITH_TIME), ["3"], "taken as written, and said so");
        assert_eq!(report.counts("birthdays").scheduled, 2);
    });
}

#[test]
fn a_birth_date_in_the_future_gives_no_gift_and_a_line() {
    run(async {
        let people = vec![born("1", "2026-03-03"), born("2", "1990-03-03")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::DATE_FUTURE), ["1"]);
        assert_eq!(report.counts("birthdays").scheduled, 1);
    });
}

#[test]
fn two_records_for_one_person_are_both_held_unless_one_has_its_gift() {
    run(async {
        let twin = || {
            let mut twin = born("2", "1990-03-05");
            twin.personal_email = Field::Value("1@HOME.example".into());
            twin
        };
        let world =
            World::new("2026-03-02", vec![born("1", "1990-03-05"), twin()]).running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::PERSON_SHARED), ["1", "2"]);
        assert!(world.sends().await.is_empty());

        let world = World::new("2026-03-02", vec![born("1", "1990-03-05")]).running(&birthdays()).await;
        world.run().await;
        world.sleep_days(1);
        world.directory.set_people(vec![twin(), born("1", "1990-03-05")]);
        let report = world.run().await;
        assert_eq!(records(&report, &rule::PERSON_SHARED), ["2"], "the first keeps what it has");
        for _ in 0..5 {
            world.sleep_days(1);
            world.day().await;
        }
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn an_employee_id_on_two_records_holds_both() {
    run(async {
        let mut second = born("2", "1990-03-06");
        second.employee_id = Field::Value("1".into());
        let world =
            World::new("2026-03-02", vec![born("1", "1990-03-05"), second]).running(&birthdays()).await;
        assert_eq!(records(&world.run().await, &rule::PERSON_SHARED), ["1", "2"]);
    });
}

#[test]
fn the_same_record_twice_with_different_content_stays_as_it_was() {
    run(async {
        let mut other = born("1", "1990-03-05");
        other.first_name = Field::Value("Somebody".into());
        let world = World::new("2026-03-02", vec![born("1", "1990-03-05")]).running(&birthdays()).await;
        world.run().await;
        world.directory.set_people(vec![born("1", "1990-03-05"), other.clone()]);
        assert_eq!(records(&world.run().await, &rule::PERSON_AMBIGUOUS), ["1"]);
        assert_eq!(world.sends().await[0].recipient().unwrap().first_name, "First1");

        let mut first = born("1", "1990-03-05");
        first.modified_at = Some("2026-03-01T00:00:00Z".parse().unwrap());
        other.modified_at = Some("2026-03-01T00:00:01Z".parse().unwrap());
        for rows in [vec![first.clone(), other.clone()], vec![other, first]] {
            world.directory.set_people(rows);
            assert!(records(&world.run().await, &rule::PERSON_AMBIGUOUS).is_empty());
            assert_eq!(
                world.sends().await[0].recipient().unwrap().first_name,
                "Somebody",
                "the newer row counts"
            );
        }
    });
}

fn with_status(mut employee: hris_core::Employee, status: EmploymentStatus) -> hris_core::Employee {
    employee.status = status;
    employee
}

#[test]
fn a_rehire_gets_a_new_gift_only_after_the_ledger_saw_the_end() {
    run(async {
        let world = World::new("2026-03-02", vec![started("1", "2026-03-02")]).running(&hires()).await;
        world.day().await;
        assert_eq!(world.mails().len(), 1);

        world.sleep_days(3);
        world.directory.set_people(vec![started("1", "2026-03-06")]);
        world.day().await;
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 1, "a start date that moves after the gift is the same employment");

        world.sleep_days(40);
        world.directory.set_people(vec![with_status(started("1", "2026-03-06"), EmploymentStatus::Inactive)]);
        world.day().await;
        world.sleep_days(1);
        world.directory.set_people(vec![started("1", "2026-03-06")]);
        world.day().await;
        world.sleep_days(1);
        world.directory.set_people(vec![started("1", "2026-04-20")]);
        world.day().await;
        assert_eq!(world.mails().len(), 1, "an end that was taken back was none");

        world.sleep_days(1);
        world.directory.set_people(vec![with_status(started("1", "2026-04-20"), EmploymentStatus::Inactive)]);
        world.day().await;
        world.sleep_days(1);
        world.directory.set_people(vec![with_status(started("1", "2026-05-04"), EmploymentStatus::Pending)]);
        world.day().await;
        world.sleep_days(20);
        world.directory.set_people(vec![started("1", "2026-05-04")]);
        world.day().await;
        assert_eq!(world.mails().len(), 2, "hired again");
    });
}

#[test]
fn a_leaver_between_planning_and_date_gets_nothing_and_lives_again_when_back() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-06")]).running(&birthdays()).await;
        world.day().await;
        world.sleep_days(1);
        world.directory.set_people(vec![with_status(born("1", "1990-03-06"), EmploymentStatus::Inactive)]);
        let report = world.day().await;
        assert_eq!(records(&report, &rule::CANCELLED), ["1"]);
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::Left, _)));
        world.sleep_days(2);
        world.directory.set_people(vec![born("1", "1990-03-06")]);
        let report = world.day().await;
        assert_eq!(report.counts("birthdays").revived, 1);
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn somebody_whose_last_day_is_before_the_date_gets_nothing() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-06")]).running(&birthdays()).await;
        world.run().await;
        let mut leaving = born("1", "1990-03-06");
        leaving.end_date = Field::Value(date("2026-03-05"));
        world.directory.set_people(vec![leaving]);
        world.run().await;
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::Left, _)));
    });
}

#[test]
fn a_reading_that_breaks_off_plans_nothing_and_cancels_explicit_leavers_only() {
    run(async {
        let people = vec![born("1", "1990-03-06"), born("2", "1990-03-06")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.run().await;
        world.sleep_days(1);
        let gone = with_status(born("1", "1990-03-06"), EmploymentStatus::Inactive);
        world.directory.set_people(vec![gone, born("3", "1990-03-06")]);
        for ending in
            [Ending::broken_off(), Ending::failing_after(2, || Error::new(ErrorKind::Unavailable, "down"))]
        {
            world.directory.set_ending(ending);
            let report = world.run().await;
            assert_eq!(report.reading, ReadingOutcome::Incomplete);
            assert_eq!(report.count_of(&rule::INCOMPLETE), 1);
        }
        let mut states = world.states().await;
        states.sort();
        assert_eq!(
            states,
            [SendState::Scheduled, SendState::Cancelled],
            "2 is not taken for gone, 3 not planned"
        );
        world.directory.set_ending(Ending::complete());
        let report = world.run().await;
        assert_eq!((report.counts("birthdays").scheduled, report.counts("birthdays").cancelled), (1, 1));
    });
}

#[test]
fn stale_data_plans_and_cancels_nothing_and_holds_the_mail_after_48_hours() {
    run(async {
        let people = vec![born("1", "1990-03-03"), born("2", "1990-03-05")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.day().await;
        world.directory.set_receipt(|receipt| receipt.status = Ground::refused("needs relinking"));
        world.directory.set_people(vec![born("3", "1990-03-06")]);
        world.sleep_days(1);
        let report = world.day().await;
        assert_eq!((report.reading, report.count_of(&rule::STALE)), (ReadingOutcome::Stale, 1));
        assert_eq!(world.mails().len(), 1, "yesterday's word about 1 is fresh enough");
        world.sleep_days(2);
        world.run().await;
        world.go_to(12);
        let report = world.dispatch().await;
        assert_eq!((report.count_of(&rule::STALE), report.counts("birthdays").held), (1, 1));
        assert_eq!(world.mails().len(), 1, "2 is held");

        world.directory.set_receipt(|_| {});
        world.directory.set_people(vec![born("2", "1990-03-05")]);
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 2, "a fresh reading lets it go, late");
    });
}

#[test]
fn a_directory_that_is_not_ready_is_a_line_and_of_another_company_an_error() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-03")]).running(&birthdays()).await;
        world.run().await;
        let mut account = hris_core::Account::new("mock");
        account.not_ready = Some("the first synchronisation is under way".into());
        let known = world.ledger.head(&common::connection()).await.unwrap().unwrap().account;
        account.id = known;
        world.directory.set_account(account);
        let report = world.run().await;
        assert_eq!((report.reading, report.count_of(&rule::INCOMPLETE)), (ReadingOutcome::Incomplete, 1));
        world.directory.set_account(hris_core::Account::new("somebody else"));
        assert_eq!(world.try_run().await.unwrap_err().kind(), ErrorKind::WrongAccount);
        assert_eq!(world.states().await, [SendState::Scheduled]);
    });
}

#[test]
fn an_unreadable_row_leaves_its_gift_as_it_was() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-03")]).running(&birthdays()).await;
        world.run().await;
        world.sleep_days(1);
        world.directory.set_people(vec![born("2", "1990-09-04")]);
        let row = RejectedRecord::unreadable(Some(RecordId::from("1")), "a row of nonsense");
        world.directory.set_rejected([row]);
        let report = world.run().await;
        assert_eq!(records(&report, &rule::PERSON_UNREADABLE), ["1"]);
        world.go_to(12);
        world.dispatch().await;
        assert_eq!(world.mails().len(), 1, "confirmed less than 48 hours ago");
    });
}

#[test]
fn somebody_who_is_missing_from_a_complete_reading_is_called_off_and_from_a_doubtful_one_not() {
    run(async {
        let people = vec![born("1", "1990-03-06"), born("2", "1990-03-06")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.run().await;
        world.directory.set_people(vec![born("1", "1990-03-06")]);
        world.directory.set_receipt(|receipt| {
            receipt.absence = hris_core::AbsenceGround::refused("a page came twice");
        });
        world.run().await;
        assert_eq!(world.states().await, [SendState::Scheduled, SendState::Scheduled]);
        world.directory.set_receipt(|_| {});
        world.run().await;
        let gone = world.sends().await.into_iter().find(|send| send.state() == SendState::Cancelled).unwrap();
        assert!(matches!(gone.stage, Stage::Cancelled(CancelReason::Gone, _)));
    });
}

#[test]
fn a_deleted_record_is_called_off_only_where_deletions_are_trusted() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-06")]).running(&birthdays()).await;
        world.run().await;
        world.directory.set_people(vec![born("2", "1990-09-09")]);
        world.directory.set_deleted([RecordId::from("1")]);
        world.directory.set_receipt(|receipt| receipt.tombstones = Ground::refused("not trusted"));
        world.run().await;
        assert_eq!(world.states().await, [SendState::Scheduled]);
        world.directory.set_receipt(|receipt| receipt.tombstones = Ground::Usable);
        world.run().await;
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::Deleted, _)));
    });
}

#[test]
fn a_clock_set_back_plans_nothing_and_says_so() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-03")]).running(&birthdays()).await;
        world.day().await;
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 1);
        let old: NaiveDate = date("2026-02-25");
        let report = world.campaigns.run(&world.directory, &world.next_run(), old).await.unwrap();
        assert_eq!((report.count_of(&rule::CLOCK_BACK), report.reading), (1, ReadingOutcome::None));
        assert_eq!(world.mails().len(), 1);
        let last = world.campaigns.list().await.unwrap()[0].last_run;
        assert_eq!(last, Some(date("2026-03-03")), "the mark does not go back");
    });
}

#[test]
fn the_job_started_twice_at_the_same_moment_runs_once() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.go_to(9);
        let (today, id) = (world.campaigns.today(), hris_core::RunId::from("night"));
        let (first, second) = futures_util::join!(
            world.campaigns.run(&world.directory, &id, today),
            world.campaigns.run(&world.directory, &id, today),
        );
        let errors: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Leased), "{errors:?}");
        let again = world.campaigns.run(&world.directory, &id, today).await.unwrap();
        assert_eq!(again.counts("birthdays").scheduled, 1, "the run was carried out and is told again");
        assert_eq!(world.directory.queries().len(), 1, "the directory was read once");
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn a_mail_server_gone_after_accepting_leaves_one_uncertain_gift() {
    run(async {
        let people = vec![born("1", "1990-03-02"), born("2", "1990-03-02")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.mailer.plan([Some(MailFault::AnswerLost)]);
        world.go_to(9);
        let report = world.run().await;
        assert_eq!(report.counts("birthdays").uncertain, 1);
        assert_eq!(report.counts("birthdays").delivered, 1);
        assert_eq!(report.count_of(&rule::MAIL_UNCERTAIN), 1);
        for _ in 0..3 {
            world.sleep_days(1);
            world.day().await;
        }
        assert_eq!(world.mails().len(), 2, "nothing is repeated blindly");
        let mut states = world.states().await;
        states.sort();
        assert_eq!(states, [SendState::Delivered, SendState::Uncertain]);
    });
}

#[test]
fn a_mail_service_that_remembers_keys_leaves_nothing_uncertain() {
    run(async {
        let people = vec![born("1", "1990-03-02"), born("2", "1990-03-02")];
        let mailer = hris_testkit::MockMailer::new().remembering();
        let ledger = std::sync::Arc::new(hris_store_memory::MemoryStore::new());
        let world = World::with("2026-03-02", people, ledger, mailer).running(&birthdays()).await;
        world.mailer.plan([Some(MailFault::AnswerLost), Some(MailFault::LostBeforeTaken)]);
        world.go_to(9);
        world.run().await;
        world.sleep_days(1);
        world.run().await;
        assert_eq!(world.mails().len(), 2);
        assert_eq!(world.states().await, [SendState::Delivered, SendState::Delivered]);
    });
}

#[test]
fn a_mail_server_that_is_away_is_tried_again_and_one_attempt_is_enough_to_know() {
    run(async {
        let people = vec![born("1", "1990-03-02"), born("2", "1990-03-02")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.mailer.plan([Some(MailFault::Unreachable), Some(MailFault::Unreachable)]);
        world.go_to(9);
        let report = world.run().await;
        assert_eq!((report.counts("birthdays").delayed, world.mailer.tried()), (1, 1));
        assert_eq!(report.count_of(&rule::MAIL_DELAYED), 1);
        world.dispatch().await;
        assert_eq!(world.mailer.tried(), 2, "the other one found out for itself");
        world.go_to(10);
        world.dispatch().await;
        assert_eq!((world.mails().len(), world.states().await), (2, vec![SendState::Delivered; 2]));
    });
}

#[test]
fn a_refused_address_is_reported_and_a_corrected_one_is_used() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.mailer.plan([Some(MailFault::Refused)]);
        world.go_to(9);
        let report = world.run().await;
        assert_eq!((report.counts("birthdays").refused, report.count_of(&rule::MAIL_REFUSED)), (1, 1));
        assert_eq!(world.states().await, [SendState::Planned]);
        let mut corrected = born("1", "1990-03-02");
        corrected.personal_email = Field::Value("right@home.example".into());
        world.directory.set_people(vec![corrected]);
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails()[0].to.address.as_str(), "right@home.example");
    });
}

#[test]
fn a_greylisted_mail_is_sent_when_its_time_has_come() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.mailer.plan([Some(MailFault::Greylisted)]);
        world.go_to(9);
        world.run().await;
        world.dispatch().await;
        assert_eq!(world.mailer.tried(), 1, "not before a quarter of an hour");
        world.go_to(10);
        world.dispatch().await;
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn a_date_that_vanishes_leaves_the_gift_on_its_last_known_day() {
    run(async {
        let people = vec![born("1", "1990-03-04"), born("2", "1990-09-04")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.run().await;
        let mut without = person("1");
        without.birth_date = Field::Null;
        world.directory.set_people(vec![without, born("2", "1990-09-04")]);
        world.sleep_days(1);
        let report = world.run().await;
        assert_eq!(records(&report, &rule::DATE_VANISHED), ["1"]);
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn an_integration_that_delivers_no_birth_dates_is_refused_with_the_remedy() {
    run(async {
        let people = vec![started("1", "2026-03-03")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await.running(&hires()).await;
        let report = world.run().await;
        let why = report.counts("birthdays").not_delivered.unwrap();
        assert!(why.contains("birth_date") && why.contains("map"), "{why}");
        assert_eq!(report.count_of(&rule::NOT_DELIVERED), 1);
        assert_eq!(report.counts("hires").scheduled, 1, "the other campaign goes on");

        let _ = world.directory.clone().with_fields([
            FieldDescriptor::new(EmployeeField::StartDate, "Start"),
            FieldDescriptor::new(EmployeeField::WorkEmail, "Work e-mail"),
        ]);
        let report = world.run().await;
        let why = report.counts("hires").not_delivered.unwrap();
        assert!(why.contains("personal_email") && why.contains("designate the work address"), "{why}");
        assert_eq!(world.states().await, [SendState::Scheduled], "what is planned is left alone");
    });
}

#[test]
fn an_unknown_status_counts_as_present_with_a_line() {
    run(async {
        let odd = with_status(born("1", "1990-03-03"), EmploymentStatus::Unknown(Some("sabbatical".into())));
        let world = World::new("2026-03-02", vec![odd]).running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::STATUS_UNKNOWN), ["1"]);
        assert_eq!(report.counts("birthdays").scheduled, 1);
    });
}

#[test]
fn who_wants_no_gifts_gets_none_before_planning_and_at_dispatch() {
    run(async {
        let rule =
            Rule::birthday().with_opt_out("custom:no_gifts".parse::<hris_core::SourceField>().unwrap());
        let asks = |mut employee: hris_core::Employee, word: &str| {
            employee.custom.insert("no_gifts".into(), Field::Value(Value::from(word)));
            employee
        };
        let mut quiet = born("3", "1990-03-03");
        quiet.suppress_contact = true;
        let people = vec![asks(born("1", "1990-03-03"), "Yes"), asks(born("2", "1990-03-03"), "no"), quiet];
        let world = World::new("2026-03-02", people).running(&campaign("birthdays", rule)).await;
        let report = world.run().await;
        assert_eq!(records(&report, &rule::OPTED_OUT), ["1", "3"]);
        assert_eq!(report.counts("birthdays").scheduled, 1);
        world.directory.set_people(vec![asks(born("2", "1990-03-03"), "TRUE")]);
        world.run().await;
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::OptedOut, _)));
    });
}

#[test]
fn a_hidden_birth_year_and_placeholder_years_do_for_birthdays() {
    run(async {
        let mut hidden = person("1");
        hidden.birth_date = Field::Value(BirthDate::month_day(3, 3).unwrap());
        let world =
            World::new("2026-03-02", vec![hidden, born("2", "1904-03-04")]).running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!(report.counts("birthdays").scheduled, 2);
        assert_eq!(records(&report, &rule::DATE_PLACEHOLDER), ["2"]);
    });
}
