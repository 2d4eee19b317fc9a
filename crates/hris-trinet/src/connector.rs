//! The connector: TriNet as [`HrisConnector`].

use std::fmt;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{
    Account, Capabilities, Descriptor, EmployeeField, EmployeeRef, Error, FieldDescriptor, FieldSet,
    HrisConnector, Lookup, ReadEvent, ReadQuery, RecordIdKind, Result, Scope, SourceField,
};
use hris_http::{RetryPolicy, Transport};
use secrecy::SecretString;

use crate::client::{Client, ViewType};
use crate::config::TriNetConfig;
use crate::convert::{CUSTOM, Projection};
use crate::errors::is_fatal;
use crate::reading::everyone;
use crate::wire::read_page;

/// The kind of TriNet's record ids: `employeeId`, TriNet's own.
pub(crate) const RECORD_ID_KIND: RecordIdKind = RecordIdKind::new("trinet.employee.id");

pub(crate) static DESCRIPTOR: Descriptor = Descriptor::new("trinet", "TriNet", RECORD_ID_KIND);

/// A connection to one company in TriNet (the PEO, not the HR Platform that was Zenefits). Made by
/// [`TriNetConfig::build`]; cheap to clone, and clones share one access token.
#[derive(Clone)]
pub struct TriNetConnector {
    client: Client,
}

impl TriNetConfig {
    /// Makes a connector from the Client ID and the Client Secret that TriNet shows once. White space around them is
    /// dropped. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if a value is out of its bounds, the company id is blank or
    /// has a slash, or a secret is empty.
    pub fn build(
        self,
        client_id: &SecretString,
        client_secret: &SecretString,
        transport: &Transport,
    ) -> Result<TriNetConnector> {
        self.validate()?;
        Ok(TriNetConnector { client: Client::new(self, client_id, client_secret, transport)? })
    }
}

impl TriNetConnector {
    /// A connection to another company that the same credentials open. Both share one access token, and one budget.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if the company id is blank or has a slash.
    pub fn for_company(&self, company_id: impl Into<String>) -> Result<Self> {
        Ok(Self { client: self.client.for_company(company_id.into())? })
    }

    /// Tries and waits by another policy. Call it before the first use: the result has no access token so far, and
    /// shares none with `self`.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.client = self.client.with_policy(policy);
        self
    }

    /// Asks for one row of the employee list and keeps nothing of it: whether the list is granted, and whether the
    /// credentials open this company at all, nothing else can tell.
    async fn try_list(&self) -> Result<()> {
        let config = self.client.config();
        let projection =
            Projection::new(FieldSet::default(), config, self.client.clock().now().date_naive())?;
        let read = |body: &[u8]| read_page(projection.seed(), body).map(drop);
        self.client.employees(ViewType::Basic, None, (1, config.offset_base.into()), read).await
    }
}

#[async_trait]
impl HrisConnector for TriNetConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.reads_leavers = true;
        capabilities.has_status = true;
        capabilities.proves_absence = self.client.config().status_passes.is_empty();
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        let mut account = Account::new(self.client.config().company());
        self.try_list().await?;
        let company = match self.client.company().await {
            Ok(company) => Some(company),
            Err(error) if is_fatal(&error) => return Err(error),
            Err(_) => None,
        };
        match company {
            Some(company) => {
                if company.has_left {
                    account.remarks.push(COMPANY_HAS_LEFT.to_owned());
                }
                account.name = company.name;
            }
            None => account.remarks.push(NO_COMPANY_RECORD.to_owned()),
        }
        let scopes = self.client.scopes();
        if scopes.has("hr-pay-read") == Some(true) {
            account.remarks.push(PAY_IS_OPEN.to_owned());
        }
        if scopes.has("hr-personal-read") == Some(false) {
            account.remarks.push(NO_PERSONAL_DATA.to_owned());
        }
        Ok(account)
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let unsupported = match query.scope {
            Scope::Everyone => return everyone(self.client.clone(), query.fields),
            Scope::People(_) => NO_SINGLE_READ,
            _ => "TriNet cannot list only the people changed since an instant",
        };
        stream::once(async move { Err(Error::unsupported(unsupported)) }).boxed()
    }

    async fn employee(&self, _who: &EmployeeRef, _fields: &FieldSet) -> Result<Lookup> {
        Err(Error::unsupported(NO_SINGLE_READ))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        let canonical = OFFERED.iter().map(|(field, label, remark)| {
            let described = FieldDescriptor::new(*field, *label);
            if remark.is_empty() { described } else { described.with_remark(*remark) }
        });
        let custom = CUSTOM
            .iter()
            .map(|(name, _, label)| FieldDescriptor::new(SourceField::Custom((*name).into()), *label));
        Ok(canonical.chain(custom).collect())
    }
}

const NO_SINGLE_READ: &str = "TriNet offers no way to read single people; read everyone";
const COMPANY_HAS_LEFT: &str = "TriNet says that this company has ended its contract, or will; the directory may end \
                                with it.";
const NO_COMPANY_RECORD: &str = "TriNet does not grant these credentials the company's record (org-details), so that \
                                 the company's name and time zone are not known.";
const PAY_IS_OPEN: &str = "These credentials also open pay data (scope hr-pay-read), which this connection never \
                           reads; TriNet can take that scope away.";
const NO_PERSONAL_DATA: &str = "These credentials lack the scope hr-personal-read, so that dates of birth are probably \
                                not available; birthday campaigns need them.";
const FULL_VIEW: &str = "needs the full view (scope hr-personal-read)";

/// What a mapping can read in every account: the field, its label, and what is remarkable about it.
pub(crate) const OFFERED: &[(EmployeeField, &str, &str)] = &[
    (EmployeeField::RecordId, "Record id", "the Employee ID"),
    (EmployeeField::EmployeeId, "Employee ID", "TriNet's own; the company's number is Alternate ID"),
    (EmployeeField::Status, "Employment status", "a leaver stays active until the final pay run"),
    (EmployeeField::FirstName, "First name", "the legal one, unless configured otherwise"),
    (EmployeeField::MiddleName, "Middle name", ""),
    (EmployeeField::LastName, "Last name", "the legal one, unless configured otherwise"),
    (EmployeeField::PreferredName, "Preferred first name", ""),
    (EmployeeField::WorkEmail, "Work e-mail", "the only address that TriNet has"),
    (EmployeeField::WorkPhone, "Work phone", ""),
    (EmployeeField::Phone, "Home phone", FULL_VIEW),
    (EmployeeField::StartDate, "Service date", ""),
    (EmployeeField::EndDate, "Termination date", ""),
    (EmployeeField::BirthDate, "Date of birth", FULL_VIEW),
    (EmployeeField::Gender, "Gender", FULL_VIEW),
    (EmployeeField::Department, "Department", ""),
    (EmployeeField::Location, "Location", ""),
    (EmployeeField::Country, "Home country", FULL_VIEW),
    (EmployeeField::JobTitle, "Business title", "the title of the job code where there is none"),
    (EmployeeField::Company, "Company", "one request more; the same for everybody"),
    (EmployeeField::EmploymentType, "Employee type", "full time or part time, in TriNet's word"),
    (EmployeeField::TimeZone, "Time zone", "one request more; the company's"),
    (EmployeeField::Manager, "Supervisor", ""),
];

impl fmt::Debug for TriNetConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriNetConnector").field("config", self.client.config()).finish_non_exhaustive()
    }
}
