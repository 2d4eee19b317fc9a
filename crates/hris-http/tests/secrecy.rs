//! Nothing that is shown or logged holds a secret or a person's data. The only test of its process, since other threads
//! would decide with it which events are recorded.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hris_core::{Error, Result};
use hris_http::{AccessToken, Auth, Request, Session, TokenSource, Transport};
use hris_testkit::{FaultServer, ManualClock, Reply, run};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Appears in every place where a secret or a person's data can be.
const CANARY: &str = "c4nary";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        _ = write!(text, " {cause} {cause:?}");
        source = cause.source();
    }
    text
}

#[derive(Debug)]
struct Source;

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self) -> Result<AccessToken> {
        let token = AccessToken::new(CANARY.into());
        assert!(!format!("{token:?}").contains(CANARY));
        Ok(token)
    }
}

fn request() -> Request {
    Request::post("test.read", "/v1/people")
        .with_segment(CANARY)
        .with_query(CANARY, CANARY)
        .with_header("x-note", CANARY)
        .with_body("application/json", format!(r#"{{"APIKey":"{CANARY}"}}"#))
        .with_repeatable(true)
}

#[test]
fn debug_and_traces_hide_secrets() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    let mut shown = String::new();
    tracing::subscriber::with_default(subscriber, || {
        run(async {
            let echo = || Reply::json(format!(r#"{{"data":"{CANARY}"}}"#)).with_header("x-echo", CANARY);
            let server = FaultServer::start([
                echo().with_status(401),
                echo().with_status(503),
                Reply::close(),
                echo().cut_after(14),
                echo(),
                echo().cut_after(14),
                echo(),
            ])
            .await;
            let auth = Auth::tokens(Source).with_secret_header("x-account-token", &CANARY.into()).unwrap();
            let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
            let transport = Transport::builder().with_clock(Arc::new(clock)).build().unwrap();
            let session = Session::new(&transport, server.url().parse().unwrap()).with_auth(auth);
            _ = write!(shown, "{session:?} {:?} ", request());
            // Everything that can go wrong on the way, and at the end a value of another type than expected.
            let error = session.execute_json::<Vec<u8>>(&request()).await.unwrap_err();
            _ = write!(shown, "{} ", everything(&error));
            let cut = session.stream(&request()).await.unwrap();
            let cut = futures_util::TryStreamExt::try_collect::<Vec<_>>(cut).await.unwrap_err();
            _ = write!(shown, "{} ", everything(&cut));
            _ = write!(shown, "{:?} ", session.execute(&request()).await.unwrap());
            assert_eq!(server.request_count(), 7);
            // The library beneath keeps the URL in its errors, and they are kept as sources.
            for reply in [Reply::close(), echo().cut_after(14)] {
                server.push(reply);
                let once = request().with_repeatable(false);
                let error = session.execute(&once).await.unwrap_err();
                assert!(error.source().is_some());
                _ = write!(shown, "{} ", everything(&error));
            }
            drop(server);
            let refused = session.execute(&request()).await.unwrap_err();
            assert!(refused.source().is_some());
            _ = write!(shown, "{} ", everything(&refused));
        });
    });
    let log = log.text();
    assert!(log.contains("http.request") && log.contains("operation=\"test.read\""), "{log}");
    assert!(log.contains("method=\"POST\"") && log.contains("host=\"127.0.0.1:"), "{log}");
    assert!(log.contains("status=503") && log.contains("attempts=5"), "{log}");
    assert!(log.contains("trying again") && log.contains("kind=Unavailable"), "{log}");
    for text in [shown, log] {
        assert!(!text.to_lowercase().contains(CANARY), "{text}");
    }
}
