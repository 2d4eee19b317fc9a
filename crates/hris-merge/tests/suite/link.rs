//! Merge Link, end to end against the simulator: links, the customer's click, the token, and the end of an account.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use hris_core::{EmployeeField, EmployeeRef, ErrorKind, HrisConnector as _};
use hris_merge::sim::MergeSim;
use hris_merge::{
    CoverageSource, CoverageTable, IgnoreReason, LinkRequest, MergeCredentials, MergeOrganisation,
    WebhookEvent, Webhooks,
};
use hris_testkit::run;
use hris_testkit::sim::Fault;
use secrecy::{ExposeSecret as _, SecretString};

use crate::setup::{clock, config, connector, plain_population, read, row_fields, transport};

fn organisation(sim: &MergeSim) -> MergeOrganisation {
    config(sim.url()).organisation(&MergeSim::API_KEY.into(), &transport(&clock())).unwrap()
}

fn request() -> LinkRequest {
    LinkRequest::new("cust-7", "Otter & Sons", "people@otter.example")
}

#[test]
fn a_magic_link_ends_with_a_webhook_whose_token_reads_the_new_account() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let link =
            organisation(&sim).create_link(&request().with_magic_link().for_campaigns()).await.unwrap();
        let magic = link.magic.unwrap();
        assert_eq!(magic.origin_id, "cust-7");
        assert_eq!(magic.expires_at.to_rfc3339(), "2026-03-09T06:00:00+00:00", "it lives for a week");

        let (delivery, _) = sim.click(magic.url(), plain_population(12)).unwrap();
        let webhooks = Webhooks::new([MergeSim::WEBHOOK_KEY.into()], Arc::new(clock())).unwrap();
        let webhook = webhooks.receive(Some(delivery.signature()), delivery.body()).unwrap();
        assert_eq!(webhook.origin_id.as_deref(), Some("cust-7"));
        let WebhookEvent::Linked { is_relink: false, account_token: Some(token) } = webhook.event else {
            panic!("a new account has a token")
        };
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token);
        let config = config(sim.url()).with_expected_account(webhook.account.unwrap());
        let connector = config.build(&credentials, &transport(&clock())).unwrap();
        assert_eq!(read(&connector, row_fields()).await.employees.len(), 12);
    });
}

#[test]
fn linking_anew_keeps_account_and_token() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let webhooks = Webhooks::new([MergeSim::WEBHOOK_KEY.into()], Arc::new(clock())).unwrap();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let link = organisation(&sim).create_link(&request().with_magic_link()).await.unwrap();
            let (delivery, _) = sim.click(link.magic.unwrap().url(), plain_population(2)).unwrap();
            let webhook = webhooks.receive(Some(delivery.signature()), delivery.body()).unwrap();
            let WebhookEvent::Linked { is_relink, account_token: Some(token) } = webhook.event else {
                panic!("there is a token")
            };
            seen.push((is_relink, webhook.account.unwrap(), token.expose_secret().to_owned()));
        }
        assert_eq!((seen[0].0, seen[1].0), (false, true));
        assert_eq!((&seen[0].1, &seen[0].2), (&seen[1].1, &seen[1].2));
    });
}

#[test]
fn a_public_token_is_exchanged_once() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let organisation = organisation(&sim);
        let link = organisation.create_link(&request()).await.unwrap();
        assert!(link.magic.is_none());
        let (_, public) = sim.click(link.token.expose_secret(), plain_population(2)).unwrap();
        assert!(
            sim.click(link.token.expose_secret(), plain_population(2)).is_none(),
            "a link token is used once"
        );

        let public = SecretString::from(public);
        let linked = organisation.exchange(&public).await.unwrap();
        assert_eq!(linked.integration.as_deref(), Some("BambooHR"));
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), linked.account_token);
        let connector = config(sim.url()).with_expected_account(linked.account);
        connector.build(&credentials, &transport(&clock())).unwrap().check().await.unwrap();

        let used = organisation.exchange(&public).await.unwrap_err();
        assert_eq!(used.kind(), ErrorKind::NotFound);
        assert!(
            used.to_string().contains("link again") && !used.to_string().contains("public-token-of"),
            "{used}"
        );
    });
}

#[test]
fn a_lost_exchange_is_not_repeated_and_a_lost_link_is() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let organisation = organisation(&sim);
        let (exchange, link) = ("/api/hris/v1/account-token/p", "/api/hris/v1/link-token");
        sim.faults().add(Fault::status(502).always().on_path(exchange));
        let lost = organisation.exchange(&"p".into()).await.unwrap_err();
        assert_eq!((lost.kind(), sim.requests_for(exchange).len()), (ErrorKind::Unavailable, 1));
        sim.faults().add(Fault::status(502).once().on_path(link));
        organisation.create_link(&request()).await.unwrap();
        assert_eq!(sim.requests_for(link).len(), 2);
    });
}

#[test]
fn accounts_issues_and_hr_systems_are_listed() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.add_account("second", "Second Co", "second-token", plain_population(1));
        sim.behave(|vendor| {
            vendor.issues.push((MergeSim::ACCOUNT_ID.to_owned(), "Invalid credentials".to_owned()));
        });
        let organisation = organisation(&sim);
        let all: Vec<_> = organisation.accounts(None).try_collect().await.unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].integration.as_deref(), Some("PeopleHR"));
        assert_eq!((all[0].status.as_deref(), all[0].is_test), (Some("COMPLETE"), false));
        let none: Vec<_> = organisation.accounts(Some("nobody")).try_collect().await.unwrap();
        assert!(none.is_empty());

        let issues: Vec<_> = organisation.issues(&all[0].id).try_collect().await.unwrap();
        assert_eq!((issues.len(), issues[0].is_resolved), (1, false));
        assert_eq!(issues[0].description, "Invalid credentials");
        assert!(organisation.issues(&all[1].id).try_collect::<Vec<_>>().await.unwrap().is_empty());

        let systems = organisation.integrations().await.unwrap();
        let slugs: Vec<_> = systems.iter().filter_map(|system| system.slug.as_deref()).collect();
        assert_eq!(slugs, ["bamboohr", "workday"], "only those for employees");
    });
}

#[test]
fn what_an_account_says_it_delivers_goes_before_the_table() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.integration = ("Sesame".to_owned(), "sesame-hr".to_owned()));
        let organisation = organisation(&sim);
        let account = MergeSim::ACCOUNT_ID.into();
        let by_table = organisation.coverage(&account, &CoverageTable::builtin()).await.unwrap();
        assert_eq!(by_table.source, CoverageSource::Table);
        assert!(!by_table.delivers(EmployeeField::StartDate) && by_table.delivers(EmployeeField::BirthDate));

        let says = ["start_date", "work_email"].map(str::to_owned).to_vec();
        sim.behave(|vendor| vendor.supported_fields = Some(says));
        let own = organisation.coverage(&account, &CoverageTable::builtin()).await.unwrap();
        assert_eq!(own.source, CoverageSource::Account);
        assert!(own.delivers(EmployeeField::StartDate) && !own.delivers(EmployeeField::BirthDate));

        let error = organisation.coverage(&"nobody".into(), &CoverageTable::builtin()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_person_is_ignored_for_good_and_an_account_deleted() {
    run(async {
        let people = plain_population(5);
        let sim = MergeSim::start(people.clone()).await;
        let connector = connector(&sim);
        let record = people.people()[0].record_id.clone();
        connector.ignore(&MergeSim::merge_id(&record), IgnoreReason::Gdpr).await.unwrap();
        let left = read(&connector, row_fields()).await;
        assert!(left.employees.iter().all(|employee| employee.record.as_str() != record));
        assert!(left.deleted.is_empty(), "an erasure is no leaver");
        let looked_up =
            connector.employee(&EmployeeRef::record(record.as_str()), &row_fields()).await.unwrap();
        assert!(!format!("{looked_up:?}").contains("Found("), "{looked_up:?}");
        assert_eq!(connector.ignore(" ", IgnoreReason::Other).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(
            connector.ignore("nobody", IgnoreReason::Other).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );

        connector.delete_account().await.unwrap();
        assert_eq!(connector.check().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    });
}

#[test]
fn a_synchronisation_is_forced_where_the_account_allows_it() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let connector = connector(&sim);
        connector.resync().await.unwrap();
        sim.behave(|vendor| vendor.account_type = "TEST".to_owned());
        let refused = connector.resync().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(refused.to_string().contains("dashboard"), "{refused}");
        let sent = sim.requests_for("/api/hris/v1/sync-status/resync");
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|request| request.body().is_empty()), "the vendor specifies no body");
    });
}

#[test]
fn nothing_shown_of_a_link_opens_anything() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let organisation = organisation(&sim);
        let link = organisation.create_link(&request().with_magic_link()).await.unwrap();
        let url = link.magic.as_ref().unwrap().url().to_owned();
        let (delivery, public) = sim.click(&url, plain_population(2)).unwrap();
        let shown = format!("{link:?} {delivery:?}");
        let linked = organisation.exchange(&public.clone().into()).await.unwrap();
        sim.faults().add(Fault::status(400).always());
        let failed = organisation.exchange(&public.clone().into()).await.unwrap_err();
        let shown = format!("{shown} {linked:?} {failed} {failed:?} {organisation:?}");
        for secret in [&url, &public, "link-token-1", "sim-account-token-of-cust-7", MergeSim::API_KEY] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    });
}
