//! What ought to be sent, found out from the people of each day alone, and held against what was.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use hris_testkit::population::{Person, PersonStatus, Population};

use crate::Result;

/// Campaign and record id, with the year of the occasion.
type Gift = (&'static str, String, i32);

/// How many days late each campaign may be.
const CAMPAIGNS: [(&str, u64); 3] = [("New hires", 7), ("Anniversaries", 2), ("Birthdays", 2)];

#[derive(Default)]
pub(crate) struct Expected {
    last_run: Option<NaiveDate>,
    /// Gifts that are due, with the day on which they have to go out.
    due: BTreeMap<Gift, NaiveDate>,
    /// Whose address it is, today.
    owners: BTreeMap<String, Vec<String>>,
    sent: BTreeMap<Gift, u32>,
}

fn day_in(year: i32, date: NaiveDate) -> Option<NaiveDate> {
    date.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

/// The day of a campaign for somebody in a year.
fn day_of(campaign: &str, person: &Person, year: i32) -> Option<NaiveDate> {
    match campaign {
        "New hires" => person.start_date.filter(|start| start.year() == year),
        "Anniversaries" => {
            person.start_date.filter(|start| start.year() < year).and_then(|start| day_in(year, start))
        }
        _ => person.birth_date.and_then(|birth| day_in(year, birth)),
    }
}

fn address_of<'a>(campaign: &str, person: &'a Person) -> Option<&'a String> {
    if campaign == "Anniversaries" { person.work_email.as_ref() } else { person.personal_email.as_ref() }
}

impl Expected {
    /// A run on a day over these people: whatever became due since the last run has to go out today, if it is not too
    /// late and the person is there.
    #[expect(clippy::needless_pass_by_value, reason = "the day is handed over")]
    pub(crate) fn day(&mut self, today: NaiveDate, people: Population) {
        let since = self.last_run.map_or(today, |last| last + Days::new(1));
        self.owners.clear();
        for person in people.listed().filter(|person| person.status != PersonStatus::Inactive) {
            for address in [&person.work_email, &person.personal_email].into_iter().flatten() {
                self.owners.entry(address.to_lowercase()).or_default().push(person.record_id.clone());
            }
            for (campaign, late) in CAMPAIGNS {
                let first = since.max(today - Days::new(late));
                // The first run follows the seed's window at once.
                let first = if campaign == "New hires" && self.last_run.is_none() {
                    today - Days::new(7)
                } else {
                    first
                };
                let day = day_of(campaign, person, today.year());
                let is_due = day.is_some_and(|day| first <= day && day <= today);
                if is_due && address_of(campaign, person).is_some() {
                    let gift = (campaign, person.record_id.clone(), today.year());
                    self.due.entry(gift).or_insert(today);
                }
            }
        }
        self.last_run = Some(today);
    }

    /// A mail went out on a day.
    pub(crate) fn sent(&mut self, campaign: &str, to: &str, today: NaiveDate) -> Result<()> {
        let owners = self.owners.get(&to.to_lowercase()).ok_or("a mail to somebody who is not there")?;
        let (campaign, _) = CAMPAIGNS.into_iter().find(|(name, _)| *name == campaign).ok_or("a campaign")?;
        let gifts = owners.iter().map(|record| (campaign, record.clone(), today.year()));
        let gift = gifts.into_iter().find(|gift| self.due.get(gift) == Some(&today));
        let gift = gift.ok_or_else(|| format!("{campaign}: a mail on {today} that is not due"))?;
        *self.sent.entry(gift).or_default() += 1;
        Ok(())
    }

    pub(crate) fn count(&self) -> usize {
        self.due.len()
    }

    /// Every occurrence was sent once.
    pub(crate) fn check(&self) -> Result<()> {
        for (gift, day) in &self.due {
            let sent = self.sent.get(gift).copied().unwrap_or_default();
            if sent != 1 {
                return Err(format!("{} of {day} was sent {sent} times", gift.0).into());
            }
        }
        Ok(())
    }
}
