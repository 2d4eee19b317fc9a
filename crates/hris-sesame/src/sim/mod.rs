//! A simulated Sesame on a real socket: stateful, written from the vendor's documentation, and sharing no type with
//! the connector, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_sesame::sim::SesameSim;
//! use hris_testkit::population::Population;
//!
//! # hris_testkit::run(async {
//! let sim = SesameSim::start(Population::new(7).size(300).build()).await;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! Faults (401, 429, 5xx, slow answers, HTML with 200, broken pages) are planned with [`SesameSim::faults`], a token
//! is revoked in the middle of a run with [`SesameSim::tokens`], and what the vendor's documentation leaves open is
//! varied with [`SesameSim::behave`].

mod behaviour;
mod lists;
mod render;
mod vendor;

use std::fmt;
use std::sync::Arc;

use hris_testkit::population::{Changes, DayPlan, Population};
use hris_testkit::sim::{Fault, Faults, SimRequest, SimServer, Tokens};
use secrecy::SecretString;

pub use behaviour::{Behaviour, ManagerAnswer, NoManager};

use vendor::{SimulatedSesame, Tenant};

const EMPLOYEES: &str = "/core/v3/employees";

/// Starts, steers and watches a simulated Sesame.
///
/// It has one company at first, [`SesameSim::COMPANY_ID`], which [`SesameSim::TOKEN`] opens. Every person of the
/// population is an employee of it.
pub struct SesameSim {
    server: SimServer,
    sesame: Arc<SimulatedSesame>,
}

impl SesameSim {
    /// The token of the first company: 64 hexadecimal digits, as the vendor's are.
    pub const TOKEN: &'static str = "5e5a3e00c0ffee00d15ea5e00ba5eba11ad0be0defacedfeed5afe0b0bacafe1";
    /// The id of the first company.
    pub const COMPANY_ID: &'static str = "5f0c2b7e-1d52-4a0e-9a53-0c6a4f3f9b10";

    /// Starts with one company of these people.
    pub async fn start(people: Population) -> Self {
        let sesame = Arc::new(SimulatedSesame::default());
        let first = Tenant::new(Self::COMPANY_ID, "Talleres Brisa S.L.", "es-ES", people);
        sesame.add(first, Self::TOKEN);
        let server = SimServer::start(Arc::clone(&sesame)).await;
        Self { server, sesame }
    }

    /// Adds another company with a token of its own.
    pub fn add_company(&self, id: &str, name: &str, token: &str, people: Population) {
        self.sesame.add(Tenant::new(id, name, "en-GB", people), token);
    }

    /// Scheme, host and port, for the connector's base URL.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// [`SesameSim::TOKEN`], as a connector takes it.
    pub fn token(&self) -> SecretString {
        SecretString::from(Self::TOKEN)
    }

    /// The tokens that are accepted; add, revoke, or revoke after so many requests.
    pub fn tokens(&self) -> &Tokens {
        &self.sesame.tokens
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
        self.sesame.behave(change);
    }

    /// The people of the first company, as they are now.
    pub fn people(&self) -> Population {
        self.sesame.with_people(Self::COMPANY_ID, |people| people.clone()).unwrap_or_else(nobody)
    }

    /// Replaces the people of the first company.
    pub fn set_population(&self, people: Population) {
        self.sesame.with_people(Self::COMPANY_ID, |old| *old = people);
    }

    /// Lets the first company go on to the next day.
    pub fn next_day(&self, plan: &DayPlan) -> Changes {
        self.sesame.with_people(Self::COMPANY_ID, |people| people.next_day(plan)).unwrap_or_default()
    }

    /// From now on page `page` of an employee listing repeats the rows of the page before it, so many `times`.
    pub fn repeat_page(&self, page: u64, times: u64) {
        self.sesame.repeat_page(page, times);
    }

    /// Once page `page` of an employee listing was served, `leavers` people are deactivated, so that the rows of the
    /// pages after it move up: a list that shrinks while it is read.
    pub fn shrink_after_page(&self, page: u64, leavers: usize) {
        let sesame = Arc::clone(&self.sesame);
        let shrink = move |served| {
            let plan = DayPlan { leavers, ..DayPlan::quiet() };
            sesame.with_people(Self::COMPANY_ID, |people| people.next_day(&plan));
            served
        };
        self.faults().add(on_page(Fault::change(shrink), page, 1));
    }

    /// Page `page` of an employee listing breaks off in the middle, so many `times`.
    pub fn cut_page(&self, page: u64, times: u64) {
        self.faults().add(on_page(Fault::BrokenJson, page, times));
    }
}

fn on_page(fault: Fault, page: u64, times: u64) -> hris_testkit::sim::FaultRule {
    let page = page.to_string();
    fault.times(times).on_path(EMPLOYEES).on(move |request| request.query("page") == Some(&page))
}

fn nobody() -> Population {
    Population::new(0).size(0).build()
}

impl fmt::Debug for SesameSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesameSim").field("server", &self.server).finish_non_exhaustive()
    }
}
