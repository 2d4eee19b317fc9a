//! Bodies that are handed on as they come.

use std::time::Duration;

use futures_util::future::join;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use hris_core::{Error, ErrorKind, Result};
use hris_http::{Answer, BodyStream, Budget, BudgetScope, Classify, Request, Verdict};
use hris_testkit::{FaultServer, Reply, run};

use crate::support::{clock, context, get, post, session};

#[test]
fn a_piece_is_handed_on_before_the_next_one_exists() {
    run(async {
        let (reply, dribble) = Reply::dribbled();
        let server = FaultServer::start([reply.with_header("x-count", "2")]).await;
        let mut body = session(&clock(), &server).stream(&post()).await.unwrap();
        assert_eq!(body.header("X-Count"), Some("2"));
        for piece in ["[1", ",2]"] {
            dribble.send(piece);
            assert_eq!(body.next().await.unwrap().unwrap(), piece);
        }
        dribble.finish();
        assert!(body.next().await.is_none());
    });
}

#[test]
fn a_cut_body_ends_with_one_error_and_is_not_asked_for_again() {
    run(async {
        for reply in [Reply::json("[1,2,3]"), Reply::json("[1,2,3]").chunked()] {
            let server = FaultServer::start([reply.cut_after(4), Reply::json("[]")]).await;
            let body = session(&clock(), &server).stream(&get()).await.unwrap();
            let mut pieces: Vec<_> = body.collect().await;
            let error = pieces.pop().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incomplete);
            assert_eq!(
                (context(&error, "bytes_read"), context(&error, "operation")),
                (Some("4"), Some("test.get"))
            );
            let read: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
            assert_eq!((read.as_slice(), server.request_count()), (b"[1,2".as_slice(), 1));
        }
    });
}

#[test]
fn a_pause_beyond_the_idle_time_out_ends_it() {
    run(async {
        let (reply, dribble) = Reply::dribbled();
        let server = FaultServer::start([reply]).await;
        let clock = clock();
        let mut body = session(&clock, &server).stream(&get()).await.unwrap();
        for _ in 0..3 {
            // Longer in all than one idle time-out, which counts from piece to piece.
            clock.advance(Duration::from_secs(29));
            dribble.send("1");
            assert!(body.next().await.unwrap().is_ok());
        }
        let test = async {
            crate::support::somebody_sleeps(&clock).await;
            clock.advance(Duration::from_secs(30));
        };
        let (piece, ()) = join(body.next(), test).await;
        assert_eq!(piece.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
        assert!(body.next().await.is_none());
    });
}

#[test]
fn until_the_headers_have_come_it_is_tried_again() {
    run(async {
        let down = Reply::json("").with_status(503);
        let server = FaultServer::start([down, Reply::close(), Reply::json("[]")]).await;
        let body = session(&clock(), &server).stream(&get()).await.unwrap();
        let pieces: Vec<_> = body.try_collect().await.unwrap();
        assert_eq!((pieces.concat().as_slice(), server.request_count()), (b"[]".as_slice(), 3));
    });
}

#[derive(Debug)]
struct NoAccess;

impl Classify for NoAccess {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        assert_eq!(answer.body(), "no access");
        Verdict::Failed(Error::new(ErrorKind::Forbidden, "the schema is not ticked"))
    }
}

#[test]
fn an_answer_that_is_no_success_is_judged_like_any_other() {
    run(async {
        let server = FaultServer::start([Reply::json("no access").with_status(400)]).await;
        let session = session(&clock(), &server);
        let error = session.clone().with_classify(NoAccess).stream(&get()).await.unwrap_err();
        assert_eq!((error.kind(), context(&error, "status")), (ErrorKind::Forbidden, Some("400")));
    });
}

#[test]
fn a_limit_holds_where_one_was_set_and_only_there() {
    run(async {
        let large = || Reply::generated((0..400).map(|_| vec![b' '; 100 << 10]));
        let server = FaultServer::start([large(), large()]).await;
        let session = session(&clock(), &server);
        let size = async |request: Request| {
            let body = session.stream(&request).await.unwrap();
            body.try_fold(0, |size, piece| async move { Ok(size + piece.len()) }).await
        };
        assert_eq!(size(get()).await.unwrap(), 400 * (100 << 10));
        let error = size(get().with_max_bytes(1 << 20)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    });
}

#[test]
fn the_permit_is_held_until_the_body_ends_or_is_dropped() {
    run(async {
        let (reply, _dribble) = Reply::dribbled();
        let server = FaultServer::start([reply, Reply::json("[]")]).await;
        let budget = Budget::of(BudgetScope::new("one")).with_in_flight(1);
        let session = session(&clock(), &server).with_budget(budget);
        let request = get();
        let body = session.stream(&request).await.unwrap();
        let mut second = Box::pin(session.stream(&request));
        for _ in 0..100 {
            assert!(second.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert_eq!(server.request_count(), 1);
        drop(body);
        assert!(second.await.is_ok());
    });
}

/// Reads up to the first bracket, and fails where the beginning says busy.
async fn envelope(mut body: BodyStream) -> Result<(Vec<u8>, BodyStream)> {
    let mut head = Vec::new();
    while !head.contains(&b'[') {
        let Some(piece) = body.try_next().await? else { break };
        head.extend_from_slice(&piece);
    }
    if head.starts_with(b"busy") {
        let error = Error::new(ErrorKind::RateLimited, "limited to 30 calls a minute");
        return Err(error.with_retry_after(Duration::from_secs(20)));
    }
    Ok((head, body))
}

#[test]
fn a_failure_at_the_beginning_of_the_body_is_tried_again_and_pauses_the_scope() {
    run(async {
        let (reply, dribble) = Reply::dribbled();
        let server = FaultServer::start([Reply::json("busy"), reply]).await;
        let clock = clock();
        let budget = Budget::of(BudgetScope::new("one"));
        let session = session(&clock, &server).with_budget(budget);
        dribble.send("{\"Result\":[");
        let (head, mut body) = session.stream_with(&get(), envelope).await.unwrap();
        assert_eq!((head.as_slice(), server.request_count()), (b"{\"Result\":[".as_slice(), 2));
        assert!(clock.slept().contains(&Duration::from_secs(20)));
        dribble.send("]}");
        dribble.finish();
        assert_eq!(body.next().await.unwrap().unwrap(), "]}");
        assert!(body.next().await.is_none());
    });
}

#[test]
fn a_cut_at_the_beginning_of_the_body_is_not_asked_for_again_either() {
    run(async {
        let server = FaultServer::start([Reply::json("{\"Result\":[").cut_after(3), Reply::json("[]")]).await;
        let error = session(&clock(), &server).stream_with(&get(), envelope).await.unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Incomplete, 1));
    });
}
