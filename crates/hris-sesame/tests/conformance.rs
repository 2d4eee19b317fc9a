//! The connector keeps every promise of a connector, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::{Employee, EmploymentStatus, Field, HrisConnector, ManagerRef, Result};
use hris_http::{BaseUrl, Transport};
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor, with_json};
use hris_testkit::population::{Person, PersonStatus, Population};
use hris_testkit::sim::{Fault, SimRequest, SimServer};
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

    fn spoil_page(&self, page: &'static str, change: fn(&mut Value)) {
        let spoiled = Fault::change(move |answer| with_json(&answer, change)).always();
        let is_page = move |request: &SimRequest| request.query("page") == Some(page);
        self.sim.faults().add(spoiled.on_path(EMPLOYEES).on(is_page));
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
            Spoil::EmptySecondPage => self.spoil_page("2", |page| page["data"] = json!([])),
            Spoil::WrongTotal => self.spoil_page("1", |page| page["meta"]["total"] = json!(77)),
            _ => return false,
        }
        true
    }

    fn expected(&self, person: &Person, expected: &mut Employee) {
        // The vendor has two words for a status, two for a gender, and two fields for a last name.
        if matches!(person.status, PersonStatus::OnLeave | PersonStatus::Pending) {
            expected.status = EmploymentStatus::Active;
        }
        if person.gender.as_deref() == Some("non-binary") {
            expected.gender = Field::Value("no_response".to_owned());
        }
        if let (Field::Value(last), Some(second)) = (&mut expected.last_name, &person.second_last_name) {
            *last = format!("{last} {second}");
        }
        // What does not stand in the row has no gaps either: where a person has none, that is known or it is not. Of
        // people who have left, contracts and manager are not asked for; the lists of assigned people may lack them.
        let (active, left) = (EmploymentStatus::Active, EmploymentStatus::Inactive);
        for unit in [&mut expected.department, &mut expected.location] {
            if unit.value().is_none() {
                *unit = none_if(expected.status == active);
            }
        }
        let present = expected.status != left;
        let date = |date: Option<NaiveDate>| date.filter(|_| present).map_or(none_if(present), Field::Value);
        expected.start_date = date(person.original_start_date);
        expected.end_date = date(person.end_date);
        let manager = person.manager.as_deref().filter(|_| present);
        let by_record = |record: &str| Field::Value(ManagerRef::Record(record.into()));
        expected.manager = manager.map_or(none_if(present), by_record);
    }
}

/// No value, if that much is known.
fn none_if<T>(known: bool) -> Field<T> {
    if known { Field::Null } else { Field::Absent }
}

hris_testkit::connector_conformance!(conformance, sesame);
