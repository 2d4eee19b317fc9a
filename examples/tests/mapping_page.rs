//! The page on mappings: every example on it can be built, and everything that a rule can say is on it.
#![allow(clippy::unwrap_used, reason = "tests")]

use hris::core::{FieldMap, MappingDocument};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/mapping.md");

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let mut blocks = Vec::new();
    let mut rest = PAGE;
    while let Some((_, after)) = rest.split_once(&format!("```{language}\n")) {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block);
        rest = after;
    }
    blocks
}

/// What a block of a connection file says, completed with what is mandatory.
fn document(block: &str) -> MappingDocument {
    let file: Value = toml::from_str(block).unwrap();
    let mut fields = file["mapping"].as_array().cloned().unwrap_or_default();
    for rule in &FieldMap::standard().rules()[..2] {
        let rule = serde_json::to_value(rule).unwrap();
        if !fields.iter().any(|field| field["target"] == rule["target"]) {
            fields.push(rule);
        }
    }
    let scope = file.get("scope").cloned().unwrap_or_else(|| json!({}));
    MappingDocument::from_value(json!({ "format": 1, "fields": fields, "scope": scope })).unwrap()
}

#[test]
fn every_mapping_on_the_page_can_be_built() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 5);
    for block in blocks {
        assert!(document(block).build().is_ok(), "{block}");
    }
}

#[test]
fn the_page_names_everything_that_a_rule_can_say() {
    let schema = serde_json::to_string(&schemars::schema_for!(MappingDocument)).unwrap();
    for name in names(&serde_json::from_str(&schema).unwrap()) {
        let known = ["format", "fields"].contains(&name.as_str());
        assert!(known || PAGE.contains(&name), "{name} is not on the page");
    }
}

/// Property names and words of enumerations in a schema.
fn names(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("properties").and_then(Value::as_object).into_iter().flatten();
            let own = own.map(|(name, _)| name.clone());
            let words = ["enum", "const"].into_iter().filter_map(|key| map.get(key));
            let words = words.flat_map(|word| word.as_array().cloned().unwrap_or_else(|| vec![word.clone()]));
            let words = words.filter_map(|word| word.as_str().map(str::to_owned));
            own.chain(words).chain(map.values().flat_map(names)).collect()
        }
        Value::Array(list) => list.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_rules_of_the_page_work_as_it_says() {
    use hris::core::{
        Employee, EmploymentStatus, Field, FieldMapping as _, ScopeVerdict, Value as FieldValue,
    };
    let all: String = blocks("toml").concat();
    let first = all.find("[scope]").unwrap();
    let mapping = document(&all[..first]).build().unwrap();
    let mut person = Employee::new("r1", EmploymentStatus::Active);
    person.first_name = Field::Value("Nerea".to_owned());
    person.last_name = Field::Value("Olmedo".to_owned());
    person.country = Field::Value("es".to_owned());
    person.location = Field::Value("Vigo, Galicia".to_owned());
    person.start_date = Field::Absent;
    person.department = Field::Null;
    person.custom.insert("joined".into(), Field::Value(FieldValue::from("01/09/2022")));
    person.custom.insert("remote".into(), Field::Value(FieldValue::from("no")));
    let mapped = mapping.map(&person);
    let get = |name: &str| {
        let at = mapping.targets().iter().position(|target| target.to_string() == name).unwrap();
        mapped.values[at].clone().into_value().map(|value| value.to_text().into_owned())
    };
    assert_eq!(get("display_name").as_deref(), Some("Nerea OLMEDO"));
    assert_eq!(get("location").as_deref(), Some("Vigo"));
    assert_eq!(get("country").as_deref(), Some("Spain"));
    assert_eq!(get("start_date").as_deref(), Some("2022-09-01"));
    assert_eq!(get("department").as_deref(), Some("No department"));
    assert_eq!(get("language"), None);

    let filter = document(blocks("toml").into_iter().find(|block| block.contains("[scope]")).unwrap()).scope;
    person.employment_type = Field::Value("Contractor".to_owned());
    assert_eq!(filter.judge(&person), ScopeVerdict::Outside(Some(0)));
}
