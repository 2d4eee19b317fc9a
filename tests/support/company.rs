//! A company of a few people on two days: hires, changes, leavers and a return.

use chrono::NaiveDate;
use hris_core::{Employee, EmploymentStatus, Field};

/// The directory as it is on a day, counted from 1.
pub fn directory(day: u32) -> Vec<Employee> {
    let mut people: Vec<_> = (1..=12).map(person).collect();
    if let Some(early_leaver) = people.get_mut(11) {
        early_leaver.status = EmploymentStatus::Inactive;
    }
    if day == 1 {
        return people;
    }
    for employee in people.iter_mut().take(4) {
        employee.department = Field::Value(format!("Legal {day}"));
    }
    for leaver in people.iter_mut().skip(4).take(2) {
        leaver.status = EmploymentStatus::Inactive;
    }
    // Who moves to another address hands theirs on to a newcomer.
    if let Some(mover) = people.get_mut(6) {
        mover.work_email = Field::Value("moved@acme.example".into());
    }
    let mut heir = person(20);
    heir.work_email = Field::Value("p7@acme.example".into());
    people.extend((13..=16).map(person));
    people.push(heir);
    if day > 2 {
        // One of the leavers of the second day is back.
        if let Some(back) = people.get_mut(4) {
            back.status = EmploymentStatus::Active;
        }
    }
    people
}

fn person(n: u32) -> Employee {
    let mut employee = Employee::new(format!("r{n}"), EmploymentStatus::Active);
    employee.employee_id = Field::Value(format!("E{n:02}").into());
    employee.first_name = Field::Value(format!("First{n}"));
    employee.last_name = Field::Value(format!("Last{n}"));
    employee.work_email = Field::Value(format!("p{n}@acme.example"));
    employee.department = Field::Value("Sales".into());
    employee
}

/// The date of a day, counted from 1.
pub fn today(day: u32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default();
    first + chrono::Days::new(day.into())
}
