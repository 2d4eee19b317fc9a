//! Counts over a directory: fill and formats by field, statuses, pages, problems.

use std::collections::{BTreeMap, BTreeSet};

use super::format;
use super::report::{Ended, FieldCounts, Pages, Report, ReportedField};
use hris::core::{
    Employee, EmploymentStatus, Field, FieldSource as _, Ground, ReadEvent, RuleCode, SourceField,
};

/// What was counted so far.
#[derive(Debug)]
pub(super) struct Stats {
    people: u64,
    expected: Option<u64>,
    fields: Vec<SourceField>,
    /// Names of fields for people, where they are known.
    labels: BTreeMap<SourceField, String>,
    counts: Vec<FieldCounts>,
    statuses: BTreeMap<&'static str, u64>,
    /// Held until the end to be counted, and never shown.
    unknown_words: BTreeSet<Option<String>>,
    pages: Pages,
    rejected: BTreeMap<RuleCode, u64>,
    problems: BTreeMap<RuleCode, u64>,
    ended: Option<Ended>,
}

impl Stats {
    pub(super) fn new(fields: Vec<SourceField>, labels: BTreeMap<SourceField, String>) -> Self {
        Self {
            people: 0,
            expected: None,
            counts: vec![FieldCounts::default(); fields.len()],
            fields,
            labels,
            statuses: BTreeMap::new(),
            unknown_words: BTreeSet::new(),
            pages: Pages::default(),
            rejected: BTreeMap::new(),
            problems: BTreeMap::new(),
            ended: None,
        }
    }

    /// People and rejected rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.people + self.rejected.values().sum::<u64>()
    }

    pub(super) fn expected(&self) -> Option<u64> {
        self.expected
    }

    pub(super) fn add(&mut self, event: &ReadEvent) {
        match event {
            ReadEvent::Expected(total) => self.expected = Some(*total),
            ReadEvent::Employees(page) => {
                self.pages.count += 1;
                self.pages.largest = self.pages.largest.max(page.len());
                for employee in page {
                    self.employee(employee);
                }
            }
            ReadEvent::Rejected(row) => *self.rejected.entry(row.rule.clone()).or_default() += 1,
            ReadEvent::End(receipt) => {
                let absence = match receipt.absence.ground() {
                    Ground::Usable => "proven complete".to_owned(),
                    Ground::Refused(why) => format!("not proven complete: {why}"),
                };
                let mut warnings = BTreeMap::new();
                for warning in &receipt.warnings {
                    *warnings.entry(warning.rule.clone()).or_default() += 1;
                }
                self.ended = Some(Ended { distinct: receipt.distinct, absence, warnings });
            }
            _ => {}
        }
    }

    fn employee(&mut self, employee: &Employee) {
        self.people += 1;
        let word = match &employee.status {
            EmploymentStatus::Active => "active",
            EmploymentStatus::OnLeave => "on leave",
            EmploymentStatus::Pending => "pending",
            EmploymentStatus::Inactive => "inactive",
            EmploymentStatus::Unknown(word) => {
                self.unknown_words.insert(word.clone());
                "unknown"
            }
            _ => "another",
        };
        *self.statuses.entry(word).or_default() += 1;
        for problem in &employee.problems {
            *self.problems.entry(problem.rule.clone()).or_default() += 1;
        }
        for (field, counts) in self.fields.iter().zip(&mut self.counts) {
            match employee.field(field) {
                Field::Absent => counts.absent += 1,
                Field::Null => counts.null += 1,
                Field::Value(value) => {
                    counts.filled += 1;
                    *counts.formats.entry(format::of(&value)).or_default() += 1;
                }
            }
        }
    }

    pub(super) fn report<'a>(
        mut self,
        vendor: &'a str,
        account: &'a str,
        capabilities: Vec<&'static str>,
    ) -> Report<'a> {
        let fields = self.fields.into_iter().zip(self.counts);
        let report = |(field, counts)| {
            let label = self.labels.remove(&field);
            ReportedField { field, label, counts }
        };
        Report {
            vendor,
            account,
            capabilities,
            people: self.people,
            expected: self.expected,
            whole_directory: self.ended,
            pages: self.pages,
            statuses: self.statuses,
            unknown_status_words: self.unknown_words.len(),
            rejected_rows: self.rejected,
            field_problems: self.problems,
            fields: fields.map(report).collect(),
        }
    }
}
