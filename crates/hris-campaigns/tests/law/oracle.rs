//! What should be sent, found out the slow way, and compared with what was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use hris_campaigns::{
    Campaign, Campaigns, LeapDay, LinkBase, MailTemplate, Milestones, Policy, Rule, SendZone,
};
use hris_core::keys::KeyId;
use hris_core::ledger::{SendGroup, SendState, SharedLedger};
use hris_core::{
    BirthDate, Clock as _, ConnectionKey, Email, Employee, EmploymentStatus, ErrorKind, Field, Ground,
    Mailbox, RecordId, RunId, SecretKey,
};
use hris_store_memory::MemoryStore;
use hris_testkit::{Ending, MailFault, ManualClock, MockConnector, MockMailer};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::dying::DyingLedger;
use super::story::{Admin, Day, Edit, Reading, Someone, Status, Story};

const HIRES: usize = 0;
const BIRTHDAYS: usize = 1;
const YEARS: usize = 2;
const NAMES: [&str; 4] = ["hires", "birthdays", "years", "fifth"];

/// One gift: campaign, person, and which time.
type Key = (usize, usize, i64);

/// A gift that somebody is to get.
#[derive(Clone, Copy)]
struct On {
    day: NaiveDate,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    address: bool,
}

/// A campaign in the oracle's words.
struct Plan {
    back: u64,
    ahead: u64,
    late: u16,
    paused: bool,
    hour: u8,
    /// The rule changed since the last complete reading.
    edited: bool,
    last_run: Option<NaiveDate>,
}

struct Oracle {
    story: Story,
    plans: Vec<Plan>,
    people: Vec<Someone>,
    /// Gifts that some run has found; none is found twice.
    found: BTreeSet<Key>,
    /// Gifts that are on.
    on: BTreeMap<Key, On>,
    /// When the Send was last confirmed.
    confirmed: BTreeMap<Key, DateTime<Utc>>,
    /// Not again before.
    retry: BTreeMap<Key, DateTime<Utc>>,
    attempts: BTreeMap<Key, u32>,
    /// Gifts that went out, or may have.
    done: BTreeSet<Key>,
    uncertain: u64,
    /// Per person: number of the employment, its start, and whether its end was seen.
    episodes: BTreeMap<usize, (i64, NaiveDate, bool)>,
}

fn celebrates(leap: LeapDay, from: NaiveDate, day: NaiveDate) -> bool {
    let of = |date: NaiveDate| (date.month(), date.day());
    if of(from) == (2, 29) && !day.leap_year() {
        return match leap {
            LeapDay::Backward => of(day) == (2, 28),
            LeapDay::Forward => of(day) == (3, 1),
            LeapDay::Omit => false,
        };
    }
    of(from) == of(day)
}

impl Oracle {
    fn new(story: Story) -> Self {
        let plan = |back, ahead, late| Plan {
            back,
            ahead,
            late,
            paused: false,
            hour: 9,
            edited: false,
            last_run: None,
        };
        let [hires, others] = story.lates;
        let mut plans = vec![plan(7, 30, hires), plan(0, 7, others), plan(0, 7, 2)];
        plans.extend(story.fifth.then(|| plan(0, 7, 2)));
        let people = story.people.clone();
        Self {
            story,
            plans,
            people,
            found: BTreeSet::new(),
            on: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            retry: BTreeMap::new(),
            attempts: BTreeMap::new(),
            done: BTreeSet::new(),
            uncertain: 0,
            episodes: BTreeMap::new(),
        }
    }

    fn is_present(&self, person: usize) -> bool {
        !matches!(self.people[person].status, Status::Inactive | Status::Absent)
    }

    /// Which time `day` is for somebody under a campaign, if it is one.
    fn which(&self, campaign: usize, person: usize, day: NaiveDate) -> Option<i64> {
        let Someone { start, birth, .. } = self.people[person];
        let years = |from: NaiveDate| i64::from(day.year() - from.year());
        let nth = || Some(years(start)).filter(|n| *n >= 1 && celebrates(LeapDay::Backward, start, day));
        match campaign {
            HIRES => (day == start).then(|| self.employment(person).0),
            BIRTHDAYS => celebrates(self.story.leap, birth, day).then_some(day.year().into()),
            YEARS => nth().filter(|n| !(self.story.fifth && *n == 5)),
            _ => nth().filter(|n| *n == 5),
        }
    }

    /// The employment that somebody's present start date belongs to.
    fn employment(&self, person: usize) -> (i64, NaiveDate, bool) {
        let start = self.people[person].start;
        match self.episodes.get(&person) {
            None => (0, start, false),
            Some((number, known, true)) if *known != start => (number + 1, start, false),
            Some((number, _, ended)) => (*number, start, *ended),
        }
    }

    fn gift(&self, campaign: usize, person: usize, day: NaiveDate) -> On {
        let own = self.people[person].zone.filter(|_| campaign == BIRTHDAYS);
        let zone: Tz = own.unwrap_or(self.story.zone);
        let time = NaiveTime::from_hms_opt(self.plans[campaign].hour.into(), 0, 0).unwrap();
        let instant =
            |day: NaiveDate, time| zone.from_local_datetime(&day.and_time(time)).earliest().unwrap().to_utc();
        let over = day + Days::new(u64::from(self.plans[campaign].late) + 1);
        On {
            day,
            at: instant(day, time),
            until: instant(over, NaiveTime::MIN),
            address: self.people[person].has_address,
        }
    }

    /// Everybody who is inactive was seen to be.
    fn see_leavers(&mut self) {
        for person in 0..self.people.len() {
            if self.people[person].status == Status::Inactive {
                if let Some(episode) = self.episodes.get_mut(&person) {
                    episode.2 = true;
                }
                self.on.retain(|(_, whose, _), _| *whose != person);
            }
        }
    }

    /// A complete and fresh reading on a day.
    fn read(&mut self, today: NaiveDate, now: DateTime<Utc>) {
        self.see_leavers();
        for person in 0..self.people.len() {
            if !self.is_present(person) {
                continue;
            }
            let start = self.people[person].start;
            if let Some((_, known, ended)) = self.episodes.get_mut(&person) {
                if *known == start {
                    *ended = false;
                } else if !*ended {
                    *known = start;
                }
            }
        }
        let before = std::mem::take(&mut self.on);
        for campaign in 0..self.plans.len() {
            let plan = &self.plans[campaign];
            let (back, ahead, late) = (plan.back, plan.ahead, u64::from(plan.late));
            let window = today - Days::new(back);
            let caught_up = plan.last_run.map_or(window, |day| (day + Days::new(1)).min(window));
            let oldest = today - Days::new(late);
            let first = caught_up.max(oldest);
            let present: Vec<_> = (0..self.people.len()).filter(|person| self.is_present(*person)).collect();
            for person in present {
                for day in oldest.iter_days().take_while(|day| *day <= today + Days::new(ahead)) {
                    let Some(which) = self.which(campaign, person, day) else { continue };
                    let key = (campaign, person, which);
                    if day >= first {
                        self.found.insert(key);
                    }
                    if !self.found.contains(&key) {
                        continue;
                    }
                    if campaign == HIRES {
                        let episode = self.employment(person);
                        self.episodes.insert(person, episode);
                    }
                    if !self.done.contains(&key) {
                        self.on.insert(key, self.gift(campaign, person, day));
                    }
                }
            }
            let plan = &mut self.plans[campaign];
            plan.last_run = Some(today);
            plan.edited = false;
        }
        // What was on and is too old to be found again stays until its time is over.
        for (key, gift) in before {
            let (campaign, person, _) = key;
            let oldest = today - Days::new(self.plans[campaign].late.into());
            if gift.day < oldest && self.is_present(person) && !self.on.contains_key(&key) {
                self.on.insert(key, On { address: self.people[person].has_address, ..gift });
            }
        }
        let on: Vec<_> = self.on.keys().copied().collect();
        self.retry.clear();
        self.confirmed = on.into_iter().map(|key| (key, now)).collect();
    }

    /// What goes out now.
    fn due(&mut self, now: DateTime<Utc>) -> BTreeSet<Key> {
        self.on.retain(|_, gift| now < gift.until);
        let is_due = |(key, gift): (&Key, &On)| {
            let plan = &self.plans[key.0];
            let fresh = now - self.confirmed[key] <= TimeDelta::hours(48);
            let waits = self.retry.get(key).is_some_and(|again| *again > now);
            (gift.at <= now && gift.address && fresh && !waits && !plan.paused && !plan.edited)
                .then_some(*key)
        };
        self.on.iter().filter_map(is_due).collect()
    }

    /// One mail was handed over.
    fn handed(&mut self, key: Key, fault: Option<MailFault>, now: DateTime<Utc>) {
        match fault {
            None => {}
            Some(MailFault::AnswerLost | MailFault::LostBeforeTaken) => self.uncertain += 1,
            Some(_) => {
                let attempts = self.attempts.entry(key).or_default();
                let wait =
                    Duration::from_secs(900 << *attempts.min(&mut 10)).min(Duration::from_secs(21_600));
                self.retry.insert(key, now + wait);
                *attempts += 1;
                return;
            }
        }
        self.on.remove(&key);
        self.done.insert(key);
    }
}

/// The system under test with the world around it.
struct World {
    clock: ManualClock,
    directory: MockConnector,
    mailer: MockMailer,
    ledger: SharedLedger,
    zone: Tz,
    runs: u64,
    seen: usize,
}

fn connection() -> ConnectionKey {
    ConnectionKey::new("t", "c")
}

impl World {
    fn campaigns(&self, ledger: SharedLedger) -> Campaigns {
        Campaigns::new(
            connection(),
            Policy::new(self.zone),
            ledger,
            Arc::new(SecretKey::new(KeyId::new("k"), [3; 32])),
            Arc::new(self.mailer.clone()),
            Arc::new(self.clock.clone()),
            LinkBase::new("https://g.example/").unwrap(),
        )
    }

    fn run_id(&mut self) -> RunId {
        self.runs += 1;
        format!("{}", self.runs).into()
    }

    /// What was handed over since the last look: campaign and person, and what happened.
    fn handed_over(&mut self) -> Vec<((usize, usize), Option<MailFault>)> {
        let all = self.mailer.handed_over();
        let new = all.iter().skip(self.seen).map(|(mail, fault)| {
            let campaign = NAMES.iter().position(|name| *name == mail.subject).unwrap();
            ((campaign, number(mail.to.address.as_str())), *fault)
        });
        let new = new.collect();
        self.seen = all.len();
        new
    }
}

fn number(address: &str) -> usize {
    address.strip_prefix('p').and_then(|rest| rest.split('@').next()).unwrap().parse().unwrap()
}

fn employee(number: usize, someone: &Someone) -> Employee {
    let status = match someone.status {
        Status::Active | Status::Absent => EmploymentStatus::Active,
        Status::Pending => EmploymentStatus::Pending,
        Status::OnLeave => EmploymentStatus::OnLeave,
        Status::Inactive => EmploymentStatus::Inactive,
    };
    let mut employee = Employee::new(RecordId::from(format!("r{number}")), status);
    employee.start_date = Field::Value(someone.start);
    employee.birth_date = Field::Value(BirthDate::from(someone.birth));
    let address = someone.has_address.then(|| format!("p{number}@x.example"));
    employee.work_email = Field::from_option(address.clone());
    employee.personal_email = Field::from_option(address);
    employee.time_zone = Field::from_option(someone.zone.map(|zone| zone.name().to_owned()));
    employee
}

fn definitions(oracle: &Oracle) -> Vec<Campaign> {
    let mail = MailTemplate::new("{{ campaign_name }}", "{{ claim_link }}").unwrap();
    let at = |campaign: usize| NaiveTime::from_hms_opt(oracle.plans[campaign].hour.into(), 0, 0).unwrap();
    let [hires, others] = oracle.story.lates;
    let mut rules = vec![
        Rule::new_hire().with_max_late_days(hires),
        Rule::birthday()
            .with_max_late_days(others)
            .with_leap_day(oracle.story.leap)
            .with_send_time(at(BIRTHDAYS), SendZone::Recipient),
        Rule::anniversary(),
    ];
    let fifth = Rule::anniversary().with_milestones(Milestones::years([5]));
    rules.extend(oracle.story.fifth.then_some(fifth));
    let sender = Mailbox::new("", Email::parse("s@x.example").unwrap());
    let make = |(name, rule): (&str, Rule)| {
        Campaign::new(name, name, "g", sender.clone(), mail.clone(), rule).unwrap()
    };
    NAMES.into_iter().zip(rules).map(make).collect()
}

pub(crate) async fn check(story: Story) -> Result<(), TestCaseError> {
    let mut oracle = Oracle::new(story.clone());
    let mut world = World {
        clock: ManualClock::at("2026-01-05T04:30:00Z"),
        directory: MockConnector::new([]),
        mailer: MockMailer::new(),
        ledger: Arc::new(MemoryStore::new()),
        zone: story.zone,
        runs: 0,
        seen: 0,
    };
    let campaigns = world.campaigns(Arc::clone(&world.ledger));
    for definition in definitions(&oracle) {
        campaigns.create(&definition).await.unwrap();
        campaigns.switch_on(definition.id()).await.unwrap();
    }
    for day in &story.days {
        live_a_day(&mut oracle, &mut world, day).await?;
    }
    let taken = world.mailer.taken();
    let keys: BTreeSet<_> = taken.iter().map(|mail| &mail.key).collect();
    prop_assert_eq!(keys.len(), taken.len(), "a gift was mailed twice");
    let delivered = campaigns.sends(SendGroup::Delivered, None, None, usize::MAX).await.unwrap();
    let uncertain = delivered.iter().filter(|send| send.state() == SendState::Uncertain).count() as u64;
    prop_assert!(uncertain <= oracle.uncertain, "{uncertain} uncertain, {} answers lost", oracle.uncertain);
    Ok(())
}

fn edit(oracle: &mut Oracle, today: NaiveDate, person: usize, edit: &Edit) {
    let someone = &mut oracle.people[person];
    match edit {
        Edit::MoveStart(days) => someone.start += TimeDelta::days((*days).into()),
        Edit::StartAround(days) => someone.start = today + TimeDelta::days((*days).into()),
        Edit::MoveBirth(days) => someone.birth += TimeDelta::days((*days).into()),
        Edit::Status(status) => someone.status = *status,
        Edit::Address(has) => someone.has_address = *has,
        Edit::Zone(zone) => someone.zone = *zone,
    }
}

async fn administer(oracle: &mut Oracle, campaigns: &Campaigns, admin: Admin) {
    match admin {
        Admin::PauseOrResume(which) => {
            let id = NAMES[usize::from(which)].into();
            let plan = &mut oracle.plans[usize::from(which)];
            plan.paused = !plan.paused;
            let switched = if plan.paused { campaigns.pause(&id).await } else { campaigns.resume(&id).await };
            switched.unwrap();
        }
        Admin::EditTime(hour) => {
            let plan = &mut oracle.plans[BIRTHDAYS];
            plan.edited |= plan.hour != hour;
            plan.hour = hour;
            campaigns.edit(&definitions(oracle)[BIRTHDAYS]).await.unwrap();
        }
    }
}

async fn live_a_day(oracle: &mut Oracle, world: &mut World, day: &Day) -> Result<(), TestCaseError> {
    let now = world.clock.now();
    let morning = (now.date_naive() + Days::new(day.gap.into())).and_hms_opt(4, 30, 0).unwrap().and_utc();
    // The same day again is an hour later.
    let then = if morning > now { morning } else { now + TimeDelta::hours(1) };
    world.clock.advance((then - now).to_std().unwrap());
    let campaigns = world.campaigns(Arc::clone(&world.ledger));
    let today = campaigns.today();
    for (index, change) in &day.edits {
        let person = index.index(oracle.people.len());
        edit(oracle, today, person, change);
    }
    if let Some(admin) = day.admin {
        administer(oracle, &campaigns, admin).await;
    }
    let listed = oracle.people.iter().enumerate().filter(|(_, someone)| someone.status != Status::Absent);
    world.directory.set_people(listed.map(|(number, someone)| employee(number, someone)).collect::<Vec<_>>());
    world.mailer.plan(day.faults[0].clone());
    morning_run(oracle, world, day.reading, today).await?;
    world.mailer.clear_faults();
    if let Some(death) = day.noon {
        let noon = world.clock.now() + TimeDelta::minutes(450);
        world.clock.advance((noon - world.clock.now()).to_std().unwrap());
        world.mailer.plan(day.faults[1].clone());
        let run = world.run_id();
        let result = match death {
            None => campaigns.dispatch(&run).await.map(drop),
            Some((writes, last)) => {
                let ledger = DyingLedger::after(Arc::clone(&world.ledger), writes.into(), last);
                world.campaigns(Arc::new(ledger)).dispatch(&run).await.map(drop)
            }
        };
        compare(oracle, world, result.is_ok()).await?;
        world.mailer.clear_faults();
    }
    Ok(())
}

async fn morning_run(
    oracle: &mut Oracle,
    world: &mut World,
    reading: Reading,
    today: NaiveDate,
) -> Result<(), TestCaseError> {
    world.directory.set_ending(if reading == Reading::BrokenOff {
        Ending::broken_off()
    } else {
        Ending::complete()
    });
    let stale = reading == Reading::Stale;
    world.directory.set_receipt(move |receipt| {
        if stale {
            receipt.status = Ground::refused("stale");
        }
    });
    let as_of = if reading == Reading::ClockBack { today - Days::new(1) } else { today };
    let ledger: SharedLedger = match reading {
        Reading::Dies(writes, last) => {
            Arc::new(DyingLedger::after(Arc::clone(&world.ledger), writes.into(), last))
        }
        _ => Arc::clone(&world.ledger),
    };
    let (now, run) = (world.clock.now(), world.run_id());
    let marks = last_runs(world).await;
    let result = world.campaigns(ledger).run(&world.directory, &run, as_of).await;
    match &result {
        Ok(_) => {}
        Err(error) => {
            prop_assert!(matches!(reading, Reading::Dies(..)) && error.kind() == ErrorKind::Store, "{error}");
        }
    }
    let is_back = oracle.plans.iter().any(|plan| plan.last_run.is_some_and(|last| last > as_of));
    let run_was_kept = world.ledger.run_report(&connection(), &run).await.unwrap().is_some();
    match reading {
        _ if is_back => {}
        Reading::Complete => oracle.read(as_of, now),
        Reading::ClockBack => oracle.read(as_of, now),
        Reading::BrokenOff => oracle.see_leavers(),
        Reading::Dies(..) if run_was_kept || last_runs(world).await != marks => oracle.read(as_of, now),
        Reading::Dies(..) | Reading::Stale => {}
    }
    compare(oracle, world, result.is_ok()).await
}

async fn last_runs(world: &World) -> Vec<Option<NaiveDate>> {
    let campaigns = world.ledger.campaigns(&connection()).await.unwrap();
    campaigns.into_iter().map(|campaign| campaign.last_run).collect()
}

/// Holds what was handed over against what is due. After a crash, or with nobody to be reached, less may have gone
/// out; it stays due.
async fn compare(oracle: &mut Oracle, world: &mut World, is_whole: bool) -> Result<(), TestCaseError> {
    let now = world.clock.now();
    let due = oracle.due(now);
    let handed = world.handed_over();
    let was_stopped = handed.iter().any(|(_, fault)| *fault == Some(MailFault::Unreachable));
    let mut went = BTreeSet::new();
    for ((campaign, person), fault) in handed {
        let key = due.iter().find(|(c, p, _)| (*c, *p) == (campaign, person)).copied();
        let Some(key) = key else {
            return Err(TestCaseError::fail(format!("{} to {person} was not due at {now}", NAMES[campaign])));
        };
        prop_assert!(went.insert(key), "{key:?} was handed over twice");
        oracle.handed(key, fault, now);
    }
    if is_whole && !was_stopped {
        prop_assert_eq!(&went, &due, "due at {}", now);
    }
    if !is_whole {
        // What a dead process had begun is in doubt, whether its mail went out or not.
        let left =
            world.ledger.list(&connection(), SendGroup::Undelivered, None, None, usize::MAX).await.unwrap();
        for send in left.iter().filter(|send| send.state() == SendState::Active) {
            let campaign = NAMES.iter().position(|name| *name == send.campaign.as_str()).unwrap();
            let person = number(send.recipient().unwrap().email.as_str());
            oracle.uncertain += 1;
            if let Some(key) = due.iter().find(|(c, p, _)| (*c, *p) == (campaign, person)) {
                oracle.on.remove(key);
                oracle.done.insert(*key);
            }
        }
    }
    Ok(())
}
