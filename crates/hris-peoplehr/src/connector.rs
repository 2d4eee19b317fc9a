//! The connector: PeopleHR as [`HrisConnector`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{
    Account, Capabilities, Descriptor, EmployeeField, EmployeeId, EmployeeRef, Error, ErrorKind,
    FieldDescriptor, FieldSet, HrisConnector, Lookup, ReadEvent, ReadQuery, RecordIdKind, Result, Scope,
    SourceField,
};
use hris_http::{RetryPolicy, Transport};
use secrecy::SecretString;

use crate::client::{ById, Client};
use crate::config::{Listings, PeopleHrConfig, RecordIdSource};
use crate::convert::{CUSTOM, Projection};
use crate::dates::today;
use crate::query;
use crate::reading::{NO_RECORD_IDS, find, has_record_ids, read};
use crate::status::Found;
use crate::wire::whole;

static BY_UNIQUE_KEY: Descriptor =
    Descriptor::new("peoplehr", "PeopleHR", RecordIdKind::new("peoplehr.employee.unique_key"))
        .asking_date_format();
static BY_EMPLOYEE_ID: Descriptor =
    Descriptor::new("peoplehr", "PeopleHR", RecordIdKind::new("peoplehr.employee.id")).asking_date_format();

/// The kind of record ids that come from one of the two ids.
pub(crate) fn record_id_kind(source: RecordIdSource) -> &'static RecordIdKind {
    &descriptor(source).record_id_kind
}

/// The facts that every vendor has, by the kind of record id.
pub(crate) fn descriptor(source: RecordIdSource) -> &'static Descriptor {
    match source {
        RecordIdSource::UniqueKey => &BY_UNIQUE_KEY,
        RecordIdSource::EmployeeId => &BY_EMPLOYEE_ID,
    }
}

/// A connection to one company in PeopleHR. Made by [`PeopleHrConfig::build`]; cheap to clone.
#[derive(Clone)]
pub struct PeopleHrConnector {
    client: Client,
}

impl PeopleHrConfig {
    /// Makes a connector from the API key that PeopleHR shows under Settings, API. White space around it is dropped.
    /// Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a value is out of its bounds, or the key is empty or longer than PeopleHR's are.
    pub fn build(self, api_key: &SecretString, transport: &Transport) -> Result<PeopleHrConnector> {
        self.validate()?;
        Ok(PeopleHrConnector { client: Client::new(self, api_key, transport)? })
    }
}

impl PeopleHrConnector {
    /// Tries and waits by another policy. Its idle time-out is how long a listing may pause, in place of the setting
    /// `listing_timeout_seconds`, which then only bounds the wait for its beginning.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.client = self.client.with_policy(policy);
        self
    }

    /// Who has an Employee ID, for what is known by that alone, such as a webhook; `None` where PeopleHR says that nobody
    /// has it. One request, which does not ask whose company answers: a reading does.
    ///
    /// # Errors
    /// Those of [`HrisConnector::employee`]; [`ErrorKind::Config`] if the record has no id of the configured kind.
    pub async fn reference(&self, id: &EmployeeId) -> Result<Option<EmployeeRef>> {
        if self.config().query.is_some() {
            return Err(Error::unsupported(NOT_IN_A_QUERY));
        }
        let ById::Found(json) = self.client.by_id(id.as_str()).await? else { return Ok(None) };
        let day = today(self.client.clock().now(), self.config().zone()?);
        let only_id = FieldSet::from_iter([EmployeeField::EmployeeId]);
        let projection = Projection::new(only_id, self.config(), day);
        let row = whole(projection.seed(), &json);
        let record = row.as_ref().and_then(|row| Some(projection.record(row)?.to_owned()));
        let record = record
            .ok_or_else(|| Error::config("PeopleHR sent no record id of this person", NO_RECORD_IDS))?;
        let mut who = EmployeeRef::record(record);
        who.employee_id = Some(id.clone());
        Ok(Some(who))
    }

    fn config(&self) -> &PeopleHrConfig {
        self.client.config()
    }

    /// Asks for one person by Employee ID. `None` if PeopleHR has nobody with it, or somebody else, or their status needs
    /// the listings.
    async fn by_id(&self, id: &str, who: &EmployeeRef, fields: &FieldSet) -> Result<ByIdAnswer> {
        let ById::Found(json) = self.client.by_id(id).await? else { return Ok(ByIdAnswer::Nobody) };
        let day = today(self.client.clock().now(), self.config().zone()?);
        let projection = Projection::new(fields.clone(), self.config(), day);
        let Some(row) = whole(projection.seed(), &json) else { return Ok(ByIdAnswer::Unclear) };
        let is_them = projection.record(&row) == Some(who.record.as_str());
        if !is_them || projection.is_ambiguous(&row) {
            return Ok(ByIdAnswer::Unclear);
        }
        let employee = projection.employee(who.record.as_str(), &row, Found::Current).employee;
        Ok(ByIdAnswer::Found(Box::new(employee)))
    }
}

/// What one call says about a person.
enum ByIdAnswer {
    Found(Box<hris_core::Employee>),
    Nobody,
    Unclear,
}

/// Shows the configuration, and never the key.
impl fmt::Debug for PeopleHrConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeopleHrConnector").field("config", self.config()).finish_non_exhaustive()
    }
}

#[async_trait]
impl HrisConnector for PeopleHrConnector {
    fn descriptor(&self) -> &'static Descriptor {
        match self.config().query {
            Some(_) => descriptor(RecordIdSource::EmployeeId),
            None => descriptor(self.config().record_id),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let is_directory = self.config().query.is_none();
        let mut capabilities = Capabilities::default();
        capabilities.reads_leavers = true;
        capabilities.single_read = is_directory;
        capabilities.proves_absence = is_directory && self.config().listings == Listings::Both;
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        let company = self.client.company().await?;
        let mut account = Account::new(company.id);
        account.name = company.name;
        if self.config().query.is_some() {
            account.remarks.push(QUERY_IS_NOT_TRIED.to_owned());
            return Ok(account);
        }
        match has_record_ids(&self.client).await? {
            None => account.remarks.push(NOBODY_LISTED.to_owned()),
            Some(false) => {
                account.remarks.push(format!("The first rows have no record id: {NO_RECORD_IDS}."));
            }
            Some(true) => {}
        }
        if !self.config().verifies_company {
            account.remarks.push(COMPANY_NOT_VERIFIED.to_owned());
        }
        account.remarks.push(MORE_PERMISSION.to_owned());
        Ok(account)
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let client = self.client.clone();
        let saved = self.config().query.clone();
        let unsupported = match (query.scope, saved) {
            (Scope::Everyone, None) => return read(client, query.fields, None),
            (Scope::Everyone, Some(saved)) => return query::read(client, saved, query.fields),
            (Scope::People(people), None) => {
                let only = people.into_iter().map(|who| who.record).collect();
                return read(client, query.fields, Some(Arc::new(only)));
            }
            (Scope::People(_), Some(_)) => NOT_IN_A_QUERY,
            _ => "PeopleHR cannot list only the people changed since an instant",
        };
        stream::once(async move { Err(Error::unsupported(unsupported)) }).boxed()
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        if self.config().query.is_some() {
            return Err(Error::unsupported(NOT_IN_A_QUERY));
        }
        let is_record_id = self.config().record_id == RecordIdSource::EmployeeId;
        let id = if is_record_id {
            Some(who.record.as_str())
        } else {
            who.employee_id.as_ref().map(EmployeeId::as_str)
        };
        let id = id.map(str::trim).filter(|id| !id.is_empty());
        self.client.company().await?;
        let answer = match id {
            Some(id) => self.by_id(id, who, fields).await?,
            None => ByIdAnswer::Unclear,
        };
        match answer {
            ByIdAnswer::Found(employee) => return Ok(Lookup::Found(employee)),
            ByIdAnswer::Nobody if is_record_id => return Ok(Lookup::NotFound),
            _ => {}
        }
        let found = match find(&self.client, fields, &who.record).await {
            // PeopleHR said in so many words that it has nobody with this Employee ID; the listing was asked only whether
            // they have another one now.
            Err(error) if error.kind() == ErrorKind::Incomplete && matches!(answer, ByIdAnswer::Nobody) => {
                None
            }
            found => found?,
        };
        Ok(found.map_or(Lookup::NotFound, |employee| Lookup::Found(Box::new(employee))))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        if let Some(query) = &self.config().query {
            return Ok(query.fields());
        }
        let canonical = OFFERED.iter().map(|(field, label, remark)| {
            let described = FieldDescriptor::new(*field, *label);
            if remark.is_empty() { described } else { described.with_remark(*remark) }
        });
        let custom = CUSTOM
            .iter()
            .map(|(key, label)| FieldDescriptor::new(SourceField::Custom(key.name().into()), *label));
        Ok(canonical.chain(custom).collect())
    }
}

const NOT_IN_A_QUERY: &str = "a saved query cannot be asked for single people; read everyone";
const QUERY_IS_NOT_TRIED: &str =
    "The saved query was not run: PeopleHR runs one at a time, and it may take long.";
const NOBODY_LISTED: &str = "PeopleHR lists no current staff. It may answer so when it is asked too often; a reading of \
                             nobody is an error.";
const COMPANY_NOT_VERIFIED: &str = "PeopleHR is not asked which company the key opens (`verifies_company`): nothing \
                                    notices a key of another company.";
const MORE_PERMISSION: &str = "A key needs no more than Get All Employee Detail and Get Employee Detail By Id under \
                               Employee; PeopleHR does not tell what else it opens, and the directory always has bank \
                               details in it, which are not read.";

pub(crate) const OFFERED: &[(EmployeeField, &str, &str)] = &[
    (EmployeeField::RecordId, "UniqueKey, or Employee ID if that is configured", ""),
    (EmployeeField::EmployeeId, "Employee ID", "can be changed in PeopleHR"),
    (EmployeeField::Status, "Status, from the listings and the leaving date", ""),
    (EmployeeField::FirstName, "First name", ""),
    (EmployeeField::MiddleName, "Other name", ""),
    (EmployeeField::LastName, "Last name", ""),
    (EmployeeField::PreferredName, "Known as", ""),
    (EmployeeField::WorkEmail, "Work e-mail", "PeopleHR advises to remove it when somebody leaves"),
    (EmployeeField::PersonalEmail, "Personal e-mail", ""),
    (EmployeeField::Phone, "Mobile or private phone", ""),
    (EmployeeField::WorkPhone, "Work phone", ""),
    (EmployeeField::StartDate, "Start date", "begins anew when somebody is rehired"),
    (EmployeeField::EndDate, "Leaving date", ""),
    (EmployeeField::BirthDate, "Date of birth", ""),
    (EmployeeField::Gender, "Gender", ""),
    (EmployeeField::Department, "Department", ""),
    (EmployeeField::Location, "Location", ""),
    (EmployeeField::Country, "Country, from the address", ""),
    (EmployeeField::JobTitle, "Job role", ""),
    (EmployeeField::Company, "Company", ""),
    (EmployeeField::EmploymentType, "Employment type", ""),
    (EmployeeField::Manager, "Manager, by Employee ID", ""),
];
