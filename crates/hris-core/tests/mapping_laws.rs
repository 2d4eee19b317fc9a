//! Laws of mappings over arbitrary rules and arbitrary people: nothing panics, loops, or sees what is not declared.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use hris_core::{
    Alternative, BirthDate, EmployeeField, Field, FieldMap, FieldMapping as _, FieldRule, FieldSource, Is,
    MappingDocument, MemberField, OnAbsent, OnNull, Origin, Otherwise, Part, ScopeFilter, SourceField,
    TargetField, Test, Transform, Value, ValueRef,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A person made of nothing but answers, which writes down what it was asked for.
struct Witness {
    fields: BTreeMap<SourceField, Field<Value>>,
    asked: RefCell<BTreeSet<SourceField>>,
}

/// A failing case has to show what it consists of.
impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Field<Value>| match value {
            Field::Value(value) => format!("{value:?} {:?}", value.to_string()),
            nothing => format!("{nothing:?}"),
        };
        f.debug_map()
            .entries(self.fields.iter().map(|(field, value)| (field.to_string(), shown(value))))
            .finish()
    }
}

impl FieldSource for Witness {
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>> {
        self.asked.borrow_mut().insert(field.clone());
        self.fields.get(field).map_or(Field::Absent, |value| value.as_ref().map(Value::as_ref))
    }
}

/// Texts that mappings trip over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "", " ", "ES", "es ", "Nerea", "N\u{fa}n\u{303}ez", "a@b.example", "31/02/2022", "01/09/2022", "2022-09-01",
            "--02-29", "00104", "a,b,,c", "\u{0}", "ß", "İ", "ﬀ", "\u{1d15e}", "%d/%m/%Y", "%H:%M", "%", "%Q", "a", "aa",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => any::<String>(),
    ]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![
        (1900..2100_i32, 1..366_u32)
            .prop_filter_map("a day", |(year, day)| NaiveDate::from_yo_opt(year, day)),
        Just(NaiveDate::MIN),
        Just(NaiveDate::MAX),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::Text),
        1 => day().prop_map(Value::Date),
        1 => day().prop_map(|day| Value::BirthDate(day.into())),
        1 => (1..13_u32, 1..32_u32).prop_filter_map("a day", |(m, d)| BirthDate::month_day(m, d)).prop_map(Value::BirthDate),
        1 => any::<bool>().prop_map(Value::Bool),
    ]
}

fn field() -> impl Strategy<Value = SourceField> {
    prop_oneof![
        2 => prop::sample::select(EmployeeField::ALL).prop_map(SourceField::from),
        1 => prop::sample::select(vec!["x", "y"]).prop_map(|name| SourceField::Custom(name.into())),
    ]
}

fn person() -> impl Strategy<Value = Witness> {
    let answer = prop_oneof![
        1 => Just(Field::Absent),
        1 => Just(Field::Null),
        4 => value().prop_map(Field::Value),
    ];
    prop::collection::btree_map(field(), answer, 0..30)
        .prop_map(|fields| Witness { fields, asked: RefCell::default() })
}

fn transform() -> impl Strategy<Value = Transform> {
    let otherwise = prop::sample::select(vec![Otherwise::Problem, Otherwise::Keep, Otherwise::Null]);
    prop_oneof![
        Just(Transform::Trim),
        Just(Transform::Lower),
        Just(Transform::Upper),
        Just(Transform::Nfc),
        prop_oneof![Just("%d/%m/%Y".to_owned()), text()].prop_map(Transform::Date),
        prop_oneof![Just("%d.%m.%y".to_owned()), text()].prop_map(Transform::Format),
        (text(), text()).prop_map(|(find, with)| Transform::Replace { find, with }),
        (text(), any::<i32>()).prop_map(|(on, part)| Transform::Split { on, part }),
        (text(), -3..4_i32).prop_map(|(on, part)| Transform::Split { on, part }),
        (prop::collection::btree_map(text(), text(), 0..4), otherwise)
            .prop_map(|(table, otherwise)| Transform::Lookup { table, otherwise }),
        text().prop_map(Transform::Default),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let is = prop_oneof![
        text().prop_map(Is::Equals),
        text().prop_map(Is::NotEquals),
        vec(text(), 0..4).prop_map(Is::In),
        vec(text(), 0..4).prop_map(Is::NotIn),
        text().prop_map(Is::StartsWith),
        text().prop_map(Is::EndsWith),
        text().prop_map(Is::Contains),
        any::<bool>().prop_map(Is::Present),
        day().prop_map(Is::Before),
        day().prop_map(Is::OnOrAfter),
    ];
    (field(), is).prop_map(|(field, is)| Test::new(field, is))
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => (field(), vec(transform(), 0..2)).prop_map(|(field, transforms)| Part::Field(field, transforms)),
        1 => text().prop_map(Part::Constant),
    ]
}

fn alternative() -> impl Strategy<Value = Alternative> {
    let origin = prop_oneof![
        4 => field().prop_map(Origin::Field),
        1 => text().prop_map(Origin::Constant),
        2 => (vec(part(), 0..4), text()).prop_map(|(parts, separator)| Origin::Join { parts, separator }),
    ];
    (origin, vec(transform(), 0..3), vec(test(), 0..2)).prop_map(|(origin, transforms, when)| {
        let mut alternative = Alternative::new(origin);
        (alternative.transforms, alternative.when) = (transforms, when);
        alternative
    })
}

fn rule() -> impl Strategy<Value = FieldRule> {
    let target = prop_oneof![
        2 => prop::sample::select(MemberField::ALL).prop_map(TargetField::from),
        1 => prop::sample::select(vec!["x", "y"]).prop_map(|name| TargetField::Custom(name.into())),
    ];
    let null = prop_oneof![Just(OnNull::Clear), Just(OnNull::Keep), text().prop_map(OnNull::Default)];
    let absent = prop_oneof![Just(OnAbsent::Keep), text().prop_map(OnAbsent::Default)];
    let flags = (any::<bool>(), any::<bool>());
    (target, vec(alternative(), 0..4), vec(transform(), 0..3), null, absent, flags).prop_map(
        |(target, from, transforms, null, absent, (create_only, required))| {
            let mut rule = FieldRule::copy(target, EmployeeField::RecordId).on_null(null).on_absent(absent);
            (rule.from, rule.transforms, rule.create_only, rule.required) =
                (from, transforms, create_only, required);
            rule
        },
    )
}

fn filter() -> impl Strategy<Value = ScopeFilter> {
    let clauses = || vec(vec(test(), 0..3).prop_map(hris_core::Clause), 0..3);
    (clauses(), clauses()).prop_map(|(include, exclude)| {
        let filter = include.into_iter().fold(ScopeFilter::everybody(), ScopeFilter::including);
        exclude.into_iter().fold(filter, ScopeFilter::excluding)
    })
}

/// The rules without those that are refused, beside the mandatory ones.
fn usable(rules: &[FieldRule]) -> FieldMap {
    let mut good = FieldMap::standard().rules()[..2].to_vec();
    for rule in rules {
        good.push(rule.clone());
        if !FieldMap::check(&good).is_empty() {
            good.pop();
        }
    }
    FieldMap::new(good).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_mapping_panics_loops_or_sees_a_field_that_it_does_not_declare(
        rules in vec(rule(), 0..6),
        people in vec(person(), 1..4),
    ) {
        let map = usable(&rules);
        for person in &people {
            let mapped = map.map(person);
            prop_assert_eq!(mapped.values.len(), map.targets().len());
            let asked = person.asked.borrow();
            let declared: BTreeSet<_> = map.sources().iter().cloned().collect();
            prop_assert!(asked.is_subset(&declared), "{:?}", asked.difference(&declared));
            prop_assert!(map.targets().len() == 64 || mapped.missing >> map.targets().len() == 0);
        }
    }

    #[test]
    fn a_mapped_value_has_the_type_of_its_attribute_and_is_never_blank(
        rules in vec(rule(), 0..6),
        person in person(),
    ) {
        let map = usable(&rules);
        for (target, value) in map.targets().iter().zip(map.map(&person).values) {
            let Field::Value(value) = value else { continue };
            if let ValueRef::Text(text) = &value {
                prop_assert!(!text.trim().is_empty(), "{}", target);
            }
            let fits = match target {
                TargetField::Custom(_) => true,
                TargetField::Member(MemberField::StartDate | MemberField::EndDate) => matches!(value, ValueRef::Date(_)),
                TargetField::Member(MemberField::BirthDate) => matches!(value, ValueRef::BirthDate(_)),
                TargetField::Member(_) => matches!(value, ValueRef::Text(_)),
            };
            prop_assert!(fits, "{}", target);
        }
    }

    #[test]
    fn what_was_not_delivered_clears_nothing(rules in vec(rule(), 0..6), gone in vec(field(), 1..4), person in person()) {
        let map = usable(&rules);
        let mut dropped = person.fields.clone();
        for field in &gone {
            dropped.insert(field.clone(), Field::Absent);
        }
        let dropped = Witness { fields: dropped, asked: RefCell::default() };
        for ((rule, before), after) in map.rules().iter().zip(map.map(&person).values).zip(map.map(&dropped).values) {
            let reads = rule.sources().filter(|field| gone.contains(field)).count();
            if reads == 0 {
                prop_assert_eq!(before, after, "{} does not read it", &rule.target);
            } else if rule.from.len() == 1 && rule.sources().all(|field| gone.contains(field)) {
                prop_assert!(after != Field::Null, "{}", &rule.target);
            }
        }
    }

    #[test]
    fn problems_hold_no_value(rules in vec(rule(), 0..6), name in "[a-z]{12}") {
        let map = usable(&rules);
        let everything = EmployeeField::ALL.iter().map(|field| SourceField::from(*field));
        let fields = everything.map(|field| (field, Field::Value(Value::Text(name.clone())))).collect();
        let person = Witness { fields, asked: RefCell::default() };
        let mapped = map.map(&person);
        let shown = format!("{mapped:?}");
        prop_assert!(!shown.contains(&name), "{}", shown);
    }

    #[test]
    fn a_document_reads_back_whatever_it_says(rules in vec(rule(), 0..6), scope in filter()) {
        let document = MappingDocument::new(rules, scope);
        let text = serde_json::to_string(&document).unwrap();
        let again = MappingDocument::from_json(&text).unwrap();
        prop_assert_eq!(again.check(), document.check());
        prop_assert_eq!(again, document);
    }

    #[test]
    fn a_filter_judges_anybody_and_only_by_what_it_declares(filter in filter(), person in person()) {
        filter.judge(&person);
        let declared: BTreeSet<_> = filter.sources().cloned().collect();
        prop_assert!(person.asked.borrow().is_subset(&declared));
    }
}

/// `PROPTEST_CASES` of the environment, where that is more.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(512)
}

#[test]
fn texts_borrow_where_nothing_changes() {
    let map = FieldMap::standard();
    let fields = map.sources().iter().map(|field| (field.clone(), Field::Value(Value::from("a@b.example"))));
    let person = Witness { fields: fields.collect(), asked: RefCell::default() };
    for value in map.map(&person).values {
        assert!(!matches!(value, Field::Value(ValueRef::Text(Cow::Owned(_)))));
    }
}
