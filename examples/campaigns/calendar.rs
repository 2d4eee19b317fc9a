//! The year as a calendar: a line for each month, a sign for each day.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

/// How many mails went out on each day, by campaign.
#[derive(Default)]
pub(crate) struct Calendar(BTreeMap<NaiveDate, BTreeMap<String, u32>>);

impl Calendar {
    pub(crate) fn add(&mut self, day: NaiveDate, campaign: &str) {
        *self.0.entry(day).or_default().entry(campaign.to_owned()).or_default() += 1;
    }

    pub(crate) fn print(&self) {
        let title = "6. The calendar of the year (h: new hire, a: anniversary, b: birthday, digit: several)";
        println!("\n{title}\n{}", "-".repeat(title.chars().count()));
        let (Some((first, _)), Some((last, _))) = (self.0.first_key_value(), self.0.last_key_value()) else {
            return;
        };
        let mut month = first.with_day(1).unwrap_or(*first);
        while month <= *last {
            let days = month.iter_days().take_while(|day| day.month() == month.month());
            let line: String = days.map(|day| self.sign(day)).collect();
            let total: u32 = self
                .0
                .range(month..)
                .take_while(|(day, _)| day.month() == month.month())
                .map(|(_, day)| day.values().sum::<u32>())
                .sum();
            println!("{} {line:31} {total:3}", month.format("%Y-%m"));
            let Some(next) = month.checked_add_months(chrono::Months::new(1)) else { return };
            month = next;
        }
    }

    fn sign(&self, day: NaiveDate) -> char {
        let Some(mails) = self.0.get(&day) else { return '.' };
        match mails.values().sum::<u32>() {
            1 => mails.keys().next().map_or('?', |campaign| match campaign.as_str() {
                "New hires" => 'h',
                "Anniversaries" => 'a',
                _ => 'b',
            }),
            several => char::from_digit(several.min(9), 10).unwrap_or('+'),
        }
    }
}
