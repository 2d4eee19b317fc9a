//! Sesame's API: the check of the token, and the calls that a checked token may make.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use hris_core::{AccountId, Delivery, Error, ErrorKind, Result};
use hris_http::lenient::Slot;
use hris_http::{
    Answer, Auth, Budget, BudgetScope, NumberedPage, Rate, Request, RetryPolicy, Session, Transport,
    numbered_pages,
};
use secrecy::SecretString;

use crate::config::SesameConfig;
use crate::errors::{SesameErrors, has_status};
use crate::totals::Totals;
use crate::wire::{self, Info, Keys, Meta, RowSeed};

/// Attempts of a request for one person's contracts or manager. A failure may be permanent for one record, and there
/// may be thousands of them.
const DETAIL_ATTEMPTS: u32 = 3;
/// Statuses with which a vendor may refuse an order that it does not know.
const ORDER_REFUSED: [u16; 3] = [400, 422, 500];

/// One pass over the employees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Active people.
    Active,
    /// Inactive people.
    Inactive,
    /// Both, where the configuration trusts the list operator.
    Both,
}

impl Pass {
    fn query(self) -> (&'static str, &'static str) {
        match self {
            Self::Active => ("status", "active"),
            Self::Inactive => ("status", "inactive"),
            Self::Both => ("status[in]", "active,inactive"),
        }
    }

    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Both => "whole",
        }
    }
}

/// The company that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) id: AccountId,
    pub(crate) name: Option<String>,
    pub(crate) language: Option<String>,
}

/// A token that may or may not be good.
#[derive(Debug)]
pub(crate) struct Login {
    session: Session,
    policy: RetryPolicy,
    config: Arc<SesameConfig>,
    company: OnceLock<AccountId>,
    client: OnceLock<Client>,
    order_refused: Arc<AtomicBool>,
}

impl Login {
    pub(crate) fn new(
        config: Arc<SesameConfig>,
        token: &SecretString,
        transport: &Transport,
    ) -> Result<Self> {
        let base = config.base()?;
        // Until a token is checked nobody knows its company, so that checks count by host.
        let scope = match &config.expected_company_id {
            Some(company) => company.as_str(),
            None => base.authority(),
        };
        let budget = budget(scope, &config);
        let session = Session::new(transport, base);
        let session = session.with_auth(Auth::bearer(token)?).with_budget(budget).with_classify(SesameErrors);
        let company = config.expected_company_id.clone().map(OnceLock::from).unwrap_or_default();
        let policy = RetryPolicy::default();
        Ok(Self { session, policy, config, company, client: OnceLock::new(), order_refused: Arc::default() })
    }

    /// The same, trying and waiting by another policy, before anything was remembered.
    pub(crate) fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self {
            session: self.session.clone().with_policy(policy.clone()),
            policy,
            config: Arc::clone(&self.config),
            company: self.config.expected_company_id.clone().map(OnceLock::from).unwrap_or_default(),
            client: OnceLock::new(),
            order_refused: Arc::default(),
        }
    }

    pub(crate) fn config(&self) -> &SesameConfig {
        &self.config
    }

    /// Asks whose token it is. Another company than the one expected, or than at the first time, is an error.
    pub(crate) async fn check(&self) -> Result<Client> {
        let request = Request::get("sesame.info", "/core/v3/info");
        let company = self.session.execute_with(&request, |answer| company(answer.body())).await?;
        let expected = self.company.get_or_init(|| company.id.clone());
        if *expected != company.id {
            let message = "the token belongs to another company than this connection was made for";
            return Err(Error::new(ErrorKind::WrongAccount, message)
                .with_hint(
                    "use a token of the company that was authorised, or set up a connection of its own",
                )
                .with_delivery(Delivery::Answered)
                .with_context("expected_company", expected)
                .with_context("company", &company.id));
        }
        let client = Client::new(self, company);
        self.client.get_or_init(|| client.clone());
        Ok(client)
    }

    /// The client of the last check, or of a first one.
    pub(crate) async fn client(&self) -> Result<Client> {
        match self.client.get() {
            Some(client) => Ok(client.clone()),
            None => self.check().await,
        }
    }
}

fn budget(scope: &str, config: &SesameConfig) -> Budget {
    let budget = Budget::of(BudgetScope::new(format!("sesame/{scope}"))).with_in_flight(config.max_in_flight);
    match config.requests_per_minute.map(Rate::per_minute) {
        Some(rate) => budget.with_rate(rate),
        None => budget,
    }
}

fn company(body: &[u8]) -> Result<Company> {
    let info = wire::read(PhantomData::<Slot<Info<'_>>>, body)?.data;
    let company = info.0.and_then(|info| info.company.0).unwrap_or_default();
    let id = company.id.scalar().ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the answer names no company")
            .with_hint("check the base URL")
            .with_delivery(Delivery::Answered)
    })?;
    let text = |text: Option<&str>| text.map(str::to_owned);
    Ok(Company {
        id: id.into(),
        name: text(company.name.scalar()),
        language: text(company.language.scalar()),
    })
}

/// Calls for the company of a token that was checked. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    company: Arc<Company>,
    session: Session,
    details: Session,
    config: Arc<SesameConfig>,
    order_refused: Arc<AtomicBool>,
}

/// One page of a list that is no list of employees.
pub(crate) struct ListPage<T> {
    pub(crate) items: Vec<T>,
    pub(crate) meta: Meta,
}

impl Client {
    fn new(login: &Login, company: Company) -> Self {
        let session = login.session.clone().with_budget(budget(company.id.as_str(), &login.config));
        let policy = login.policy.clone().with_attempts(DETAIL_ATTEMPTS);
        Self {
            company: Arc::new(company),
            details: session.clone().with_policy(policy),
            session,
            config: Arc::clone(&login.config),
            order_refused: Arc::clone(&login.order_refused),
        }
    }

    pub(crate) fn company(&self) -> &Company {
        &self.company
    }

    pub(crate) fn config(&self) -> &SesameConfig {
        &self.config
    }

    pub(crate) fn clock(&self) -> &hris_core::SharedClock {
        self.session.clock()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.config.max_in_flight as usize
    }

    /// One page of a pass. Where the vendor refuses the order of the first page, it is asked once more without one,
    /// and if that works it stays so.
    pub(crate) async fn employees<T: Send>(
        &self,
        pass: Pass,
        page: u64,
        read: impl Fn(&[u8]) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let (name, value) = pass.query();
        let plain =
            self.page(Request::get("sesame.employees", "/core/v3/employees").with_query(name, value), page);
        let order = self.config.order_by.as_deref().filter(|_| !self.order_refused.load(Ordering::Acquire));
        let Some(order) = order else {
            return self.session.execute_with(&plain, |answer| read(answer.body())).await;
        };
        let ordered = plain.clone().with_query("orderBy", order);
        match self.session.execute_with(&ordered, |answer| read(answer.body())).await {
            Err(error) if page == 1 && has_status(&error, &ORDER_REFUSED) => {
                let unordered = self.session.execute_with(&plain, |answer| read(answer.body())).await?;
                tracing::warn!("the order of the employee listing was refused; it goes on without");
                self.order_refused.store(true, Ordering::Release);
                Ok(unordered)
            }
            result => result,
        }
    }

    /// The answer with one employee; `None` where the vendor says that there is none.
    pub(crate) async fn employee(&self, id: &str) -> Result<Option<Bytes>> {
        let request = Request::get("sesame.employee", "/core/v3/employees").with_segment(id);
        // Read here too, so that a broken answer is asked for again.
        let whole = |answer: Answer| {
            wire::read(RowSeed(Keys::default()), answer.body())?;
            Ok(answer.into_body())
        };
        found(self.session.execute_with(&request, whole).await)
    }

    /// The line manager's answer; `None` for 404, which means that there is none.
    pub(crate) async fn manager<T: Send>(
        &self,
        id: &str,
        read: impl Fn(&[u8]) -> Result<T> + Send + Sync,
    ) -> Result<Option<T>> {
        let path = "/core/v3/employee-profiles/organization-chart-managers";
        let request = Request::get("sesame.manager", path).with_segment(id);
        found(self.details.execute_with(&request, |answer| read(answer.body())).await)
    }

    /// A person's contracts, page by page.
    pub(crate) fn contracts<T: Send + 'static>(
        &self,
        id: &str,
        read: impl Fn(&[u8]) -> Result<ListPage<T>> + Clone + Send + Sync + 'static,
    ) -> BoxStream<'static, Result<Vec<T>>> {
        let request = Request::get("sesame.contracts", "/contract/v1/contracts").with_segment(id);
        self.pages(&self.details, request, 1, read).0
    }

    /// A list of the company, page by page, several pages at a time.
    pub(crate) fn list<T: Send + 'static>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<ListPage<T>> + Clone + Send + Sync + 'static,
    ) -> (BoxStream<'static, Result<Vec<T>>>, Totals) {
        self.pages(&self.session, request, self.in_flight(), read)
    }

    fn pages<T: Send + 'static>(
        &self,
        session: &Session,
        request: Request,
        concurrency: usize,
        read: impl Fn(&[u8]) -> Result<ListPage<T>> + Clone + Send + Sync + 'static,
    ) -> (BoxStream<'static, Result<Vec<T>>>, Totals) {
        let (client, session, totals) = (self.clone(), session.clone(), Totals::default());
        let noted = totals.clone();
        let fetch = move |page| {
            let (session, read, noted) = (session.clone(), read.clone(), noted.clone());
            let request = client.page(request.clone(), page);
            async move {
                let list = session.execute_with(&request, |answer| read(answer.body())).await?;
                noted.note(list.meta.total);
                let last = list.meta.last(page, list.items.is_empty());
                Ok(NumberedPage::new(list.items, last))
            }
        };
        (numbered_pages(fetch, concurrency).0, totals)
    }

    fn page(&self, request: Request, page: u64) -> Request {
        request.with_query("limit", self.config.page_size).with_query("page", page)
    }
}

fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
