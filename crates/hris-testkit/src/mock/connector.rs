//! An HR connector without a network, which delivers what a test puts in and fails where a test wants it to.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use hris_core::{
    Account, Capabilities, Clock, Descriptor, Employee, EmployeeField, EmployeeRef, EmploymentStatus, Error,
    FieldDescriptor, FieldSet, Ground, HrisConnector, ListingEvidence, Lookup, ReadEvent, ReadQuery, Receipt,
    RecordId, RecordIdKind, RejectedRecord, Result, Scope, SharedClock, Watermark,
};

use super::lock;
use super::project::project;

static DESCRIPTOR: Descriptor =
    Descriptor::new("mock", "Mock directory", RecordIdKind::new("mock.employee.record"));

/// How the readings of a [`MockConnector`] end.
#[derive(Clone)]
pub struct Ending(How);

#[derive(Clone)]
enum How {
    Receipt,
    Nothing,
    Failure(u64, Make<Error>),
}

type Make<T> = Arc<dyn Fn() -> T + Send + Sync>;
type ReceiptChange = Arc<dyn Fn(&mut Receipt) + Send + Sync>;

impl Ending {
    /// With a receipt, as a reading that went well.
    pub fn complete() -> Self {
        Self(How::Receipt)
    }

    /// Without a receipt and without an error: the stream just stops.
    pub fn broken_off() -> Self {
        Self(How::Nothing)
    }

    /// With an error once `rows` rows were delivered (rejected and deleted ones count), or in place of the receipt
    /// when there are fewer. With 0 the error is the only thing that is delivered.
    pub fn failing_after(rows: u64, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self(How::Failure(rows, Arc::new(error)))
    }

    fn rows(&self) -> u64 {
        match &self.0 {
            How::Failure(rows, _) => *rows,
            How::Receipt | How::Nothing => u64::MAX,
        }
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            How::Receipt => f.write_str("Complete"),
            How::Nothing => f.write_str("BrokenOff"),
            How::Failure(rows, _) => f.debug_tuple("FailingAfter").field(rows).finish(),
        }
    }
}

/// A [`HrisConnector`] that delivers employees from memory. Clones are handles to the same directory.
///
/// It keeps the trait's contract: lazy, cancelled by dropping, no field that was not asked for, and no query beyond
/// its capabilities, which are all "yes" until changed. A reading sees the directory as it was at its first poll.
///
/// Events come in this order: the expected number, the first page, rejected rows, the other pages, deleted records,
/// and the receipt. Repeat an employee in the directory to have a row delivered twice.
///
/// ```
/// use futures_util::StreamExt as _;
/// use hris_core::{Employee, EmploymentStatus, Error, ErrorKind};
/// use hris_core::{FieldSet, HrisConnector as _, ReadEvent, ReadQuery};
/// use hris_testkit::MockConnector;
///
/// let people = ["r1", "r2", "r3"].map(|record| Employee::new(record, EmploymentStatus::Active));
/// let connector = MockConnector::new(people)
///     .with_page_size(2)
///     .fail_after(2, || Error::new(ErrorKind::Unavailable, "the second page cannot be had"));
///
/// let everyone = ReadQuery::everyone(FieldSet::all_canonical());
/// let events = hris_testkit::run(connector.read(everyone).collect::<Vec<_>>());
/// assert!(matches!(&events[1], Ok(ReadEvent::Employees(page)) if page.len() == 2));
/// assert_eq!(events.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
/// assert!(!events.iter().any(|event| matches!(event, Ok(ReadEvent::End(_)))));
/// ```
#[derive(Clone)]
pub struct MockConnector(Arc<Mutex<Script>>);

struct Script {
    descriptor: &'static Descriptor,
    capabilities: Capabilities,
    account: Account,
    check: Option<Make<Result<Account>>>,
    fields: Vec<FieldDescriptor>,
    people: Arc<[Employee]>,
    rejected: Vec<RejectedRecord>,
    deleted: Vec<RecordId>,
    lookups: HashMap<RecordId, Make<Result<Lookup>>>,
    page_size: usize,
    pause: Option<(SharedClock, Duration)>,
    ending: Ending,
    receipt: Option<ReceiptChange>,
    queries: Vec<ReadQuery>,
    lookups_asked: Vec<EmployeeRef>,
    rows: u64,
}

impl MockConnector {
    /// A directory of these employees, which can do everything, in pages of 50.
    pub fn new(people: impl IntoIterator<Item = Employee>) -> Self {
        let fields = EmployeeField::ALL.iter();
        let script = Script {
            descriptor: &DESCRIPTOR,
            capabilities: everything(),
            account: Account::new("mock-account").named("Mock company"),
            check: None,
            fields: fields.map(|field| FieldDescriptor::new(*field, field.as_str())).collect(),
            people: people.into_iter().collect(),
            rejected: Vec::new(),
            deleted: Vec::new(),
            lookups: HashMap::new(),
            page_size: 50,
            pause: None,
            ending: Ending::complete(),
            receipt: None,
            queries: Vec::new(),
            lookups_asked: Vec::new(),
            rows: 0,
        };
        Self(Arc::new(Mutex::new(script)))
    }

    /// Delivers `size` employees an event; 0 counts as 1.
    #[must_use]
    pub fn with_page_size(self, size: usize) -> Self {
        lock(&self.0).page_size = size.max(1);
        self
    }

    /// Adds rows that cannot be used; they come after the first page.
    #[must_use]
    pub fn with_rejected(self, rows: impl IntoIterator<Item = RejectedRecord>) -> Self {
        self.set_rejected(rows);
        self
    }

    /// Reports records as deleted, where the capabilities have tombstones.
    #[must_use]
    pub fn with_deleted(self, records: impl IntoIterator<Item = RecordId>) -> Self {
        self.set_deleted(records);
        self
    }

    /// Waits on a clock before each event of a reading, each check and each single read.
    #[must_use]
    pub fn with_delay(self, clock: impl Clock, delay: Duration) -> Self {
        lock(&self.0).pause = Some((Arc::new(clock), delay));
        self
    }

    /// Lets every reading fail once `rows` rows were delivered; see [`Ending::failing_after`].
    #[must_use]
    pub fn fail_after(self, rows: u64, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        self.set_ending(Ending::failing_after(rows, error));
        self
    }

    /// Lets every reading break off without a receipt.
    #[must_use]
    pub fn without_end(self) -> Self {
        self.set_ending(Ending::broken_off());
        self
    }

    /// Changes the receipt before it is delivered.
    #[must_use]
    pub fn with_receipt(self, change: impl Fn(&mut Receipt) + Send + Sync + 'static) -> Self {
        self.set_receipt(change);
        self
    }

    /// The account that the credential opens. Its id is also in the receipts.
    #[must_use]
    pub fn with_account(self, account: Account) -> Self {
        self.set_account(account);
        self
    }

    /// Answers [`HrisConnector::check`] with something else than the account, such as an error.
    #[must_use]
    pub fn with_check(self, answer: impl Fn() -> Result<Account> + Send + Sync + 'static) -> Self {
        lock(&self.0).check = Some(Arc::new(answer));
        self
    }

    /// What the connector can do. What it cannot do, it does not: without `reads_leavers` inactive people are left
    /// out, without `tombstones` no deletion is reported, without `modified_at` rows carry no stamp, without
    /// `single_read` neither single people nor [`Scope::People`] can be read.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        lock(&self.0).capabilities = capabilities;
        self
    }

    /// Facts about the pretended vendor. Its kind of record id is also in the receipts.
    #[must_use]
    pub fn with_descriptor(self, descriptor: &'static Descriptor) -> Self {
        lock(&self.0).descriptor = descriptor;
        self
    }

    /// The fields that a mapping can read.
    #[must_use]
    pub fn with_fields(self, fields: impl IntoIterator<Item = FieldDescriptor>) -> Self {
        lock(&self.0).fields = fields.into_iter().collect();
        self
    }

    /// Answers single reads of one record with something else than the directory has.
    #[must_use]
    pub fn with_lookup(
        self,
        record: impl Into<RecordId>,
        answer: impl Fn() -> Result<Lookup> + Send + Sync + 'static,
    ) -> Self {
        lock(&self.0).lookups.insert(record.into(), Arc::new(answer));
        self
    }

    /// Changes who is in the directory. A reading under way goes on with whom it found at its first poll.
    pub fn set_people(&self, people: impl IntoIterator<Item = Employee>) {
        lock(&self.0).people = people.into_iter().collect();
    }

    /// Changes which rows cannot be used.
    pub fn set_rejected(&self, rows: impl IntoIterator<Item = RejectedRecord>) {
        lock(&self.0).rejected = rows.into_iter().collect();
    }

    /// Changes which records are reported as deleted.
    pub fn set_deleted(&self, records: impl IntoIterator<Item = RecordId>) {
        lock(&self.0).deleted = records.into_iter().collect();
    }

    /// Changes how readings end from now on.
    pub fn set_ending(&self, ending: Ending) {
        lock(&self.0).ending = ending;
    }

    /// Changes what is done to receipts from now on.
    pub fn set_receipt(&self, change: impl Fn(&mut Receipt) + Send + Sync + 'static) {
        lock(&self.0).receipt = Some(Arc::new(change));
    }

    /// Changes the account, as if the credential now opened another company.
    pub fn set_account(&self, account: Account) {
        lock(&self.0).account = account;
    }

    /// The queries of all readings that were started (polled at least once), in order.
    pub fn queries(&self) -> Vec<ReadQuery> {
        lock(&self.0).queries.clone()
    }

    /// Whom single reads asked for, in order.
    pub fn lookups(&self) -> Vec<EmployeeRef> {
        lock(&self.0).lookups_asked.clone()
    }

    /// How many rows all readings delivered so far: employees, rejected and deleted ones.
    pub fn rows_delivered(&self) -> u64 {
        lock(&self.0).rows
    }

    async fn pause(&self) {
        let pause = lock(&self.0).pause.clone();
        if let Some((clock, delay)) = pause {
            clock.sleep(delay).await;
        }
    }

    fn start(&self, query: ReadQuery) -> Result<Reading> {
        let mut script = lock(&self.0);
        script.queries.push(query.clone());
        let selection = Selection::new(script.capabilities, query.scope)?;
        Ok(Reading {
            connector: self.clone(),
            descriptor: script.descriptor,
            account: script.account.clone(),
            fields: query.fields,
            people: Arc::clone(&script.people),
            rejected: selection.rejected(&script.rejected),
            deleted: selection.deleted(&script.deleted),
            page_size: script.page_size,
            ending: script.ending.clone(),
            receipt: script.receipt.clone(),
            selection,
            stage: Stage::Start,
            next: 0,
            rows_left: script.ending.rows(),
        })
    }
}

impl fmt::Debug for MockConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = lock(&self.0);
        f.debug_struct("MockConnector")
            .field("people", &script.people.len())
            .field("ending", &script.ending)
            .finish_non_exhaustive()
    }
}

fn everything() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.reads_leavers = true;
    capabilities.has_status = true;
    capabilities.incremental = true;
    capabilities.single_read = true;
    capabilities.proves_absence = true;
    capabilities.tombstones = true;
    capabilities.modified_at = true;
    capabilities
}

#[async_trait]
impl HrisConnector for MockConnector {
    fn descriptor(&self) -> &'static Descriptor {
        lock(&self.0).descriptor
    }

    fn capabilities(&self) -> Capabilities {
        lock(&self.0).capabilities
    }

    async fn check(&self) -> Result<Account> {
        self.pause().await;
        let scripted = lock(&self.0).check.clone();
        match scripted {
            Some(answer) => answer(),
            None => Ok(lock(&self.0).account.clone()),
        }
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let connector = self.clone();
        let start = stream::once(async move { connector.start(query) });
        start
            .flat_map(|started| match started {
                Ok(reading) => reading.events(),
                Err(error) => stream::once(ready(Err(error))).boxed(),
            })
            .boxed()
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        let capabilities = self.capabilities();
        if !capabilities.single_read {
            return Err(Error::unsupported("this directory does not read single people"));
        }
        lock(&self.0).lookups_asked.push(who.clone());
        self.pause().await;
        let scripted = lock(&self.0).lookups.get(&who.record).cloned();
        if let Some(answer) = scripted {
            return answer();
        }
        let script = lock(&self.0);
        if script.deleted.contains(&who.record) {
            return Ok(Lookup::Deleted);
        }
        let found = script.people.iter().find(|person| person.record == who.record);
        Ok(found
            .map_or(Lookup::NotFound, |person| Lookup::Found(Box::new(row(person, fields, capabilities)))))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        Ok(lock(&self.0).fields.clone())
    }
}

fn row(person: &Employee, fields: &FieldSet, capabilities: Capabilities) -> Employee {
    let mut row = project(person, fields);
    if !capabilities.modified_at {
        row.modified_at = None;
    }
    row
}

/// Which rows a query covers.
struct Selection {
    capabilities: Capabilities,
    scope: Scope,
    asked: HashSet<RecordId>,
}

impl Selection {
    fn new(capabilities: Capabilities, scope: Scope) -> Result<Self> {
        let mut asked = HashSet::new();
        match &scope {
            Scope::Everyone => {}
            Scope::ChangedSince(_) if capabilities.incremental => {}
            Scope::People(people) if capabilities.single_read => {
                asked.extend(people.iter().map(|person| person.record.clone()));
            }
            _ => return Err(Error::unsupported("this directory does not read that scope")),
        }
        Ok(Self { capabilities, scope, asked })
    }

    fn has(&self, person: &Employee) -> bool {
        let visible = self.capabilities.reads_leavers || person.status != EmploymentStatus::Inactive;
        let in_scope = match &self.scope {
            Scope::ChangedSince(watermark) => person.modified_at.is_none_or(|at| at >= watermark.at),
            _ => self.has_record(Some(&person.record)),
        };
        visible && in_scope
    }

    /// Whether a row of which only the id is known belongs to the answer.
    fn has_record(&self, record: Option<&RecordId>) -> bool {
        match self.scope {
            Scope::People(_) => record.is_some_and(|record| self.asked.contains(record)),
            _ => true,
        }
    }

    fn rejected(&self, rows: &[RejectedRecord]) -> Vec<RejectedRecord> {
        let rows = rows.iter().filter(|row| self.has_record(row.record.as_ref()));
        rows.cloned().collect()
    }

    fn deleted(&self, records: &[RecordId]) -> Vec<RecordId> {
        let reported =
            records.iter().filter(|record| self.capabilities.tombstones && self.has_record(Some(record)));
        reported.cloned().collect()
    }

    fn is_full(&self) -> bool {
        self.scope == Scope::Everyone
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    FirstPage,
    Rejected(usize),
    Pages,
    Deleted(usize),
    End,
    Over,
}

/// One reading under way, over the directory as it was at its first poll.
struct Reading {
    connector: MockConnector,
    descriptor: &'static Descriptor,
    account: Account,
    fields: FieldSet,
    people: Arc<[Employee]>,
    rejected: Vec<RejectedRecord>,
    deleted: Vec<RecordId>,
    page_size: usize,
    ending: Ending,
    receipt: Option<ReceiptChange>,
    selection: Selection,
    stage: Stage,
    next: usize,
    rows_left: u64,
}

impl Reading {
    fn events(self) -> BoxStream<'static, Result<ReadEvent>> {
        let events = stream::unfold(self, |mut reading| async move {
            let event = reading.next_event()?;
            reading.connector.pause().await;
            if let Ok(event) = &event {
                lock(&reading.connector.0).rows += rows_of(event);
            }
            Some((event, reading))
        });
        events.boxed()
    }

    fn next_event(&mut self) -> Option<Result<ReadEvent>> {
        loop {
            if let Some(failure) = self.failure() {
                self.stage = Stage::Over;
                return Some(Err(failure));
            }
            let (event, next) = self.step();
            self.stage = next;
            if let Some(event) = event {
                self.rows_left -= rows_of(&event);
                return Some(Ok(event));
            }
            if next == Stage::Over {
                return None;
            }
        }
    }

    /// The scripted error, once its time has come.
    fn failure(&self) -> Option<Error> {
        let How::Failure(_, make) = &self.ending.0 else {
            return None;
        };
        let due = self.rows_left == 0 || self.stage == Stage::End;
        (due && self.stage != Stage::Over).then(|| make())
    }

    /// The event of the current stage, if it has one, and the stage after it.
    fn step(&mut self) -> (Option<ReadEvent>, Stage) {
        match self.stage {
            Stage::Start => (Some(self.expected()), Stage::FirstPage),
            Stage::FirstPage => (self.page(), Stage::Rejected(0)),
            Stage::Rejected(at) => match self.rejected.get(at).cloned() {
                Some(row) => (Some(ReadEvent::Rejected(row)), Stage::Rejected(at + 1)),
                None => (None, Stage::Pages),
            },
            Stage::Pages => match self.page() {
                Some(page) => (Some(page), Stage::Pages),
                None => (None, Stage::Deleted(0)),
            },
            Stage::Deleted(at) => match self.deleted.get(at).cloned() {
                Some(record) => (Some(ReadEvent::Deleted(record)), Stage::Deleted(at + 1)),
                None => (None, Stage::End),
            },
            Stage::End => (self.end(), Stage::Over),
            Stage::Over => (None, Stage::Over),
        }
    }

    fn expected(&self) -> ReadEvent {
        let people = self.people.iter().filter(|person| self.selection.has(person));
        ReadEvent::Expected((people.count() + self.rejected.len()) as u64)
    }

    fn page(&mut self) -> Option<ReadEvent> {
        let limit = usize::try_from(self.rows_left).unwrap_or(usize::MAX).min(self.page_size);
        let mut page = Vec::new();
        while page.len() < limit {
            let Some(person) = self.people.get(self.next) else {
                break;
            };
            self.next += 1;
            if self.selection.has(person) {
                page.push(row(person, &self.fields, self.selection.capabilities));
            }
        }
        (!page.is_empty()).then_some(ReadEvent::Employees(page))
    }

    fn end(&self) -> Option<ReadEvent> {
        let How::Receipt = self.ending.0 else {
            return None;
        };
        let mut receipt = self.receipt();
        if let Some(change) = &self.receipt {
            change(&mut receipt);
        }
        Some(ReadEvent::End(receipt))
    }

    fn receipt(&self) -> Receipt {
        let capabilities = self.selection.capabilities;
        let read = self.people.iter().filter(|person| self.selection.has(person));
        let mut records: HashSet<&RecordId> = read.map(|person| &person.record).collect();
        records.extend(self.rejected.iter().filter_map(|row| row.record.as_ref()));
        let distinct = records.len() as u64;
        let unidentified = self.rejected.iter().filter(|row| row.record.is_none());
        let evidence = ListingEvidence {
            natural_end: true,
            whole_population: self.selection.is_full() && capabilities.proves_absence,
            distinct,
            unidentified: unidentified.count() as u64,
            ..ListingEvidence::default()
        };
        let kind = self.descriptor.record_id_kind.clone();
        let mut receipt = Receipt::new(self.account.id.clone(), kind, distinct, evidence.judge());
        receipt.full = self.selection.is_full();
        receipt.watermark = self.watermark().filter(|_| capabilities.incremental);
        if capabilities.tombstones {
            receipt.tombstones = Ground::Usable;
        }
        receipt
    }

    /// The newest stamp in the directory, or where an incremental reading started if that is later.
    fn watermark(&self) -> Option<Watermark> {
        let newest = self.people.iter().filter_map(|person| person.modified_at).max();
        let newest = newest.map(Watermark::at);
        match &self.selection.scope {
            Scope::Everyone => newest,
            Scope::ChangedSince(from) => newest.filter(|to| to.at > from.at).or(Some(from.clone())),
            _ => None,
        }
    }
}

fn rows_of(event: &ReadEvent) -> u64 {
    match event {
        ReadEvent::Employees(page) => page.len() as u64,
        ReadEvent::Rejected(_) | ReadEvent::Deleted(_) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, run};
    use futures_util::FutureExt as _;
    use hris_core::{ErrorKind, Field, SourceField};

    fn people(count: usize) -> Vec<Employee> {
        let person = |index| {
            let mut person = Employee::new(format!("r{index}"), EmploymentStatus::Active);
            person.employee_id = Field::Value(format!("{index}").into());
            person.first_name = Field::Value("Nerea".to_owned());
            person.work_email = Field::Value(format!("p{index}@brisa.example"));
            person
        };
        (1..=count).map(person).collect()
    }

    fn everyone() -> ReadQuery {
        ReadQuery::everyone(FieldSet::all_canonical())
    }

    fn read(connector: &MockConnector, query: ReadQuery) -> Vec<Result<ReadEvent>> {
        run(connector.read(query).collect())
    }

    fn records(events: &[Result<ReadEvent>]) -> Vec<&str> {
        let mut records = Vec::new();
        for event in events {
            if let Ok(ReadEvent::Employees(page)) = event {
                records.extend(page.iter().map(|person| person.record.as_str()));
            }
        }
        records
    }

    fn receipt(events: &[Result<ReadEvent>]) -> &Receipt {
        match events.last() {
            Some(Ok(ReadEvent::End(receipt))) => receipt,
            other => panic!("ended with {other:?}"),
        }
    }

    fn limited(change: impl FnOnce(&mut Capabilities)) -> MockConnector {
        let mut capabilities = everything();
        change(&mut capabilities);
        MockConnector::new(people(2)).with_capabilities(capabilities)
    }

    #[test]
    fn a_reading_delivers_pages_and_ends_with_one_receipt() {
        let events = read(&MockConnector::new(people(5)).with_page_size(2), everyone());
        assert_eq!(*events[0].as_ref().unwrap(), ReadEvent::Expected(5));
        let sizes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Ok(ReadEvent::Employees(page)) => Some(page.len()),
                _ => None,
            })
            .collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(records(&events), ["r1", "r2", "r3", "r4", "r5"]);
        let receipt = receipt(&events);
        assert_eq!((receipt.distinct, receipt.full), (5, true));
        assert!(receipt.absence.ground().is_usable() && receipt.status.is_usable());
        assert_eq!(receipt.record_id_kind, DESCRIPTOR.record_id_kind);
    }

    #[test]
    fn an_empty_directory_still_ends_with_a_receipt() {
        let events = read(&MockConnector::new([]), everyone());
        assert_eq!(events.len(), 2);
        assert_eq!(receipt(&events).distinct, 0);
    }

    #[test]
    fn nothing_happens_before_the_first_poll_and_dropping_stops() {
        let connector = MockConnector::new(people(5)).with_page_size(1);
        let mut reading = connector.read(everyone());
        assert!(connector.queries().is_empty());
        run(async {
            assert!(matches!(reading.next().await, Some(Ok(ReadEvent::Expected(5)))));
            assert!(matches!(reading.next().await, Some(Ok(ReadEvent::Employees(_)))));
        });
        drop(reading);
        assert_eq!((connector.queries().len(), connector.rows_delivered()), (1, 1));
    }

    #[test]
    fn a_reading_keeps_to_the_directory_of_its_first_poll() {
        let connector = MockConnector::new(people(3)).with_page_size(1);
        let mut reading = connector.read(everyone());
        let first = run(reading.next()).unwrap();
        connector.set_people([]);
        let mut events = vec![first];
        events.extend(run(reading.collect::<Vec<_>>()));
        assert_eq!(records(&events), ["r1", "r2", "r3"]);
        assert!(records(&read(&connector, everyone())).is_empty());
    }

    #[test]
    fn a_failure_comes_after_exactly_the_rows_it_is_set_to_and_is_last() {
        let refused = || Error::new(ErrorKind::Unauthorized, "the token was refused");
        for (after, rows) in [(0, 0), (3, 3), (5, 5), (99, 5)] {
            let connector = MockConnector::new(people(5)).with_page_size(2).fail_after(after, refused);
            let events = read(&connector, everyone());
            assert_eq!(records(&events).len(), rows, "after {after}");
            assert_eq!(events.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Unauthorized);
            assert_eq!(events.iter().filter(|event| event.is_err()).count(), 1);
        }
        let at_once = MockConnector::new(people(5)).fail_after(0, refused);
        assert_eq!(read(&at_once, everyone()).len(), 1);
    }

    #[test]
    fn a_reading_that_breaks_off_has_neither_receipt_nor_error() {
        let connector = MockConnector::new(people(2)).without_end();
        let events = read(&connector, everyone());
        assert!(matches!(events.last(), Some(Ok(ReadEvent::Employees(_)))));
        connector.set_ending(Ending::complete());
        assert_eq!(receipt(&read(&connector, everyone())).distinct, 2);
    }

    #[test]
    fn rejected_and_deleted_rows_come_among_the_others_and_are_counted() {
        let connector = MockConnector::new(people(3))
            .with_page_size(2)
            .with_rejected([RejectedRecord::unreadable(Some("r9".into()), "no status")])
            .with_deleted(["r8".into()]);
        let events = read(&connector, everyone());
        let at =
            |wanted: fn(&ReadEvent) -> bool| events.iter().position(|event| wanted(event.as_ref().unwrap()));
        assert_eq!(at(|event| matches!(event, ReadEvent::Rejected(_))), Some(2));
        assert_eq!(at(|event| matches!(event, ReadEvent::Deleted(_))), Some(4));
        assert_eq!(records(&events), ["r1", "r2", "r3"], "a rejected row hides no other");
        assert_eq!(receipt(&events).distinct, 4);
        assert_eq!(connector.rows_delivered(), 5);
        connector.set_rejected([RejectedRecord::unreadable(None, "no id")]);
        assert!(!receipt(&read(&connector, everyone())).absence.ground().is_usable());
    }

    #[test]
    fn repeated_rows_are_delivered_and_counted_once() {
        let mut rows = people(2);
        rows.push(rows[0].clone());
        let events = read(&MockConnector::new(rows), everyone());
        assert_eq!(records(&events), ["r1", "r2", "r1"]);
        assert_eq!(receipt(&events).distinct, 2);
    }

    #[test]
    fn only_asked_for_fields_are_delivered() {
        let connector = MockConnector::new(people(1));
        let fields = FieldSet::from_iter([EmployeeField::WorkEmail]);
        let events = read(&connector, ReadQuery::everyone(fields.clone()));
        let Ok(ReadEvent::Employees(page)) = &events[1] else { panic!("{events:?}") };
        assert!(page[0].work_email.value().is_some());
        assert!(page[0].first_name.is_absent() && page[0].employee_id.is_absent());
        let Lookup::Found(found) = run(connector.employee(&EmployeeRef::record("r1"), &fields)).unwrap()
        else {
            panic!("r1 is there")
        };
        assert_eq!(*found, page[0]);
    }

    #[test]
    fn a_query_beyond_the_capabilities_fails_before_anything_is_delivered() {
        let since = Scope::ChangedSince(Watermark::at("2026-01-01T00:00:00Z".parse().unwrap()));
        let some = Scope::People(vec![EmployeeRef::record("r1")]);
        let cases =
            [(limited(|can| can.incremental = false), since), (limited(|can| can.single_read = false), some)];
        for (connector, scope) in cases {
            let events = read(&connector, ReadQuery::scoped(scope, FieldSet::default()));
            assert_eq!(events.len(), 1);
            assert_eq!(events[0].as_ref().unwrap_err().kind(), ErrorKind::Unsupported);
        }
        let single = limited(|can| can.single_read = false);
        let error = run(single.employee(&EmployeeRef::record("r1"), &FieldSet::default())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(single.lookups().is_empty());
    }

    #[test]
    fn what_the_capabilities_lack_is_not_delivered() {
        let mut person = Employee::new("r3", EmploymentStatus::Inactive);
        person.modified_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
        let with_leaver = |connector: MockConnector| {
            connector.set_people([person.clone()]);
            connector.set_deleted(["r9".into()]);
            read(&connector, everyone())
        };
        assert_eq!(records(&with_leaver(limited(|_| ()))), ["r3"]);
        assert!(records(&with_leaver(limited(|can| can.reads_leavers = false))).is_empty());

        let events = with_leaver(limited(|can| can.tombstones = false));
        assert!(!events.iter().any(|event| matches!(event, Ok(ReadEvent::Deleted(_)))));
        assert!(!receipt(&events).tombstones.is_usable());

        let events = with_leaver(limited(|can| can.modified_at = false));
        let Ok(ReadEvent::Employees(page)) = &events[1] else { panic!("{events:?}") };
        assert_eq!(page[0].modified_at, None);

        let events = with_leaver(limited(|can| can.proves_absence = false));
        assert!(!receipt(&events).absence.ground().is_usable());

        let events = with_leaver(limited(|can| can.incremental = false));
        assert_eq!(receipt(&events).watermark, None);
    }

    #[test]
    fn an_incremental_reading_has_the_changed_people_and_proves_no_absence() {
        let day = |day: u32| format!("2026-01-0{day}T00:00:00Z").parse().unwrap();
        let mut rows = people(3);
        for (person, at) in rows.iter_mut().zip(1..) {
            person.modified_at = Some(day(at));
        }
        let connector = MockConnector::new(rows);
        let full = read(&connector, everyone());
        assert_eq!(receipt(&full).watermark, Some(Watermark::at(day(3))));

        let since = |at| ReadQuery::scoped(Scope::ChangedSince(Watermark::at(day(at))), FieldSet::default());
        let events = read(&connector, since(2));
        assert_eq!(records(&events), ["r2", "r3"], "the instant itself is read again, never missed");
        let incremental = receipt(&events);
        assert!(!incremental.full && !incremental.absence.ground().is_usable());
        let nothing = read(&connector, since(5));
        assert_eq!(receipt(&nothing).watermark, Some(Watermark::at(day(5))));
    }

    #[test]
    fn a_reading_of_some_people_has_these_and_proves_no_absence() {
        let connector = MockConnector::new(people(3))
            .with_deleted(["r8".into(), "r9".into()])
            .with_rejected([RejectedRecord::unreadable(Some("r7".into()), "no status")]);
        let some = ["r2", "r8", "gone"].map(EmployeeRef::record).to_vec();
        let events = read(&connector, ReadQuery::scoped(Scope::People(some), FieldSet::default()));
        assert_eq!(records(&events), ["r2"]);
        let deleted = |event: &Result<ReadEvent>| matches!(event, Ok(ReadEvent::Deleted(_)));
        assert_eq!(events.iter().filter(|event| deleted(event)).count(), 1);
        assert!(!events.iter().any(|event| matches!(event, Ok(ReadEvent::Rejected(_)))));
        assert!(!receipt(&events).full);
        assert_eq!(receipt(&events).distinct, 1);
    }

    #[test]
    fn single_reads_answer_from_the_directory_unless_scripted() {
        let connector = MockConnector::new(people(2))
            .with_deleted(["r8".into()])
            .with_lookup("r2", || Ok(Lookup::Erased))
            .with_lookup("r3", || Err(Error::new(ErrorKind::Unavailable, "down")));
        let look = |record: &str| run(connector.employee(&EmployeeRef::record(record), &FieldSet::default()));
        assert!(matches!(look("r1"), Ok(Lookup::Found(_))));
        assert_eq!(look("r2").unwrap(), Lookup::Erased);
        assert_eq!(look("r3").unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(look("r8").unwrap(), Lookup::Deleted);
        assert_eq!(look("r9").unwrap(), Lookup::NotFound);
        assert_eq!(connector.lookups().len(), 5);
    }

    #[test]
    fn the_account_and_any_change_are_in_the_receipt() {
        let connector = MockConnector::new(people(1))
            .with_account(Account::new("other"))
            .with_receipt(|receipt| receipt.status = Ground::refused("relink needed"));
        assert_eq!(run(connector.check()).unwrap().id.as_str(), "other");
        let events = read(&connector, everyone());
        assert_eq!(receipt(&events).account.as_str(), "other");
        assert!(!receipt(&events).status.is_usable());
        let refused = || Err(Error::new(ErrorKind::Unauthorized, "the token was refused"));
        let error = run(connector.with_check(refused).check()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }

    #[test]
    fn every_event_waits_for_the_clock() {
        let clock = ManualClock::at("2026-01-01T00:00:00Z");
        let second = Duration::from_secs(1);
        let connector = MockConnector::new(people(1)).with_delay(clock.clone(), second);
        let mut reading = connector.read(everyone());
        for event in 1..=3 {
            assert!(reading.next().now_or_never().is_none(), "event {event}");
            clock.advance(second);
            assert!(reading.next().now_or_never().flatten().is_some(), "event {event}");
        }
        assert!(reading.next().now_or_never().unwrap().is_none(), "the end needs no waiting");
    }

    #[test]
    fn debug_shows_no_person() {
        let connector = MockConnector::new(people(1));
        let events = read(&connector, everyone());
        let shown = format!("{connector:?} {events:?}");
        assert!(!shown.contains("Nerea") && !shown.contains("brisa.example"), "{shown}");
    }

    #[test]
    fn the_default_fields_are_all_that_can_be_read() {
        let fields = run(MockConnector::new([]).fields()).unwrap();
        let canonical: Vec<SourceField> = EmployeeField::ALL.iter().map(|field| (*field).into()).collect();
        assert_eq!(fields.into_iter().map(|field| field.field).collect::<Vec<_>>(), canonical);
    }
}
