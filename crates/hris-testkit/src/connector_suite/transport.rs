//! Behaviours on the way to the vendor and back: slow-downs, failures, silence, cut and nonsensical answers.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use hris_core::{Clock as _, Delivery, Error, ErrorKind};

use super::access::refused;
use super::harness::{Case, ConnectorHarness};
use super::people::plain;
use super::reading::{Read, cheap};
use super::stage::{NotOffered, Ran, Stage};
use crate::CuttingProxy;
use crate::mock::lock;
use crate::sim::{Fault, SimRequest, SimResponse, SimServer, Vendor};
use crate::suite::chain;

const NO_HTTP: NotOffered = NotOffered("the connector speaks no HTTP");

fn server(it: &ConnectorHarness) -> Result<&SimServer, NotOffered> {
    it.vendor().server().ok_or(NO_HTTP)
}

/// A request, told apart from others, and when it came by the connector's clock.
type Sent = (String, DateTime<Utc>);

/// When which listing was asked for.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<Sent>>>);

impl Times {
    /// Writes every request for employees down from now on, faults or none.
    fn of(it: &ConnectorHarness, server: &SimServer) -> Self {
        let times = Self::default();
        let (noted, clock, is_listing) = (times.clone(), it.clock().clone(), it.listing_condition());
        let note = move |request: &SimRequest| {
            if is_listing(request) {
                lock(&noted.0).push((identity(request), clock.now()));
            }
            false
        };
        server.faults().add(Fault::Html.always().on(note));
        times
    }

    /// How long the first request waited until it was sent again.
    fn first_wait(&self) -> Option<TimeDelta> {
        let times = lock(&self.0);
        let (first, at) = times.first()?;
        let again = times.iter().skip(1).find(|(request, _)| request == first);
        again.map(|(_, again)| *again - *at)
    }
}

/// What makes two requests the same one, sent twice. It is compared and never shown.
pub(super) fn identity(request: &SimRequest) -> String {
    let query =
        request.query_names().map(|name| format!("{name}={:?}", request.query_all(name).collect::<Vec<_>>()));
    let query: String = query.collect();
    format!("{} {} {query} {:?}", request.method(), request.path(), request.body())
}

/// A slow-down is waited for as long as the vendor says, in seconds or up to an instant, and never less.
pub async fn a_slow_down_is_waited_for_as_long_as_it_says(stage: Stage) -> Ran {
    const SECONDS: u32 = 17;
    for as_instant in [false, true] {
        let it = stage.with(plain(12)).await;
        let server = server(&it)?;
        let until = it.clock().now() + TimeDelta::seconds(SECONDS.into());
        let retry_after = if as_instant {
            until.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
        } else {
            SECONDS.to_string()
        };
        let times = Times::of(&it, server);
        let fault = Fault::Status { code: 429, retry_after: Some(retry_after.clone()) };
        server.faults().add(it.on_listings(fault.once()));
        let read = patiently(&it).await;
        read.receipt("a reading that is asked to slow down once");
        let Some(wait) = times.first_wait() else {
            panic!("send a request again that was asked to slow down")
        };
        let least = TimeDelta::seconds(SECONDS.into());
        assert!(wait >= least, "wait at least as long as `Retry-After: {retry_after}` says, not {wait}");
    }
    Ok(())
}

/// A slow-down that names no time is backed off from, and tried again.
pub async fn a_slow_down_without_a_time_is_backed_off_from(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let server = server(&it)?;
    let times = Times::of(&it, server);
    server.faults().add(it.on_listings(Fault::rate_limited(None).times(2)));
    let read = patiently(&it).await;
    read.receipt("a reading that is asked to slow down twice");
    let Some(wait) = times.first_wait() else { panic!("send a request again that was asked to slow down") };
    assert!(wait > TimeDelta::zero(), "wait before a request is sent again, on the clock that was given");
    Ok(())
}

/// A wait that is longer than the time allowed is not begun: the error comes at once.
pub async fn a_wait_beyond_the_time_allowed_is_not_begun(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let server = server(&it)?;
    let total = it.total_time();
    server.faults().add(it.on_listings(Fault::rate_limited(Some(total.as_secs() + 3_600)).always()));
    let connector = it.good();
    let started = it.clock().now();
    let read = it.read(&connector, cheap());
    let waits_for_ever = async {
        loop {
            let longest = it.clock().slept().into_iter().max().unwrap_or_default();
            assert!(
                longest <= total,
                "do not begin a wait of {longest:?}: all attempts together have {total:?}"
            );
            tokio::task::yield_now().await;
        }
    };
    let read = first(read, waits_for_ever).await;
    let error = read.error("a reading that is asked to wait for too long");
    assert_eq!(error.kind(), ErrorKind::RateLimited, "say that the vendor asks to slow down: {error:?}");
    assert!(it.clock().now() - started <= delta(total), "give up within the time allowed");
    Ok(())
}

/// A failure of the vendor's server, or a connection that it closes, is passing: the request is sent again.
pub async fn a_failure_of_the_server_is_tried_again(stage: Stage) -> Ran {
    for fault in
        [Fault::status(500), Fault::status(502), Fault::status(503), Fault::status(504), Fault::Refused]
    {
        let it = stage.with(plain(12)).await;
        let server = server(&it)?;
        let times = Times::of(&it, server);
        server.faults().add(it.on_listings(fault.clone().once()));
        let read = patiently(&it).await;
        let what = format!("a reading that meets {fault:?} once");
        read.receipt(&what);
        assert_eq!(
            server.faults().outstanding(),
            0,
            "{what}: the harness has to tell which requests list people"
        );
        let wait = times.first_wait().unwrap_or_default();
        assert!(
            wait > TimeDelta::zero(),
            "{what}: wait before a request is sent again, on the clock that was given"
        );
    }
    Ok(())
}

/// A request that the vendor finds wrong is not sent again.
pub async fn a_request_that_is_found_wrong_is_not_tried_again(stage: Stage) -> Ran {
    for (status, kind) in [(403, ErrorKind::Forbidden), (404, ErrorKind::NotFound)] {
        let it = stage.with(plain(12)).await;
        let server = server(&it)?;
        let times = Times::of(&it, server);
        server.faults().add(it.on_listings(Fault::status(status).always()));
        let read = it.read(&*it.good(), cheap()).await;
        let error = read.error("a reading whose request is found wrong");
        let fits = error.kind() == kind || error.kind() == ErrorKind::Protocol;
        assert!(fits && !error.is_retryable(), "tell status {status} from passing failures: {error:?}");
        let again = times.first_wait();
        assert_eq!(again, None, "do not send a request again that was answered with status {status}");
    }
    Ok(())
}

/// An attempt that gets no answer is given up after its time, and the request is sent again.
pub async fn an_attempt_without_an_answer_is_given_up_and_repeated(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let server = server(&it)?;
    server.faults().add(it.on_listings(Fault::Hang.once()));
    let connector = it.good();
    let before = it.vendor().listings();
    let nudge = async {
        time_out_attempt(&it, server, before + 1).await;
        std::future::pending::<()>().await;
    };
    let read = first(it.read(&connector, cheap()), nudge).await;
    read.receipt("a reading of which one attempt got no answer");
    Ok(())
}

/// A vendor that never answers is given up within the time allowed, with an error.
pub async fn a_vendor_that_never_answers_is_given_up_in_the_end(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let server = server(&it)?;
    server.faults().add(it.on_listings(Fault::Hang.always()));
    let connector = it.good();
    let started = it.clock().now();
    let allowed = delta(it.total_time() + it.attempt_time());
    let mut sent = it.vendor().listings();
    let nudge = async {
        loop {
            sent += 1;
            time_out_attempt(&it, server, sent).await;
            let spent = it.clock().now() - started;
            assert!(spent <= allowed, "give a silent vendor up within the time allowed: {spent} have passed");
        }
    };
    let read = first(it.read(&connector, cheap()), nudge).await;
    let error = read.error("a reading that gets no answer at all");
    assert_eq!(error.kind(), ErrorKind::Timeout, "say that no answer came in time: {error:?}");
    assert_eq!(error.delivery(), Delivery::Unknown, "nobody knows what became of a request without answer");
    Ok(())
}

/// Waits until so many listings were asked for, and lets the time of an attempt pass.
async fn time_out_attempt(it: &ConnectorHarness, server: &SimServer, listings: usize) {
    loop {
        let seen = server.request_count();
        if it.vendor().listings() >= listings {
            break;
        }
        server.received(seen + 1).await;
    }
    // Whoever sent it may be a task of its own, which gets to its own wait only now.
    let mut patience = 10_000;
    while it.clock().sleepers() == 0 && patience > 0 {
        tokio::task::yield_now().await;
        patience -= 1;
    }
    let waiting = it.clock().sleepers();
    assert!(
        waiting > 0,
        "give every attempt a time-out on the clock that is given: nothing would end this one"
    );
    it.clock().advance(it.attempt_time());
    let longer = it.clock().sleepers();
    assert!(
        longer < waiting,
        "tell the harness how long an attempt may last; it is not {:?}",
        it.attempt_time()
    );
}

/// What was never sent is called so: a connection that nobody accepts is [`Delivery::NotSent`].
pub async fn a_refused_connection_was_not_sent(stage: Stage) -> Ran {
    let it = stage.with(plain(3)).await;
    server(&it)?;
    let dead = unused_address().await;
    let connector = it.built(Case::At(&dead), "the connector's address cannot be chosen")?;
    let not_sent = |error: &Error| {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "say that the vendor cannot be reached: {error:?}");
        assert_eq!(error.delivery(), Delivery::NotSent, "say that nothing was sent: {error:?}");
    };
    not_sent(&refused(connector.check().await, "a check of an address where nobody listens"));
    not_sent(it.read(&connector, cheap()).await.error("a reading from an address where nobody listens"));
    Ok(())
}

/// An address of this machine on which nobody listens any more.
async fn unused_address() -> String {
    match tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.and_then(|listener| listener.local_addr()) {
        Ok(address) => format!("http://{address}"),
        Err(error) => panic!("a free port: {error}"),
    }
}

/// HTML, nothing at all, and JSON of another form are errors, and never an empty directory.
pub async fn an_answer_of_another_form_is_no_empty_directory(stage: Stage) -> Ran {
    let json = |text: &str| Fault::Answer(SimResponse::raw(200, "application/json", text));
    let empty = Fault::Answer(SimResponse::empty(204));
    let others = ["{}", "[]", "null", "7", r#""nobody""#].map(json);
    for fault in [Fault::Html, Fault::Empty, empty].into_iter().chain(others) {
        let it = stage.with(plain(12)).await;
        let what = format!("a listing that is {fault:?}");
        server(&it)?.faults().add(it.on_listings(fault.always()));
        let read = it.read(&*it.good(), cheap()).await;
        let error = read.error(&what);
        assert_ne!(
            error.kind(),
            ErrorKind::Unauthorized,
            "{what} says nothing about the credential: {error:?}"
        );
        assert!(read.rows.is_empty(), "{what}: deliver nobody");
    }
    Ok(())
}

/// JSON that ends in the middle is an error that names the place, and no value found there.
pub async fn broken_json_is_named_by_its_place_without_values(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    server(&it)?.faults().add(it.on_listings(Fault::BrokenJson.always()));
    let read = it.read(&*it.good(), cheap()).await;
    let error = read.error("a reading of broken JSON");
    let of_kind = matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Incomplete);
    assert!(of_kind, "say that the answer is not what the protocol promises: {error:?}");
    let place = error.context().find(|(key, _)| ["path", "position", "bytes_read"].contains(key));
    assert!(
        place.is_some(),
        "name the place by `path`, `position` or `bytes_read` in the context: {error:?}"
    );
    it.shows_no_secret(&chain(error), "the error about broken JSON");
    Ok(())
}

/// JSON that ends between two rows, as a parser of single rows might not notice, is no shorter directory.
pub async fn a_listing_that_ends_between_two_rows_is_no_shorter_directory(stage: Stage) -> Ran {
    let it = stage.with(plain(12)).await;
    let ends_early = |answer: SimResponse| {
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let end = text.rfind("},{").map_or(text.len() / 2, |at| at + 1);
        SimResponse::raw(answer.status(), "application/json", text.get(..end).unwrap_or_default())
    };
    server(&it)?.faults().add(it.on_listings(Fault::change(ends_early).always()));
    let read = it.read(&*it.good(), cheap()).await;
    read.error("a reading whose JSON ends between two rows");
    Ok(())
}

/// A body that is cut on its way is an error. Where the page can be asked for again, it is, and then nobody is missing.
pub async fn a_body_that_is_cut_is_no_shorter_directory(stage: Stage) -> Ran {
    let it = stage.with(plain(24)).await;
    let upstream = server(&it)?.url().to_owned();
    let always = CuttingProxy::start(&upstream, usize::MAX, it.listing_condition()).await;
    let connector = it.built(Case::At(&always.url()), "the connector's address cannot be chosen")?;
    let read = it.read(&connector, cheap()).await;
    read.error("a reading whose body is cut every time");
    assert!(always.cut() > 0, "the harness has to tell which requests list people");
    let once = CuttingProxy::start(&upstream, 1, it.listing_condition()).await;
    let connector = it.built(Case::At(&once.url()), "the connector's address cannot be chosen")?;
    let read = it.read(&connector, cheap()).await;
    if it.has_one_body() {
        read.error("a reading whose only body is cut");
    } else {
        let distinct = read.receipt("a reading of which one page is cut once").distinct;
        let wanted = it.sound(connector.capabilities().reads_leavers).len() as u64;
        assert_eq!(distinct, wanted, "ask again for a page that was cut");
    }
    Ok(())
}

/// A redirect is not followed, so that a credential goes nowhere but where the configuration says.
pub async fn a_redirect_is_not_followed(stage: Stage) -> Ran {
    for status in [302, 307, 308] {
        let it = stage.with(plain(12)).await;
        let elsewhere = SimServer::start(Elsewhere).await;
        let answer = SimResponse::empty(status).with_header("location", elsewhere.url());
        server(&it)?.faults().add(it.on_listings(Fault::Answer(answer).always()));
        let read = it.read(&*it.good(), cheap()).await;
        read.error("a reading that is sent elsewhere");
        assert_eq!(
            elsewhere.request_count(),
            0,
            "follow no redirect: it would take the credential elsewhere"
        );
    }
    Ok(())
}

/// A server to which nothing may come.
struct Elsewhere;

impl Vendor for Elsewhere {
    fn handle(&self, _request: &SimRequest) -> SimResponse {
        self.failure(500)
    }
}

/// A reading during which the clock goes on by itself for waits that it does not skip, such as a vendor's minute after a
/// slow-down, and for no time-out.
async fn patiently(it: &ConnectorHarness) -> Read {
    let connector = it.good();
    let (started, before) = (it.clock().now(), it.clock().slept().len());
    let is_wait = |length: &Duration| *length != it.attempt_time() && *length < it.total_time();
    let go_on = async {
        loop {
            let waits: Duration = it.clock().slept().iter().skip(before).filter(|wait| is_wait(wait)).sum();
            let passed = (it.clock().now() - started).to_std().unwrap_or_default();
            if let Some(owed) = waits.checked_sub(passed).filter(|owed| !owed.is_zero()) {
                it.clock().advance(owed);
            }
            tokio::task::yield_now().await;
        }
    };
    first(it.read(&connector, cheap()), go_on).await
}

/// The reading, while something beside it moves the clock or looks on.
async fn first(read: impl Future<Output = Read>, beside: impl Future<Output = ()>) -> Read {
    match select(pin!(read), pin!(beside)).await {
        Either::Left((read, _)) => read,
        Either::Right(((), _)) => panic!("what is beside a reading ends with it"),
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
