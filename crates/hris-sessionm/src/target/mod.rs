//! SessionM as a rewards platform: employees as its customers. A leaver is a customer who does not take part any more
//! (`opted_in` false), a returner one who does again; nobody is ever deleted.

mod members;

use std::fmt;
use std::num::NonZeroUsize;

use async_trait::async_trait;
use hris_core::{
    Action, ActionKind, Attributes, Delivery, EmployeeId, Error, ErrorKind, MemberId, MemberQuery,
    MemberRecord, Outcome, ProvisioningTarget, Result, TargetCapabilities,
};

use crate::client::{Certainty, SessionM, certainty};
use crate::profile::{ProfileEdit, ProfileField};
use crate::{Customer, CustomerId, ExternalId, NewCustomer, ParentKeys, SearchBy, SearchStyle};

use members::{edit_of, employee_id, record};

/// A [`ProvisioningTarget`] over a [`SessionM`] client. Needs the Core family only.
///
/// | member | customer |
/// |---|---|
/// | Employee ID | external id, under `external_id_type` of the settings |
/// | e-mail address | `email` |
/// | account open | `opted_in` |
/// | names, date of birth, gender, country, language, phone | the fields of the same meaning |
/// | every other attribute, and `custom:NAME` | `NAME` in `user_profile`, or a native field of that name (`custom:city`) |
///
/// It cannot list customers, since SessionM has no known call for it, and it invites nobody. SessionM takes gender as `m`
/// or `f`, countries in three capitals, and nobody of 13 or younger: map them so, or they are refused record by record.
///
/// ```
/// use hris_core::ProvisioningTarget as _;
/// use hris_sessionm::{Credentials, SessionM, SessionMTarget, Settings};
/// use hris_http::Transport;
///
/// let settings = Settings::new("https://api-harbour.stg-sessionm.com".parse()?);
/// let credentials = Credentials::core("the Core key".into(), "the Core secret".into());
/// let client = SessionM::new(settings, &credentials, &Transport::builder().build()?)?;
/// let target = SessionMTarget::new(client).with_date_attribute("joined");
/// assert!(!target.capabilities().lists);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionMTarget {
    client: SessionM,
    dates: Vec<String>,
}

/// How many actions a call takes; they are carried out one after the other.
const MAX_BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(49);

impl SessionMTarget {
    /// The customers of a client's tenant as members.
    pub fn new(client: SessionM) -> Self {
        Self { client, dates: Vec::new() }
    }

    /// Says that a key of `user_profile` holds a date, so that it is given back as one. Start and end date are.
    #[must_use]
    pub fn with_date_attribute(mut self, name: impl Into<String>) -> Self {
        self.dates.push(name.into());
        self
    }

    fn record(&self, customer: &Customer) -> MemberRecord {
        record(customer, self.kind(), &self.dates)
    }

    /// The label of the id system that Employee IDs are written under.
    fn kind(&self) -> Option<&str> {
        self.client.settings().external_id_type.as_deref()
    }

    /// The customer whose Employee ID is this very text. One who only had it once, or has it as another kind of id, is
    /// not that.
    async fn by_employee_id(&self, id: &EmployeeId) -> Result<Option<Customer>> {
        let Some(external) = ExternalId::parse(id.as_str()) else { return Ok(None) };
        let found = self.client.customer_by_external_id(&external).await?;
        Ok(found.filter(|customer| employee_id(customer, self.kind()) == Some(id.as_str())))
    }

    async fn by_email(&self, email: &hris_core::Email) -> Result<Vec<Customer>> {
        if self.client.settings().search_style == SearchStyle::Exact {
            return Ok(self.client.customer_by_email(email).await?.into_iter().collect());
        }
        let mut found = Vec::new();
        for hit in self.client.search_customers(&SearchBy::Email(email.clone())).await? {
            found.extend(self.client.customer_by_id(&hit.id).await?);
        }
        found.retain(|customer| customer.email.as_ref().is_some_and(|held| held.folded() == email.folded()));
        Ok(found)
    }

    async fn carry_out(&self, action: &Action) -> Result<Outcome> {
        match &action.kind {
            ActionKind::Create { attributes, .. } => self.create(attributes).await,
            ActionKind::Update { changes } => self.change(action, changes, None).await,
            ActionKind::Adopt { changes, reopen } => {
                self.change(action, changes, reopen.then_some(true)).await
            }
            ActionKind::Reactivate { changes } => self.change(action, changes, Some(true)).await,
            ActionKind::Leave { .. } => self.change(action, &Attributes::new(), Some(false)).await,
            _ => Err(Error::unsupported("SessionM does not know this kind of action")),
        }
    }

    /// Creates a customer after both keys were looked up: SessionM has no key against doubles.
    async fn create(&self, attributes: &Attributes) -> Result<Outcome> {
        let employee_id = attributes.employee_id().filter(|id| !id.as_str().is_empty());
        let employee_id = employee_id.ok_or_else(|| refused("an account needs an Employee ID"))?;
        let external_id = written_alike(&employee_id)?;
        let email = attributes.email().ok_or_else(|| refused("an account needs an e-mail address"))?;
        let by_key = self.client.customer_by_external_id(&external_id).await?;
        let by_email = self.by_email(&email).await?;
        if let Some(taken) = by_key.iter().chain(&by_email).next() {
            return Ok(Outcome::Conflict(taken_by(&taken.id)));
        }
        let mut profile = edit_of(attributes, None)?;
        for key in [ProfileField::ExternalId, ProfileField::Email] {
            profile.remove(&key);
        }
        profile.drop_cleared();
        let keys = ParentKeys { external_id: Some(external_id), email: Some(email) };
        let created = self.client.create_customer(&NewCustomer::enrolled(keys).with_profile(profile)).await;
        Ok(match created {
            Ok(customer) => Outcome::Applied(member(&customer.id)),
            Err(error) => failed(error),
        })
    }

    /// Changes what differs, in one write; opens or closes the account where that is asked for.
    async fn change(&self, action: &Action, changes: &Attributes, open: Option<bool>) -> Result<Outcome> {
        let id = action.member.as_ref().ok_or_else(|| refused("the action names no member"))?;
        let found = self.client.customer_by_id(&CustomerId::from(id.as_str())).await?;
        let Some(customer) = found else {
            return Err(
                Error::new(ErrorKind::NotFound, "there is no such member").with_delivery(Delivery::Answered)
            );
        };
        if let Some(id) = changes.employee_id() {
            written_alike(&id)?;
        }
        let mut edit = edit_of(changes, Some(&customer))?;
        if let Some(open) = open {
            edit = edit.set(ProfileField::OptedIn, open)?;
        }
        let differs = customer.differs_from(&edit);
        let same: Vec<_> = edit.fields().filter(|field| !differs.contains(field)).cloned().collect();
        for field in &same {
            edit.remove(field);
        }
        // An id from before is one of the customer's, and has to become the latest again.
        if let Some(id) = changes.employee_id()
            && employee_id(&customer, self.kind()) != Some(id.as_str())
        {
            edit = edit.set(ProfileField::ExternalId, id.as_str())?;
        }
        if edit.is_empty() {
            return Ok(Outcome::AlreadySo(member(&customer.id)));
        }
        if let Some(conflict) = self.conflict(&customer, &edit).await? {
            return Ok(Outcome::Conflict(conflict));
        }
        Ok(match self.client.update_customer_once(&customer.id, &edit).await {
            Ok(()) => Outcome::Applied(member(&customer.id)),
            Err(error) => failed(error),
        })
    }

    /// Keys that are to become this customer's are held against everybody else's.
    async fn conflict(&self, customer: &Customer, edit: &ProfileEdit) -> Result<Option<Error>> {
        if let Some(text) = edit.text(&ProfileField::ExternalId)
            && let Some(id) = ExternalId::parse(text)
            && let Some(other) = self.client.customer_by_external_id(&id).await?
            && other.id != customer.id
        {
            return Ok(Some(taken_by(&other.id)));
        }
        if let Some(email) = edit.text(&ProfileField::Email).and_then(hris_core::Email::parse) {
            let others = self.by_email(&email).await?;
            let other = others.iter().find(|other| other.id != customer.id);
            return Ok(other.map(|other| taken_by(&other.id)));
        }
        Ok(None)
    }
}

#[async_trait]
impl ProvisioningTarget for SessionMTarget {
    fn capabilities(&self) -> TargetCapabilities {
        let in_flight = self.client.settings().limits.max_in_flight as usize;
        let mut capabilities = TargetCapabilities::default();
        capabilities.max_batch = MAX_BATCH;
        capabilities.max_in_flight = NonZeroUsize::new(in_flight).unwrap_or(NonZeroUsize::MIN);
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        let found: Vec<Customer> = match query {
            MemberQuery::Id(id) => {
                self.client.customer_by_id(&CustomerId::from(id.as_str())).await?.into_iter().collect()
            }
            MemberQuery::EmployeeId(id) => self.by_employee_id(id).await?.into_iter().collect(),
            MemberQuery::Email(email) => self.by_email(email).await?,
            _ => return Err(Error::unsupported("SessionM does not search by that")),
        };
        Ok(found.iter().map(|customer| self.record(customer)).collect())
    }

    #[tracing::instrument(name = "sessionm.apply", skip_all, fields(actions = actions.len()))]
    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            if index >= MAX_BATCH.get() {
                let error =
                    Error::unsupported("the call has too many actions").with_context("max_batch", MAX_BATCH);
                outcomes.push(Outcome::NotAttempted(error));
                continue;
            }
            // An error here comes from before the write.
            outcomes.push(self.carry_out(action).await.unwrap_or_else(before_the_write));
        }
        outcomes
    }
}

impl fmt::Debug for SessionMTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionMTarget").field(&self.client).finish()
    }
}

/// What a failed write means for its action.
fn failed(error: Error) -> Outcome {
    match certainty(&error) {
        Certainty::NothingDone => Outcome::NotAttempted(error),
        Certainty::Unclear => Outcome::InDoubt(error),
        Certainty::Refused if is_about_a_key(&error) => Outcome::Conflict(error),
        Certainty::Refused => Outcome::Rejected(error),
    }
}

/// Nothing was written: the record itself is at fault, or a reading before the write failed.
fn before_the_write(error: Error) -> Outcome {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Unsupported => Outcome::Rejected(error),
        ErrorKind::Conflict => Outcome::Conflict(error),
        _ => Outcome::NotAttempted(error),
    }
}

fn is_about_a_key(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict
        || ["email", "external_id"]
            .iter()
            .any(|key| crate::client::errors::has_context(error, crate::client::errors::ABOUT, key))
}

fn member(id: &CustomerId) -> MemberId {
    MemberId::from(id.as_str())
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, message).with_delivery(Delivery::NotSent)
}

fn taken_by(id: &CustomerId) -> Error {
    Error::new(ErrorKind::Conflict, "another customer has this Employee ID or e-mail address")
        .with_delivery(Delivery::Answered)
        .with_context("customer", id)
}

/// An external id is trimmed on its way, so an Employee ID with white space around it would be another one there.
fn written_alike(id: &EmployeeId) -> Result<ExternalId> {
    ExternalId::parse(id.as_str())
        .filter(|external| external.as_str() == id.as_str())
        .ok_or_else(|| refused("an Employee ID with white space around it cannot be kept in SessionM"))
}

/// Does not compile if the target can no longer be used as an object.
const _: fn(SessionMTarget) -> Box<dyn ProvisioningTarget> = |target| Box::new(target);
