//! One pass over a directory for all campaigns: what is remembered of it are the people who are due or have a Send.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use hris_core::keys::Print;
use hris_core::ledger::{Block, Episode, PersonKey};
use hris_core::{Email, Employee, EmployeeRef, EmploymentStatus, Problem, RecordId, SourceField, fold_email};

use crate::campaign::{Anchor, Campaign, Recurrence, SendZone};
use crate::keys::Keys;
use crate::report::CampaignReport;
use crate::rule;
use crate::scan::{DueGift, Note, Scan};

/// What a reading says about somebody who is due or has a Send.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) who: EmployeeRef,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    pub(crate) presence: Presence,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Presence {
    /// There, with what they are due for.
    Here(Box<Candidate>),
    /// Inactive.
    Left,
    /// Deleted, by the vendor's word.
    Deleted,
    /// The row could not be read.
    Unreadable,
    /// Two rows contradict each other.
    Ambiguous,
}

/// Somebody who is there.
#[derive(Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) work: Option<Email>,
    pub(crate) personal: Option<Email>,
    pub(crate) time_zone: Option<String>,
    /// What they are due for and may receive.
    pub(crate) gifts: Vec<DueGift>,
    /// Per campaign: the date field is empty or cannot be used.
    pub(crate) undated: Vec<usize>,
    /// Per campaign: another one has the occasion.
    pub(crate) superseded: Vec<usize>,
    /// Per campaign: they want no gifts.
    pub(crate) opted_out: Vec<usize>,
    /// Per campaign that counts once: the date, as a keyed hash.
    pub(crate) starts: Vec<(usize, Print)>,
    /// The last day of work is before what would be due.
    pub(crate) ends_before: bool,
}

/// A pass under way.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    pub(crate) scan: &'a Scan,
    pub(crate) keys: &'a Keys,
    /// People with a Send that waits.
    watched: HashSet<PersonKey>,
    episodes: HashMap<Print, Episode>,
    blocks: HashMap<PersonKey, Block>,
    /// The distinct date fields of campaigns that count once.
    once_fields: Vec<SourceField>,
    pub(crate) sightings: HashMap<PersonKey, Sighting>,
    /// Episodes that changed.
    pub(crate) touched: HashMap<Print, Episode>,
    /// People who are present, and of them those without a date, by campaign.
    pub(crate) present: u64,
    pub(crate) undated: Vec<u64>,
    found: Vec<DueGift>,
    notes: Vec<(usize, Note)>,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        scan: &'a Scan,
        keys: &'a Keys,
        watched: impl IntoIterator<Item = PersonKey>,
        episodes: Vec<Episode>,
        blocks: Vec<(PersonKey, Block)>,
    ) -> Self {
        let mut once_fields = Vec::new();
        for campaign in scan.campaigns().filter(|campaign| campaign.rule().recurrence == Recurrence::Once) {
            let field = campaign.rule().anchor.field();
            if !once_fields.contains(field) {
                once_fields.push(field.clone());
            }
        }
        Self {
            scan,
            keys,
            watched: watched.into_iter().collect(),
            episodes: episodes.into_iter().map(|episode| (episode.key, episode)).collect(),
            blocks: blocks.into_iter().collect(),
            once_fields,
            sightings: HashMap::new(),
            touched: HashMap::new(),
            present: 0,
            undated: vec![0; scan.campaigns().len()],
            found: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes note of one row. For nearly everybody that is a look at the date and a hash of the record id.
    pub(crate) fn see(&mut self, employee: &Employee, report: &mut CampaignReport) {
        report.people += 1;
        let person = self.keys.person(&employee.record);
        let is_watched = self.watched.contains(&person);
        if employee.status == EmploymentStatus::Inactive {
            self.end_episodes(&employee.record);
            if is_watched || self.sightings.contains_key(&person) {
                self.put(person, employee, Presence::Left, report);
            }
            return;
        }
        self.present += 1;
        let (mut found, mut notes) = (std::mem::take(&mut self.found), std::mem::take(&mut self.notes));
        notes.clear();
        self.scan.look(employee, &mut found, |campaign, note| notes.push((campaign, note)));
        let is_of_interest = !found.is_empty() || is_watched || self.sightings.contains_key(&person);
        if (is_of_interest || !notes.is_empty()) && !self.blocks.contains_key(&person) {
            self.note(employee, &notes, report);
            if is_of_interest {
                let candidate = self.candidate(employee, &found, &notes, report);
                self.put(person, employee, Presence::Here(Box::new(candidate)), report);
            }
        }
        if !self.episodes.is_empty() {
            self.continue_episodes(employee);
        }
        (self.found, self.notes) = (found, notes);
    }

    pub(crate) fn unreadable(&mut self, record: &RecordId) {
        self.put_bare(record, Presence::Unreadable);
    }

    pub(crate) fn deleted(&mut self, record: &RecordId) {
        self.put_bare(record, Presence::Deleted);
    }

    /// A row without content: it never takes the place of one with.
    fn put_bare(&mut self, record: &RecordId, presence: Presence) {
        let person = self.keys.person(record);
        if self.watched.contains(&person) {
            let who = EmployeeRef::record(record.as_str());
            self.sightings.entry(person).or_insert(Sighting { who, modified_at: None, presence });
        }
    }

    /// Of two rows of one record the newer stamp counts; equal content is one row; otherwise neither is used.
    fn put(
        &mut self,
        person: PersonKey,
        employee: &Employee,
        presence: Presence,
        report: &mut CampaignReport,
    ) {
        let new = Sighting { who: employee.reference(), modified_at: employee.modified_at, presence };
        let Some(known) = self.sightings.get_mut(&person) else {
            self.sightings.insert(person, new);
            return;
        };
        match (known.modified_at, new.modified_at) {
            (Some(old), Some(newer)) if newer > old => *known = new,
            (Some(old), Some(older)) if older < old => {}
            _ if known.presence == Presence::Unreadable => *known = new,
            _ if known.presence == new.presence || known.presence == Presence::Ambiguous => {}
            _ => {
                known.presence = Presence::Ambiguous;
                let message = "two rows of this record contradict each other; its gifts stay as they were";
                report.add(None, Problem::error(rule::PERSON_AMBIGUOUS, message).of(&known.who));
            }
        }
    }

    fn note(&mut self, employee: &Employee, notes: &[(usize, Note)], report: &mut CampaignReport) {
        for (index, note) in notes {
            let Some(campaign) = self.scan.campaign(*index) else { continue };
            if matches!(note, Note::Missing | Note::Unusable(_))
                && let Some(undated) = self.undated.get_mut(*index)
            {
                *undated += 1;
            }
            let (code, message) = match note {
                // Nobody outside the filter is missed.
                Note::Missing if !campaign.rule().filter.lets_pass(employee) => continue,
                Note::Missing => {
                    (rule::DATE_MISSING, "the date is empty; enter it in the HR system to include the person")
                }
                Note::Unusable(unusable) => (unusable.rule(), unusable.message()),
                Note::Odd(remark) => (remark.rule(), remark.message()),
                Note::Superseded => continue,
            };
            report.warn(campaign.id(), Some(&employee.reference()), code, message);
        }
    }

    fn candidate(
        &self,
        employee: &Employee,
        found: &[DueGift],
        notes: &[(usize, Note)],
        report: &mut CampaignReport,
    ) -> Candidate {
        if matches!(employee.status, EmploymentStatus::Unknown(_)) && !found.is_empty() {
            let message = "the status is unknown; the person counts as present";
            report.add(None, Problem::warning(rule::STATUS_UNKNOWN, message).of(&employee.reference()));
        }
        let email = |text: Option<&String>| text.and_then(|text| Email::parse(text));
        let with = |wanted: fn(&Note) -> bool| {
            notes.iter().filter(|(_, note)| wanted(note)).map(|(index, _)| *index).collect()
        };
        let campaigns = 0..self.scan.campaigns().len();
        let gifts = found.iter().filter(|gift| Scan::may_receive(employee, gift.due)).copied();
        let starts = campaigns.clone().filter_map(|index| self.start(index, employee));
        Candidate {
            first_name: employee.first_name.value().cloned().unwrap_or_default(),
            last_name: employee.last_name.value().cloned().unwrap_or_default(),
            work: email(employee.work_email.value()),
            personal: email(employee.personal_email.value()),
            time_zone: employee.time_zone.value().cloned(),
            gifts: gifts.collect(),
            undated: with(|note| matches!(note, Note::Missing | Note::Unusable(_))),
            superseded: with(|note| *note == Note::Superseded),
            opted_out: campaigns.filter(|index| self.scan.opted_out(*index, employee)).collect(),
            starts: starts.collect(),
            ends_before: found.iter().any(|gift| !Scan::may_receive(employee, gift.due)),
        }
    }

    /// The start date of somebody for a campaign that counts once, as a keyed hash.
    fn start(&self, index: usize, employee: &Employee) -> Option<(usize, Print)> {
        let rule = self.scan.campaign(index)?.rule();
        let is_once = rule.recurrence == Recurrence::Once && matches!(rule.anchor, Anchor::Service(_));
        let date = is_once.then(|| self.scan.service_date(index, employee)).flatten()?;
        Some((index, self.keys.start(&employee.record, date)))
    }

    fn end_episodes(&mut self, record: &RecordId) {
        if self.episodes.is_empty() {
            return;
        }
        for field in &self.once_fields {
            let key = self.keys.episode(field, record);
            if let Some(episode) = self.episodes.get_mut(&key).filter(|episode| !episode.ended) {
                episode.ended = true;
                self.touched.insert(key, *episode);
            }
        }
    }

    /// Keeps up with somebody who is there: a start date that moves is the same employment, and an end that was taken
    /// back, the start being what it was, was none.
    fn continue_episodes(&mut self, employee: &Employee) {
        for index in 0..self.scan.campaigns().len() {
            let Some(rule) = self.scan.campaign(index).map(Campaign::rule) else { continue };
            if rule.recurrence != Recurrence::Once {
                continue;
            }
            let key = self.keys.episode(rule.anchor.field(), &employee.record);
            let Some(known) = self.episodes.get(&key).copied() else { continue };
            let Some((_, start)) = self.start(index, employee) else { continue };
            let episode = match (known.ended, known.start == start) {
                (_, true) => Episode { ended: false, ..known },
                (false, false) => Episode { start, ..known },
                (true, false) => known,
            };
            self.keep_episode(episode);
        }
    }

    /// The episode that a start belongs to: a new one only after an end was seen, and with another start date.
    pub(crate) fn episode(&self, field: &SourceField, record: &RecordId, start: Print) -> Episode {
        let key = self.keys.episode(field, record);
        match self.episodes.get(&key).copied() {
            None => Episode { key, number: 0, ended: false, start },
            Some(known) if known.ended && known.start != start => {
                Episode { key, number: known.number + 1, ended: false, start }
            }
            Some(known) => Episode { start, ..known },
        }
    }

    /// Remembers the episode of a Send.
    pub(crate) fn keep_episode(&mut self, episode: Episode) {
        if self.episodes.insert(episode.key, episode) != Some(episode) {
            self.touched.insert(episode.key, episode);
        }
    }
}

impl Candidate {
    /// Where a campaign's mail goes: the first designated address that there is.
    pub(crate) fn address(&self, rule: &crate::Rule) -> Option<&Email> {
        rule.addresses.iter().find_map(|source| match source {
            crate::AddressSource::Personal => self.personal.as_ref(),
            crate::AddressSource::Work => self.work.as_ref(),
        })
    }

    /// The zone in which a campaign's send time counts for this person.
    pub(crate) fn zone(&self, rule: &crate::Rule, customer: chrono_tz::Tz) -> chrono_tz::Tz {
        match rule.zone {
            SendZone::Fixed(zone) => zone,
            SendZone::Customer => customer,
            SendZone::Recipient => {
                self.time_zone.as_deref().and_then(|name| name.trim().parse().ok()).unwrap_or(customer)
            }
        }
    }

    /// The address as it is matched.
    pub(crate) fn folded(email: &Email) -> String {
        fold_email(email.as_str()).into_owned()
    }
}
