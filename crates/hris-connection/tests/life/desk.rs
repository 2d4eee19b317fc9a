//! What the tests here have in common: a vendor, a clock, and connections in memory.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use hris_connection::{
    Connection, Connections, DateFormat, Frequency, MemoryCredentials, Owner, Schedule, Setup, TimeOfDay,
};
use hris_core::descriptor::Integration;
use hris_core::keys::KeyId;
use hris_core::{
    Account, ConnectionKey, Credentials, Descriptor, Email, EmployeeField, FieldRule, MappingDocument,
    MappingVersion, MemberField, PlanHeader, PlanOrigin, PlanSummary, ReadingSummary, Recipient,
    RecordIdKind, ScopeFilter, Verdict,
};
use hris_store_memory::MemoryStore;
use hris_testkit::{ManualClock, MockConnector};

/// An HR system whose dates are free text.
pub(crate) fn vendor() -> Integration {
    let facts = Descriptor::new("acme", "Acme HR", RecordIdKind::new("acme.id")).asking_date_format();
    Integration::new(&facts, "Reads the people of one company in Acme.")
        .with_revocation(["Open Settings, API, and delete the key named Rewards."])
}

pub(crate) const NOW: &str = "2026-03-02T09:00:00Z";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn key() -> ConnectionKey {
    ConnectionKey::new("brisa", "acme")
}

pub(crate) fn daily() -> Schedule {
    let frequency = Frequency::Daily { at: TimeOfDay::new(2, 30).unwrap() };
    Schedule::new(frequency, "Europe/Madrid".parse().unwrap()).unwrap().with_jitter_minutes(0)
}

pub(crate) fn owner() -> Owner {
    let contact = Recipient::new(Email::parse("olga.admin@brisa.example").unwrap()).named("Olga Adán");
    Owner::new("olga", contact)
}

pub(crate) fn setup() -> Setup {
    Setup::new().with_schedule(daily()).with_date_format(DateFormat::DayMonthYear).with_owner(owner())
}

pub(crate) fn rules() -> Vec<FieldRule> {
    vec![
        FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
        FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail),
    ]
}

pub(crate) fn mapping(rules: Vec<FieldRule>) -> MappingDocument {
    MappingDocument::new(rules, ScopeFilter::everybody())
}

pub(crate) fn account() -> Account {
    Account::new("account-1").named("Talleres Brisa S.L.")
}

pub(crate) fn secrets(token: &str) -> Credentials {
    Credentials::new().with("token", token.to_owned().into())
}

/// A plan that was made with a mapping.
pub(crate) fn plan(mapping: &MappingVersion, digest: &str) -> PlanHeader {
    let origin = PlanOrigin {
        id: "plan-1".into(),
        connection: key(),
        run: "review".into(),
        reading: ReadingSummary {
            account: "account-1".into(),
            record_id_kind: RecordIdKind::new("acme.id"),
            full: Some(3),
            watermark: None,
        },
        mapping: mapping.clone(),
        policy: "policy".to_owned(),
        as_of: at(NOW).date_naive(),
        created_at: at(NOW),
        expires_at: at("2026-03-09T09:00:00Z"),
        first_import: true,
    };
    let mut summary = PlanSummary::default();
    (summary.create, summary.invitations) = (3, 3);
    let mut header = PlanHeader::new(origin, summary, Verdict::Ready, None, KeyId::new("k"));
    digest.clone_into(&mut header.digest);
    header
}

/// A connection that only lacks being published.
pub(crate) fn reviewed() -> Connection {
    let mut connection = Connection::draft(key(), &vendor());
    let now = at(NOW);
    connection.set_up(setup(), "olga", now).unwrap();
    connection.authorised(&account(), "olga", now).unwrap();
    connection.map(mapping(rules()), "olga", now).unwrap();
    let mapping = connection.draft_mapping().unwrap().version().clone();
    connection.record_review(&plan(&mapping, "digest-1"), "olga", now).unwrap();
    connection
}

pub(crate) fn published() -> Connection {
    let mut connection = reviewed();
    connection.publish("digest-1", "olga", at(NOW)).unwrap();
    connection
}

/// Connections in memory, with a clock to move.
pub(crate) struct Desk {
    pub(crate) connections: Connections,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (credentials, store, clock) =
            (MemoryCredentials::new(), MemoryStore::new(), ManualClock::at(NOW));
        let connections =
            Connections::new(Arc::new(store.clone()), Arc::new(credentials.clone()), Arc::new(clock.clone()));
        Self { connections, store, clock }
    }
}

/// A connector that opens an account.
pub(crate) fn opens(account: Account) -> MockConnector {
    MockConnector::new([]).with_account(account)
}
