//! Random companies and what happens to them, day by day.

use chrono::NaiveDate;
use chrono_tz::Tz;
use hris_campaigns::LeapDay;
use hris_testkit::MailFault;
use proptest::prelude::*;

pub(crate) const ZONES: [Tz; 5] = [
    chrono_tz::Europe::Madrid,
    chrono_tz::Pacific::Kiritimati,
    chrono_tz::America::Los_Angeles,
    chrono_tz::Etc::GMTPlus12,
    chrono_tz::Asia::Kathmandu,
];

/// A company's years.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) zone: Tz,
    pub(crate) leap: LeapDay,
    pub(crate) lates: [u16; 2],
    pub(crate) fifth: bool,
    pub(crate) people: Vec<Someone>,
    pub(crate) days: Vec<Day>,
}

/// Somebody, as the directory has them.
#[derive(Clone, Debug)]
pub(crate) struct Someone {
    pub(crate) start: NaiveDate,
    pub(crate) birth: NaiveDate,
    pub(crate) status: Status,
    pub(crate) has_address: bool,
    pub(crate) zone: Option<Tz>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Pending,
    OnLeave,
    Inactive,
    /// Not in the directory.
    Absent,
}

/// What happens until and on one day.
#[derive(Clone, Debug)]
#[expect(clippy::option_option, reason = "nothing is sent, it goes well, or it dies")]
pub(crate) struct Day {
    /// Days since the last one; those between are missed.
    pub(crate) gap: u16,
    pub(crate) edits: Vec<(prop::sample::Index, Edit)>,
    pub(crate) reading: Reading,
    pub(crate) admin: Option<Admin>,
    /// What happens to the mails of the morning and of noon.
    pub(crate) faults: [Vec<Option<MailFault>>; 2],
    /// Whether anything is sent at noon, and how that dies.
    pub(crate) noon: Option<Option<(u8, bool)>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Edit {
    MoveStart(i16),
    StartAround(i16),
    MoveBirth(i16),
    Status(Status),
    Address(bool),
    Zone(Option<Tz>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Complete,
    BrokenOff,
    Stale,
    /// The process dies after some writes; the last may have happened.
    Dies(u8, bool),
    /// The job runs once more with the day before.
    ClockBack,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Admin {
    PauseOrResume(u8),
    /// Another send time for birthdays.
    EditTime(u8),
}

fn day_of(years: std::ops::Range<i32>) -> impl Strategy<Value = NaiveDate> {
    let plain = (years.clone(), 1u32..=365).prop_filter_map("a day", |(y, d)| NaiveDate::from_yo_opt(y, d));
    let leap = years.prop_map(|year| NaiveDate::from_ymd_opt(year / 4 * 4, 2, 29).unwrap());
    prop_oneof![5 => plain, 1 => leap]
}

fn status() -> impl Strategy<Value = Status> {
    use Status::{Absent, Active, Inactive, OnLeave, Pending};
    prop_oneof![
        5 => Just(Active), 1 => Just(Pending), 1 => Just(OnLeave), 3 => Just(Inactive), 1 => Just(Absent)
    ]
}

fn zone() -> impl Strategy<Value = Option<Tz>> {
    prop::option::of(prop::sample::select(&ZONES[..]))
}

fn someone() -> impl Strategy<Value = Someone> {
    let some = (day_of(2019..2027), day_of(1960..2004), status(), prop::bool::weighted(0.85), zone());
    some.prop_map(|(start, birth, status, has_address, zone)| Someone {
        start,
        birth,
        status,
        has_address,
        zone,
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => (-45i16..45).prop_map(Edit::MoveStart),
        5 => (-9i16..20).prop_map(Edit::StartAround),
        1 => (-40i16..40).prop_map(Edit::MoveBirth),
        4 => status().prop_map(Edit::Status),
        1 => any::<bool>().prop_map(Edit::Address),
        1 => zone().prop_map(Edit::Zone),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Option<MailFault>>> {
    use MailFault::{AnswerLost, Greylisted, LostBeforeTaken, Unreachable};
    let fault = prop_oneof![
        3 => Just(None), 1 => Just(Some(Unreachable)), 1 => Just(Some(Greylisted)),
        1 => Just(Some(AnswerLost)), 1 => Just(Some(LostBeforeTaken))
    ];
    prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(fault, 1..3)]
}

fn day() -> impl Strategy<Value = Day> {
    let gap = prop_oneof![1 => Just(0u16), 12 => Just(1u16), 2 => 2u16..5, 1 => 5u16..40, 1 => 40u16..200];
    let edits = prop_oneof![
        2 => Just(Vec::new()), 1 => prop::collection::vec((any::<prop::sample::Index>(), edit()), 1..3)
    ];
    let reading = prop_oneof![
        12 => Just(Reading::Complete), 1 => Just(Reading::BrokenOff), 1 => Just(Reading::Stale),
        3 => (0u8..5, any::<bool>()).prop_map(|(writes, last)| Reading::Dies(writes, last)),
        1 => Just(Reading::ClockBack),
    ];
    let admin = prop_oneof![
        12 => Just(None), 1 => (0u8..3).prop_map(|which| Some(Admin::PauseOrResume(which))),
        1 => (6u8..12).prop_map(|hour| Some(Admin::EditTime(hour)))
    ];
    let noon = prop_oneof![
        1 => Just(None), 8 => Just(Some(None)),
        3 => (0u8..3, any::<bool>()).prop_map(|death| Some(Some(death)))
    ];
    (gap, edits, reading, admin, [faults(), faults()], noon).prop_map(
        |(gap, edits, reading, admin, faults, noon)| Day { gap, edits, reading, admin, faults, noon },
    )
}

pub(crate) fn story() -> impl Strategy<Value = Story> {
    let leap = prop_oneof![Just(LeapDay::Backward), Just(LeapDay::Forward), Just(LeapDay::Omit)];
    let people = prop::collection::vec(someone(), 1..8);
    let days = prop::collection::vec(day(), 20..400);
    let lates = [0u16..9, 0u16..6];
    (prop::sample::select(&ZONES[..]), leap, lates, any::<bool>(), people, days)
        .prop_map(|(zone, leap, lates, fifth, people, days)| Story { zone, leap, lates, fifth, people, days })
}
