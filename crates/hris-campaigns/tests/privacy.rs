//! What is kept of people: three fields, opaque keys, and a due date while something is due. Looked for byte by byte.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use chrono::{Datelike as _, NaiveDate};
use common::{World, campaign, date, person, token};
use hris_campaigns::Rule;
use hris_core::{BirthDate, Employee, EmploymentStatus, Field};
use hris_store_sqlite::SqliteStore;
use hris_testkit::{MailFault, MockMailer, run};
use rusqlite::types::Value;

/// Years of birth and of first days at work that nothing else in the test is about.
const BORN: [&str; 4] = ["1967-03-19", "1971-07-02", "1978-11-23", "1983-02-28"];
const STARTED: [&str; 4] = ["2003-04-17", "2008-09-09", "2011-06-30", "2014-12-05"];

fn people() -> Vec<Employee> {
    let with = |(number, (born, started)): (usize, (&str, &str))| {
        let mut employee = person(&format!("record-{number}"));
        employee.birth_date = Field::Value(BirthDate::from(date(born)));
        employee.start_date = Field::Value(date(started));
        employee.first_name = Field::Value(format!("Given{number}"));
        employee.last_name = Field::Value(format!("Family{number}"));
        employee.work_email = Field::Value(format!("p{number}@work.example"));
        employee.personal_email = Field::Value(format!("p{number}@home.example"));
        employee.gender = Field::Value("canary-gender".into());
        employee.phone = Field::Value("canary-phone".into());
        employee.job_title = Field::Value("canary-title".into());
        employee.country = Field::Value("canary-country".into());
        employee.department = Field::Value("canary-department".into());
        employee.middle_name = Field::Value("canary-middle".into());
        employee.time_zone = Field::Value("Asia/Kathmandu".into());
        employee
    };
    BORN.into_iter().zip(STARTED).enumerate().map(with).collect()
}

/// The store's file, its log and whatever else is beside it.
fn bytes_on_disk(folder: &Path) -> Vec<u8> {
    let read = |entry: io::Result<fs::DirEntry>| fs::read(entry.unwrap().path()).unwrap();
    fs::read_dir(folder).unwrap().flat_map(read).collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A date in every form in which a store could hold it, beside its bare year.
fn forms(day: NaiveDate) -> Vec<Vec<u8>> {
    let (y, m, d) = (day.year(), day.month(), day.day());
    let mut forms: Vec<Vec<u8>> = [
        format!("{y:04}-{m:02}-{d:02}"),
        format!("{d:02}/{m:02}/{y:04}"),
        format!("{m:02}/{d:02}/{y:04}"),
        format!("{y:04}{m:02}{d:02}"),
        format!("{y:04}-{m:02}"),
        format!("{y:04}"),
    ]
    .map(String::into_bytes)
    .into();
    let seconds = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    for number in [seconds, seconds * 1_000, seconds * 1_000_000] {
        // SQLite keeps integers big-endian in 6 or 8 bytes when they are of this size.
        forms.push(number.to_be_bytes().into());
        forms.push(number.to_be_bytes()[2..].into());
    }
    forms
}

/// A year of campaigns over a file.
async fn a_year(folder: &Path) -> World {
    let store = Arc::new(SqliteStore::open(folder.join("store.sqlite")).unwrap());
    let mailer = MockMailer::new();
    let world = World::with("2026-01-01", people(), store, mailer)
        .running(&campaign("hires", Rule::new_hire()))
        .await
        .running(&campaign("years", Rule::anniversary()))
        .await
        .running(&campaign("birthdays", Rule::birthday()))
        .await;
    for day in 0..365 {
        if day == 77 {
            world.mailer.plan([Some(MailFault::AnswerLost)]);
        }
        if day == 200 {
            let mut changed = people();
            changed[3].status = EmploymentStatus::Inactive;
            changed[2].birth_date = Field::Value(BirthDate::from(date("1979-11-25")));
            world.directory.set_people(changed);
        }
        world.day().await;
        if day % 50 == 49
            && let Some(mail) = world.mails().last()
        {
            world.desk().claim(&token(mail)).await.unwrap();
        }
        world.sleep_days(1);
    }
    world
}

#[test]
fn a_years_store_has_no_birth_year_birth_date_start_year_nor_any_field_beyond_the_three() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let world = a_year(folder.path()).await;
        assert!(world.mails().len() >= 6, "{} gifts", world.mails().len());
        let bytes = bytes_on_disk(folder.path());
        assert!(has(&bytes, b"@home.example"), "the search finds what is there");
        let dates = BORN.into_iter().chain(STARTED).chain(["1979-11-25"]).map(date);
        for day in dates {
            for form in forms(day) {
                assert!(!has(&bytes, &form), "{day} as {form:?}");
            }
        }
        for field in ["canary-", "Kathmandu", "record-"] {
            assert!(!has(&bytes, field.as_bytes()), "{field}");
        }
    });
}

/// Every value of the tables about people, by column.
fn columns(folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let file = rusqlite::Connection::open(folder.join("store.sqlite")).unwrap();
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for table in ["send", "campaign_episode", "campaign_block"] {
        let mut statement = file.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(|name| format!("{table}.{name}")).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (index, name) in names.iter().enumerate() {
                found.entry(name.clone()).or_default().push(row.get(index).unwrap());
            }
        }
        for name in names {
            found.entry(name).or_default();
        }
    }
    found
}

#[test]
fn the_tables_can_only_hold_the_three_fields_opaque_keys_and_a_due_date_while_it_is_due() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let world = a_year(folder.path()).await;
        let columns = columns(folder.path());
        let names: Vec<_> = columns.keys().map(String::as_str).collect();
        let expected = [
            "campaign_block.block",
            "campaign_block.connection",
            "campaign_block.person",
            "campaign_episode.connection",
            "campaign_episode.ended",
            "campaign_episode.episode",
            "campaign_episode.number",
            "campaign_episode.start",
            "send.attempts",
            "send.campaign",
            "send.connection",
            "send.due",
            "send.email",
            "send.first_name",
            "send.id",
            "send.last_name",
            "send.link_key",
            "send.month",
            "send.occasion",
            "send.person",
            "send.reason",
            "send.rule",
            "send.seen_at",
            "send.send_at",
            "send.state",
            "send.until",
        ];
        assert_eq!(names, expected, "a new column has to be thought about here");
        let waiting = world.sends().await.iter().filter(|send| send.due().is_some()).count();
        for column in ["send.due", "send.send_at", "send.until", "send.seen_at"] {
            let kept = columns[column].iter().filter(|value| **value != Value::Null).count();
            assert_eq!(kept, waiting, "{column} is kept while something is due and no longer");
        }
        let days = BORN.into_iter().chain(STARTED).map(|day| i64::from(date(day).num_days_from_ce()));
        let numbers: Vec<i64> = days.flat_map(|day| [day, day - 719_163]).collect();
        for (column, values) in &columns {
            let is_date =
                |value: &&Value| matches!(value, Value::Integer(number) if numbers.contains(number));
            assert_eq!(
                values.iter().find(is_date),
                None,
                "{column} holds a birth or start date as a number of days"
            );
        }
    });
}

#[test]
fn names_leave_the_disk_when_they_are_erased() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let world = a_year(folder.path()).await;
        assert!(has(&bytes_on_disk(folder.path()), b"Given"));
        for _ in 0..6 {
            world.directory.set_people([person("nobody")]);
            world.sleep_days(31);
            world.day().await;
        }
        let bytes = bytes_on_disk(folder.path());
        assert!(!has(&bytes, b"Given") && !has(&bytes, b"@home.example"), "everything has ended long ago");
    });
}

#[test]
fn an_erased_persons_name_leaves_the_disk_at_once() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("store.sqlite")).unwrap());
        let world = World::with("2026-03-16", people(), store, MockMailer::new());
        let world = world.running(&campaign("birthdays", Rule::birthday())).await;
        world.run().await;
        assert!(has(&bytes_on_disk(folder.path()), b"Given0"));
        world.campaigns.erase(&"record-0".into()).await.unwrap();
        assert!(!has(&bytes_on_disk(folder.path()), b"Given0"));
    });
}
