//! The seed's set-up: link, authorisation, first synchronisation, preview, switched on.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use common::{World, born, campaign, date, person, started};
use hris_campaigns::{PREVIEW_DAYS, Rule, SetUp};
use hris_core::ledger::CampaignStatus;
use hris_core::{Account, Employee, ErrorKind, Field};
use hris_testkit::run;

async fn drafts(people: Vec<Employee>) -> World {
    let world = World::new("2026-07-31", people);
    for (id, rule) in
        [("hires", Rule::new_hire()), ("years", Rule::anniversary()), ("birthdays", Rule::birthday())]
    {
        world.campaigns.create(&campaign(id, rule)).await.unwrap();
    }
    world
}

#[test]
fn a_customer_clicks_a_link_authorises_sees_a_preview_and_the_campaigns_are_on() {
    run(async {
        let world = drafts(vec![started("1", "2026-08-30"), born("2", "1990-08-20")]).await;
        let expires = "2026-08-07T00:00:00Z".parse().unwrap();
        let step = SetUp::begin("brisa-gifts").link_sent(expires).unwrap();
        let step = step.authorised("brisa-gifts").unwrap().authorised("brisa-gifts").unwrap();

        let mut syncing = Account::new("mock");
        syncing.not_ready = Some("the first synchronisation is under way".into());
        world.directory.set_account(syncing);
        let waiting = step.clone().await_first_sync(&world.directory).await.unwrap_err();
        assert!(waiting.kind() == ErrorKind::NotReady && waiting.is_retryable());
        world.directory.set_account(Account::new("mock-account"));
        let step = step.await_first_sync(&world.directory).await.unwrap();

        let (step, preview) = step.preview(&world.campaigns, &world.directory).await.unwrap();
        assert_eq!(preview.gifts.len(), 2, "30 days ahead for all");
        assert_eq!((preview.at_once("hires"), preview.at_once("birthdays")), (1, 0));
        assert!(world.sends().await.is_empty(), "a preview keeps nothing");

        let json = serde_json::to_string(&step).unwrap();
        let step: SetUp = serde_json::from_str(&json).unwrap();
        let which = ["hires".into(), "years".into(), "birthdays".into()];
        let on = step.switch_on(&world.campaigns, &preview, &which).await.unwrap();
        assert!(matches!(on, SetUp::On { .. }));
        let statuses = world.campaigns.list().await.unwrap();
        assert!(statuses.iter().all(|listed| listed.status == CampaignStatus::Live));
    });
}

#[test]
fn steps_out_of_turn_and_credentials_of_another_connection_are_refused() {
    run(async {
        let world = drafts(vec![person("1")]).await;
        let step = SetUp::begin("brisa-gifts");
        let refused = step.clone().authorised("calma-gifts").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongAccount);
        let early = step.clone().await_first_sync(&world.directory).await.unwrap_err();
        assert_eq!(early.kind(), ErrorKind::Stale);
        let early = step.clone().preview(&world.campaigns, &world.directory).await.unwrap_err();
        assert_eq!(early.kind(), ErrorKind::Stale);
        let late = step.authorised("brisa-gifts").unwrap().link_sent("2026-08-07T00:00:00Z".parse().unwrap());
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Stale);
    });
}

#[test]
fn a_preview_shows_each_gift_with_what_is_missing_and_leaves_out_what_was_given() {
    run(async {
        let mut without = born("2", "1990-08-03");
        without.personal_email = Field::Null;
        let people =
            vec![born("1", "1990-07-31"), without, started("3", "2026-07-25"), started("4", "2020-08-20")];
        let world = drafts(people).await;
        world.campaigns.switch_on(&"birthdays".into()).await.unwrap();
        world.day().await;
        let preview =
            world.campaigns.preview(&world.directory, date("2026-07-31"), PREVIEW_DAYS).await.unwrap();
        let shown: Vec<_> = preview
            .gifts
            .iter()
            .map(|gift| {
                (gift.who.record.as_str(), gift.due.to_string(), gift.at_once, gift.late, gift.lacks_address)
            })
            .collect();
        let expected = [
            ("3", "2026-07-25".to_owned(), true, true, false),
            ("2", "2026-08-03".to_owned(), true, false, true),
            ("4", "2026-08-20".to_owned(), false, false, false),
        ];
        assert_eq!(shown, expected);
    });
}

#[test]
fn a_campaign_whose_data_is_not_delivered_cannot_be_switched_on() {
    run(async {
        let world = drafts(vec![person("1")]).await;
        let fields = [hris_core::FieldDescriptor::new(hris_core::EmployeeField::StartDate, "Start")];
        let directory = world.directory.clone().with_fields(fields);
        let step = SetUp::begin("o").authorised("o").unwrap().await_first_sync(&directory).await.unwrap();
        let (step, preview) = step.preview(&world.campaigns, &directory).await.unwrap();
        assert_eq!(preview.not_delivered.len(), 3);
        let error = step.switch_on(&world.campaigns, &preview, &["birthdays".into()]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("birth_date"), "{error}");
    });
}
