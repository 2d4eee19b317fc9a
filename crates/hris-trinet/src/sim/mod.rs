//! A simulated TriNet on a real socket: stateful, written from the vendor's documentation, and sharing no type with
//! the connector, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_testkit::population::Population;
//! use hris_trinet::sim::TriNetSim;
//!
//! # hris_testkit::run(async {
//! let sim = TriNetSim::start(Population::new(7).size(300).build()).await;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! Faults (401, 429, 5xx, slow answers, HTML with 200, broken pages) are planned with [`TriNetSim::faults`], access
//! tokens are withdrawn in the middle of a run with [`TriNetSim::tokens`] and the credentials behind them with
//! [`TriNetSim::revoke_client`], and what the vendor's documentation leaves open is varied with [`TriNetSim::behave`].

mod behaviour;
mod render;
mod vendor;

use std::fmt;
use std::sync::Arc;

use hris_testkit::population::{Changes, DayPlan, Population};
use hris_testkit::sim::{Fault, FaultRule, Faults, SimRequest, SimServer, Tokens};
use secrecy::SecretString;

pub use behaviour::{Behaviour, BirthPlace, DateStyle, Refusal, TokenLife, Total};

use vendor::SimulatedTriNet;

/// Starts, steers and watches a simulated TriNet.
///
/// It has one company at first, [`TriNetSim::COMPANY_ID`], which [`TriNetSim::CLIENT_ID`] and
/// [`TriNetSim::CLIENT_SECRET`] open. Every person of the population is an employee of it, under an `employeeId` that
/// follows from their position ([`TriNetSim::employee_id`]); their employee number is the `alternateId`.
pub struct TriNetSim {
    server: SimServer,
    trinet: Arc<SimulatedTriNet>,
}

impl TriNetSim {
    /// The Company ID of the first company.
    pub const COMPANY_ID: &'static str = "X7Q";
    /// The Client ID that opens it: 32 characters.
    pub const CLIENT_ID: &'static str = "mockClientId0000000000000000000A";
    /// The Client Secret that opens it: 32 characters.
    pub const CLIENT_SECRET: &'static str = "mockClientSecret0000000000000000";
    /// An identity number that the full view has of everybody, and that nothing may ever show.
    pub const DECOY: &'static str = render::DECOY;

    /// Starts with one company of these people.
    pub async fn start(people: Population) -> Self {
        let trinet = Arc::new(SimulatedTriNet::default());
        trinet.add_company(Self::COMPANY_ID, "Acme Example Co", people);
        trinet.add_client(Self::CLIENT_ID, Self::CLIENT_SECRET, &[Self::COMPANY_ID]);
        let server = SimServer::start(Arc::clone(&trinet)).await;
        Self { server, trinet }
    }

    /// Adds another company, which no credentials open yet.
    pub fn add_company(&self, id: &str, name: &str, people: Population) {
        self.trinet.add_company(id, name, people);
    }

    /// Adds credentials that open these companies.
    pub fn add_client(&self, id: &str, secret: &str, companies: &[&str]) {
        self.trinet.add_client(id, secret, companies);
    }

    /// Withdraws credentials, as when somebody disconnects the integration. Access tokens live on.
    pub fn revoke_client(&self, id: &str) {
        self.trinet.revoke_client(id);
    }

    /// Scheme, host and port, for the connector's base URL.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// [`TriNetSim::CLIENT_ID`], as a connector takes it.
    pub fn client_id(&self) -> SecretString {
        SecretString::from(Self::CLIENT_ID)
    }

    /// [`TriNetSim::CLIENT_SECRET`], as a connector takes it.
    pub fn client_secret(&self) -> SecretString {
        SecretString::from(Self::CLIENT_SECRET)
    }

    /// The access tokens that are accepted; withdraw them, or after so many requests. New ones are issued on request.
    pub fn tokens(&self) -> &Tokens {
        &self.trinet.tokens
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The paths of the requests so far whose path starts with `prefix`, in order.
    pub fn paths(&self, prefix: &str) -> Vec<String> {
        let requests = self.server.requests();
        let paths = requests.iter().map(|request| request.path().to_owned());
        paths.filter(|path| path.starts_with(prefix)).collect()
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// Changes how the vendor behaves where its documentation leaves that open, from the next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.trinet.behave(change);
    }

    /// The `employeeId` of the person at a position of the population.
    pub fn employee_id(position: usize) -> String {
        render::employee_id(position)
    }

    /// The position of the person with an `employeeId`, if it has the form of one.
    pub fn position_of(employee_id: &str) -> Option<usize> {
        render::position_of(employee_id)
    }

    /// The people of the first company, as they are now.
    pub fn people(&self) -> Population {
        let nobody = || Population::new(0).size(0).build();
        self.trinet.with_people(Self::COMPANY_ID, |people| people.clone()).unwrap_or_else(nobody)
    }

    /// Replaces the people of the first company.
    pub fn set_population(&self, people: Population) {
        self.trinet.with_people(Self::COMPANY_ID, |old| *old = people);
    }

    /// Lets the first company go on to the next day.
    pub fn next_day(&self, plan: &DayPlan) -> Changes {
        self.trinet.with_people(Self::COMPANY_ID, |people| people.next_day(plan)).unwrap_or_default()
    }

    /// From now on page `page` of the employee list repeats the rows of the page before it, so many `times`.
    pub fn repeat_page(&self, page: u64, times: u64) {
        self.trinet.repeat_page(page, times);
    }

    /// Once the page from `offset` was served, `people` people vanish from the list, so that the rows after it move
    /// up: a list that shrinks while it is read.
    pub fn shrink_after_offset(&self, offset: u64, people: usize) {
        let trinet = Arc::clone(&self.trinet);
        let shrink = move |served| {
            let plan = DayPlan { vanished: people, ..DayPlan::quiet() };
            trinet.with_people(Self::COMPANY_ID, |people| people.next_day(&plan));
            served
        };
        self.faults().add(Self::on_offset(Fault::change(shrink).once(), offset));
    }

    /// A fault of the page of the employee list that begins at `offset`.
    pub fn on_offset(rule: FaultRule, offset: u64) -> FaultRule {
        let offset = offset.to_string();
        rule.on(move |request| {
            request.path().ends_with("/employees") && request.query("offset") == Some(&offset)
        })
    }
}

impl fmt::Debug for TriNetSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriNetSim").field("server", &self.server).finish_non_exhaustive()
    }
}
