//! Managers who are named by record: translated by the links page by page, and by the plan itself at its end.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use hris_core::store::Link;
use hris_core::{
    Action, ActionId, ActionKind, Attributes, Employee, EmployeeId, LeaveReason, MemberField, Result,
    TargetField,
};

use super::{Planning, resolver};
use crate::planner::{Draft, Fate, Intent, Names, manager_tag};
use crate::view::action_pages;

impl Planning<'_> {
    /// Tells the planner the Employee IDs of the known people whom a page names as managers.
    pub(super) async fn introduce_managers(&mut self, page: &[Employee]) -> Result<()> {
        let records: BTreeSet<_> =
            page.iter().filter_map(|employee| self.planner.manager_record(employee)).collect();
        if records.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = records.into_iter().cloned().collect();
        let links = self.links.links_of(&self.parts.connection, &records).await?;
        let known = records.into_iter().zip(links);
        let known = known.filter_map(|(record, link)| Some((record, link?.employee_id))).collect();
        self.planner.set_managers(known);
        Ok(())
    }

    /// Names the managers who become members, or get another Employee ID, by this very plan. Only now it is known who
    /// does, in whatever order people came.
    pub(super) async fn settle_managers(&mut self) -> Result<()> {
        let Some(names) = self.names().await? else { return Ok(()) };
        if self.spool.opened {
            self.name_in_drafts(&names).await?;
        }
        if self.planner.has_unnamed(&names) {
            self.name_in_links(&names).await?;
        }
        self.spool.append(&[], &self.planner.take_problems()).await
    }

    /// The Employee IDs that managers get by the drafts; none if nobody's manager depends on that.
    async fn names(&self) -> Result<Option<Names>> {
        let Some(wanted) = self.planner.wanted_managers() else { return Ok(None) };
        let mut names = Names::default();
        if !self.spool.opened {
            return Ok(Some(names));
        }
        let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
        while let Some(page) = pages.try_next().await? {
            let (mut records, mut ids) = (Vec::new(), Vec::new());
            for Action { person, kind, after, .. } in self.standing(page.into_iter().map(|it| it.action)) {
                let record = self.fingerprinter.record(&person.record);
                let is_new = matches!(kind, ActionKind::Create { .. } | ActionKind::Adopt { .. });
                if is_new && wanted.contains(&record) {
                    names.new.insert(record, after.employee_id);
                } else if self.planner.ordinal(&person.record).is_some_and(|who| self.planner.changes_id(who))
                {
                    records.push(person.record);
                    ids.push(after.employee_id);
                }
            }
            let links = self.links.links_of(&self.parts.connection, &records).await?;
            let changed = links.into_iter().zip(ids).filter_map(|(link, new)| Some((link?.employee_id, new)));
            names.changed.extend(changed.map(|(old, new)| (self.planner.print_of_manager(&old), new)));
        }
        Ok(Some(names))
    }

    fn standing(&self, actions: impl Iterator<Item = Action>) -> impl Iterator<Item = Action> {
        actions.filter(|action| {
            self.planner.ordinal(&action.person.record).is_some_and(|who| self.planner.stands(who, action))
        })
    }

    /// Names managers in the drafts of those who report to them.
    async fn name_in_drafts(&mut self, names: &Names) -> Result<()> {
        let (plans, id) = (self.spool.plans, self.spool.id.clone());
        let mut pages = action_pages(plans, &self.parts.connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            let (mut retract, mut named): (Vec<ActionId>, Vec<Action>) = (Vec::new(), Vec::new());
            for action in page.into_iter().map(|stored| stored.action) {
                let who = self.planner.ordinal(&action.person.record);
                let Some(who) = who.filter(|who| self.planner.stands(*who, &action)) else { continue };
                if action.kind.changes().is_none() {
                    continue;
                }
                let written = action.after.prints.get(manager_tag());
                if let Some(manager) = self.planner.take_name(who, &action.person, written, names) {
                    retract.push(action.id.clone());
                    named.push(self.with_manager(action, &manager));
                }
            }
            if !retract.is_empty() {
                plans.retract(self.spool.lease, &id, &retract).await?;
                self.planner.note_actions(&named);
            }
            self.spool.append(&named, &self.planner.take_problems()).await?;
        }
        Ok(())
    }

    /// The same action, which writes this manager as well.
    fn with_manager(&self, action: Action, manager: &EmployeeId) -> Action {
        let Action { rank, person, member, mut kind, expects, mut after, .. } = action;
        if let ActionKind::Create { attributes: changes, .. }
        | ActionKind::Adopt { changes, .. }
        | ActionKind::Update { changes }
        | ActionKind::Reactivate { changes } = &mut kind
        {
            changes.set(MemberField::Manager, Some(manager.as_str().into()));
        }
        after.prints = after.prints.with(&[(manager_tag(), self.planner.print_of_manager(manager))]);
        let mut named = Action::new(&self.fingerprinter, person, member, kind, expects, after);
        named.rank = rank;
        after_its_manager(named)
    }

    /// Names managers of members for whom there was nothing to do.
    async fn name_in_links(&mut self, names: &Names) -> Result<()> {
        let mut links = self.links.links(&self.parts.connection);
        while let Some(batch) = links.try_next().await? {
            let drafts: Vec<_> = batch.iter().filter_map(|link| self.draft_of_manager(link, names)).collect();
            let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
            let actions = resolver.resolve(drafts, &mut self.planner).await?;
            let actions: Vec<_> = actions.into_iter().map(after_its_manager).collect();
            self.planner.note_actions(&actions);
            self.spool.append(&actions, &self.planner.take_problems()).await?;
        }
        Ok(())
    }

    /// An update of nothing but the manager.
    fn draft_of_manager(&mut self, link: &Link, names: &Names) -> Option<Draft> {
        let ordinal = self.planner.ordinal(&link.record)?;
        if self.planner.fate(ordinal) != Fate::Unchanged {
            return None;
        }
        let person = link.person();
        let written = link.prints.get(manager_tag());
        let manager = self.planner.take_name(ordinal, &person, written, names)?;
        let mut attributes = Attributes::new();
        attributes.set(TargetField::EMPLOYEE_ID, Some(link.employee_id.as_str().into()));
        attributes.set(MemberField::Manager, Some(manager.as_str().into()));
        let print = self.planner.print_of_manager(&manager);
        let field = TargetField::from(MemberField::Manager);
        let prints = self.parts.mapping.targets().iter().map(|target| (*target == field).then_some(print));
        self.planner.set_fate(ordinal, Fate::Update);
        Some(Draft {
            ordinal,
            person,
            intent: Intent::Update,
            attributes,
            prints: prints.collect(),
            drifted: 0,
            email: None,
            leave_reason: LeaveReason::Status,
        })
    }
}

/// What writes nothing but the manager goes when everything else is done: before, the manager may not be there under
/// this Employee ID, and the write would come to nothing.
fn after_its_manager(mut action: Action) -> Action {
    if matches!(&action.kind, ActionKind::Update { changes } if changes.len() == 1) {
        action.rank = action.rank.max(LAST);
    }
    action
}

/// Beyond the ranks of all kinds of actions.
const LAST: u32 = 2 * ActionKind::FIRST_ORDINARY_RANK;
