//! A proxy that cuts answers on their way: what no simulator can do by itself, since its server frames every body.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::sim::SimRequest;

type Condition = Arc<dyn Fn(&SimRequest) -> bool + Send + Sync>;

/// Forwards requests to a server on this machine, and cuts the bodies of some answers in half: the connection closes there,
/// while the length that was announced is the whole one.
///
/// ```
/// use hris_testkit::{CuttingProxy, FaultServer, Reply};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let vendor = FaultServer::start([Reply::json("[]")]).await;
/// let proxy = CuttingProxy::start(&vendor.url(), 1, |request| request.query("page") == Some("2")).await;
/// assert!(proxy.url().starts_with("http://127.0.0.1:"));
/// assert_eq!(proxy.cut(), 0);
/// # });
/// ```
pub struct CuttingProxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    cuts: Condition,
    left: AtomicUsize,
    done: AtomicUsize,
}

impl CuttingProxy {
    /// Cuts the answers to the next `times` requests that meet the condition, on the runtime that it is started on.
    /// `server` is scheme, host and port (`http://127.0.0.1:8080`).
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test that gets no socket has no way to go on")]
    pub async fn start(
        server: &str,
        times: usize,
        cuts: impl Fn(&SimRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let server = server.trim_start_matches("http://").to_owned();
        let (left, done) = (AtomicUsize::new(times), AtomicUsize::new(0));
        let shared = Arc::new(Shared { server, cuts: Arc::new(cuts), left, done });
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, serving, shared }
    }

    /// Scheme, host and port.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many answers were cut.
    pub fn cut(&self) -> usize {
        self.shared.done.load(Ordering::Acquire)
    }
}

impl fmt::Debug for CuttingProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CuttingProxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(forward(stream, Arc::clone(&shared)));
    }
}

/// One request and its answer; the connection is closed after it, as both sides are told.
async fn forward(mut client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let (head, body) = read_request(&mut client).await?;
    let request = parsed(&head, &body);
    let mut server = TcpStream::connect(&shared.server).await?;
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    server.write_all(format!("{line}\r\nconnection: close\r\n{headers}\r\n\r\n").as_bytes()).await?;
    server.write_all(&body).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    let cut = (shared.cuts)(&request) && shared.take();
    let end = if cut { middle_of_body(&answer) } else { answer.len() };
    client.write_all(answer.get(..end).unwrap_or(&answer)).await?;
    client.shutdown().await
}

impl Shared {
    /// Whether this answer is to be cut; counts it.
    fn take(&self) -> bool {
        let takes = |left: usize| left.checked_sub(1);
        let cut = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, takes).is_ok();
        self.done.fetch_add(usize::from(cut), Ordering::AcqRel);
        cut
    }
}

/// The head without the empty line at its end, and the body.
async fn read_request(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = position(&bytes, b"\r\n\r\n") {
            break end;
        }
        more(client, &mut bytes).await?;
    };
    let mut body = bytes.split_off(head + 4);
    bytes.truncate(head);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        more(client, &mut body).await?;
    }
    Ok((without_connection(&head), body))
}

async fn more(client: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match client.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn header<'h>(head: &'h str, wanted: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

fn without_connection(head: &str) -> String {
    let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines.collect::<Vec<_>>().join("\r\n")
}

fn parsed(head: &str, body: &[u8]) -> SimRequest {
    let mut line = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    SimRequest::new(method, target, headers.map(|(name, value)| (name, value.trim())), body)
}

/// Half of the body further than its beginning.
fn middle_of_body(answer: &[u8]) -> usize {
    let body = position(answer, b"\r\n\r\n").map_or(0, |end| end + 4);
    body + (answer.len() - body) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;
    use crate::sim::{SimResponse, SimServer, Vendor};
    use reqwest::Client;

    struct Echo;

    impl Vendor for Echo {
        fn handle(&self, request: &SimRequest) -> SimResponse {
            SimResponse::raw(200, "text/plain", [request.path().as_bytes(), request.body()].concat())
        }
    }

    #[test]
    fn as_many_answers_as_asked_for_are_cut_and_all_others_pass_whole() {
        run(async {
            let server = SimServer::start(Echo).await;
            let proxy = CuttingProxy::start(server.url(), 1, |request| request.path() == "/cut").await;
            let client = Client::builder().no_proxy().build().unwrap();
            let ask = |path: &str| client.post(format!("{}{path}", proxy.url())).body("a body").send();
            assert_eq!(ask("/whole").await.unwrap().text().await.unwrap(), "/wholea body");
            let cut = ask("/cut").await.unwrap();
            assert_eq!(cut.status(), 200);
            assert!(cut.text().await.is_err(), "the rest never comes");
            assert_eq!(ask("/cut").await.unwrap().text().await.unwrap(), "/cuta body");
            assert_eq!((proxy.cut(), server.request_count()), (1, 3));
        });
    }
}
