//! Whom a campaign is for.

use std::collections::BTreeSet;

use hris_core::{Employee, Field, FieldSource as _, SourceField};
use serde::{Deserialize, Serialize};

/// Conditions that all have to hold. An empty filter lets everybody pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filter(Vec<Condition>);

/// One field is, or is not, one of some texts. Compared exactly; a field without a value is none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Condition {
    field: SourceField,
    values: BTreeSet<String>,
    is: bool,
}

impl Filter {
    /// Everybody.
    pub fn everybody() -> Self {
        Self::default()
    }

    /// Only those whose field is one of these.
    #[must_use]
    pub fn only<T: Into<String>>(
        self,
        field: impl Into<SourceField>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.and(field.into(), values.into_iter().map(Into::into).collect(), true)
    }

    /// Only those whose field is none of these.
    #[must_use]
    pub fn except<T: Into<String>>(
        self,
        field: impl Into<SourceField>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.and(field.into(), values.into_iter().map(Into::into).collect(), false)
    }

    fn and(mut self, field: SourceField, values: BTreeSet<String>, is: bool) -> Self {
        self.0.push(Condition { field, values, is });
        self
    }

    /// Whether somebody passes.
    pub fn lets_pass(&self, employee: &Employee) -> bool {
        self.0.iter().all(|condition| {
            let found = match employee.field(&condition.field) {
                Field::Value(value) => condition.values.contains(&*value.to_text()),
                Field::Absent | Field::Null => false,
            };
            found == condition.is
        })
    }

    /// The fields that it looks at.
    pub fn fields(&self) -> impl Iterator<Item = &SourceField> {
        self.0.iter().map(|condition| &condition.field)
    }

    /// Whether nobody can pass both, as far as the conditions show: one field, no text in common.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        self.0.iter().any(|ours| {
            other.0.iter().filter(|theirs| theirs.field == ours.field).any(|theirs| {
                match (ours.is, theirs.is) {
                    (true, true) => ours.values.is_disjoint(&theirs.values),
                    (true, false) => ours.values.is_subset(&theirs.values),
                    (false, true) => theirs.values.is_subset(&ours.values),
                    (false, false) => false,
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::{EmployeeField, EmploymentStatus};

    #[test]
    fn filters_that_share_nobody_exclude_each_other() {
        let in_spain = Filter::everybody().only(EmployeeField::Country, ["ES"]);
        let in_france = Filter::everybody().only(EmployeeField::Country, ["FR", "MC"]);
        let not_spain = Filter::everybody().except(EmployeeField::Country, ["ES"]);
        assert!(
            in_spain.excludes(&in_france) && in_spain.excludes(&not_spain) && not_spain.excludes(&in_spain)
        );
        assert!(!in_france.excludes(&not_spain) && !Filter::everybody().excludes(&in_spain));
    }

    #[test]
    fn somebody_without_the_field_is_none_of_the_texts() {
        let nobody_knows = Employee::new("1", EmploymentStatus::Active);
        assert!(!Filter::everybody().only(EmployeeField::Country, ["ES"]).lets_pass(&nobody_knows));
        assert!(Filter::everybody().except(EmployeeField::Country, ["ES"]).lets_pass(&nobody_knows));
    }
}
