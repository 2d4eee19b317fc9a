//! Acme's rows as employees.

use chrono::{DateTime, NaiveDate, Utc};
use hris_core::{
    BirthDate, Employee, EmployeeField, EmploymentStatus, Field, FieldProblem, FieldSet, ManagerRef,
    ReadEvent, RejectedRecord, Value,
};
use serde_json::Value as Json;

use super::Flaw;

/// The event that a row becomes.
pub(crate) fn event(row: &Json, fields: &FieldSet, flaw: Flaw) -> Option<ReadEvent> {
    let broken = |message| Some(ReadEvent::Rejected(RejectedRecord::unreadable(None, message)));
    let Some(id) = row["id"].as_str().filter(|id| !id.trim().is_empty()) else {
        let dropped = flaw == Flaw::DropsBrokenRows;
        return if dropped { None } else { broken("the row has no readable `id`") };
    };
    if flaw == Flaw::RefusesUnknownKeys && row["zzUnheardOf"].is_object() {
        return broken("the row has an unknown key");
    }
    if row["deleted"] == true {
        return match flaw {
            Flaw::ForgetsDeletions => None,
            Flaw::DeliversDeletions => {
                Some(ReadEvent::Employees(vec![Employee::new(id, EmploymentStatus::Inactive)]))
            }
            _ => Some(ReadEvent::Deleted(id.into())),
        };
    }
    let employee = employee(id, row, fields, flaw);
    let hidden = flaw == Flaw::HidesLeavers && employee.status == EmploymentStatus::Inactive;
    (!hidden).then(|| ReadEvent::Employees(vec![employee]))
}

pub(crate) fn employee(id: &str, row: &Json, fields: &FieldSet, flaw: Flaw) -> Employee {
    let mut reader = Reader { row, fields, flaw, problems: Vec::new() };
    let mut employee = Employee::new(id, reader.status());
    let changed = row["changed"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    employee.modified_at = changed.filter(|_| flaw != Flaw::ForgetsStamps);
    employee.employee_id = reader.text(EmployeeField::EmployeeId, "number").map(Into::into);
    employee.first_name = reader.text(EmployeeField::FirstName, "given");
    employee.last_name = reader.text(EmployeeField::LastName, "family");
    employee.work_email = reader.text(EmployeeField::WorkEmail, "mail");
    employee.personal_email = reader.text(EmployeeField::PersonalEmail, "private_mail");
    employee.phone = reader.text(EmployeeField::Phone, "mobile");
    employee.gender = reader.text(EmployeeField::Gender, "sex");
    employee.department = reader.text(EmployeeField::Department, "team");
    employee.location = reader.text(EmployeeField::Location, "site");
    employee.country = reader.text(EmployeeField::Country, "country");
    employee.job_title = reader.text(EmployeeField::JobTitle, "title");
    let manager = reader.text(EmployeeField::Manager, "boss");
    employee.manager = manager.map(|boss| ManagerRef::Record(boss.into()));
    employee.start_date = reader.date(EmployeeField::StartDate, "start");
    employee.end_date = reader.date(EmployeeField::EndDate, "end");
    employee.birth_date = reader.date(EmployeeField::BirthDate, "birth").map(BirthDate::from);
    if fields.has_custom("shirt_size")
        && let Some(size) = row["shirt_size"].as_str()
    {
        employee.custom.insert("shirt_size".into(), Field::Value(Value::from(size)));
    }
    employee.problems = reader.problems;
    if flaw == Flaw::TracesNames {
        tracing::trace!(name = employee.last_name.value(), "a row was read");
    }
    employee
}

struct Reader<'a> {
    row: &'a Json,
    fields: &'a FieldSet,
    flaw: Flaw,
    problems: Vec<FieldProblem>,
}

impl Reader<'_> {
    fn status(&mut self) -> EmploymentStatus {
        match self.row["status"].as_str() {
            Some("working") => EmploymentStatus::Active,
            Some("away") if self.flaw == Flaw::ForgetsWhoIsAway => EmploymentStatus::Active,
            Some("away") => EmploymentStatus::OnLeave,
            Some("hired") => EmploymentStatus::Pending,
            Some("left") => EmploymentStatus::Inactive,
            _ if self.flaw == Flaw::TakesUnknownForLeft => EmploymentStatus::Inactive,
            word => EmploymentStatus::Unknown(word.map(str::to_owned)),
        }
    }

    fn wants(&self, field: EmployeeField) -> bool {
        self.fields.has(field) || self.flaw == Flaw::DeliversEverything
    }

    fn text(&mut self, field: EmployeeField, key: &str) -> Field<String> {
        match self.row.get(key).filter(|_| self.wants(field)) {
            None if self.flaw == Flaw::ClearsWhatIsMissing && self.wants(field) => Field::Null,
            None => Field::Absent,
            Some(Json::Null) => Field::Null,
            Some(Json::String(text)) if text.trim().is_empty() => Field::Null,
            Some(Json::String(text)) => Field::Value(self.as_written(field, text)),
            Some(_) => self.unreadable(field, "is not a text"),
        }
    }

    fn as_written(&self, field: EmployeeField, text: &str) -> String {
        match self.flaw {
            Flaw::FoldsTexts => text.chars().filter(char::is_ascii).collect(),
            Flaw::TakesIdsForNumbers if field == EmployeeField::EmployeeId => {
                text.parse::<u64>().map_or(text.to_owned(), |number| number.to_string())
            }
            _ => text.to_owned(),
        }
    }

    /// The date part of a timestamp, as written.
    fn date(&mut self, field: EmployeeField, key: &str) -> Field<NaiveDate> {
        let text = match self.text(field, key) {
            Field::Value(text) => text,
            gap => return gap.map(|_| NaiveDate::MIN),
        };
        let date = match self.flaw {
            Flaw::ShiftsDates => text.parse::<DateTime<Utc>>().ok().map(|at| at.date_naive()),
            _ => text.get(..10).and_then(|date| date.parse().ok()),
        };
        match date {
            Some(date) => Field::Value(date),
            None => self.unreadable(field, "is not a date"),
        }
    }

    fn unreadable<T>(&mut self, field: EmployeeField, expected: &'static str) -> Field<T> {
        self.problems.push(FieldProblem::unreadable(field, expected));
        if self.flaw == Flaw::ClearsWhatIsUnreadable { Field::Null } else { Field::Absent }
    }
}
