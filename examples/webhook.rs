//! Webhooks behind axum, offline: `cargo run --example webhook`. A simulated Merge, a server on loopback that takes its
//! webhooks, and what becomes of good ones and of bad ones. What an application copies is `router` and `take`.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hris_connection::{
    Connection, Connections, Frequency, MemoryCredentials, Owner, Schedule, Setup, TimeOfDay, Zone,
};
use hris_core::keys::KeyId;
use hris_core::{
    AccountId, Clock as _, ConnectionKey, Credentials, Email, FieldMap, HrisConnector, MappingDocument,
    NoNotifier, ProvisioningPlan as _, ProvisioningTarget, Recipient, SecretKey, SharedClock,
};
use hris_http::{BaseUrl, SystemClock, Transport};
use hris_merge::sim::{MergeSim, SignedWebhook};
use hris_merge::{MergeConfig, MergeCredentials, RecordIdSource, SIGNATURE_HEADER, Webhooks};
use hris_runner::{Assembly, Worker};
use hris_store_memory::MemoryStore;
use hris_testkit::MockTarget;
use hris_testkit::population::{DayPlan, Population};
use tokio::net::TcpListener;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What the handler needs: the check, who is whose, and who reads.
#[derive(Clone)]
struct Hooks {
    webhooks: Arc<Webhooks>,
    connections: Arc<HashMap<AccountId, ConnectionKey>>,
    worker: Worker,
}

fn router(hooks: Hooks) -> Router {
    Router::new().route("/merge", post(take)).with_state(hooks)
}

/// Raw body and signature to the check; what is good only ever asks for a reading, and is answered at once.
async fn take(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let webhook = match hooks.webhooks.receive(signature, &body) {
        Ok(webhook) => webhook,
        Err(refusal) => return StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST),
    };
    let connection = webhook.account.as_ref().and_then(|account| hooks.connections.get(account));
    if let (Some(key), Some(scope)) = (connection, webhook.scope(RecordIdSource::RemoteId))
        && let Err(error) = hooks.worker.read_soon(key, &scope).await
    {
        // The next scheduled run reads it anyway.
        println!("  not asked for: {error}");
    }
    StatusCode::OK
}

#[tokio::main]
async fn main() -> Result<()> {
    let (show, record) = Show::begin().await?;
    let body = event("Employee.added", &record);
    let good = SignedWebhook::new(MergeSim::WEBHOOK_KEY, &body);
    let forged = SignedWebhook::new("another key", &body);
    let changed = [good.body(), b" "].concat();

    println!("\nIn the HR system two people were hired. Webhooks about one of them:");
    show.send("a changed byte", Some(good.signature()), &changed).await?;
    show.send("a missing header", None, good.body()).await?;
    show.send("a wrong key", Some(forged.signature()), forged.body()).await?;
    show.send("a good one", Some(good.signature()), good.body()).await?;
    show.send("the same again", Some(good.signature()), good.body()).await?;

    println!("\nA synchronisation has ended, says Merge:");
    let synced = SignedWebhook::new(MergeSim::WEBHOOK_KEY, &event("LinkedAccount.sync_completed", ""));
    show.send("a good one", Some(synced.signature()), synced.body()).await?;
    let unknown = SignedWebhook::new(MergeSim::WEBHOOK_KEY, &event("Something.new", ""));
    show.send("an event of tomorrow", Some(unknown.signature()), unknown.body()).await
}

/// An event of the one linked account, as Merge writes it.
fn event(name: &str, record: &str) -> String {
    serde_json::json!({
        "hook": { "event": name },
        "linked_account": { "id": MergeSim::ACCOUNT_ID, "category": "hris" },
        "data": { "remote_id": record, "first_name": "Nobody believes this" },
    })
    .to_string()
}

/// What plays Merge here, and what looks at the consequences.
struct Show {
    _sim: MergeSim,
    url: String,
    client: reqwest::Client,
    key: ConnectionKey,
    worker: Worker,
}

impl Show {
    /// A published connection and a server; then two people are hired, of whom the record id of one is answered.
    async fn begin() -> Result<(Self, String)> {
        let sim = MergeSim::start(Population::new(7).size(200).without_oddities().build()).await;
        let application = Application {
            transport: Transport::builder().build()?,
            merge: BaseUrl::parse(sim.url())?,
            target: MockTarget::new(SystemClock::new()),
        };
        let (worker, key) = publish(application).await?;
        let hooks = Hooks {
            webhooks: Arc::new(Webhooks::new(
                [MergeSim::WEBHOOK_KEY.into()],
                Arc::clone(worker.connections().clock()),
            )?),
            connections: Arc::new(HashMap::from([(MergeSim::ACCOUNT_ID.into(), key.clone())])),
            worker: worker.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/merge", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router(hooks)).await });
        let changes = sim.next_day(&DayPlan { hires: 2, ..DayPlan::quiet() });
        let record = changes.hired.first().cloned().ok_or("two people were hired")?;
        let client = reqwest::Client::builder().build()?;
        Ok((Self { _sim: sim, url, client, key, worker }, record))
    }

    /// Sends a webhook, and does what the connection then waits for. An application has a `Runner` for that.
    async fn send(&self, what: &str, signature: Option<&str>, body: &[u8]) -> Result<()> {
        let mut request = self.client.post(&self.url).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature);
        }
        let status = request.send().await?.status().as_u16();
        let Some((_, report)) = self.worker.step(&self.key).await?.ran else {
            println!("  {what:22} -> {status}, nothing is read");
            return Ok(());
        };
        let report = report?;
        let (read, created) = (report.planned.read, report.applied.created);
        println!("  {what:22} -> {status}, {read} read, {created} created");
        Ok(())
    }
}

/// The two ends of the connection.
#[derive(Debug)]
struct Application {
    transport: Transport,
    merge: BaseUrl,
    target: MockTarget,
}

impl Application {
    fn connect(&self, credentials: &Credentials) -> hris_core::Result<Arc<dyn HrisConnector>> {
        let (api_key, account_token) = (credentials.get("api_key")?, credentials.get("account_token")?);
        let credentials = MergeCredentials::new(api_key.clone(), account_token.clone());
        let config = MergeConfig::new().with_base_url(self.merge.clone());
        Ok(Arc::new(config.build(&credentials, &self.transport)?))
    }
}

#[async_trait]
impl Assembly for Application {
    async fn connector(
        &self,
        _: &Connection,
        credentials: &Credentials,
    ) -> hris_core::Result<Arc<dyn HrisConnector>> {
        self.connect(credentials)
    }

    async fn target(&self, _: &Connection) -> hris_core::Result<Arc<dyn ProvisioningTarget>> {
        Ok(Arc::new(self.target.clone()))
    }
}

/// Sets a connection up and publishes it, as an administrator does.
async fn publish(application: Application) -> Result<(Worker, ConnectionKey)> {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let (store, now) = (Arc::new(MemoryStore::new()), clock.now());
    let secrets = Credentials::new()
        .with("api_key", MergeSim::API_KEY.into())
        .with("account_token", MergeSim::ACCOUNT_TOKEN.into());
    let connector = application.connect(&secrets)?;
    let connections = Connections::new(Arc::clone(&store) as _, Arc::new(MemoryCredentials::new()), clock);
    let secret_key = SecretKey::new(KeyId::new("webhook"), [42; 32]);
    let worker =
        Worker::new(connections, store, Arc::new(secret_key), Arc::new(application), Arc::new(NoNotifier));
    let (key, connections) = (ConnectionKey::new("lumen", "merge"), worker.connections());
    let nightly = Frequency::Daily { at: TimeOfDay::new(2, 30).ok_or("no time of day")? };
    let contact = Recipient::new(Email::parse("olga@lumen.example").ok_or("no address")?);
    let setup = Setup::new()
        .with_schedule(Schedule::new(nightly, Zone::UTC)?)
        .with_owner(Owner::new("olga", contact));
    let mut draft = Connection::draft(key.clone(), &hris_merge::integration());
    draft.set_up(setup, "olga", now)?;
    connections.create(&draft).await?;
    connections.authorise(&key, &*connector, &secrets, "olga").await?;
    let mapping = MappingDocument::from(&FieldMap::standard());
    connections.change(&key, |connection| connection.map(mapping.clone(), "olga", now)).await?;
    let plan = Box::pin(worker.review(&key, "olga")).await?;
    let report = Box::pin(worker.publish(&key, &plan.header().digest, "olga")).await?;
    println!("{} people are members; the next import is due at night", report.applied.created);
    Ok((worker, key))
}
