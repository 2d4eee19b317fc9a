//! Welcoming new members ourselves, only where the platform does not invite.

use hris_core::connections::{WelcomeLedger as _, WelcomeState};
use hris_core::{ConnectionKey, ErrorKind, Invitations, NoticeContent};
use hris_testkit::{MockConnector, MockTarget, TargetFault};

use crate::house::{House, people};

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
    changed[0].first_name = hris_core::Field::Value("Other".to_owned());
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
