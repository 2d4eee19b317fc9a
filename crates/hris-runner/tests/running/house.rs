//! What the tests here have in common: connections to mocks, a clock that drives them, and notices that are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_connection::{
    Connection, Connections, Frequency, MemoryCredentials, Owner, Schedule, Setup, TimeOfDay,
};
use hris_core::descriptor::Integration;
use hris_core::keys::KeyId;
use hris_core::{
    ConnectionKey, CredentialStore as _, Credentials, Descriptor, Email, Employee, EmployeeField,
    EmploymentStatus, Error, ErrorKind, Field, FieldRule, HrisConnector, MappingDocument, MemberField,
    Notice, Notifier, ProvisioningPlan as _, ProvisioningTarget, Recipient, RecordIdKind, Result, RunReport,
    ScopeFilter, SecretKey, Told,
};
use hris_runner::{Assembly, Runner, RunnerOptions, Stop, WelcomeMail, Worker};
use hris_store_memory::MemoryStore;
use hris_sync::Policy;
use hris_testkit::{ManualClock, MockConnector, MockTarget};

pub(crate) const EVENING: &str = "2026-03-02T18:00:00Z";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn vendor() -> Integration {
    let facts = Descriptor::new("acme", "Acme HR", RecordIdKind::new("acme.id"));
    Integration::new(&facts, "Reads the people of one company in Acme.")
}

pub(crate) fn person(number: u32) -> Employee {
    let mut person = Employee::new(format!("r-{number:04}"), EmploymentStatus::Active);
    person.employee_id = Field::Value(format!("{number:04}").into());
    person.work_email = Field::Value(format!("person.{number}@brisa.example"));
    person.first_name = Field::Value(format!("Name{number}"));
    person
}

pub(crate) fn people(numbers: std::ops::Range<u32>) -> Vec<Employee> {
    numbers.map(person).collect()
}

/// Keeps what it is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Notice>>>, Arc<Mutex<Option<ErrorKind>>>);

impl Kept {
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|notice| notice.content.kind()).collect()
    }

    pub(crate) fn all(&self) -> Vec<Notice> {
        self.0.lock().unwrap().clone()
    }

    /// Fails from now on, or no more.
    pub(crate) fn failing(&self, kind: Option<ErrorKind>) {
        *self.1.lock().unwrap() = kind;
    }
}

#[async_trait]
impl Notifier for Kept {
    async fn notify(&self, notice: &Notice) -> Result<Told> {
        if let Some(kind) = *self.1.lock().unwrap() {
            let error = Error::new(kind, "no mail today");
            let vanished = kind == ErrorKind::Timeout;
            return Err(if vanished {
                error.with_delivery(hris_core::Delivery::Unknown).with_retryable(false)
            } else {
                error
            });
        }
        self.0.lock().unwrap().push(notice.clone());
        Ok(Told::new(notice.to.len(), Vec::new()))
    }
}

/// The two ends of each connection.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) ends: Mutex<HashMap<ConnectionKey, (MockConnector, MockTarget)>>,
    welcome: Option<WelcomeMail>,
}

#[async_trait]
impl Assembly for Ends {
    async fn connector(&self, connection: &Connection, _: &Credentials) -> Result<Arc<dyn HrisConnector>> {
        Ok(Arc::new(self.ends.lock().unwrap()[connection.key()].0.clone()))
    }

    async fn target(&self, connection: &Connection) -> Result<Arc<dyn ProvisioningTarget>> {
        Ok(Arc::new(self.ends.lock().unwrap()[connection.key()].1.clone()))
    }

    fn welcome(&self, _: &Connection) -> Option<WelcomeMail> {
        self.welcome.clone()
    }
}

/// Everything that an application has.
pub(crate) struct House {
    pub(crate) clock: ManualClock,
    pub(crate) store: MemoryStore,
    pub(crate) ends: Arc<Ends>,
    pub(crate) notices: Kept,
    pub(crate) worker: Worker,
    credentials: MemoryCredentials,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with_welcome(false)
    }

    /// A house that welcomes new members itself, or not.
    pub(crate) fn with_welcome(welcomes: bool) -> Self {
        let clock = ManualClock::at(EVENING);
        let (store, notices, credentials) = (MemoryStore::new(), Kept::default(), MemoryCredentials::new());
        let welcome = welcomes.then(|| WelcomeMail {
            notifier: Arc::new(notices.clone()),
            ledger: Arc::new(store.clone()),
            organisation: "Talleres Brisa".to_owned(),
            link: Some("https://rewards.example/password".to_owned()),
        });
        let ends = Arc::new(Ends { ends: Mutex::default(), welcome });
        let worker = worker(&clock, &store, &credentials, &ends, &notices);
        Self { clock, store, ends, notices, worker, credentials }
    }

    /// Another process with the same stores.
    pub(crate) fn another_process(&self) -> Worker {
        worker(&self.clock, &self.store, &self.credentials, &self.ends, &self.notices)
    }

    /// A connection that is ready to be reviewed, with an import every night at half past two.
    pub(crate) fn add(&self, key: &ConnectionKey, connector: MockConnector, target: MockTarget) {
        self.ends.ends.lock().unwrap().insert(key.clone(), (connector, target));
        let connections = self.worker.connections();
        self.clock.drive(async {
            let now = hris_core::Clock::now(&self.clock);
            let mut connection = Connection::draft(key.clone(), &vendor());
            let contact = Recipient::new(Email::parse("olga@brisa.example").unwrap());
            let nightly = Frequency::Daily { at: TimeOfDay::new(2, 30).unwrap() };
            let schedule = Schedule::new(nightly, "UTC".parse().unwrap()).unwrap().with_jitter_minutes(0);
            let setup = Setup::new().with_schedule(schedule).with_owner(Owner::new("olga", contact));
            connection.set_up(setup, "olga", now).unwrap();
            connections.create(&connection).await.unwrap();
            let secrets = Credentials::new().with("token", "s3cret".into());
            self.credentials.put(key, &secrets).await.unwrap();
            connections.authorise(key, &MockConnector::new([]), &secrets, "olga").await.unwrap();
            let rules = vec![
                FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
                FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail),
                FieldRule::copy(MemberField::FirstName, EmployeeField::FirstName),
            ];
            let mapping = MappingDocument::new(rules, ScopeFilter::everybody());
            connections.change(key, |connection| connection.map(mapping.clone(), "olga", now)).await.unwrap();
        });
    }

    /// The same, reviewed and published.
    pub(crate) fn publish(
        &self,
        key: &ConnectionKey,
        connector: MockConnector,
        target: MockTarget,
    ) -> RunReport {
        self.publish_with(&Policy::default(), key, connector, target)
    }

    /// The same with guards and the like of its own.
    pub(crate) fn publish_with(
        &self,
        policy: &Policy,
        key: &ConnectionKey,
        connector: MockConnector,
        target: MockTarget,
    ) -> RunReport {
        self.add(key, connector, target);
        self.clock.drive(async {
            let change = |connection: &mut Connection| {
                *connection = connection.clone().with_policy(policy.clone());
                Ok(())
            };
            self.worker.connections().change(key, change).await.unwrap();
            let plan = self.worker.review(key, "olga").await.unwrap();
            self.worker.publish(key, &plan.header().digest, "olga").await.unwrap()
        })
    }

    pub(crate) fn target(&self) -> MockTarget {
        MockTarget::new(self.clock.clone())
    }

    pub(crate) fn connection(&self, key: &ConnectionKey) -> Connection {
        self.clock.drive(self.worker.connections().get(key)).unwrap()
    }

    /// Lets a runner run for some hours by the clock.
    pub(crate) fn run_for(&self, hours: u64) {
        self.run_with(&RunnerOptions::default(), hours);
    }

    pub(crate) fn run_with(&self, options: &RunnerOptions, hours: u64) {
        let (runner, stop) = (Runner::new(self.worker.clone(), options.clone()), Stop::new());
        self.clock.drive(async {
            let clock = self.clock.clone();
            let closing = async {
                hris_core::Clock::sleep(&clock, Duration::from_secs(hours * 3600)).await;
                stop.stop();
            };
            let (ran, ()) = futures_util::join!(runner.run(&stop), closing);
            ran.unwrap();
        });
    }
}

fn worker(
    clock: &ManualClock,
    store: &MemoryStore,
    credentials: &MemoryCredentials,
    ends: &Arc<Ends>,
    notices: &Kept,
) -> Worker {
    let connections =
        Connections::new(Arc::new(store.clone()), Arc::new(credentials.clone()), Arc::new(clock.clone()));
    let key = SecretKey::new(KeyId::new("k"), [7; 32]);
    Worker::new(
        connections,
        Arc::new(store.clone()),
        Arc::new(key),
        Arc::clone(ends) as _,
        Arc::new(notices.clone()),
    )
}
