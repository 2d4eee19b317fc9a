//! PeopleHR's API: the calls that are made with a key in the body.

use std::sync::Arc;

use futures_util::lock::Mutex;
use hris_core::{AccountId, Delivery, Error, ErrorKind, Result, SharedClock};
use hris_http::{Budget, BudgetScope, Rate, Request, RetryPolicy, Session, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answer::{Outline, ResultShape, misshapen};
use crate::config::{FlagForm, PeopleHrConfig};
use crate::errors::{Meaning, PeopleHrErrors, Rules, operation};
use crate::listing::{About, Listing, Rows};
use crate::query::QuerySource;
use hris_http::lenient::Cell;

/// The longest key that the vendor's specification allows, in bytes.
const LONGEST_KEY: usize = 50;

/// Whether a listing without anybody is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// It is an error, and worth another try: over its limit the vendor may answer with nobody.
    TriedAgain,
    /// It is an error at once.
    Refused,
    /// It is an answer.
    Accepted,
}

/// The calls for one key. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    session: Session,
    config: Arc<PeopleHrConfig>,
    key: SecretString,
    rules: Arc<Rules>,
    /// Held while a saved query is read, since the vendor runs one at a time.
    query_turn: Arc<Mutex<()>>,
}

/// The company that a key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) id: AccountId,
    pub(crate) name: Option<String>,
}

/// What is known of an Employee ID.
pub(crate) enum ById {
    /// The row, as JSON.
    Found(Vec<u8>),
    NotFound,
}

impl Client {
    pub(crate) fn new(config: PeopleHrConfig, key: &SecretString, transport: &Transport) -> Result<Self> {
        let key = checked(key)?;
        let base = config.base()?;
        let rules = Arc::new(Rules::new(&config));
        let scope = BudgetScope::new(format!("peoplehr/{}", base.authority()));
        let budget = match config.requests_per_minute.map(Rate::per_minute) {
            Some(rate) => Budget::of(scope).with_rate(rate),
            None => Budget::of(scope),
        };
        let classify = PeopleHrErrors(Arc::clone(&rules));
        // The vendor may pause for as long as it may take to begin.
        let policy = RetryPolicy::default().with_idle_timeout(config.listing_timeout());
        let session = Session::new(transport, base).with_budget(budget).with_classify(classify);
        let session = session.with_policy(policy);
        Ok(Self { session, config: Arc::new(config), key, rules, query_turn: Arc::default() })
    }

    /// The same, trying and waiting by another policy.
    pub(crate) fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.session = self.session.with_policy(policy);
        self
    }

    pub(crate) fn config(&self) -> &PeopleHrConfig {
        &self.config
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.session.clock()
    }

    /// The listing, with or without leavers, as far as its first row. Each attempt begins with fresh rows.
    pub(crate) async fn listing<R: Rows>(
        &self,
        with_leavers: bool,
        emptiness: Emptiness,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Listing<R>> {
        let flag = match self.config.flag_form {
            FlagForm::Text => json!(with_leavers.to_string()),
            FlagForm::Bool => json!(with_leavers),
        };
        let parameters = [("IncludeLeavers", flag)];
        let path = &self.config.employee_path;
        let request = self.request(operation::EMPLOYEES, path, "GetAllEmployeeDetail", parameters)?;
        self.begin(request.with_timeout(self.config.listing_timeout()), emptiness, rows).await
    }

    /// The rows of a saved query, as far as the first.
    pub(crate) async fn query<R: Rows>(
        &self,
        query: &QuerySource,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Listing<R>> {
        let parameters = [("QueryName", json!(query.name))];
        let path = &self.config.query_path;
        let request = self.request(operation::QUERY, path, "GetQueryResultByQueryName", parameters)?;
        self.begin(request.with_timeout(self.config.listing_timeout()), Emptiness::Accepted, rows).await
    }

    /// Waits until no other reading of this key runs a saved query.
    pub(crate) async fn query_turn(&self) -> futures_util::lock::OwnedMutexGuard<()> {
        Arc::clone(&self.query_turn).lock_owned().await
    }

    async fn begin<R: Rows>(
        &self,
        request: Request,
        emptiness: Emptiness,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Listing<R>> {
        let wait = self.config.throttle_wait();
        let begin = |body| {
            let about = About {
                operation: request.operation(),
                rules: Arc::clone(&self.rules),
                max_record_bytes: self.config.max_record_bytes as usize,
            };
            let rows = rows();
            async move {
                let listing = Listing::begin(body, about, rows).await?;
                match emptiness {
                    Emptiness::TriedAgain if listing.is_empty() => {
                        Err(nobody().with_retryable(true).with_retry_after(wait))
                    }
                    Emptiness::Refused if listing.is_empty() => Err(nobody()),
                    _ => Ok(listing),
                }
            }
        };
        self.session.stream_with(&request, begin).await
    }

    /// One employee by Employee ID.
    pub(crate) async fn by_id(&self, id: &str) -> Result<ById> {
        let parameters = [("EmployeeId", json!(id))];
        let path = &self.config.employee_path;
        let request = self.request(operation::EMPLOYEE, path, "GetEmployeeDetailById", parameters)?;
        self.session.execute_with(&request, |answer| self.read_by_id(answer.body())).await
    }

    fn read_by_id(&self, body: &[u8]) -> Result<ById> {
        let outline = Outline::of(body)?;
        match self.rules.meaning(&outline.envelope) {
            Meaning::Empty | Meaning::NotFound => Ok(ById::NotFound),
            _ if outline.shape == ResultShape::Object => Ok(ById::Found(outline.object)),
            _ => Err(misshapen("is not an object")),
        }
    }

    /// The company that is read, after a check that it is the one that is expected.
    ///
    /// # Errors
    /// [`ErrorKind::WrongAccount`] if it is another one; [`ErrorKind::Config`] if PeopleHR does not tell.
    pub(crate) async fn company(&self) -> Result<Company> {
        let expected = self.config.company();
        if let Some(id) = expected.filter(|_| !self.config.verifies_company) {
            return Ok(Company { id: id.into(), name: None });
        }
        let request =
            self.request(operation::COMPANY, &self.config.employee_path, "GetCompanyInformation", [])?;
        let company = match self.session.execute_with(&request, |answer| read_company(answer.body())).await {
            Err(error) if is_withheld(&error) => {
                // Whether it is this action alone, or the key opens nothing at all, the listing tells.
                drop(self.listing(false, Emptiness::Accepted, || Unread).await?);
                return Err(withheld(error));
            }
            company => company?,
        };
        match expected.filter(|id| *id != company.id.as_str()) {
            None => Ok(company),
            Some(expected) => Err(wrong_company(expected, &company)),
        }
    }

    /// A read, which may be sent any number of times.
    fn request<const N: usize>(
        &self,
        operation: &'static str,
        path: &str,
        action: &str,
        parameters: [(&str, Value); N],
    ) -> Result<Request> {
        let mut body = Map::new();
        body.insert("APIKey".to_owned(), json!(self.key.expose_secret()));
        body.insert("Action".to_owned(), json!(action));
        body.extend(parameters.map(|(name, value)| (name.to_owned(), value)));
        let request = Request::post(operation, path.to_owned()).with_json(&body)?;
        Ok(request.with_header("user-agent", &*self.config.user_agent).with_repeatable(true))
    }
}

/// Shows where it leads, and never the key.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Rows that are not looked at.
struct Unread;

impl Rows for Unread {
    fn front(&mut self, _bytes: &[u8]) -> Option<usize> {
        None
    }

    fn row(&mut self, _json: &[u8]) -> Result<()> {
        Ok(())
    }
}

fn checked(key: &SecretString) -> Result<SecretString> {
    let hint = "copy the key from PeopleHR under Settings, API";
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(Error::config("the API key is empty", hint));
    }
    if key.len() > LONGEST_KEY || key.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::config("the API key is not one of PeopleHR's", hint));
    }
    Ok(SecretString::from(key))
}

fn nobody() -> Error {
    Error::new(ErrorKind::Incomplete, "PeopleHR lists nobody, which does not prove that there is nobody")
        .with_hint("PeopleHR may answer so when it is asked too often; try later, and look whether it has current staff")
        .with_delivery(Delivery::Answered)
}

#[derive(Deserialize)]
struct WireCompany<'a> {
    #[serde(rename = "CompanyId", default, borrow)]
    id: Cell<'a>,
    #[serde(rename = "CompanyName", default, borrow)]
    name: Cell<'a>,
}

fn read_company(body: &[u8]) -> Result<Company> {
    let outline = Outline::of(body)?;
    let company: Option<WireCompany<'_>> = serde_json::from_slice(&outline.object).ok();
    let id = company.as_ref().and_then(|company| Some(company.id.scalar()?.into()));
    let id = id.ok_or_else(|| misshapen("has no `CompanyId`"))?;
    Ok(Company { id, name: company.and_then(|company| company.name.scalar().map(str::to_owned)) })
}

/// Whether the company's own record is refused to this key, or not offered at all.
fn is_withheld(error: &Error) -> bool {
    let has_code = error.context().any(|(key, _)| key == "vendor_status");
    has_code && matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Protocol | ErrorKind::Invalid)
}

fn withheld(cause: Error) -> Error {
    let hint =
        "set `verifies_company` to false and `company_id` to a name of your choice that stays the same";
    let message = "PeopleHR does not tell which company this key opens";
    Error::config(message, hint).with_delivery(Delivery::Answered).with_source(cause)
}

fn wrong_company(expected: &str, company: &Company) -> Error {
    Error::new(ErrorKind::WrongAccount, "the API key opens another company than this connection was made for")
        .with_hint("use a key of the right company, or make a new connection for this one")
        .with_delivery(Delivery::Answered)
        .with_context("expected_company", expected)
        .with_context("company", &company.id)
}
