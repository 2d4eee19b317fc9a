//! What is planned for whom: creates, updates, leavers, returns, and the rows that are held.

mod common;

use common::{World, changed, ids, inactive, people, person};
use hris_core::{
    Employee, EmploymentStatus, ErrorKind, Field, MemberField, MemberRecord, ProvisioningPlan,
    RejectedRecord, Verdict,
};

#[test]
fn new_people_are_created_and_invited() {
    let world = World::new(people(1..=3));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.invited), (3, 3));
    assert_eq!(world.open_accounts(), ids(1..=3));
    assert_eq!(world.target.invitations_sent(), 3);
}

#[test]
fn known_people_are_updated_silently_and_only_where_they_differ() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), changed(2, |e| e.department = Field::Value("Legal".into())), person(3)]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["update E002"]);
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.invited), (1, 0));
    let member = world.target.member_by_employee_id("E002").unwrap();
    assert_eq!(member.attributes.text(&MemberField::Department.into()), Some("Legal"));
    assert_eq!(world.target.invitations_sent(), 3, "nobody is invited twice");
}

#[test]
fn an_update_names_only_the_attributes_that_changed() {
    use futures_util::TryStreamExt as _;
    let world = World::new([person(1)]);
    world.run();
    world.set_people([changed(1, |e| e.department = Field::Value("Legal".into()))]);
    let plan = world.plan();
    let actions: Vec<_> = hris_testkit::run(plan.actions(None).try_collect()).unwrap();
    let changes = actions[0].kind.changes().unwrap();
    let fields: Vec<_> = changes.iter().map(|(field, _)| field.to_string()).collect();
    assert_eq!(fields, ["department"]);
}

#[test]
fn a_second_run_has_nothing_to_do_and_writes_nothing() {
    let world = World::new(people(1..=9));
    world.run();
    let (writes, before) = (world.target.writes(), world.store.dump());
    let report = world.run();
    assert_eq!(report.planned.unchanged, 9);
    assert_eq!(world.target.writes(), writes);
    let runs = |dump: &str| dump.lines().filter(|line| line.contains("run-2")).count();
    assert!(runs(&world.store.dump()) > runs(&before), "the run is in the history");
}

#[test]
fn inactive_people_leave_and_unknown_inactive_ones_are_never_created() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), inactive(2), person(3), inactive(4)]);
    let report = world.run();
    assert_eq!((report.applied.left, report.applied.created), (1, 0));
    assert_eq!(world.closed_accounts(), ids([2]));
    assert_eq!(report.irreversible_from.map(|day| day.to_string()).as_deref(), Some("2026-05-01"));
}

#[test]
fn a_leaver_who_comes_back_within_the_close_down_is_the_same_member_and_is_not_invited() {
    let world = World::new(people(1..=2));
    world.run();
    let member = world.target.member_by_employee_id("E002").unwrap().id;
    world.set_people([person(1), inactive(2)]);
    world.run();
    world.clock.advance(std::time::Duration::from_secs(59 * 24 * 3600));
    world.set_people(people(1..=2));
    let report = world.run();
    assert_eq!((report.applied.reactivated, report.applied.invited), (1, 0));
    let back = world.target.member_by_employee_id("E002").unwrap();
    assert!(back.active && back.id == member);
}

#[test]
fn a_leaver_who_comes_back_after_the_close_down_is_created_anew_and_not_invited() {
    let world = World::new(people(1..=2));
    world.run();
    world.set_people([person(1), inactive(2)]);
    world.run();
    world.clock.advance(std::time::Duration::from_secs(60 * 24 * 3600));
    world.set_people(people(1..=2));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.invited), (1, 0));
    assert_eq!(world.open_accounts(), ids(1..=2));
}

#[test]
fn people_on_leave_stay_and_unknown_statuses_change_nothing_with_a_warning() {
    let world = World::new(people(1..=3));
    world.run();
    let with = |n, status| changed(n, |e: &mut Employee| e.status = status);
    world.set_people([
        with(1, EmploymentStatus::OnLeave),
        with(2, EmploymentStatus::Unknown(Some("sabbatical".into()))),
        with(3, EmploymentStatus::Pending),
        with(4, EmploymentStatus::Pending),
        with(5, EmploymentStatus::Unknown(None)),
    ]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let expected = [("status.backwards", "r3"), ("status.unknown", "r2"), ("status.unknown", "r5")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, who)| (rule.into(), who.into())));
}

#[test]
fn a_blank_employee_id_is_a_problem_row_and_never_a_leaver() {
    let world = World::new(people(1..=2));
    world.run();
    let blank = |n, id| changed(n, |e: &mut Employee| e.employee_id = id);
    let mut leaving = blank(2, Field::Null);
    leaving.status = EmploymentStatus::Inactive;
    world.set_people([blank(1, Field::Value("  ".into())), leaving, blank(3, Field::Absent)]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let rule = |who: &str| ("employee_id.blank".to_owned(), who.to_owned());
    assert_eq!(World::rules(&plan), [rule("r1"), rule("r2"), rule("r3")]);
}

#[test]
fn a_new_person_without_email_is_one_problem_row_and_blocks_nobody() {
    let world = World::new([
        person(1),
        changed(2, |e| e.work_email = Field::Null),
        changed(3, |e| e.work_email = Field::Value("nobody".into())),
    ]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["create E001"]);
    assert_eq!(plan.summary().problems, 2);
    let rules = World::rules(&plan);
    assert!(rules.contains(&("email.missing".into(), "r2".into())), "{rules:?}");
    assert!(rules.contains(&("email.invalid".into(), "r3".into())), "{rules:?}");
}

#[test]
fn a_known_person_whose_email_is_emptied_keeps_it_with_a_warning() {
    let world = World::new([person(1)]);
    world.run();
    world.set_people([changed(1, |e| {
        e.work_email = Field::Null;
        e.department = Field::Value("Legal".into());
    })]);
    let report = world.run();
    assert_eq!(report.applied.updated, 1, "the rest is used");
    assert_eq!(
        report.problems.keys().map(hris_core::RuleCode::as_str).collect::<Vec<_>>(),
        ["mandatory.emptied"]
    );
    let member = world.target.member_by_employee_id("E001").unwrap();
    assert_eq!(member.attributes.email().unwrap().as_str(), "p1@acme.example");
    let again = world.run();
    assert_eq!(again.planned.actions(), 0);
}

#[test]
fn an_explicit_null_clears_an_optional_attribute_and_an_absent_field_keeps_it() {
    let world = World::new(people(1..=2));
    world.run();
    world.set_people([
        changed(1, |e| e.department = Field::Null),
        changed(2, |e| e.department = Field::Absent),
    ]);
    world.run();
    let department = |id: &str| {
        let member = world.target.member_by_employee_id(id).unwrap();
        member.attributes.text(&MemberField::Department.into()).map(str::to_owned)
    };
    assert_eq!((department("E001"), department("E002")), (None, Some("Sales".into())));
}

#[test]
fn two_new_people_with_one_email_are_both_held_even_across_pages() {
    let mut all = people(1..=9);
    all[8].work_email = Field::Value("P1@acme.example".into());
    let world = World::new(all);
    let plan = world.plan();
    assert_eq!(plan.summary().create, 7);
    let rule = |who: &str| ("email.shared".to_owned(), who.to_owned());
    assert_eq!(World::rules(&plan), [rule("r1"), rule("r9")]);
    assert!(!World::actions(&plan).contains(&"create E001".to_owned()));
}

#[test]
fn a_linked_person_keeps_their_email_against_a_newcomer_in_either_order() {
    for newcomer_first in [false, true] {
        let world = World::new([person(1)]);
        world.run();
        let newcomer = changed(2, |e| e.work_email = Field::Value("p1@acme.example".into()));
        let both = if newcomer_first { [newcomer, person(1)] } else { [person(1), newcomer] };
        world.set_people(both);
        let plan = world.plan();
        assert_eq!(World::actions(&plan), [""; 0]);
        assert_eq!(World::rules(&plan), [("email.shared".into(), "r2".into())]);
        assert_eq!(plan.summary().unchanged, 1);
    }
}

#[test]
fn two_records_with_one_employee_id_are_both_held() {
    let world =
        World::new([person(1), person(2), changed(3, |e| e.employee_id = Field::Value("E001".into()))]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["create E002"]);
    let rule = |who: &str| ("employee_id.shared".to_owned(), who.to_owned());
    assert_eq!(World::rules(&plan), [rule("r1"), rule("r3")]);
}

#[test]
fn a_known_person_whose_employee_id_a_newcomer_shares_is_reported_too() {
    let world = World::new([person(1)]);
    world.run();
    world.set_people([person(1), changed(3, |e| e.employee_id = Field::Value("E001".into()))]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let rule = |who: &str| ("employee_id.shared".to_owned(), who.to_owned());
    assert_eq!(World::rules(&plan), [rule("r1"), rule("r3")]);
}

#[test]
fn the_same_record_twice_counts_once_and_the_newer_row_wins_in_either_order() {
    let stamped = |department: &str, at: &str| {
        changed(1, |e: &mut Employee| {
            e.department = Field::Value(department.into());
            e.modified_at = Some(at.parse().unwrap());
        })
    };
    let (old, new) = (stamped("Old", "2026-01-01T00:00:00Z"), stamped("New", "2026-02-01T00:00:00Z"));
    for rows in [[old.clone(), new.clone()], [new, old]] {
        let world = World::new(rows);
        let plan = world.plan();
        assert_eq!((plan.summary().read, plan.summary().create), (1, 1));
        assert_eq!(World::rules(&plan), [("record.repeated".into(), "r1".into())]);
        world.run();
        let member = world.target.member_by_employee_id("E001").unwrap();
        assert_eq!(member.attributes.text(&MemberField::Department.into()), Some("New"));
    }
}

#[test]
fn the_same_row_twice_is_one() {
    let world = World::new([person(1), person(2), person(1)]);
    let plan = world.plan();
    assert_eq!((plan.summary().read, plan.summary().create), (2, 2));
    assert_eq!(World::rules(&plan), []);
}

#[test]
fn the_same_record_with_different_content_and_no_stamp_is_held() {
    let world =
        World::new([person(1), person(2), changed(1, |e| e.department = Field::Value("Other".into()))]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["create E002"]);
    let rules = World::rules(&plan);
    assert!(rules.iter().all(|(rule, who)| rule == "record.ambiguous" && who == "r1"), "{rules:?}");
}

#[test]
fn a_record_that_turns_inactive_while_it_is_read_leaves_once_by_the_newer_row() {
    let world = World::new(people(1..=2));
    world.run();
    let at = |mut employee: Employee, at: &str| {
        employee.modified_at = Some(at.parse().unwrap());
        employee
    };
    world.set_people([
        at(person(1), "2026-03-01T00:00:00Z"),
        person(2),
        at(inactive(1), "2026-03-02T05:59:00Z"),
    ]);
    assert_eq!(World::actions(&world.plan()), ["leave E001"]);
}

#[test]
fn a_newer_row_that_changes_nothing_takes_the_earlier_change_back() {
    let world = World::new([person(1)]);
    world.run();
    let at = |mut employee: Employee, at: &str| {
        employee.modified_at = Some(at.parse().unwrap());
        employee
    };
    let old = changed(1, |e| e.department = Field::Value("Old".into()));
    world.set_people([at(old, "2026-03-01T00:00:00Z"), at(person(1), "2026-03-02T00:00:00Z")]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    assert_eq!((plan.summary().unchanged, plan.summary().update), (1, 0));
}

#[test]
fn a_changed_employee_id_on_the_same_record_updates_the_key() {
    let world = World::new([person(1)]);
    world.run();
    world.set_people([changed(1, |e| e.employee_id = Field::Value("N1".into()))]);
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.created, report.applied.left), (1, 0, 0));
    assert_eq!(world.open_accounts(), ["N1"]);
    assert!(report.problems.contains_key(&hris_core::rule::EMPLOYEE_ID_CHANGED));
}

#[test]
fn a_member_who_is_there_already_is_adopted_and_not_invited() {
    let world = World::new(people(1..=2));
    let attributes = [("employee_id", "E001"), ("email", "p1@acme.example"), ("first_name", "Old")];
    let attributes = attributes.map(|(field, value)| (field.parse().unwrap(), Some(value.into())));
    world.target.plant(MemberRecord::new("m-old", attributes.into_iter().collect()));
    let report = world.run();
    assert_eq!((report.applied.adopted, report.applied.created, report.applied.invited), (1, 1, 1));
    let member = world.target.member_by_employee_id("E001").unwrap();
    assert_eq!(member.id.as_str(), "m-old");
    assert_eq!(member.attributes.text(&MemberField::FirstName.into()), Some("First1"));
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn somebody_who_matches_two_members_is_a_conflict_and_never_a_pick() {
    let world = World::new([person(1)]);
    let member = |id: &str, pairs: &[(&str, &str)]| {
        let attributes = pairs.iter().map(|(field, value)| (field.parse().unwrap(), Some((*value).into())));
        world.target.plant(MemberRecord::new(id, attributes.collect()));
    };
    member("by-id", &[("employee_id", "E001"), ("email", "other@acme.example")]);
    member("by-mail", &[("employee_id", "X9"), ("email", "P1@acme.example")]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    assert_eq!(World::rules(&plan), [("member.conflict".into(), "r1".into())]);
}

#[test]
fn a_member_with_the_same_email_and_another_employee_id_is_a_conflict() {
    let world = World::new([person(1)]);
    let attributes = [("employee_id", "X9"), ("email", "p1@acme.example")];
    let attributes = attributes.map(|(field, value)| (field.parse().unwrap(), Some(value.into())));
    world.target.plant(MemberRecord::new("m", attributes.into_iter().collect()));
    assert_eq!(World::rules(&world.plan()), [("member.conflict".into(), "r1".into())]);
}

#[test]
fn who_gives_up_an_email_goes_before_who_takes_it() {
    let world = World::new(people(1..=2));
    world.run();
    let mail = |n, mail: &str| changed(n, |e: &mut Employee| e.work_email = Field::Value(mail.into()));
    // 2 moves away, 1 takes the address of 2, and the newcomer 3 that of 1.
    world.set_people([mail(3, "p1@acme.example"), mail(1, "p2@acme.example"), mail(2, "fresh@acme.example")]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["update E002", "update E001", "create E003"]);
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.created, report.applied.failed), (2, 1, 0));
}

#[test]
fn people_who_swap_addresses_are_held_and_keep_theirs() {
    let world = World::new(people(1..=3));
    world.run();
    let mail = |n, mail: &str| changed(n, |e: &mut Employee| e.work_email = Field::Value(mail.into()));
    world.set_people([mail(1, "p2@acme.example"), mail(2, "p1@acme.example"), person(3)]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let rule = |who: &str| ("unique.swapped".to_owned(), who.to_owned());
    assert_eq!(World::rules(&plan), [rule("r1"), rule("r2")]);
}

#[test]
fn a_newcomer_waits_for_an_address_that_its_owner_does_not_give_up() {
    let world = World::new(people(1..=2));
    world.run();
    // Person 1 is missing from the listing, so that their member keeps the address.
    world.set_people([person(2), changed(3, |e| e.work_email = Field::Value("p1@acme.example".into()))]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let expected = [("member.conflict", "r3"), ("person.missing", "r1")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, who)| (rule.into(), who.into())));
}

#[test]
fn a_new_address_is_a_silent_update_of_the_same_member() {
    let world = World::new(people(1..=2));
    world.run();
    let member = world.target.member_by_employee_id("E001").unwrap().id;
    world.set_people([changed(1, |e| e.work_email = Field::Value("married@acme.example".into())), person(2)]);
    let report = world.run();
    let applied = &report.applied;
    assert_eq!((applied.updated, applied.created, applied.left, applied.invited), (1, 0, 0, 0), "{report}");
    let found = world.target.member_by_employee_id("E001").unwrap();
    assert_eq!((found.id, found.active), (member, true));
    assert_eq!(found.attributes.email().unwrap().as_str(), "married@acme.example");
    assert_eq!(world.target.invitations_sent(), 2);
}

#[test]
fn an_inactive_leaver_stays_one_and_can_be_seen_until_the_account_is_deleted() {
    use chrono::Days;
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), inactive(2), person(3)]);
    let first = world.run().irreversible_from.unwrap();
    assert_eq!(first, world.today() + Days::new(60));
    world.clock.advance(std::time::Duration::from_secs(9 * 24 * 3600));
    world.set_people([person(1), inactive(2), inactive(3)]);
    assert_eq!(world.run().irreversible_from, Some(first), "the earliest day is in every report");
    let leavers = |day| {
        use futures_util::TryStreamExt as _;
        let all: Vec<_> = hris_testkit::run(world.engine().leavers(day).try_collect()).unwrap();
        let mut all: Vec<_> = all
            .into_iter()
            .map(|leaver: hris_sync::Leaver| {
                (leaver.person.employee_id.unwrap().to_string(), leaver.irreversible_from.unwrap())
            })
            .collect();
        all.sort();
        all
    };
    let (second, third) = (("E002".to_owned(), first), ("E003".to_owned(), first + Days::new(9)));
    assert_eq!(leavers(world.today()), [second, third.clone()]);
    assert_eq!(leavers(first), [third], "whoever is deleted cannot be brought back");
    let report = world.run();
    assert_eq!((report.planned.actions(), report.irreversible_from), (0, Some(first)), "{report}");
}

#[test]
fn a_case_only_change_of_an_address_is_a_silent_update() {
    let world = World::new([person(1)]);
    world.run();
    world.set_people([changed(1, |e| e.work_email = Field::Value("P1@Acme.example".into()))]);
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.invited, report.applied.failed), (1, 0, 0));
}

#[test]
fn an_unreadable_row_is_reported_and_its_person_counts_as_seen() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people(people(1..=2));
    world.directory.set_rejected([
        RejectedRecord::unreadable(Some("r3".into()), "the row is not an object"),
        RejectedRecord::unreadable(None, "the row has no id"),
    ]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let expected = [("record.unreadable", ""), ("record.unreadable", "r3")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, who)| (rule.into(), who.into())));
    assert_eq!(plan.summary().missing, 0);
}

#[test]
fn a_known_person_who_is_missing_from_a_complete_listing_is_reported_and_stays() {
    let world = World::new(people(1..=5));
    world.run();
    world.set_people(people(1..=4));
    let report = world.run();
    assert_eq!((report.planned.missing, report.applied.left), (1, 0));
    assert_eq!(world.open_accounts(), ids(1..=5));
    assert_eq!(report.problems.get(&hris_core::rule::PERSON_MISSING), Some(&1));
}

#[test]
fn pending_people_are_created_before_their_start_only_by_policy() {
    let pending = || {
        changed(1, |e| {
            e.status = EmploymentStatus::Pending;
            e.start_date = Field::Value("2026-03-08".parse().unwrap());
        })
    };
    let mut world = World::new([pending()]);
    assert_eq!(World::actions(&world.plan()), [""; 0]);
    world.policy.create_before_start_days = Some(7);
    assert_eq!(World::actions(&world.plan()), ["create E001"]);
}

#[test]
fn an_active_person_with_a_past_end_date_stays_with_a_warning() {
    use hris_core::{EmployeeField, FieldMap, FieldRule};
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::EndDate, EmployeeField::EndDate));
    let mapping = std::sync::Arc::new(FieldMap::new(rules).unwrap());
    let world = World::new([changed(1, |e| e.end_date = Field::Value("2026-02-28".parse().unwrap()))]);
    let engine = world.engine_with(mapping);
    let plan = hris_testkit::run(engine.plan(&world.next_run_id(), world.today())).unwrap();
    assert_eq!(World::actions(&plan), ["create E001"]);
    assert_eq!(World::rules(&plan), [("status.end_date_passed".into(), "r1".into())]);
}

#[test]
fn a_target_that_cannot_honour_the_choice_of_inviting_is_refused() {
    use hris_core::Invitations;
    for (invite, can) in [(true, Invitations::Never), (false, Invitations::AlwaysOnCreate)] {
        let mut world = World::new([person(1)]);
        world.policy.invite = invite;
        world.target = world.target.with_capabilities(|capabilities| capabilities.invitations = can);
        assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(world.target.writes(), 0);
    }
}

#[test]
fn invitations_are_counted_for_the_review_and_the_first_load_invites_too() {
    let world = World::new(people(1..=6));
    let plan = world.plan();
    assert_eq!(plan.summary().invitations, 6);
    assert_eq!(plan.header().verdict, Verdict::Ready);
    assert!(plan.header().first_import);
}

#[test]
fn without_invitations_nobody_is_invited() {
    let mut world = World::new(people(1..=2));
    world.policy.invite = false;
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.invited), (2, 0));
    assert_eq!(world.target.invitations_sent(), 0);
}

#[test]
fn who_gives_up_an_employee_id_goes_before_who_takes_it() {
    let world = World::new(people(1..=1));
    world.run();
    let id = |n, id: &str| changed(n, |e: &mut Employee| e.employee_id = Field::Value(id.into()));
    world.set_people([id(2, "E001"), id(1, "N1")]);
    assert_eq!(World::actions(&world.plan()), ["update N1", "create E001"]);
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.created, report.applied.failed), (1, 1, 0));
}

#[test]
fn a_known_person_who_is_to_get_the_address_of_a_foreign_member_is_held() {
    let world = World::new([person(1)]);
    world.run();
    let attributes = [("employee_id", "X9"), ("email", "fresh@acme.example")];
    let attributes = attributes.map(|(field, value)| (field.parse().unwrap(), Some(value.into())));
    world.target.plant(MemberRecord::new("foreign", attributes.into_iter().collect()));
    world.set_people([changed(1, |e| e.work_email = Field::Value("fresh@acme.example".into()))]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    assert_eq!(World::rules(&plan), [("member.conflict".into(), "r1".into())]);
}
