//! A raw HTTP/1.1 server for what no well-behaved server does: bodies that are cut, dribbled or endless, and silence.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::mock::lock;
use crate::sim::{RequestLog, SimRequest};

/// A server on a free port of 127.0.0.1 that gives one scripted [`Reply`] to each request, in the order of their
/// arrival. Beyond the script it answers 400. It serves until it is dropped, on the runtime that started it.
///
/// ```
/// use hris_testkit::{FaultServer, Reply};
/// # hris_testkit::run(async {
/// let server = FaultServer::start([
///     Reply::json(r#"{"data":[1,2,3]}"#).cut_after(9),
///     Reply::json(r#"{"data":[1,2,3]}"#),
/// ])
/// .await;
/// let client = reqwest::Client::builder().no_proxy().build()?;
/// let ask = || client.get(server.url()).send();
/// assert!(ask().await?.bytes().await.is_err(), "a cut body is an error, not a shorter one");
/// assert_eq!(ask().await?.text().await?, r#"{"data":[1,2,3]}"#);
/// assert_eq!(server.request_count(), 2);
/// # Ok::<(), reqwest::Error>(())
/// # }).unwrap();
/// ```
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Reply>>,
    log: RequestLog,
}

impl FaultServer {
    /// Starts serving a script.
    ///
    /// # Panics
    /// If no port can be had, or outside a runtime.
    #[expect(clippy::expect_used, reason = "a test that gets no socket has no way to go on")]
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let shared =
            Arc::new(Shared { script: Mutex::new(script.into_iter().collect()), log: RequestLog::default() });
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    /// Adds a reply at the end of the script.
    pub fn push(&self, reply: Reply) {
        lock(&self.shared.script).push_back(reply);
    }

    /// Scheme, host and port, without a slash at the end: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request that arrived whole, in order.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.shared.log.requests()
    }

    /// How many requests arrived whole.
    pub fn request_count(&self) -> usize {
        self.shared.log.count()
    }

    /// Completes once `count` requests arrived since the start: the moment to move a clock on, for a request that
    /// gets no answer.
    pub async fn received(&self, count: usize) {
        self.shared.log.received(count).await;
    }
}

impl fmt::Debug for FaultServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultServer")
            .field("address", &self.address)
            .field("requests", &self.request_count())
            .finish_non_exhaustive()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        // Ends the connections too: they belong to the task.
        self.serving.abort();
    }
}

/// What a [`FaultServer`] does about one request.
pub struct Reply(Kind);

enum Kind {
    Answer(Answer),
    Close,
    Silence,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
    cut_after: Option<usize>,
    body: Body,
}

/// How a client learns where the body ends.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Chunked,
    Length(u64),
}

enum Body {
    Bytes(Vec<u8>),
    Generated(Box<dyn Iterator<Item = Vec<u8>> + Send>),
    Dribbled(mpsc::UnboundedReceiver<Piece>),
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

impl Reply {
    /// Status, `Content-Type` and a body whose length is announced.
    pub fn new(status: u16, mime: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = Framing::Length(body.len() as u64);
        Self::answer(status, mime, length, Body::Bytes(body))
    }

    /// Status 200 and JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/json", body)
    }

    /// Status 200 and JSON in the pieces that an iterator makes while it is sent, of unknown length in all
    /// (`Transfer-Encoding: chunked`). No more than one piece is held at a time.
    pub fn generated<I>(pieces: I) -> Self
    where
        I: IntoIterator<Item = Vec<u8>>,
        I::IntoIter: Send + 'static,
    {
        let pieces = Body::Generated(Box::new(pieces.into_iter()));
        Self::answer(200, "application/json", Framing::Chunked, pieces)
    }

    /// Status 200 and JSON in pieces that the test hands out one by one, through a [`Dribble`].
    pub fn dribbled() -> (Self, Dribble) {
        let (pieces, arriving) = mpsc::unbounded_channel();
        let body = Body::Dribbled(arriving);
        let reply = Self::answer(200, "application/json", Framing::Chunked, body);
        (reply, Dribble(pieces))
    }

    /// Reads the request and closes the connection: it may have had its effect, and the answer is lost.
    pub fn close() -> Self {
        Self(Kind::Close)
    }

    /// Reads the request and never answers, until the client gives up or the server is dropped.
    pub fn silence() -> Self {
        Self(Kind::Silence)
    }

    /// Sends another status than 200.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.change(|answer| answer.status = status)
    }

    /// Sends a header, beside those that frame the body.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        self.change(|answer| answer.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Sends the body in chunks, without its length.
    #[must_use]
    pub fn chunked(self) -> Self {
        self.change(|answer| answer.framing = Framing::Chunked)
    }

    /// Announces this length in bytes, whatever the body has. After a shorter body the client waits for the rest,
    /// unless [`Reply::cut_after`] closes the connection.
    #[must_use]
    pub fn with_length(self, bytes: u64) -> Self {
        self.change(|answer| answer.framing = Framing::Length(bytes))
    }

    /// Closes the connection after this many bytes of the body. The length that was announced is the whole one; a
    /// chunked body lacks its end mark.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        self.change(|answer| answer.cut_after = Some(bytes))
    }

    fn answer(status: u16, mime: &str, framing: Framing, body: Body) -> Self {
        Self(Kind::Answer(Answer {
            status,
            headers: vec![("content-type".to_owned(), mime.to_owned())],
            framing,
            cut_after: None,
            body,
        }))
    }

    fn change(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        if let Kind::Answer(answer) = &mut self.0 {
            change(answer);
        }
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Answer(answer) => f
                .debug_struct("Answer")
                .field("status", &answer.status)
                .field("framing", &answer.framing)
                .field("cut_after", &answer.cut_after)
                .finish_non_exhaustive(),
            Kind::Close => f.write_str("Close"),
            Kind::Silence => f.write_str("Silence"),
        }
    }
}

/// Hands out the body of a [`Reply::dribbled`], piece by piece and without a timer. Dropping it cuts the body.
#[derive(Debug)]
pub struct Dribble(mpsc::UnboundedSender<Piece>);

impl Dribble {
    /// Sends the next piece, at once if the request is there, or as soon as it comes.
    pub fn send(&self, piece: impl Into<Vec<u8>>) {
        // A client that has gone away needs no more pieces.
        let _ = self.0.send(Piece::Bytes(piece.into()));
    }

    /// Ends the body well.
    pub fn finish(self) {
        let _ = self.0.send(Piece::End);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A client that breaks the connection off ends it; nobody is there to be told.
            let _ = serve(stream, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection { stream, unread: Vec::new() };
    while let Some(request) = connection.request().await? {
        shared.log.record(Arc::new(request));
        let reply = lock(&shared.script).pop_front();
        let reply =
            reply.unwrap_or_else(|| Reply::new(400, "text/plain", "no reply is scripted for this request"));
        match reply.0 {
            Kind::Close => return Ok(()),
            Kind::Silence => return connection.until_closed().await,
            Kind::Answer(answer) => {
                if !connection.send(answer).await? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// How much of a request's head is read before it is given up.
const MAX_HEAD: usize = 64 * 1024;

struct Connection {
    stream: TcpStream,
    /// Read from the socket, not yet part of a request.
    unread: Vec<u8>,
}

impl Connection {
    /// The next request, or `None` where the client closed the connection between two.
    async fn request(&mut self) -> io::Result<Option<SimRequest>> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if self.unread.len() > MAX_HEAD {
                return Err(malformed("the head is too long"));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = Head::parse(&head)?;
        while self.unread.len() < head.body_length {
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
        let body: Vec<u8> = self.unread.drain(..head.body_length).collect();
        Ok(Some(SimRequest::new(head.method, &head.target, head.headers, body)))
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.unread).await
    }

    async fn until_closed(&mut self) -> io::Result<()> {
        while self.fill().await? > 0 {
            self.unread.clear();
        }
        Ok(())
    }

    /// Sends an answer; false if it was cut and the connection is to be closed.
    async fn send(&mut self, answer: Answer) -> io::Result<bool> {
        self.stream.write_all(answer.head().as_bytes()).await?;
        let mut writer = BodyWriter {
            stream: &mut self.stream,
            chunked: matches!(answer.framing, Framing::Chunked),
            left: answer.cut_after.unwrap_or(usize::MAX),
        };
        let whole = match answer.body {
            Body::Bytes(bytes) => writer.write(&bytes).await?,
            Body::Generated(pieces) => writer.write_all_of(pieces).await?,
            Body::Dribbled(pieces) => writer.write_arriving(pieces).await?,
        };
        if whole && answer.cut_after.is_none() {
            writer.end().await?;
            return Ok(true);
        }
        Ok(false)
    }
}

struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body_length: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let mut start = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target)) = (start.next(), start.next()) else {
            return Err(malformed("no request line"));
        };
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let named = |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if named("transfer-encoding").is_some() {
            return Err(malformed("bodies of requests must announce their length"));
        }
        let length = named("content-length").map_or(Ok(0), |(_, value)| value.parse());
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            body_length: length.map_err(|_| malformed("the length is no number"))?,
            headers,
        })
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Answer {
    fn head(&self) -> String {
        let framing = match self.framing {
            Framing::Chunked => "transfer-encoding: chunked".to_owned(),
            Framing::Length(length) => format!("content-length: {length}"),
        };
        let headers: String =
            self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        format!("HTTP/1.1 {} Scripted\r\n{headers}{framing}\r\n\r\n", self.status)
    }
}

/// Writes a body up to the point where it is cut.
struct BodyWriter<'a> {
    stream: &'a mut TcpStream,
    chunked: bool,
    left: usize,
}

impl BodyWriter<'_> {
    /// Writes a piece, or as much of it as is let through; false once the rest is cut off.
    async fn write(&mut self, piece: &[u8]) -> io::Result<bool> {
        let sent = piece.get(..self.left).unwrap_or(piece);
        self.left -= sent.len();
        // An empty chunk would be the end mark.
        if self.chunked && !sent.is_empty() {
            // The size is that of the whole piece, so that a cut falls into the middle of a chunk.
            let size = format!("{:x}\r\n", piece.len());
            self.stream.write_all(size.as_bytes()).await?;
        }
        self.stream.write_all(sent).await?;
        if self.chunked && !sent.is_empty() && sent.len() == piece.len() {
            self.stream.write_all(b"\r\n").await?;
        }
        Ok(sent.len() == piece.len())
    }

    async fn write_all_of(&mut self, pieces: impl Iterator<Item = Vec<u8>>) -> io::Result<bool> {
        for piece in pieces {
            if !self.write(&piece).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn write_arriving(&mut self, mut pieces: mpsc::UnboundedReceiver<Piece>) -> io::Result<bool> {
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::End => return Ok(true),
                Piece::Bytes(bytes) => {
                    if !self.write(&bytes).await? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(false)
    }

    async fn end(&mut self) -> io::Result<()> {
        if self.chunked {
            self.stream.write_all(b"0\r\n\r\n").await?;
        }
        self.stream.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, run};
    use futures_util::future::{Either, join, select};
    use hris_core::Clock as _;
    use reqwest::Client;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::oneshot;

    const BODY: &str = r#"{"data":["Nerea","Bruno"]}"#;

    fn client() -> Client {
        Client::builder().no_proxy().build().expect("a client")
    }

    /// What a client gets: the body, or as much of it as came before the error.
    async fn fetch(server: &FaultServer) -> (Vec<u8>, bool) {
        let mut response = client().get(server.url()).send().await.expect("a head");
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return (body, true),
                Err(_) => return (body, false),
            }
        }
    }

    #[test]
    fn an_honest_reply_arrives_whole_and_the_connection_serves_more() {
        run(async {
            let server = FaultServer::start([
                Reply::json(BODY).with_header("x-page", "1"),
                Reply::json(BODY).with_status(503).chunked(),
            ])
            .await;
            let client = client();
            let ask = || client.post(server.url() + "/v1/people?page=1").body("key=s3cret").send();
            let first = ask().await.unwrap();
            assert_eq!(first.headers()["x-page"], "1");
            assert_eq!(first.text().await.unwrap(), BODY);
            let second = ask().await.unwrap();
            assert_eq!(second.status(), 503);
            assert_eq!(second.text().await.unwrap(), BODY);
            let unscripted = ask().await.unwrap();
            assert_eq!(unscripted.status(), 400);
            let requests = server.requests();
            assert_eq!(requests.len(), 3);
            assert_eq!(requests[0].segments(), ["v1", "people"]);
            assert_eq!(requests[2].form("key").as_deref(), Some("s3cret"));
            assert!(!format!("{server:?} {requests:?}").contains("s3cret"));
        });
    }

    #[test]
    fn a_cut_body_has_its_first_bytes_and_then_an_error_in_either_framing() {
        run(async {
            for cut in [0, 1, BODY.len() - 1] {
                for reply in [Reply::json(BODY), Reply::json(BODY).chunked()] {
                    let server = FaultServer::start([reply.cut_after(cut)]).await;
                    let (body, whole) = fetch(&server).await;
                    assert!(!whole, "cut after {cut}");
                    assert!(BODY.as_bytes().starts_with(&body), "cut after {cut}");
                }
            }
        });
    }

    #[test]
    fn a_cut_counts_bytes_across_pieces_and_falls_into_the_middle_of_a_chunk() {
        run(async {
            let pieces = ["{\"a\":", "true}"].map(Vec::from);
            let server = FaultServer::start([Reply::generated(pieces).cut_after(7)]).await;
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let mut received = String::new();
            stream.read_to_string(&mut received).await.unwrap();
            let (head, body) = received.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with("transfer-encoding: chunked"), "{head}");
            assert_eq!(body, "5\r\n{\"a\":\r\n5\r\ntr");
        });
    }

    #[test]
    fn a_chunked_body_that_lacks_only_its_end_mark_is_an_error() {
        run(async {
            let server = FaultServer::start([Reply::json(BODY).chunked().cut_after(BODY.len())]).await;
            let (body, whole) = fetch(&server).await;
            assert_eq!((body.as_slice(), whole), (BODY.as_bytes(), false));
        });
    }

    #[test]
    fn a_length_beyond_the_body_leaves_the_client_short() {
        run(async {
            let server =
                FaultServer::start([Reply::json(BODY).with_length(1000).cut_after(BODY.len())]).await;
            let (body, whole) = fetch(&server).await;
            assert_eq!((body.as_slice(), whole), (BODY.as_bytes(), false));
        });
    }

    #[test]
    fn a_dribbled_body_comes_when_the_test_says_so() {
        run(async {
            let (reply, dribble) = Reply::dribbled();
            let server = FaultServer::start([reply]).await;
            let mut response = client().get(server.url()).send().await.unwrap();
            for piece in ["{\"data\"", ":[", "]}"] {
                dribble.send(piece);
                // Reads exactly this piece: the next one does not exist yet.
                assert_eq!(response.chunk().await.unwrap().unwrap(), piece);
            }
            dribble.finish();
            assert!(response.chunk().await.unwrap().is_none());
        });
    }

    #[test]
    fn a_dropped_dribble_cuts_the_body() {
        run(async {
            let (reply, dribble) = Reply::dribbled();
            let server = FaultServer::start([reply]).await;
            dribble.send("{");
            drop(dribble);
            assert_eq!(fetch(&server).await, (b"{".to_vec(), false));
        });
    }

    /// Tells when it is dropped.
    struct Told(Option<oneshot::Sender<()>>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.take().map(|tell| tell.send(()));
        }
    }

    #[test]
    fn a_generated_body_is_made_no_faster_than_it_is_read() {
        const PIECES: usize = 100_000;
        run(async {
            let made = Arc::new(AtomicUsize::new(0));
            let (tell, dropped) = oneshot::channel();
            let (count, told) = (Arc::clone(&made), Told(Some(tell)));
            let pieces = (0..PIECES).map(move |_| {
                let _held = &told;
                count.fetch_add(1, Ordering::SeqCst);
                vec![b' '; 64 * 1024]
            });
            let server = FaultServer::start([Reply::generated(pieces)]).await;
            let mut response = client().get(server.url()).send().await.unwrap();
            assert!(response.chunk().await.unwrap().is_some());
            drop(response);
            dropped.await.unwrap();
            // Six gigabytes in all; what was made fits the buffers of two sockets.
            assert!(made.load(Ordering::SeqCst) < PIECES / 10);
        });
    }

    #[test]
    fn a_generated_body_arrives_whole() {
        run(async {
            let pieces = (0..1000).map(|n| vec![u8::try_from(n % 251).unwrap(); 1000]);
            let expected: Vec<u8> = pieces.clone().flatten().collect();
            let server = FaultServer::start([Reply::generated(pieces)]).await;
            assert_eq!(fetch(&server).await, (expected, true));
        });
    }

    #[test]
    fn a_closed_connection_leaves_a_request_that_was_read() {
        run(async {
            let server = FaultServer::start([Reply::close()]).await;
            assert!(client().get(server.url()).send().await.is_err());
            assert_eq!(server.request_count(), 1);
        });
    }

    #[test]
    fn silence_lasts_until_the_clients_own_time_out_and_keeps_nobody_else_waiting() {
        run(async {
            let server = FaultServer::start([Reply::silence(), Reply::json(BODY)]).await;
            let clock = ManualClock::at("2026-03-02T06:00:00Z");
            let (silent, other) = (client(), client());
            let asking = Box::pin(silent.get(server.url()).send());
            let test = async {
                server.received(1).await;
                assert_eq!(other.get(server.url()).send().await.unwrap().status(), 200);
                clock.advance(Duration::from_secs(30));
            };
            let time_out = clock.sleep(Duration::from_secs(30));
            let ((), first) = join(test, select(asking, time_out)).await;
            assert!(matches!(first, Either::Right(_)), "the time-out comes first");
        });
    }

    #[test]
    fn dropping_the_server_ends_its_connections() {
        run(async {
            let server = FaultServer::start([Reply::silence()]).await;
            let client = client();
            let asking = client.get(server.url()).send();
            let drop_it = async {
                server.received(1).await;
                drop(server);
            };
            let (answer, ()) = join(asking, drop_it).await;
            assert!(answer.is_err());
        });
    }
}
