//! The result of a probe, as text for people and JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use hris::core::{RuleCode, SourceField};
use serde::Serialize;

/// How often a field is absent, empty and filled, and in which forms.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct FieldCounts {
    pub(super) absent: u64,
    pub(super) null: u64,
    pub(super) filled: u64,
    pub(super) formats: BTreeMap<&'static str, u64>,
}

/// How large pages are: a vendor may give fewer rows than were asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Pages {
    pub(super) count: u64,
    pub(super) largest: usize,
}

/// What the end of a whole reading says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ended {
    pub(super) distinct: u64,
    pub(super) absence: String,
    pub(super) warnings: BTreeMap<RuleCode, u64>,
}

/// The result, as text or JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) vendor: &'a str,
    pub(super) account: &'a str,
    pub(super) capabilities: Vec<&'static str>,
    pub(super) people: u64,
    pub(super) expected: Option<u64>,
    pub(super) whole_directory: Option<Ended>,
    pub(super) pages: Pages,
    pub(super) statuses: BTreeMap<&'static str, u64>,
    pub(super) unknown_status_words: usize,
    pub(super) rejected_rows: BTreeMap<RuleCode, u64>,
    pub(super) field_problems: BTreeMap<RuleCode, u64>,
    pub(super) fields: Vec<ReportedField>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReportedField {
    pub(super) field: SourceField,
    pub(super) label: Option<String>,
    #[serde(flatten)]
    pub(super) counts: FieldCounts,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} account {}", self.vendor, self.account)?;
        writeln!(f, "  can: {}", self.capabilities.join(", "))?;
        write!(f, "  looked at {} people", self.people)?;
        match self.expected {
            Some(total) => writeln!(f, " (the vendor says {total} in what was listed)")?,
            None => writeln!(f)?,
        }
        writeln!(f, "  {} pages, the largest with {} rows", self.pages.count, self.pages.largest)?;
        match &self.whole_directory {
            Some(ended) => {
                writeln!(f, "  whole directory: {} people, {}", ended.distinct, ended.absence)?;
                counts(f, "warnings", &ended.warnings)?;
            }
            None => writeln!(f, "  stopped early; --people 0 looks at everyone")?,
        }
        counts(f, "status", &self.statuses)?;
        if self.unknown_status_words > 0 {
            writeln!(f, "  {} status words are not known", self.unknown_status_words)?;
        }
        counts(f, "rejected rows", &self.rejected_rows)?;
        counts(f, "unreadable fields", &self.field_problems)?;
        let width = self.fields.iter().map(|field| field.field.to_string().chars().count()).max();
        let width = width.unwrap_or_default().max(5);
        writeln!(f, "\n{:width$}  absent   null  filled  forms", "field")?;
        for ReportedField { field, label, counts } in &self.fields {
            let share = |part: u64| percent(part, self.people);
            let (absent, null, filled) = (share(counts.absent), share(counts.null), share(counts.filled));
            let forms = counts
                .formats
                .iter()
                .map(|(form, count)| format!("{form} {}", percent(*count, counts.filled)));
            let forms = forms.collect::<Vec<_>>().join(", ");
            write!(f, "{:width$}  {absent:>6} {null:>6}  {filled:>6}  {forms}", field.to_string())?;
            if let (Some(label), SourceField::Custom(_)) = (label, field) {
                write!(f, " \u{201c}{label}\u{201d}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn counts<K: fmt::Display>(f: &mut fmt::Formatter<'_>, what: &str, counts: &BTreeMap<K, u64>) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    writeln!(f, "  {what}: {}", counts.join(", "))
}

/// A share in whole percent; few is told from none, and most from all.
fn percent(part: u64, whole: u64) -> String {
    match (part * 100).checked_div(whole) {
        None | Some(0) if part == 0 => "-".to_owned(),
        None | Some(0) => "<1%".to_owned(),
        Some(share) => format!("{share}%"),
    }
}
