//! The connector keeps every promise of a connector, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::sync::Arc;

use hris_core::{Employee, EmploymentStatus, Field, HrisConnector, Result};
use hris_http::{BaseUrl, Transport};
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor};
use hris_testkit::population::{Person, PersonStatus, Population};
use hris_testkit::sim::{Fault, SimRequest, SimResponse, SimServer};
use serde_json::{Value, json};

const EMPLOYEES: &str = "/core/v3/employees";
const OTHER_TOKEN: &str = "0the40f0a70ke9of0a90the4c0mpa91";

/// Nothing in the vendor's API does this.
const SKIPS: &[SkipReason] = &[
    ("a_listing_that_loops_is_an_error", "its pages have numbers and no cursors"),
    ("an_expired_token_is_renewed_once", "a token lasts until somebody revokes it"),
    ("many_tasks_share_one_token", "a token lasts until somebody revokes it"),
];

struct Sesame {
    sim: SesameSim,
    transport: Transport,
}

async fn sesame(people: Population) -> ConnectorHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let sim = SesameSim::start(people.clone()).await;
    sim.add_company("other-company", "Otra Empresa", OTHER_TOKEN, people.clone());
    ConnectorHarness::new(Sesame { sim, transport }, people, clock)
        .with_account(SesameSim::COMPANY_ID)
        .with_secrets([SesameSim::TOKEN, OTHER_TOKEN, "73190024"])
        .with_custom_field("cf_talla", "shirt_size")
        .skipping(SKIPS)
}

impl Sesame {
    fn config(&self) -> SesameConfig {
        SesameConfig::new()
            .with_base_url(self.sim.url().parse().unwrap())
            .with_expected_company(SesameSim::COMPANY_ID)
    }

    fn change_pages(&self, change: impl Fn(&mut Value) + Send + Sync + 'static, page: &'static str) {
        let changed = move |answer: SimResponse| {
            let mut body = serde_json::from_slice(answer.body()).unwrap();
            change(&mut body);
            SimResponse::json(answer.status(), &body)
        };
        let is_page = move |request: &SimRequest| request.query("page") == Some(page);
        self.sim.faults().add(Fault::change(changed).always().on_path(EMPLOYEES).on(is_page));
    }
}

impl TestVendor for Sesame {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let (config, token) = match case {
            Case::Good => (self.config(), SesameSim::TOKEN),
            Case::PageSize(rows) => (self.config().with_page_size(rows), SesameSim::TOKEN),
            Case::At(url) => (self.config().with_base_url(BaseUrl::parse(url).unwrap()), SesameSim::TOKEN),
            Case::RefusedCredential => (self.config(), "a-token-of-nobody"),
            Case::MissingPermission => {
                // A token has no scopes; an account without the API add-on answers like this.
                self.sim.faults().add(Fault::status(403).always().on_path(EMPLOYEES));
                (self.config(), SesameSim::TOKEN)
            }
            Case::OtherAccount => (self.config(), OTHER_TOKEN),
            Case::BadConfig(0) => (self.config().with_page_size(0), SesameSim::TOKEN),
            Case::BadConfig(1) => (SesameConfig::new().with_region("eu1.evil.example/"), SesameSim::TOKEN),
            Case::BadConfig(2) => (self.config(), "a token\nin two lines"),
            _ => return None,
        };
        let built = config.build(&token.into(), &self.transport);
        Some(built.map(|connector| Arc::new(connector) as _))
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
            Spoil::CredentialRevoked => self.sim.tokens().revoke_all(),
            Spoil::EmptySecondPage => self.change_pages(|page| page["data"] = json!([]), "2"),
            Spoil::WrongTotal => self.change_pages(|page| page["meta"]["total"] = json!(77), "1"),
            _ => return false,
        }
        true
    }

    fn expected(&self, person: &Person, expected: &mut Employee) {
        if matches!(person.status, PersonStatus::OnLeave | PersonStatus::Pending) {
            expected.status = EmploymentStatus::Active; // the vendor has two words
        }
        if let (Field::Value(last), Some(second)) = (&mut expected.last_name, &person.second_last_name) {
            *last = format!("{last} {second}");
        }
        if person.gender.as_deref() == Some("non-binary") {
            expected.gender = Field::Value("no_response".to_owned());
        }
        for unit in [&mut expected.department, &mut expected.location] {
            if unit.value().is_none() {
                // Nobody is told to have none; whoever is active and assigned to none has none.
                *unit = if expected.status == EmploymentStatus::Active { Field::Null } else { Field::Absent };
            }
        }
        // Contracts and managers are listed, never left out, and not asked for once somebody has left.
        let details = |is_known: bool| if is_known { Field::Null } else { Field::Absent };
        let present = expected.status != EmploymentStatus::Inactive;
        let or_none = |date: Option<_>| date.filter(|_| present).map_or(details(present), Field::Value);
        expected.start_date = or_none(person.original_start_date);
        expected.end_date = or_none(person.end_date);
        if !present || expected.manager.is_absent() {
            expected.manager = if present { Field::Null } else { Field::Absent };
        }
    }
}

hris_testkit::connector_conformance!(conformance, sesame);
