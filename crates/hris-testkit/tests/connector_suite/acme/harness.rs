//! What the suite may do to Acme. About as long as every connector's own test file.

use std::sync::Arc;

use hris_core::{HrisConnector, Result, SharedClock};
use hris_testkit::ManualClock;
use hris_testkit::connector_suite::{Case, ConnectorHarness, Spoil, TestVendor};
use hris_testkit::population::Population;
use hris_testkit::sim::{SimRequest, SimServer};

use super::Flaw;
use super::connector::{Acme, Settings};
use super::vendor::{AcmeVendor, COMPANY, PIN, SECRET};

struct Simulated {
    server: SimServer,
    vendor: Arc<AcmeVendor>,
    clock: SharedClock,
    flaw: Flaw,
}

pub(crate) async fn harness(flaw: Flaw, people: Population) -> ConnectorHarness {
    let vendor = Arc::new(AcmeVendor::new(people.clone()));
    let server = SimServer::start(Arc::clone(&vendor)).await;
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let simulated = Simulated { server, vendor, clock: Arc::new(clock.clone()), flaw };
    ConnectorHarness::new(simulated, people, clock)
        .with_account(COMPANY)
        .with_secrets([SECRET, "t0ken", PIN])
        .with_custom_field("shirt_size", "shirt_size")
}

impl TestVendor for Simulated {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let good = Settings::new(self.server.url(), SECRET);
        let settings = match case {
            Case::Good => good,
            Case::PageSize(rows) => Settings { page_size: rows, ..good },
            Case::At(url) => Settings::new(url, SECRET),
            Case::RefusedCredential => Settings::new(self.server.url(), "s3cret-of-nobody"),
            Case::MissingPermission => Settings::new(self.server.url(), "s3cret-without-people"),
            Case::OtherAccount => Settings::new(self.server.url(), "s3cret-of-acme-18"),
            Case::BadConfig(0) => Settings { page_size: 0, ..good },
            Case::BadConfig(1) => Settings::new("ftp://acme.example", SECRET),
            _ => return None,
        };
        Some(Acme::build(settings, &self.clock, self.flaw))
    }

    fn server(&self) -> Option<&SimServer> {
        Some(&self.server)
    }

    fn is_listing(&self, request: &SimRequest) -> bool {
        request.path() == "/v1/people"
    }

    fn is_token_request(&self, request: &SimRequest) -> bool {
        request.path() == "/oauth/token"
    }

    fn spoil(&self, spoil: Spoil) -> bool {
        let mut state = self.vendor.state();
        match spoil {
            Spoil::People(people) => state.people = people,
            Spoil::CredentialRevoked => {
                self.vendor.secrets.revoke_all();
                self.vendor.tokens.revoke_all();
            }
            Spoil::TokensExpired => self.vendor.tokens.revoke_all(),
            Spoil::EmptySecondPage => state.empty_second_page = true,
            Spoil::LoopingCursor => state.looping = true,
            Spoil::WrongTotal => state.wrong_total = true,
            _ => return false,
        }
        true
    }
}
