//! The connector keeps every promise of a connector, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::sync::Arc;
use std::time::Duration;

use hris_core::{Employee, EmploymentStatus, Field, HrisConnector, Result};
use hris_http::{BaseUrl, RetryPolicy, Transport};
use hris_merge::sim::MergeSim;
use hris_merge::{MergeConfig, MergeCredentials};
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor};
use hris_testkit::population::{Malformation, Person, PersonStatus, Population};
use hris_testkit::sim::{Fault, SimRequest, SimResponse, SimServer};
use serde_json::{Value, json};

const EMPLOYEES: &str = "/api/hris/v1/employees";
const OTHER_TOKEN: &str = "0the40f0a70ke9of0a90the4acc0un7";
/// A slow-down that names no time is a minute for this vendor, and is not to be taken for a time-out.
const SKIP: Duration = Duration::from_secs(61);
/// The time-out of one attempt, longer than that.
const ATTEMPT: Duration = Duration::from_secs(120);

/// Nothing in the vendor's API does this.
const SKIPS: &[SkipReason] = &[
    ("a_total_that_does_not_fit_proves_nobodys_absence", "the vendor tells no total"),
    ("an_expired_token_is_renewed_once", "both secrets last until somebody withdraws them"),
    ("many_tasks_share_one_token", "both secrets last until somebody withdraws them"),
];

struct Merge {
    sim: MergeSim,
    transport: Transport,
}

async fn merge(people: Population) -> ConnectorHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(SKIP);
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let sim = MergeSim::start(people.clone()).await;
    // One of those of which Merge learns deletions itself.
    sim.behave(|vendor| vendor.integration = ("BambooHR".to_owned(), "bamboohr".to_owned()));
    sim.add_account("other-account", "Otter & Sons", OTHER_TOKEN, people.clone());
    ConnectorHarness::new(Merge { sim, transport }, people, clock)
        .with_account(MergeSim::ACCOUNT_ID)
        .with_secrets([MergeSim::API_KEY, MergeSim::ACCOUNT_TOKEN, OTHER_TOKEN])
        .with_custom_field("gift_size", "shirt_size")
        .with_timeouts(ATTEMPT, Duration::from_secs(600))
        .skipping(SKIPS)
}

impl Merge {
    fn config(&self) -> MergeConfig {
        MergeConfig::new()
            .with_base_url(self.sim.url().parse().unwrap())
            .with_expected_account(MergeSim::ACCOUNT_ID)
    }
}

impl TestVendor for Merge {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let good = MergeSim::ACCOUNT_TOKEN;
        let (config, token) = match case {
            Case::Good => (self.config(), good),
            Case::PageSize(rows) => (self.config().with_page_size(rows), good),
            Case::At(url) => (self.config().with_base_url(BaseUrl::parse(url).unwrap()), good),
            Case::RefusedCredential => (self.config(), "a-token-of-nobody"),
            Case::MissingPermission => {
                self.sim.faults().add(Fault::status(403).always().on_path(EMPLOYEES));
                (self.config(), good)
            }
            Case::OtherAccount => (self.config(), OTHER_TOKEN),
            Case::BadConfig(0) => (self.config().with_page_size(0), good),
            Case::BadConfig(1) => (self.config().with_max_staleness(Some(0)), good),
            Case::BadConfig(2) => (self.config(), "a token\nin two lines"),
            _ => return None,
        };
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token.into());
        let built = config.build(&credentials, &self.transport);
        let policy = RetryPolicy::default().with_attempt_timeout(ATTEMPT);
        Some(built.map(|connector| Arc::new(connector.with_retry_policy(policy)) as _))
    }

    fn server(&self) -> Option<&SimServer> {
        Some(self.sim.server())
    }

    fn is_listing(&self, request: &SimRequest) -> bool {
        request.path() == EMPLOYEES
    }

    fn spoil(&self, spoil: Spoil) -> bool {
        match spoil {
            Spoil::People(people) => self.sim.set_population(people),
            Spoil::CredentialRevoked => self.sim.account_tokens().revoke_all(),
            Spoil::LoopingCursor => self.sim.behave(|vendor| vendor.loops = true),
            Spoil::EmptySecondPage => {
                let emptied = |answer: SimResponse| {
                    let mut page: Value = serde_json::from_slice(answer.body()).unwrap();
                    page["results"] = json!([]);
                    SimResponse::json(answer.status(), &page)
                };
                self.sim.on_page(Fault::change(emptied), 2, 1);
            }
            _ => return false,
        }
        true
    }

    fn expected(&self, person: &Person, expected: &mut Employee) {
        if person.status == PersonStatus::OnLeave {
            expected.status = EmploymentStatus::Active; // the vendor has three words
        }
        expected.gender = std::mem::take(&mut expected.gender).map(|word| word.to_uppercase());
        // Groups and positions are lists, which are never left out.
        for listed in [&mut expected.department, &mut expected.job_title] {
            if listed.is_absent() {
                *listed = Field::Null;
            }
        }
        // The country is that of the place of work.
        match (&person.location, &person.country) {
            (None, _) => expected.country = expected.location.clone(),
            (Some(_), None) => expected.country = Field::Null,
            _ => {}
        }
        let people = self.sim.people();
        let is_known = |id: &String| {
            let manager = people.person(id);
            manager.is_some_and(|manager| !manager.malformed.is_some_and(Malformation::hides_record_id))
        };
        if person.manager.as_ref().is_some_and(|id| !is_known(id)) {
            expected.manager = Field::Absent; // an id of Merge's that leads nowhere
        }
    }
}

hris_testkit::connector_conformance!(conformance, merge);
