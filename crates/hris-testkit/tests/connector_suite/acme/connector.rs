//! Acme's connector, which keeps every promise unless it is given a flaw.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::{
    Account, Capabilities, Clock, Delivery, Descriptor, EmployeeField, EmployeeRef, Error, ErrorKind,
    FieldDescriptor, FieldSet, Ground, HrisConnector, ListingEvidence, Lookup, ReadEvent, ReadQuery, Receipt,
    RecordIdKind, Result, Scope, SharedClock, Watermark,
};
use hris_http::{
    AccessToken, Answer, Auth, Classify, Request, RetryPolicy, Session, TokenSource, Transport, Verdict,
    by_status, decode,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::Flaw;
use super::convert::{employee, event};
use super::vendor::COMPANY;

static DESCRIPTOR: Descriptor = Descriptor::new("acme", "Acme", RecordIdKind::new("acme.person.id"));

/// What a connection to Acme is made of.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) secret: SecretString,
    pub(crate) page_size: u32,
}

impl Settings {
    pub(crate) fn new(url: &str, secret: &str) -> Self {
        Self { url: url.to_owned(), secret: secret.into(), page_size: 100 }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Acme {
    session: Session,
    tokens: Arc<Grant>,
    page_size: u32,
    flaw: Flaw,
}

impl Acme {
    pub(crate) fn build(
        settings: Settings,
        clock: &SharedClock,
        flaw: Flaw,
    ) -> Result<Arc<dyn HrisConnector>> {
        let page_size = settings.page_size;
        if page_size == 0 && flaw != Flaw::BuildsAnything {
            return Err(Error::config("`page_size` is 0", "use a number from 1 to 500"));
        }
        let clock: SharedClock = Arc::new(OddClock { inner: Arc::clone(clock), flaw });
        let transport = Transport::builder().with_clock(clock).build()?;
        let session = Session::new(&transport, settings.url.parse()?).with_policy(policy(flaw));
        let session = session.with_classify(Advice(flaw));
        let kept = OnceLock::new();
        let tokens = Arc::new(Grant { session: session.clone(), secret: settings.secret, kept, flaw });
        let session = session.with_auth(Auth::tokens(Shared(Arc::clone(&tokens))));
        let acme = Self { session, tokens, page_size, flaw };
        if flaw == Flaw::SendsWhenBuilt {
            let acme = acme.clone();
            tokio::spawn(async move { acme.check().await });
        }
        Ok(Arc::new(acme))
    }

    /// The session of one call.
    fn session(&self) -> Session {
        match self.flaw {
            Flaw::SharesNoToken => {
                self.session.clone().with_auth(Auth::tokens(Shared(Arc::clone(&self.tokens))))
            }
            _ => self.session.clone(),
        }
    }

    async fn account(&self) -> Result<Account> {
        let request = Request::get("acme.company", "/v1/company");
        let company: Result<Json> = self.session().execute_json(&request).await;
        let company = match company {
            Err(error) if self.flaw == Flaw::NeverSaysNotSent => Err(error.with_delivery(Delivery::Unknown)),
            company => company,
        }?;
        let id = company["id"].as_str().ok_or_else(|| misfit("id"))?;
        if id != COMPANY && self.flaw != Flaw::IgnoresTheCompany {
            let error = Error::new(ErrorKind::WrongAccount, "the credential belongs to another company");
            return Err(error.with_hint("use a credential of the company that was authorised"));
        }
        Ok(Account::new(id).named("Acme"))
    }
}

fn policy(flaw: Flaw) -> RetryPolicy {
    let policy = RetryPolicy::default();
    match flaw {
        Flaw::TriesOnce => policy.with_attempts(1),
        Flaw::WaitsAsLongAsItIsTold => policy.with_deadline(Duration::from_secs(24 * 3_600)),
        _ => policy,
    }
}

/// Adds advice to refusals.
#[derive(Debug)]
struct Advice(Flaw);

impl Classify for Advice {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        let Some(error) = by_status(answer) else { return Verdict::ByStatus };
        let refused = error.kind() == ErrorKind::Unauthorized;
        Verdict::Failed(match self.0 {
            Flaw::TakesRefusalsForOutages if refused => {
                Error::new(ErrorKind::Unavailable, "the vendor is down")
            }
            Flaw::TriesEverythingAgain => error.with_retryable(true),
            Flaw::WaitsForAMinute
                if error.kind() == ErrorKind::RateLimited && error.retry_after().is_none() =>
            {
                error.with_retry_after(Duration::from_secs(60))
            }
            Flaw::QuotesValues => error.with_context("body", String::from_utf8_lossy(answer.body())),
            _ if refused => error.with_hint("create a new client secret"),
            _ => error,
        })
    }
}

/// Fetches tokens for a client secret.
struct Grant {
    session: Session,
    secret: SecretString,
    kept: OnceLock<SecretString>,
    flaw: Flaw,
}

#[derive(Debug)]
struct Shared(Arc<Grant>);

impl Grant {
    async fn fetch(&self) -> Result<AccessToken> {
        if let Some(token) = self.kept.get() {
            return Ok(AccessToken::new(token.clone()));
        }
        let form = [("grant_type", "client_credentials"), ("client_secret", self.secret.expose_secret())];
        let request = Request::post("acme.token", "/oauth/token").with_form(&form).with_repeatable(true);
        let token: Json = self.session.execute_json(&request).await?;
        let token = token["access_token"].as_str().ok_or_else(|| misfit("access_token"))?;
        if self.flaw == Flaw::RenewsNoToken {
            self.kept.get_or_init(|| token.into());
        }
        Ok(AccessToken::new(token.into()))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.secret.expose_secret();
        f.write_str(if self.flaw == Flaw::ShowsItsSecret { secret } else { "Grant" })
    }
}

#[async_trait]
impl TokenSource for Shared {
    async fn fetch(&self) -> Result<AccessToken> {
        self.0.fetch().await
    }
}

fn misfit(path: &'static str) -> Error {
    let error = Error::new(ErrorKind::Protocol, "the answer does not have the expected form");
    error.with_context("path", path).with_delivery(Delivery::Answered)
}

/// A clock with a flaw in its waits.
#[derive(Debug)]
struct OddClock {
    inner: SharedClock,
    flaw: Flaw,
}

#[async_trait]
impl Clock for OddClock {
    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        let is_wait = duration < Duration::from_secs(25);
        match self.flaw {
            Flaw::HalvesWaits if is_wait => self.inner.sleep(duration / 2).await,
            Flaw::HasNoTimeOut if !is_wait => std::future::pending().await,
            _ => self.inner.sleep(duration).await,
        }
    }
}

#[async_trait]
impl HrisConnector for Acme {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.reads_leavers = true;
        capabilities.has_status = true;
        capabilities.incremental = true;
        capabilities.single_read = true;
        capabilities.proves_absence = true;
        capabilities.tombstones = self.flaw != Flaw::DeclaresNoDeletions;
        capabilities.modified_at = true;
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        self.account().await
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let events = self.events(query);
        match self.flaw {
            Flaw::ReadsEagerly | Flaw::ReadsOnWhenDropped => self.in_a_task(events),
            _ => events,
        }
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        let id = who.record.as_str();
        let request = Request::get("acme.person", "/v1/people").with_segment(id);
        let found: Result<Json> = self.session().execute_json(&request).await;
        match found {
            Err(_) if self.flaw == Flaw::FindsAnybody => {
                Ok(Lookup::Found(Box::new(employee(id, &Json::Null, fields, self.flaw))))
            }
            Ok(row) => Ok(Lookup::Found(Box::new(employee(id, &row, fields, self.flaw)))),
            Err(error) if error.kind() == ErrorKind::NotFound && self.flaw != Flaw::FailsForStrangers => {
                Ok(Lookup::NotFound)
            }
            Err(error) => Err(error),
        }
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        use EmployeeField as F;
        let offered = [
            F::RecordId,
            F::EmployeeId,
            F::Status,
            F::FirstName,
            F::LastName,
            F::WorkEmail,
            F::PersonalEmail,
            F::Phone,
            F::StartDate,
            F::EndDate,
            F::BirthDate,
            F::Gender,
            F::Department,
            F::Location,
            F::Country,
            F::JobTitle,
            F::Manager,
        ];
        let left_out = |field: &F| self.flaw == Flaw::OffersTooMuch && *field == F::Phone;
        let offered = offered.into_iter().filter(|field| !left_out(field));
        let mut offered: Vec<_> = offered.map(|field| FieldDescriptor::new(field, field.as_str())).collect();
        offered.push(FieldDescriptor::new(hris_core::SourceField::Custom("shirt_size".into()), "Shirt size"));
        Ok(offered)
    }
}

impl Acme {
    /// The events of a reading, as a task of its own sends them.
    fn in_a_task(&self, mut events: Events) -> Events {
        let (send, receive) = tokio::sync::mpsc::unbounded_channel();
        let task = async move {
            while let Some(event) = events.next().await {
                let _ = send.send(event);
            }
        };
        let received = stream::unfold(receive, |mut receive| async {
            receive.recv().await.map(|event| (event, receive))
        });
        if self.flaw == Flaw::ReadsEagerly {
            tokio::spawn(task);
            return received.boxed();
        }
        let started = stream::once(async move {
            tokio::spawn(task);
            received
        });
        started.flatten().boxed()
    }

    fn events(&self, query: ReadQuery) -> Events {
        let (acme, flaw) = (self.clone(), self.flaw);
        let events =
            stream::once(async move { acme.begin(query).await }).map_ok(Reading::events).try_flatten();
        match flaw {
            Flaw::StopsInSilence => events.take_while(|event| std::future::ready(event.is_ok())).boxed(),
            Flaw::EndsTwice => events.chain(stream::iter([Ok(ReadEvent::Expected(0))])).boxed(),
            _ => events.boxed(),
        }
    }

    async fn begin(self, query: ReadQuery) -> Result<Reading> {
        let account = self.account().await?;
        let wanted = match &query.scope {
            Scope::People(people) => people.clone(),
            _ => Vec::new(),
        };
        Ok(Reading {
            account,
            query,
            wanted,
            cursor: None,
            is_over: false,
            followed: HashSet::new(),
            seen: HashSet::new(),
            unidentified: 0,
            total: None,
            as_of: None,
            acme: self,
        })
    }
}

type Events = BoxStream<'static, Result<ReadEvent>>;

/// A reading under way.
struct Reading {
    acme: Acme,
    account: Account,
    query: ReadQuery,
    /// Who is still to be read, where some people are.
    wanted: Vec<EmployeeRef>,
    /// Leads to the next page; the first has none.
    cursor: Option<String>,
    is_over: bool,
    followed: HashSet<String>,
    seen: HashSet<String>,
    unidentified: u64,
    total: Option<u64>,
    as_of: Option<DateTime<Utc>>,
}

impl Reading {
    fn events(self) -> Events {
        let pages = stream::try_unfold(Some(self), |reading| async move {
            let Some(mut reading) = reading else { return Ok(None) };
            let (events, goes_on) = match &reading.query.scope {
                Scope::People(_) => reading.person().await?,
                _ => reading.page().await?,
            };
            Ok(Some((stream::iter(events.into_iter().map(Ok)), goes_on.then_some(reading))))
        });
        pages.try_flatten().boxed()
    }

    /// One of some people, or the receipt.
    async fn person(&mut self) -> Result<(Vec<ReadEvent>, bool)> {
        let Some(who) = self.wanted.pop() else { return Ok((vec![ReadEvent::End(self.receipt())], false)) };
        let found = self.acme.employee(&who, &self.query.fields).await?;
        let Lookup::Found(employee) = found else { return Ok((Vec::new(), true)) };
        self.seen.insert(employee.record.to_string());
        Ok((vec![ReadEvent::Employees(vec![*employee])], true))
    }

    /// The next page, or the receipt.
    async fn page(&mut self) -> Result<(Vec<ReadEvent>, bool)> {
        if self.is_over {
            return Ok((vec![ReadEvent::End(self.receipt())], false));
        }
        let (flaw, cursor) = (self.acme.flaw, self.cursor.take());
        let is_first = cursor.is_none();
        self.is_over = true;
        let page = match self.fetch(cursor).await {
            Err(_) if flaw == Flaw::TakesFailuresForEnds => return Ok((Vec::new(), true)),
            Err(error) if flaw == Flaw::TakesForbiddenForEmpty && error.kind() == ErrorKind::Forbidden => {
                return Ok((Vec::new(), true));
            }
            page => page?,
        };
        let rows = page["people"].as_array().ok_or_else(|| misfit("people"))?;
        self.total = page["total"].as_u64();
        self.as_of = page["as_of"].as_str().and_then(|text| text.parse().ok());
        if let Some(next) =
            page["next"].as_str().filter(|_| flaw != Flaw::StopsAtEmptyPages || !rows.is_empty())
        {
            if !self.followed.insert(next.to_owned()) && flaw != Flaw::FollowsLoops {
                return Err(Error::new(
                    ErrorKind::Incomplete,
                    "the listing leads back to a page that was read",
                ));
            }
            (self.cursor, self.is_over) = (Some(next.to_owned()), false);
        }
        let is_lost = (flaw == Flaw::LosesTheLastPage && self.is_over)
            || (flaw == Flaw::LosesTheFirstPage && is_first && !self.is_over);
        let is_broken = flaw == Flaw::DropsPagesWithBrokenRows && rows.iter().any(|row| row["id"].is_null());
        if is_lost || is_broken {
            return Ok((Vec::new(), true));
        }
        let events = rows.iter().filter_map(|row| event(row, &self.query.fields, flaw)).collect();
        self.count(&events);
        Ok((events, true))
    }

    async fn fetch(&self, cursor: Option<String>) -> Result<Json> {
        let mut request = Request::get("acme.people", "/v1/people").with_query("limit", self.acme.page_size);
        if let Some(cursor) = cursor {
            request = request.with_query("cursor", cursor);
        }
        if let (Scope::ChangedSince(since), false) =
            (&self.query.scope, self.acme.flaw == Flaw::IgnoresWatermarks)
        {
            let skipped = TimeDelta::days(if self.acme.flaw == Flaw::SkipsChanges { 4_000 } else { 0 });
            request = request.with_query("since", (since.at + skipped).to_rfc3339());
        }
        let read = |answer: Answer| match self.acme.flaw {
            Flaw::NamesNoPlace => {
                answer.json().map_err(|_: Error| Error::new(ErrorKind::Protocol, "the answer is broken"))
            }
            Flaw::QuotesValues => decode(answer.body())
                .map_err(|error| error.with_context("body", String::from_utf8_lossy(answer.body()))),
            _ => answer.json(),
        };
        match self.acme.session().execute_with(&request, read).await {
            Err(error) if self.acme.flaw == Flaw::FollowsRedirects => {
                let base = self.acme.session.base_url().to_string();
                let _ = reqwest::Client::builder()
                    .no_proxy()
                    .build()
                    .unwrap()
                    .get(format!("{base}/v1/people"))
                    .send()
                    .await;
                Err(error)
            }
            page => page,
        }
    }

    fn count(&mut self, events: &Vec<ReadEvent>) {
        for event in events {
            match event {
                ReadEvent::Employees(people) => {
                    self.seen.extend(people.iter().map(|person| person.record.to_string()));
                }
                ReadEvent::Rejected(_) => self.unidentified += 1,
                _ => {}
            }
        }
    }

    fn receipt(&self) -> Receipt {
        let flaw = self.acme.flaw;
        let full = self.query.scope == Scope::Everyone;
        let distinct = self.seen.len() as u64 + u64::from(flaw == Flaw::CountsSomebodyTwice);
        let evidence = ListingEvidence {
            natural_end: true,
            whole_population: full && flaw != Flaw::ProvesNothing || flaw == Flaw::TakesSomeForAll,
            vendor_total: self.total.filter(|_| full && flaw != Flaw::BelievesAnyTotal),
            distinct: self.seen.len() as u64,
            unidentified: self.unidentified,
            doubts: Vec::new(),
        };
        let kind = DESCRIPTOR.record_id_kind.clone();
        let account = match flaw {
            Flaw::MisnamesTheAccount => "acme".into(),
            _ => self.account.id.clone(),
        };
        let mut receipt = Receipt::new(account, kind, distinct, evidence.judge());
        receipt.full = full || flaw == Flaw::TakesSomeForAll;
        receipt.tombstones = Ground::Usable;
        receipt.watermark = self.as_of.map(Watermark::at);
        receipt
    }
}
