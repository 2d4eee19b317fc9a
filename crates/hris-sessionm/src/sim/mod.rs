//! A simulated SessionM on a real socket: stateful, written from the vendor's documentation, and sharing no type with
//! the client, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_sessionm::sim::SessionMSim;
//!
//! # hris_testkit::run(async {
//! let sim = SessionMSim::start().await;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! # });
//! ```

mod vendor;

use std::fmt;
use std::sync::Arc;

use hris_testkit::sim::{Faults, SimRequest, SimServer};
use secrecy::SecretString;
use serde_json::{Value, json};

use vendor::SimulatedSessionM;

/// Starts, steers and watches a simulated SessionM: one tenant with both API families on one address.
pub struct SessionMSim {
    server: SimServer,
    sessionm: Arc<SimulatedSessionM>,
}

impl SessionMSim {
    /// The Core key, which is part of every Core URL.
    pub const CORE_KEY: &'static str = "mockCoreKey00000000000000000000A";
    /// The Core secret.
    pub const CORE_SECRET: &'static str = "mockCoreSecret000000000000000000";
    /// The Connect key.
    pub const CONNECT_KEY: &'static str = "mockConnectKey00000000000000000B";
    /// The Connect secret.
    pub const CONNECT_SECRET: &'static str = "mockConnectSecret000000000000000";
    /// The retailer.
    pub const RETAILER_ID: &'static str = "91f2c8de-3f64-4a9b-8a51-7c3f0e6d2b18";

    /// Starts without customers.
    pub async fn start() -> Self {
        let sessionm = Arc::new(SimulatedSessionM::default());
        let server = SimServer::start(Arc::clone(&sessionm)).await;
        Self { server, sessionm }
    }

    /// Scheme, host and port of both families.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The keys of both families, as the client takes them.
    pub fn credentials(&self) -> crate::Credentials {
        let secret = |text: &str| SecretString::from(text);
        crate::Credentials::core(secret(Self::CORE_KEY), secret(Self::CORE_SECRET))
            .with_connect(secret(Self::CONNECT_KEY), secret(Self::CONNECT_SECRET))
    }

    /// Puts a customer there, as the `user` object of an answer, and returns its id.
    pub fn plant_customer(&self, mut user: Value) -> String {
        let id = user["id"].as_str().map_or_else(|| self.sessionm.new_id(), str::to_owned);
        user["id"] = json!(id);
        self.sessionm.plant(user);
        id
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }
}

impl fmt::Debug for SessionMSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMSim").field("server", &self.server).finish_non_exhaustive()
    }
}
