//! Holding the members of a platform against what was last written: drift, accounts closed or opened by others, members
//! that vanished, writes that did not stick.

use std::collections::HashMap;

use chrono::NaiveDate;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::keys::{FieldTag, Fingerprinter, Print};
use hris_core::store::{Link, StateStore};
use hris_core::{
    ConnectionKey, EmployeeRef, LinkState, MemberQuery, MemberRecord, Problem, ProvisioningTarget, Result,
    TargetField, Value, Verification, rule,
};

use crate::planner::Planner;

/// How many members are looked up at once.
const PAGE: usize = 500;

/// How a known member differs from what is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// The attributes that differ: bit `n` stands for the mapping's target `n`.
    pub(crate) columns: u64,
    /// Whether the account is open, where that is against what is known.
    pub(crate) open: Option<bool>,
    /// Whether the member is not there any more.
    pub(crate) vanished: bool,
    /// The address that the member has instead. Somebody else may want it once it is put right.
    pub(crate) email: Option<Print>,
    /// The Employee ID that the member has instead.
    pub(crate) employee_id: Option<Print>,
}

impl Drift {
    fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// What members are held against.
pub(crate) struct Inspection<'a> {
    pub(crate) connection: &'a ConnectionKey,
    pub(crate) links: &'a dyn StateStore,
    pub(crate) target: &'a dyn ProvisioningTarget,
    pub(crate) fingerprinter: &'a Fingerprinter,
    pub(crate) targets: &'a [TargetField],
    pub(crate) as_of: NaiveDate,
    pub(crate) planner: &'a mut Planner,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    result: Verification,
    /// Links whose member was looked at.
    seen: Vec<bool>,
    drifts: HashMap<usize, Drift>,
    /// Attributes that the platform told of anybody, and those that were written of anybody who was looked at.
    told: u64,
    written: u64,
    /// Employee IDs, and whether more than one member has it.
    employee_ids: HashMap<Print, bool>,
}

impl Inspection<'_> {
    /// Looks at every member, tells the planner how they differ, and reports it.
    ///
    /// # Errors
    /// Those of the target and the store: a list of members that breaks off proves nothing about anybody.
    pub(crate) async fn run(mut self) -> Result<Verification> {
        let mut found = Found::default();
        if self.target.capabilities().lists {
            self.roster(&mut found).await?;
        }
        self.look_up_the_rest(&mut found).await?;
        let untold = found.written & !found.told;
        for drift in found.drifts.values_mut() {
            drift.columns &= !untold;
        }
        found.drifts.retain(|_, drift| !drift.is_none());
        self.report(&mut found, untold).await?;
        Ok(found.result)
    }

    async fn roster(&mut self, found: &mut Found) -> Result<()> {
        let Some(roster) = self.target.roster() else { return Ok(()) };
        let mut pages = roster.try_chunks(PAGE);
        let mut unlinked = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|broken| broken.1)?;
            let ids: Vec<_> = page.iter().map(|member| member.id.clone()).collect();
            let links = self.links.links_to(self.connection, &ids).await?;
            for (member, link) in page.iter().zip(&links) {
                self.count_employee_id(member, found);
                match link {
                    Some(link) => self.compare(member, link, found),
                    None => unlinked += 1,
                }
            }
        }
        found.result.unlinked = Some(unlinked);
        Ok(())
    }

    fn count_employee_id(&mut self, member: &MemberRecord, found: &mut Found) {
        let Some(id) = member.attributes.employee_id() else { return };
        let print = self.fingerprinter.employee_id(id.as_str());
        match found.employee_ids.get_mut(&print) {
            None => drop(found.employee_ids.insert(print, false)),
            Some(true) => {}
            Some(reported) => {
                *reported = true;
                found.result.doubled += 1;
                let message =
                    "several members on the platform have this Employee ID; merge or correct them there";
                let mut problem = Problem::warning(rule::MEMBER_DOUBLED, message).at("employee_id");
                problem.employee_id = Some(id);
                self.planner.problem(problem);
            }
        }
    }

    /// Asks for every known member whom no list named: each by its id.
    async fn look_up_the_rest(&mut self, found: &mut Found) -> Result<()> {
        let in_flight = self.target.capabilities().max_in_flight.get();
        let (target, mut batches) = (self.target, self.links.links(self.connection));
        while let Some(batch) = batches.try_next().await? {
            let rest: Vec<_> = batch.into_iter().filter(|link| !self.is_seen(link, found)).collect();
            let answers: Vec<_> = stream::iter(rest)
                .map(|link| async move {
                    let members = target.find(&MemberQuery::Id(link.member.clone())).await?;
                    Ok::<_, hris_core::Error>((link, members))
                })
                .buffered(in_flight)
                .try_collect()
                .await?;
            for (link, members) in answers {
                match members.iter().find(|member| member.id == link.member) {
                    Some(member) => self.compare(member, &link, found),
                    None => self.vanished(&link, found),
                }
            }
        }
        Ok(())
    }

    fn is_seen(&self, link: &Link, found: &Found) -> bool {
        let ordinal = self.planner.ordinal(&link.record);
        ordinal.is_none_or(|ordinal| found.seen.get(ordinal.index()).copied().unwrap_or(false))
    }

    /// A leaver whose close-down is over is gone as it should be.
    fn vanished(&self, link: &Link, found: &mut Found) {
        if let LinkState::Leaver { irreversible_from } = link.state
            && irreversible_from.is_none_or(|day| self.as_of >= day)
        {
            return;
        }
        found.result.vanished += 1;
        self.note(link, Drift { vanished: true, ..Drift::default() }, found);
    }

    fn compare(&self, member: &MemberRecord, link: &Link, found: &mut Found) {
        found.result.members += 1;
        let open = (member.active != link.state.is_active()).then_some(member.active);
        match open {
            Some(false) => found.result.closed += 1,
            Some(true) => found.result.reopened += 1,
            None => {}
        }
        // What a platform keeps of a closed account is its own affair.
        let columns = if link.state.is_active() { self.columns(member, link, found) } else { 0 };
        let drift = Drift { columns, open, ..self.unique_values(member, columns) };
        self.note(link, drift, found);
    }

    /// The unique values among those that differ.
    fn unique_values(&self, member: &MemberRecord, columns: u64) -> Drift {
        let text = |wanted: TargetField| {
            let differs = named(self.targets, columns).any(|field| *field == wanted);
            member.attributes.text(&wanted).filter(|_| differs)
        };
        Drift {
            email: text(TargetField::EMAIL).map(|email| self.fingerprinter.email(email)),
            employee_id: text(TargetField::EMPLOYEE_ID).map(|id| self.fingerprinter.employee_id(id)),
            ..Drift::default()
        }
    }

    fn note(&self, link: &Link, drift: Drift, found: &mut Found) {
        let Some(ordinal) = self.planner.ordinal(&link.record) else { return };
        if found.seen.len() <= ordinal.index() {
            found.seen.resize(ordinal.index() + 1, false);
        }
        if let Some(seen) = found.seen.get_mut(ordinal.index()) {
            *seen = true;
        }
        if !drift.is_none() {
            found.drifts.insert(ordinal.index(), drift);
        }
    }

    fn columns(&self, member: &MemberRecord, link: &Link, found: &mut Found) -> u64 {
        let mut columns = 0;
        for (index, field) in self.targets.iter().enumerate() {
            let tag = FieldTag::of(field);
            let Some(written) = link.prints.get(tag) else { continue };
            let bit = 1_u64 << index;
            let value = member.attributes.get(field).flatten();
            found.told |= if value.is_some() { bit } else { 0 };
            found.written |= if written == self.fingerprinter.attribute(tag, None) { 0 } else { bit };
            let now = self.fingerprinter.attribute(tag, value.map(Value::as_ref).as_ref());
            if now != written && !self.is_same_address(field, value, link) {
                columns |= bit;
            }
        }
        columns
    }

    /// Platforms fold the case of addresses as they like.
    fn is_same_address(&self, field: &TargetField, value: Option<&Value>, link: &Link) -> bool {
        let address = value.and_then(Value::as_text).filter(|_| *field == TargetField::EMAIL);
        address.is_some_and(|address| link.email == Some(self.fingerprinter.email(address)))
    }

    /// Tells the planner, and whoever reads the report.
    async fn report(&mut self, found: &mut Found, untold: u64) -> Result<()> {
        for field in named(self.targets, untold) {
            let message = "the platform never tells this attribute, so that it cannot be verified";
            self.planner.problem(Problem::warning(rule::MEMBER_UNTOLD, message).at(field.to_string()));
            found.result.untold.push(field.clone());
        }
        if found.drifts.is_empty() {
            return Ok(());
        }
        let mut batches = self.links.links(self.connection);
        while let Some(batch) = batches.try_next().await? {
            for link in batch {
                let Some(ordinal) = self.planner.ordinal(&link.record) else { continue };
                if let Some(drift) = found.drifts.remove(&ordinal.index()) {
                    self.count(drift, &mut found.result);
                    self.planner.set_drift(ordinal, drift);
                    let person = link.person();
                    self.say(drift, &person);
                }
            }
        }
        Ok(())
    }

    fn count(&self, drift: Drift, result: &mut Verification) {
        result.drifted += u64::from(drift.columns != 0);
        for field in named(self.targets, drift.columns) {
            *result.attributes.entry(field.clone()).or_default() += 1;
        }
    }

    fn say(&mut self, drift: Drift, person: &EmployeeRef) {
        if drift.vanished {
            let message = "the member is not on the platform any more: deleted there, or never stored";
            self.planner.problem(Problem::error(rule::MEMBER_VANISHED, message).of(person));
        }
        if let Some(open) = drift.open {
            let message = if open {
                "somebody opened the account of this leaver on the platform"
            } else {
                "somebody closed the account of this member on the platform"
            };
            self.planner.problem(Problem::warning(rule::MEMBER_DRIFTED, message).of(person).at("active"));
        }
        for field in named(self.targets, drift.columns) {
            let message = "not as it was last written: edited on the platform, or the write did not stick";
            let problem = Problem::warning(rule::MEMBER_DRIFTED, message).of(person);
            self.planner.problem(problem.at(field.to_string()));
        }
    }
}

/// The attributes at the positions that are set in a mask.
fn named(targets: &[TargetField], mask: u64) -> impl Iterator<Item = &TargetField> {
    targets.iter().enumerate().filter(move |(index, _)| mask >> index & 1 == 1).map(|(_, field)| field)
}
