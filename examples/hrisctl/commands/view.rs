//! Employees as JSON. The library keeps them unserialisable, so that nobody writes people's data by accident; here it
//! is the purpose.

use hris::core::{Employee, EmployeeField, Field, FieldSet, FieldSource as _, SourceField, ValueRef};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// One employee, with the fields that were asked for: absent ones are left out, empty ones are null.
pub(crate) struct View<'a> {
    pub(crate) employee: &'a Employee,
    pub(crate) fields: &'a [SourceField],
}

/// The fields of a set in a fixed order, beside record id and status, which are always there.
pub(crate) fn listed(fields: &FieldSet) -> Vec<SourceField> {
    let always = [EmployeeField::RecordId, EmployeeField::Status];
    let known =
        EmployeeField::ALL.iter().copied().filter(|field| fields.has(*field) && !always.contains(field));
    let custom = fields.custom().map(|name| SourceField::Custom(name.into()));
    always.into_iter().chain(known).map(SourceField::from).chain(custom).collect()
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.fields {
            match self.employee.field(field) {
                Field::Absent => {}
                Field::Null => map.serialize_entry(field, &())?,
                Field::Value(ValueRef::Bool(flag)) => map.serialize_entry(field, &flag)?,
                Field::Value(value) => map.serialize_entry(field, &value.to_text())?,
            }
        }
        if let Some(reason) = &self.employee.status_reason {
            map.serialize_entry("status_reason", reason)?;
        }
        if self.employee.suppress_contact {
            map.serialize_entry("suppress_contact", &true)?;
        }
        if let Some(at) = &self.employee.modified_at {
            map.serialize_entry("modified_at", at)?;
        }
        map.end()
    }
}
