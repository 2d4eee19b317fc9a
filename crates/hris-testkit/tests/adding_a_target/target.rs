//! The target of the tutorial, in the pieces that the page shows.

// [piece: settings]
use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::NaiveDate;
use futures_util::stream::{BoxStream, TryStreamExt as _};
use hris_core::{
    Action, ActionKind, Attributes, Delivery, Email, Error, ErrorKind, Invitations, MemberField, MemberId,
    MemberQuery, MemberRecord, Outcome, ProvisioningTarget, Result, TargetCapabilities, TargetField, Value,
};
use hris_http::{
    Answer, Auth, BaseUrl, Classify, Method, Page, Paginator, Request, Session, Transport, Verdict, by_status,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, json};

/// The target: a session, and how many members a page of the roster has.
#[derive(Clone, Debug)]
pub struct NimbusTarget {
    session: Session,
    page_size: u32,
}

impl NimbusTarget {
    /// A target for the programme that a token opens. Nothing is sent.
    pub fn new(base: BaseUrl, token: &SecretString, transport: &Transport) -> Result<Self> {
        let session =
            Session::new(transport, base).with_auth(Auth::bearer(token)?).with_classify(NimbusCodes);
        Ok(Self { session, page_size: 200 })
    }

    /// Sets how many members a page of the roster has (200).
    #[must_use]
    pub fn with_page_size(mut self, members: u32) -> Self {
        self.page_size = members;
        self
    }
}

/// What this platform's answers mean where the status alone does not say it.
#[derive(Debug)]
struct NimbusCodes;

impl Classify for NimbusCodes {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        match (answer.status(), by_status(answer)) {
            // Nothing was done: it may be sent again, even though it is a write.
            (429, Some(error)) => Verdict::Refused(error),
            (401, Some(error)) => Verdict::Failed(error.with_hint("make a new token in the Nimbus console")),
            (403, Some(error)) => Verdict::Failed(
                error.with_hint("give the token the scope `members.write` in the Nimbus console"),
            ),
            _ => Verdict::ByStatus,
        }
    }
}
// [end]

// [piece: wire]
/// A member as Nimbus writes one.
#[derive(Deserialize)]
struct Wire {
    id: String,
    open: bool,
    number: Option<String>,
    mail: Option<String>,
    given: Option<String>,
    family: Option<String>,
    since: Option<NaiveDate>,
    deleted_on: Option<NaiveDate>,
}

/// A page of members.
#[derive(Deserialize)]
struct WirePage {
    members: Vec<Wire>,
    next: Option<String>,
}

/// The attributes that Nimbus has, by its own names.
const NAMES: [(MemberField, &str); 5] = [
    (MemberField::EmployeeId, "number"),
    (MemberField::Email, "mail"),
    (MemberField::FirstName, "given"),
    (MemberField::LastName, "family"),
    (MemberField::StartDate, "since"),
];

impl Wire {
    fn into_record(self) -> MemberRecord {
        let texts = [
            (MemberField::EmployeeId, self.number),
            (MemberField::Email, self.mail),
            (MemberField::FirstName, self.given),
            (MemberField::LastName, self.family),
        ];
        let mut attributes = Attributes::new();
        for (field, text) in texts {
            if let Some(text) = text {
                attributes.set(field, Some(Value::Text(text)));
            }
        }
        if let Some(since) = self.since {
            attributes.set(MemberField::StartDate, Some(Value::Date(since)));
        }
        let mut record = MemberRecord::new(self.id, attributes);
        record.active = self.open;
        record.closes_on = self.deleted_on;
        record
    }
}

/// What a write sends: the given attributes and no others, `null` for what is to be emptied.
fn body(attributes: &Attributes) -> Result<Map<String, serde_json::Value>> {
    let mut body = Map::new();
    for (field, value) in attributes.iter() {
        let name = NAMES.iter().find(|(known, _)| TargetField::Member(*known) == *field);
        let Some((_, name)) = name else {
            let error = Error::new(ErrorKind::Invalid, "Nimbus has no such attribute");
            return Err(error.with_context("attribute", field));
        };
        let value = value.map_or(serde_json::Value::Null, |value| json!(value.to_string()));
        body.insert((*name).to_owned(), value);
    }
    Ok(body)
}
// [end]

// [piece: trait]
#[async_trait]
impl ProvisioningTarget for NimbusTarget {
    fn capabilities(&self) -> TargetCapabilities {
        let mut capabilities = TargetCapabilities::default();
        capabilities.invitations = Invitations::PerRecord;
        capabilities.lists = true;
        capabilities.max_in_flight = NonZeroUsize::MIN.saturating_add(3);
        capabilities.close_down_days = Some(60);
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        let (name, value) = match query {
            MemberQuery::Id(id) => return Ok(self.read(id).await?.into_iter().collect()),
            MemberQuery::EmployeeId(id) => ("number", id.as_str()),
            MemberQuery::Email(email) => ("mail", email.as_str()),
            _ => return Err(Error::unsupported("Nimbus does not search by that")),
        };
        let request = Request::get("nimbus.find", "/v1/members").with_query(name, value);
        let page: WirePage = self.session.execute_json(&request).await?;
        // A platform that ignores a parameter it does not like answers with everybody: look again.
        let matches = |record: &MemberRecord| match query {
            MemberQuery::EmployeeId(id) => record.attributes.employee_id().as_ref() == Some(id),
            MemberQuery::Email(email) => {
                record.attributes.email().is_some_and(|theirs| theirs.folded() == email.folded())
            }
            _ => false,
        };
        Ok(page.members.into_iter().map(Wire::into_record).filter(matches).collect())
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        let (session, page_size) = (self.session.clone(), self.page_size);
        let pages = Paginator::new(move |cursor: Option<String>| {
            let session = session.clone();
            async move {
                let mut request = Request::get("nimbus.roster", "/v1/members").with_query("limit", page_size);
                if let Some(cursor) = cursor {
                    request = request.with_query("after", cursor);
                }
                let page: WirePage = session.execute_json(&request).await?;
                let members: Vec<_> = page.members.into_iter().map(|wire| Ok(wire.into_record())).collect();
                Ok(Page::new(members, page.next))
            }
        });
        let rows = pages.into_stream().map_ok(futures_util::stream::iter);
        Some(Box::pin(rows.try_flatten()))
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(actions.len());
        for action in actions {
            outcomes.push(self.carry_out(action).await.unwrap_or_else(outcome_of));
        }
        outcomes
    }
}
// [end]

// [piece: writes]
impl NimbusTarget {
    async fn carry_out(&self, action: &Action) -> Result<Outcome> {
        match &action.kind {
            ActionKind::Create { attributes, invite } => self.create(attributes, *invite).await,
            ActionKind::Update { changes } => self.change(action, changes, None).await,
            ActionKind::Adopt { changes, reopen } => {
                self.change(action, changes, reopen.then_some(true)).await
            }
            ActionKind::Reactivate { changes } => self.change(action, changes, Some(true)).await,
            ActionKind::Leave { .. } => self.change(action, &Attributes::new(), Some(false)).await,
            _ => Err(Error::unsupported("this target does not know the action")),
        }
    }

    async fn create(&self, attributes: &Attributes, invite: bool) -> Result<Outcome> {
        check(attributes)?;
        let mut body = body(attributes)?;
        body.insert("invite".to_owned(), json!(invite));
        let request = Request::post("nimbus.create", "/v1/members").with_json(&body)?;
        let created: Wire = self.session.execute_json(&request).await?;
        Ok(Outcome::Applied(created.id.into()))
    }

    /// Reads the member, and writes only what differs.
    async fn change(&self, action: &Action, changes: &Attributes, open: Option<bool>) -> Result<Outcome> {
        let gone = || Error::new(ErrorKind::NotFound, "there is no such member");
        let id = action.member.as_ref().ok_or_else(gone)?;
        let member = self.read(id).await?.ok_or_else(gone)?;
        let mut wanted = member.attributes.clone();
        wanted.merge(changes);
        check(&wanted)?;
        let differs = |field: &TargetField, value| member.attributes.get(field).flatten() != value;
        let differing = changes.iter().filter(|(field, value)| differs(field, *value));
        let mut body = body(&differing.map(|(field, value)| (field.clone(), value.cloned())).collect())?;
        if let Some(open) = open.filter(|open| *open != member.active) {
            body.insert("open".to_owned(), json!(open));
        }
        if body.is_empty() {
            return Ok(Outcome::AlreadySo(member.id));
        }
        let request = Request::new(Method::Patch, "nimbus.change", "/v1/members").with_segment(id.as_str());
        self.session.execute(&request.with_json(&body)?).await?;
        Ok(Outcome::Applied(member.id))
    }

    async fn read(&self, id: &MemberId) -> Result<Option<MemberRecord>> {
        let request = Request::get("nimbus.member", "/v1/members").with_segment(id.as_str());
        match self.session.execute_json::<Wire>(&request).await {
            Ok(wire) => Ok(Some(wire.into_record())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What no account can be without.
fn check(attributes: &Attributes) -> Result<()> {
    let has_id = attributes.employee_id().is_some_and(|id| !id.as_str().trim().is_empty());
    let has_address = attributes.text(&TargetField::EMAIL).is_some_and(Email::is_plausible);
    if has_id && has_address {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "an account needs an Employee ID and an e-mail address"))
}
// [end]

// [piece: outcome]
/// What an error says about the action that met it.
fn outcome_of(error: Error) -> Outcome {
    match error.kind() {
        ErrorKind::Conflict => Outcome::Conflict(error),
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Unsupported => Outcome::Rejected(error),
        ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::RateLimited => {
            Outcome::NotAttempted(error)
        }
        _ if error.delivery() == Delivery::NotSent => Outcome::NotAttempted(error),
        // Sent, and no answer that settles it: the engine reads it back.
        _ => Outcome::InDoubt(error),
    }
}
// [end]
