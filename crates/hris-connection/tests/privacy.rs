//! Secrets, names and addresses are searched in everything that a connection's life shows and traces. A program of
//! its own, since what is traced is decided once for a process.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use hris_connection::{
    Connection, Connections, EnvironmentCredentials, Frequency, MemoryCredentials, Owner, RunOutcome,
    RunRequest, Schedule, Setup, TimeOfDay, setup_options,
};
use hris_core::descriptor::Integration;
use hris_core::{
    Account, Clock as _, ConnectionKey, CredentialStore, Credentials, Descriptor, Email, Error, ErrorKind,
    FieldMap, Invitations, MappingDocument, Recipient, RecordIdKind,
};
use hris_store_memory::MemoryStore;
use hris_testkit::{ManualClock, MockConnector, Traces};

fn vendor() -> Integration {
    Integration::new(&Descriptor::new("acme", "Acme HR", RecordIdKind::new("acme.id")), "Acme.")
}

/// What must not be shown.
const CANARIES: [&str; 5] = ["s3cret-one", "s3cret-two", "Olga Canary", "olga.canary", "canary.example"];

#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, thing: &(impl Debug + ?Sized)) {
        writeln!(self.0, "{thing:?}\n{thing:#?}").unwrap();
    }

    fn error(&mut self, error: &Error) {
        writeln!(self.0, "{error}").unwrap();
        self.debug(error);
    }
}

#[test]
fn nothing_that_a_connections_life_shows_holds_a_secret_or_a_persons_data() {
    let traces = Traces::of_this_process();
    let mut shown = Shown::default();
    hris_testkit::run(journey(&mut shown));
    let traced = traces.text();
    assert!(traced.contains("step taken"), "something was traced");
    for canary in CANARIES {
        assert!(!shown.0.contains(canary), "`{canary}` is shown");
        assert!(!traced.contains(canary), "`{canary}` is traced");
    }
}

async fn journey(shown: &mut Shown) {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let credentials = MemoryCredentials::new();
    let connections = Connections::new(
        Arc::new(MemoryStore::new()),
        Arc::new(credentials.clone()),
        Arc::new(clock.clone()),
    );
    let key = ConnectionKey::new("brisa", "acme");
    let now = clock.now();
    connections.create(&Connection::draft(key.clone(), &vendor())).await.unwrap();
    let contact = Recipient::new(Email::parse("olga.canary@canary.example").unwrap()).named("Olga Canary");
    let daily = Frequency::Daily { at: TimeOfDay::new(2, 30).unwrap() };
    let schedule = Schedule::new(daily, "Europe/Madrid".parse().unwrap()).unwrap();
    let setup = Setup::new().with_schedule(schedule).with_owner(Owner::new("17", contact));
    connections.change(&key, |connection| connection.set_up(setup.clone(), "17", now)).await.unwrap();
    shown.debug(&setup);
    shown.debug(&setup_options(&vendor(), Invitations::Never));

    let one = Credentials::new().with("token", "s3cret-one".into());
    let two = Credentials::new().with("token", "s3cret-two".into());
    let good = MockConnector::new([]);
    let account = connections.authorise(&key, &good, &one, "17").await.unwrap();
    shown.debug(&(&account, &one, &connections, &credentials));
    let other = MockConnector::new([]).with_account(Account::new("other"));
    shown.error(&connections.authorise(&key, &other, &two, "17").await.unwrap_err());
    let refusing = MockConnector::new([]).with_check(|| Err(Error::new(ErrorKind::Unauthorized, "refused")));
    shown.error(&connections.authorise(&key, &refusing, &two, "17").await.unwrap_err());
    let environment = EnvironmentCredentials::new("A", ["token"], |_| Some("s3cret-one".into()));
    shown.debug(&environment);
    shown.debug(&environment.purge(&key).await.unwrap());
    shown.error(&environment.put(&key, &two).await.unwrap_err());

    let mapping = MappingDocument::from(&FieldMap::standard());
    connections.change(&key, |connection| connection.map(mapping.clone(), "17", now)).await.unwrap();
    let connection = connections.get(&key).await.unwrap();
    shown.debug(&connection);
    shown.debug(&connection.export().unwrap());
    shown.0 += &connection.export().unwrap().to_json().unwrap();
    shown.error(&connection.clone().publish("d", "17", now).unwrap_err());
    shown.error(&connection.clone().request(RunRequest::everyone("r", "17", now)).unwrap_err());
    shown.debug(&RunOutcome::of_error(ErrorKind::Unauthorized));
    shown.debug(&connections.revoke(&key, &vendor(), "17").await.unwrap());
    shown.error(&connections.credentials(&key).await.unwrap_err());
    shown.error(&connections.get(&ConnectionKey::new("brisa", "none")).await.unwrap_err());
}
