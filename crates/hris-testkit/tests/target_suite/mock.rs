//! The mock target keeps every promise of a target that a platform without a network can be held to, however it invites.

use std::sync::Arc;
use std::time::Duration;

use hris_core::{
    Attributes, Invitations, MemberId, MemberRecord, Parking, ProvisioningTarget, Result, TargetCapabilities,
    TargetField, rule,
};
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, SkipReason, TargetCase, TargetHarness, TestPlatform,
};
use hris_testkit::{ManualClock, MockTarget, TargetFault};

/// A platform that is the mock itself.
pub(crate) struct Platform(pub(crate) MockTarget);

/// What accounts made by hand have beside the rest.
fn other() -> TargetField {
    TargetField::Custom("nickname".into())
}

impl TestPlatform for Platform {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        (case == TargetCase::Good).then(|| Ok(Arc::new(self.0.clone()) as _))
    }

    fn members(&self) -> Vec<RawMember> {
        let raw = self.0.members().into_iter().map(|mut member| {
            let nickname = member.attributes.text(&other()).map(str::to_owned);
            member.attributes.merge(&Attributes::from_iter([(other(), None)]));
            let invitations = self.0.invitations(&member.id);
            let raw = RawMember::new(member.id, member.attributes).with_active(member.active);
            let raw = raw.with_invitations(invitations);
            nickname.into_iter().fold(raw, |raw, nickname| raw.with_other("nickname", nickname))
        });
        raw.collect()
    }

    fn writes(&self) -> u64 {
        self.0.writes()
    }

    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let id = MemberId::from(format!("planted-{}", self.0.members().len()));
        let mut attributes = account.attributes.clone();
        if account.other {
            attributes.set(other(), Some("Pirulo".into()));
        }
        let mut record = MemberRecord::new(id.clone(), attributes);
        record.active = account.active;
        self.0.plant(record);
        Some(id)
    }

    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        self.0.edit(member, changes)
    }

    fn remove(&self, member: &MemberId) -> bool {
        self.0.remove(member)
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        let nth = |after: u64| self.0.log().len() as u64 + after + 1;
        let down = hris_core::ErrorKind::Unavailable;
        let rule = match fault {
            PlatformFault::StoresAndFails => TargetFault::StoresButAnswersInDoubt.on_nth(nth(0)),
            PlatformFault::AnswersAndForgets => TargetFault::AnswersOkButStoresNothing.on_nth(nth(0)),
            PlatformFault::Refuses(id) => TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee(id),
            PlatformFault::SlowsDown { after } => {
                TargetFault::NotAttempted { retryable: true }.on_nth(nth(after))
            }
            PlatformFault::IsDown { after } => {
                TargetFault::NotAttempted { retryable: true }.on_nth(nth(after)).always()
            }
            PlatformFault::FindsFail => TargetFault::FindFails(down).always(),
            PlatformFault::RosterFails { after } => TargetFault::RosterFails { after, kind: down }.always(),
            _ => return false,
        };
        self.0.add_fault(rule);
        true
    }

    fn clear_faults(&self) {
        self.0.clear_faults();
    }
}

/// As [`PlatformFault::StoresAndHangs`], for whoever gives up waiting.
pub(crate) fn hang(mock: &MockTarget) {
    let nth = mock.log().len() as u64 + 1;
    mock.add_fault(TargetFault::SlowAnswer(Duration::from_secs(24 * 3600)).on_nth(nth));
}

fn harness(change: fn(&mut TargetCapabilities), skips: &[SkipReason]) -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let mock = MockTarget::new(clock.clone()).with_capabilities(change);
    TargetHarness::new(Platform(mock), clock).skipping(NO_NETWORK).skipping(skips)
}

fn parking(can: &mut TargetCapabilities) {
    let parking = Parking::new().with_email("parked+{token}@acme.example").unwrap();
    can.parking = Some(parking.with_employee_id("parked-{token}").unwrap());
}

async fn with_everything() -> TargetHarness {
    harness(parking, &[])
}

async fn with_little() -> TargetHarness {
    let skips = [
        ("as_many_calls_as_declared_may_be_under_way", "one call at a time"),
        ("who_take_over_each_others_values_go_by_way_of_temporary_ones", "none are allowed"),
        ("the_close_down_lasts_as_long_as_declared", "no close-down is declared"),
        ("the_roster_lists_everybody_exactly_once", "it lists nobody"),
        ("a_roster_that_breaks_off_ends_with_an_error", "it lists nobody"),
    ];
    harness(|can| *can = TargetCapabilities::default(), &skips)
}

async fn inviting_always() -> TargetHarness {
    let inviting = |can: &mut TargetCapabilities| {
        parking(can);
        can.invitations = Invitations::AlwaysOnCreate;
    };
    harness(inviting, &[])
}

const NO_NETWORK: &[SkipReason] = &[
    ("nothing_is_sent_before_the_first_poll", "nothing is sent"),
    ("a_wrong_token_is_unauthorized", "it has no tokens"),
    ("a_read_only_token_reads_and_is_told_apart_when_it_is_to_write", "it has no tokens"),
    ("a_write_that_is_stored_and_never_answered_is_in_doubt", "it waits as long as it is told to"),
];

hris_testkit::target_conformance!(mock_with_everything, with_everything);
hris_testkit::target_conformance!(mock_with_little, with_little);
hris_testkit::target_conformance!(mock_that_always_invites, inviting_always);
