//! Looking members up.

use hris_core::{Email, ErrorKind, MemberQuery, ProvisioningTarget as _};
use hris_target_scim::sim::{Behaviour, FilterHabit};
use hris_target_scim::{Filters, ScimConfig};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use serde_json::json;

use crate::setup::{Stage, by_email, by_id, find, planted};

#[test]
fn an_employee_id_is_matched_exactly_and_an_address_without_regard_to_case() {
    let stage = Stage::new();
    let target = stage.target();
    let id = stage.sim.plant(planted(Some("e-1"), "Nerea@Brisa.example"));
    assert_eq!(by_id(&target, "e-1")[0].id.as_str(), id);
    assert!(by_id(&target, "E-1").is_empty());
    assert_eq!(by_email(&target, "nerea@brisa.EXAMPLE").len(), 1);
    assert!(by_email(&target, "nerea@brisa.exampl").is_empty());
    assert!(find(&target, &MemberQuery::Id("usr-9".into())).is_empty());
}

#[test]
fn characters_that_mean_something_in_a_filter_or_an_address_are_only_characters() {
    let stage = Stage::new();
    let target = stage.target();
    for id in [r#"a" or userName pr or "b"#, r"back\slash", "a&b=c?d#e", "Ñandú 100%", "1/2"] {
        stage.sim.plant(planted(Some(id), &format!("{}@x.example", id.len())));
        let found = by_id(&target, id);
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0].attributes.employee_id().unwrap().as_str(), id);
    }
}

#[test]
fn a_server_that_compares_case_is_asked_again_in_lower_case() {
    let stage = Stage::new();
    stage.sim.plant(planted(Some("1"), "nerea@brisa.example"));
    let nobody = SimResponse::json(200, &json!({ "totalResults": 0 }));
    stage.sim.faults().add(
        Fault::Answer(nobody)
            .once()
            .on(|request| request.query("filter").is_some_and(|filter| filter.contains("NEREA"))),
    );
    assert_eq!(by_email(&stage.target(), "NEREA@brisa.example").len(), 1);
}

#[test]
fn a_server_without_filters_is_listed_once_for_many_look_ups() {
    for habit in [FilterHabit::Ignored, FilterHabit::Refused] {
        let mut behaviour = Behaviour::default();
        behaviour.filters = habit;
        let stage = Stage::with(behaviour);
        let target = stage.target();
        for number in 0..250 {
            stage.sim.plant(planted(Some(&number.to_string()), &format!("p{number}@x.example")));
        }
        for number in ["0", "120", "249"] {
            assert_eq!(by_id(&target, number).len(), 1, "{habit:?}");
        }
        assert_eq!(by_email(&target, "P7@x.example").len(), 1);
        assert!(by_id(&target, "250").is_empty());
        let listed =
            stage.sim.requests().iter().filter(|request| request.query("count") == Some("100")).count();
        assert_eq!(listed, 3, "{habit:?}");
    }
}

#[test]
fn a_listing_that_serves_look_ups_is_read_anew_after_ten_minutes() {
    let stage = Stage::new();
    let target = stage.build(stage.config().with_filters(Filters::Off));
    assert!(by_id(&target, "1").is_empty());
    stage.sim.plant(planted(Some("1"), "a@x.example"));
    assert!(by_id(&target, "1").is_empty());
    stage.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(by_id(&target, "1").len(), 1);
}

#[test]
fn a_wrong_address_is_an_error_of_the_configuration_and_never_an_empty_programme() {
    let stage = Stage::new();
    let wrong = ScimConfig::new(stage.sim.endpoint().replace("/v2", "/v1")).with_requests_per_second(0);
    let target = stage.build(wrong);
    for query in [
        MemberQuery::Id("usr-1".into()),
        MemberQuery::EmployeeId("1".into()),
        MemberQuery::Email(Email::parse("a@x.example").unwrap()),
    ] {
        let error = run(target.find(&query)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{query:?}");
    }
    assert_eq!(run(target.check()).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn an_answer_that_is_no_list_is_an_error_and_not_nobody() {
    let stage = Stage::new();
    let target = stage.target();
    let _ = by_id(&target, "1");
    for fault in [Fault::Html, Fault::Empty, Fault::Answer(SimResponse::json(200, &json!({ "error": "x" })))]
    {
        stage.sim.faults().clear();
        stage.sim.faults().add(fault.always());
        let error = run(target.find(&MemberQuery::EmployeeId("1".into()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}

#[test]
fn a_search_goes_into_a_body_where_addresses_may_hold_no_personal_data() {
    let mut behaviour = Behaviour::default();
    behaviour.sensitive_filters = true;
    let stage = Stage::with(behaviour);
    let target = stage.target();
    stage.sim.plant(planted(Some("1"), "a@x.example"));
    assert_eq!(by_id(&target, "1").len(), 1);
    assert_eq!(by_email(&target, "a@x.example").len(), 1);
    assert_eq!(stage.sim.calls()[1..], ["GET Users", "POST .search", "POST .search"]);
}
