//! Merge's API: the check of the credentials, and the calls that checked credentials may make.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use hris_core::{AccountId, Delivery, Error, ErrorKind, FieldDescriptor, Result, SharedClock, SourceField};
use hris_http::lenient::Slot;
use hris_http::{
    Answer, Auth, Budget, BudgetScope, ErrorBreaker, Page, Paginator, Rate, Request, RetryPolicy, Session,
    Transport, decode,
};

use crate::config::{DeletionTrust, MergeConfig, MergeCredentials, RecordIdSource};
use crate::errors::MergeErrors;
use crate::readiness::{EmployeeSync, LinkedAccount};
use crate::wire::{self, AccountDetails, FieldMappings, Identified, SyncStatus};

/// The vendor slows down whole addresses after more than 20 failures in 10 seconds, for a time it does not tell. Half
/// of that stops every connection of the process to the host, until the window has passed.
const FAILURES: usize = 10;
const FAILURE_WINDOW: Duration = Duration::from_secs(10);
/// Most pages of the listings beside the employees; they have a row for each model, or for each field.
const SIDE_PAGES: u64 = 100;

/// Credentials that may or may not be good.
#[derive(Debug)]
pub(crate) struct Login {
    session: Session,
    /// Without account token, to find out which of the two secrets is bad.
    key_only: Session,
    config: Arc<MergeConfig>,
    account: OnceLock<AccountId>,
    client: OnceLock<Client>,
}

/// What a check found.
pub(crate) struct Checked {
    pub(crate) client: Client,
    pub(crate) account: LinkedAccount,
    /// When, by the source's clock.
    pub(crate) at: Option<DateTime<Utc>>,
}

impl Login {
    pub(crate) fn new(
        config: Arc<MergeConfig>,
        credentials: &MergeCredentials,
        transport: &Transport,
    ) -> Result<Self> {
        let base = config.base()?;
        let key = Auth::bearer(&credentials.api_key)?;
        let both = key.clone().with_secret_header("x-account-token", &credentials.account_token)?;
        let session = Session::new(transport, base).with_classify(MergeErrors);
        let budget = match &config.expected_account_id {
            Some(account) => account_budget(session.base_url().authority(), account, &config),
            None => check_budget(session.base_url().authority(), &config),
        };
        let session = session.with_budget(budget);
        let account = config.expected_account_id.clone().map(OnceLock::from).unwrap_or_default();
        let key_only = session.clone().with_auth(key).with_policy(RetryPolicy::default().with_attempts(1));
        let session = session.with_auth(both);
        Ok(Self { session, key_only, config, account, client: OnceLock::new() })
    }

    /// The same, trying and waiting by another policy, before anything was remembered.
    pub(crate) fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self {
            session: self.session.clone().with_policy(policy.clone()),
            key_only: self.key_only.clone().with_policy(policy.with_attempts(1)),
            config: Arc::clone(&self.config),
            account: self.config.expected_account_id.clone().map(OnceLock::from).unwrap_or_default(),
            client: OnceLock::new(),
        }
    }

    pub(crate) fn config(&self) -> &MergeConfig {
        &self.config
    }

    /// Asks whose account token it is. Another account than the one expected, or than at the first time, is an error.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let request = Request::get("merge.account", "/api/hris/v1/account-details");
        let read = |answer: Answer| {
            let details: Slot<AccountDetails<'_>> = decode(answer.body())?;
            Ok((LinkedAccount::new(&details.0.unwrap_or_default())?, date(&answer)))
        };
        let (account, at) = match self.session.execute_with(&request, read).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => return Err(self.blame(error).await),
            result => result?,
        };
        let expected = self.account.get_or_init(|| account.id.clone());
        if *expected != account.id {
            let message = "the account token opens another linked account than this connection was made for";
            return Err(Error::new(ErrorKind::WrongAccount, message)
                .with_hint(
                    "use the account token of the linked account that was authorised, or set up a connection of its own",
                )
                .with_delivery(Delivery::Answered)
                .with_context("expected_account", expected)
                .with_context("account", &account.id));
        }
        let client = self.client.get_or_init(|| Client::new(self, &account.id)).clone();
        Ok(Checked { client, account, at })
    }

    /// Says which of the two secrets was refused, by asking with one of them.
    async fn blame(&self, error: Error) -> Error {
        let request =
            Request::get("merge.linked_accounts", "/api/hris/v1/linked-accounts").with_query("page_size", 1);
        match self.key_only.execute(&request).await {
            Ok(_) => error.with_hint(
                "the API key is good, the account token is not: copy it again from the account's page under Linked \
                 Accounts in Merge's dashboard, or let the customer link anew if the account was deleted",
            ),
            Err(refused) if refused.kind() == ErrorKind::Unauthorized => error.with_hint(
                "the API key was refused: create or copy one under API keys in Merge's dashboard, and check the region, \
                 since keys of another region are refused too",
            ),
            Err(_) => error,
        }
    }

    /// The client of the last check, or of a first one.
    pub(crate) async fn client(&self) -> Result<Client> {
        match self.client.get() {
            Some(client) => Ok(client.clone()),
            None => self.check().await.map(|checked| checked.client),
        }
    }
}

/// For what concerns no account: failures count all the same.
pub(crate) fn failures_budget(host: &str, config: &MergeConfig) -> Budget {
    check_budget(host, config)
}

/// The vendor counts requests by account token, and failures by address.
fn account_budget(host: &str, account: &AccountId, config: &MergeConfig) -> Budget {
    let budget = budget(format!("merge/{host}/{account}"), host, config);
    match config.requests_per_minute().map(Rate::per_minute) {
        Some(rate) => budget.with_rate(rate),
        None => budget,
    }
}

/// Until a token is checked nobody knows its account. One request before each reading needs no rate: the tenth of the
/// plan that is left free covers it.
fn check_budget(host: &str, config: &MergeConfig) -> Budget {
    budget(format!("merge/{host}"), host, config)
}

fn budget(scope: String, host: &str, config: &MergeConfig) -> Budget {
    let failures = BudgetScope::new(format!("merge/{host}/failures"));
    let breaker = ErrorBreaker::new(failures, FAILURES, FAILURE_WINDOW, FAILURE_WINDOW);
    Budget::of(BudgetScope::new(scope)).with_in_flight(config.max_in_flight).with_breaker(breaker)
}

/// When an answer was given, by the clock of whoever gave it.
fn date(answer: &Answer) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(answer.header("date")?).ok().map(Into::into)
}

/// Calls for the linked account of credentials that were checked. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    account: AccountId,
    session: Session,
    config: Arc<MergeConfig>,
}

impl Client {
    fn new(login: &Login, account: &AccountId) -> Self {
        let session = login.session.clone();
        let budget = account_budget(session.base_url().authority(), account, &login.config);
        Self {
            account: account.clone(),
            session: session.with_budget(budget),
            config: Arc::clone(&login.config),
        }
    }

    pub(crate) fn account(&self) -> &AccountId {
        &self.account
    }

    pub(crate) fn config(&self) -> &Arc<MergeConfig> {
        &self.config
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.session.clock()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.config.max_in_flight as usize
    }

    /// The listing of employees. Everything about it but the cursor stays the same from page to page.
    pub(crate) fn listing(&self, expand: Option<&str>, since: Option<DateTime<Utc>>) -> Request {
        let mut request = Request::get("merge.employees", "/api/hris/v1/employees")
            .with_query("page_size", self.config.page_size);
        if self.config.deletions != DeletionTrust::Ignored {
            request = request.with_query("include_deleted_data", true);
        }
        if let Some(expand) = expand {
            request = request.with_query("expand", expand);
        }
        if let Some(since) = since {
            request = request.with_query("modified_after", since.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
        }
        request
    }

    /// The request for one person: by the HR system's id a listing with one row, by Merge's id the record.
    pub(crate) fn one(&self, id: &str, expand: Option<&str>) -> Result<Request> {
        if id.trim().is_empty() {
            // An empty filter would list everybody.
            return Err(Error::new(ErrorKind::Invalid, "the record id is blank"));
        }
        Ok(match self.config.record_id {
            RecordIdSource::RemoteId => self.listing(expand, None).with_query("remote_id", id),
            RecordIdSource::MergeId => {
                let request = Request::get("merge.employee", "/api/hris/v1/employees").with_segment(id);
                let request = request.with_query("include_shell_data", true);
                match expand {
                    Some(expand) => request.with_query("expand", expand),
                    None => request,
                }
            }
        })
    }

    /// Sends a request, and makes something of its body and of the source's time. Part of the attempt, so that a broken
    /// answer is asked for again.
    pub(crate) async fn read<T: Send>(
        &self,
        request: &Request,
        read: impl Fn(&[u8], Option<DateTime<Utc>>) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.session.execute_with(request, |answer| read(answer.body(), date(&answer))).await
    }

    /// Sends a request whose answer says nothing but that it was done.
    pub(crate) async fn send(&self, request: &Request) -> Result<()> {
        self.session.execute(request).await.map(drop)
    }

    /// How the synchronisation of employees stands; `None` where the vendor does not say.
    pub(crate) async fn sync(&self) -> Result<(Option<EmployeeSync>, Option<DateTime<Utc>>)> {
        let client = self.clone();
        let pages = Paginator::new(move |cursor: Option<String>| {
            let client = client.clone();
            async move {
                let request = Request::get("merge.sync_status", "/api/hris/v1/sync-status");
                let request = with_cursor(request.with_query("page_size", 100), cursor.as_deref());
                client.read(&request, sync_page).await
            }
        });
        let read: Result<Vec<_>> = pages.with_page_cap(SIDE_PAGES).into_stream().try_concat().await;
        match read {
            Ok(read) => {
                let at = read.last().and_then(|(_, at)| *at);
                Ok((read.into_iter().find_map(|(sync, _)| sync), at))
            }
            Err(error) if is_not_offered(&error) => {
                tracing::warn!(kind = ?error.kind(), "the synchronisation status cannot be read");
                Ok((None, None))
            }
            Err(error) => Err(error),
        }
    }

    /// The customer's own fields of employees; none where the plan does not let them be listed.
    pub(crate) async fn own_fields(&self) -> Result<Vec<FieldDescriptor>> {
        let request = Request::get("merge.field_mappings", "/api/hris/v1/field-mappings")
            .with_query("exclude_remote_field_metadata", true);
        let read = self.read(&request, |body, _| {
            let mappings: Slot<FieldMappings<'_>> = decode(body)?;
            Ok(own_fields(&mappings.0.unwrap_or_default()))
        });
        match read.await {
            Err(error) if is_not_offered(&error) => Ok(Vec::new()),
            result => result,
        }
    }
}

/// Adds the cursor of a page.
pub(crate) fn with_cursor(request: Request, cursor: Option<&str>) -> Request {
    match cursor {
        Some(cursor) => request.with_query("cursor", cursor),
        None => request,
    }
}

type SyncPage = Page<(Option<EmployeeSync>, Option<DateTime<Utc>>), String>;

fn sync_page(body: &[u8], at: Option<DateTime<Utc>>) -> Result<SyncPage> {
    let page = wire::page(PhantomData::<Slot<SyncStatus<'_>>>, body)?;
    let rows = page.rows.iter().filter_map(|row| row.0.as_ref());
    let mut found: Vec<_> = rows.filter_map(EmployeeSync::new).map(|sync| (Some(sync), at)).collect();
    found.push((None, at));
    Ok(Page::new(found, page.next))
}

fn own_fields(mappings: &FieldMappings<'_>) -> Vec<FieldDescriptor> {
    let targets = mappings.employee.0.iter().flatten().filter_map(|row| row.target_field.0.as_ref());
    let described = targets.filter_map(|target| {
        let name = target.name.text()?;
        let described = FieldDescriptor::new(SourceField::Custom(name.into()), name);
        Some(match target.description.text() {
            Some(text) => described.with_remark(text),
            None => described,
        })
    });
    let mut fields: Vec<_> = described.collect();
    fields.sort_by(|one, other| one.label.cmp(&other.label));
    fields.dedup_by(|one, other| one.field == other.field);
    fields
}

/// Whether a failure says that the plan, the scopes or the HR system do not have something, rather than that something
/// is wrong.
fn is_not_offered(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Invalid)
}

/// The ids of a record, for comparing them with what was asked for.
pub(crate) fn is_about(source: RecordIdSource, ids: &Identified<'_>, wanted: &str) -> bool {
    let cell = match source {
        RecordIdSource::RemoteId => &ids.remote_id,
        RecordIdSource::MergeId => &ids.id,
    };
    cell.text() == Some(wanted.trim())
}
