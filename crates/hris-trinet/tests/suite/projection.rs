//! Only what a query wants is asked for, decoded and kept.

use hris_core::{EmployeeField, FieldSet, FieldSource as _, SourceField};
use hris_testkit::run;
use hris_trinet::View;
use hris_trinet::sim::TriNetSim;

use crate::setup::{
    EMPLOYEES, ORG_DETAILS, TOKEN, build, config, connector, custom, only, plain_population, read,
};

#[test]
fn side_endpoints_are_asked_for_only_if_their_fields_are_wanted() {
    run(async {
        for field in EmployeeField::ALL.iter().copied() {
            let sim = TriNetSim::start(plain_population(5)).await;
            read(&connector(&sim), only(field)).await.receipt();
            let expected = match field {
                EmployeeField::Company | EmployeeField::TimeZone => vec![TOKEN, ORG_DETAILS, EMPLOYEES],
                _ => vec![TOKEN, EMPLOYEES],
            };
            assert_eq!(sim.paths("/"), expected, "{field:?}");
        }
    });
}

#[test]
fn a_field_that_is_not_wanted_is_absent_whatever_the_row_has() {
    run(async {
        let sim = TriNetSim::start(plain_population(5)).await;
        for wanted in EmployeeField::ALL {
            let connector = build(config(sim.url()).with_view(View::Full));
            let read = read(&connector, only(*wanted)).await;
            assert_eq!(read.employees.len(), 5);
            for employee in &read.employees {
                let given = EmployeeField::ALL.iter().filter(|field| {
                    !employee.field(&SourceField::from(**field)).is_absent() && !always(**field)
                });
                assert!(
                    given.clone().all(|field| field == wanted),
                    "{wanted:?}: {:?}",
                    given.collect::<Vec<_>>()
                );
                assert!(employee.custom.is_empty() && employee.problems.is_empty());
            }
        }
    });
}

fn always(field: EmployeeField) -> bool {
    matches!(field, EmployeeField::RecordId | EmployeeField::Status)
}

#[test]
fn nothing_is_wanted_and_everybody_is_known_all_the_same() {
    run(async {
        let sim = TriNetSim::start(plain_population(5)).await;
        let read = read(&connector(&sim), FieldSet::default()).await;
        assert_eq!((read.employees.len(), read.receipt().distinct), (5, 5));
    });
}

#[test]
fn a_custom_field_that_trinet_does_not_have_is_a_warning_and_never_read() {
    run(async {
        let sim = TriNetSim::start(plain_population(5)).await;
        let connector = build(config(sim.url()).with_view(View::Full));
        for name in ["nationalId", "ssn", "shirtSize"] {
            let read = read(&connector, custom(name)).await;
            assert!(read.employees.iter().all(|employee| employee.custom.is_empty()));
            let field = read.receipt().warnings[0].field.clone();
            assert_eq!(field.as_deref(), Some(format!("custom:{name}").as_str()));
        }
    });
}
