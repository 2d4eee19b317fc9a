//! Error and warning files: what a person downloads after a run, as CSV that no spreadsheet executes, or as JSON.

use std::borrow::Cow;
use std::io::Write;

use futures_core::Stream;
use futures_util::TryStreamExt as _;
use hris_core::{Error, ErrorKind, Problem, Result, Severity};
use serde::Serialize;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// Comma-separated values with a header line (RFC 4180). A cell that a spreadsheet would take for a formula gets
    /// an apostrophe in front.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// One row of a file. The offending value is never in it.
#[derive(Serialize)]
struct Row<'a> {
    record_id: Cow<'a, str>,
    employee_id: Cow<'a, str>,
    field: Cow<'a, str>,
    rule: Cow<'a, str>,
    message: Cow<'a, str>,
    /// Empty: whoever corrects the file fills it in.
    corrected_value: &'static str,
}

/// Writes the problems of one severity to a file and answers how many there were.
///
/// The columns are record id, Employee ID, field, rule, message and an empty `corrected_value`.
///
/// ```
/// # use futures_util::stream;
/// # use hris_core::{EmployeeRef, Problem, Severity, rule};
/// # use hris_sync::{FileFormat, write_problems};
/// let problem = Problem::error(rule::EMAIL_MISSING, "there is no e-mail address").at("email");
/// let problem = problem.of(&EmployeeRef::record("r1"));
/// let mut file = Vec::new();
/// let problems = stream::iter([Ok(problem)]);
/// # hris_testkit::run(async {
/// assert_eq!(write_problems(problems, Severity::Error, FileFormat::Csv, &mut file).await?, 1);
/// assert_eq!(
///     String::from_utf8_lossy(&file),
///     "record_id,employee_id,field,rule,message,corrected_value\n\
///      r1,,email,email.missing,there is no e-mail address,\n"
/// );
/// # Ok::<(), hris_core::Error>(()) }).unwrap();
/// ```
pub async fn write_problems(
    problems: impl Stream<Item = Result<Problem>>,
    severity: Severity,
    format: FileFormat,
    out: &mut (dyn Write + Send),
) -> Result<u64> {
    let mut rows = Rows::new(format, out);
    let mut problems = std::pin::pin!(problems);
    let mut count = 0;
    while let Some(problem) = problems.try_next().await? {
        if problem.severity == severity {
            rows.write(&problem)?;
            count += 1;
        }
    }
    rows.finish()?;
    Ok(count)
}

enum Rows<'a> {
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
    JsonLines(&'a mut (dyn Write + Send)),
}

impl<'a> Rows<'a> {
    fn new(format: FileFormat, out: &'a mut (dyn Write + Send)) -> Self {
        match format {
            FileFormat::Csv => {
                Self::Csv(Box::new(csv::WriterBuilder::new().has_headers(false).from_writer(out)))
            }
            FileFormat::JsonLines => Self::JsonLines(out),
        }
        .with_header()
    }

    /// Also a file without a problem says what its columns are.
    fn with_header(mut self) -> Self {
        if let Self::Csv(csv) = &mut self {
            // A failure shows again at the first row or at the end.
            let _ =
                csv.write_record(["record_id", "employee_id", "field", "rule", "message", "corrected_value"]);
        }
        self
    }

    fn write(&mut self, problem: &Problem) -> Result<()> {
        let row = Row::of(problem);
        match self {
            Self::Csv(csv) => csv.serialize(row.defused()).map_err(unwritable),
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, &row).map_err(unwritable)?;
                out.write_all(b"\n").map_err(unwritable)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(mut csv) => csv.flush().map_err(unwritable),
            Self::JsonLines(out) => out.flush().map_err(unwritable),
        }
    }
}

impl<'a> Row<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self {
            record_id: problem.record.as_ref().map_or("", |record| record.as_str()).into(),
            employee_id: problem.employee_id.as_ref().map_or("", |id| id.as_str()).into(),
            field: problem.field.as_deref().unwrap_or_default().into(),
            rule: problem.rule.as_str().into(),
            message: problem.message.as_ref().into(),
            corrected_value: "",
        }
    }

    fn defused(self) -> Self {
        Self {
            record_id: defuse(self.record_id),
            employee_id: defuse(self.employee_id),
            field: defuse(self.field),
            rule: defuse(self.rule),
            message: defuse(self.message),
            corrected_value: self.corrected_value,
        }
    }
}

/// Puts an apostrophe before what spreadsheets take for a formula.
fn defuse(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{cell}")) } else { cell }
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Store, "the file cannot be written")
        .with_hint("check that there is space left and that the folder may be written")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use hris_core::{EmployeeRef, rule};

    fn file(problems: Vec<Problem>, severity: Severity, format: FileFormat) -> (u64, String) {
        let mut out = Vec::new();
        let problems = stream::iter(problems.into_iter().map(Ok));
        let count = hris_testkit::run(write_problems(problems, severity, format, &mut out)).unwrap();
        (count, String::from_utf8(out).unwrap())
    }

    fn problem(record: &str) -> Problem {
        Problem::error(rule::EMAIL_SHARED, "two, \"together\"").of(&EmployeeRef::record(record)).at("email")
    }

    #[test]
    fn no_cell_starts_like_a_formula() {
        for start in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let (_, csv) = file(vec![problem(start)], Severity::Error, FileFormat::Csv);
            let mut rows = csv::Reader::from_reader(csv.as_bytes());
            let row = rows.records().next().unwrap().unwrap();
            assert_eq!(&row[0], format!("'{start}"));
            assert_eq!(&row[4], "two, \"together\"");
        }
    }

    #[test]
    fn errors_and_warnings_go_into_files_of_their_own() {
        let warning = Problem::warning(rule::PERSON_MISSING, "missing");
        let both = vec![problem("r1"), warning];
        assert_eq!(file(both.clone(), Severity::Error, FileFormat::Csv).0, 1);
        let (count, json) = file(both, Severity::Warning, FileFormat::JsonLines);
        assert_eq!((count, json.lines().count()), (1, 1));
        let row: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&row["rule"], &row["corrected_value"]), (&"person.missing".into(), &"".into()));
    }

    #[test]
    fn a_file_without_problems_has_its_header() {
        let (count, csv) = file(Vec::new(), Severity::Error, FileFormat::Csv);
        assert_eq!((count, csv.lines().count()), (0, 1));
    }

    #[test]
    fn a_full_disk_is_a_typed_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        for format in [FileFormat::Csv, FileFormat::JsonLines] {
            let problems = stream::iter([Ok(problem("r1"))]);
            let mut full = Full;
            let written = write_problems(problems, Severity::Error, format, &mut full);
            assert_eq!(hris_testkit::run(written).unwrap_err().kind(), ErrorKind::Store);
        }
    }
}
