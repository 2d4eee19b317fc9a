//! Which member of the platform a person is who is linked to none: rules by precedence, each an "and" of attributes.

use hris_core::{Attributes, Error, MemberRecord, Result, TargetField, fold_email};
use serde::{Deserialize, Serialize};

/// A rule by which a member who is there already is taken for a person: they agree in all of these attributes.
///
/// Members are looked for by Employee ID and by e-mail address, so that a rule names one of them.
///
/// ```
/// use hris_core::{MemberField, TargetField};
/// use hris_sync::MatchRule;
/// let rule = MatchRule::all([TargetField::EMAIL, MemberField::BirthDate.into()]);
/// assert!(rule.check().is_ok());
/// assert!(MatchRule::all([MemberField::LastName.into()]).check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MatchRule {
    /// The attributes that agree.
    pub all: Vec<TargetField>,
    /// Whether the member may have another Employee ID, which is changed then. Otherwise that is a conflict.
    #[serde(default)]
    pub any_employee_id: bool,
}

impl MatchRule {
    /// A rule of attributes that all agree.
    pub fn all(fields: impl IntoIterator<Item = TargetField>) -> Self {
        Self { all: fields.into_iter().collect(), any_employee_id: false }
    }

    /// Lets the member have another Employee ID.
    #[must_use]
    pub fn with_any_employee_id(mut self) -> Self {
        self.any_employee_id = true;
        self
    }

    /// The rules that hold unless others are set: by Employee ID, then by an e-mail address whose member has no
    /// Employee ID.
    pub fn usual() -> Vec<Self> {
        vec![Self::all([TargetField::EMPLOYEE_ID]), Self::all([TargetField::EMAIL])]
    }

    /// Checks that members can be looked for by this rule.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] where it names neither Employee ID nor e-mail address.
    pub fn check(&self) -> Result<()> {
        if self.all.contains(&TargetField::EMPLOYEE_ID) || self.all.contains(&TargetField::EMAIL) {
            return Ok(());
        }
        Err(Error::config(
            "a matching rule names neither Employee ID nor e-mail address",
            "add one of them: members are looked for by these two",
        ))
    }

    fn agrees(&self, wanted: &Attributes, member: &Attributes) -> bool {
        self.all.iter().all(|field| {
            let (one, other) = (wanted.get(field).flatten(), member.get(field).flatten());
            let (Some(one), Some(other)) = (one, other) else { return false };
            match (one.as_text(), other.as_text()) {
                (Some(one), Some(other)) if *field == TargetField::EMAIL => {
                    fold_email(one) == fold_email(other)
                }
                _ => one == other,
            }
        })
    }
}

/// Why a member who has a person's Employee ID or address is not taken for that person; `None` if they are.
pub(crate) fn why_not(
    rules: &[MatchRule],
    wanted: &Attributes,
    member: &MemberRecord,
) -> Option<&'static str> {
    let Some(rule) = rules.iter().find(|rule| rule.agrees(wanted, &member.attributes)) else {
        return Some(
            "a member has this Employee ID or e-mail address, and by no matching rule it is this person; correct one of \
             them",
        );
    };
    let id = member.attributes.employee_id();
    let has_another = id.is_some() && id != wanted.employee_id();
    (has_another && !rule.any_employee_id)
        .then_some("the member with this e-mail address has another Employee ID; correct one of them")
}
