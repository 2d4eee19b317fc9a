//! The vendors that a program can connect to, listed by explicit calls.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hris_core::descriptor::{CredentialStep, Integration, Place, search};
use hris_core::{Error, HrisConnector, Result};
use hris_http::Transport;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Credentials, options, vendors};

/// Makes a connector from a vendor's options and credentials. It sends nothing.
type Build =
    dyn Fn(&Map<String, Value>, &Credentials, &Transport) -> Result<Arc<dyn HrisConnector>> + Send + Sync;

/// One vendor: how to name it, what it needs, and how a connector is made.
pub struct Vendor {
    name: Cow<'static, str>,
    display_name: Cow<'static, str>,
    credentials: Vec<Credential>,
    integration: Option<Integration>,
    build: Box<Build>,
}

/// A secret that a vendor's connector needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// Its name in configurations, such as `token`.
    pub name: Cow<'static, str>,
    /// What it is and where to find it, for the person who sets a connection up.
    pub about: Cow<'static, str>,
    /// Whether the connector can do without.
    pub optional: bool,
}

impl Credential {
    /// A secret that has to be there.
    pub fn new(name: impl Into<Cow<'static, str>>, about: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), about: about.into(), optional: false }
    }

    /// A secret that may be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    fn of(step: &CredentialStep) -> Self {
        let about = format!("{}. {}", step.label, step.answer.join(" "));
        Self { name: step.name.clone(), about: about.trim_end().to_owned().into(), optional: step.optional }
    }
}

impl Vendor {
    /// A vendor without credentials; see [`Vendor::with_credential`].
    ///
    /// `build` gets the options as the configuration has them, an empty table if it has none, and should refuse
    /// those that it does not know. The credentials were checked against those that are declared.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        display_name: impl Into<Cow<'static, str>>,
        build: impl Fn(&Map<String, Value>, &Credentials, &Transport) -> Result<Arc<dyn HrisConnector>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            display_name: display_name.into(),
            credentials: Vec::new(),
            integration: None,
            build: Box::new(build),
        }
    }

    /// A vendor whose options are a serde type, read before `build` gets them.
    ///
    /// Options that do not fit it are refused with their path and never with their value, which may be a secret in
    /// the wrong place. A type with `#[serde(default, deny_unknown_fields)]` serves best.
    pub fn configured<C: DeserializeOwned>(
        name: impl Into<Cow<'static, str>>,
        display_name: impl Into<Cow<'static, str>>,
        build: impl Fn(C, &Credentials, &Transport) -> Result<Arc<dyn HrisConnector>> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, display_name, move |options, credentials, transport| {
            build(options::read(options)?, credentials, transport)
        })
    }

    /// A vendor with everything that an application shows of it: its names and credentials are those of the
    /// integration. Options are read as by [`Vendor::configured`].
    pub fn described<C: DeserializeOwned>(
        integration: Integration,
        build: impl Fn(C, &Credentials, &Transport) -> Result<Arc<dyn HrisConnector>> + Send + Sync + 'static,
    ) -> Self {
        let credentials = integration.steps.iter().filter(|step| step.place == Place::Credential);
        let credentials = credentials.map(Credential::of).collect();
        let vendor = Self::configured(integration.vendor.clone(), integration.display_name.clone(), build);
        Self { credentials, integration: Some(integration), ..vendor }
    }

    /// Declares a secret.
    #[must_use]
    pub fn with_credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// The name in configurations.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name to show to people.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// What an application shows of it, if it came with that ([`Vendor::described`]).
    pub fn integration(&self) -> Option<&Integration> {
        self.integration.as_ref()
    }

    /// The secrets.
    pub fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    fn check(&self, credentials: &Credentials) -> Result<()> {
        for declared in self.credentials.iter().filter(|declared| !declared.optional) {
            let found = credentials.get(&declared.name);
            found.map_err(|error| error.with_context("vendor", &self.name))?;
        }
        let is_declared = |name: &str| self.credentials.iter().any(|declared| declared.name == name);
        let Some(unknown) = credentials.names().find(|name| !is_declared(name)) else {
            return Ok(());
        };
        let known: Vec<_> = self.credentials.iter().map(|declared| &*declared.name).collect();
        Err(Error::config(
            format!("{} has no credential `{unknown}`", self.name),
            format!("it has: {}", known.join(", ")),
        ))
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("name", &self.name)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// What an application shows of every vendor, as one document.
///
#[cfg_attr(feature = "sesame", doc = "```")]
#[cfg_attr(not(feature = "sesame"), doc = "```ignore")]
/// let catalogue = hris::Registry::builtin().catalogue();
/// let json = serde_json::to_string_pretty(&catalogue)?;
/// assert_eq!(serde_json::from_str::<hris::Catalogue>(&json)?, catalogue);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Catalogue {
    /// The version of the document's form; it grows when a reader of the old form would misread the new one.
    pub version: u32,
    /// The integrations in the order of their names.
    pub integrations: Vec<Integration>,
}

impl Catalogue {
    /// The version that this crate writes.
    pub const VERSION: u32 = 1;

    /// The JSON schema of the document.
    #[cfg(feature = "schema")]
    pub fn schema() -> Value {
        schemars::schema_for!(Catalogue).to_value()
    }
}

/// The vendors that a program can connect to.
///
/// ```
/// use hris::{Credentials, Registry};
/// use hris::http::Transport;
/// let transport = Transport::builder().build()?;
/// let error = Registry::builtin().build("acme", &Default::default(), &Credentials::new(), &transport).unwrap_err();
/// assert!(error.to_string().contains("`acme`"));
/// # Ok::<(), hris::core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Registry {
    vendors: BTreeMap<String, Vendor>,
}

impl Registry {
    /// No vendor.
    pub fn new() -> Self {
        Self::default()
    }

    /// The vendors whose features are switched on.
    pub fn builtin() -> Self {
        let named = vendors::all().into_iter().map(|vendor| (vendor.name().to_owned(), vendor));
        Self { vendors: named.collect() }
    }

    /// Adds a vendor.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if the name is taken.
    pub fn register(&mut self, vendor: Vendor) -> Result<()> {
        if self.vendors.contains_key(vendor.name()) {
            let name = vendor.name();
            return Err(Error::config(
                format!("there is a vendor `{name}` already"),
                "register it under another name",
            ));
        }
        self.vendors.insert(vendor.name().to_owned(), vendor);
        Ok(())
    }

    /// The vendors in the order of their names.
    pub fn vendors(&self) -> impl ExactSizeIterator<Item = &Vendor> {
        self.vendors.values()
    }

    /// One vendor.
    pub fn vendor(&self, name: &str) -> Option<&Vendor> {
        self.vendors.get(name)
    }

    /// The integrations that a text finds, best first; an empty text finds all, by name. See
    /// [`search`](hris_core::descriptor::search).
    pub fn search(&self, query: &str) -> Vec<&Integration> {
        search(self.vendors().filter_map(Vendor::integration), query)
    }

    /// All integrations by name, for an application that is written in another language or runs elsewhere.
    pub fn catalogue(&self) -> Catalogue {
        let integrations = self.search("").into_iter().cloned().collect();
        Catalogue { version: Catalogue::VERSION, integrations }
    }

    /// Builds a connector. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) for an unknown vendor, a credential that is missing or too
    /// many, and options that cannot work.
    pub fn build(
        &self,
        vendor: &str,
        options: &Map<String, Value>,
        credentials: &Credentials,
        transport: &Transport,
    ) -> Result<Arc<dyn HrisConnector>> {
        let found = self.vendor(vendor).ok_or_else(|| self.unknown(vendor))?;
        found.check(credentials)?;
        (found.build)(options, credentials, transport)
    }

    fn unknown(&self, vendor: &str) -> Error {
        let known: Vec<_> = self.vendors().map(Vendor::name).collect();
        let hint = match known.as_slice() {
            [] => "no vendor's feature is switched on, and none was registered".to_owned(),
            known => format!("this program knows: {}", known.join(", ")),
        };
        Error::config(format!("the vendor `{vendor}` is not known"), hint)
    }
}
