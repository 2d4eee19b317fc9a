//! TriNet's API: the calls that are made with a company id and a token.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use hris_http::{Auth, Budget, BudgetScope, Rate, Request, RetryPolicy, Session, Transport};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{COMPANY_ID, TriNetConfig};
use crate::errors::{EMPLOYEES, EXPECTED_COMPANY, TriNetErrors};
use crate::reference::List;
use crate::token::{ClientCredentials, Scopes};
use crate::wire;

/// The view that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewType {
    Basic,
    Full,
}

/// The calls for one company. Cheap to clone; clones share one token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    session: Session,
    config: Arc<TriNetConfig>,
    credentials: ClientCredentials,
}

/// The company's own record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) name: Option<String>,
    /// IANA name.
    pub(crate) time_zone: Option<&'static str>,
    /// Whether the company itself has left TriNet, or is about to.
    pub(crate) has_left: bool,
}

impl Client {
    pub(crate) fn new(
        config: TriNetConfig,
        client_id: &SecretString,
        client_secret: &SecretString,
        transport: &Transport,
    ) -> Result<Self> {
        let base = config.base()?;
        let budget = budget(base.authority(), client_id, &config);
        let credentials =
            ClientCredentials::new(&config, client_id, client_secret, transport, budget.clone())?;
        let auth = auth(&credentials, &config);
        let session = Session::new(transport, base);
        let session = session.with_auth(auth).with_budget(budget).with_classify(TriNetErrors);
        Ok(Self { session, config: Arc::new(config), credentials })
    }

    /// The same, trying and waiting by another policy, without a token so far.
    pub(crate) fn with_policy(&self, policy: RetryPolicy) -> Self {
        let credentials = self.credentials.clone().with_policy(policy.clone());
        let auth = auth(&credentials, &self.config);
        let session = self.session.clone().with_policy(policy).with_auth(auth);
        Self { session, config: Arc::clone(&self.config), credentials }
    }

    /// The calls for another company with the same credentials and the same token.
    pub(crate) fn for_company(&self, company_id: String) -> Result<Self> {
        let config = TriNetConfig { company_id, ..(*self.config).clone() };
        config.validate()?;
        Ok(Self { config: Arc::new(config), ..self.clone() })
    }

    pub(crate) fn config(&self) -> &TriNetConfig {
        &self.config
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.session.clock()
    }

    pub(crate) fn scopes(&self) -> Scopes {
        self.credentials.scopes()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.config.max_in_flight as usize
    }

    /// A page of the employee list, from an offset; `status` is a letter to filter by.
    pub(crate) async fn employees<T: Send>(
        &self,
        view: ViewType,
        status: Option<&str>,
        (limit, offset): (u32, u64),
        read: impl Fn(&[u8]) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let request = self.get(EMPLOYEES, &self.config.employees_path);
        let request = match view {
            ViewType::Full => request.with_query("viewType", "All"),
            ViewType::Basic => request,
        };
        let request = match status {
            Some(letter) => request.with_query("employmentStatus", letter),
            None => request,
        };
        let request = request.with_query("limit", limit).with_query("offset", offset);
        self.session.execute_with(&request, |answer| read(answer.body())).await
    }

    /// The company's own record. One about another company is an error.
    pub(crate) async fn company(&self) -> Result<Company> {
        let path = format!("/manage-company/{COMPANY_ID}/org-details");
        let request = self.get("trinet.org_details", &path);
        self.session.execute_with(&request, |answer| self.read_company(answer.body())).await
    }

    /// One of the company's lists, which comes whole.
    pub(crate) async fn list<T: Send>(
        &self,
        list: List,
        read: impl Fn(&[u8]) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let (operation, name) = list.operation();
        let request = self.get(operation, &format!("/company/{COMPANY_ID}/{name}"));
        self.session.execute_with(&request, |answer| read(answer.body())).await
    }

    /// A read below the prefix, with the company id in its place as a segment of its own.
    fn get(&self, operation: &'static str, path: &str) -> Request {
        let request = Request::get(operation, self.config.api_prefix.clone());
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let request = segments.fold(request, |request, segment| {
            let is_company = segment == COMPANY_ID;
            request.with_segment(if is_company { self.config.company() } else { segment })
        });
        if self.config.sends_grant_type_header {
            request.with_header("grant_type", "client_credentials")
        } else {
            request
        }
    }

    fn read_company(&self, body: &[u8]) -> Result<Company> {
        let company = wire::read_company(body)?;
        let expected = self.config.company();
        if let Some(id) = company.id.written().filter(|id| !id.eq_ignore_ascii_case(expected)) {
            let message = "TriNet answers for another company than this connection was made for";
            return Err(Error::new(ErrorKind::WrongAccount, message)
                .with_hint("check the Company ID shown in TriNet under Integration Center, TriNet API")
                .with_delivery(Delivery::Answered)
                .with_context(EXPECTED_COMPANY, expected)
                .with_context("company", id));
        }
        let name = company.name.written().or_else(|| company.legal_name.written());
        Ok(Company {
            name: name.map(str::to_owned),
            time_zone: company.time_zone.written().and_then(time_zone),
            has_left: company.terminated.written().is_some(),
        })
    }
}

fn auth(credentials: &ClientCredentials, config: &TriNetConfig) -> Auth {
    Auth::tokens(credentials.clone()).with_early_renewal(config.renew_early())
}

/// The vendor's four time zones.
fn time_zone(code: &str) -> Option<&'static str> {
    match code {
        "ET" => Some("America/New_York"),
        "CT" => Some("America/Chicago"),
        "MT" => Some("America/Denver"),
        "PT" => Some("America/Los_Angeles"),
        _ => None,
    }
}

/// TriNet counts by credential. Its name here is a digest, since a client id is half of a secret.
fn budget(host: &str, client_id: &SecretString, config: &TriNetConfig) -> Budget {
    let mut hasher = DefaultHasher::new();
    client_id.expose_secret().trim().hash(&mut hasher);
    let scope = BudgetScope::new(format!("trinet/{host}/{:016x}", hasher.finish()));
    let budget = Budget::of(scope).with_in_flight(config.max_in_flight);
    match config.requests_per_minute.map(Rate::per_minute) {
        Some(rate) => budget.with_rate(rate),
        None => budget,
    }
}
