//! Behaviours of credentials, accounts, tokens and configurations.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use hris_core::{Error, ErrorKind, HrisConnector, ReadEvent, ReadQuery, Result};

use super::harness::{Case, ConnectorHarness, Spoil};
use super::people::plain;
use super::reading::{Read, cheap};
use super::stage::{NotOffered, Ran, Stage};
use super::transport::identity;
use crate::sim::SimServer;
use crate::suite::{chain, debug};

/// A good credential passes the check and names the account whose directory is then read.
pub async fn a_good_credential_opens_its_account(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector = it.good();
    let account = it.checked(&connector).await;
    assert!(!account.id.as_str().trim().is_empty(), "name the account that the credential opens");
    if let Some(expected) = it.account() {
        assert_eq!(&account.id, expected, "answer the check with the account of the credential");
    }
    let read = it.read(&connector, cheap()).await;
    let receipt = read.receipt("a reading with a good credential");
    assert_eq!(receipt.account, account.id, "name the same account in the receipt as in the check");
    let descriptor = connector.descriptor();
    assert_eq!(
        receipt.record_id_kind, descriptor.record_id_kind,
        "keep to the kind of record id you describe"
    );
    assert!(!descriptor.vendor.is_empty() && !descriptor.display_name.is_empty(), "name the vendor");
    Ok(())
}

/// A refused credential is [`ErrorKind::Unauthorized`] for every call, with advice, and is not tried again.
pub async fn a_refused_credential_is_unauthorized_and_not_tried_again(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector =
        it.built(Case::RefusedCredential, "the harness builds no connector with a refused credential")?;
    let before = it.vendor().asked();
    unauthorized(&refused(connector.check().await, "a check with a refused credential"));
    let requests = it.vendor().server().map(SimServer::requests).unwrap_or_default();
    let sent: Vec<_> = requests.iter().skip(before).map(|request| identity(request)).collect();
    let distinct: HashSet<_> = sent.iter().collect();
    assert_eq!(sent.len(), distinct.len(), "do not try a refused credential again");
    let read = it.read(&connector, cheap()).await;
    unauthorized(read.error("a reading with a refused credential"));
    nobody_came(&read, "a refused credential");
    Ok(())
}

/// Without the permission to read employees the answer is [`ErrorKind::Forbidden`], and no empty directory.
pub async fn a_missing_permission_is_no_empty_directory(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector =
        it.built(Case::MissingPermission, "the harness builds no connector that lacks a permission")?;
    let read = it.read(&connector, cheap()).await;
    let error = read.error("a reading without the permission to read employees");
    assert_eq!(
        error.kind(),
        ErrorKind::Forbidden,
        "tell a missing permission from other failures: {error:?}"
    );
    assert!(!error.is_retryable(), "trying again does not bring a permission: {error:?}");
    nobody_came(&read, "a missing permission");
    Ok(())
}

/// A credential that is withdrawn in the middle of a reading ends it with [`ErrorKind::Unauthorized`].
pub async fn a_credential_revoked_in_mid_reading_ends_it(stage: Stage) -> Ran {
    let it = stage.with(plain(40)).await;
    let connector = it.built(Case::PageSize(1), "the connector does not read pages")?;
    let mut events = connector.read(ReadQuery::everyone(cheap()));
    while let Some(event) = events.next().await {
        match event {
            Ok(ReadEvent::Employees(_)) => break,
            Ok(_) => {}
            Err(error) => panic!("the reading has to begin well: {error:?}"),
        }
    }
    if !it.vendor().spoil(Spoil::CredentialRevoked) {
        return Err(NotOffered("the harness cannot revoke the credential"));
    }
    let rest = it.within_reason(events.collect::<Vec<_>>()).await;
    let Some(Err(error)) = rest.last() else {
        panic!("end a reading whose credential was revoked with an error; it ended with {:?}", rest.last());
    };
    unauthorized(error);
    let ends = rest.iter().filter(|event| matches!(event, Ok(ReadEvent::End(_)) | Err(_))).count();
    assert_eq!(ends, 1, "end a reading once");
    Ok(())
}

/// A credential of another company is [`ErrorKind::WrongAccount`], before anybody is delivered.
pub async fn a_credential_of_another_company_is_refused(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector =
        it.built(Case::OtherAccount, "the harness builds no connector with another company's credential")?;
    let wrong = |error: &Error| {
        assert_eq!(
            error.kind(),
            ErrorKind::WrongAccount,
            "tell another company from other failures: {error:?}"
        );
        assert!(!error.is_retryable(), "trying again does not make it the right company: {error:?}");
    };
    wrong(&refused(connector.check().await, "a check with another company's credential"));
    let read = it.read(&connector, cheap()).await;
    wrong(read.error("a reading with another company's credential"));
    nobody_came(&read, "another company's credential");
    Ok(())
}

/// A configuration that cannot work is refused when the connector is built, with advice, and nothing is sent.
pub async fn a_bad_configuration_is_refused_before_anything_is_sent(stage: Stage) -> Ran {
    let it = stage.with(plain(3)).await;
    let before = it.vendor().asked();
    let mut tried = 0;
    while let Some(built) = it.vendor().connector(Case::BadConfig(tried)) {
        let error = refused(built.map(|connector| debug(&connector)), "building with a bad configuration");
        assert_eq!(error.kind(), ErrorKind::Config, "bad configuration {tried}: {error:?}");
        assert!(error.hint().is_some(), "say what to change, bad configuration {tried}: {error:?}");
        it.shows_no_secret(&chain(&error), "the error about a bad configuration");
        tried += 1;
    }
    if tried == 0 {
        return Err(NotOffered("the harness has no configuration that cannot work"));
    }
    assert_eq!(it.vendor().asked(), before, "look at a configuration before anything is sent");
    Ok(())
}

/// However many calls need a token at once, it is fetched once.
pub async fn many_tasks_share_one_token(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector = it.good();
    check_many(&connector).await;
    match token_requests(&it) {
        0 => Err(NotOffered("the connector fetches no tokens")),
        fetched => {
            assert_eq!(fetched, 1, "fetch one token for all calls that wait for it");
            Ok(())
        }
    }
}

/// A token that is refused is renewed once, by one of the calls that meet the refusal, and then all go on.
pub async fn an_expired_token_is_renewed_once(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let connector = it.good();
    check_many(&connector).await;
    let fetched = token_requests(&it);
    if fetched == 0 || !it.vendor().spoil(Spoil::TokensExpired) {
        return Err(NotOffered("no token can expire"));
    }
    check_many(&connector).await;
    assert_eq!(token_requests(&it), fetched + 1, "renew an expired token once for all calls that need it");
    let read = it.read(&connector, cheap()).await;
    read.receipt("a reading with a renewed token");
    assert_eq!(token_requests(&it), fetched + 1, "keep a token as long as it is good");
    Ok(())
}

async fn check_many(connector: &Arc<dyn HrisConnector>) {
    let checks = (0..8).map(|_| connector.check());
    for checked in join_all(checks).await {
        if let Err(error) = checked {
            panic!("a good credential has to pass the check, but it failed: {error:?}");
        }
    }
}

fn token_requests(it: &ConnectorHarness) -> usize {
    let requests = it.vendor().server().map(SimServer::requests).unwrap_or_default();
    requests.iter().filter(|request| it.vendor().is_token_request(request)).count()
}

#[track_caller]
fn unauthorized(error: &Error) {
    assert_eq!(
        error.kind(),
        ErrorKind::Unauthorized,
        "tell a refused credential from other failures: {error:?}"
    );
    assert!(!error.is_retryable(), "a refused credential stays refused: {error:?}");
    assert!(error.hint().is_some(), "say what to do about a refused credential: {error:?}");
}

#[track_caller]
fn nobody_came(read: &Read, what: &str) {
    assert!(read.rows.is_empty(), "deliver nobody with {what}");
}

/// The error of a call that has to fail.
#[track_caller]
pub(super) fn refused<T>(result: Result<T>, what: &str) -> Error {
    match result {
        Ok(_) => panic!("{what} has to fail"),
        Err(error) => error,
    }
}
