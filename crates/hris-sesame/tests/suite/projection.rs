//! Only what a query wants is asked for, decoded and kept.

use hris_core::{Employee, EmployeeField, EmploymentStatus, Field, FieldSet, FieldSource as _, SourceField};
use hris_sesame::sim::SesameSim;
use hris_testkit::run;

use crate::setup::{
    CONTRACTS, CUSTOM_FIELDS, DEPARTMENT_ASSIGNATIONS, EMPLOYEES, INFO, MANAGERS, OFFICE_ASSIGNATIONS,
    OFFICES, connector, custom, only, plain_population, read,
};

/// The paths asked for when these fields are wanted, each once, without the ids of people.
async fn asked(fields: FieldSet) -> Vec<String> {
    let sim = SesameSim::start(plain_population(5)).await;
    read(&connector(&sim), fields).await.receipt();
    let requests = sim.requests();
    let stem = |path: &str| match [CONTRACTS, MANAGERS].into_iter().find(|prefix| path.starts_with(prefix)) {
        Some(prefix) => prefix.to_owned(),
        None => path.to_owned(),
    };
    let mut paths: Vec<_> = requests.iter().map(|request| stem(request.path())).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn sorted<const N: usize>(mut paths: [&str; N]) -> Vec<String> {
    paths.sort_unstable();
    paths.map(str::to_owned).to_vec()
}

#[test]
fn joins_are_asked_for_only_if_their_fields_are_wanted() {
    run(async {
        use EmployeeField::{Department, EndDate, Location, Manager, StartDate, TimeZone, WorkEmail};
        assert_eq!(asked(FieldSet::default()).await, sorted([INFO, EMPLOYEES]));
        assert_eq!(asked(only(WorkEmail)).await, sorted([INFO, EMPLOYEES]));
        assert_eq!(asked(only(Department)).await, sorted([INFO, EMPLOYEES, DEPARTMENT_ASSIGNATIONS]));
        for field in [Location, TimeZone] {
            assert_eq!(asked(only(field)).await, sorted([INFO, EMPLOYEES, OFFICES, OFFICE_ASSIGNATIONS]));
        }
        for field in [StartDate, EndDate] {
            assert_eq!(asked(only(field)).await, sorted([INFO, EMPLOYEES, CONTRACTS]));
        }
        assert_eq!(asked(only(Manager)).await, sorted([INFO, EMPLOYEES, MANAGERS]));
        assert_eq!(asked(custom("cf_talla")).await, sorted([INFO, EMPLOYEES, CUSTOM_FIELDS]));
    });
}

#[test]
fn a_field_that_is_not_wanted_is_absent_whatever_the_row_has() {
    run(async {
        let sim = SesameSim::start(plain_population(5)).await;
        for wanted in EmployeeField::ALL {
            let read = read(&connector(&sim), only(*wanted)).await;
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
fn fields_that_sesame_does_not_have_stay_absent_when_asked_for() {
    run(async {
        let sim = SesameSim::start(plain_population(5)).await;
        let read = read(&connector(&sim), FieldSet::all_canonical()).await;
        let unknown = |employee: &Employee| {
            employee.middle_name.is_absent()
                && employee.preferred_name.is_absent()
                && employee.employment_type.is_absent()
        };
        assert!(read.employees.iter().all(unknown));
    });
}

#[test]
fn the_company_and_its_language_stand_in_where_the_row_says_nothing() {
    run(async {
        let people = plain_population(40);
        let sim = SesameSim::start(people.clone()).await;
        let fields = [EmployeeField::Company, EmployeeField::Language].into_iter().collect();
        let read = read(&connector(&sim), fields).await;
        for employee in &read.employees {
            assert!(employee.status != EmploymentStatus::Unknown(None));
            assert_eq!(employee.company, Field::Value("Talleres Brisa S.L.".to_owned()));
            assert_eq!(employee.language, Field::Value("es-ES".to_owned()), "the person's or the company's");
        }
    });
}
