//! A simulated PeopleHR on a real socket: stateful, written from the vendor's documentation and from recorded answers, and
//! sharing no type with the connector, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_peoplehr::sim::PeopleHrSim;
//! use hris_testkit::population::Population;
//!
//! # hris_testkit::run(async {
//! let sim = PeopleHrSim::start(Population::new(7).size(300).build()).await;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! Faults (429, 5xx, slow answers, HTML with 200, broken bodies) are planned with [`PeopleHrSim::faults`], keys are
//! withdrawn with [`PeopleHrSim::revoke_key`], people leave, return, vanish and get other ids by the methods named so, and
//! what the vendor's documentation leaves open is varied with [`PeopleHrSim::behave`].

mod behaviour;
mod render;
mod vendor;

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use hris_testkit::population::{Changes, DayPlan, Population};
use hris_testkit::sim::{Faults, SimRequest, SimServer};
use secrecy::SecretString;

pub use behaviour::{Behaviour, BusyForm, FlagSpelling, LeaverCode, NoResult, ThrottleForm};

use vendor::SimulatedPeopleHr;

/// What a key may do, as the tick boxes of PeopleHR have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Employee: Get All Employee Detail.
    GetAllEmployeeDetail,
    /// Employee: Get Employee Detail By Id.
    GetEmployeeDetailById,
    /// The company's own record. It has no box of its own in the set-up pages that are known.
    GetCompanyInformation,
    /// Query: results of saved queries.
    Query,
}

impl Permission {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::GetAllEmployeeDetail, Self::GetEmployeeDetailById, Self::GetCompanyInformation, Self::Query];
}

/// Starts, steers and watches a simulated PeopleHR.
///
/// It has one company at first, [`PeopleHrSim::COMPANY_ID`], which [`PeopleHrSim::KEY`] opens. Every person of the
/// population is an employee of it: their employee number is the `EmployeeId`, their record id the `UniqueKey`. It is the
/// population's day there, until [`PeopleHrSim::set_today`] says otherwise.
pub struct PeopleHrSim {
    server: SimServer,
    vendor: Arc<SimulatedPeopleHr>,
}

impl PeopleHrSim {
    /// The `CompanyId` of the first company.
    pub const COMPANY_ID: &'static str = "70001";
    /// The API key that opens it.
    pub const KEY: &'static str = "00000000-1111-4222-8333-444444444444";
    /// The name of the saved query that every company has.
    pub const QUERY: &'static str = "Rewards feed";
    /// What stands in every field that nothing may ever show: bank details, identity numbers, documents, contacts.
    pub const DECOY: &'static str = render::DECOY;

    /// Starts with one company of these people.
    pub async fn start(people: Population) -> Self {
        let vendor = Arc::new(SimulatedPeopleHr::default());
        vendor.add_company(70_001, "Bramble & Finch Ltd", people);
        vendor.add_key(Self::KEY, 70_001, Permission::ALL);
        let server = SimServer::start(Arc::clone(&vendor)).await;
        Self { server, vendor }
    }

    /// Adds another company, which no key opens yet.
    pub fn add_company(&self, id: u32, name: &str, people: Population) {
        self.vendor.add_company(id, name, people);
    }

    /// Adds a key that opens a company, with these permissions. It may be any text, also one that is no uuid.
    pub fn add_key(&self, key: &str, company: u32, permissions: &[Permission]) {
        self.vendor.add_key(key, company, permissions);
    }

    /// Deletes a key, as an administrator does who revokes the access.
    pub fn revoke_key(&self, key: &str) {
        self.vendor.revoke_key(key);
    }

    /// Scheme, host and port, for the connector's base URL.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// [`PeopleHrSim::KEY`], as a connector takes it.
    pub fn key(&self) -> SecretString {
        SecretString::from(Self::KEY)
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The actions that were asked for so far, in order.
    pub fn actions(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.iter().filter_map(|request| Self::action(request)).collect()
    }

    /// The action that a request asks for.
    pub fn action(request: &SimRequest) -> Option<String> {
        request.json()?.get("Action")?.as_str().map(str::to_owned)
    }

    /// Whether a request asks for the listing of employees.
    pub fn is_listing(request: &SimRequest) -> bool {
        Self::action(request).as_deref() == Some("GetAllEmployeeDetail")
    }

    /// Whether a request asks for the listing of everybody, leavers included.
    pub fn is_listing_of_everybody(request: &SimRequest) -> bool {
        let flag = request.json().and_then(|body| body.get("IncludeLeavers").cloned());
        Self::is_listing(request) && flag.is_some_and(|flag| flag == "true" || flag == true)
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// Changes how the vendor behaves where its documentation leaves that open, from the next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.vendor.behave(change);
    }

    /// Says which day it is.
    pub fn set_today(&self, day: NaiveDate) {
        self.vendor.set_today(day);
    }

    /// The people of the first company, as they are now.
    pub fn people(&self) -> Population {
        let nobody = || Population::new(0).size(0).build();
        self.vendor.with_people(70_001, |people| people.clone()).unwrap_or_else(nobody)
    }

    /// Replaces the people of the first company.
    pub fn set_population(&self, people: Population) {
        self.vendor.with_people(70_001, |old| *old = people);
    }

    /// Lets the first company go on to the next day.
    pub fn next_day(&self, plan: &DayPlan) -> Changes {
        self.vendor.with_people(70_001, |people| people.next_day(plan)).unwrap_or_default()
    }

    /// Marks the person with a record id as a leaver: from the day after `last_day` on, or at once.
    pub fn mark_leaver(&self, record_id: &str, last_day: NaiveDate, at_once: bool) {
        self.vendor.change(record_id, |change| change.leaving = Some((last_day, at_once)));
    }

    /// Rehires the person with a record id on the same profile, with another start date.
    pub fn rehire(&self, record_id: &str, start: NaiveDate) {
        self.vendor.change(record_id, |change| change.rehired = Some(start));
    }

    /// Gives the person with a record id another Employee ID. Their `UniqueKey` stays.
    pub fn change_employee_id(&self, record_id: &str, employee_id: &str) {
        self.vendor.change(record_id, |change| change.employee_id = Some(employee_id.to_owned()));
    }

    /// Gives the person with a record id an `EmployeeStatus`.
    pub fn set_status_code(&self, record_id: &str, code: &str) {
        self.vendor.change(record_id, |change| change.code = Some(code.to_owned()));
    }

    /// Deletes the profile of the person with a record id: they vanish from both listings.
    pub fn delete(&self, record_id: &str) {
        self.vendor.change(record_id, |change| change.is_deleted = true);
    }
}

impl fmt::Debug for PeopleHrSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeopleHrSim").field("server", &self.server).finish_non_exhaustive()
    }
}
