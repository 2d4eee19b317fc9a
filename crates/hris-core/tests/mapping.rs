//! The declarative mapping: what each part of it does, and what is refused when it is built.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use chrono::NaiveDate;
use hris_core::{
    Alternative, BirthDate, Employee, EmployeeField, EmploymentStatus, Field, FieldDescriptor, FieldMap,
    FieldMapping as _, FieldProblem, FieldRule, Is, Mapped, MappingDocument, MappingFault, MemberField,
    OnAbsent, OnNull, Otherwise, Part, RuleCode, ScopeFilter, ScopeVerdict, SourceField, TargetField, Test,
    Transform, Value, ValueRef, rule,
};

fn employee() -> Employee {
    let mut employee = Employee::new("r1", EmploymentStatus::Active);
    employee.employee_id = Field::Value("00104".into());
    employee.work_email = Field::Value(" Nerea@Brisa.example ".into());
    employee.personal_email = Field::Value("n@home.example".into());
    employee
}

fn with_email(rule: FieldRule) -> FieldMap {
    FieldMap::new(vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId), rule]).unwrap()
}

fn email_of(map: &FieldMap, employee: &Employee) -> (Field<String>, Vec<FieldProblem>) {
    let mapped = map.map(employee);
    (mapped.values[1].clone().map(|value| value.to_text().into_owned()), mapped.problems)
}

#[test]
fn a_mapping_without_email_or_employee_id_is_refused() {
    let only_id = vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId)];
    assert!(FieldMap::new(only_id).unwrap_err().to_string().contains("`email` is not mapped"));
    let only_mail = vec![FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail)];
    assert!(FieldMap::new(only_mail).is_err());
}

#[test]
fn an_attribute_mapped_twice_is_refused() {
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::Email, EmployeeField::PersonalEmail));
    assert!(FieldMap::new(rules).unwrap_err().to_string().contains("mapped twice"));
}

#[test]
fn the_standard_mapping_passes_its_own_checks() {
    assert_eq!(FieldMap::new(FieldMap::standard().rules().to_vec()).unwrap(), FieldMap::standard());
}

#[test]
fn the_first_field_with_a_value_is_taken() {
    let map = with_email(
        FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail)
            .or(EmployeeField::PersonalEmail)
            .with(Transform::Trim),
    );
    let mut person = employee();
    assert_eq!(email_of(&map, &person).0, Field::Value("Nerea@Brisa.example".into()));
    person.work_email = Field::Value("  ".into());
    assert_eq!(email_of(&map, &person).0, Field::Value("n@home.example".into()));
    person.personal_email = Field::Null;
    assert_eq!(email_of(&map, &person).0, Field::Null);
}

#[test]
fn absent_stays_absent_and_null_stays_null() {
    let map = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
    let mut person = employee();
    person.work_email = Field::Absent;
    assert_eq!(email_of(&map, &person).0, Field::Absent);
    person.work_email = Field::Null;
    assert_eq!(email_of(&map, &person).0, Field::Null);
}

#[test]
fn a_text_that_is_no_address_is_a_problem_without_the_text() {
    let map = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
    let mut person = employee();
    person.work_email = Field::Value("nerea at brisa".into());
    let (value, problems) = email_of(&map, &person);
    assert_eq!(value, Field::Absent);
    assert_eq!(problems[0].rule, rule::EMAIL_INVALID);
    assert!(!format!("{problems:?}").contains("nerea"));
}

#[test]
fn a_date_in_the_customers_format_is_read_and_iso_always_is() {
    let rules = vec![
        FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
        FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
        FieldRule::copy(MemberField::StartDate, SourceField::Custom("joined".into()))
            .with(Transform::Date("%d/%m/%Y".into())),
    ];
    let map = FieldMap::new(rules).unwrap();
    let mut person = employee();
    let september = Field::Value(ValueRef::Date(NaiveDate::from_ymd_opt(2022, 9, 1).unwrap()));
    for text in ["01/09/2022", "2022-09-01"] {
        person.custom.insert("joined".into(), Field::Value(Value::from(text)));
        assert_eq!(map.map(&person).values[2], september);
    }
    person.custom.insert("joined".into(), Field::Value(Value::from("31/02/2022")));
    let mapped = map.map(&person);
    assert_eq!(mapped.values[2], Field::Absent);
    assert_eq!(mapped.problems[0].rule, rule::FIELD_UNREADABLE);
}

#[test]
fn the_version_changes_with_any_rule() {
    let other = with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail));
    let trimmed =
        with_email(FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim));
    assert_ne!(other.version(), trimmed.version());
}
/// A mapping of the mandatory attributes and one more.
fn with(rule: FieldRule) -> FieldMap {
    FieldMap::new(rules_with(rule)).unwrap()
}

fn rules_with(rule: FieldRule) -> Vec<FieldRule> {
    vec![
        FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
        FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
        rule,
    ]
}

fn faults_with(rule: FieldRule) -> Vec<(RuleCode, String)> {
    FieldMap::check(&rules_with(rule))
        .into_iter()
        .map(|fault| (fault.rule.clone(), fault.to_string()))
        .collect()
}

fn code_of(rule: FieldRule) -> RuleCode {
    let faults = faults_with(rule);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].0.clone()
}

/// What the third rule makes of somebody.
fn third<'a>(map: &FieldMap, person: &'a Employee) -> (Field<ValueRef<'a>>, Mapped<'a>) {
    let mapped = map.map(person);
    (mapped.values[2].clone(), mapped)
}

fn text(text: &str) -> Field<ValueRef<'static>> {
    Field::Value(ValueRef::Text(text.to_owned().into()))
}

fn custom(name: &str) -> SourceField {
    SourceField::Custom(name.into())
}

fn with_custom(fields: &[(&str, Field<Value>)]) -> Employee {
    let mut person = employee();
    person.custom = fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    person
}

fn says(text: &str) -> Field<Value> {
    Field::Value(Value::from(text))
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn each_transform_changes_text_as_it_says() {
    let table =
        [("ES", "Spain"), ("gb", "United Kingdom")].map(|(from, to)| (from.to_owned(), to.to_owned()));
    let lookup = |otherwise| Transform::Lookup { table: table.clone().into(), otherwise };
    let split = |part| Transform::Split { on: ", ".into(), part };
    let replace = |find: &str, with: &str| Transform::Replace { find: find.into(), with: with.into() };
    for (transform, from, to) in [
        (Transform::Trim, " a b ", text("a b")),
        (Transform::Lower, "ÍÑIGO", text("íñigo")),
        (Transform::Upper, "straße", text("STRASSE")),
        (Transform::Nfc, "n\u{303}", text("\u{f1}")),
        (replace("-", ""), "ES-00-1", text("ES001")),
        (replace("00123", ""), "00123", Field::Null),
        (split(1), "Olmedo, Nerea", text("Olmedo")),
        (split(-1), "Olmedo, Nerea", text("Nerea")),
        (split(3), "Olmedo, Nerea", Field::Null),
        (lookup(Otherwise::Problem), " es", text("Spain")),
        (lookup(Otherwise::Keep), "FR", text("FR")),
        (lookup(Otherwise::Null), "FR", Field::Null),
        (Transform::Default("x".into()), "  ", text("x")),
    ] {
        let name = transform.name();
        let map = with(FieldRule::copy(TargetField::Custom("x".into()), custom("x")).with(transform));
        let person = with_custom(&[("x", says(from))]);
        assert_eq!(third(&map, &person).0, to, "{name} of {from:?}");
    }
}

#[test]
fn employee_ids_are_texts_whatever_they_look_like() {
    let map = with(FieldRule::copy(TargetField::Custom("x".into()), EmployeeField::EmployeeId));
    for id in ["00104", "104", "1e2", "-0"] {
        let mut person = employee();
        person.employee_id = Field::Value(id.into());
        assert_eq!(map.map(&person).values[0], text(id));
    }
}

#[test]
fn a_text_without_an_entry_is_reported_and_the_attribute_keeps_what_it_has() {
    let table = [("ES".to_owned(), "Spain".to_owned())].into();
    let lookup = Transform::Lookup { table, otherwise: Otherwise::Problem };
    let map = with(FieldRule::copy(MemberField::Country, EmployeeField::Country).with(lookup));
    let mut person = employee();
    person.country = Field::Value("Kingdom of Nowhere".into());
    let (value, mapped) = third(&map, &person);
    assert_eq!((value, mapped.problems[0].rule.clone()), (Field::Absent, rule::FIELD_UNMATCHED));
    assert!(!format!("{:?}", mapped.problems).contains("Nowhere"));
}

#[test]
fn a_text_that_grows_beyond_measure_is_a_problem_and_no_memory() {
    let grow = |_| Transform::Replace { find: "a".into(), with: "a".repeat(4096) };
    let rule = FieldRule::copy(MemberField::Department, EmployeeField::Department);
    let map = with((0..32).map(grow).fold(rule, FieldRule::with));
    let mut person = employee();
    person.department = Field::Value("aaa".into());
    let (value, mapped) = third(&map, &person);
    assert_eq!((value, mapped.problems[0].rule.clone()), (Field::Absent, rule::FIELD_TOO_LONG));
}

#[test]
fn parts_are_joined_without_those_that_have_no_value_and_never_in_part() {
    let parts = [EmployeeField::FirstName, EmployeeField::MiddleName, EmployeeField::LastName];
    let map = with(FieldRule::new(MemberField::DisplayName, Alternative::join(parts, " ")));
    let mut person = employee();
    person.first_name = Field::Value("Nerea".into());
    person.middle_name = Field::Null;
    person.last_name = Field::Value("Olmedo".into());
    assert_eq!(third(&map, &person).0, text("Nerea Olmedo"));
    person.last_name = Field::Absent;
    assert_eq!(third(&map, &person).0, Field::Absent, "half a name is no name");
    (person.first_name, person.last_name) = (Field::Null, Field::Null);
    assert_eq!(third(&map, &person).0, Field::Null);
}

#[test]
fn constants_join_fields_and_are_nothing_by_themselves() {
    let initial = Part::Field(EmployeeField::Company.into(), vec![Transform::Upper]);
    let parts = [initial, Part::Constant("site".into()), EmployeeField::Location.into()];
    let map = with(FieldRule::new(MemberField::Location, Alternative::join(parts, "/")));
    let mut person = employee();
    (person.company, person.location) = (Field::Value("brisa".into()), Field::Value("Vigo".into()));
    assert_eq!(third(&map, &person).0, text("BRISA/site/Vigo"));
    (person.company, person.location) = (Field::Null, Field::Null);
    assert_eq!(third(&map, &person).0, Field::Null);
}

#[test]
fn a_condition_chooses_and_what_cannot_be_told_changes_nothing() {
    let remote = Test::new(custom("remote"), Is::Equals("yes".into()));
    let rule = FieldRule::new(MemberField::Location, Alternative::constant("Home").when(remote));
    let map = with(rule.or(EmployeeField::Location));
    let person = |remote| {
        let mut person = with_custom(&[("remote", remote)]);
        person.location = Field::Value("Vigo".into());
        person
    };
    assert_eq!(third(&map, &person(says("Yes"))).0, text("Home"));
    assert_eq!(third(&map, &person(says("no"))).0, text("Vigo"));
    assert_eq!(third(&map, &person(Field::Null)).0, text("Vigo"));
    assert_eq!(third(&map, &person(Field::Absent)).0, Field::Absent, "the vendor dropped the field");
}

#[test]
fn a_rule_whose_conditions_are_all_false_writes_nothing_and_an_empty_constant_clears() {
    let spanish = Test::new(EmployeeField::Country, Is::Equals("ES".into()));
    let source = Alternative::from(EmployeeField::Department).when(spanish);
    let rule = FieldRule::new(MemberField::Department, source).on_absent(OnAbsent::Default("x".into()));
    let mut person = employee();
    (person.country, person.department) = (Field::Value("GB".into()), Field::Value("Sales".into()));
    assert_eq!(third(&with(rule.clone()), &person).0, Field::Absent);
    let clearing = with(rule.or(Alternative::constant("")));
    assert_eq!(third(&clearing, &person).0, Field::Null);
}

#[test]
fn null_and_absent_follow_the_policies_of_their_rule() {
    let rule = FieldRule::copy(MemberField::Department, EmployeeField::Department);
    let with_default =
        rule.clone().on_null(OnNull::Default("None".into())).on_absent(OnAbsent::Default("Unknown".into()));
    let cases = [
        (rule.clone(), Field::Null, Field::Absent),
        (rule.on_null(OnNull::Keep), Field::Absent, Field::Absent),
        (with_default, text("None"), text("Unknown")),
    ];
    for (rule, null, absent) in cases {
        let map = with(rule);
        let mut person = employee();
        person.department = Field::Null;
        assert_eq!(third(&map, &person).0, null);
        person.department = Field::Absent;
        assert_eq!(third(&map, &person).0, absent);
    }
}

#[test]
fn a_required_attribute_without_a_value_is_told_and_never_cleared() {
    let map = with(FieldRule::copy(MemberField::Department, EmployeeField::Department).required());
    let mut person = employee();
    person.department = Field::Value("Sales".into());
    assert_eq!(third(&map, &person).1.missing, 0);
    person.department = Field::Null;
    let (value, mapped) = third(&map, &person);
    assert_eq!((value, mapped.missing), (Field::Absent, 0b100));
    assert_eq!(mapped.problems[0].rule, rule::FIELD_REQUIRED);
    person.department = Field::Absent;
    let (value, mapped) = third(&map, &person);
    assert_eq!((value, mapped.missing, mapped.problems.len()), (Field::Absent, 0b100, 0));
}

#[test]
fn attributes_of_create_only_are_named() {
    let map = with(FieldRule::copy(MemberField::Language, EmployeeField::Language).create_only());
    assert_eq!(map.create_only(), 0b100);
    assert_eq!(FieldMap::standard().create_only(), 0);
}

#[test]
fn dates_keep_their_day_and_are_written_only_as_told() {
    let format = |text: &str| Transform::Format(text.into());
    let rule = FieldRule::copy(MemberField::Department, EmployeeField::StartDate).with(format("%d/%m/%Y"));
    let mut person = employee();
    person.start_date = Field::Value(day(2022, 9, 1));
    assert_eq!(third(&with(rule), &person).0, text("01/09/2022"));

    let born = with(FieldRule::copy(MemberField::BirthDate, custom("born")));
    for (written, read) in [("1990-02-28", BirthDate::from(day(1990, 2, 28))), ("--02-29", month_day(2, 29))]
    {
        let person = with_custom(&[("born", says(written))]);
        assert_eq!(third(&born, &person).0, Field::Value(ValueRef::BirthDate(read)));
    }
    let person = with_custom(&[("born", says("28/02/1990"))]);
    assert_eq!(third(&born, &person).1.problems[0].rule, rule::FIELD_UNREADABLE);
}

fn month_day(month: u32, day: u32) -> BirthDate {
    BirthDate::month_day(month, day).unwrap()
}

#[test]
fn a_hidden_birth_year_is_never_invented() {
    let rule = FieldRule::copy(MemberField::Department, EmployeeField::BirthDate);
    let map = with(rule.with(Transform::Format("%Y".into())));
    let mut person = employee();
    person.birth_date = Field::Value(month_day(2, 28));
    let (value, mapped) = third(&map, &person);
    assert_eq!((value, mapped.problems.len()), (Field::Absent, 1));
}

#[test]
fn a_value_of_another_type_is_turned_into_what_the_attribute_takes_or_reported() {
    let person = with_custom(&[
        ("x", Field::Value(Value::Bool(true))),
        ("d", Field::Value(Value::Date(day(2020, 1, 2)))),
    ]);
    let map = with(FieldRule::copy(MemberField::Department, custom("x")));
    assert_eq!(third(&map, &person).0, text("true"));
    let map = with(FieldRule::copy(MemberField::Department, custom("d")));
    assert_eq!(third(&map, &person).0, text("2020-01-02"));
    let map = with(FieldRule::copy(MemberField::StartDate, custom("x")));
    assert_eq!(third(&map, &person).1.problems[0].rule, rule::FIELD_UNREADABLE);
}

#[test]
fn types_that_do_not_fit_are_refused() {
    let format = || Transform::Format("%Y".into());
    let date = || Transform::Date("%d/%m/%Y".into());
    for rule in [
        FieldRule::copy(MemberField::StartDate, EmployeeField::Department),
        FieldRule::copy(MemberField::Department, EmployeeField::StartDate),
        FieldRule::copy(MemberField::StartDate, EmployeeField::BirthDate),
        FieldRule::copy(MemberField::PersonalEmail, EmployeeField::StartDate),
        FieldRule::copy(MemberField::StartDate, EmployeeField::StartDate).with(Transform::Lower),
        FieldRule::copy(MemberField::Department, EmployeeField::JobTitle).with(format()),
        FieldRule::copy(MemberField::Department, EmployeeField::JobTitle).with(date()),
        FieldRule::copy(MemberField::StartDate, EmployeeField::StartDate).with(format()),
    ] {
        assert_eq!(code_of(rule), rule::MAPPING_TYPE);
    }
    for rule in [
        FieldRule::copy(MemberField::StartDate, EmployeeField::Department).with(date()),
        FieldRule::copy(MemberField::Department, EmployeeField::StartDate).with(format()),
        FieldRule::copy(MemberField::StartDate, custom("x")).or(EmployeeField::StartDate).with(date()),
        FieldRule::copy(TargetField::Custom("x".into()), EmployeeField::StartDate),
    ] {
        assert_eq!(faults_with(rule), []);
    }
}

#[test]
fn arguments_that_cannot_work_are_refused() {
    let text =
        |transform| FieldRule::copy(MemberField::Department, EmployeeField::Department).with(transform);
    let date = |transform| FieldRule::copy(MemberField::StartDate, custom("x")).with(transform);
    let table = |pairs: &[(&str, &str)]| Transform::Lookup {
        table: pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
        otherwise: Otherwise::Keep,
    };
    for rule in [
        date(Transform::Date("%Q".into())),
        date(Transform::Date("%d/%m".into())),
        date(Transform::Date(String::new())),
        date(Transform::Date("today".into())),
        FieldRule::copy(MemberField::Department, EmployeeField::StartDate)
            .with(Transform::Format("%H".into())),
        text(Transform::Replace { find: String::new(), with: "x".into() }),
        text(Transform::Split { on: String::new(), part: 1 }),
        text(Transform::Split { on: "x".into(), part: 0 }),
        text(table(&[])),
        text(table(&[("ES", "Spain"), ("es ", "España")])),
        text(Transform::Default(" ".into())),
        date(Transform::Trim).on_null(OnNull::Default("soon".into())),
        date(Transform::Trim).on_absent(OnAbsent::Default("soon".into())),
        FieldRule::new(MemberField::StartDate, Alternative::constant("soon")),
        FieldRule::new(MemberField::PersonalEmail, Alternative::constant("nobody")),
    ] {
        assert_eq!(code_of(rule.clone()), rule::MAPPING_ARGUMENT, "{rule:?}");
    }
    assert_eq!(faults_with(FieldRule::new(MemberField::StartDate, Alternative::constant("2020-01-02"))), []);
    assert_eq!(faults_with(date(Transform::Date("%Y-%m-%dT%H:%M:%S%z".into()))), []);
}

#[test]
fn conditions_that_mean_nothing_are_refused() {
    let when = |is| {
        let alternative = Alternative::from(EmployeeField::Department);
        FieldRule::new(MemberField::Department, alternative.when(Test::new(EmployeeField::Country, is)))
    };
    for is in [Is::In(Vec::new()), Is::Equals("  ".into()), Is::Contains(String::new())] {
        assert_eq!(code_of(when(is)), rule::MAPPING_CONDITION);
    }
    assert_eq!(faults_with(when(Is::Present(false))), []);
}

#[test]
fn what_is_never_reached_or_reads_nothing_is_refused() {
    let rule = FieldRule::new(MemberField::Department, Alternative::constant("x"));
    assert_eq!(code_of(rule.or(EmployeeField::Department)), rule::MAPPING_UNREACHABLE);
    let rule = FieldRule::copy(MemberField::Department, EmployeeField::Department);
    let rule = rule.or(EmployeeField::Company).with(Transform::Default("x".into()));
    assert_eq!(code_of(rule), rule::MAPPING_UNREACHABLE);

    let mut rule = FieldRule::copy(MemberField::Department, EmployeeField::Department);
    rule.from.clear();
    assert_eq!(code_of(rule), rule::MAPPING_EMPTY);
    let joined = Alternative::join([Part::Constant("x".into())], " ");
    assert_eq!(code_of(FieldRule::new(MemberField::Department, joined)), rule::MAPPING_EMPTY);
}

#[test]
fn what_must_be_unique_comes_from_nobodys_constant_and_is_kept_in_step() {
    let id = || FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId);
    let email = || FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail);
    let shared = "hr@brisa.example";
    for (id, email) in [
        (id(), email().or(Alternative::constant(shared))),
        (id(), email().on_null(OnNull::Default(shared.into()))),
        (id(), email().on_absent(OnAbsent::Default(shared.into()))),
        (id(), email().with(Transform::Default(shared.into()))),
        (id(), email().create_only()),
        (id().create_only(), email()),
    ] {
        let faults = FieldMap::check(&[id, email]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].rule, rule::MAPPING_UNIQUE);
    }
}

#[test]
fn a_mapping_beyond_its_limits_is_refused() {
    let long = FieldRule::copy(MemberField::Department, EmployeeField::Department);
    let long = (0..33).fold(long, |rule, _| rule.with(Transform::Trim));
    assert_eq!(code_of(long), rule::MAPPING_TOO_LARGE);
    let wide = (0..63).map(|n| FieldRule::copy(TargetField::Custom(format!("{n}").into()), custom("x")));
    let mut rules = FieldMap::standard().rules()[..2].to_vec();
    rules.extend(wide);
    let faults = FieldMap::check(&rules);
    assert_eq!((faults.len(), &faults[0].rule), (1, &rule::MAPPING_TOO_LARGE));
    let text = FieldRule::new(MemberField::Department, Alternative::constant("x".repeat(5000)));
    assert_eq!(code_of(text), rule::MAPPING_TOO_LARGE);
}

#[test]
fn every_fault_of_a_mapping_is_told_at_once() {
    let rules = vec![
        FieldRule::copy(MemberField::Department, EmployeeField::StartDate),
        FieldRule::copy(MemberField::Department, EmployeeField::Department),
        FieldRule::copy(MemberField::StartDate, custom("joined")).with(Transform::Date("%d".into())),
    ];
    let codes: Vec<_> = FieldMap::check(&rules).into_iter().map(|fault| fault.rule).collect();
    let (mandatory, twice) = (rule::MAPPING_MANDATORY, rule::MAPPING_TWICE);
    assert_eq!(codes, [mandatory.clone(), mandatory, twice, rule::MAPPING_TYPE, rule::MAPPING_ARGUMENT]);
    let error = FieldMap::new(rules).unwrap_err().to_string();
    for part in
        ["5 faults", "`employee_id` is not mapped", "`department` (rule 2)", "`start_date` (rule 3)", "`%d`"]
    {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_field_that_the_account_does_not_offer_is_named() {
    let map = with(FieldRule::copy(MemberField::StartDate, custom("joined")));
    let offered = [EmployeeField::EmployeeId, EmployeeField::WorkEmail];
    let offered: Vec<_> = offered.map(|field| FieldDescriptor::new(field, field.as_str())).into();
    let faults = map.check_offered(&offered);
    assert_eq!((faults.len(), &faults[0].rule), (1, &rule::MAPPING_NOT_OFFERED));
    assert!(faults[0].to_string().contains("`custom:joined`"), "{}", faults[0]);
}

#[test]
fn a_document_reads_back_and_tells_every_rule_that_cannot_be_read() {
    let text = include_str!("mapping_document.json");
    let document = MappingDocument::from_json(text).unwrap();
    assert_eq!(document.check(), [] as [MappingFault; 0]);
    let again = serde_json::to_string_pretty(&document).unwrap() + "\n";
    assert_eq!(again, text, "the form of a document is kept");
    assert_eq!(MappingDocument::from(&document.build().unwrap()), document);

    let broken = r#"{ "format": 2, "extra": 1, "fields": [
        { "target": "shoe", "from": ["employee_id"] },
        { "target": "email", "from": ["work_email"] },
        { "target": "email", "from": [{ "constant": "x", "field": "work_email" }] },
        { "target": "email", "from": ["work_email"], "transforms": ["shout"] } ],
        "scope": { "exclude": [{ "field": "country", "like": "E" }] } }"#;
    let error = MappingDocument::from_json(broken).unwrap_err().to_string();
    for part in [
        "6 faults",
        "`format` 1",
        "`extra`",
        "rule 1",
        "`shoe`",
        "rule 3",
        "exactly one",
        "rule 4",
        "shout",
        "scope",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(!error.contains("rule 2"), "{error}");
}

#[test]
fn versions_are_the_same_in_every_release() {
    // A plan that waits to be applied is refused when the version of its mapping moves.
    assert_eq!(FieldMap::standard().version().as_str(), STANDARD);
    let document = MappingDocument::from_json(include_str!("mapping_document.json")).unwrap();
    assert_eq!(document.version().unwrap().as_str(), DOCUMENT);
}

const STANDARD: &str = "dacf4ede2b1fa69953ec09287c377c5c";
const DOCUMENT: &str = "a8054dbb8441174a310cf3d7eea03a5e";

#[test]
fn the_version_changes_with_the_filter_and_the_filter_reads_its_fields() {
    let all = FieldMap::standard();
    let staff = Test::new(EmployeeField::EmploymentType, Is::Equals("employee".into()));
    let some = all.clone().with_scope(ScopeFilter::everybody().including(staff)).unwrap();
    assert_ne!(all.version(), some.version());
    assert!(some.sources().contains(&EmployeeField::EmploymentType.into()));
    let mut person = employee();
    assert_eq!(all.scope(&person), ScopeVerdict::Inside);
    person.employment_type = Field::Value("contractor".into());
    assert_eq!(some.scope(&person), ScopeVerdict::Outside(None));
    assert_eq!(some.with_scope(ScopeFilter::everybody()).unwrap().version(), all.version());
}
