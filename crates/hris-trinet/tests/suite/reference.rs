//! The older, flat form of an employment, and the company's own lists that its ids lead to.

use hris_core::{EmployeeField, Field, FieldSet, rule};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use hris_trinet::sim::{Refusal, TriNetSim};

use crate::setup::{
    DEPARTMENTS, EMPLOYEES, JOBS, LOCATIONS, ORG_DETAILS, TOKEN, basic_fields, build, config, connector,
    custom, only, plain_population, population, read,
};

#[test]
fn the_flat_form_gives_the_same_people_with_names_from_the_companys_lists() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let nested = read(&connector(&sim), basic_fields()).await;
        assert_eq!(sim.paths(DEPARTMENTS).len() + sim.paths(LOCATIONS).len(), 0, "no list is read in vain");
        sim.behave(|vendor| vendor.is_flat = true);
        let flat = read(&connector(&sim), basic_fields()).await;
        assert!(flat.employees == nested.employees);
        assert_eq!(
            (sim.paths(DEPARTMENTS).len(), sim.paths(LOCATIONS).len()),
            (1, 1),
            "each list is read once"
        );
        let lists = sim.requests().into_iter().filter(|request| request.path() == DEPARTMENTS);
        assert!(lists.map(|list| list.query_names().count()).all(|parameters| parameters == 0));
    });
}

#[test]
fn aliases_of_the_flat_form_are_the_same_custom_fields() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let nested = read(&connector(&sim), custom("customGroupA")).await;
        assert!(nested.employees.iter().any(|employee| !employee.custom.is_empty()));
        sim.behave(|vendor| vendor.is_flat = true);
        let flat = read(&connector(&sim), custom("customGroupA")).await;
        assert!(flat.employees == nested.employees);
        let regular = read(&connector(&sim), custom("regularTemporary")).await;
        let value = regular.employees[0].custom["regularTemporary"].clone();
        assert_eq!(value, Field::Value(hris_core::Value::from("regular")));
    });
}

#[test]
fn a_refused_list_costs_its_field_and_a_warning_and_never_clears_anything() {
    run(async {
        for refusal in [Refusal::NotInProduct, Refusal::Unreadable, Refusal::NoScope] {
            let sim = TriNetSim::start(plain_population(250)).await;
            sim.behave(|vendor| {
                vendor.is_flat = true;
                vendor.refuses_side_endpoints = Some(refusal);
            });
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!(read.receipt().distinct, 250, "{refusal:?}");
            assert!(read.employees.iter().all(|employee| employee.department.is_absent()));
            assert!(read.employees.iter().all(|employee| employee.work_email.value().is_some()));
            let warnings = read.warnings();
            assert!(
                warnings.contains("250 people") && warnings.contains("list of departments"),
                "{warnings}"
            );
            assert!(warnings.contains("list of locations"), "{warnings}");
            assert!(read.receipt().warnings.iter().all(|warning| warning.rule == rule::JOIN_FAILED));
            assert!(sim.paths(DEPARTMENTS).len() <= 2, "a refused list is not asked for with every page");
        }
    });
}

#[test]
fn a_list_that_is_down_costs_its_field_only() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.behave(|vendor| vendor.is_flat = true);
        sim.faults().add(Fault::status(503).always().on_path(DEPARTMENTS));
        sim.faults().add(Fault::Html.always().on_path(LOCATIONS));
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(read.receipt().distinct, 30);
        assert_eq!(read.receipt().warnings.len(), 2, "{}", read.warnings());
    });
}

#[test]
fn an_id_that_the_list_does_not_have_leaves_the_field_unknown() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.behave(|vendor| vendor.is_flat = true);
        let empty = SimResponse::raw(200, "application/json", r#"{"data":[],"_statusCode":"200"}"#);
        sim.faults().add(Fault::Answer(empty).always().on_path(DEPARTMENTS));
        let read = read(&connector(&sim), only(EmployeeField::Department)).await;
        assert!(read.employees.iter().all(|employee| employee.department.is_absent()));
        assert!(read.warnings().contains("does not have their ids"), "{}", read.warnings());
    });
}

#[test]
fn the_title_of_the_job_stands_in_for_a_missing_business_title() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        let blank = Fault::change(|answer| {
            let mut body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            for row in body["data"]["employeeData"].as_array_mut().unwrap() {
                row["employmentInfo"]["businessTitle"] = serde_json::Value::Null;
            }
            SimResponse::json(200, &body)
        });
        let with_titles = read(&connector(&sim), only(EmployeeField::JobTitle)).await;
        assert!(sim.paths(JOBS).is_empty());
        sim.faults().add(blank.clone().once().on_path(EMPLOYEES));
        let without = read(&connector(&sim), only(EmployeeField::JobTitle)).await;
        assert!(without.employees == with_titles.employees);
        sim.behave(|vendor| vendor.refuses_side_endpoints = Some(Refusal::NoScope));
        sim.faults().add(blank.once().on_path(EMPLOYEES));
        let refused = read(&connector(&sim), only(EmployeeField::JobTitle)).await;
        assert!(
            refused.employees.iter().all(|employee| employee.job_title == Field::Null),
            "as the row says"
        );
    });
}

#[test]
fn company_and_time_zone_come_from_the_companys_record_for_everybody() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        let fields: FieldSet = [EmployeeField::Company, EmployeeField::TimeZone].into_iter().collect();
        let read = read(&connector(&sim), fields).await;
        for employee in &read.employees {
            assert_eq!(employee.company, Field::Value("Acme Example Co".to_owned()));
            assert_eq!(employee.time_zone, Field::Value("America/Los_Angeles".to_owned()));
        }
        assert_eq!(sim.paths("/"), [TOKEN, ORG_DETAILS, EMPLOYEES]);
    });
}

#[test]
fn a_refused_company_record_costs_its_fields_and_a_warning() {
    run(async {
        for refusal in [Refusal::NotInProduct, Refusal::Unreadable, Refusal::NoScope] {
            let sim = TriNetSim::start(plain_population(30)).await;
            sim.behave(|vendor| vendor.refuses_side_endpoints = Some(refusal));
            let read = read(&build(config(sim.url())), FieldSet::all_canonical()).await;
            assert_eq!(read.receipt().distinct, 30, "{refusal:?}");
            assert!(read.employees.iter().all(|employee| employee.company.is_absent()));
            assert!(read.employees.iter().all(|employee| employee.birth_date.value().is_some()));
            assert!(read.warnings().contains("org-details"), "{}", read.warnings());
        }
    });
}
