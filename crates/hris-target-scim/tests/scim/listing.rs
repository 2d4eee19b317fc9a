//! The roster.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use hris_core::{ErrorKind, MemberRecord, ProvisioningTarget as _, Result};
use hris_target_scim::ScimTarget;
use hris_target_scim::sim::{Behaviour, PagingHabit};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use proptest::prelude::*;
use serde_json::json;

use crate::setup::{Stage, planted};

fn roster(target: &ScimTarget) -> Result<Vec<MemberRecord>> {
    run(target.roster().unwrap().try_collect())
}

fn stage_of(people: usize, change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut behaviour = Behaviour::default();
    change(&mut behaviour);
    let stage = Stage::with(behaviour);
    for number in 0..people {
        stage.sim.plant(planted(Some(&number.to_string()), &format!("p{number}@x.example")));
    }
    stage
}

fn distinct(members: &[MemberRecord]) -> usize {
    members.iter().map(|member| member.id.as_str()).collect::<BTreeSet<_>>().len()
}

#[test]
fn everybody_is_listed_once_closed_accounts_among_them() {
    let stage = stage_of(250, |_| {});
    let id = stage.sim.accounts()[7].id.clone();
    stage.sim.edit(&id, |user| _ = user.insert("active".into(), false.into()));
    let members = roster(&stage.target()).unwrap();
    assert_eq!((members.len(), distinct(&members)), (250, 250));
    assert_eq!(members.iter().filter(|member| !member.active).count(), 1);
    assert_eq!(stage.sim.calls().iter().filter(|call| *call == "GET Users").count(), 3);
}

#[test]
fn an_empty_programme_has_an_empty_roster() {
    assert!(roster(&stage_of(0, |_| {}).target()).unwrap().is_empty());
}

#[test]
fn pages_may_be_smaller_than_asked_or_repeat_rows_but_never_lose_one_quietly() {
    let whole: [fn(&mut Behaviour); 3] = [
        |b| b.page_cap = Some(7),
        |b| b.paging = PagingHabit::RepeatsOne,
        |b| {
            b.page_cap = Some(9);
            b.paging = PagingHabit::RepeatsOne;
        },
    ];
    for change in whole {
        let members = roster(&stage_of(120, change).target()).unwrap();
        assert_eq!((members.len(), distinct(&members)), (120, 120));
    }
    for paging in [PagingHabit::SkipsOne, PagingHabit::AlwaysFirst] {
        let stage = stage_of(120, |b| b.paging = paging);
        assert_eq!(roster(&stage.target()).unwrap_err().kind(), ErrorKind::Incomplete, "{paging:?}");
    }
}

#[test]
fn a_page_that_cannot_be_had_ends_the_roster_with_an_error() {
    let stage = stage_of(250, |_| {});
    stage
        .sim
        .faults()
        .add(Fault::status(500).always().on(|request| request.query("startIndex") == Some("101")));
    assert_eq!(roster(&stage.target()).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_server_that_tells_no_total_is_read_until_a_page_is_empty() {
    let stage = stage_of(150, |_| {});
    let untold = |response: SimResponse| {
        let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        body.as_object_mut().unwrap().remove("totalResults");
        if body.get("Resources").is_none() {
            body["Resources"] = json!([]);
        }
        SimResponse::json(200, &body)
    };
    stage.sim.faults().add(Fault::change(untold).always().on(|request| request.path().ends_with("/Users")));
    assert_eq!(roster(&stage.target()).unwrap().len(), 150);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_the_page_sizes_everybody_is_listed_once(people in 0_usize..60, asked in 1_u32..20, cap in 1_usize..20) {
        let stage = stage_of(people, |b| b.page_cap = Some(cap));
        let members = roster(&stage.build(stage.config().with_page_size(asked))).unwrap();
        prop_assert_eq!((members.len(), distinct(&members)), (people, people));
    }
}
