//! The connector: Merge as [`HrisConnector`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{
    Account, Capabilities, Descriptor, EmployeeField, EmployeeRef, Error, ErrorKind, FieldDescriptor,
    FieldSet, HrisConnector, Lookup, ReadEvent, ReadQuery, Result, Scope,
};
use hris_http::{RetryPolicy, Transport};

use crate::client::Login;
use crate::config::{DeletionTrust, MergeConfig, MergeCredentials, REMOTE_ID};
use crate::lookup::{look_up, people};
use crate::readiness::{LinkedAccount, judge};
use crate::reading::everyone;
use crate::remote::{RemoteData, remote_data};

pub(crate) static DESCRIPTOR: Descriptor = Descriptor::new("merge", "Merge", REMOTE_ID);

/// A connection to one linked account in Merge. Made by [`MergeConfig::build`]; cheap to clone.
///
/// A clone remembers the same linked account.
#[derive(Clone)]
pub struct MergeConnector {
    login: Arc<Login>,
}

impl MergeConfig {
    /// Makes a connector. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if a value is out of its bounds, or one of the secrets is
    /// empty, has white space around it or characters that no header can hold.
    pub fn build(self, credentials: &MergeCredentials, transport: &Transport) -> Result<MergeConnector> {
        self.validate()?;
        let login = Login::new(Arc::new(self), credentials, transport)?;
        Ok(MergeConnector { login: Arc::new(login) })
    }
}

impl MergeConnector {
    /// Tries and waits by another policy. Call it before the first use: what was remembered is forgotten.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.login = Arc::new(self.login.with_policy(policy));
        self
    }

    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// What the HR system itself said about a person, word for word. It is asked for here and nowhere else.
    ///
    /// Empty where the linked account's scopes do not have remote data of employees switched on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if Merge has no such person, [`ErrorKind::Invalid`] if the record id is blank.
    pub async fn remote_data(&self, who: &EmployeeRef) -> Result<Vec<RemoteData>> {
        remote_data(&self.login.client().await?, who).await
    }
}

#[async_trait]
impl HrisConnector for MergeConnector {
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
        capabilities.tombstones = self.login.config().deletions != DeletionTrust::Ignored;
        capabilities.modified_at = true;
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        let checked = self.login.check().await?;
        let (sync, at) = checked.client.sync().await?;
        let now = at.or(checked.at).unwrap_or_else(|| checked.client.clock().now());
        let linked = checked.account;
        let mut account = Account::new(linked.id.clone());
        account.name.clone_from(&linked.organization);
        match judge(&linked, sync.as_ref(), self.login.config(), now) {
            Ok(readiness) => account.not_ready = readiness.stale,
            Err(error) if error.kind() == ErrorKind::NotReady => {
                account.not_ready = Some(match error.hint() {
                    Some(hint) => format!("{}; {hint}", error.message()),
                    None => error.message().to_owned(),
                });
            }
            Err(error) => return Err(error),
        }
        account.remarks = remarks(&linked);
        Ok(account)
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let login = Arc::clone(&self.login);
        match query.scope {
            Scope::Everyone => everyone(login, query.fields, None),
            Scope::ChangedSince(watermark) => everyone(login, query.fields, Some(watermark)),
            Scope::People(some) => people(login, query.fields, some),
            _ => {
                let error = Error::unsupported("this connector does not know how to read such a scope");
                stream::once(async { Err(error) }).boxed()
            }
        }
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        look_up(&self.login.client().await?, fields, who).await
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        let own = self.login.client().await?.own_fields().await?;
        let offered = OFFERED.iter().map(|(field, label, remark)| {
            let described = FieldDescriptor::new(*field, *label);
            if remark.is_empty() { described } else { described.with_remark(*remark) }
        });
        Ok(offered.chain(own).collect())
    }
}

/// What the person who authorises may want to know.
fn remarks(account: &LinkedAccount) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(integration) = &account.integration {
        remarks.push(format!("The linked HR system is {integration}."));
    }
    if account.is_duplicate {
        remarks.push("Merge takes this linked account for a duplicate of another one.".to_owned());
    }
    if account.is_test {
        remarks.push("This is a test account: it was linked with a test key.".to_owned());
    }
    remarks
}

const BY_HR_SYSTEM: &str = "not every HR system delivers it to Merge";

/// What a mapping can read in every account: the field, its label, and what is remarkable about it.
pub(crate) const OFFERED: &[(EmployeeField, &str, &str)] = &[
    (EmployeeField::RecordId, "Record id", "the HR system's own, or Merge's by configuration"),
    (EmployeeField::EmployeeId, "Employee number", BY_HR_SYSTEM),
    (EmployeeField::Status, "Employment status", ""),
    (EmployeeField::FirstName, "First name", ""),
    (EmployeeField::LastName, "Last name", ""),
    (EmployeeField::PreferredName, "Preferred name", BY_HR_SYSTEM),
    (EmployeeField::WorkEmail, "Work e-mail", BY_HR_SYSTEM),
    (EmployeeField::PersonalEmail, "Personal e-mail", BY_HR_SYSTEM),
    (EmployeeField::Phone, "Mobile phone", BY_HR_SYSTEM),
    (
        EmployeeField::StartDate,
        "Start date",
        "the latest one after a return; not every HR system delivers it to Merge",
    ),
    (EmployeeField::EndDate, "Termination date", "may lie ahead; not every HR system delivers it to Merge"),
    (EmployeeField::BirthDate, "Date of birth", BY_HR_SYSTEM),
    (EmployeeField::Gender, "Gender", BY_HR_SYSTEM),
    (EmployeeField::Department, "Department", "the group of that kind; of several the first by name"),
    (EmployeeField::Location, "Work location", ""),
    (EmployeeField::Country, "Country", "of the work location"),
    (EmployeeField::JobTitle, "Job title", "of the latest position; without dates, of the one changed last"),
    (EmployeeField::EmploymentType, "Employment type", "of the latest position"),
    (EmployeeField::Company, "Company", ""),
    (EmployeeField::Manager, "Manager", BY_HR_SYSTEM),
];

impl fmt::Debug for MergeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeConnector").field("config", self.login.config()).finish_non_exhaustive()
    }
}
