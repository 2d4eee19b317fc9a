//! The Club as its administrators see it, and its harness.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use hris_core::{Attributes, MemberField, MemberId, Parking, ProvisioningTarget, Result, TargetField, Value};
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, TargetCase, TargetHarness, TestPlatform,
};
use hris_testkit::{ManualClock, MockTarget};

use super::Flaw;
use super::target::{ClubTarget, Token};
use crate::mock::{Platform, hang};

/// What the Club has beside its members: counters of what a flawed target does behind the mock's back.
pub(crate) struct Club {
    pub(crate) mock: MockTarget,
    pub(crate) clock: ManualClock,
    pub(crate) asked: AtomicU64,
    pub(crate) more_writes: AtomicU64,
    pub(crate) more_invitations: Mutex<BTreeMap<MemberId, u64>>,
}

struct TestClub {
    club: Arc<Club>,
    by_hand: Platform,
    flaw: Flaw,
}

pub(crate) fn harness(flaw: Flaw) -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let mock = MockTarget::new(clock.clone()).with_capabilities(|can| {
        let parking = Parking::new().with_email("parked+{token}@club.example");
        can.parking = parking.and_then(|parking| parking.with_employee_id("parked-{token}")).ok();
    });
    let club = Club {
        mock: mock.clone(),
        clock: clock.clone(),
        asked: AtomicU64::new(0),
        more_writes: AtomicU64::new(0),
        more_invitations: Mutex::default(),
    };
    let platform = TestClub { club: Arc::new(club), by_hand: Platform(mock), flaw };
    let day = |day| NaiveDate::from_ymd_opt(2021, 9, day).unwrap();
    TargetHarness::new(platform, clock)
        .with_attribute(MemberField::StartDate, day(2), day(9))
        .with_attribute(MemberField::LastName, "Olmedo", "Etxeberria")
        .with_attribute(TargetField::Custom("badge".into()), "red", "blue")
        .with_secrets([Token::Good.secret(), Token::ReadOnly.secret(), Token::Wrong.secret()])
}

impl TestPlatform for TestClub {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        let (token, page) = match case {
            TargetCase::Good => (Token::Good, 100),
            TargetCase::PageSize(rows) => (Token::Good, rows as usize),
            TargetCase::ReadOnly => (Token::ReadOnly, 100),
            TargetCase::WrongToken => (Token::Wrong, 100),
            _ => return None,
        };
        Some(Ok(Arc::new(ClubTarget::new(Arc::clone(&self.club), token, page, self.flaw))))
    }

    fn members(&self) -> Vec<RawMember> {
        let more = self.club.more_invitations.lock().unwrap();
        let raw = self.by_hand.members().into_iter().map(|raw| {
            let invitations = raw.invitations + more.get(&raw.id).copied().unwrap_or_default();
            raw.with_invitations(invitations)
        });
        raw.collect()
    }

    fn writes(&self) -> u64 {
        self.club.mock.writes() + self.club.more_writes.load(Ordering::Relaxed)
    }

    fn asked(&self) -> Option<u64> {
        Some(self.club.asked.load(Ordering::Relaxed))
    }

    fn plant(&self, account: &Planted) -> Option<MemberId> {
        self.by_hand.plant(account)
    }

    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        self.by_hand.edit(member, changes)
    }

    fn remove(&self, member: &MemberId) -> bool {
        self.by_hand.remove(member)
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        if fault == PlatformFault::StoresAndHangs {
            hang(&self.club.mock);
            return true;
        }
        self.by_hand.fault(fault)
    }

    fn clear_faults(&self) {
        self.by_hand.clear_faults();
    }
}

/// A value as text.
pub(crate) fn as_text(value: &Value) -> Value {
    Value::Text(value.to_string())
}
