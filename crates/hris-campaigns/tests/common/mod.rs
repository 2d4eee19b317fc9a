//! People and campaigns for the tests of this crate.
#![allow(dead_code, reason = "every test file uses some of it")]

use chrono::NaiveDate;
use hris_campaigns::{Campaign, MailTemplate, Rule, Scan};
use hris_core::{BirthDate, Email, Employee, EmploymentStatus, Field, Mailbox};

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn sender() -> Mailbox {
    Mailbox::new("Brisa gifts", Email::parse("gifts@brisa.example").unwrap())
}

pub(crate) fn mail() -> MailTemplate {
    MailTemplate::new("For {{ first_name }}", "Dear {{ first_name }} {{ last_name }}: {{ claim_link }}")
        .unwrap()
}

pub(crate) fn campaign(id: &str, rule: Rule) -> Campaign {
    Campaign::new(id, id, "gift", sender(), mail(), rule).unwrap()
}

/// Somebody active with names and both addresses.
pub(crate) fn person(record: &str) -> Employee {
    let mut employee = Employee::new(record, EmploymentStatus::Active);
    employee.employee_id = Field::Value(record.into());
    employee.first_name = Field::Value(format!("First{record}"));
    employee.last_name = Field::Value(format!("Last{record}"));
    employee.work_email = Field::Value(format!("{record}@work.example"));
    employee.personal_email = Field::Value(format!("{record}@home.example"));
    employee
}

pub(crate) fn started(record: &str, start: &str) -> Employee {
    let mut employee = person(record);
    employee.start_date = Field::Value(date(start));
    employee
}

pub(crate) fn born(record: &str, born: &str) -> Employee {
    let mut employee = person(record);
    employee.birth_date = Field::Value(BirthDate::from(date(born)));
    employee
}

/// The due dates of one campaign for one person on a day.
pub(crate) fn due(rule: Rule, today: &str, employee: &Employee) -> Vec<String> {
    let scan = Scan::new(date(today), [(campaign("c", rule), None)]);
    scan.due(employee).into_iter().map(|gift| gift.due.to_string()).collect()
}

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hris_campaigns::{CampaignReport, Campaigns, ClaimDesk, LinkBase, Policy};
use hris_core::keys::KeyId;
use hris_core::ledger::{Cursor, Send, SendGroup, SendState, SharedLedger};
use hris_core::{Clock as _, ConnectionKey, GiftMail, Result, SecretKey};
use hris_store_memory::MemoryStore;
use hris_testkit::{ManualClock, MockConnector, MockMailer};

/// A company with its directory, its campaigns and its mail server; time passes when a test says so.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) directory: MockConnector,
    pub(crate) mailer: MockMailer,
    pub(crate) ledger: SharedLedger,
    pub(crate) campaigns: Campaigns,
    pub(crate) runs: std::cell::Cell<u32>,
}

pub(crate) const LINKS: &str = "https://gifts.example/claim/";

pub(crate) fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "gifts")
}

pub(crate) fn key() -> Arc<SecretKey> {
    Arc::new(SecretKey::new(KeyId::new("k"), [7; 32]))
}

impl World {
    /// At six in the morning of a day, in Madrid.
    pub(crate) fn new(day: &str, people: Vec<Employee>) -> Self {
        Self::with(day, people, Arc::new(MemoryStore::new()), MockMailer::new())
    }

    pub(crate) fn with(day: &str, people: Vec<Employee>, ledger: SharedLedger, mailer: MockMailer) -> Self {
        let clock = ManualClock::at(&format!("{day}T04:30:00Z"));
        let campaigns = Campaigns::new(
            connection(),
            Policy::new(chrono_tz::Europe::Madrid),
            Arc::clone(&ledger),
            key(),
            Arc::new(mailer.clone()),
            Arc::new(clock.clone()),
            LinkBase::new(LINKS).unwrap(),
        );
        let directory = MockConnector::new(people);
        Self { clock, directory, mailer, ledger, campaigns, runs: 0.into() }
    }

    /// With one campaign switched on.
    pub(crate) async fn running(self, campaign: &Campaign) -> Self {
        self.campaigns.create(campaign).await.unwrap();
        self.campaigns.switch_on(campaign.id()).await.unwrap();
        self
    }

    pub(crate) fn next_run(&self) -> hris_core::RunId {
        self.runs.set(self.runs.get() + 1);
        format!("run {}", self.runs.get()).into()
    }

    /// The daily job, now.
    pub(crate) async fn run(&self) -> CampaignReport {
        self.try_run().await.unwrap()
    }

    pub(crate) async fn try_run(&self) -> Result<CampaignReport> {
        self.campaigns.run(&self.directory, &self.next_run(), self.campaigns.today()).await
    }

    pub(crate) async fn dispatch(&self) -> CampaignReport {
        self.campaigns.dispatch(&self.next_run()).await.unwrap()
    }

    /// The daily job, and what becomes due later on the same day.
    pub(crate) async fn day(&self) -> CampaignReport {
        let report = self.run().await;
        self.go_to(12);
        self.dispatch().await;
        report
    }

    /// Moves the clock to an hour (UTC) of the same day.
    pub(crate) fn go_to(&self, hour: u32) {
        let now = self.clock.now();
        let then = now.date_naive().and_hms_opt(hour, 0, 0).unwrap().and_utc();
        self.clock.advance((then - now).to_std().unwrap());
    }

    /// Moves the clock to the early morning some days later.
    pub(crate) fn sleep_days(&self, days: u64) {
        let now = self.clock.now();
        let then: DateTime<Utc> =
            (now.date_naive() + chrono::Days::new(days)).and_hms_opt(4, 30, 0).unwrap().and_utc();
        self.clock.advance((then - now).to_std().unwrap_or(Duration::ZERO));
    }

    pub(crate) async fn sends(&self) -> Vec<Send> {
        let mut all = Vec::new();
        for group in [SendGroup::Undelivered, SendGroup::Delivered, SendGroup::Ended] {
            all.extend(self.campaigns.sends(group, None, None::<Cursor>, usize::MAX).await.unwrap());
        }
        all
    }

    pub(crate) async fn states(&self) -> Vec<SendState> {
        self.sends().await.iter().map(Send::state).collect()
    }

    pub(crate) fn mails(&self) -> Vec<GiftMail> {
        self.mailer.taken()
    }

    pub(crate) fn desk(&self) -> ClaimDesk {
        ClaimDesk::new(Arc::clone(&self.ledger), key(), Arc::new(self.clock.clone()), 30)
    }
}

/// The token of the claim link in a mail.
pub(crate) fn token(mail: &GiftMail) -> String {
    mail.text.split(LINKS).nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

impl World {
    pub(crate) fn clock_date(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }
}
