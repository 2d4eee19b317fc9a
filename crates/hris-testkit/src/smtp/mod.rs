//! A real SMTP server on loopback that keeps what it is sent and fails as mail servers do, where a test says so.

mod fault;
mod mail;
mod session;

pub use fault::SmtpFault;
pub use mail::ReceivedMail;

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::mock::lock;
use fault::Faults;
use session::Session;

/// A mail server on a free port of 127.0.0.1: raw TCP, no encryption, one thread of its runtime.
///
/// It speaks SMTP (RFC 5321) with `8BITMIME`, `SMTPUTF8`, `ENHANCEDSTATUSCODES` and, with
/// [`SmtpServer::with_login`], `AUTH PLAIN` and `AUTH LOGIN`. It serves until it is dropped.
///
/// Faults are data ([`SmtpFault`]) and happen only where a test asks for them; [`SmtpServer::go_down`] and
/// [`SmtpServer::come_back`] take the whole server away and bring it back on the same port.
///
/// ```
/// use hris_testkit::smtp::{SmtpFault, SmtpServer};
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
/// # hris_testkit::run(async {
/// let server = SmtpServer::start().await;
/// let mut client = tokio::net::TcpStream::connect(server.address()).await?;
/// let dialogue = "EHLO me\r\nMAIL FROM:<a@brisa.example>\r\nRCPT TO:<b@brisa.example>\r\nDATA\r\n\
///                 Subject: Hi\r\n\r\nHello.\r\n.\r\nQUIT\r\n";
/// client.write_all(dialogue.as_bytes()).await?;
/// client.read_to_string(&mut String::new()).await?;
/// assert_eq!(server.mails()[0].subject().as_deref(), Some("Hi"));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

/// What the connections of one server have in common.
#[derive(Default)]
pub(crate) struct Shared {
    faults: Mutex<Faults>,
    login: Option<(String, String)>,
    /// Pairs of sender and recipient that were put off once.
    greylisted: Mutex<BTreeSet<(String, String)>>,
    mails: Mutex<Vec<Arc<ReceivedMail>>>,
    count: watch::Sender<usize>,
    connections: watch::Sender<usize>,
}

impl Shared {
    fn take_fault(&self, wanted: impl Fn(&SmtpFault) -> bool) -> Option<SmtpFault> {
        lock(&self.faults).take(wanted)
    }

    fn keep(&self, mail: ReceivedMail) {
        let mut mails = lock(&self.mails);
        mails.push(Arc::new(mail));
        self.count.send_replace(mails.len());
    }
}

impl SmtpServer {
    /// Starts a server that wants no login.
    ///
    /// # Panics
    /// If no port can be had, or outside a runtime.
    pub async fn start() -> Self {
        Self::serve(Shared::default()).await
    }

    /// Starts a server that takes mail only after this login.
    ///
    /// # Panics
    /// If no port can be had, or outside a runtime.
    pub async fn with_login(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::serve(Shared { login: Some((user.into(), password.into())), ..Shared::default() }).await
    }

    #[expect(clippy::expect_used, reason = "a test that gets no socket has no way to go on")]
    async fn serve(shared: Shared) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let shared = Arc::new(shared);
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, serving: Mutex::new(Some(serving)) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plans a fault. Faults of one kind happen in the order in which they were planned.
    pub fn add_fault(&self, fault: SmtpFault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Plans the same fault for several occasions.
    pub fn add_fault_times(&self, fault: &SmtpFault, times: usize) {
        for _ in 0..times {
            self.add_fault(fault.clone());
        }
    }

    /// Takes back every fault that has not happened yet, those that last included.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// How many planned faults have not happened yet; lasting ones are not counted.
    pub fn outstanding_faults(&self) -> usize {
        lock(&self.shared.faults).outstanding()
    }

    /// Every message that was taken, in order, those whose acceptance the client never heard of included.
    pub fn mails(&self) -> Vec<Arc<ReceivedMail>> {
        lock(&self.shared.mails).clone()
    }

    /// How many messages were taken.
    pub fn mail_count(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// Completes once `count` messages were taken since the start.
    pub async fn received(&self, count: usize) {
        let mut counts = self.shared.count.subscribe();
        // The sender is ours, so the channel cannot close while we wait.
        let _ = counts.wait_for(|received| *received >= count).await;
    }

    /// Completes once `count` connections were accepted since the start: the moment to move a clock on, for a
    /// client that gets no answer.
    pub async fn connected(&self, count: usize) {
        let mut counts = self.shared.connections.subscribe();
        let _ = counts.wait_for(|connected| *connected >= count).await;
    }

    /// Takes the server away: open connections break, new ones are refused.
    pub async fn go_down(&self) {
        let serving = lock(&self.serving).take();
        if let Some(serving) = serving {
            serving.abort();
            // Waits until the socket is closed; that the task was aborted is no news.
            let _ = serving.await;
        }
    }

    /// Brings the server back on its port. Does nothing while it is there.
    ///
    /// # Panics
    /// If somebody else took the port in between.
    #[expect(clippy::expect_used, reason = "a test whose port is gone has no way to go on")]
    pub async fn come_back(&self) {
        if lock(&self.serving).is_some() {
            return;
        }
        let listener = TcpListener::bind(self.address).await.expect("the same port");
        let serving = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
        *lock(&self.serving) = Some(serving);
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer")
            .field("address", &self.address)
            .field("mails", &self.mail_count())
            .finish_non_exhaustive()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // Ends the connections too: they belong to the task.
        if let Some(serving) = lock(&self.serving).take() {
            serving.abort();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.send_modify(|count| *count += 1);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A client that breaks the connection off ends it; nobody is there to be told.
            let _ = Session::new(stream, shared).run().await;
        });
        while connections.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests;
