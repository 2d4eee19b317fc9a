//! From drafts to actions: asks the links and the target, finds members before any is created, picks none of two.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::keys::{FieldTag, Fingerprinter, Print, Prints};
use hris_core::store::{Link, Links};
use hris_core::{
    Action, ActionKind, Attributes, Awaited, ConnectionKey, Expectation, Invitations, LeaveReason, LinkAfter,
    LinkState, MemberField, MemberQuery, MemberRecord, Parking, Problem, ProvisioningTarget, RecordId,
    Result, TargetField, rule,
};

use crate::identity::Likeness;
use crate::matching::{MatchRule, why_not};
use crate::planner::{Draft, Fate, Intent, Planner, Unique};

/// What drafts are held against.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    pub(crate) connection: &'a ConnectionKey,
    pub(crate) links: &'a dyn Links,
    pub(crate) target: &'a dyn ProvisioningTarget,
    pub(crate) fingerprinter: &'a Fingerprinter,
    pub(crate) targets: &'a [TargetField],
    /// Targets that are written when a member is created and never again: bit `n` for target `n`.
    pub(crate) create_only: u64,
    pub(crate) matching: &'a [MatchRule],
    pub(crate) invite: bool,
    pub(crate) as_of: NaiveDate,
}

/// What the target has for somebody who is to be created, or to get another unique value.
#[derive(Default)]
struct Found {
    /// The member who is this person.
    member: Option<Box<MemberRecord>>,
    /// Other linked records whose members have a value that this person is to get.
    owners: Vec<(RecordId, Unique)>,
    /// Why there is no telling who the member is.
    conflict: Option<&'static str>,
    /// Members who are not there and without whom there is nothing to write.
    awaited: Vec<Awaited>,
}

/// Members who have the values that a person is to get, and by which value they were found.
#[derive(Default)]
struct Holders {
    /// Those of other linked records.
    owners: Vec<(RecordId, Unique)>,
    /// Those who are linked to nobody, or to this very person.
    free: Vec<(MemberRecord, Unique)>,
}

impl Resolver<'_> {
    /// Turns the drafts of a page into actions. Those that come to nothing, or to a problem, are told to the
    /// planner.
    pub(crate) async fn resolve(&self, drafts: Vec<Draft>, planner: &mut Planner) -> Result<Vec<Action>> {
        let records: Vec<_> = drafts.iter().map(|draft| draft.person.record.clone()).collect();
        let links = self.links.links_of(self.connection, &records).await?;
        let in_flight = self.target.capabilities().max_in_flight.get();
        let found: Vec<_> = stream::iter(drafts.into_iter().zip(links))
            .map(|(draft, link)| async move {
                let found = match (draft.intent, &link) {
                    (Intent::Create { .. }, _) => self.find(&draft).await?,
                    (Intent::Update | Intent::Reactivate, Some(link)) => {
                        self.find_holder(&draft, link).await?
                    }
                    _ => Found::default(),
                };
                Ok::<_, hris_core::Error>((draft, link, found))
            })
            .buffered(in_flight)
            .try_collect()
            .await?;
        Ok(found
            .into_iter()
            .filter_map(|(draft, link, found)| self.action(draft, link, found, planner))
            .collect())
    }

    fn action(
        &self,
        draft: Draft,
        link: Option<Link>,
        found: Found,
        planner: &mut Planner,
    ) -> Option<Action> {
        if link.as_ref().is_some_and(|link| self.is_somebody_else(&draft, link)) {
            planner.hold_reused(draft.ordinal);
            return None;
        }
        let member = accept(&found, &draft, planner).then_some(found.member)?;
        let ordinal = draft.ordinal;
        match (draft.intent, link) {
            (Intent::Create { .. }, link) => self.create(draft, link.as_ref(), member, planner),
            (_, Some(link)) => {
                let action = self.change(draft, &link, planner)?;
                planner.waits_for(ordinal, &action, &found.awaited);
                Some(action)
            }
            (_, None) => {
                conflict(&draft, "the link of this person is not in the store any more", planner);
                None
            }
        }
    }

    /// Whether the record of a linked person seems to be somebody else's now. Whoever leaves is not compared, since
    /// leaving writes nothing of theirs; nor is a person of whose attributes nothing is known, as once somebody confirmed
    /// who it is.
    fn is_somebody_else(&self, draft: &Draft, link: &Link) -> bool {
        if draft.intent == Intent::Leave || link.prints.iter().len() == 0 {
            return false;
        }
        let compare = |field: MemberField| {
            let tag = FieldTag::of(&field.into());
            let at = self.targets.iter().position(|target| *target == TargetField::Member(field))?;
            let no_value = self.fingerprinter.attribute(tag, None);
            let known = link.prints.get(tag).filter(|print| *print != no_value)?;
            let new = draft.prints.get(at).copied().flatten().filter(|print| *print != no_value)?;
            Some(known == new)
        };
        let likeness = Likeness {
            email: link.email.and_then(|known| Some(draft.email? == known)),
            last_name: compare(MemberField::LastName),
            birth_date: compare(MemberField::BirthDate),
            start_date: compare(MemberField::StartDate),
        };
        likeness.is_somebody_else(!link.state.is_active())
    }

    /// Looks for the member that a create would double.
    async fn find(&self, draft: &Draft) -> Result<Found> {
        let (Some(id), Some(email)) = (draft.attributes.employee_id(), draft.attributes.email()) else {
            let why = "Employee ID and e-mail address are not both texts; correct the mapping";
            return Ok(Found { conflict: Some(why), ..Found::default() });
        };
        let queries = [Some(MemberQuery::EmployeeId(id)), Some(MemberQuery::Email(email))];
        Ok(self.judge_match(draft, self.holders(draft, queries).await?))
    }

    /// Who the member of a person is: nobody yet, one, or not to be told. What matches two is a conflict, never a pick.
    fn judge_match(&self, draft: &Draft, holders: Holders) -> Found {
        let Holders { owners, mut free } = holders;
        free.dedup_by(|(later, _), (earlier, _)| later.id == earlier.id);
        let conflict = match free.as_slice() {
            [] => None,
            [(member, _)] => why_not(self.matching, &draft.attributes, member),
            _ => Some("two members match this employee by Employee ID and e-mail; correct one of them"),
        };
        let member = free.pop().map(|(member, _)| Box::new(member));
        Found { member, owners, conflict, awaited: Vec::new() }
    }

    /// Looks for another member who has the Employee ID or address that a known one is to get.
    async fn find_holder(&self, draft: &Draft, link: &Link) -> Result<Found> {
        let changes = self.changes(draft, link);
        let queries =
            [changes.employee_id().map(MemberQuery::EmployeeId), changes.email().map(MemberQuery::Email)];
        let holders = self.holders(draft, queries).await?;
        let foreign = holders.free.iter().any(|(member, _)| member.id != link.member);
        let why = "another member has the Employee ID or e-mail address that this one is to get";
        let conflict = foreign.then_some(why);
        let awaited = if draft.intent == Intent::Update { self.awaited(&changes).await } else { Vec::new() };
        Ok(Found { member: None, owners: holders.owners, conflict, awaited })
    }

    /// The members without whom none of the changes can be written.
    async fn awaited(&self, changes: &Attributes) -> Vec<Awaited> {
        let mut awaited = self.target.awaited(changes).await;
        if changes.iter().any(|(field, _)| awaited.iter().all(|awaited| awaited.field != *field)) {
            awaited.clear();
        }
        awaited
    }

    /// Everybody who has the Employee ID or the address of the queries.
    async fn holders(&self, draft: &Draft, queries: [Option<MemberQuery>; 2]) -> Result<Holders> {
        let mut holders = Holders::default();
        for (query, kind) in queries.into_iter().zip([Unique::EmployeeId, Unique::Email]) {
            let Some(query) = query else { continue };
            let found = self.target.find(&query).await?;
            let ids: Vec<_> = found.iter().map(|member| member.id.clone()).collect();
            let links = self.links.links_to(self.connection, &ids).await?;
            for (member, link) in found.into_iter().zip(links) {
                match link {
                    Some(link) if link.record != draft.person.record => {
                        holders.owners.push((link.record, kind));
                    }
                    _ => holders.free.push((member, kind)),
                }
            }
        }
        Ok(holders)
    }

    fn create(
        &self,
        draft: Draft,
        link: Option<&Link>,
        member: Option<Box<MemberRecord>>,
        planner: &mut Planner,
    ) -> Option<Action> {
        let after = self.after(&draft, link, LinkState::Active)?;
        let (member, kind) = match member {
            None => (None, self.create_kind(&draft)),
            Some(member) => {
                planner.set_fate(draft.ordinal, Fate::Adopt);
                let changes = differing(&self.kept_in_step(&draft), &member.attributes);
                (Some(member.id), ActionKind::Adopt { changes, reopen: !member.active })
            }
        };
        if planner.blocks(draft.ordinal, &draft.person, &kind, link) {
            return None;
        }
        let expects = link.map_or(Expectation::Unlinked, expects);
        Some(Action::new(self.fingerprinter, draft.person, member, kind, expects, after))
    }

    fn create_kind(&self, draft: &Draft) -> ActionKind {
        let values = draft.attributes.iter().filter(|(_, value)| value.is_some());
        let attributes = values.map(|(field, value)| (field.clone(), value.cloned())).collect();
        let known = draft.intent == Intent::Create { known: true };
        let invite = match self.target.capabilities().invitations {
            Invitations::AlwaysOnCreate => true,
            Invitations::PerRecord => self.invite && !known,
            _ => false,
        };
        ActionKind::Create { attributes, invite }
    }

    fn change(&self, draft: Draft, link: &Link, planner: &mut Planner) -> Option<Action> {
        let changes = self.changes(&draft, link);
        let (kind, after) = match draft.intent {
            Intent::Leave => self.leave(link, draft.leave_reason),
            Intent::Reactivate => {
                (ActionKind::Reactivate { changes }, self.after(&draft, Some(link), LinkState::Active)?)
            }
            _ if changes.is_empty() => {
                planner.set_fate(draft.ordinal, Fate::Unchanged);
                return None;
            }
            _ => (ActionKind::Update { changes }, self.after(&draft, Some(link), LinkState::Active)?),
        };
        if planner.blocks(draft.ordinal, &draft.person, &kind, Some(link)) {
            return None;
        }
        self.note_given_up(&draft, link, &after, planner);
        if let Some(changes) = kind.changes() {
            planner.note_clears(changes);
        }
        Some(Action::new(
            self.fingerprinter,
            draft.person,
            Some(link.member.clone()),
            kind,
            expects(link),
            after,
        ))
    }

    /// The two steps of somebody in a circle instead of one: to the temporary values, and from there to what was wanted.
    pub(crate) fn in_two_steps(&self, action: Action, link: &Link, kinds: &BTreeSet<Unique>) -> [Action; 2] {
        crate::parking::in_two_steps(self.fingerprinter, &self.parking(), action, link, kinds)
    }

    fn parking(&self) -> Parking {
        self.target.capabilities().parking.unwrap_or_default()
    }

    /// The end of a member whose record is gone from the HR system.
    pub(crate) fn gone(&self, link: &Link, reason: LeaveReason) -> Action {
        let person = link.person();
        let (kind, after) = self.leave(link, reason);
        Action::new(self.fingerprinter, person, Some(link.member.clone()), kind, expects(link), after)
    }

    fn leave(&self, link: &Link, reason: LeaveReason) -> (ActionKind, LinkAfter) {
        let days = self.target.capabilities().close_down_days;
        let irreversible_from = days.and_then(|days| self.as_of.checked_add_days(Days::new(days.into())));
        let after = LinkAfter {
            employee_id: link.employee_id.clone(),
            state: LinkState::Leaver { irreversible_from },
            email: link.email,
            prints: link.prints.clone(),
        };
        (ActionKind::Leave { reason, irreversible_from }, after)
    }

    /// Somebody else may take what this member gives up, but only afterwards.
    fn note_given_up(&self, draft: &Draft, link: &Link, after: &LinkAfter, planner: &mut Planner) {
        if let Some(old) = link.email.filter(|old| Some(*old) != after.email) {
            planner.gives_up(draft.ordinal, Unique::Email, old);
        }
        if after.employee_id != link.employee_id {
            let old = self.fingerprinter.employee_id(link.employee_id.as_str());
            planner.gives_up(draft.ordinal, Unique::EmployeeId, old);
            let message = "the Employee ID of this person changed; the member's unique id is changed with it";
            planner.problem(Problem::warning(rule::EMPLOYEE_ID_CHANGED, message).of(&draft.person));
        }
        if draft.intent != Intent::Leave {
            planner.gives_up_drifted(draft.ordinal);
        }
    }

    /// What is wanted for a member who is there already.
    fn kept_in_step(&self, draft: &Draft) -> Attributes {
        let is_kept = |at: usize| self.create_only >> at & 1 == 0;
        let targets = self.targets.iter().enumerate().filter(|(at, _)| is_kept(*at));
        targets
            .filter_map(|(_, field)| Some((field.clone(), draft.attributes.get(field)?.cloned())))
            .collect()
    }

    /// The attributes whose fingerprint differs from the one of the last write, or that were found to have drifted.
    fn changes(&self, draft: &Draft, link: &Link) -> Attributes {
        let differs = |(index, (field, print)): (usize, (&TargetField, &Option<Print>))| {
            let print = (*print)?;
            let is_other = link.prints.get(FieldTag::of(field)) != Some(print);
            let drifted = draft.drifted & !self.create_only;
            (is_other || drifted >> index & 1 == 1).then_some(())?;
            Some((field.clone(), draft.attributes.get(field)?.cloned()))
        };
        self.targets.iter().zip(&draft.prints).enumerate().filter_map(differs).collect()
    }

    /// What the link becomes: new fingerprints where there is something new, the old ones elsewhere.
    fn after(&self, draft: &Draft, link: Option<&Link>, state: LinkState) -> Option<LinkAfter> {
        let prints = self.targets.iter().zip(&draft.prints).filter_map(|(field, print)| {
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

/// Reports a conflict, or notes for which values of other people a person has to wait. Whether there may be an
/// action.
fn accept(found: &Found, draft: &Draft, planner: &mut Planner) -> bool {
    if let Some(why) = found.conflict {
        conflict(draft, why, planner);
        return false;
    }
    for (owner, kind) in &found.owners {
        let Some(owner) = planner.ordinal(owner) else {
            conflict(draft, "the member who has this value is linked to an unknown record", planner);
            return false;
        };
        planner.awaits(draft.ordinal, owner, *kind);
    }
    true
}

fn conflict(draft: &Draft, message: &'static str, planner: &mut Planner) {
    planner.set_fate(draft.ordinal, Fate::Problem);
    planner.note_open(draft.ordinal, &draft.person.record);
    planner.problem(Problem::error(rule::MEMBER_CONFLICT, message).of(&draft.person));
}

fn expects(link: &Link) -> Expectation {
    Expectation::Linked { state: link.state, row: link.prints.row() }
}

/// The wanted attributes that a member does not have as wanted.
fn differing(wanted: &Attributes, member: &Attributes) -> Attributes {
    wanted
        .iter()
        .filter(|(field, value)| member.get(field).flatten() != *value)
        .map(|(field, value)| (field.clone(), value.cloned()))
        .collect()
}
