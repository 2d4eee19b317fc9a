//! The connector keeps every promise of a connector, against the simulator.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{Employee, EmployeeId, EmploymentStatus, Field, HrisConnector, ManagerRef, Result};
use hris_http::{BaseUrl, RetryPolicy, Transport};
use hris_peoplehr::sim::{PeopleHrSim, Permission};
use hris_peoplehr::{PeopleHrConfig, QuerySource};
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor};
use hris_testkit::population::{Gap, Person, PersonStatus, Population};
use hris_testkit::sim::{SimRequest, SimServer};

const OTHER_COMPANY: u32 = 70_002;
const OTHER_KEY: &str = "99999999-1111-4222-8333-444444444444";
const UNPRIVILEGED_KEY: &str = "55555555-1111-4222-8333-444444444444";
/// The time-out of a listing.
const ATTEMPT: Duration = Duration::from_secs(120);
const TOTAL: Duration = Duration::from_secs(600);

/// Nothing in the vendor's API does this.
const SKIPS: &[SkipReason] = &[
    ("a_credential_revoked_in_mid_reading_ends_it", "the directory comes in two bodies, not in pages"),
    ("many_tasks_share_one_token", "the key stands in every request; there is no token"),
    ("an_expired_token_is_renewed_once", "the key stands in every request; there is no token"),
    ("a_dropped_reading_asks_for_nothing_more", "the directory comes in two bodies, not in pages"),
    ("pages_of_one_row_change_nothing", "the directory comes in two bodies, not in pages"),
    ("an_empty_page_in_the_middle_is_not_the_end", "the directory comes in two bodies, not in pages"),
    ("a_listing_that_loops_is_an_error", "the directory comes in two bodies, not in pages"),
    ("a_total_that_does_not_fit_proves_nobodys_absence", "the vendor tells no total"),
];

struct PeopleHr {
    sim: PeopleHrSim,
    transport: Transport,
    /// Employee numbers by record id.
    numbers: HashMap<String, Option<String>>,
    today: chrono::NaiveDate,
}

async fn peoplehr(people: Population) -> ConnectorHarness {
    // An answer that says to slow down without a time is waited for a minute.
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61));
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    let sim = PeopleHrSim::start(people.clone()).await;
    sim.add_company(OTHER_COMPANY, "Other Ltd", people.clone());
    sim.add_key(OTHER_KEY, OTHER_COMPANY, Permission::ALL);
    sim.add_key(UNPRIVILEGED_KEY, 70_001, &[]);
    let numbers = people.people().iter();
    let numbers = numbers.map(|person| (person.record_id.clone(), person.employee_number.clone())).collect();
    let secrets = [PeopleHrSim::KEY, OTHER_KEY, UNPRIVILEGED_KEY, PeopleHrSim::DECOY, "1111-4222"];
    let today = people.today();
    ConnectorHarness::new(PeopleHr { sim, transport, numbers, today }, people, clock)
        .with_account(PeopleHrSim::COMPANY_ID)
        .with_secrets(secrets)
        .with_custom_field("APIColumn1", "shirt_size")
        .with_timeouts(ATTEMPT, TOTAL)
        .with_one_body()
        .with_untrusted_emptiness()
        .skipping(SKIPS)
}

impl PeopleHr {
    fn config(&self) -> PeopleHrConfig {
        PeopleHrConfig::new()
            .with_company_id(PeopleHrSim::COMPANY_ID)
            .with_base_url(self.sim.url().parse().unwrap())
            .with_requests_per_minute(None)
    }
}

/// A field without a value, as a row shows it.
fn nothing<T>(gaps: Gap) -> Field<T> {
    if gaps == Gap::LeftOut { Field::Absent } else { Field::Null }
}

impl TestVendor for PeopleHr {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let mut key = PeopleHrSim::KEY;
        let config = match case {
            Case::Good => self.config(),
            Case::At(url) => self.config().with_base_url(BaseUrl::parse(url).unwrap()),
            Case::RefusedCredential => {
                key = "77777777-1111-4222-8333-444444444444";
                self.config()
            }
            Case::MissingPermission => {
                key = UNPRIVILEGED_KEY;
                self.config()
            }
            Case::OtherAccount => {
                key = OTHER_KEY;
                self.config()
            }
            Case::BadConfig(0) => self.config().with_requests_per_minute(Some(0)),
            Case::BadConfig(1) => self.config().with_time_zone("Europe/Nowhere"),
            Case::BadConfig(2) => self.config().with_query(QuerySource::new("Rewards feed")),
            Case::BadConfig(3) => {
                key = " ";
                self.config()
            }
            Case::BadConfig(4) => {
                key = "a key that is much longer than any that PeopleHR would ever show";
                self.config()
            }
            _ => return None,
        };
        // No time-out may be shorter than the waits that the clock skips.
        let policy = RetryPolicy::default().with_attempt_timeout(ATTEMPT).with_idle_timeout(ATTEMPT);
        let built = config.build(&key.into(), &self.transport);
        Some(built.map(|connector| Arc::new(connector.with_retry_policy(policy)) as _))
    }

    fn server(&self) -> Option<&SimServer> {
        Some(self.sim.server())
    }

    fn is_listing(&self, request: &SimRequest) -> bool {
        PeopleHrSim::is_listing(request)
    }

    fn spoil(&self, spoil: Spoil) -> bool {
        match spoil {
            Spoil::People(people) => self.sim.set_population(people),
            Spoil::CredentialRevoked => self.sim.revoke_key(PeopleHrSim::KEY),
            _ => return false,
        }
        true
    }

    fn expected(&self, person: &Person, expected: &mut Employee) {
        expected.modified_at = None;
        if matches!(person.status, PersonStatus::OnLeave | PersonStatus::Odd(_)) {
            expected.status = EmploymentStatus::Active; // leave is not told apart, and codes are not documented
        }
        // Nobody of current staff has a last day that is over.
        if person.status != PersonStatus::Inactive && person.end_date.is_some_and(|end| end < self.today) {
            expected.end_date = nothing(person.gaps);
        }
        if let (Field::Value(last), Some(second)) = (&mut expected.last_name, &person.second_last_name) {
            *last = format!("{last} {second}");
        }
        let word = |word: String| match word.as_str() {
            "female" => "Female".to_owned(),
            "male" => "Male".to_owned(),
            _ => "Not Specified".to_owned(),
        };
        expected.gender = expected.gender.clone().map(word);
        expected.manager = match &person.manager {
            None => nothing(person.gaps),
            Some(manager) => match self.numbers.get(manager) {
                None => Field::Value(ManagerRef::EmployeeId("99999999".into())),
                Some(Some(number)) if !number.trim().is_empty() => {
                    Field::Value(ManagerRef::EmployeeId(EmployeeId::from(number.as_str())))
                }
                Some(Some(_)) => Field::Null,
                Some(None) => nothing(person.gaps),
            },
        };
    }
}

hris_testkit::connector_conformance!(conformance, peoplehr);
