//! Scope filters: which people of a directory a connection is for.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::condition::{Answer, Test, all};
use super::faults::MappingFault;
use super::version_of;
use crate::mapping::{MappingVersion, ScopeVerdict};
use crate::problem::rule;
use crate::{FieldSource, SourceField};

/// Which people of a directory a connection is for: those of whom an `include` clause holds (everybody, if there is
/// none) and no `exclude` clause.
///
/// It says nothing about leaving: somebody who is a member already and falls out of it is reported and stays.
///
/// ```
/// use hris_core::{Employee, EmploymentStatus, Field, ScopeFilter, ScopeVerdict};
/// let filter: ScopeFilter = serde_json::from_str(
///     r#"{ "exclude": [{ "field": "employment_type", "in": ["contractor", "freelance"] }] }"#,
/// )?;
/// let mut person = Employee::new("r1", EmploymentStatus::Active);
/// person.employment_type = Field::Value("Contractor".to_owned());
/// assert!(matches!(filter.judge(&person), ScopeVerdict::Outside(_)));
/// person.employment_type = Field::Absent;
/// assert!(matches!(filter.judge(&person), ScopeVerdict::Unknown(_)), "nobody slips in or out unseen");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScopeFilter {
    /// Whoever fits one of these belongs to it. Left out: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Clause>,
    /// Whoever fits one of these does not belong to it, whatever `include` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Clause>,
}

/// Tests that must all hold. In a document: one test, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause(pub Vec<Test>);

impl From<Test> for Clause {
    fn from(test: Test) -> Self {
        Self(vec![test])
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, test) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " and " })?;
            test.fmt(f)?;
        }
        Ok(())
    }
}

impl ScopeFilter {
    /// How many clauses a filter may have, and tests a clause.
    pub const MAX_CLAUSES: usize = 64;

    /// Everybody.
    pub fn everybody() -> Self {
        Self::default()
    }

    /// Lets in whoever fits, beside those of earlier clauses.
    #[must_use]
    pub fn including(mut self, clause: impl Into<Clause>) -> Self {
        self.include.push(clause.into());
        self
    }

    /// Keeps out whoever fits.
    #[must_use]
    pub fn excluding(mut self, clause: impl Into<Clause>) -> Self {
        self.exclude.push(clause.into());
        self
    }

    /// Whether it lets everybody in.
    pub fn is_everybody(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a person belongs to the population.
    ///
    /// A field that was not delivered leaves the question open, unless the answer does not depend on it.
    pub fn judge(&self, source: &dyn FieldSource) -> ScopeVerdict {
        let mut open = None;
        let mut included = self.include.is_empty();
        for clause in &self.include {
            match all(&clause.0, source) {
                Answer::True => {
                    included = true;
                    open = None;
                    break;
                }
                Answer::False => {}
                Answer::Unknown => open = open.or_else(|| clause.undecided(source)),
            }
        }
        if !included && open.is_none() {
            return ScopeVerdict::Outside(None);
        }
        for (index, clause) in self.exclude.iter().enumerate() {
            match all(&clause.0, source) {
                Answer::True => return ScopeVerdict::Outside(Some(index)),
                Answer::False => {}
                Answer::Unknown => open = open.or_else(|| clause.undecided(source)),
            }
        }
        open.map_or(ScopeVerdict::Inside, ScopeVerdict::Unknown)
    }

    /// Every field that it reads; some may come twice.
    pub fn sources(&self) -> impl Iterator<Item = &SourceField> {
        self.clauses().flat_map(|(_, clause)| clause.0.iter().map(|test| &test.field))
    }

    /// A digest of its content.
    pub fn version(&self) -> MappingVersion {
        version_of(self)
    }

    /// Everything that is wrong with it.
    pub fn check(&self) -> Vec<MappingFault> {
        let mut faults = Vec::new();
        if self.include.len() > Self::MAX_CLAUSES || self.exclude.len() > Self::MAX_CLAUSES {
            faults.push(MappingFault::new(
                rule::MAPPING_TOO_LARGE,
                "scope",
                format!("has more than {} clauses; use `in` with a list", Self::MAX_CLAUSES),
            ));
        }
        for (place, clause) in self.clauses() {
            if clause.0.is_empty() {
                faults.push(MappingFault::new(rule::MAPPING_CONDITION, place.clone(), "has no test"));
            }
            if clause.0.len() > Self::MAX_CLAUSES {
                faults.push(MappingFault::new(rule::MAPPING_TOO_LARGE, place.clone(), "has too many tests"));
            }
            faults.extend(clause.0.iter().filter_map(|test| {
                let fault = test.fault()?;
                Some(MappingFault::new(rule::MAPPING_CONDITION, place.clone(), format!("`{test}`: {fault}")))
            }));
        }
        faults
    }

    fn clauses(&self) -> impl Iterator<Item = (String, &Clause)> {
        let include =
            self.include.iter().enumerate().map(|(at, clause)| (format!("scope.include {}", at + 1), clause));
        let exclude =
            self.exclude.iter().enumerate().map(|(at, clause)| (format!("scope.exclude {}", at + 1), clause));
        include.chain(exclude)
    }
}

impl Clause {
    fn undecided(&self, source: &dyn FieldSource) -> Option<SourceField> {
        self.0.iter().find(|test| test.judge(source) == Answer::Unknown).map(|test| test.field.clone())
    }
}

/// A clause as documents have it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a test such as { field = \"country\", equals = \"ES\" }, or a list of them")]
enum ClauseForm {
    /// One test.
    One(Test),
    /// Tests that must all hold.
    All(Vec<Test>),
}

impl<'de> Deserialize<'de> for Clause {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match ClauseForm::deserialize(from)? {
            ClauseForm::One(test) => test.into(),
            ClauseForm::All(tests) => Self(tests),
        })
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [test] => test.serialize(to),
            tests => tests.serialize(to),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Clause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clause".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<ClauseForm>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Employee, EmployeeField, EmploymentStatus, Field, Is};

    fn filter(text: &str) -> ScopeFilter {
        serde_json::from_str(text).unwrap()
    }

    fn person(country: Field<String>, kind: Field<String>) -> Employee {
        let mut person = Employee::new("r1", EmploymentStatus::Active);
        (person.country, person.employment_type) = (country, kind);
        person
    }

    fn value(text: &str) -> Field<String> {
        Field::Value(text.into())
    }

    const SPANISH_STAFF: &str = r#"{
        "include": [{ "field": "country", "equals": "ES" }],
        "exclude": [[{ "field": "employment_type", "equals": "contractor" }, { "field": "country", "present": true }]]
    }"#;

    #[test]
    fn contractors_are_kept_out_by_the_filter() {
        let filter = filter(SPANISH_STAFF);
        assert_eq!(filter.judge(&person(value("es"), value("employee"))), ScopeVerdict::Inside);
        assert_eq!(filter.judge(&person(value("es"), value("Contractor"))), ScopeVerdict::Outside(Some(0)));
        assert_eq!(filter.judge(&person(value("fr"), value("employee"))), ScopeVerdict::Outside(None));
        assert_eq!(filter.judge(&person(value("es"), Field::Null)), ScopeVerdict::Inside);
    }

    #[test]
    fn a_field_that_was_not_delivered_leaves_the_scope_open_unless_it_does_not_matter() {
        let filter = filter(SPANISH_STAFF);
        let open = |field: EmployeeField| ScopeVerdict::Unknown(field.into());
        assert_eq!(filter.judge(&person(value("ES"), Field::Absent)), open(EmployeeField::EmploymentType));
        assert_eq!(filter.judge(&person(Field::Absent, value("employee"))), open(EmployeeField::Country));
        assert_eq!(filter.judge(&person(value("FR"), Field::Absent)), ScopeVerdict::Outside(None));
    }

    #[test]
    fn a_filter_reads_back_from_its_serialised_form_and_has_a_version_of_its_content() {
        let one = filter(SPANISH_STAFF);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(filter(&text), one);
        let other = one.clone().excluding(Test::new(EmployeeField::JobTitle, Is::Equals("intern".into())));
        assert_ne!(one.version(), other.version());
        assert!(ScopeFilter::everybody().is_everybody() && !one.is_everybody());
    }

    #[test]
    fn every_fault_of_a_filter_is_told() {
        let filter = filter(
            r#"{ "include": [[], { "field": "country", "in": [] }], "exclude": [{ "field": "company", "equals": " " }] }"#,
        );
        let places: Vec<_> = filter.check().into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, ["scope.include 1", "scope.include 2", "scope.exclude 1"]);
    }
}
