//! Names, addresses, dates and claim tokens are searched in everything that campaigns show: `Debug` and `Display` of every
//! part, reports, errors, traces, faults included. A program of its own, since what is traced is decided once for a
//! process.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use std::fmt::Debug;
use std::fmt::Write as _;
use std::iter::successors;

use common::{World, born, campaign, token};
use hris_campaigns::{Rule, SetUp};
use hris_core::ledger::SendGroup;
use hris_core::{Employee, EmploymentStatus, Error, ErrorKind, Field};
use hris_testkit::{Ending, MailFault, Traces};

#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, thing: &(impl Debug + ?Sized)) {
        let _ = write!(self.0, "{thing:?}\n{thing:#?}\n");
    }

    fn error(&mut self, error: &Error) {
        for cause in successors(Some(error as &dyn std::error::Error), |error| error.source()) {
            let _ = write!(self.0, "{cause}\n{cause:?}\n");
        }
    }
}

/// Somebody whose every value is a canary. The record id is not: reports name people by it.
fn canary(record: &str, birth: &str) -> Employee {
    let mut employee = born(record, birth);
    employee.first_name = Field::Value("Canaryfirst".into());
    employee.last_name = Field::Value("Canarylast".into());
    employee.personal_email = Field::Value(format!("canary{record}@home.example"));
    employee
}

#[tokio::test]
async fn nothing_that_campaigns_show_holds_a_persons_data_or_a_claim_link() {
    let traces = Traces::of_this_process();

    let mut shown = Shown::default();
    let people = || vec![canary("r1", "1987-03-02"), canary("r2", "1987-03-02"), canary("r3", "1987-03-05")];
    let world = World::new("2026-03-02", people()).running(&campaign("birthdays", Rule::birthday())).await;
    shown.debug(&world.campaigns);
    shown.debug(&world.campaigns.preview(&world.directory, world.campaigns.today(), 30).await.unwrap());
    shown.debug(&SetUp::begin("origin"));

    world.mailer.plan([Some(MailFault::AnswerLost), Some(MailFault::Refused)]);
    world.go_to(9);
    let mut reports = vec![world.run().await];
    for ending in
        [Ending::broken_off(), Ending::failing_after(1, || Error::new(ErrorKind::Unavailable, "down"))]
    {
        world.directory.set_ending(ending);
        reports.push(world.run().await);
    }
    world.directory.set_ending(Ending::complete());
    let mut gone = people();
    gone[2].status = EmploymentStatus::Inactive;
    gone[1].personal_email = Field::Value("canary no address".into());
    world.directory.set_people(gone);
    world.sleep_days(1);
    reports.push(world.day().await);
    for report in &reports {
        shown.debug(report);
        shown.0 += &serde_json::to_string(report).unwrap();
        report.lines.iter().for_each(|line| shown.0 += &line.problem.message);
    }

    let mails = world.mails();
    let secret = token(&mails[0]);
    shown.debug(&mails);
    let desk = world.desk();
    shown.debug(&desk);
    shown.debug(&desk.open(&secret).await.unwrap());
    shown.debug(&desk.claim(&secret).await.unwrap());
    for group in [SendGroup::Undelivered, SendGroup::Delivered, SendGroup::Ended] {
        shown.debug(&world.campaigns.sends(group, None, None, 99).await.unwrap());
    }
    shown.error(&world.campaigns.withdraw(&mails[0].key.parse().unwrap()).await.unwrap_err());
    shown.error(&world.campaigns.send_again(&"x".into(), &mails[0].key.parse().unwrap()).await.unwrap_err());
    world.directory.set_account(hris_core::Account::new("somebody else"));
    shown.error(&world.try_run().await.unwrap_err());

    let traced = traces.text();
    assert!(traced.contains("run") && shown.0.contains("r2"), "the search looks at something");
    for secret in
        ["anaryfirst", "anarylast", "canaryr", "canary no", "home.example", "1987", &secret, &secret[22..]]
    {
        assert!(!shown.0.contains(secret), "{secret} is shown");
        assert!(!traced.contains(secret), "{secret} is traced");
    }
}
