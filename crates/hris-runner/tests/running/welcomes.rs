//! Welcoming new members ourselves, only where the platform does not invite.

use hris_core::connections::{WelcomeLedger as _, WelcomeState};
use hris_core::store::Runs as _;
use hris_core::{
    ConnectionKey, EmploymentStatus, ErrorKind, Field, Invitations, NoticeContent, Parking, rule,
};
use hris_sync::Policy;
use hris_testkit::{MockConnector, MockTarget, TargetFault};

use crate::house::{House, people, person};

fn key() -> ConnectionKey {
    ConnectionKey::new("brisa", "acme")
}

fn silent(house: &House) -> MockTarget {
    house.target().with_capabilities(|it| it.invitations = Invitations::Never)
}

fn welcomed(house: &House) -> Vec<String> {
    let notices = house.notices.all();
    let welcomes = notices.iter().filter(|notice| notice.content.kind() == "welcome");
    let mut addresses: Vec<_> = welcomes.map(|notice| notice.to[0].address.as_str().to_owned()).collect();
    addresses.sort();
    addresses
}

fn owed(house: &House) -> Vec<WelcomeState> {
    let welcomes = house.clock.drive(house.store.welcomes(&key())).unwrap();
    welcomes.into_iter().map(|(_, state)| state).collect()
}

#[test]
fn each_new_member_gets_one_welcome_and_known_ones_none() {
    let house = House::with_welcome(true);
    let connector = MockConnector::new(people(0..3));
    let report = house.publish(&key(), connector.clone(), silent(&house));
    assert_eq!(report.applied.invited, 3);
    assert_eq!(welcomed(&house).len(), 3, "the first import invites too");
    let mut changed = people(0..4);
    changed[0].first_name = Field::Value("Other".to_owned());
    connector.set_people(changed);
    house.run_for(24);
    assert_eq!(
        welcomed(&house),
        ["person.0", "person.1", "person.2", "person.3"].map(|name| format!("{name}@brisa.example"))
    );
    assert!(owed(&house).is_empty(), "nothing about anybody stays");
    let notices = house.notices.all();
    let welcome = notices.iter().find(|notice| notice.content.kind() == "welcome").unwrap();
    assert!(
        matches!(&welcome.content, NoticeContent::Welcome { organisation, link: Some(_) } if organisation == "Talleres Brisa")
    );
}

#[test]
fn a_platform_that_invites_is_left_to_it() {
    let house = House::with_welcome(true);
    let target = house.target();
    house.publish(&key(), MockConnector::new(people(0..3)), target.clone());
    assert_eq!((target.invitations_sent(), welcomed(&house).len()), (3, 0), "never both");
}

#[test]
fn a_welcome_waits_for_a_mail_server_that_is_down_and_is_sent_by_the_next_run() {
    let house = House::with_welcome(true);
    house.notices.failing(Some(ErrorKind::Unavailable));
    house.publish(&key(), MockConnector::new(people(0..2)), silent(&house));
    assert_eq!(owed(&house), [WelcomeState::Owed; 2]);
    house.notices.failing(None);
    house.run_for(12);
    assert_eq!((welcomed(&house).len(), owed(&house).len()), (2, 0));
}

#[test]
fn a_welcome_that_may_have_been_sent_is_not_sent_again() {
    let house = House::with_welcome(true);
    house.notices.failing(Some(ErrorKind::Timeout));
    house.publish(&key(), MockConnector::new(people(0..2)), silent(&house));
    house.notices.failing(None);
    house.run_for(48);
    assert!(welcomed(&house).is_empty());
    assert_eq!(owed(&house), [WelcomeState::Uncertain; 2], "listed for a person");
}

#[test]
fn an_account_whose_creation_was_in_doubt_is_welcomed_once_it_is_found() {
    let house = House::with_welcome(true);
    let target = silent(&house).with_fault(TargetFault::StoresButAnswersInDoubt.on_employee("0001"));
    house.publish(&key(), MockConnector::new(people(0..2)), target.clone());
    assert_eq!((target.members().len(), welcomed(&house).len()), (2, 2));
    assert!(owed(&house).is_empty());
}

#[test]
fn whose_hire_is_rescinded_before_their_welcome_went_out_gets_none() {
    let house = House::with_welcome(true);
    let hired = |status| {
        let mut it = person(1);
        (it.status, it.start_date) = (status, Field::Value("2026-03-12".parse().unwrap()));
        it
    };
    let connector = MockConnector::new([person(0), hired(EmploymentStatus::Pending)]);
    let mut policy = Policy::default();
    policy.create_before_start_days = Some(14);
    house.notices.failing(Some(ErrorKind::Unavailable));
    let report = house.publish_with(&policy, &key(), connector.clone(), silent(&house));
    assert_eq!((report.applied.invited, owed(&house)), (2, vec![WelcomeState::Owed; 2]));
    connector.set_people([person(0), hired(EmploymentStatus::Inactive)]);
    house.notices.failing(None);
    house.run_for(24);
    let runs = house.clock.drive(house.store.runs(&key(), 0, 9)).unwrap();
    assert_eq!(runs.iter().map(|run| run.applied.withdrawn).sum::<u64>(), 1);
    assert_eq!(welcomed(&house), ["person.0@brisa.example"]);
    assert!(owed(&house).is_empty(), "nothing is owed any more");
}

#[test]
fn a_welcome_waits_while_its_member_has_a_temporary_address() {
    let house = House::with_welcome(true);
    let parking = Parking::new().with_email("parked+{token}@sync.brisa.example").unwrap();
    let target = silent(&house).with_capabilities(|it| it.parking = Some(parking));
    let connector = MockConnector::new(people(0..2));
    house.notices.failing(Some(ErrorKind::Unavailable));
    house.publish(&key(), connector.clone(), target.clone());
    // They swap their addresses, and the second step is refused for a night.
    let mail = |n, other: u32| {
        let mut it = person(n);
        it.work_email = Field::Value(format!("person.{other}@brisa.example"));
        it
    };
    connector.set_people([mail(0, 1), mail(1, 0)]);
    let second = target.log().len() as u64 + 2;
    target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_nth(second));
    house.notices.failing(None);
    house.run_for(12);
    assert_eq!((welcomed(&house).len(), owed(&house)), (1, vec![WelcomeState::Owed]), "one is parked");
    house.run_for(24);
    assert_eq!(welcomed(&house).len(), 2);
    assert!(welcomed(&house).iter().all(|address| !address.contains("sync")));
    assert!(owed(&house).is_empty());
}
