//! Cuts an employee down to the fields that a query asks for, as a connector is bound to.

use hris_core::{Employee, EmployeeField, FieldSet, SourceField};

/// A copy with the asked-for fields only. Record id, status with its reason, the wish not to be contacted and the
/// modification stamp are part of every answer.
pub(super) fn project(from: &Employee, fields: &FieldSet) -> Employee {
    let mut to = Employee::new(from.record.clone(), from.status.clone());
    to.status_reason.clone_from(&from.status_reason);
    to.suppress_contact = from.suppress_contact;
    to.modified_at = from.modified_at;
    macro_rules! copy_if_asked {
        ($($field:ident => $slot:ident,)*) => {
            $(if fields.has(EmployeeField::$field) { to.$slot.clone_from(&from.$slot); })*
        };
    }
    copy_if_asked! {
        EmployeeId => employee_id,
        FirstName => first_name,
        MiddleName => middle_name,
        LastName => last_name,
        PreferredName => preferred_name,
        WorkEmail => work_email,
        PersonalEmail => personal_email,
        Phone => phone,
        WorkPhone => work_phone,
        StartDate => start_date,
        EndDate => end_date,
        BirthDate => birth_date,
        Gender => gender,
        Department => department,
        Location => location,
        Country => country,
        JobTitle => job_title,
        Company => company,
        EmploymentType => employment_type,
        Language => language,
        TimeZone => time_zone,
        Manager => manager,
    }
    let custom = from.custom.iter().filter(|(name, _)| fields.has_custom(name));
    to.custom = custom.map(|(name, value)| (name.clone(), value.clone())).collect();
    let problems = from.problems.iter().filter(|problem| asks(fields, &problem.field));
    to.problems = problems.cloned().collect();
    to
}

fn asks(fields: &FieldSet, field: &SourceField) -> bool {
    match field {
        SourceField::Employee(field) => fields.has(*field),
        SourceField::Custom(name) => fields.has_custom(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use hris_core::{EmploymentStatus, Field, FieldProblem, FieldSource as _, ManagerRef, Value};

    fn filled() -> Employee {
        let text = |text: &str| Field::Value(text.to_owned());
        let day = NaiveDate::from_ymd_opt(2020, 2, 29).unwrap();
        let mut employee = Employee::new("r1", EmploymentStatus::OnLeave);
        employee.employee_id = Field::Value("001".into());
        employee.first_name = text("a");
        employee.middle_name = text("b");
        employee.last_name = text("c");
        employee.preferred_name = text("d");
        employee.work_email = text("e@x.example");
        employee.personal_email = text("f@x.example");
        employee.phone = text("1");
        employee.work_phone = text("2");
        employee.start_date = Field::Value(day);
        employee.end_date = Field::Value(day);
        employee.birth_date = Field::Value(day.into());
        employee.gender = text("g");
        employee.department = text("h");
        employee.location = text("i");
        employee.country = text("ES");
        employee.job_title = text("j");
        employee.company = text("k");
        employee.employment_type = text("l");
        employee.language = text("es-ES");
        employee.time_zone = text("Europe/Madrid");
        employee.manager = Field::Value(ManagerRef::Record("r2".into()));
        employee.custom.insert("shirt".into(), Field::Value(Value::from("M")));
        employee
    }

    #[test]
    fn each_field_is_delivered_when_it_is_asked_for_and_only_then() {
        let employee = filled();
        let always = [EmployeeField::RecordId, EmployeeField::Status];
        for asked in EmployeeField::ALL {
            let projected = project(&employee, &FieldSet::from_iter([*asked]));
            for field in EmployeeField::ALL {
                let delivered = projected.field(&(*field).into());
                if field == asked || always.contains(field) {
                    assert_eq!(delivered, employee.field(&(*field).into()), "{field:?}");
                    assert!(delivered.value().is_some(), "{field:?} is missing in the sample");
                } else {
                    assert!(delivered.is_absent(), "{field:?} was not asked for");
                }
            }
        }
    }

    #[test]
    fn custom_fields_and_problems_follow_what_is_asked_for() {
        let mut employee = filled();
        employee.problems = vec![
            FieldProblem::unreadable(EmployeeField::BirthDate, "is not a date"),
            FieldProblem::unreadable(SourceField::Custom("shirt".into()), "is not a size"),
        ];
        let birth = project(&employee, &FieldSet::from_iter([EmployeeField::BirthDate]));
        assert!(birth.custom.is_empty());
        assert_eq!(birth.problems, employee.problems[..1]);
        let shirt = project(&employee, &FieldSet::from_iter([SourceField::Custom("shirt".into())]));
        assert_eq!(shirt.custom, employee.custom);
        assert_eq!(shirt.problems, employee.problems[1..]);
    }
}
