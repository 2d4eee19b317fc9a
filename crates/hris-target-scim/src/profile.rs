//! The habits and rules of platforms: Reward Gateway, and any other SCIM 2.0 server.
//!
//! Source of the facts: `docs/vendors/reward-gateway-scim.md`. What is unknown there is a setting, with a cautious value.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use hris_core::{AttributeRule, Characters, EmailForm, MemberField, MemberRules, TargetField};
use serde::{Deserialize, Serialize};

use crate::ArrayPatch;
use crate::attributes::{AttributePlace, standard};

/// Whose habits and rules hold where a configuration says nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Profile {
    /// Any SCIM 2.0 server: all standard attributes, permissive rules, 5 requests a second, 2 at a time.
    #[default]
    Generic,
    /// Reward Gateway: the attributes that are known to work, its rules for members, a close-down of 60 days, 2
    /// requests a second, 1 at a time. It is taken to invite whoever is created, so that nobody else does.
    RewardGateway,
}

/// What integrations in production are known to write (`docs/vendors/reward-gateway-scim.md`).
const CONFIRMED: [MemberField; 5] = [
    MemberField::EmployeeId,
    MemberField::Email,
    MemberField::FirstName,
    MemberField::LastName,
    MemberField::Department,
];

impl Profile {
    pub(crate) fn places(self) -> BTreeMap<TargetField, AttributePlace> {
        let mut places = standard();
        if self == Self::RewardGateway {
            places.retain(|field, _| CONFIRMED.iter().any(|confirmed| *field == (*confirmed).into()));
        }
        places
    }

    /// The rules for members that hold with this profile; a start for rules of one's own.
    ///
    /// Generic: [`MemberRules::minimal`]. Reward Gateway: its published ones, and for every other attribute at most 50
    /// characters without angle brackets, as a warning.
    pub fn rules(self) -> MemberRules {
        match self {
            Self::Generic => MemberRules::minimal(),
            Self::RewardGateway => reward_gateway_rules(),
        }
    }

    pub(crate) fn arrays(self) -> ArrayPatch {
        match self {
            Self::Generic => ArrayPatch::Whole,
            Self::RewardGateway => ArrayPatch::Filtered,
        }
    }

    pub(crate) fn welcomes(self) -> bool {
        self == Self::RewardGateway
    }

    pub(crate) fn close_down_days(self) -> Option<u32> {
        (self == Self::RewardGateway).then_some(60)
    }

    pub(crate) fn requests_per_second(self) -> u32 {
        match self {
            Self::Generic => 5,
            Self::RewardGateway => 2,
        }
    }

    pub(crate) fn max_in_flight(self) -> NonZeroUsize {
        match self {
            Self::Generic => NonZeroUsize::MIN.saturating_add(1),
            Self::RewardGateway => NonZeroUsize::MIN,
        }
    }
}

/// "Membership Data Validation" of the vendor's help centre.
fn reward_gateway_rules() -> MemberRules {
    let email = AttributeRule::required().with_email(EmailForm::PhpFilter).with_length(1, 200);
    let email = email.with_characters(Characters::NoAngleBrackets);
    let name = AttributeRule::new().with_length(1, 50).with_characters(Characters::Name);
    let gender = AttributeRule::new().with_one_of(["M", "F", "X", "N"]);
    // The published table breaks off; the limits of its last lines are taken for the rest, without refusing anything.
    let other =
        AttributeRule::new().with_length(1, 50).with_characters(Characters::NoAngleBrackets).warning_only();
    let mut rules = MemberRules::none()
        .with(MemberField::EmployeeId, AttributeRule::required())
        .with(MemberField::Email, email.clone())
        .with(MemberField::PersonalEmail, email.optional())
        .with(MemberField::FirstName, name.clone())
        .with(MemberField::LastName, name)
        .with(MemberField::Gender, gender);
    for field in [
        MemberField::MiddleName,
        MemberField::DisplayName,
        MemberField::Phone,
        MemberField::Department,
        MemberField::Location,
        MemberField::Country,
        MemberField::JobTitle,
        MemberField::Company,
        MemberField::Language,
    ] {
        rules = rules.with(field, other.clone());
    }
    rules
}
