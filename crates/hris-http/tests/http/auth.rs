//! Credentials on the wire, and tokens that many tasks share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use hris_core::{Clock as _, Delivery, Error, ErrorKind, Result};
use hris_http::{AccessToken, Auth, Budget, BudgetScope, Request, Session, TokenSource};
use hris_testkit::{FaultServer, ManualClock, Reply, run};
use wiremock::matchers::{any, bearer_token, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{base, clock, context, get, post, session, transport};

/// Issues t1, t2, … with a lifetime.
#[derive(Debug)]
struct Issuer {
    issued: Arc<AtomicUsize>,
    clock: ManualClock,
    lifetime: Option<Duration>,
}

#[async_trait]
impl TokenSource for Issuer {
    async fn fetch(&self) -> Result<AccessToken> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        // A real source waits here, and the other tasks come to the same point.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let token = AccessToken::new(format!("t{number}").into());
        Ok(match self.lifetime {
            Some(lifetime) => token.expiring_at(self.clock.now() + lifetime),
            None => token,
        })
    }
}

fn issuer(clock: &ManualClock, lifetime: Option<u64>) -> (Auth, Arc<AtomicUsize>) {
    let issued = Arc::new(AtomicUsize::new(0));
    let lifetime = lifetime.map(Duration::from_secs);
    let source = Issuer { issued: Arc::clone(&issued), clock: clock.clone(), lifetime };
    (Auth::tokens(source), issued)
}

/// A server that accepts one token and answers 401 to everything else.
async fn server_accepting(token: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(bearer_token(token)).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    server
}

#[test]
fn credentials_are_sent_unless_a_request_goes_without() {
    run(async {
        let server = FaultServer::start([Reply::json("{}"), Reply::json("{}"), Reply::json("{}")]).await;
        let auth = Auth::bearer(&"key".into())
            .unwrap()
            .with_secret_header("x-account-token", &"acc".into())
            .unwrap();
        let merge = session(&clock(), &server).with_auth(auth);
        merge.execute(&get()).await.unwrap();
        merge.execute(&get().without_auth()).await.unwrap();
        let basic = session(&clock(), &server).with_auth(Auth::basic("id", &"pw".into()).unwrap());
        basic.execute(&get()).await.unwrap();
        let sent = server.requests();
        assert_eq!((sent[0].bearer(), sent[0].header("x-account-token")), (Some("key"), Some("acc")));
        assert!(!sent[1].has_header("authorization") && !sent[1].has_header("x-account-token"));
        assert_eq!(sent[2].header("authorization"), Some("Basic aWQ6cHc="));
    });
}

#[test]
fn a_static_token_that_is_refused_is_final_at_once() {
    run(async {
        let server = server_accepting("other").await;
        let session = Session::new(&transport(&clock()), base(&server.uri()));
        let error =
            session.with_auth(Auth::bearer(&"key".into()).unwrap()).execute(&get()).await.unwrap_err();
        assert_eq!((error.kind(), context(&error, "attempts")), (ErrorKind::Unauthorized, Some("1")));
    });
}

#[test]
fn one_refresh_serves_many_tasks() {
    run(async {
        let server = server_accepting("t1").await;
        let clock = clock();
        let (auth, issued) = issuer(&clock, Some(3600));
        let session = Session::new(&transport(&clock), base(&server.uri())).with_auth(auth);
        let request = get();
        let answers = join_all((0..20).map(|_| session.execute(&request))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(issued.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn one_renewal_serves_many_tasks_whose_token_was_revoked() {
    run(async {
        let server = server_accepting("t2").await;
        let clock = clock();
        let (auth, issued) = issuer(&clock, None);
        let session = Session::new(&transport(&clock), base(&server.uri())).with_auth(auth);
        let request = get();
        let answers = join_all((0..20).map(|_| session.execute(&request))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(issued.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_refused_token_is_renewed_once_and_is_then_final() {
    run(async {
        let server = server_accepting("none").await;
        let clock = clock();
        let (auth, issued) = issuer(&clock, None);
        let session = Session::new(&transport(&clock), base(&server.uri())).with_auth(auth);
        let error = session.execute(&get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!((issued.load(Ordering::SeqCst), context(&error, "attempts")), (2, Some("2")));
        assert_eq!(clock.slept().iter().filter(|wait| **wait < ManualClock::DEFAULT_SKIP).count(), 0);
    });
}

#[test]
fn a_write_that_is_not_repeatable_is_sent_again_with_a_renewed_token() {
    run(async {
        let server = server_accepting("t2").await;
        let clock = clock();
        let (auth, _) = issuer(&clock, None);
        let session = Session::new(&transport(&clock), base(&server.uri())).with_auth(auth);
        assert!(session.execute(&post()).await.is_ok());
    });
}

#[test]
fn a_token_is_renewed_a_minute_before_it_expires() {
    run(async {
        let server = FaultServer::start((0..4).map(|_| Reply::json("{}"))).await;
        let clock = clock();
        let (auth, issued) = issuer(&clock, Some(3600));
        let session = session(&clock, &server).with_auth(auth);
        let mut tokens = Vec::new();
        for wait in [0, 3539, 1, 3539] {
            clock.advance(Duration::from_secs(wait));
            session.execute(&get()).await.unwrap();
            tokens.push(server.requests().last().unwrap().bearer().unwrap().to_owned());
        }
        assert_eq!(tokens, ["t1", "t1", "t2", "t2"]);
        assert_eq!(issued.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_token_that_lives_shorter_than_the_margin_is_not_fetched_for_every_request() {
    run(async {
        let server = FaultServer::start((0..3).map(|_| Reply::json("{}"))).await;
        let clock = clock();
        let (auth, issued) = issuer(&clock, Some(50));
        let session = session(&clock, &server).with_auth(auth);
        for (wait, fetched) in [(0, 1), (24, 1), (1, 2)] {
            clock.advance(Duration::from_secs(wait));
            session.execute(&get()).await.unwrap();
            assert_eq!(issued.load(Ordering::SeqCst), fetched);
        }
    });
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl TokenSource for Broken {
    async fn fetch(&self) -> Result<AccessToken> {
        let error = Error::new(ErrorKind::Unauthorized, "the client secret was refused");
        Err(error.with_delivery(Delivery::Answered))
    }
}

#[test]
fn without_a_token_nothing_is_sent() {
    run(async {
        let server = FaultServer::start([]).await;
        let session = session(&clock(), &server).with_auth(Auth::tokens(Broken));
        let error = session.execute(&post()).await.unwrap_err();
        assert_eq!(error.message(), "the client secret was refused");
        assert_eq!((error.delivery(), server.request_count()), (Delivery::NotSent, 0));
    });
}

/// Fetches tokens through a session of its own, under the same budget as what they are for.
#[derive(Debug)]
struct SameBudget(Session);

#[async_trait]
impl TokenSource for SameBudget {
    async fn fetch(&self) -> Result<AccessToken> {
        let token: String = self.0.execute_json(&Request::get("test.token", "/token")).await?;
        Ok(AccessToken::new(token.into()))
    }
}

#[test]
fn fetching_a_token_under_the_same_budget_does_not_wait_for_itself() {
    run(async {
        let server = MockServer::start().await;
        let token =
            |token| Mock::given(path("/token")).respond_with(ResponseTemplate::new(200).set_body_json(token));
        token("t1").up_to_n_times(1).mount(&server).await;
        token("t2").expect(1).mount(&server).await;
        Mock::given(bearer_token("t2"))
            .respond_with(ResponseTemplate::new(200))
            .expect(2)
            .mount(&server)
            .await;
        Mock::given(bearer_token("t1")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
        let budget = Budget::of(BudgetScope::new("one")).with_in_flight(1);
        let plain = Session::new(&transport(&clock()), base(&server.uri())).with_budget(budget);
        let session = plain.clone().with_auth(Auth::tokens(SameBudget(plain)));
        let request = get();
        let answers = join_all((0..2).map(|_| session.execute(&request))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    });
}
