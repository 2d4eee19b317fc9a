//! What really happens in a company, day by day, from a seed: the directory as an HR system would show it.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, Utc};
use fastrand::Rng;
use hris_core::{Employee, EmploymentStatus, Field, RecordId};

/// The days of one company. Day 0 is the first import.
pub(crate) struct Truth {
    pub(crate) days: Vec<Day>,
}

/// One day's directory.
#[derive(Clone, Default)]
pub(crate) struct Day {
    pub(crate) people: Vec<Employee>,
    /// Records that the vendor reports as deleted.
    pub(crate) deleted: Vec<RecordId>,
    /// Employee IDs of people who have left by this day's directory.
    pub(crate) left: BTreeSet<String>,
}

/// Somebody, as far as the story is about them.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about somebody")]
struct Person {
    number: u32,
    /// There from the first day. Nobody else leaves, so that every history makes the same members.
    founder: bool,
    email: String,
    department: u32,
    name: u32,
    contractor: bool,
    status: EmploymentStatus,
    deleted: bool,
    /// Somebody else has their old address now, or they had somebody else's for a day. They stay: whoever leaves
    /// before the platform heard of their new address keeps the old one on a closed account, and what comes of that
    /// depends on which days were missed.
    handed_on: bool,
    changed: u32,
    passing: Passing,
}

/// What is over the next day. None of it is there on the last day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    Nothing,
    Hidden,
    WithoutEmail,
    WithAddressOf(u32),
    UnknownStatus,
    Contractor,
    WithoutDepartment,
}

/// How many people leave on ordinary days, so that no guard holds what is true.
const ORDINARY_LEAVERS: u32 = 3;

impl Truth {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let founders = rng.u32(20..28);
        let mut story = Story {
            people: (0..founders).map(|number| Person::new(number, true)).collect(),
            leavers: 0,
            addresses: 0,
            day: 0,
        };
        for person in &mut story.people {
            person.contractor = rng.u32(0..12) == 0;
        }
        let days = rng.u32(2..5);
        let mass = if rng.u32(0..4) == 0 { rng.u32(1..=days) } else { u32::MAX };
        let mut truth = Self { days: vec![story.directory()] };
        for day in 1..=days {
            story.live(day, day == days, day == mass, rng);
            truth.days.push(story.directory());
        }
        truth
    }
}

impl Person {
    fn new(number: u32, founder: bool) -> Self {
        Self {
            number,
            founder,
            email: format!("p{number}@acme.example"),
            department: 0,
            name: 0,
            contractor: false,
            status: EmploymentStatus::Active,
            deleted: false,
            handed_on: false,
            changed: 0,
            passing: Passing::Nothing,
        }
    }

    fn id(&self) -> String {
        format!("E{:03}", self.number)
    }

    fn is_gone(&self) -> bool {
        self.deleted || self.status == EmploymentStatus::Inactive
    }

    fn employee(&self, people: &[Person]) -> Employee {
        let status = match self.passing {
            Passing::UnknownStatus => EmploymentStatus::Unknown(Some("sabbatical".into())),
            _ => self.status.clone(),
        };
        let mut employee = Employee::new(format!("r{}", self.number), status);
        employee.employee_id = Field::Value(self.id().into());
        employee.first_name = Field::Value(format!("First{} {}", self.number, self.name));
        // Whoever comes back agrees with the leaver in one attribute, or would be taken for somebody else with their id.
        employee.last_name = Field::Value(format!("Last{}", self.number));
        employee.work_email = match self.passing {
            Passing::WithoutEmail => Field::Null,
            Passing::WithAddressOf(other) => {
                let other = people.iter().find(|person| person.number == other);
                other.map_or(Field::Null, |other| Field::Value(other.email.clone()))
            }
            _ => Field::Value(self.email.clone()),
        };
        employee.department = match self.passing {
            Passing::WithoutDepartment => Field::Null,
            _ => Field::Value(format!("department {}", self.department)),
        };
        let is_contractor = self.contractor || self.passing == Passing::Contractor;
        employee.employment_type = Field::Value(if is_contractor { "contractor" } else { "employee" }.into());
        employee.modified_at = Some(stamp(self.changed));
        employee
    }
}

/// Noon of a day, before which every day's runs end.
fn stamp(day: u32) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + Days::new(20_000 + u64::from(day))
}

struct Story {
    people: Vec<Person>,
    leavers: u32,
    addresses: u32,
    day: u32,
}

impl Story {
    fn live(&mut self, day: u32, is_last: bool, mass: bool, rng: &mut Rng) {
        self.day = day;
        for person in self.people.iter_mut().filter(|person| person.passing != Passing::Nothing) {
            person.passing = Passing::Nothing;
            person.changed = day;
        }
        for _ in 0..rng.u32(1..7) {
            self.event(rng);
            if !is_last {
                self.passing_event(rng);
            }
        }
        if mass {
            self.leave(rng, 9);
        }
    }

    fn event(&mut self, rng: &mut Rng) {
        match rng.u32(0..11) {
            0 => self.hire(None),
            1 => self.someone(rng, |person| person.department += 1),
            2 => self.someone(rng, |person| person.name += 1),
            3 => self.new_address(rng, false),
            4 => self.new_address(rng, true),
            5 | 6 if self.leavers < ORDINARY_LEAVERS => {
                self.leavers += 1;
                if rng.bool() { self.leave(rng, 1) } else { self.delete(rng) }
            }
            7 => self.come_back(rng),
            8 | 9 => self.go_round(rng),
            _ => self.someone(rng, |person| {
                person.status = match person.status {
                    EmploymentStatus::Active => EmploymentStatus::OnLeave,
                    _ => EmploymentStatus::Active,
                };
            }),
        }
    }

    fn passing_event(&mut self, rng: &mut Rng) {
        let other = self.people.get(rng.usize(0..self.people.len())).map_or(0, |person| person.number);
        let passing = match rng.u32(0..12) {
            0 if !self.people.iter().any(|person| person.passing == Passing::Hidden) => Passing::Hidden,
            1 => Passing::WithoutEmail,
            2 => Passing::WithAddressOf(other),
            3 => Passing::UnknownStatus,
            4 => Passing::Contractor,
            5 => Passing::WithoutDepartment,
            _ => return,
        };
        self.someone(rng, |person| {
            person.passing = passing;
            person.handed_on |= matches!(passing, Passing::WithAddressOf(_));
        });
    }

    /// Changes somebody who is there.
    fn someone(&mut self, rng: &mut Rng, change: impl FnOnce(&mut Person)) {
        let day = self.day;
        let mut there: Vec<_> = self.people.iter_mut().filter(|person| !person.is_gone()).collect();
        let at = rng.usize(0..there.len());
        if let Some(person) = there.get_mut(at) {
            change(person);
            person.changed = day;
        }
    }

    fn hire(&mut self, email: Option<String>) {
        let number = u32::try_from(self.people.len()).unwrap();
        let mut person = Person::new(number, false);
        person.changed = self.day;
        if let Some(email) = email {
            person.email = email;
        }
        self.people.push(person);
    }

    /// Somebody gets another address; the old one may go to a newcomer on the same day.
    fn new_address(&mut self, rng: &mut Rng, hand_on: bool) {
        let mut old = None;
        self.addresses += 1;
        // A number of its own, since an address of this very day may have gone on already.
        let number = self.addresses;
        self.someone(rng, |person| {
            let new = format!("p{}-{number}@acme.example", person.number);
            old = Some(std::mem::replace(&mut person.email, new));
            person.handed_on |= hand_on;
        });
        if hand_on && old.is_some() {
            self.hire(old);
        }
    }

    /// Two or more take over each other's addresses, all on one day.
    fn go_round(&mut self, rng: &mut Rng) {
        let people = self.people.iter().enumerate();
        // A contractor's address is nobody's on the platform, so that somebody may have left with it.
        let is_there = |person: &Person| !person.is_gone() && !person.contractor;
        let mut there: Vec<_> = people.filter(|(_, it)| is_there(it)).map(|(at, _)| at).collect();
        rng.shuffle(&mut there);
        there.truncate(rng.usize(2..5));
        let Some((first, rest)) = there.split_first() else { return };
        for at in rest {
            let address = std::mem::take(&mut self.people[*first].email);
            self.people[*first].email = std::mem::replace(&mut self.people[*at].email, address);
        }
        for at in there {
            (self.people[at].changed, self.people[at].handed_on) = (self.day, true);
        }
    }

    fn leave(&mut self, rng: &mut Rng, count: usize) {
        let mut founders = self.staying_founders();
        rng.shuffle(&mut founders);
        for at in founders.into_iter().take(count) {
            self.people[at].status = EmploymentStatus::Inactive;
            self.people[at].changed = self.day;
        }
    }

    fn delete(&mut self, rng: &mut Rng) {
        let founders = self.staying_founders();
        if let Some(at) = rng.choice(founders) {
            self.people[at].deleted = true;
        }
    }

    fn staying_founders(&self) -> Vec<usize> {
        let people = self.people.iter().enumerate();
        let stays =
            |person: &Person| person.founder && !person.contractor && !person.handed_on && !person.is_gone();
        people.filter(|(_, person)| stays(person)).map(|(at, _)| at).collect()
    }

    fn come_back(&mut self, rng: &mut Rng) {
        let people = self.people.iter().enumerate();
        let gone =
            people.filter(|(_, person)| person.status == EmploymentStatus::Inactive && !person.deleted);
        let gone: Vec<_> = gone.map(|(at, _)| at).collect();
        if let Some(at) = rng.choice(gone) {
            self.people[at].status = EmploymentStatus::Active;
            self.people[at].changed = self.day;
        }
    }

    fn directory(&self) -> Day {
        let listed = self.people.iter().filter(|person| !person.deleted && person.passing != Passing::Hidden);
        let deleted = self.people.iter().filter(|person| person.deleted);
        let left = self.people.iter().filter(|person| person.is_gone());
        Day {
            people: listed.map(|person| person.employee(&self.people)).collect(),
            deleted: deleted.map(|person| RecordId::from(format!("r{}", person.number))).collect(),
            left: left.map(Person::id).collect(),
        }
    }
}
