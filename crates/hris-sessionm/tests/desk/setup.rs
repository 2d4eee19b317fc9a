//! A desk: a client with the complete settings file before a simulator with one customer.

use std::sync::Arc;

use hris_http::Transport;
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{
    Committed, Credentials, Customer, CustomerRef, Effect, EffectKey, LoyaltyDesk as _, Paging, ParentKeys,
    Points, Receipt, Refusal, SessionM, Settings, UserOfferId,
};
use hris_testkit::ManualClock;
use hris_testkit::sim::SimRequest;
use serde_json::json;

pub(crate) const NOW: &str = "2026-03-02T06:00:00Z";

pub(crate) struct Desk {
    pub(crate) sim: SessionMSim,
    pub(crate) client: SessionM,
    pub(crate) clock: ManualClock,
    /// Mara, who has 164.5 points and one offer.
    pub(crate) mara: CustomerRef,
    /// Her copy of "Ten percent off".
    pub(crate) copy: UserOfferId,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = ManualClock::at(NOW).skipping(ManualClock::DEFAULT_SKIP);
        let sim = SessionMSim::start_at(Arc::new(clock.clone())).await;
        let mut settings = settings(&sim);
        change(&mut settings);
        let client = client(&sim, &clock, settings, &sim.credentials());
        let id = sim.plant_customer(json!({
            "email": "mara.lindqvist@example.com", "external_id": "CRM-000417", "external_id_type": "crm",
            "first_name": "Mara", "last_name": "Lindqvist", "dob": "1988-03-14", "gender": "f",
            "user_profile": { "department": "Logistics", "lifetime_spend": 812.4 },
        }));
        sim.plant_points(&id, SessionMSim::SPENDABLE, 164.5);
        let copy = sim.plant_offer(&id, SessionMSim::TEN_PERCENT, 1, 28).unwrap().into();
        Self { sim, client, clock, mara: CustomerRef::new(id), copy }
    }

    pub(crate) fn id(&self) -> &str {
        self.mara.id().as_str()
    }

    /// Another customer, with points and an offer of their own.
    pub(crate) fn second(&self, external_id: &str, email: &str) -> (CustomerRef, UserOfferId) {
        let id = self
            .sim
            .plant_customer(json!({ "email": email, "external_id": external_id, "first_name": "Other" }));
        self.sim.plant_points(&id, SessionMSim::SPENDABLE, 10.0);
        let copy = self.sim.plant_offer(&id, SessionMSim::TEN_PERCENT, 1, 28).unwrap().into();
        (CustomerRef::new(id), copy)
    }

    pub(crate) async fn read(&self) -> Customer {
        self.client.customer(self.mara.id()).await.unwrap().unwrap()
    }

    pub(crate) async fn commit(&self, effect: Effect) -> Committed {
        let prepared = self.client.prepare(effect, EffectKey::random()).await.unwrap();
        self.client.commit(prepared.ready().unwrap()).await.unwrap()
    }

    pub(crate) async fn done(&self, effect: Effect) -> Receipt {
        match self.commit(effect).await {
            Committed::Done(receipt) => receipt,
            other => panic!("{other:?}"),
        }
    }

    /// Why an effect is refused when it is prepared.
    pub(crate) async fn refusal(&self, effect: Effect) -> Refusal {
        self.client.prepare(effect, EffectKey::random()).await.unwrap().ready().unwrap_err()
    }

    /// Everything that an effect could change, in words that can be compared.
    pub(crate) fn state(&self) -> String {
        let ids = self.sim.customer_ids();
        let of = |id: &String| {
            format!(
                "{:?} {:?} {:?} {} {} {:?}",
                self.sim.stored(id),
                self.sim.external_ids(id),
                self.sim.copies(id),
                self.sim.bookings(id),
                self.sim.notes(id),
                [SessionMSim::SPENDABLE, SessionMSim::PARTNER].map(|account| self.sim.balance(id, account)),
            )
        };
        ids.iter().map(of).collect::<Vec<_>>().join("\n")
    }

    /// How many requests of this method and end of path there were.
    pub(crate) fn sent(&self, method: &str, end: &str) -> usize {
        let is = |request: &&Arc<SimRequest>| request.method() == method && request.path().ends_with(end);
        self.sim.requests().iter().filter(is).count()
    }

    /// The reward "Free coffee" of the store.
    pub(crate) async fn coffee(&self) -> hris_sessionm::Reward {
        let query = hris_sessionm::RewardQuery::all(Paging::first(50).containing("coffee"));
        self.client.rewards(&self.mara, &query).await.unwrap().items.remove(0)
    }
}

pub(crate) fn settings(sim: &SessionMSim) -> Settings {
    let text = include_str!("../../settings/complete.toml")
        .replace("https://api-harbour.stg-sessionm.com", sim.url())
        .replace("https://domains-harbour.stg-sessionm.com", sim.url());
    Settings::from_toml(&text).unwrap()
}

pub(crate) fn client(
    sim: &SessionMSim,
    clock: &ManualClock,
    settings: Settings,
    credentials: &Credentials,
) -> SessionM {
    let _ = sim;
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
    SessionM::new(settings, credentials, &transport).unwrap()
}

pub(crate) fn keys() -> ParentKeys {
    ParentKeys::external_id("CRM-000417").with_email("mara.lindqvist@example.com")
}

pub(crate) fn points(text: &str) -> Points {
    text.parse().unwrap()
}
