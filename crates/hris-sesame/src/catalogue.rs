//! The customer's own fields that a query wants, held against the company's catalogue.
//!
//! A field without a value may be missing in a row. That means "no value" only if the field exists at all: a slug can
//! be renamed, and then nobody's value may be cleared.

use std::marker::PhantomData;

use futures_util::TryStreamExt as _;
use hris_core::{Employee, Field, FieldProblem, FieldSet, Problem, Result, SourceField, Value, rule};
use hris_http::Request;
use hris_http::lenient::{Cell, Items};

use crate::client::{Client, ListPage};
use crate::wire::{self, CustomField};

/// A custom field that the company has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Stays when the others change.
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
}

/// The company's custom fields.
pub(crate) async fn catalogue(client: &Client) -> Result<Vec<Definition>> {
    let request = Request::get("sesame.custom_fields", "/core/v3/custom-fields");
    let (pages, _) = client.list(request, |body| {
        let page = wire::read(PhantomData::<Items<CustomField<'_>>>, body)?;
        let fields = page.data.0.unwrap_or_default();
        Ok(ListPage { items: fields.iter().filter_map(Definition::new).collect(), meta: page.meta })
    });
    pages.try_concat().await
}

impl Definition {
    fn new(field: &CustomField<'_>) -> Option<Self> {
        let text = |cell: &Cell<'_>| cell.scalar().unwrap_or_default().to_owned();
        Some(Self { id: field.id.scalar()?.to_owned(), slug: text(&field.slug), name: text(&field.name) })
    }
}

/// The custom fields that a query wants.
#[derive(Debug, Default)]
pub(crate) struct CustomNames(Vec<CustomName>);

#[derive(Debug)]
struct CustomName {
    name: Box<str>,
    /// Whether the company has it, by slug or by id.
    exists: bool,
}

impl CustomNames {
    /// Those of a query, held against the company's, with a warning about each that the company does not have. No
    /// catalogue: none is known to exist.
    pub(crate) fn wanted(
        fields: &FieldSet,
        catalogue: Option<&[Definition]>,
        warnings: &mut Vec<Problem>,
    ) -> Self {
        let exists = |name: &str| {
            let mut known = catalogue.unwrap_or_default().iter();
            known.any(|field| field.id == name || field.slug == name)
        };
        let names = fields.custom().map(|name| CustomName { name: name.into(), exists: exists(name) });
        let names = Self(names.collect());
        if catalogue.is_some() {
            warnings.extend(names.0.iter().filter(|name| !name.exists).map(CustomName::is_unknown));
        }
        names
    }

    /// Gives an employee the wanted fields.
    pub(crate) fn fill(&self, delivered: &Items<CustomField<'_>>, employee: &mut Employee) {
        for wanted in &self.0 {
            let field = match &delivered.0 {
                None => Ok(Field::Absent),
                Some(fields) => wanted.value(fields),
            };
            match field {
                Ok(Field::Absent) => {}
                Ok(field) => drop(employee.custom.insert(wanted.name.clone(), field)),
                Err(problem) => employee.problems.push(problem),
            }
        }
    }
}

impl CustomName {
    fn is_unknown(&self) -> Problem {
        let message = "the company has no custom field with this slug or id; it may have been renamed";
        Problem::warning(rule::FIELD_UNREADABLE, message).at(format!("custom:{}", self.name))
    }

    fn value(&self, delivered: &[CustomField<'_>]) -> Result<Field<Value>, FieldProblem> {
        match delivered.iter().find(|field| field.is_called(&self.name)).map(|field| &field.value) {
            None if self.exists => Ok(Field::Null),
            None => Ok(Field::Absent),
            Some(Cell::Missing | Cell::Null) => Ok(Field::Null),
            Some(Cell::Nested) => {
                let field = SourceField::Custom(self.name.clone());
                Err(FieldProblem::unreadable(field, "is neither text nor number nor flag"))
            }
            Some(value) => Ok(Field::from_option(value.scalar().map(Value::from))),
        }
    }
}

impl CustomField<'_> {
    /// Whether `custom:NAME` means this field: by slug, or by id, which stays when the slug is renamed.
    fn is_called(&self, name: &str) -> bool {
        self.slug.scalar() == Some(name) || self.id.scalar() == Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::EmploymentStatus;

    fn fields(name: &str) -> FieldSet {
        FieldSet::from_iter([SourceField::Custom(name.into())])
    }

    fn names() -> CustomNames {
        CustomNames::wanted(&fields("cf_talla"), None, &mut Vec::new())
    }

    fn filled(names: &CustomNames, json: &str) -> Employee {
        let mut employee = Employee::new("r", EmploymentStatus::Active);
        names.fill(&serde_json::from_str(json).unwrap(), &mut employee);
        employee
    }

    #[test]
    fn a_value_is_found_by_slug_and_by_id() {
        let row = r#"[{"id":"b1","slug":"cf_talla","value":"M"}]"#;
        assert_eq!(filled(&names(), row).custom["cf_talla"], Field::Value(Value::from("M")));
        let by_id = CustomNames::wanted(&fields("b1"), None, &mut Vec::new());
        assert_eq!(filled(&by_id, row).custom["b1"], Field::Value(Value::from("M")));
    }

    #[test]
    fn numbers_and_flags_are_kept_as_text() {
        for (json, text) in [("42", "42"), ("1.5", "1.5"), ("true", "true")] {
            let row = format!(r#"[{{"slug":"cf_talla","value":{json}}}]"#);
            assert_eq!(filled(&names(), &row).custom["cf_talla"], Field::Value(Value::from(text)));
        }
    }

    #[test]
    fn null_and_empty_clear_and_so_does_a_missing_field_that_exists() {
        for row in [r#"[{"slug":"cf_talla","value":null}]"#, r#"[{"slug":"cf_talla","value":" "}]"#] {
            assert_eq!(filled(&names(), row).custom["cf_talla"], Field::Null);
        }
        let known = [Definition { id: "b1".into(), slug: "cf_talla".into(), name: "Talla".into() }];
        let mut warnings = Vec::new();
        let known = CustomNames::wanted(&fields("cf_talla"), Some(&known), &mut warnings);
        assert_eq!(filled(&known, "[]").custom["cf_talla"], Field::Null);
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_field_that_may_have_been_renamed_is_left_alone_with_a_warning() {
        let mut warnings = Vec::new();
        let renamed = CustomNames::wanted(&fields("cf_talla"), Some(&[]), &mut warnings);
        assert!(filled(&renamed, r#"[{"slug":"cf_talla_2","value":"M"}]"#).custom.is_empty());
        assert_eq!(warnings[0].field.as_deref(), Some("custom:cf_talla"));
    }

    #[test]
    fn a_value_that_is_a_list_is_a_problem_of_that_field_only() {
        let employee = filled(&names(), r#"[{"slug":"cf_talla","value":["M"]}]"#);
        assert!(employee.custom.is_empty());
        assert_eq!(employee.problems[0].field.to_string(), "custom:cf_talla");
    }
}
