//! From drafts to actions: asks the links and the target, finds members before any is created, picks none of two.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::keys::{FieldTag, Fingerprinter, Prints};
use hris_core::store::{Link, Links};
use hris_core::{
    Action, ActionKind, Attributes, ConnectionKey, Expectation, Invitations, LeaveReason, LinkAfter,
    LinkState, MemberQuery, MemberRecord, Problem, ProvisioningTarget, RecordId, Result, TargetField, rule,
};

use chrono::{Days, NaiveDate};

use crate::planner::{Draft, Fate, Intent, Planner};

/// What drafts are held against.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    pub(crate) connection: &'a ConnectionKey,
    pub(crate) links: &'a dyn Links,
    pub(crate) target: &'a dyn ProvisioningTarget,
    pub(crate) fingerprinter: &'a Fingerprinter,
    pub(crate) targets: &'a [TargetField],
    pub(crate) invite: bool,
    pub(crate) as_of: NaiveDate,
}

/// What the target has for somebody who is to be created.
enum Match {
    None,
    Member(Box<MemberRecord>),
    /// Matched by address alone, and linked to this other record.
    OwnedBy(RecordId),
    Conflict(&'static str),
}

impl Resolver<'_> {
    /// Turns the drafts of a page into actions. Those that come to nothing, or to a problem, are told to the
    /// planner.
    pub(crate) async fn resolve(&self, drafts: Vec<Draft>, planner: &mut Planner) -> Result<Vec<Action>> {
        let records: Vec<_> = drafts.iter().map(|draft| draft.person.record.clone()).collect();
        let links = self.links.links_of(self.connection, &records).await?;
        let in_flight = self.target.capabilities().max_in_flight.get();
        let matched: Vec<_> = stream::iter(drafts.into_iter().zip(links))
            .map(|(draft, link)| async move {
                let found = match draft.intent {
                    Intent::Create { .. } => Some(self.find(&draft).await?),
                    _ => None,
                };
                Ok::<_, hris_core::Error>((draft, link, found))
            })
            .buffered(in_flight)
            .try_collect()
            .await?;
        let actions = matched
            .into_iter()
            .filter_map(|(draft, link, found)| match (found, link) {
                (Some(found), link) => self.create(draft, link.as_ref(), found, planner),
                (None, Some(link)) => self.change(draft, link, planner),
                (None, None) => {
                    conflict(
                        &draft,
                        "the link of this person is not in the store any more",
                        planner,
                    );
                    None
                }
            });
        Ok(actions.collect())
    }

    /// Looks for the member that a create would double.
    async fn find(&self, draft: &Draft) -> Result<Match> {
        let (Some(id), Some(email)) = (draft.attributes.employee_id(), draft.attributes.email()) else {
            return Ok(Match::Conflict(
                "Employee ID and e-mail address are not both texts; correct the mapping",
            ));
        };
        let by_id = self.target.find(&MemberQuery::EmployeeId(id)).await?;
        let by_email = self.target.find(&MemberQuery::Email(email)).await?;
        let matched_by_id = !by_id.is_empty();
        let mut members = by_id;
        for member in by_email {
            if members.iter().all(|known| known.id != member.id) {
                members.push(member);
            }
        }
        let mut members = members.into_iter();
        let Some(member) = members.next() else {
            return Ok(Match::None);
        };
        if members.next().is_some() {
            return Ok(Match::Conflict(
                "two members match this employee by Employee ID and e-mail; correct one",
            ));
        }
        self.judge_match(draft, member, matched_by_id).await
    }

    async fn judge_match(&self, draft: &Draft, member: MemberRecord, matched_by_id: bool) -> Result<Match> {
        let owner = self
            .links
            .links_to(self.connection, std::slice::from_ref(&member.id))
            .await?;
        let owner = owner.into_iter().flatten().map(|link| link.record);
        let other_owner = owner.into_iter().find(|record| *record != draft.person.record);
        Ok(match other_owner {
            Some(_) if matched_by_id => Match::Conflict(
                "the member with this Employee ID is linked to another record; re-key it by hand",
            ),
            Some(owner) => Match::OwnedBy(owner),
            None if !matched_by_id && member.attributes.employee_id().is_some() => Match::Conflict(
                "the member with this e-mail address has another Employee ID; correct one of them",
            ),
            None => Match::Member(Box::new(member)),
        })
    }

    fn create(
        &self,
        draft: Draft,
        link: Option<&Link>,
        found: Match,
        planner: &mut Planner,
    ) -> Option<Action> {
        let expects = match link {
            None => Expectation::Unlinked,
            Some(link) => expects(link),
        };
        let after = self.after(&draft, link, LinkState::Active)?;
        let (member, kind) = match found {
            Match::Conflict(why) => {
                conflict(&draft, why, planner);
                return None;
            }
            Match::OwnedBy(owner) => {
                let Some(owner) = planner.ordinal(&owner) else {
                    conflict(
                        &draft,
                        "the member with this e-mail address is linked to an unknown record",
                        planner,
                    );
                    return None;
                };
                planner.awaits(draft.ordinal, owner);
                (None, self.create_kind(&draft))
            }
            Match::None => (None, self.create_kind(&draft)),
            Match::Member(member) => {
                planner.set_fate(draft.ordinal, Fate::Adopt);
                let changes = differing(&draft.attributes, &member.attributes);
                (
                    Some(member.id),
                    ActionKind::Adopt {
                        changes,
                        reopen: !member.active,
                    },
                )
            }
        };
        Some(Action::new(
            self.fingerprinter,
            draft.person,
            member,
            kind,
            expects,
            after,
        ))
    }

    fn create_kind(&self, draft: &Draft) -> ActionKind {
        let values = draft.attributes.iter().filter(|(_, value)| value.is_some());
        let attributes = values
            .map(|(field, value)| (field.clone(), value.cloned()))
            .collect();
        let known = draft.intent == Intent::Create { known: true };
        let invite = match self.target.capabilities().invitations {
            Invitations::AlwaysOnCreate => true,
            Invitations::PerRecord => self.invite && !known,
            _ => false,
        };
        ActionKind::Create { attributes, invite }
    }

    fn change(&self, draft: Draft, link: Link, planner: &mut Planner) -> Option<Action> {
        let changes = self.changes(&draft, &link);
        let (kind, state) = match draft.intent {
            Intent::Leave => {
                let days = self.target.capabilities().close_down_days;
                let irreversible_from =
                    days.and_then(|days| self.as_of.checked_add_days(Days::new(days.into())));
                let kind = ActionKind::Leave {
                    reason: LeaveReason::Status,
                    irreversible_from,
                };
                (kind, LinkState::Leaver { irreversible_from })
            }
            Intent::Reactivate => (ActionKind::Reactivate { changes }, LinkState::Active),
            _ if changes.is_empty() => {
                planner.set_fate(draft.ordinal, Fate::Unchanged);
                return None;
            }
            _ => (ActionKind::Update { changes }, LinkState::Active),
        };
        let after = if draft.intent == Intent::Leave {
            LinkAfter {
                employee_id: link.employee_id.clone(),
                state,
                email: link.email,
                prints: link.prints.clone(),
            }
        } else {
            self.after(&draft, Some(&link), state)?
        };
        if draft.intent != Intent::Leave && after.employee_id != link.employee_id {
            let message = "the Employee ID of this person changed; the member's unique id is changed with it";
            planner.problem(Problem::warning(rule::EMPLOYEE_ID_CHANGED, message).of(&draft.person));
        }
        let (expects, member) = (expects(&link), Some(link.member));
        Some(Action::new(
            self.fingerprinter,
            draft.person,
            member,
            kind,
            expects,
            after,
        ))
    }

    /// The attributes whose fingerprint differs from the one of the last write.
    fn changes(&self, draft: &Draft, link: &Link) -> Attributes {
        let differs = |(index, field): (usize, &TargetField)| {
            let print = draft.prints.get(index).copied().flatten()?;
            (link.prints.get(FieldTag::of(field)) != Some(print)).then(|| field.clone())
        };
        let fields = self.targets.iter().enumerate().filter_map(differs);
        fields
            .filter_map(|field| {
                let value = draft.attributes.get(&field)?.cloned();
                Some((field, value))
            })
            .collect()
    }

    /// What the link becomes: new fingerprints where there is something new, the old ones elsewhere.
    fn after(&self, draft: &Draft, link: Option<&Link>, state: LinkState) -> Option<LinkAfter> {
        let prints = self
            .targets
            .iter()
            .zip(&draft.prints)
            .filter_map(|(field, print)| {
                let tag = FieldTag::of(field);
                let print = print.or_else(|| link?.prints.get(tag))?;
                Some((tag, print))
            });
        Some(LinkAfter {
            employee_id: draft.attributes.employee_id()?,
            state,
            email: draft.email.or_else(|| link?.email),
            prints: Prints::new(prints.collect()),
        })
    }
}

fn conflict(draft: &Draft, message: &'static str, planner: &mut Planner) {
    planner.set_fate(draft.ordinal, Fate::Problem);
    planner.problem(Problem::error(rule::MEMBER_CONFLICT, message).of(&draft.person));
}

fn expects(link: &Link) -> Expectation {
    Expectation::Linked {
        state: link.state,
        row: link.prints.row(),
    }
}

/// The wanted attributes that a member does not have as wanted.
fn differing(wanted: &Attributes, member: &Attributes) -> Attributes {
    wanted
        .iter()
        .filter(|(field, value)| member.get(field).flatten() != *value)
        .map(|(field, value)| (field.clone(), value.cloned()))
        .collect()
}
