//! What the API key alone opens: links, linked accounts, HR systems and issues of the whole Merge organisation.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, TimeDelta, Utc};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{AccountId, Delivery, Error, ErrorKind, Result};
use hris_http::{Answer, Auth, Page, Paginator, Request, Session, Transport, decode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::client::{failures_budget, with_cursor};
use crate::config::MergeConfig;
use crate::convert::timestamp;
use crate::coverage::{Coverage, CoverageTable};
use crate::errors::MergeErrors;
use crate::link::{Link, LinkRequest, LinkedToken, MagicLink};
use crate::wire;

/// A Merge organisation: your own, with all its customers' linked accounts. Made by [`MergeConfig::organisation`]; cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct MergeOrganisation {
    session: Session,
}

impl MergeConfig {
    /// Makes a client for what concerns the organisation rather than one linked account. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if a value is out of its bounds, or the key is no header.
    pub fn organisation(&self, api_key: &SecretString, transport: &Transport) -> Result<MergeOrganisation> {
        self.validate()?;
        let base = self.base()?;
        let budget = failures_budget(base.authority(), self);
        let session = Session::new(transport, base).with_classify(MergeErrors).with_budget(budget);
        Ok(MergeOrganisation { session: session.with_auth(Auth::bearer(api_key)?) })
    }
}

/// A linked account, as the organisation sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedAccountInfo {
    /// Its id, which stays the same when the customer links anew.
    pub id: AccountId,
    /// The origin id that its link was asked for with.
    pub origin_id: Option<String>,
    /// The customer's company.
    pub organization: Option<String>,
    /// The HR system's name.
    pub integration: Option<String>,
    /// The HR system's slug.
    pub slug: Option<String>,
    /// How it stands, in Merge's word: `COMPLETE`, `INCOMPLETE`, `RELINK_NEEDED`, `IDLE`, or one of a later version.
    pub status: Option<String>,
    /// Whether it was linked with a test key.
    pub is_test: bool,
    /// When linking was completed.
    pub completed_at: Option<DateTime<Utc>>,
}

/// An HR system that Merge connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// What [`LinkRequest::with_integration`] takes.
    pub slug: Option<String>,
}

/// Something about a linked account that does not work.
#[derive(Clone)]
#[non_exhaustive]
pub struct Issue {
    /// Merge's id of it.
    pub id: String,
    /// Whether it is over.
    pub is_resolved: bool,
    /// What Merge says about it, for an administrator; nobody promises what it quotes.
    pub description: String,
    /// Since when.
    pub first_seen: Option<DateTime<Utc>>,
}

/// Shows no sentence of the vendor's.
impl fmt::Debug for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Issue");
        out.field("id", &self.id).field("is_resolved", &self.is_resolved).finish_non_exhaustive()
    }
}

impl MergeOrganisation {
    /// Makes a link for a customer to connect an HR system with, or to connect it anew.
    ///
    /// Asking twice with the same origin id does no harm, so that a lost answer is asked for again.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a request beyond Merge's limits, before anything is sent.
    pub async fn create_link(&self, request: &LinkRequest) -> Result<Link> {
        let asked = Request::post("merge.link_token", "/api/hris/v1/link-token").with_repeatable(true);
        let made = self.value(&asked.with_json(&request.body()?)?).await?;
        let token = text(&made, "link_token").ok_or_else(|| incomplete("the answer has no link token"))?;
        let lives = TimeDelta::from_std(request.expires_in()).unwrap_or_default();
        let magic = text(&made, "magic_link_url").map(|url| MagicLink {
            url,
            expires_at: self.session.clock().now() + lives,
            origin_id: request.origin_id().to_owned(),
        });
        if request.is_magic() && magic.is_none() {
            return Err(incomplete("the answer has no magic link, although one was asked for"));
        }
        Ok(Link { token: token.into(), magic })
    }

    /// Exchanges the public token that an embedded link ended with. It can be exchanged once, within about ten minutes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for one that is unknown, used or too old. If the answer is lost ([`Delivery::Unknown`]),
    /// the token may be used up: let the customer link again with the same origin id.
    pub async fn exchange(&self, public_token: &SecretString) -> Result<LinkedToken> {
        let request = Request::get("merge.account_token", "/api/hris/v1/account-token")
            .with_segment(public_token.expose_secret())
            .with_repeatable(false);
        let read = self.value(&request).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.with_hint(
                "a public token is good once and for about ten minutes: let the customer link again with the same origin \
                 id",
            ),
            _ => error,
        })?;
        let (Some(id), Some(token)) = (text(&read, "id"), text(&read, "account_token")) else {
            return Err(incomplete("the answer has no account token, or names no linked account"));
        };
        let integration = text(&read["integration"], "name");
        Ok(LinkedToken { account: id.into(), account_token: token.into(), integration })
    }

    /// The linked accounts of HR systems; those of one origin id, or all.
    pub fn accounts(&self, origin_id: Option<&str>) -> BoxStream<'static, Result<LinkedAccountInfo>> {
        let request = linked_accounts().with_query("page_size", 100).with_query("category", "hris");
        let request = match origin_id {
            Some(origin) => request.with_query("end_user_origin_id", origin),
            None => request,
        };
        self.pages(request, account)
    }

    /// The issues of a linked account.
    pub fn issues(&self, account: &AccountId) -> BoxStream<'static, Result<Issue>> {
        let request = Request::get("merge.issues", "/api/hris/v1/issues")
            .with_query("page_size", 100)
            .with_query("linked_account_id", account);
        self.pages(request, issue)
    }

    /// The HR systems that Merge connects to, with the slugs that skip the choice.
    pub async fn integrations(&self) -> Result<Vec<Integration>> {
        let read = self.value(&Request::get("merge.integrations", "/api/integrations")).await?;
        let all = read.as_array().ok_or_else(|| incomplete("the answer is no list of HR systems"))?;
        let is_hris = |row: &&Value| {
            let categories = row["categories"].as_array();
            categories.is_some_and(|categories| categories.iter().any(|category| category == "hris"))
        };
        let named = all.iter().filter(is_hris);
        Ok(named
            .filter_map(|row| Some(Integration { name: text(row, "name")?, slug: text(row, "slug") }))
            .collect())
    }

    /// Which fields of employees a linked account delivers: by what Merge says of the account itself, or else by a table.
    /// [`Coverage::with_seen`] completes the table by what the account's people really have filled.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the organisation has no such account.
    pub async fn coverage(&self, account: &AccountId, table: &CoverageTable) -> Result<Coverage> {
        let request = linked_accounts().with_query("page_size", 1).with_query("id", account);
        let read = self.value(&request).await?;
        let mut rows = read["results"].as_array().into_iter().flatten();
        let row = rows.find(|row| row["id"] == account.as_str()).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the organisation has no such linked account")
                .with_hint("compare the API key and the region with those under which the account was linked")
                .with_delivery(Delivery::Answered)
        })?;
        let integration = &row["integration"];
        Ok(match supported_fields(integration) {
            Some(fields) => Coverage::of_account(&fields),
            None => table.coverage(&[text(integration, "name"), text(integration, "slug")]),
        })
    }

    async fn value(&self, request: &Request) -> Result<Value> {
        self.session.execute_with(request, |answer: Answer| decode(answer.body())).await
    }

    fn pages<T: Send + 'static>(
        &self,
        request: Request,
        read: fn(&Value) -> Option<T>,
    ) -> BoxStream<'static, Result<T>> {
        let session = self.session.clone();
        let pages = Paginator::new(move |cursor: Option<String>| {
            let (session, request) = (session.clone(), with_cursor(request.clone(), cursor.as_deref()));
            async move {
                let page = |answer: Answer| wire::page(PhantomData::<Value>, answer.body());
                let page = session.execute_with(&request, page).await?;
                Ok(Page::new(page.rows.iter().filter_map(read).collect(), page.next))
            }
        });
        let rows = pages.into_stream().map_ok(|rows: Vec<T>| stream::iter(rows).map(Ok));
        rows.try_flatten().boxed()
    }
}

fn linked_accounts() -> Request {
    Request::get("merge.linked_accounts", "/api/hris/v1/linked-accounts")
}

fn account(row: &Value) -> Option<LinkedAccountInfo> {
    // A text in some of the vendor's answers, an object in others.
    let integration = &row["integration"];
    let name = text(integration, "name").or_else(|| text(row, "integration"));
    Some(LinkedAccountInfo {
        id: text(row, "id")?.into(),
        origin_id: text(row, "end_user_origin_id"),
        organization: text(row, "end_user_organization_name"),
        integration: name,
        slug: text(integration, "slug").or_else(|| text(row, "integration_slug")),
        status: text(row, "status"),
        is_test: row["account_type"] == "TEST",
        completed_at: text(row, "completed_at").as_deref().and_then(timestamp),
    })
}

fn issue(row: &Value) -> Option<Issue> {
    Some(Issue {
        id: text(row, "id")?,
        is_resolved: row["status"] == "RESOLVED",
        description: text(row, "error_description").unwrap_or_default(),
        first_seen: text(row, "first_incident_time").as_deref().and_then(timestamp),
    })
}

/// What the account says that it delivers of employees; `None` where it does not say.
fn supported_fields(integration: &Value) -> Option<Vec<String>> {
    let operations = integration["available_model_operations"].as_array()?;
    let employees = operations.iter().find(|row| row["model_name"] == "Employee")?;
    let fields = employees["supported_fields"].as_array()?;
    let fields: Vec<_> = fields.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (!fields.is_empty()).then_some(fields)
}

/// A text without white space around it, unless nothing is left.
fn text(row: &Value, name: &str) -> Option<String> {
    let text = row[name].as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn incomplete(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, what).with_delivery(Delivery::Answered)
}
