//! One pass over a million people for three campaigns, beside the same reading without campaigns: the difference is what
//! campaigns add.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use divan::counter::ItemsCount;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_campaigns::{Campaign, Campaigns, LinkBase, MailTemplate, Policy, Rule};
use hris_core::keys::KeyId;
use hris_core::{
    Account, BirthDate, Capabilities, ConnectionKey, Descriptor, Email, Employee, EmployeeField, EmployeeRef,
    EmploymentStatus, Error, Field, FieldDescriptor, FieldSet, HrisConnector, ListingEvidence, Lookup,
    Mailbox, ReadEvent, ReadQuery, Receipt, RecordIdKind, Result, SecretKey,
};
use hris_store_memory::MemoryStore;
use hris_testkit::{ManualClock, MockMailer, run};

const PEOPLE: usize = 1_000_000;
const PAGE: usize = 1_000;

fn main() {
    divan::main();
}

/// A directory whose pages are made once and cloned page by page, as a connector makes them.
#[derive(Debug)]
struct Directory(Arc<Vec<Vec<Employee>>>);

static DESCRIPTOR: Descriptor = Descriptor::new("bench", "Bench", RecordIdKind::new("bench"));

impl Directory {
    /// Nobody is due: births and starts are spread over the months beside the windows.
    fn new() -> Self {
        let quiet: NaiveDate = NaiveDate::from_ymd_opt(1990, 4, 1).unwrap_or_default();
        let person = |number: usize| {
            let day = quiet + Days::new((number % 150) as u64);
            let mut employee =
                Employee::new(format!("{number:08x}-aaaa-4bbb-8ccc-dddddddddddd"), EmploymentStatus::Active);
            employee.birth_date = Field::Value(BirthDate::from(day));
            employee.start_date = Field::Value(day + Days::new(365 * 20 + 5));
            employee.first_name = Field::Value("First".to_owned());
            employee.last_name = Field::Value("Last".to_owned());
            employee.personal_email = Field::Value(format!("{number}@home.example"));
            employee.work_email = Field::Value(format!("{number}@work.example"));
            employee
        };
        let people: Vec<_> = (0..PEOPLE).map(person).collect();
        Self(Arc::new(people.chunks(PAGE).map(<[Employee]>::to_vec).collect()))
    }
}

#[async_trait]
impl HrisConnector for Directory {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn check(&self) -> Result<Account> {
        Ok(Account::new("bench"))
    }

    fn read(&self, _: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let pages = Arc::clone(&self.0);
        let page = move |index: usize| pages.get(index).cloned().map(|page| Ok(ReadEvent::Employees(page)));
        let evidence =
            ListingEvidence { natural_end: true, whole_population: true, ..ListingEvidence::default() };
        let receipt =
            Receipt::new("bench".into(), DESCRIPTOR.record_id_kind.clone(), PEOPLE as u64, evidence.judge());
        let end = stream::once(async move { Ok(ReadEvent::End(receipt)) });
        stream::iter((0..PEOPLE / PAGE).filter_map(page)).chain(end).boxed()
    }

    async fn employee(&self, _: &EmployeeRef, _: &FieldSet) -> Result<Lookup> {
        Err(Error::unsupported("single reads"))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        Ok(EmployeeField::ALL.iter().map(|field| FieldDescriptor::new(*field, field.as_str())).collect())
    }
}

#[expect(clippy::expect_used, reason = "a bench's set-up works or ends the bench")]
async fn campaigns() -> Campaigns {
    let clock = Arc::new(ManualClock::at("2026-10-15T05:00:00Z"));
    let campaigns = Campaigns::new(
        ConnectionKey::new("t", "c"),
        Policy::new(chrono_tz::Europe::Madrid),
        Arc::new(MemoryStore::new()),
        Arc::new(SecretKey::new(KeyId::new("k"), [1; 32])),
        Arc::new(MockMailer::new()),
        clock,
        LinkBase::new("https://g.example/").expect("an address"),
    );
    let sender = Mailbox::new("", Email::parse("s@x.example").expect("an address"));
    let mail = MailTemplate::new("Hi", "{{ claim_link }}").expect("a template");
    for (name, rule) in [("h", Rule::new_hire()), ("y", Rule::anniversary()), ("b", Rule::birthday())] {
        let campaign =
            Campaign::new(name, name, "g", sender.clone(), mail.clone(), rule).expect("a campaign");
        campaigns.create(&campaign).await.expect("room for a campaign");
        campaigns.switch_on(campaign.id()).await.expect("a campaign to switch on");
    }
    campaigns
}

/// The reading alone.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn reading_alone(bencher: divan::Bencher<'_, '_>) {
    let directory = Directory::new();
    bencher.counter(ItemsCount::new(PEOPLE)).bench_local(|| {
        run(async {
            let query = ReadQuery::everyone(FieldSet::all_canonical());
            directory
                .read(query)
                .try_fold(0, |count, event| async move {
                    Ok(count + if let ReadEvent::Employees(page) = event { page.len() } else { 0 })
                })
                .await
        })
    });
}

/// The daily job over the same reading: three campaigns, nobody due.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn reading_with_three_campaigns(bencher: divan::Bencher<'_, '_>) {
    let directory = Directory::new();
    bencher.counter(ItemsCount::new(PEOPLE)).bench_local(|| {
        run(async {
            let campaigns = campaigns().await;
            let report = campaigns.run(&directory, &"r".into(), campaigns.today()).await;
            report.map(|report| report.people)
        })
    });
}
