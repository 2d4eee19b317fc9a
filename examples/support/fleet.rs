//! A simulated night of many tenants: their imports fall due within an hour and share some places.

use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use hris_connection::{
    Connection, Connections, Frequency, MemoryCredentials, Owner, Schedule, Setup, TimeOfDay, Zone,
};
use hris_core::descriptor::Integration;
use hris_core::keys::KeyId;
use hris_core::store::Runs as _;
use hris_core::{
    Clock as _, ConnectionKey, Credentials, Descriptor, Email, Employee, EmployeeField, EmploymentStatus,
    ErrorKind, Field, FieldRule, HrisConnector, MappingDocument, MemberField, NoNotifier,
    ProvisioningPlan as _, ProvisioningTarget, Recipient, RecordIdKind, RunReport, RunResult, ScopeFilter,
    SecretKey, Trigger,
};
use hris_runner::{Assembly, Runner, RunnerOptions, Stop, Worker};
use hris_store_memory::MemoryStore;
use hris_testkit::{ManualClock, MockConnector, MockTarget};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The evening on which everything is set up, and the time at which the night's imports begin to fall due.
const EVENING: &str = "2026-03-02T20:00:00Z";
const DUE: &str = "2026-03-03T02:00:00Z";

/// The tenant whose HR system never answers.
pub const HANGING: usize = 17;
/// The tenant whose HR system fails.
pub const FAILING: usize = 42;

/// What a night is like.
#[derive(Clone, Copy, Debug)]
pub struct Night {
    /// How many tenants there are.
    pub tenants: usize,
    /// How many connections run at once.
    pub places: NonZeroUsize,
    /// Whether one tenant hangs and another fails.
    pub troubled: bool,
}

/// One import of the night.
#[derive(Clone, Debug)]
pub struct Import {
    /// The tenant's number.
    pub tenant: usize,
    /// The connection's number within the tenant.
    pub connection: usize,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// Its report; none if it never ended.
    pub report: Option<RunReport>,
}

/// What became of a night.
#[derive(Clone, Debug)]
pub struct Morning {
    /// Every import that was due, in the order of tenants.
    pub imports: Vec<Import>,
    /// When the first of them was due at the earliest.
    pub began: DateTime<Utc>,
}

impl Import {
    /// How long it waited for its turn.
    pub fn waited(&self) -> Option<TimeDelta> {
        self.report.as_ref().map(|report| report.started_at - self.due)
    }

    /// Whether it went well.
    pub fn is_done(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.result == RunResult::Applied)
    }
}

impl Morning {
    /// The imports of all tenants but the two that can be in trouble.
    pub fn others(&self) -> impl Iterator<Item = &Import> {
        self.imports.iter().filter(|import| ![HANGING, FAILING].contains(&import.tenant))
    }

    /// How long the night lasted for the others: from the first due to the last of them that was done.
    pub fn length(&self) -> TimeDelta {
        let ends = self.others().filter_map(|import| Some(import.report.as_ref()?.finished_at));
        ends.max().map_or(TimeDelta::zero(), |last| last - self.began)
    }
}

/// The two ends of each connection: the HR systems take their time, the platforms are quick.
#[derive(Debug, Default)]
struct Ends(Mutex<HashMap<ConnectionKey, (MockConnector, MockTarget)>>);

impl Ends {
    fn of(&self, key: &ConnectionKey) -> hris_core::Result<(MockConnector, MockTarget)> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ends.get(key).cloned();
        found.ok_or_else(|| hris_core::Error::new(ErrorKind::NotFound, "no such connection"))
    }

    fn set(&self, key: ConnectionKey, connector: MockConnector, target: MockTarget) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (connector, target));
    }
}

#[async_trait]
impl Assembly for Ends {
    async fn connector(
        &self,
        connection: &Connection,
        _: &Credentials,
    ) -> hris_core::Result<Arc<dyn HrisConnector>> {
        Ok(Arc::new(self.of(connection.key())?.0))
    }

    async fn target(&self, connection: &Connection) -> hris_core::Result<Arc<dyn ProvisioningTarget>> {
        Ok(Arc::new(self.of(connection.key())?.1))
    }
}

impl Night {
    /// Lets the night pass, by a clock of its own.
    ///
    /// # Errors
    /// If something cannot be set up.
    pub fn pass(self) -> Result<Morning> {
        let clock = ManualClock::new(EVENING.parse()?);
        let (store, ends) = (Arc::new(MemoryStore::new()), Arc::new(Ends::default()));
        let credentials = Arc::new(MemoryCredentials::new());
        let connections = Connections::new(Arc::clone(&store) as _, credentials, Arc::new(clock.clone()));
        let worker = Worker::new(
            connections,
            Arc::clone(&store) as _,
            Arc::new(SecretKey::new(KeyId::new("fleet"), [7; 32])),
            Arc::clone(&ends) as _,
            Arc::new(NoNotifier),
        )
        .with_watch(Duration::from_secs(60), Duration::from_secs(6 * 3600));
        let keys: Vec<_> = (0..self.tenants)
            .flat_map(|tenant| (0..connections_of(tenant)).map(move |number| (tenant, number)))
            .collect();
        clock.drive(async {
            for (tenant, number) in &keys {
                self.set_up(&worker, &ends, &clock, *tenant, *number).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        })?;
        let (runner, stop) =
            (Runner::new(worker.clone(), RunnerOptions::default().with_at_once(self.places)), Stop::new());
        clock.drive(async {
            let morning = async {
                clock.sleep(Duration::from_secs(12 * 3600)).await;
                stop.stop();
            };
            futures_util::join!(runner.run(&stop), morning).0
        })?;
        let mut imports = Vec::new();
        for (tenant, number) in keys {
            imports.push(clock.drive(import(&store, tenant, number))?);
        }
        Ok(Morning { imports, began: DUE.parse()? })
    }

    /// One connection, set up and published in the evening; at night its HR system has ten more people and takes its
    /// time.
    async fn set_up(
        self,
        worker: &Worker,
        ends: &Ends,
        clock: &ManualClock,
        tenant: usize,
        number: usize,
    ) -> Result<()> {
        let key = key(tenant, number);
        let target = MockTarget::new(clock.clone());
        ends.set(key.clone(), MockConnector::new(people(10)), target.clone());
        let now = clock.now();
        let mut connection = Connection::draft(key.clone(), &vendor());
        let contact = Recipient::new(Email::parse("admin@tenant.example").ok_or("no address")?);
        let setup = Setup::new().with_schedule(nightly()?).with_owner(Owner::new("admin", contact));
        connection.set_up(setup, "admin", now)?;
        worker.connections().create(&connection).await?;
        let secrets = Credentials::new().with("token", "secret".into());
        worker.connections().authorise(&key, &MockConnector::new([]), &secrets, "admin").await?;
        let rules = vec![
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail),
        ];
        let mapping = MappingDocument::new(rules, ScopeFilter::everybody());
        worker.connections().change(&key, |connection| connection.map(mapping.clone(), "admin", now)).await?;
        let plan = Box::pin(worker.review(&key, "admin")).await?;
        Box::pin(worker.publish(&key, &plan.header().digest, "admin")).await?;

        let page = Duration::from_secs(30 + (tenant as u64 * 37 + number as u64 * 11) % 61);
        let slow = MockConnector::new(people(20)).with_page_size(5);
        let connector = match tenant {
            HANGING if self.troubled => slow.with_delay(clock.clone(), Duration::from_secs(365 * 24 * 3600)),
            FAILING if self.troubled => {
                let failed = || hris_core::Error::new(ErrorKind::Unavailable, "the HR system is down");
                slow.with_delay(clock.clone(), page).fail_after(5, failed)
            }
            _ => slow.with_delay(clock.clone(), page),
        };
        ends.set(key, connector, target);
        Ok(())
    }
}

/// Most tenants have one connection, every hundredth has five.
fn connections_of(tenant: usize) -> usize {
    if tenant % 100 == 99 { 5 } else { 1 }
}

fn key(tenant: usize, number: usize) -> ConnectionKey {
    ConnectionKey::new(format!("tenant {tenant:04}"), format!("hr {number}"))
}

/// At two, spread over an hour.
fn nightly() -> Result<Schedule> {
    let two = TimeOfDay::new(2, 0).ok_or("no time of day")?;
    Ok(Schedule::new(Frequency::Daily { at: two }, Zone::UTC)?.with_jitter_minutes(60))
}

fn vendor() -> Integration {
    let facts = Descriptor::new("acme", "Acme HR", RecordIdKind::new("acme.id"));
    Integration::new(&facts, "Reads the people of one company in Acme.")
}

fn people(count: u32) -> Vec<Employee> {
    let person = |number: u32| {
        let mut person = Employee::new(format!("r-{number}"), EmploymentStatus::Active);
        person.employee_id = Field::Value(number.to_string().into());
        person.work_email = Field::Value(format!("person.{number}@company.example"));
        person
    };
    (0..count).map(person).collect()
}

async fn import(store: &MemoryStore, tenant: usize, number: usize) -> Result<Import> {
    let key = key(tenant, number);
    let evening = EVENING.parse()?;
    let due = nightly()?.next_run(evening, &key).ok_or("nothing is due")?.due;
    let reports = store.runs(&key, 0, 9).await?;
    let report = reports.into_iter().find(|report| report.trigger == Trigger::Schedule);
    Ok(Import { tenant, connection: number, due, report })
}
