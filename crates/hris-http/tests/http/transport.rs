//! What is sent, what is refused, and how much of an answer is read.

use std::sync::Arc;

use hris_core::{Delivery, ErrorKind};
use hris_http::{Method, Request, Session, Transport};
use hris_testkit::{FaultServer, Reply, run};

use crate::support::{base, clock, context, get, session, transport};

#[test]
fn a_redirect_is_never_followed() {
    run(async {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = Reply::json("{}").with_status(status).with_header("location", "/v2/s3cret");
            let server = FaultServer::start([elsewhere, Reply::json("{}")]).await;
            let error = session(&clock(), &server).execute(&get()).await.unwrap_err();
            assert_eq!((error.kind(), server.request_count()), (ErrorKind::Protocol, 1), "{status}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    });
}

#[test]
fn path_query_headers_and_body_arrive_as_described() {
    run(async {
        let server = FaultServer::start([Reply::json("{}")]).await;
        let request = Request::new(Method::Patch, "test.patch", "/v1/company")
            .with_segment("a/b ü")
            .with_segment("employees")
            .with_query("expand", "team,office")
            .with_query("name", "Ann & Bob")
            .with_header("idempotency-key", "k1")
            .with_header("accept", "application/scim+json")
            .with_json(&serde_json::json!({"active": true}))
            .unwrap();
        session(&clock(), &server).execute(&request).await.unwrap();
        let requests = server.requests();
        let sent = &requests[0];
        assert_eq!((sent.method(), sent.path()), ("PATCH", "/v1/company/a%2Fb%20%C3%BC/employees"));
        assert_eq!((sent.query("expand"), sent.query("name")), (Some("team,office"), Some("Ann & Bob")));
        assert_eq!(sent.header("idempotency-key"), Some("k1"));
        assert_eq!(sent.header("accept"), Some("application/scim+json"));
        assert_eq!(sent.header("content-type"), Some("application/json"));
        assert_eq!(sent.body(), br#"{"active":true}"#);
        assert!(sent.header("user-agent").unwrap().starts_with("hris-http/"));
    });
}

#[test]
fn a_form_is_sent_as_one() {
    run(async {
        let server = FaultServer::start([Reply::json("{}")]).await;
        let request = Request::post("test.token", "/token")
            .with_form(&[("grant_type", "client_credentials"), ("x", "a&b")]);
        session(&clock(), &server).execute(&request).await.unwrap();
        let sent = &server.requests()[0];
        assert_eq!(sent.form("grant_type").as_deref(), Some("client_credentials"));
        assert_eq!(sent.form("x").as_deref(), Some("a&b"));
        assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    });
}

#[test]
fn what_cannot_be_written_as_a_request_is_not_sent() {
    run(async {
        let server = FaultServer::start([]).await;
        let session = session(&clock(), &server);
        for request in [
            get().with_segment(""),
            get().with_segment(".."),
            Request::get("test.get", "/v1/people/"),
            get().with_header("x-note", "two\nlines"),
            get().with_header("x note", "one"),
        ] {
            let error = session.execute(&request).await.unwrap_err();
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::NotSent));
        }
        assert_eq!(server.request_count(), 0);
    });
}

#[test]
fn an_answer_larger_than_allowed_is_refused_in_either_framing() {
    run(async {
        let body = "x".repeat(1001);
        for reply in [Reply::json(body.as_str()), Reply::json(body.as_str()).chunked()] {
            let server = FaultServer::start([reply]).await;
            let error = session(&clock(), &server).execute(&get().with_max_bytes(1000)).await.unwrap_err();
            assert_eq!((error.kind(), server.request_count()), (ErrorKind::TooLarge, 1));
        }
        let server = FaultServer::start([
            Reply::json(body.as_str()),
            Reply::json("").with_length(17 << 20).cut_after(0),
        ])
        .await;
        let session = session(&clock(), &server);
        assert_eq!(session.execute(&get().with_max_bytes(1001)).await.unwrap().body().len(), 1001);
        let unbounded = session.execute(&get()).await.unwrap_err();
        assert_eq!(unbounded.kind(), ErrorKind::TooLarge, "16 MiB unless said otherwise");
    });
}

/// 100,000 blanks, compressed with gzip.
const BLANKS: [u8; 133] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0, 0, 194, 160, 42, 235, 159, 210, 26, 30, 64, 1, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 175, 6, 45, 240, 121, 202,
    160, 134, 1, 0,
];

#[test]
fn a_compressed_answer_is_unpacked_and_measured_unpacked() {
    run(async {
        let packed = || Reply::json(BLANKS.as_slice()).with_header("content-encoding", "gzip");
        let server = FaultServer::start([packed(), packed()]).await;
        let session = session(&clock(), &server);
        assert_eq!(session.execute(&get()).await.unwrap().body().len(), 100_000);
        assert_eq!(server.requests()[0].header("accept-encoding"), Some("gzip"));
        let error = session.execute(&get().with_max_bytes(99_999)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    });
}

#[test]
fn the_body_of_a_failure_cannot_hide_the_failure() {
    run(async {
        let long = "x".repeat(1 << 20);
        for reply in [
            Reply::json(long.as_str()),
            Reply::json("{}").with_length(1 << 40).cut_after(2),
            Reply::json("{}").chunked().cut_after(1),
        ] {
            let server = FaultServer::start([reply.with_status(404)]).await;
            let error = session(&clock(), &server).execute(&get().with_max_bytes(1000)).await.unwrap_err();
            assert_eq!((error.kind(), context(&error, "status")), (ErrorKind::NotFound, Some("404")));
        }
    });
}

#[test]
fn status_headers_and_body_of_an_answer_can_be_read() {
    run(async {
        let server =
            FaultServer::start([Reply::json("7").with_status(201).with_header("ETag", "W/\"3\"")]).await;
        let answer = session(&clock(), &server).execute(&get()).await.unwrap();
        assert_eq!((answer.status(), answer.header("etag")), (201, Some("W/\"3\"")));
        assert_eq!(answer.json::<u8>().unwrap(), 7);
        assert_eq!(answer.into_body().as_ref(), b"7");
    });
}

#[test]
fn one_connection_serves_request_after_request() {
    run(async {
        // The server takes a single connection, so a second one would never be answered.
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(listener);
            let mut head = Vec::new();
            while stream.read_buf(&mut head).await.unwrap() > 0 {
                if head.ends_with(b"\r\n\r\n") {
                    head.clear();
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                }
            }
        });
        let transport = transport(&clock());
        for _ in 0..3 {
            let session = Session::new(&transport, base(&url));
            assert!(session.execute(&get()).await.is_ok());
        }
        drop(transport);
        serving.await.unwrap();
    });
}

#[test]
fn a_proxy_is_used_for_other_hosts_and_not_for_loopback() {
    run(async {
        let refusing = || Reply::new(407, "text/plain", "");
        let proxy = FaultServer::start([refusing(), refusing(), refusing(), refusing(), refusing()]).await;
        let transport = Transport::builder()
            .with_clock(Arc::new(clock()))
            .with_proxy(proxy.url())
            .with_proxy_credentials("me", "s3cret".into())
            .build()
            .unwrap();
        let outside = Session::new(&transport, base("https://api.vendor.example"));
        let error = outside.execute(&get()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::NotSent));
        let requests = proxy.requests();
        assert_eq!((requests[0].method(), requests.len()), ("CONNECT", 5));
        assert_eq!(requests[0].header("proxy-authorization"), Some("Basic bWU6czNjcmV0"));
        assert!(!format!("{transport:?} {error:?}").contains("s3cret"), "{error:?}");

        let local = FaultServer::start([Reply::json("{}")]).await;
        assert!(Session::new(&transport, base(&local.url())).execute(&get()).await.is_ok());
        assert_eq!(proxy.request_count(), 5);
    });
}

#[test]
fn an_unusable_transport_is_a_configuration_error() {
    let builder = Transport::builder;
    for made in [
        builder().with_proxy("proxy:3128x").build(),
        builder().with_proxy("http://me:s3cret@proxy.example:3128").build(),
        builder().with_proxy("ftp://proxy.example").build(),
        builder().with_root_certificates(b"s3cret").build(),
        builder()
            .with_root_certificates(b"-----BEGIN CERTIFICATE-----\ns3cret\n-----END CERTIFICATE-----\n")
            .build(),
        builder().with_user_agent("two\nlines").build(),
    ] {
        let error = made.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
