//! From what a complete reading says to the changes of the ledger.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use hris_core::keys::KeyId;
use hris_core::ledger::{
    CancelReason, Due, Episode, Month, OccasionKey, PersonKey, Recipient, Send, SendChange, SendId, Stage,
};
use hris_core::{CampaignId, EmployeeRef, Problem};

use crate::campaign::{Campaign, Recurrence};
use crate::local_time::{instant_of, shift};
use crate::pass::{Candidate, Pass, Presence};
use crate::report::CampaignReport;
use crate::rule;
use crate::scan::{DueGift, Timing};

/// What settling needs to know beside the pass.
pub(crate) struct Terms {
    pub(crate) zone: Tz,
    pub(crate) now: DateTime<Utc>,
    pub(crate) link_key: KeyId,
    pub(crate) purge: Month,
    /// The version of each campaign's rule.
    pub(crate) rules: Vec<u32>,
    /// Campaigns whose data the reading does not have: they are left alone.
    pub(crate) refused: Vec<bool>,
    /// Whether somebody who was not seen is gone.
    pub(crate) absence: bool,
    /// Whether a deletion counts.
    pub(crate) tombstones: bool,
}

/// A gift that somebody is due for, with its keys.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) person: PersonKey,
    pub(crate) gift: DueGift,
    pub(crate) id: SendId,
    pub(crate) occasion: OccasionKey,
    episode: Option<Episode>,
}

/// Every gift that the pass found, with its keys.
pub(crate) fn wanted(pass: &Pass<'_>) -> Vec<Wanted> {
    let mut all = Vec::new();
    for (person, sighting) in &pass.sightings {
        let Presence::Here(candidate) = &sighting.presence else { continue };
        for gift in &candidate.gifts {
            let Some(campaign) = pass.scan.campaign(gift.campaign) else { continue };
            let record = &sighting.who.record;
            let episode = episode(pass, campaign, candidate, *gift, &sighting.who);
            let number = episode.map_or(0, |episode| episode.number);
            all.push(Wanted {
                person: *person,
                gift: *gift,
                id: pass.keys.send(campaign, record, gift.occurrence, number),
                occasion: pass.keys.occasion(campaign, record, gift.occurrence, number),
                episode,
            });
        }
    }
    // Whatever the order of the directory, one reading gives one result.
    all.sort_by_key(|wanted| (wanted.gift.due, wanted.gift.campaign, wanted.id));
    all
}

fn episode(
    pass: &Pass<'_>,
    campaign: &Campaign,
    candidate: &Candidate,
    gift: DueGift,
    who: &EmployeeRef,
) -> Option<Episode> {
    let is_once = campaign.rule().recurrence == Recurrence::Once;
    let (_, start) = candidate.starts.iter().find(|(index, _)| is_once && *index == gift.campaign)?;
    Some(pass.episode(campaign.rule().anchor.field(), &who.record, *start))
}

/// The settling of one reading.
pub(crate) struct Settling<'a, 'p> {
    pub(crate) pass: &'a mut Pass<'p>,
    pub(crate) terms: &'a Terms,
    pub(crate) report: &'a mut CampaignReport,
    /// Sends of the gifts that are wanted, and those that wait.
    pub(crate) known: HashMap<SendId, Send>,
    /// Occasions for which something went out, and which Send that was.
    pub(crate) went_out: HashMap<OccasionKey, SendId>,
    pub(crate) changes: Vec<SendChange>,
}

impl Settling<'_, '_> {
    pub(crate) fn settle(&mut self, wanted: &[Wanted]) {
        let held = self.shared(wanted);
        let mut matched = HashSet::new();
        for wanted in wanted {
            if self.is_refused(wanted.gift.campaign) || held.contains(&wanted.person) {
                matched.insert(wanted.id);
            } else if self.opted_out(wanted) {
                self.note_opt_out(wanted);
            } else if wanted.gift.timing == Timing::TooLate && self.waits(wanted.id) {
                // Kept on its date until it is too late for the recipient too, or called off if the date moved into the past.
            } else {
                matched.insert(wanted.id);
                self.gift(wanted);
            }
        }
        let mut waiting: Vec<_> =
            self.known.values().filter(|send| send.state().is_waiting()).cloned().collect();
        waiting.sort_by_key(Send::cursor);
        for send in waiting.into_iter().filter(|send| !matched.contains(&send.id)) {
            if !held.contains(&send.person) {
                self.unmatched(send);
            }
        }
    }

    fn waits(&self, id: SendId) -> bool {
        self.known.get(&id).is_some_and(|send| send.state().is_waiting())
    }

    fn is_refused(&self, campaign: usize) -> bool {
        self.terms.refused.get(campaign).copied().unwrap_or_default()
    }

    fn candidate(&self, person: PersonKey) -> Option<(&Candidate, &EmployeeRef)> {
        let sighting = self.pass.sightings.get(&person)?;
        match &sighting.presence {
            Presence::Here(candidate) => Some((candidate, &sighting.who)),
            _ => None,
        }
    }

    /// People who share an address or an Employee ID within one campaign: one who has a Send keeps it, others are held;
    /// where nobody has one, all are held.
    fn shared(&mut self, wanted: &[Wanted]) -> HashSet<PersonKey> {
        let mut groups: HashMap<(usize, String), Vec<&Wanted>> = HashMap::new();
        for wanted in wanted {
            let Some((candidate, who)) = self.candidate(wanted.person) else { continue };
            let Some(campaign) = self.pass.scan.campaign(wanted.gift.campaign) else { continue };
            let address = candidate.address(campaign.rule()).map(|it| format!("@{}", Candidate::folded(it)));
            let number = who.employee_id.as_ref().map(|id| format!("#{id}"));
            for key in address.into_iter().chain(number) {
                groups.entry((wanted.gift.campaign, key)).or_default().push(wanted);
            }
        }
        let mut held = HashSet::new();
        for group in groups.values() {
            let people: HashSet<_> = group.iter().map(|wanted| wanted.person).collect();
            if people.len() < 2 {
                continue;
            }
            let has_send = |person: &PersonKey| {
                group.iter().any(|wanted| wanted.person == *person && self.known.contains_key(&wanted.id))
            };
            let owners: Vec<_> = people.iter().filter(|person| has_send(person)).copied().collect();
            let keeps = if let [owner] = *owners { Some(owner) } else { None };
            held.extend(people.into_iter().filter(|person| Some(*person) != keeps));
        }
        let mut shown: Vec<_> =
            held.iter().filter_map(|person| Some(self.candidate(*person)?.1.clone())).collect();
        shown.sort_by(|one, other| one.record.cmp(&other.record));
        for who in shown {
            let message =
                "somebody else who is due has the same address or Employee ID; correct it in the HR system";
            self.report.add(None, Problem::error(rule::PERSON_SHARED, message).of(&who));
        }
        held
    }

    fn opted_out(&self, wanted: &Wanted) -> bool {
        self.candidate(wanted.person)
            .is_some_and(|(candidate, _)| candidate.opted_out.contains(&wanted.gift.campaign))
    }

    fn note_opt_out(&mut self, wanted: &Wanted) {
        self.line(wanted.person, wanted.gift.campaign, rule::OPTED_OUT, "the person wants no gifts");
    }

    fn line(&mut self, person: PersonKey, campaign: usize, code: hris_core::RuleCode, message: &'static str) {
        let who = self.pass.sightings.get(&person).map(|sighting| sighting.who.clone());
        if let Some(id) = self.campaign_id(campaign) {
            self.report.warn(&id, who.as_ref(), code, message);
        }
    }

    fn campaign_id(&self, campaign: usize) -> Option<CampaignId> {
        self.pass.scan.campaign(campaign).map(|campaign| campaign.id().clone())
    }

    /// One gift that somebody is due for.
    fn gift(&mut self, wanted: &Wanted) {
        let known = self.known.get(&wanted.id).cloned();
        let is_new = matches!(wanted.gift.timing, Timing::InTime | Timing::Late);
        match known {
            None if wanted.gift.timing == Timing::TooLate => self.line(
                wanted.person,
                wanted.gift.campaign,
                rule::TOO_LATE,
                "the day was missed by more than the allowed lateness; nothing is sent",
            ),
            None if is_new => self.plan(wanted),
            None => {}
            Some(send) if send.state().is_waiting() => self.confirm(wanted, send),
            Some(send) => self.revive(wanted, send),
        }
    }

    /// A gift that nobody has thought of yet.
    fn plan(&mut self, wanted: &Wanted) {
        if self.went_out.contains_key(&wanted.occasion) {
            let message = "another campaign gave this occasion's gift";
            return self.line(wanted.person, wanted.gift.campaign, rule::SUPERSEDED, message);
        }
        let Some((due, recipient)) = self.due(wanted, 0) else { return };
        let Some(id) = self.campaign_id(wanted.gift.campaign) else { return };
        if wanted.gift.timing == Timing::Late {
            let message = "found after its day; it is sent late";
            self.line(wanted.person, wanted.gift.campaign, rule::LATE, message);
        }
        let counts = self.report.of(&id);
        let stage = if let Some(recipient) = recipient {
            counts.scheduled += 1;
            Stage::Scheduled(due, recipient)
        } else {
            counts.planned += 1;
            Stage::Planned(due)
        };
        let send =
            Send::new(wanted.id, id, wanted.person, wanted.occasion, self.terms.link_key.clone(), stage);
        self.changes.push(SendChange { expects: None, send });
        self.keep_episode(wanted);
    }

    fn keep_episode(&mut self, wanted: &Wanted) {
        if let Some(episode) = wanted.episode {
            self.pass.keep_episode(episode);
        }
    }

    /// A Send that waits: name, address and date are brought up to date.
    fn confirm(&mut self, wanted: &Wanted, send: Send) {
        let before = send.due().copied();
        let attempts = before.map_or(0, |due| due.attempts);
        let Some((due, recipient)) = self.due(wanted, attempts) else { return };
        let has_moved = before.is_some_and(|before| before.date != due.date);
        if let Some(id) = self.campaign_id(wanted.gift.campaign) {
            let counts = self.report.of(&id);
            counts.confirmed += 1;
            counts.moved += u64::from(has_moved);
        }
        if has_moved {
            self.line(
                wanted.person,
                wanted.gift.campaign,
                rule::MOVED,
                "the date moved, and its gift with it",
            );
        }
        self.write(send, due, recipient);
        self.keep_episode(wanted);
    }

    /// A Send that was called off although it is due after all. Whatever went out or ended otherwise stays.
    fn revive(&mut self, wanted: &Wanted, send: Send) {
        let is_dead = !matches!(&send.stage, Stage::Cancelled(reason, _) if reason.is_revivable());
        let other = self.went_out.get(&wanted.occasion).is_some_and(|id| *id != wanted.id);
        if is_dead || other || wanted.gift.timing == Timing::TooLate {
            return;
        }
        let Some((due, recipient)) = self.due(wanted, 0) else { return };
        if let Some(id) = self.campaign_id(wanted.gift.campaign) {
            self.report.of(&id).revived += 1;
        }
        self.write(send, due, recipient);
        self.keep_episode(wanted);
    }

    fn write(&mut self, send: Send, due: Due, recipient: Option<Recipient>) {
        let expects = Some(send.state());
        let changed = match recipient {
            Some(recipient) => send.scheduled(due, recipient),
            None => send.planned(due),
        };
        self.changes.extend(changed.ok().map(|send| SendChange { expects, send }));
    }

    /// When a gift is due, and for whom; without an address for nobody yet.
    fn due(&mut self, wanted: &Wanted, attempts: u16) -> Option<(Due, Option<Recipient>)> {
        let index = wanted.gift.campaign;
        let rule = self.pass.scan.campaign(index)?.rule();
        let (candidate, _) = self.candidate(wanted.person)?;
        let email = candidate.address(rule).cloned();
        let date = wanted.gift.due;
        let zone = candidate.zone(rule, self.terms.zone);
        let too_late = shift(date, i32::from(rule.max_late_days) + 1);
        let due = Due {
            date,
            send_at: instant_of(date, rule.send_time, zone)?,
            until: instant_of(too_late, NaiveTime::MIN, zone)?,
            seen_at: self.terms.now,
            rule: self.terms.rules.get(index).copied().unwrap_or_default(),
            attempts,
        };
        let recipient = email.map(|email| Recipient {
            first_name: candidate.first_name.clone(),
            last_name: candidate.last_name.clone(),
            email,
        });
        if recipient.is_none() {
            let message = "the designated address is empty or no address; enter it, or designate another";
            self.line(wanted.person, index, rule::ADDRESS_MISSING, message);
        }
        Some((due, recipient))
    }

    /// A Send that waits although the reading found nothing due for it.
    fn unmatched(&mut self, send: Send) {
        let Some(index) = self.pass.scan.campaigns().position(|campaign| *campaign.id() == send.campaign)
        else {
            return;
        };
        if self.is_refused(index) {
            return;
        }
        let reason = match self.pass.sightings.get(&send.person) {
            None if self.terms.absence => CancelReason::Gone,
            None => return,
            Some(sighting) => match &sighting.presence {
                Presence::Left => CancelReason::Left,
                Presence::Deleted if self.terms.tombstones => CancelReason::Deleted,
                Presence::Deleted | Presence::Ambiguous => return,
                Presence::Unreadable => return self.unreadable(&send, index),
                Presence::Here(candidate) => match self.reason(candidate, index, &send) {
                    Some(reason) => reason,
                    None => return self.keep(send, index),
                },
            },
        };
        self.cancel(send, reason);
    }

    fn unreadable(&mut self, send: &Send, index: usize) {
        let message =
            "the row could not be read; the gift stays as it was, and is held when its data gets old";
        self.line(send.person, index, rule::PERSON_UNREADABLE, message);
    }

    /// Why somebody who is there gets no gift any more; `None` where the Send stays.
    fn reason(&self, candidate: &Candidate, index: usize, send: &Send) -> Option<CancelReason> {
        let is_past = send
            .due()
            .is_some_and(|due| self.pass.scan.bounds(index).is_some_and(|bounds| due.date < bounds.kept));
        if candidate.opted_out.contains(&index) {
            Some(CancelReason::OptedOut)
        } else if candidate.ends_before {
            Some(CancelReason::Left)
        } else if candidate.superseded.contains(&index) {
            Some(CancelReason::Superseded)
        } else if candidate.undated.contains(&index) || is_past {
            None
        } else {
            Some(CancelReason::NotDue)
        }
    }

    /// The date vanished, or the day is over: the Send stays on its last known date, with today's name and address.
    fn keep(&mut self, send: Send, index: usize) {
        let Some((candidate, _)) = self.candidate(send.person) else { return };
        let is_undated = candidate.undated.contains(&index);
        let Some(rule) = self.pass.scan.campaign(index).map(Campaign::rule) else { return };
        let email = candidate.address(rule).cloned();
        let recipient = email.map(|email| Recipient {
            first_name: candidate.first_name.clone(),
            last_name: candidate.last_name.clone(),
            email,
        });
        let rule_version = self.terms.rules.get(index).copied().unwrap_or_default();
        let due = send.due().map(|due| Due { seen_at: self.terms.now, rule: rule_version, ..*due });
        if is_undated {
            let message = "the date vanished; the gift stays on the last known one";
            self.line(send.person, index, rule::DATE_VANISHED, message);
        }
        if let Some(due) = due {
            self.write(send, due, recipient);
        }
    }

    pub(crate) fn cancel(&mut self, send: Send, reason: CancelReason) {
        let (expects, id, person) = (send.state(), send.campaign.clone(), send.person);
        let Ok(cancelled) = send.cancelled(reason, self.terms.purge) else { return };
        self.report.of(&id).cancelled += 1;
        let who = self.pass.sightings.get(&person).map(|sighting| sighting.who.clone());
        let message = format!("a gift was called off: {}", reason.as_str());
        self.report.warn(&id, who.as_ref(), rule::CANCELLED, message);
        self.changes.push(SendChange { expects: Some(expects), send: cancelled });
    }

    /// After a reading that broke off: only an explicit inactive status cancels.
    pub(crate) fn cancel_leavers(&mut self) {
        let mut waiting: Vec<_> =
            self.known.values().filter(|send| send.state().is_waiting()).cloned().collect();
        waiting.sort_by_key(Send::cursor);
        for send in waiting {
            let sighting = self.pass.sightings.get(&send.person);
            if sighting.is_some_and(|sighting| sighting.presence == Presence::Left) {
                self.cancel(send, CancelReason::Left);
            }
        }
    }
}
