//! Notices as they arrive at a real mail server on loopback, and what becomes of them where it fails.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{
    ConnectionKey, Delivery, Email, Error, HoldReason, Mailbox, Notice, NoticeContent, Notifier as _,
    Recipient, RunReport, RunResult, Trigger, rule,
};
use hris_mail_smtp::{Security, SmtpConfig};
use hris_notify::MailNotifier;
use hris_testkit::smtp::{SmtpFault, SmtpServer};
use hris_testkit::{ManualClock, run};

fn notifier(server: &SmtpServer) -> MailNotifier {
    let clock = ManualClock::at("2026-03-03T02:31:00Z");
    let config = SmtpConfig::new("127.0.0.1", server.address().port(), "rewards.example")
        .with_security(Security::Plain)
        .with_timeout(Duration::from_secs(60));
    let mailer = config.build(Arc::new(clock)).unwrap();
    let from = Mailbox::new("Rewards imports", Email::parse("imports@rewards.example").unwrap());
    MailNotifier::new(Arc::new(mailer), from).unwrap().with_pages("https://portal.example")
}

fn to(name: &str) -> Recipient {
    Recipient::new(Email::parse(&format!("{name}@brisa.example")).unwrap()).named(name)
}

fn report() -> RunReport {
    let at = "2026-03-03T02:30:00Z".parse().unwrap();
    let key = ConnectionKey::new("brisa", "sesame");
    let mut report = RunReport::started("scheduled".into(), key, Trigger::Schedule, at);
    report.finished_at = at + chrono::TimeDelta::seconds(42);
    report.result = RunResult::Applied;
    (report.planned.read, report.planned.create, report.planned.leave) = (300, 7, 2);
    (report.applied.created, report.applied.invited, report.applied.left) = (7, 6, 2);
    report.problems = BTreeMap::from([(rule::EMAIL_MISSING, 3), (rule::PERSON_MISSING, 1)]);
    report.warnings = BTreeMap::from([(rule::PERSON_MISSING, 1)]);
    report
}

fn notice(content: NoticeContent) -> Notice {
    let at = "2026-03-03T02:31:00Z".parse().unwrap();
    Notice::new("n-1", ConnectionKey::new("brisa", "sesame"), "Sesame HR (Talleres Brisa)", at, content)
}

fn ended() -> Notice {
    notice(NoticeContent::RunEnded { report: Box::new(report()) })
}

#[test]
fn a_runs_report_arrives_with_counts_errors_and_warnings_apart() {
    run(async {
        let server = SmtpServer::start().await;
        let told = notifier(&server).notify(&ended().with_recipient(to("Olga"))).await.unwrap();
        assert_eq!((told.delivered, told.refused.len()), (1, 0));
        let mail = &server.mails()[0];
        assert_eq!(
            mail.subject().unwrap(),
            "Sesame HR (Talleres Brisa): import done, 9 accounts affected, 3 errors, 1 warnings (2026-03-03 02:31 UTC)"
        );
        let text = mail.text().unwrap();
        for line in [
            "Dear Olga,",
            "took 42 s",
            "300 people were read; 9 accounts were affected",
            "create               7         7         0",
            "Invitations sent: 6",
            "3 x email.missing",
            "1 x person.missing",
            "https://portal.example/brisa/sesame/runs/scheduled",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(mail.html().unwrap().contains("<b>9 accounts were affected</b>"));
        assert_eq!(mail.envelope_to(), ["Olga@brisa.example"]);
    });
}

#[test]
fn a_held_plan_arrives_with_its_reasons_and_its_digest() {
    run(async {
        let server = SmtpServer::start().await;
        let mut held = report();
        held.result = RunResult::Held { reasons: vec![HoldReason::TooManyLeavers { planned: 30, limit: 4 }] };
        let content = NoticeContent::PlanHeld {
            report: Box::new(held),
            digest: "0123abcd".to_owned(),
            expires_at: "2026-03-10T02:30:00Z".parse().unwrap(),
        };
        notifier(&server).notify(&notice(content).with_recipient(to("Olga"))).await.unwrap();
        let text = server.mails()[0].text().unwrap();
        for line in
            ["nothing of it was applied", "30 people would leave", "Digest: 0123abcd", "until 2026-03-10"]
        {
            assert!(text.contains(line), "{line} in {text}");
        }
    });
}

#[test]
fn one_refused_recipient_keeps_nobody_else_from_their_mail() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::RefuseRecipient("gone@brisa.example".to_owned()));
        let both = ended().with_recipient(to("gone")).with_recipient(to("Olga"));
        let told = notifier(&server).notify(&both).await.unwrap();
        assert_eq!((told.delivered, told.refused.len()), (1, 1));
        let refused = &told.refused[0];
        assert!(refused.recipient == 0 && refused.for_good && !refused.uncertain);
        assert!(!refused.message.contains("gone"), "no address: {}", refused.message);
        assert_eq!(server.mails()[0].envelope_to(), ["Olga@brisa.example"]);
    });
}

#[test]
fn a_greylisted_mail_is_worth_another_try_and_then_arrives_once() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::Greylist);
        let notifier = notifier(&server);
        let notice = ended().with_recipient(to("Olga"));
        let told = notifier.notify(&notice).await.unwrap();
        assert!(told.delivered == 0 && !told.refused[0].for_good && !told.refused[0].uncertain);
        assert_eq!(notifier.notify(&notice).await.unwrap().delivered, 1);
        assert_eq!(server.mail_count(), 1);
    });
}

#[test]
fn a_server_that_is_down_is_an_error_worth_another_try() {
    run(async {
        let server = SmtpServer::start().await;
        let notifier = notifier(&server);
        let notice = ended().with_recipient(to("Olga")).with_recipient(to("Pau"));
        server.go_down().await;
        let error: Error = notifier.notify(&notice).await.unwrap_err();
        assert!(error.is_retryable() && error.delivery() == Delivery::NotSent, "{error}");
        server.come_back().await;
        assert_eq!(notifier.notify(&notice).await.unwrap().delivered, 2);
    });
}

#[test]
fn a_server_that_vanished_leaves_doubt_and_the_repeat_is_recognisably_the_same_mail() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::VanishAfterAccepting);
        let notifier = notifier(&server);
        let notice = ended().with_recipient(to("Olga"));
        let told = notifier.notify(&notice).await.unwrap();
        assert!(told.delivered == 0 && told.refused[0].uncertain && !told.refused[0].for_good);
        assert_eq!(notifier.notify(&notice).await.unwrap().delivered, 1);
        let ids: Vec<_> = server.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
        assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
        let mut other = ended().with_recipient(to("Olga"));
        "n-2".clone_into(&mut other.id);
        notifier.notify(&other).await.unwrap();
        assert_ne!(server.mails()[2].header("Message-ID").unwrap(), ids[0]);
    });
}

#[test]
fn nothing_shown_holds_a_name_or_an_address() {
    run(async {
        let server = SmtpServer::start().await;
        let notifier = notifier(&server);
        let notice = ended().with_recipient(to("OlgaCanary"));
        server.add_fault(SmtpFault::RefuseRecipient("OlgaCanary@brisa.example".to_owned()));
        let told = notifier.notify(&notice).await.unwrap();
        let shown = format!("{notifier:?} {notice:?} {told:?}");
        assert!(!shown.contains("OlgaCanary") && !shown.contains("brisa.example"), "{shown}");
    });
}
