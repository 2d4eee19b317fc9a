//! The connector keeps every promise of a connector, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::HashMap;
use std::sync::Arc;

use hris_core::{Employee, EmploymentStatus, Field, HrisConnector, ManagerRef, Result};
use hris_http::{BaseUrl, Transport};
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor};
use hris_testkit::population::{Person, PersonStatus, Population};
use hris_testkit::sim::{SimRequest, SimServer};
use hris_trinet::TriNetConfig;
use hris_trinet::sim::{Refusal, Total, TriNetSim};

const OTHER_COMPANY: &str = "B2B";
const OTHER_CLIENT: &str = "otherClientId000000000000000000B";
const OTHER_SECRET: &str = "otherClientSecret000000000000000";

/// Nothing in the vendor's API does this.
const SKIPS: &[SkipReason] = &[
    ("a_deleted_person_is_not_found", "single people cannot be read"),
    (
        "an_empty_page_in_the_middle_is_not_the_end",
        "the next offset follows from the rows that came, so that a page without any that promises more is an error",
    ),
];

struct TriNet {
    sim: TriNetSim,
    transport: Transport,
    /// TriNet's ids by those of the population.
    ids: HashMap<String, String>,
}

async fn trinet(people: Population) -> ConnectorHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let sim = TriNetSim::start(people.clone()).await;
    sim.add_company(OTHER_COMPANY, "Other Co", people.clone());
    sim.add_client(OTHER_CLIENT, OTHER_SECRET, &[OTHER_COMPANY]);
    let ids = people.people().iter().enumerate();
    let ids = ids.map(|(at, person)| (person.record_id.clone(), TriNetSim::employee_id(at))).collect();
    let secrets = [
        TriNetSim::CLIENT_ID,
        TriNetSim::CLIENT_SECRET,
        TriNetSim::DECOY,
        OTHER_CLIENT,
        OTHER_SECRET,
        "mockToken",
        "decoy",
    ];
    ConnectorHarness::new(TriNet { sim, transport, ids }, people, clock)
        .with_account(TriNetSim::COMPANY_ID)
        .with_secrets(secrets)
        .with_custom_field("customGroupA", "shirt_size")
        .skipping(SKIPS)
}

impl TriNet {
    fn config(&self) -> TriNetConfig {
        TriNetConfig::new(TriNetSim::COMPANY_ID)
            .with_base_url(self.sim.url().parse().unwrap())
            .with_requests_per_minute(None)
    }
}

impl TestVendor for TriNet {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let (mut id, mut secret) = (TriNetSim::CLIENT_ID, TriNetSim::CLIENT_SECRET);
        let config = match case {
            Case::Good => self.config(),
            Case::PageSize(rows) => self.config().with_page_size(rows),
            Case::At(url) => self.config().with_base_url(BaseUrl::parse(url).unwrap()),
            Case::RefusedCredential => {
                secret = "a-secret-of-nobody";
                self.config()
            }
            Case::MissingPermission => {
                self.sim.behave(|vendor| vendor.refuses_list = Some(Refusal::NotInProduct));
                self.config()
            }
            Case::OtherAccount => {
                (id, secret) = (OTHER_CLIENT, OTHER_SECRET);
                self.config()
            }
            Case::BadConfig(0) => self.config().with_page_size(0),
            Case::BadConfig(1) => TriNetConfig::new("X7Q/employees"),
            Case::BadConfig(2) => self.config().with_birth_date_path("payInfo.ssn"),
            Case::BadConfig(3) => {
                secret = " ";
                self.config()
            }
            _ => return None,
        };
        let built = config.build(&id.into(), &secret.into(), &self.transport);
        Some(built.map(|connector| Arc::new(connector) as _))
    }

    fn server(&self) -> Option<&SimServer> {
        Some(self.sim.server())
    }

    fn is_listing(&self, request: &SimRequest) -> bool {
        request.path() == "/v1/company/X7Q/employees"
    }

    fn is_token_request(&self, request: &SimRequest) -> bool {
        request.path() == "/oauth/accesstoken"
    }

    fn spoil(&self, spoil: Spoil) -> bool {
        match spoil {
            Spoil::People(people) => self.sim.set_population(people),
            Spoil::CredentialRevoked => {
                self.sim.revoke_client(TriNetSim::CLIENT_ID);
                self.sim.tokens().revoke_all();
            }
            Spoil::TokensExpired => self.sim.tokens().revoke_all(),
            Spoil::WrongTotal => self.sim.behave(|vendor| vendor.total = Total::Always(77)),
            // Every offset leads to the first page.
            Spoil::LoopingCursor => self.sim.behave(|vendor| {
                vendor.overlap = 1_000_000;
                vendor.always_has_more = true;
            }),
            _ => return false,
        }
        true
    }

    fn expected(&self, person: &Person, expected: &mut Employee) {
        let id = |record: &str| self.ids.get(record).map_or("00009999999", String::as_str).to_owned();
        expected.record = id(&person.record_id).into();
        expected.employee_id = Field::Value(id(&person.record_id).into());
        expected.modified_at = None;
        expected.personal_email = Field::Absent; // TriNet has none
        if person.status == PersonStatus::Pending {
            expected.status = EmploymentStatus::Active; // there is no letter for it
        }
        if let (Field::Value(last), Some(second)) = (&mut expected.last_name, &person.second_last_name) {
            *last = format!("{last} {second}");
        }
        let letter = |word: String| match word.as_str() {
            "female" => "F".to_owned(),
            "male" => "M".to_owned(),
            _ => "X".to_owned(),
        };
        expected.gender = expected.gender.clone().map(letter);
        let manager = |manager: ManagerRef| ManagerRef::Record(id(manager.as_str()).into());
        expected.manager = expected.manager.clone().map(manager);
    }
}

hris_testkit::connector_conformance!(conformance, trinet);
