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
