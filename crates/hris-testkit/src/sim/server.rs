//! The server that a simulated vendor answers through.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{Fault, Faults, RequestLog, SimRequest, SimResponse};
use crate::mock::lock;

/// The part of a simulator that differs from vendor to vendor.
pub trait Vendor: Send + Sync + 'static {
    /// Answers a request, authentication included. Requests come one at a time; a panic closes the connection.
    fn handle(&self, request: &SimRequest) -> SimResponse;

    /// The vendor's error body for a status, also for the faults that the scaffold plays by itself.
    fn failure(&self, status: u16) -> SimResponse {
        SimResponse::json(status, &json!({ "error": { "status": status } }))
    }
}

impl<V: Vendor + ?Sized> Vendor for Arc<V> {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        (**self).handle(request)
    }

    fn failure(&self, status: u16) -> SimResponse {
        (**self).failure(status)
    }
}

/// A [`Vendor`] on a socket of its own, on a free port of 127.0.0.1, until it is dropped.
///
/// It runs on its own thread, so that it also serves tests and benches that block theirs.
pub struct SimServer {
    server: MockServer,
    desk: Arc<Desk>,
    url: String,
}

impl SimServer {
    /// Starts serving.
    ///
    /// # Panics
    /// If no port can be had.
    pub async fn start(vendor: impl Vendor) -> Self {
        let desk = Arc::new(Desk {
            vendor: Box::new(vendor),
            log: RequestLog::default(),
            faults: Faults::default(),
            ready: Mutex::new(None),
        });
        let server = MockServer::builder().disable_request_recording().start().await;
        let unanswered = Mock::given(Unanswered(Arc::clone(&desk)));
        let unanswered = unanswered.respond_with_err(|_: &Request| closed()).with_priority(1);
        unanswered.mount(&server).await;
        let answered = Mock::given(any()).respond_with(Answered(Arc::clone(&desk)));
        answered.with_priority(2).mount(&server).await;
        let url = server.uri();
        Self { server, desk, url }
    }

    /// Scheme, host and port, without a slash at the end: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Every request that arrived, in order, whatever became of it.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.desk.log.requests()
    }

    /// How many requests arrived.
    pub fn request_count(&self) -> usize {
        self.desk.log.count()
    }

    /// Completes once `count` requests arrived since the start: the moment to move a clock on, for a request that
    /// gets no answer.
    pub async fn received(&self, count: usize) {
        self.desk.log.received(count).await;
    }
}

impl fmt::Debug for SimServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimServer")
            .field("address", self.server.address())
            .field("requests", &self.request_count())
            .field("faults", &self.desk.faults)
            .finish_non_exhaustive()
    }
}

/// Where requests come in: logs them, plays the faults and asks the vendor.
struct Desk {
    vendor: Box<dyn Vendor>,
    log: RequestLog,
    faults: Faults,
    ready: Mutex<Option<ResponseTemplate>>,
}

impl Desk {
    /// The answer to a request, or `None` where the connection is to be closed without one.
    fn serve(&self, request: &Arc<SimRequest>) -> Option<ResponseTemplate> {
        self.log.record(Arc::clone(request));
        let real = || self.vendor.handle(request);
        let response = match self.faults.take(request) {
            None => real(),
            Some(Fault::Status { code, retry_after }) => {
                let failure = self.vendor.failure(code);
                match retry_after {
                    Some(value) => failure.with_header("retry-after", value),
                    None => failure,
                }
            }
            Some(Fault::Html) => {
                let page = "<!doctype html><title>Sign in</title><p>Please sign in.</p>";
                SimResponse::raw(200, "text/html; charset=utf-8", page)
            }
            Some(Fault::Empty) => SimResponse::empty(200),
            Some(Fault::BrokenJson) => real().cut(),
            Some(Fault::Answer(answer)) => answer,
            Some(Fault::Change(change)) => change(real()),
            Some(Fault::Slow(delay)) => return Some(real().into_template().set_delay(delay)),
            Some(Fault::Hang) => {
                return Some(SimResponse::empty(503).into_template().set_delay(FOR_EVER));
            }
            Some(Fault::Refused) => return None,
            Some(Fault::Lost) => {
                let _lost = real();
                return None;
            }
        };
        Some(response.into_template())
    }
}

/// Longer than any test, by the wall clock of the server's own thread.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed without an answer")
}

// wiremock decides by its matchers whether a request is answered or its connection closed, asks them once for each
// request in the order of priority, and serves one request at a time. So the first matcher does the work: it matches
// if there is to be no answer, and otherwise leaves the answer for the responder that follows at once.
struct Unanswered(Arc<Desk>);

impl Match for Unanswered {
    fn matches(&self, request: &Request) -> bool {
        let answer = self.0.serve(&Arc::new(SimRequest::from(request)));
        let unanswered = answer.is_none();
        *lock(&self.0.ready) = answer;
        unanswered
    }
}

struct Answered(Arc<Desk>);

impl Respond for Answered {
    fn respond(&self, _request: &Request) -> ResponseTemplate {
        let ready = lock(&self.0.ready).take();
        ready.unwrap_or_else(|| ResponseTemplate::new(500))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RateLimit, Tokens};
    use super::*;
    use crate::{ManualClock, run};
    use futures_util::future::{Either, select};
    use hris_core::Clock as _;
    use reqwest::{Client, Response};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts what it carries out, and tells the number.
    #[derive(Default)]
    struct Counting {
        handled: AtomicUsize,
        tokens: Option<Tokens>,
    }

    impl Vendor for Counting {
        fn handle(&self, request: &SimRequest) -> SimResponse {
            if self.tokens.as_ref().is_some_and(|tokens| tokens.admit(request).is_none()) {
                return self.failure(401);
            }
            assert!(request.path() != "/panic", "the simulator has a bug");
            let handled = self.handled.fetch_add(1, Ordering::SeqCst) + 1;
            SimResponse::json(200, &json!({ "handled": handled })).with_header("x-page", "1")
        }

        fn failure(&self, status: u16) -> SimResponse {
            SimResponse::json(status, &json!({ "vendor_error": status }))
        }
    }

    struct Setup {
        sim: SimServer,
        vendor: Arc<Counting>,
        client: Client,
    }

    impl Setup {
        async fn new() -> Self {
            Self::with(Counting::default()).await
        }

        async fn with(vendor: Counting) -> Self {
            let vendor = Arc::new(vendor);
            Self { sim: SimServer::start(Arc::clone(&vendor)).await, vendor, client: client() }
        }

        async fn get(&self, target: &str) -> reqwest::Result<Response> {
            let request = self.client.get(format!("{}{target}", self.sim.url()));
            request.bearer_auth("s3cret").send().await
        }

        fn handled(&self) -> usize {
            self.vendor.handled.load(Ordering::SeqCst)
        }
    }

    fn client() -> Client {
        Client::builder().no_proxy().build().expect("a client")
    }

    #[test]
    fn the_vendor_answers_and_every_request_is_logged_without_showing_secrets() {
        run(async {
            let setup = Setup::new().await;
            let response = setup.get("/v1/people?page=2&key=s3cret").await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-page"], "1");
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.text().await.unwrap(), r#"{"handled":1}"#);
            let requests = setup.sim.requests();
            assert_eq!((requests[0].method(), requests[0].path()), ("GET", "/v1/people"));
            assert_eq!(requests[0].query("page"), Some("2"));
            assert!(requests[0].has_header("authorization"));
            let shown = format!("{:?} {requests:?}", setup.sim);
            assert!(!shown.contains("s3cret"), "{shown}");
        });
    }

    #[test]
    fn a_status_fault_has_the_vendors_body_and_strikes_as_often_as_planned() {
        run(async {
            let setup = Setup::new().await;
            setup.sim.faults().add(Fault::rate_limited(Some(7)).times(2));
            for _ in 0..2 {
                let response = setup.get("/").await.unwrap();
                assert_eq!(response.status(), 429);
                assert_eq!(response.headers()["retry-after"], "7");
                assert_eq!(response.text().await.unwrap(), r#"{"vendor_error":429}"#);
            }
            assert_eq!(setup.get("/").await.unwrap().status(), 200);
            assert_eq!(setup.handled(), 1);
            assert_eq!(setup.sim.faults().outstanding(), 0);
        });
    }

    #[test]
    fn faults_keep_to_their_path_condition_and_first_requests() {
        run(async {
            let setup = Setup::new().await;
            let faults = setup.sim.faults();
            faults.add(Fault::status(500).once().on_path("/people").after(1));
            faults.add(Fault::unauthorized().always().on(|request| request.query("page") == Some("9")));
            let mut statuses = Vec::new();
            for target in ["/other", "/people", "/people?page=1", "/people", "/people?page=9"] {
                statuses.push(setup.get(target).await.unwrap().status().as_u16());
            }
            assert_eq!(statuses, [200, 200, 500, 200, 401]);
            faults.clear();
            assert_eq!(setup.get("/people?page=9").await.unwrap().status(), 200);
        });
    }

    #[test]
    fn answers_that_are_no_json_look_like_success() {
        run(async {
            let setup = Setup::new().await;
            let faults = setup.sim.faults();
            faults.add(Fault::Html.once());
            faults.add(Fault::Empty.once());
            faults.add(Fault::BrokenJson.once());
            let html = setup.get("/").await.unwrap();
            assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
            let mut bodies = vec![html.text().await.unwrap()];
            for _ in 0..2 {
                let response = setup.get("/").await.unwrap();
                assert_eq!(response.status(), 200);
                bodies.push(response.text().await.unwrap());
            }
            assert!(bodies[0].starts_with("<!doctype html>"));
            assert_eq!(bodies[1..], ["", r#"{"hand"#]);
            assert_eq!(setup.handled(), 1, "only the broken answer is one of the vendor's own");
        });
    }

    #[test]
    fn answers_can_be_replaced_and_changed() {
        run(async {
            let setup = Setup::new().await;
            let teapot = SimResponse::empty(418);
            setup.sim.faults().add(Fault::Answer(teapot).once());
            setup.sim.faults().add(Fault::change(|real| real.with_header("x-page", "2")).once());
            assert_eq!(setup.get("/").await.unwrap().status(), 418);
            assert_eq!(setup.get("/").await.unwrap().headers()["x-page"], "2");
        });
    }

    #[test]
    fn a_lost_answer_had_its_effect_and_a_refused_request_had_none() {
        run(async {
            let setup = Setup::new().await;
            setup.sim.faults().add(Fault::Lost.once());
            setup.sim.faults().add(Fault::Refused.once());
            assert!(setup.get("/").await.is_err());
            assert_eq!(setup.handled(), 1);
            assert!(setup.get("/").await.is_err());
            assert_eq!(setup.handled(), 1);
            assert_eq!(setup.get("/").await.unwrap().status(), 200);
            assert_eq!(setup.sim.request_count(), 3);
        });
    }

    #[test]
    fn a_hanging_request_is_given_up_by_a_manual_clock_and_blocks_no_other() {
        run(async {
            let setup = Setup::new().await;
            let clock = ManualClock::at("2026-03-02T06:00:00Z");
            setup.sim.faults().add(Fault::Hang.once());
            let hanging = Box::pin(setup.get("/"));
            let time_out = clock.sleep(Duration::from_secs(30));
            let test = async {
                setup.sim.received(1).await;
                let other = client().get(setup.sim.url()).send().await.unwrap();
                assert_eq!(other.status(), 200);
                clock.advance(Duration::from_secs(30));
            };
            let ((), first) = futures_util::future::join(test, select(hanging, time_out)).await;
            assert!(matches!(first, Either::Right(_)), "the time-out comes first");
        });
    }

    #[test]
    fn a_vendor_that_panics_closes_one_connection_and_serves_on() {
        run(async {
            let setup = Setup::new().await;
            assert!(setup.get("/panic").await.is_err());
            assert_eq!(setup.get("/").await.unwrap().status(), 200);
        });
    }

    #[test]
    fn a_slow_answer_is_the_real_one() {
        run(async {
            let setup = Setup::new().await;
            setup.sim.faults().add(Fault::Slow(Duration::from_millis(1)).once());
            assert_eq!(setup.get("/").await.unwrap().text().await.unwrap(), r#"{"handled":1}"#);
        });
    }

    #[test]
    fn a_rate_limit_by_the_manual_clock_refuses_until_the_time_it_tells() {
        run(async {
            let setup = Setup::new().await;
            let clock = ManualClock::at("2026-03-02T06:00:00Z");
            setup.sim.faults().limit_rate(RateLimit::per_minute(2, clock.clone()));
            assert_eq!(setup.get("/").await.unwrap().status(), 200);
            clock.advance(Duration::from_millis(500));
            assert_eq!(setup.get("/").await.unwrap().status(), 200);
            let refused = setup.get("/").await.unwrap();
            assert_eq!(refused.status(), 429);
            assert_eq!(refused.headers()["retry-after"], "60");
            clock.advance(Duration::from_secs(60));
            assert_eq!(setup.get("/").await.unwrap().status(), 200);

            let silent = RateLimit::per_minute(0, clock).without_retry_after();
            setup.sim.faults().limit_rate(silent);
            let refused = setup.get("/").await.unwrap();
            assert!(refused.status() == 429 && !refused.headers().contains_key("retry-after"));
        });
    }

    #[test]
    fn a_token_withdrawn_in_the_middle_of_a_run_is_refused_from_then_on() {
        run(async {
            let tokens = Tokens::new().with("s3cret", "company");
            let setup = Setup::with(Counting { tokens: Some(tokens.clone()), ..Counting::default() }).await;
            tokens.revoke_after(2);
            let mut statuses = Vec::new();
            for _ in 0..4 {
                statuses.push(setup.get("/").await.unwrap().status().as_u16());
            }
            assert_eq!(statuses, [200, 200, 401, 401]);
        });
    }

    #[test]
    fn concurrent_requests_each_get_their_own_answer() {
        run(async {
            let setup = Setup::new().await;
            let all = (0..20).map(|_| async { setup.get("/").await.unwrap().text().await.unwrap() });
            let mut bodies = futures_util::future::join_all(all).await;
            bodies.sort();
            let mut expected: Vec<_> = (1..=20).map(|n| format!(r#"{{"handled":{n}}}"#)).collect();
            expected.sort();
            assert_eq!(bodies, expected);
        });
    }
}
