//! What becomes of a mail, against a real SMTP server on loopback that fails as mail servers do.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hris_core::{Delivery, Email, Error, ErrorKind, GiftMail, GiftMailer as _, Mailbox};
use hris_mail_smtp::{Security, SmtpConfig, SmtpMailer};
use hris_testkit::smtp::{SmtpFault, SmtpServer};
use hris_testkit::{ManualClock, run};

fn mail() -> GiftMail {
    let mailbox = |name: &str, address: &str| Mailbox::new(name, Email::parse(address).unwrap());
    let to = mailbox("Íñigo Olmedo", "inigo@home.example");
    GiftMail::new("k1", mailbox("Brisa", "gifts@brisa.example"), to, "Für Íñigo", "https://g.example/äöü")
}

fn config(server: &SmtpServer) -> SmtpConfig {
    SmtpConfig::new("127.0.0.1", server.address().port(), "brisa.example").with_security(Security::Plain)
}

fn mailer(server: &SmtpServer) -> SmtpMailer {
    config(server).build(Arc::new(clock())).unwrap()
}

fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T08:00:00Z")
}

async fn failing(fault: SmtpFault) -> (Error, usize) {
    let server = SmtpServer::start().await;
    server.add_fault(fault);
    let error = mailer(&server).send(&mail()).await.unwrap_err();
    (error, server.mail_count())
}

#[test]
fn a_mail_arrives_as_it_was_written() {
    run(async {
        let server = SmtpServer::start().await;
        let mail = mail().with_html("<p>https://g.example/äöü</p>");
        mailer(&server).send(&mail).await.unwrap();
        let received = &server.mails()[0];
        assert_eq!(received.envelope_from(), "gifts@brisa.example");
        assert_eq!(received.envelope_to(), ["inigo@home.example"]);
        assert_eq!(received.subject().as_deref(), Some("Für Íñigo"));
        assert_eq!(received.text().unwrap().trim(), "https://g.example/äöü");
        assert_eq!(received.html().unwrap().trim(), "<p>https://g.example/äöü</p>");
        assert_eq!(received.header("Message-ID").as_deref(), Some("<k1@brisa.example>"));
        assert!(received.header("Date").unwrap().starts_with("Mon, 02 Mar 2026 08:00:00"));
    });
}

#[test]
fn greylisting_and_a_full_disk_are_worth_another_try_and_the_mail_is_not_out() {
    run(async {
        for fault in [SmtpFault::Greylist, SmtpFault::FullDisk] {
            let (error, mails) = failing(fault).await;
            assert_eq!(
                (error.delivery(), error.is_retryable(), mails),
                (Delivery::Answered, true, 0),
                "{error}"
            );
        }
    });
}

#[test]
fn a_refused_recipient_or_content_is_about_this_mail_alone() {
    run(async {
        for fault in [SmtpFault::RefuseRecipient("inigo@home.example".into()), SmtpFault::RefuseContent] {
            let (error, mails) = failing(fault).await;
            let found = (error.kind(), error.delivery(), error.is_retryable(), mails);
            assert_eq!(found, (ErrorKind::Invalid, Delivery::Answered, false, 0), "{error}");
        }
    });
}

#[test]
fn a_server_gone_after_accepting_or_in_the_middle_leaves_doubt() {
    run(async {
        for (fault, mails) in [(SmtpFault::VanishAfterAccepting, 1), (SmtpFault::VanishInContent, 0)] {
            let (error, taken) = failing(fault).await;
            assert_eq!((error.delivery(), taken), (Delivery::Unknown, mails), "{error}");
            assert!(!error.is_retryable());
        }
    });
}

#[test]
fn a_server_that_is_down_or_too_busy_cannot_be_reached() {
    run(async {
        let (error, _) = failing(SmtpFault::TooBusy).await;
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::NotSent), "{error}");
        let server = SmtpServer::start().await;
        let mailer = mailer(&server);
        server.go_down().await;
        let error = mailer.send(&mail()).await.unwrap_err();
        let found = (error.kind(), error.delivery(), error.is_retryable());
        assert_eq!(found, (ErrorKind::Unavailable, Delivery::NotSent, true), "{error}");
        server.come_back().await;
        mailer.send(&mail()).await.unwrap();
    });
}

#[test]
fn silence_before_the_mail_is_not_sent_and_after_it_is_doubt() {
    run(async {
        for (fault, delivery) in
            [(SmtpFault::Silence, Delivery::NotSent), (SmtpFault::SilenceAfterContent, Delivery::Unknown)]
        {
            let (server, clock) = (SmtpServer::start().await, clock());
            let is_after = fault == SmtpFault::SilenceAfterContent;
            server.add_fault(fault);
            let mailer =
                config(&server).with_timeout(Duration::from_secs(9)).build(Arc::new(clock.clone())).unwrap();
            let mail = mail();
            let sending = mailer.send(&mail);
            let mut sending = std::pin::pin!(sending);
            if is_after {
                // The mail arrives; then nothing comes.
                futures_util::select_biased! {
                    _ = sending.as_mut().fuse() => panic!("there is no answer"),
                    () = server.received(1).fuse() => {}
                }
            } else {
                futures_util::select_biased! {
                    _ = sending.as_mut().fuse() => panic!("there is no answer"),
                    () = server.connected(1).fuse() => {}
                }
            }
            clock.advance(Duration::from_secs(10));
            let error = sending.await.unwrap_err();
            assert_eq!(error.delivery(), delivery, "{error}");
        }
    });
}

#[test]
fn a_login_is_used_and_a_wrong_one_is_nobody_elses_fault() {
    run(async {
        let server = SmtpServer::with_login("brisa", "right").await;
        let with = |password: &str| {
            config(&server).with_login("brisa", password.to_owned().into()).build(Arc::new(clock())).unwrap()
        };
        let error = with("wrong").send(&mail()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unauthorized, Delivery::NotSent), "{error}");
        with("right").send(&mail()).await.unwrap();
        assert_eq!(server.mail_count(), 1);
    });
}

#[test]
fn plain_is_for_loopback_and_tls_is_not_given_up_silently() {
    run(async {
        let config =
            SmtpConfig::new("mail.brisa.example", 25, "brisa.example").with_security(Security::Plain);
        assert_eq!(config.build(Arc::new(clock())).unwrap_err().kind(), ErrorKind::Config);
        let server = SmtpServer::start().await;
        let careful = SmtpConfig::new("127.0.0.1", server.address().port(), "brisa.example");
        let error = careful.build(Arc::new(clock())).unwrap().send(&mail()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Config, Delivery::NotSent), "{error}");
        assert_eq!(server.mail_count(), 0);
    });
}

#[test]
fn nothing_shown_holds_a_password_a_name_or_an_address() {
    run(async {
        let server = SmtpServer::with_login("brisa", "canary-password").await;
        let mailer = config(&server).with_login("brisa", "canary-password".to_owned().into());
        let mailer = mailer.build(Arc::new(clock())).unwrap();
        let mut shown = format!("{:?} {mailer:?} {:?}", config(&server), mail());
        let faults = [
            SmtpFault::RefuseRecipient("inigo@home.example".into()),
            SmtpFault::RefuseContent,
            SmtpFault::VanishInContent,
            SmtpFault::TooBusy,
        ];
        for fault in faults {
            server.add_fault(fault);
            let error = mailer.send(&mail()).await.unwrap_err();
            write!(shown, "{error} {error:?}").unwrap();
            server.clear_faults();
        }
        for secret in ["canary-password", "igo", "Olmedo", "home.example", "https://"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    });
}
