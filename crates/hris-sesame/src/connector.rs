//! The connector: Sesame as [`HrisConnector`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{
    Account, Capabilities, Descriptor, EmployeeField, EmployeeRef, Error, FieldDescriptor, FieldSet,
    HrisConnector, Lookup, ReadEvent, ReadQuery, RecordIdKind, Result, Scope, SourceField,
};
use hris_http::{RetryPolicy, Transport};
use secrecy::SecretString;

use crate::cache::{DetailCache, MemoryDetailCache};
use crate::catalogue::{Definition, catalogue};
use crate::client::Login;
use crate::config::{SesameConfig, StatusStrategy};
use crate::lookup::{people, person};
use crate::reading::everyone;

/// The kind of Sesame's record ids: the uuid `id` of an employee.
pub(crate) const RECORD_ID_KIND: RecordIdKind = RecordIdKind::new("sesame.employee.id");

/// Dates in custom fields are the customer's free text.
pub(crate) static DESCRIPTOR: Descriptor =
    Descriptor::new("sesame", "Sesame HR", RECORD_ID_KIND).asking_date_format();

/// A connection to one company in Sesame. Made by [`SesameConfig::build`]; cheap to clone.
///
/// A clone remembers the same company and shares the cache.
#[derive(Clone)]
pub struct SesameConnector {
    login: Arc<Login>,
    cache: Arc<dyn DetailCache>,
}

impl SesameConfig {
    /// Makes a connector. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if a value is out of its bounds, or the token is empty, has
    /// white space around it or characters that no header can hold.
    pub fn build(self, token: &SecretString, transport: &Transport) -> Result<SesameConnector> {
        self.validate()?;
        let login = Login::new(Arc::new(self), token, transport)?;
        Ok(SesameConnector { login: Arc::new(login), cache: Arc::new(MemoryDetailCache::new()) })
    }
}

impl SesameConnector {
    /// Keeps contract dates and line managers in another cache than its own memory.
    #[must_use]
    pub fn with_detail_cache(mut self, cache: Arc<dyn DetailCache>) -> Self {
        self.cache = cache;
        self
    }

    /// Tries and waits by another policy. Call it before the first use: what was remembered is forgotten.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.login = Arc::new(self.login.with_policy(policy));
        self
    }
}

#[async_trait]
impl HrisConnector for SesameConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.reads_leavers = true;
        capabilities.has_status = true;
        capabilities.single_read = true;
        capabilities.proves_absence = self.login.config().status_strategy == StatusStrategy::TwoPass;
        capabilities.modified_at = true;
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        let client = self.login.check().await?;
        let company = client.company();
        let mut account = Account::new(company.id.clone());
        account.name.clone_from(&company.name);
        account.remarks.push(NO_SCOPES.to_owned());
        Ok(account)
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        match query.scope {
            Scope::Everyone => everyone(Arc::clone(&self.login), Arc::clone(&self.cache), query.fields),
            Scope::People(some) => {
                people(Arc::clone(&self.login), Arc::clone(&self.cache), query.fields, some)
            }
            _ => {
                let error = Error::unsupported("Sesame cannot list only the people changed since an instant");
                stream::once(async { Err(error) }).boxed()
            }
        }
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        let client = self.login.client().await?;
        let found = person(&client, Arc::clone(&self.cache), fields, who).await?;
        Ok(found.map_or(Lookup::NotFound, |(employee, _)| Lookup::Found(Box::new(employee))))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        let definitions = catalogue(&self.login.client().await?).await?;
        let own = OFFERED.iter().map(|(field, label, remark)| {
            let described = FieldDescriptor::new(*field, *label);
            if remark.is_empty() { described } else { described.with_remark(*remark) }
        });
        Ok(own.chain(definitions.into_iter().map(described)).collect())
    }
}

/// Said once, when the person who authorises may want to know it.
pub(crate) const NO_SCOPES: &str = "A Sesame token has no scopes: it opens everything that the company's API offers. This \
                         connection only reads employees and, where mapped, their departments, offices, contracts and \
                         line managers.";
const ONE_REQUEST_EACH: &str = "costs a request per person; cached, and left alone for people who have left";

/// What a mapping can read in every account: the field, its label, and what is remarkable about it.
pub(crate) const OFFERED: &[(EmployeeField, &str, &str)] = &[
    (EmployeeField::RecordId, "Record id", ""),
    (EmployeeField::EmployeeId, "Employee ID", "the company's own number, or the record id by configuration"),
    (EmployeeField::Status, "Employment status", ""),
    (EmployeeField::FirstName, "First name", ""),
    (EmployeeField::LastName, "Last name", "both last names, unless configured otherwise"),
    (EmployeeField::WorkEmail, "E-mail", "the address that the person logs in with"),
    (EmployeeField::PersonalEmail, "Personal e-mail", ""),
    (EmployeeField::Phone, "Phone", ""),
    (EmployeeField::WorkPhone, "Work phone", ""),
    (EmployeeField::StartDate, "Start date", ONE_REQUEST_EACH),
    (EmployeeField::EndDate, "End date", ONE_REQUEST_EACH),
    (EmployeeField::BirthDate, "Date of birth", ""),
    (EmployeeField::Gender, "Gender", ""),
    (EmployeeField::Department, "Department", "the one assigned last"),
    (EmployeeField::Location, "Office", "the one assigned last"),
    (EmployeeField::Country, "Country", ""),
    (EmployeeField::JobTitle, "Job position", ""),
    (EmployeeField::Company, "Company", ""),
    (EmployeeField::Language, "Language", "the company's where the person has none"),
    (EmployeeField::TimeZone, "Time zone", "that of the office, or the configured one"),
    (EmployeeField::Manager, "Line manager", ONE_REQUEST_EACH),
];

/// A custom field, by the id that stays when somebody renames it.
fn described(definition: Definition) -> FieldDescriptor {
    let Definition { id, slug, name } = definition;
    let remark = format!("text; also known as custom:{slug}");
    FieldDescriptor::new(SourceField::Custom(id.into()), name).with_remark(remark)
}

impl fmt::Debug for SesameConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesameConnector").field("config", self.login.config()).finish_non_exhaustive()
    }
}
