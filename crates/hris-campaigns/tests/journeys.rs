//! The seed's promises as journeys through days: detection, scheduling, activation, notification, claim.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use common::{World, born, campaign, date, person, started, token};
use hris_campaigns::{AddressSource, LeapDay, LinkAnswer, Milestones, ReadingOutcome, Rule, SendZone, rule};
use hris_core::ledger::{CampaignStatus, CancelReason, SendGroup, SendState, Stage};
use hris_core::{EmployeeField, EmploymentStatus, ErrorKind, Field};
use hris_testkit::run;

fn birthdays() -> hris_campaigns::Campaign {
    campaign("birthdays", Rule::birthday())
}

fn hires() -> hris_campaigns::Campaign {
    campaign("hires", Rule::new_hire())
}

#[test]
fn a_new_hire_gets_the_mail_on_the_exact_start_date_at_the_personal_address() {
    run(async {
        let mut hire = started("1", "2026-03-20");
        hire.status = EmploymentStatus::Pending;
        let world = World::new("2026-03-02", vec![hire]).running(&hires()).await;
        for _ in 0..18 {
            world.day().await;
            assert!(world.mails().is_empty());
            world.sleep_days(1);
        }
        world.go_to(7);
        world.dispatch().await;
        assert!(world.mails().is_empty(), "08:00 in Madrid");
        world.day().await;
        let mails = world.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to.address.as_str(), "1@home.example");
        assert_eq!(mails[0].subject, "For First1");
        assert_eq!(world.clock_date(), date("2026-03-20"));
    });
}

#[test]
fn an_anniversary_gets_the_mail_on_the_day_at_the_work_address() {
    run(async {
        let years = campaign("years", Rule::anniversary());
        let world = World::new("2026-03-02", vec![started("1", "2021-03-05")]).running(&years).await;
        for _ in 0..6 {
            world.day().await;
            world.sleep_days(1);
        }
        assert_eq!(world.mails().len(), 1);
        assert_eq!(world.mails()[0].to.address.as_str(), "1@work.example");
    });
}

#[test]
fn new_hires_of_the_last_week_follow_the_window_at_first_and_birthdays_are_never_retroactive() {
    run(async {
        let people = vec![started("1", "2026-02-23"), started("2", "2026-02-22"), born("3", "1990-03-01")];
        let world = World::new("2026-03-02", people).running(&hires()).await.running(&birthdays()).await;
        let report = world.run().await;
        assert_eq!((report.counts("hires").scheduled, report.count_of(&rule::LATE)), (1, 1));
        assert_eq!(report.counts("birthdays").scheduled, 0);
        assert_eq!(world.mails().len(), 1, "late, at once");
    });
}

#[test]
fn seven_missed_days_lose_nothing_and_older_ones_are_reported() {
    run(async {
        let people = vec![
            born("1", "1990-03-04"),
            born("2", "1990-03-09"),
            born("3", "1990-03-12"),
            born("4", "1990-03-14"),
        ];
        let world = World::new("2026-03-01", people).running(&birthdays()).await;
        world.day().await;
        world.sleep_days(13);
        let report = world.day().await;
        let counts = report.counts("birthdays");
        assert_eq!((counts.too_late, counts.delivered), (1, 1), "1 was planned, and its time is over");
        assert_eq!(report.lines_of(&rule::TOO_LATE).count(), 2, "2 and 1");
        assert_eq!(report.lines_of(&rule::LATE).count(), 1, "3, two days late");
        assert_eq!(world.mails().len(), 2, "3 and 4");
    });
}

#[test]
fn a_moved_start_date_moves_the_gift_and_never_doubles_it() {
    run(async {
        let world = World::new("2026-03-02", vec![started("1", "2026-03-06")]).running(&hires()).await;
        world.day().await;
        let before = world.sends().await[0].clone();
        world.sleep_days(1);
        world.directory.set_people(vec![started("1", "2026-03-10")]);
        let report = world.day().await;
        assert_eq!((report.counts("hires").moved, report.count_of(&rule::MOVED)), (1, 1));
        let after = world.sends().await[0].clone();
        assert_eq!((before.id, after.due().unwrap().date), (after.id, date("2026-03-10")));
        for _ in 0..12 {
            world.sleep_days(1);
            world.day().await;
        }
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn a_start_date_moved_beyond_the_window_calls_the_gift_off_until_it_is_near_again() {
    run(async {
        let world = World::new("2026-03-02", vec![started("1", "2026-03-06")]).running(&hires()).await;
        world.day().await;
        world.directory.set_people(vec![started("1", "2026-05-20")]);
        world.day().await;
        assert!(matches!(world.sends().await[0].stage, Stage::Cancelled(CancelReason::NotDue, _)));
        world.sleep_days(60);
        world.day().await;
        assert_eq!(world.states().await, [SendState::Scheduled]);
        world.sleep_days(19);
        world.day().await;
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn a_corrected_birth_date_or_address_gives_no_second_gift_in_the_year() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.day().await;
        let mut corrected = born("1", "1991-03-05");
        corrected.personal_email = Field::Value("other@home.example".into());
        corrected.last_name = Field::Value("Other".into());
        world.directory.set_people(vec![corrected]);
        for _ in 0..6 {
            world.sleep_days(1);
            world.day().await;
        }
        assert_eq!(world.mails().len(), 1);
    });
}

#[test]
fn name_and_address_are_brought_up_to_date_every_day_until_the_mail_goes() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-04")]).running(&birthdays()).await;
        world.day().await;
        let mut married = born("1", "1990-03-04");
        married.last_name = Field::Value("Newname".into());
        married.personal_email = Field::Value("new@home.example".into());
        world.directory.set_people(vec![married]);
        world.sleep_days(2);
        world.day().await;
        let mail = &world.mails()[0];
        assert_eq!(mail.to.address.as_str(), "new@home.example");
        assert!(mail.text.contains("Newname"));
    });
}

#[test]
fn mails_go_out_at_the_local_time_of_whom_they_are_for() {
    run(async {
        let in_zone = |record: &str, zone: &str| {
            let mut employee = born(record, "1990-03-04");
            employee.time_zone = Field::Value(zone.into());
            employee
        };
        let nine = "09:00:00".parse().unwrap();
        let local = campaign("birthdays", Rule::birthday().with_send_time(nine, SendZone::Recipient));
        let people = vec![
            in_zone("1", "Pacific/Kiritimati"),
            in_zone("2", "America/Los_Angeles"),
            in_zone("3", "somewhere"),
        ];
        let world = World::new("2026-03-02", people).running(&local).await;
        world.run().await;
        let to = |world: &World| world.mails().iter().map(|mail| mail.to.name.clone()).collect::<Vec<_>>();
        world.sleep_days(1);
        world.go_to(18);
        world.dispatch().await;
        assert!(to(&world).is_empty());
        world.go_to(19);
        world.dispatch().await;
        assert_eq!(to(&world), ["First1 Last1"], "09:00 on 4 March at UTC+14 is 19:00 UTC on 3 March");
        world.sleep_days(1);
        world.run().await;
        world.go_to(8);
        world.dispatch().await;
        assert_eq!(to(&world).len(), 2, "who has no known zone gets the customer's");
        world.go_to(17);
        world.dispatch().await;
        assert_eq!(to(&world).len(), 3);
    });
}

#[test]
fn a_link_is_opened_as_often_as_one_likes_and_claimed_once() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.day().await;
        let (token, desk) = (token(&world.mails()[0]), world.desk());
        for _ in 0..3 {
            let LinkAnswer::Form(form) = desk.open(&token).await.unwrap() else { panic!("a form") };
            assert_eq!(
                (&*form.first_name, &*form.last_name, form.email.as_str()),
                ("First1", "Last1", "1@home.example")
            );
            assert_eq!(form.gift, "gift");
            assert_eq!(world.states().await, [SendState::Delivered], "mail scanners open links too");
        }
        let (one, other) = futures_util::join!(desk.claim(&token), desk.claim(&token));
        let answers = [one.unwrap(), other.unwrap()];
        assert_eq!(answers.iter().filter(|answer| matches!(answer, LinkAnswer::Form(_))).count(), 1);
        assert!(answers.contains(&LinkAnswer::Claimed));
        assert_eq!(desk.open(&token).await.unwrap(), LinkAnswer::Claimed);
        assert_eq!(world.states().await, [SendState::Claimed]);
    });
}

#[test]
fn a_link_that_was_tampered_with_or_made_up_is_unknown() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.day().await;
        let (token, desk) = (token(&world.mails()[0]), world.desk());
        for at in 0..token.len() {
            let mut bad = token.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            let answer = desk.open(&bad).await.unwrap();
            // The last letter carries two bits that say nothing; whatever they are, they lead to no other Send.
            assert!(answer == LinkAnswer::Unknown || at + 1 == token.len(), "letter {at}");
        }
        for bad in ["", "x", "../../etc/passwd", &token[..50], &format!("{token}AA")] {
            assert_eq!(desk.claim(bad).await.unwrap(), LinkAnswer::Unknown, "{bad}");
        }
    });
}

#[test]
fn a_link_answers_not_yet_expired_and_withdrawn() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.day().await;
        let (token, desk) = (token(&world.mails()[0]), world.desk());
        let id = world.sends().await[0].id;
        world.sleep_days(100);
        assert_eq!(desk.open(&token).await.unwrap(), LinkAnswer::Expired, "31 May is the last day");
        world.day().await;
        assert_eq!(world.states().await, [SendState::Expired]);
        assert_eq!(desk.claim(&token).await.unwrap(), LinkAnswer::Expired);

        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.run().await;
        assert_eq!(
            world.desk().open(&token).await.unwrap(),
            LinkAnswer::NotYet,
            "the same Send, not active yet"
        );
        world.go_to(12);
        world.dispatch().await;
        world.campaigns.withdraw(&id).await.unwrap();
        assert_eq!(world.desk().claim(&token).await.unwrap(), LinkAnswer::Withdrawn);
        assert_eq!(world.campaigns.withdraw(&id).await.unwrap_err().kind(), ErrorKind::Stale);
    });
}

#[test]
fn an_uncertain_gift_is_settled_by_its_claim_or_by_somebody() {
    run(async {
        let people = vec![born("1", "1990-03-02"), born("2", "1990-03-02"), born("3", "1990-03-02")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.mailer.plan(std::iter::repeat_n(Some(hris_testkit::MailFault::AnswerLost), 3));
        world.go_to(9);
        world.run().await;
        let mails = world.mails();
        let uncertain = world.campaigns.sends(SendGroup::Delivered, None, None, 9).await.unwrap();
        assert_eq!(uncertain.len(), 3);
        let id = |index: usize| mails[index].key.parse().unwrap();
        let answer = world.desk().claim(&token(&mails[0])).await.unwrap();
        assert!(matches!(answer, LinkAnswer::Form(_)), "the claim shows that the mail arrived");
        world.campaigns.settle_arrived(&id(1)).await.unwrap();
        world.campaigns.send_again(&world.next_run(), &id(2)).await.unwrap();
        assert_eq!(world.mails().len(), 4);
        assert_eq!(world.mails()[3], mails[2], "the very same mail with the very same link");
        let mut states = world.states().await;
        states.sort();
        assert_eq!(states, [SendState::Delivered, SendState::Delivered, SendState::Claimed]);
        assert!(world.campaigns.send_again(&world.next_run(), &id(2)).await.is_err());
    });
}

#[test]
fn a_paused_campaign_sends_nothing_loses_nothing_and_goes_on_when_resumed() {
    run(async {
        let people = vec![born("1", "1990-03-03"), born("2", "1990-03-06"), born("3", "1990-03-08")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        let id = "birthdays".into();
        world.campaigns.pause(&id).await.unwrap();
        for _ in 0..5 {
            world.day().await;
            world.sleep_days(1);
        }
        assert!(world.mails().is_empty());
        world.campaigns.resume(&id).await.unwrap();
        let report = world.day().await;
        assert_eq!(world.clock_date(), date("2026-03-07"));
        let all: u64 = report.counts("birthdays").delivered;
        assert_eq!((world.mails().len(), all), (1, 1), "2, a day late");
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 2);
        let mut states = world.states().await;
        states.sort();
        assert_eq!(
            states,
            [SendState::Delivered, SendState::Delivered, SendState::Cancelled],
            "1 had waited too long"
        );
    });
}

#[test]
fn an_edited_rule_holds_what_waits_until_the_next_reading_and_an_edited_text_does_not() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.run().await;
        let at_work = Rule::birthday().with_addresses([AddressSource::Work]);
        world.campaigns.edit(&campaign("birthdays", at_work)).await.unwrap();
        world.go_to(9);
        let report = world.dispatch().await;
        assert_eq!((report.count_of(&rule::EDITED), world.mails().len()), (1, 0));
        world.run().await;
        assert_eq!(world.mails()[0].to.address.as_str(), "1@work.example");

        let leap = Rule::birthday().with_addresses([AddressSource::Work]).with_leap_day(LeapDay::Forward);
        world.campaigns.edit(&campaign("birthdays", leap)).await.unwrap();
        assert_eq!(world.states().await, [SendState::Delivered], "what went out stays");
        let other = campaign("birthdays", Rule::anniversary());
        assert_eq!(world.campaigns.edit(&other).await.unwrap_err().kind(), ErrorKind::Config);
    });
}

#[test]
fn an_edited_text_counts_from_the_next_mail_on() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.run().await;
        let mail = hris_campaigns::MailTemplate::new("New", "{{ claim_link }}").unwrap();
        let edited = hris_campaigns::Campaign::new(
            "birthdays",
            "B",
            "gift-2",
            common::sender(),
            mail,
            Rule::birthday(),
        );
        world.campaigns.edit(&edited.unwrap()).await.unwrap();
        world.go_to(9);
        world.dispatch().await;
        assert_eq!(world.mails()[0].subject, "New");
    });
}

#[test]
fn an_ended_campaign_calls_off_what_waits_and_keeps_delivered_links() {
    run(async {
        let people = vec![born("1", "1990-03-02"), born("2", "1990-03-05")];
        let world = World::new("2026-03-02", people).running(&birthdays()).await;
        world.day().await;
        world.campaigns.end(&"birthdays".into()).await.unwrap();
        let mut states = world.states().await;
        states.sort();
        assert_eq!(states, [SendState::Delivered, SendState::Cancelled]);
        assert!(matches!(world.desk().open(&token(&world.mails()[0])).await.unwrap(), LinkAnswer::Form(_)));
        for _ in 0..5 {
            world.sleep_days(1);
            assert_eq!(world.day().await.reading, ReadingOutcome::None);
        }
        assert_eq!(world.mails().len(), 1);
        assert_eq!(world.campaigns.resume(&"birthdays".into()).await.unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(world.campaigns.create(&birthdays()).await.unwrap_err().kind(), ErrorKind::Conflict);
    });
}

#[test]
fn year_five_is_gifted_once_whichever_campaign_comes_later() {
    run(async {
        let every = campaign("every", Rule::anniversary());
        let fifth = campaign("fifth", Rule::anniversary().with_milestones(Milestones::years([5])));
        let world = World::new("2026-03-02", vec![started("1", "2021-03-04")]).running(&every).await;
        world.run().await;
        world.campaigns.create(&fifth).await.unwrap();
        let overlaps = world.campaigns.switch_on(fifth.id()).await.unwrap();
        assert_eq!(overlaps[0].winner.as_str(), "fifth");
        world.sleep_days(1);
        let report = world.day().await;
        assert_eq!((report.counts("every").cancelled, report.counts("fifth").scheduled), (1, 1));
        world.sleep_days(1);
        world.day().await;
        assert_eq!(world.mails().len(), 1);

        let world = World::new("2026-03-04", vec![started("1", "2021-03-04")]).running(&every).await;
        world.day().await;
        let world = world.running(&fifth).await;
        let report = world.day().await;
        assert_eq!((report.count_of(&rule::SUPERSEDED), world.mails().len()), (1, 1), "it had its gift");
    });
}

#[test]
fn equal_campaigns_cannot_be_switched_on_side_by_side() {
    run(async {
        let world = World::new("2026-03-02", vec![]).running(&birthdays()).await;
        let twin = campaign("twin", Rule::birthday());
        world.campaigns.create(&twin).await.unwrap();
        assert_eq!(world.campaigns.switch_on(twin.id()).await.unwrap_err().kind(), ErrorKind::Config);
        let statuses: Vec<_> = world.campaigns.list().await.unwrap().iter().map(|it| it.status).collect();
        assert_eq!(statuses, [CampaignStatus::Live, CampaignStatus::Draft]);
    });
}

#[test]
fn a_draft_looks_for_nobody() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]);
        world.campaigns.create(&birthdays()).await.unwrap();
        world.day().await;
        assert!(world.directory.queries().is_empty() && world.sends().await.is_empty());
    });
}

#[test]
fn only_the_fields_that_campaigns_look_at_are_read() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.run().await;
        let query = &world.directory.queries()[0];
        assert!(query.fields.has(EmployeeField::BirthDate) && query.fields.has(EmployeeField::PersonalEmail));
        for field in
            [EmployeeField::WorkEmail, EmployeeField::Gender, EmployeeField::Phone, EmployeeField::Manager]
        {
            assert!(!query.fields.has(field), "{field:?}");
        }
    });
}

#[test]
fn an_erased_person_is_neither_stored_nor_gifted_again() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02"), born("2", "1990-03-04")]);
        let world = world.running(&birthdays()).await;
        world.day().await;
        let link = token(&world.mails()[0]);
        for record in ["1", "2"] {
            assert_eq!(world.campaigns.erase(&record.into()).await.unwrap(), 1);
        }
        assert_eq!(world.desk().open(&link).await.unwrap(), LinkAnswer::Withdrawn);
        for _ in 0..4 {
            world.day().await;
            assert!(
                world.sends().await.iter().all(|send| send.recipient().is_none() && send.due().is_none())
            );
            world.sleep_days(1);
        }
        world.sleep_days(360);
        world.day().await;
        assert_eq!((world.mails().len(), world.sends().await.len()), (1, 2));
    });
}

#[test]
fn names_are_erased_a_month_after_the_end_and_gifts_stay_counted() {
    run(async {
        let world = World::new("2026-03-02", vec![born("1", "1990-03-02")]).running(&birthdays()).await;
        world.day().await;
        world.desk().claim(&token(&world.mails()[0])).await.unwrap();
        world.sleep_days(40);
        world.day().await;
        assert!(world.sends().await[0].recipient().is_some(), "30 days, to the end of the month");
        world.sleep_days(20);
        let report = world.day().await;
        assert_eq!(report.names_erased, 1);
        assert_eq!(world.sends().await[0].recipient(), None);
    });
}

#[test]
fn a_person_without_names_still_gets_a_gift() {
    run(async {
        let mut nameless = person("1");
        (nameless.first_name, nameless.last_name) = (Field::Null, Field::Absent);
        nameless.birth_date = born("1", "1990-03-02").birth_date;
        let world = World::new("2026-03-02", vec![nameless]).running(&birthdays()).await;
        world.day().await;
        assert_eq!(world.mails()[0].to.name, "");
    });
}
