//! The two secrets, the linked account behind them, and what is known before anything is sent.

use hris_core::{ErrorKind, FieldSet, HrisConnector as _, ReadQuery, SourceField};
use hris_merge::sim::MergeSim;
use hris_merge::{DeletionTrust, MergeConfig, MergeCredentials, StatusMeaning};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};

use crate::setup::{
    ACCOUNT, EMPLOYEES, LINKED_ACCOUNTS, SYNC_STATUS, build, clock, config, connector, everything,
    plain_population, read, row_fields, transport,
};

#[test]
fn good_secrets_tell_whose_they_are_and_which_hr_system_is_behind() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let account = connector(&sim).check().await.unwrap();
        assert_eq!(account.id.as_str(), MergeSim::ACCOUNT_ID);
        assert_eq!(account.name.as_deref(), Some("Lumen & Fable"));
        assert_eq!(account.not_ready, None);
        assert!(account.remarks.iter().any(|remark| remark.contains("PeopleHR")), "{:?}", account.remarks);
        sim.behave(|vendor| vendor.account_type = "TEST".to_owned());
        let remarks = connector(&sim).check().await.unwrap().remarks;
        assert!(remarks.iter().any(|remark| remark.contains("test account")), "{remarks:?}");
    });
}

#[test]
fn a_refused_secret_is_final_and_named() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        for (key, token, says) in [
            (MergeSim::API_KEY, "withdrawn", "account token is not"),
            ("withdrawn", MergeSim::ACCOUNT_TOKEN, "API key was refused"),
        ] {
            let credentials = MergeCredentials::new(key.into(), token.into());
            let connector = config(sim.url()).build(&credentials, &transport(&clock())).unwrap();
            let before = sim.requests().len();
            let error = connector.check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(!error.is_retryable());
            assert!(error.to_string().contains(says), "{error}");
            let paths: Vec<_> =
                sim.requests()[before..].iter().map(|request| request.path().to_owned()).collect();
            assert_eq!(paths, [ACCOUNT, LINKED_ACCOUNTS], "asked once each");
        }
        let probe = sim.requests_for(LINKED_ACCOUNTS);
        assert!(probe.iter().all(|request| !request.has_header("x-account-token")));
    });
}

#[test]
fn a_token_of_another_organisation_is_refused() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.add_organisation("their-key", "their-account", "their-token", plain_population(5));
        let mixed = MergeCredentials::new(MergeSim::API_KEY.into(), "their-token".into());
        let connector = config(sim.url()).build(&mixed, &transport(&clock())).unwrap();
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn another_account_than_expected_is_refused_before_any_employee() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let connector = build(config(sim.url()).with_expected_account("another-account"), &sim);
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
        let paths: Vec<_> = sim.requests().iter().map(|request| request.path().to_owned()).collect();
        assert_eq!(paths, [ACCOUNT], "nothing but the check was sent");
    });
}

#[test]
fn a_token_that_opens_another_account_than_the_first_time_is_refused() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.add_account("account-b", "Otter & Sons", "token-b", plain_population(5));
        let connector = connector(&sim);
        connector.check().await.unwrap();
        sim.account_tokens().add(MergeSim::ACCOUNT_TOKEN, "account-b");
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn two_accounts_with_two_tokens_are_two_directories() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        sim.add_account("account-b", "Otter & Sons", "token-b", plain_population(12));
        let first = read(&connector(&sim), row_fields()).await;
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), "token-b".into());
        let other = config(sim.url()).build(&credentials, &transport(&clock())).unwrap();
        let second = read(&other, row_fields()).await;
        assert_eq!((first.receipt().account.as_str(), first.receipt().distinct), (MergeSim::ACCOUNT_ID, 30));
        assert_eq!((second.receipt().account.as_str(), second.receipt().distinct), ("account-b", 12));
    });
}

#[test]
fn building_and_reading_send_nothing_before_the_stream_is_polled() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let stream = connector(&sim).read(ReadQuery::everyone(row_fields()));
        drop(stream);
        assert!(sim.requests().is_empty());
    });
}

#[test]
fn a_bad_configuration_or_secret_is_refused_before_anything_is_sent() {
    let transport = transport(&clock());
    let good = || MergeCredentials::new("k".into(), "t".into());
    for config in [
        MergeConfig::new().with_page_size(101),
        MergeConfig::new().with_status_alias("Inactive", StatusMeaning::Active),
    ] {
        assert_eq!(config.build(&good(), &transport).unwrap_err().kind(), ErrorKind::Config);
    }
    for (key, token) in [("", "t"), ("k", ""), (" k", "t"), ("k", "t\n")] {
        let credentials = MergeCredentials::new(key.into(), token.into());
        let error = MergeConfig::new().build(&credentials, &transport).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn an_answer_without_an_account_is_no_good_check() {
    run(async {
        for body in [r#"{"status":"COMPLETE"}"#, "[]", "null"] {
            let sim = MergeSim::start(plain_population(3)).await;
            sim.faults().add(Fault::Answer(SimResponse::raw(200, "application/json", body)).once());
            let error = connector(&sim).check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
    });
}

#[test]
fn what_can_be_mapped_is_offered_with_the_customers_own_fields() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        let connector = connector(&sim);
        let fields = connector.fields().await.unwrap();
        let named = |name: &str| fields.iter().find(|field| field.field.to_string() == name);
        assert!(named("work_email").is_some() && named("manager").is_some());
        assert!(named("work_phone").is_none(), "what Merge does not have is not offered");
        for own in ["custom:gift_size", "custom:benefits_from", "custom:campaign_start_date"] {
            assert!(named(own).is_some(), "{own}");
        }
        let offered: FieldSet = fields.iter().map(|field| field.field.clone()).collect();
        let read = read(&connector, offered).await;
        assert!(read.employees.iter().any(|employee| employee.custom.len() == 3), "what is offered is read");
    });
}

#[test]
fn where_the_plan_does_not_list_own_fields_the_others_are_offered_all_the_same() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.lists_field_mappings = false);
        let fields = connector(&sim).fields().await.unwrap();
        assert!(fields.len() > 15);
        assert!(fields.iter().all(|field| !matches!(field.field, SourceField::Custom(_))));
    });
}

#[test]
fn the_capabilities_say_what_the_configuration_can_do() {
    let built = |config: MergeConfig| {
        let credentials = MergeCredentials::new("k".into(), "t".into());
        config.build(&credentials, &transport(&clock())).unwrap()
    };
    let connector = built(MergeConfig::new());
    let capabilities = connector.capabilities();
    assert!(capabilities.reads_leavers && capabilities.has_status && capabilities.single_read);
    assert!(capabilities.incremental && capabilities.proves_absence && capabilities.modified_at);
    assert!(capabilities.tombstones);
    let ignoring = MergeConfig::new().with_deletions(DeletionTrust::Ignored);
    assert!(!built(ignoring).capabilities().tombstones);
    assert_eq!(connector.descriptor().vendor, "merge");
    assert_eq!(connector.descriptor().record_id_kind.as_str(), "merge.employee.remote_id");
    assert!(!connector.descriptor().asks_date_format);
}

#[test]
fn every_request_carries_both_secrets_and_none_of_them_stands_in_a_query() {
    run(async {
        let sim = MergeSim::start(plain_population(130)).await;
        let connector = connector(&sim);
        read(&connector, everything()).await.receipt();
        connector.fields().await.unwrap();
        for request in sim.requests() {
            assert_eq!(request.bearer(), Some(MergeSim::API_KEY));
            assert_eq!(request.header("x-account-token"), Some(MergeSim::ACCOUNT_TOKEN));
            assert!(!request.query_names().any(|name| name.contains("token")));
        }
        assert!(sim.requests().len() > 5);
    });
}

#[test]
fn nothing_that_the_vendor_took_out_of_its_reference_is_asked_for() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        let connector = connector(&sim);
        connector.check().await.unwrap();
        read(&connector, everything()).await.receipt();
        connector.fields().await.unwrap();
        let known = [ACCOUNT, SYNC_STATUS, EMPLOYEES, crate::setup::FIELD_MAPPINGS];
        for request in sim.requests() {
            assert!(known.contains(&request.path()), "{}", request.path());
            assert!(request.query("expand").is_none_or(|names| !names.split(',').any(|name| name == "team")));
            assert!(request.query("remote_fields").is_none());
        }
    });
}
