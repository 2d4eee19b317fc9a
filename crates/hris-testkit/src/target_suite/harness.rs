//! What a target's test file hands to the suite: the platform behind the target, and what can be done to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{
    Attributes, EmployeeId, MemberField, MemberId, ProvisioningTarget, Result, TargetField, Value,
};

use crate::ManualClock;
pub use crate::suite::SkipReason;

/// The platform behind the target under test, as the suite steers it and looks at it without the target: a simulator,
/// a file, a mock.
///
/// What is not offered (`None`, `false`) cannot be tested, and has to stand in the list of skips
/// ([`TargetHarness::skipping`]).
pub trait TestPlatform: Send + Sync + 'static {
    /// Builds a target of this platform, or `None` where there is no such case. `Some(Err(…))` is what the target's own
    /// constructor answered. [`TargetCase::Good`] has to be there; it is asked for after accounts were planted.
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>>;

    /// Every account that is not deleted, closed ones among them, as the platform itself has it. Never through the
    /// target.
    fn members(&self) -> Vec<RawMember>;

    /// How many writes the platform has carried out, those that changed nothing among them; each operation of a batch
    /// counts. Refused ones do not count, nor does what is done by hand.
    fn writes(&self) -> u64;

    /// How many requests arrived, reads and writes, where the platform counts them.
    fn asked(&self) -> Option<u64> {
        None
    }

    /// Makes an account by hand. It may clash with others, where the platform lets administrators do that.
    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let _ = account;
        None
    }

    /// Changes attributes of an account by hand; `None` empties one. False where nobody can.
    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        let _ = (member, changes);
        false
    }

    /// Deletes an account by hand. False where nobody can.
    fn remove(&self, member: &MemberId) -> bool {
        let _ = member;
        false
    }

    /// Lets something go wrong from now on; false where that cannot happen.
    fn fault(&self, fault: PlatformFault) -> bool {
        let _ = fault;
        false
    }

    /// Ends what [`TestPlatform::fault`] began. Writes that were never answered may be let go.
    fn clear_faults(&self) {}
}

/// How a target is to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetCase {
    /// With a token that may read and write.
    Good,
    /// As [`TargetCase::Good`], listing the roster in pages of so many members.
    PageSize(u32),
    /// With a token (or a way of opening) that may only read.
    ReadOnly,
    /// With a token that the platform refuses.
    WrongToken,
}

/// What can go wrong on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlatformFault {
    /// The next write is carried out and answered with a failure of the server, such as status 500.
    StoresAndFails,
    /// The next write is carried out and never answered; the connection stays open.
    StoresAndHangs,
    /// The next write is answered as if it had been carried out, and is not.
    AnswersAndForgets,
    /// The next write about the person with this Employee ID is refused by a rule of the platform, and not carried out.
    Refuses(EmployeeId),
    /// After so many more writes, one is not carried out: the platform asks to slow down, such as by status 429.
    SlowsDown {
        /// The writes before it.
        after: u64,
    },
    /// After so many more writes no write is carried out: the platform is down, such as by status 503.
    IsDown {
        /// The writes before it.
        after: u64,
    },
    /// Every look-up fails.
    FindsFail,
    /// Every listing fails once about so many members have been listed.
    RosterFails {
        /// The members before it.
        after: usize,
    },
}

/// An account that was not made by the target.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Planted {
    /// What it has of the attributes that the target writes.
    pub attributes: Attributes,
    /// Whether the account is open.
    pub active: bool,
    /// Whether it also has something that the target knows nothing of, to be found in [`RawMember::other`].
    pub other: bool,
}

impl Planted {
    /// An open account with these attributes and nothing else.
    pub fn new(attributes: Attributes) -> Self {
        Self { attributes, active: true, other: false }
    }

    /// A closed account.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.active = false;
        self
    }

    /// An account with something that the target knows nothing of.
    #[must_use]
    pub fn with_other(mut self) -> Self {
        self.other = true;
        self
    }
}

/// An account as the platform has it. `Debug` shows no attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RawMember {
    /// The platform's own id.
    pub id: MemberId,
    /// Whether the account is open.
    pub active: bool,
    /// How often the platform invited this member.
    pub invitations: u64,
    /// The attributes that the target writes, by their names in mappings; values are compared as text.
    pub attributes: Attributes,
    /// Everything else that an update could damage, in any form in which a change shows. Not versions or times.
    pub other: BTreeMap<String, String>,
}

impl RawMember {
    /// An open account that was not invited and has nothing beside its attributes.
    pub fn new(id: impl Into<MemberId>, attributes: Attributes) -> Self {
        Self { id: id.into(), active: true, invitations: 0, attributes, other: BTreeMap::new() }
    }

    /// Says whether the account is open.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.active = active;
        self
    }

    /// Says how often the member was invited.
    #[must_use]
    pub fn with_invitations(mut self, invitations: u64) -> Self {
        self.invitations = invitations;
        self
    }

    /// Adds something that the target knows nothing of.
    #[must_use]
    pub fn with_other(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.other.insert(name.into(), value.into());
        self
    }
}

/// An optional attribute that the target writes, with two values that the platform takes.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) field: TargetField,
    pub(crate) values: [Value; 2],
}

/// A fresh, empty platform, and what the suite has to know about the target.
pub struct TargetHarness {
    platform: Arc<dyn TestPlatform>,
    clock: ManualClock,
    samples: Vec<Sample>,
    secrets: Vec<String>,
    attempt: Duration,
    total: Duration,
    roster: u32,
    shares_addresses: bool,
    skips: Vec<SkipReason>,
}

impl TargetHarness {
    /// A harness for an empty platform whose targets go by this clock.
    ///
    /// The clock should skip the waits between attempts but no time-out: [`ManualClock::skipping`].
    pub fn new(platform: impl TestPlatform, clock: ManualClock) -> Self {
        Self {
            platform: Arc::new(platform),
            clock,
            samples: Vec::new(),
            secrets: Vec::new(),
            attempt: Duration::from_secs(30),
            total: Duration::from_secs(600),
            roster: 23,
            shares_addresses: false,
            skips: Vec::new(),
        }
    }

    /// An optional attribute that the target writes, with two different values that the platform takes. At least two
    /// attributes are needed; unless some are named, they are given and family name.
    #[must_use]
    pub fn with_attribute(
        mut self,
        field: impl Into<TargetField>,
        one: impl Into<Value>,
        other: impl Into<Value>,
    ) -> Self {
        self.samples.push(Sample { field: field.into(), values: [one.into(), other.into()] });
        self
    }

    /// Texts that must not be shown or traced anywhere, beside the members' own data: tokens, keys.
    #[must_use]
    pub fn with_secrets<S: Into<String>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(secrets.into_iter().map(Into::into));
        self
    }

    /// The time-out of one attempt and the time allowed to one operation with all its attempts; 30 seconds and 10
    /// minutes, the defaults of `hris-http`, unless said otherwise.
    #[must_use]
    pub fn with_timeouts(mut self, attempt: Duration, total: Duration) -> Self {
        (self.attempt, self.total) = (attempt, total);
        self
    }

    /// How many members a roster has to have (23) to come in several pages, where the target's pages have a fixed
    /// size and there is no [`TargetCase::PageSize`].
    #[must_use]
    pub fn with_roster_of(mut self, members: u32) -> Self {
        self.roster = members;
        self
    }

    /// Says that several members of this platform may have one e-mail address.
    #[must_use]
    pub fn with_shared_addresses(mut self) -> Self {
        self.shares_addresses = true;
        self
    }

    /// The behaviours that cannot be tested with this target, each with its reason.
    ///
    /// The list is held against what the harness offers and the target is capable of, both ways: a behaviour that
    /// cannot run and is not listed fails, and so does one that is listed and runs.
    #[must_use]
    pub fn skipping(mut self, skips: &[SkipReason]) -> Self {
        self.skips.extend_from_slice(skips);
        self
    }

    pub(crate) fn platform(&self) -> &dyn TestPlatform {
        &*self.platform
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The optional attributes, of which there are two or more.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        if !self.samples.is_empty() {
            assert!(
                self.samples.len() > 1,
                "name a second attribute in the harness: some are changed, others kept"
            );
            return self.samples.clone();
        }
        let sample = |field: MemberField, values: [&str; 2]| Sample {
            field: field.into(),
            values: values.map(Value::from),
        };
        vec![
            sample(MemberField::FirstName, ["Maialen", "Garazi"]),
            sample(MemberField::LastName, ["Olmedo", "Etxeberria"]),
        ]
    }

    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    pub(crate) fn timeouts(&self) -> (Duration, Duration) {
        (self.attempt, self.total)
    }

    pub(crate) fn roster_size(&self) -> u32 {
        self.roster
    }

    pub(crate) fn shares_addresses(&self) -> bool {
        self.shares_addresses
    }

    pub(crate) fn skips(&self) -> &[SkipReason] {
        &self.skips
    }
}

impl fmt::Debug for TargetHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.samples.iter().map(|sample| sample.field.to_string()).collect();
        f.debug_struct("TargetHarness")
            .field("attributes", &fields)
            .field("attempt", &self.attempt)
            .field("total", &self.total)
            .field("roster", &self.roster)
            .field("shares_addresses", &self.shares_addresses)
            .field("skips", &self.skips)
            .finish_non_exhaustive()
    }
}
