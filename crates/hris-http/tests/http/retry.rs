//! When a request is sent again, how long that waits, and what is said when it is given up.

use std::time::Duration;

use futures_util::future::join;
use hris_core::{Delivery, Error, ErrorKind};
use hris_http::{Answer, Classify, RetryPolicy, Session, Verdict, decode};
use hris_testkit::{FaultServer, ManualClock, Reply, run};

use crate::support::{back_offs, base, clock, context, get, post, session, somebody_sleeps, transport};

const PAGE: &str = r#"{"data":[1,2,3]}"#;

fn unavailable() -> Reply {
    Reply::new(503, "text/html", "<html>down</html>")
}

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

#[test]
fn four_failures_in_a_row_are_survived() {
    run(async {
        let server = FaultServer::start([
            unavailable(),
            Reply::close(),
            Reply::json(PAGE).cut_after(5),
            Reply::json(PAGE).chunked().cut_after(5),
            Reply::json(PAGE),
        ])
        .await;
        let clock = clock();
        let answer = session(&clock, &server).execute(&get()).await.unwrap();
        assert_eq!(answer.body(), PAGE);
        assert_eq!(back_offs(&clock).len(), 4);
    });
}

#[test]
fn after_five_attempts_the_error_is_final_and_says_so() {
    run(async {
        let server = FaultServer::start((0..9).map(|_| unavailable())).await;
        let clock = clock();
        let error = session(&clock, &server).execute(&get()).await.unwrap_err();
        assert_eq!(server.request_count(), 5);
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::Answered));
        assert!(!error.is_retryable(), "an outer loop must not begin again");
        assert_eq!(context(&error, "attempts"), Some("5"));
        assert_eq!(context(&error, "operation"), Some("test.get"));
        assert_eq!(context(&error, "status"), Some("503"));
        assert_eq!(context(&error, "host").map(|host| format!("http://{host}")), Some(server.url()));
    });
}

#[test]
fn a_post_that_is_not_repeatable_is_not_sent_twice_after_a_broken_connection() {
    run(async {
        let server = FaultServer::start([Reply::close(), Reply::json(PAGE)]).await;
        let error = session(&clock(), &server).execute(&post()).await.unwrap_err();
        assert_eq!(server.request_count(), 1);
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::Unknown));
        assert_eq!(context(&error, "attempts"), Some("1"));
    });
}

#[test]
fn a_post_whose_answer_is_cut_is_not_sent_twice_either_and_its_effect_is_unknown() {
    run(async {
        let server = FaultServer::start([Reply::json(PAGE).with_status(201).cut_after(3)]).await;
        let error = session(&clock(), &server).execute(&post()).await.unwrap_err();
        assert_eq!(server.request_count(), 1);
        assert_eq!(error.delivery(), Delivery::Unknown);
    });
}

#[test]
fn a_post_that_is_repeatable_is_sent_again() {
    run(async {
        let server = FaultServer::start([Reply::close(), unavailable(), Reply::json(PAGE)]).await;
        let request = post().with_repeatable(true);
        assert!(session(&clock(), &server).execute(&request).await.is_ok());
        assert_eq!(server.request_count(), 3);
        assert_eq!(server.requests()[2].body(), b"{}");
    });
}

#[test]
fn a_refused_connection_is_not_sent_and_therefore_tried_again_even_for_a_write() {
    run(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let clock = clock();
        let error = Session::new(&transport(&clock), base(&url)).execute(&post()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::NotSent));
        assert_eq!(context(&error, "attempts"), Some("5"));
        assert!(error.hint().is_some());
        assert_eq!(back_offs(&clock).len(), 4);
    });
}

#[test]
fn a_refusal_is_final_whatever_its_kind() {
    run(async {
        for (status, kind) in [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Unauthorized),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (405, ErrorKind::Protocol),
            (409, ErrorKind::Conflict),
            (412, ErrorKind::Stale),
            (422, ErrorKind::Invalid),
        ] {
            let server = FaultServer::start([Reply::json("{}").with_status(status)]).await;
            let error = session(&clock(), &server).execute(&get()).await.unwrap_err();
            assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Answered), "{status}");
            assert_eq!(server.request_count(), 1, "{status}");
            assert!(!error.is_retryable(), "{status}");
        }
    });
}

#[test]
fn retry_after_in_seconds_is_never_undercut() {
    run(async {
        let slow_down = || Reply::json("{}").with_status(429).with_header("retry-after", "24");
        let server = FaultServer::start([slow_down(), slow_down(), Reply::json(PAGE)]).await;
        let clock = clock();
        session(&clock, &server).execute(&get()).await.unwrap();
        assert_eq!(back_offs(&clock), [Duration::from_secs(24); 2]);
    });
}

#[test]
fn retry_after_in_date_form_is_honoured() {
    run(async {
        let until =
            Reply::json("{}").with_status(503).with_header("retry-after", "Mon, 02 Mar 2026 06:00:23 GMT");
        let server = FaultServer::start([until, Reply::json(PAGE)]).await;
        let clock = clock();
        session(&clock, &server).execute(&get()).await.unwrap();
        assert_eq!(back_offs(&clock), [Duration::from_secs(23)]);
    });
}

#[test]
fn a_short_retry_after_does_not_shorten_the_back_off() {
    run(async {
        let eager = || Reply::json("{}").with_status(429).with_header("retry-after", "0");
        let server = FaultServer::start([eager(), Reply::json(PAGE)]).await;
        let clock = clock();
        session(&clock, &server).execute(&get()).await.unwrap();
        assert!(back_offs(&clock)[0] >= Duration::from_millis(500));
    });
}

#[test]
fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    run(async {
        let server =
            FaultServer::start([Reply::json("{}").with_status(429).with_header("retry-after", "3600")]).await;
        let clock = clock();
        let error = session(&clock, &server).execute(&get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
        assert!(!error.is_retryable());
        assert_eq!(back_offs(&clock), []);
    });
}

#[test]
fn the_time_out_of_an_attempt_ends_it_and_the_next_one_may_succeed() {
    run(async {
        let server = FaultServer::start([Reply::silence(), Reply::json(PAGE)]).await;
        let clock = clock();
        let session = session(&clock, &server);
        let test = async {
            server.received(1).await;
            clock.advance(Duration::from_secs(29));
            tokio::task::yield_now().await;
            assert_eq!(clock.sleepers(), 1, "not yet");
            clock.advance(Duration::from_secs(1));
        };
        let request = get();
        let ((), answer) = join(test, session.execute(&request)).await;
        assert_eq!(answer.unwrap().body(), PAGE);
        assert_eq!(server.request_count(), 2);
    });
}

#[test]
fn a_time_out_after_sending_leaves_a_writes_effect_unknown() {
    run(async {
        let server = FaultServer::start([Reply::silence()]).await;
        let clock = clock();
        let session = session(&clock, &server);
        let test = async {
            server.received(1).await;
            clock.advance(Duration::from_secs(119));
            assert_eq!(clock.sleepers(), 1, "the request's own time-out holds");
            clock.advance(Duration::from_secs(1));
        };
        let request = post().with_timeout(Duration::from_secs(120));
        let ((), answer) = join(test, session.execute(&request)).await;
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Timeout, Delivery::Unknown));
        assert_eq!(server.request_count(), 1);
    });
}

#[test]
fn a_body_that_dribbles_beyond_the_time_out_counts_as_late() {
    run(async {
        let (reply, dribble) = Reply::dribbled();
        let server = FaultServer::start([reply]).await;
        let clock = clock();
        let session = session(&clock, &server).with_policy(policy().with_attempts(1));
        dribble.send("{\"data\":");
        let test = async {
            server.received(1).await;
            clock.advance(Duration::from_secs(30));
        };
        let request = get();
        let ((), answer) = join(test, session.execute(&request)).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Timeout);
        drop(dribble);
    });
}

#[test]
fn the_deadline_ends_the_last_attempt_too() {
    run(async {
        let server = FaultServer::start([Reply::silence(), Reply::silence()]).await;
        // On this clock every wait is the test's to end.
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        let session = session(&clock, &server).with_policy(policy().with_deadline(Duration::from_secs(45)));
        let test = async {
            server.received(1).await;
            clock.advance(Duration::from_secs(30));
            somebody_sleeps(&clock).await;
            clock.advance(Duration::from_secs(1));
            server.received(2).await;
            clock.advance(Duration::from_secs(14));
        };
        let request = get();
        let ((), answer) = join(test, session.execute(&request)).await;
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), context(&error, "attempts")), (ErrorKind::Timeout, Some("2")));
        assert!(!error.is_retryable());
    });
}

#[test]
fn an_answer_that_is_no_whole_json_is_tried_again_and_final_after_five_attempts() {
    run(async {
        for body in ["", "<html></html>", r#"{"data":[1,"#] {
            let server =
                FaultServer::start((0..4).map(|_| Reply::json(body)).chain([Reply::json(PAGE)])).await;
            let read = session(&clock(), &server).execute_json::<serde_json::Value>(&get()).await;
            assert_eq!(read.unwrap(), serde_json::json!({"data": [1, 2, 3]}));

            let server = FaultServer::start((0..9).map(|_| Reply::json(body))).await;
            let error =
                session(&clock(), &server).execute_json::<serde_json::Value>(&get()).await.unwrap_err();
            assert_eq!(server.request_count(), 5, "{body}");
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Protocol, false), "{body}");

            let server = FaultServer::start([Reply::json(body)]).await;
            let error =
                session(&clock(), &server).execute_json::<serde_json::Value>(&post()).await.unwrap_err();
            assert_eq!((server.request_count(), error.delivery()), (1, Delivery::Answered), "{body}");
        }
    });
}

#[test]
fn an_error_of_the_reader_counts_as_answered_so_that_a_write_is_not_repeated() {
    run(async {
        let transient = |_| Err::<(), _>(Error::new(ErrorKind::Unavailable, "not yet"));
        let server = FaultServer::start([Reply::json(PAGE), Reply::json(PAGE)]).await;
        let error = session(&clock(), &server).execute_with(&post(), transient).await.unwrap_err();
        assert_eq!((server.request_count(), error.delivery()), (1, Delivery::Answered));

        let server = FaultServer::start((0..9).map(|_| Reply::json(PAGE))).await;
        session(&clock(), &server).execute_with(&get(), transient).await.unwrap_err();
        assert_eq!(server.request_count(), 5);
    });
}

#[test]
fn json_of_another_form_is_final_at_once() {
    run(async {
        let server = FaultServer::start([Reply::json(r#"{"data":"jane@example.org"}"#)]).await;
        let error = session(&clock(), &server)
            .execute_with(&get(), |answer| decode::<Vec<u8>>(answer.body()))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Protocol, 1));
        assert!(!format!("{error} {error:?}").contains("jane"), "{error}");
    });
}

/// Reports failures inside a 200, as PeopleHR does.
#[derive(Debug)]
struct InBand;

impl Classify for InBand {
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict {
        assert!(operation.starts_with("test."));
        match answer.body().as_ref() {
            b"busy" => Verdict::Refused(Error::new(ErrorKind::Unavailable, "a query is under way")),
            b"fault" => Verdict::Failed(Error::new(ErrorKind::Unavailable, "something went wrong")),
            b"key" => Verdict::Failed(
                Error::new(ErrorKind::Unauthorized, "the key was refused").with_context("vendor_code", 2),
            ),
            _ => Verdict::ByStatus,
        }
    }
}

#[test]
fn a_vendors_classifier_finds_failures_inside_a_200() {
    run(async {
        let in_band = |body: &str| Reply::json(body);
        let server = FaultServer::start([in_band("fault"), in_band("busy"), in_band("{}")]).await;
        let session_of = |server| session(&clock(), server).with_classify(InBand);
        assert!(session_of(&server).execute(&get()).await.is_ok());

        let server = FaultServer::start([in_band("key")]).await;
        let error = session_of(&server).execute(&get()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unauthorized, Delivery::Answered));
        assert_eq!((context(&error, "vendor_code"), context(&error, "status")), (Some("2"), Some("200")));

        let server = FaultServer::start([Reply::json("{}").with_status(409)]).await;
        let error = session_of(&server).execute(&get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "the status decides where the vendor's code does not");
    });
}

#[test]
fn a_write_is_repeated_after_a_refusal_and_not_after_a_failure() {
    run(async {
        let server = FaultServer::start([Reply::json("busy"), Reply::json("fault"), Reply::json("{}")]).await;
        let error = session(&clock(), &server).with_classify(InBand).execute(&post()).await.unwrap_err();
        assert_eq!(server.request_count(), 2);
        assert!(error.is_retryable(), "tries were not used up: the caller decides, by delivery");
    });
}

#[test]
fn the_policys_number_of_attempts_is_kept() {
    run(async {
        let server = FaultServer::start((0..9).map(|_| unavailable())).await;
        let session = session(&clock(), &server).with_policy(policy().with_attempts(2));
        assert_eq!(context(&session.execute(&get()).await.unwrap_err(), "attempts"), Some("2"));
    });
}
