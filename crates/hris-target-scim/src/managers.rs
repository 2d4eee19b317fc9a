//! References to managers: resolved where the manager is on the platform, and otherwise in a second pass.

use std::collections::{BTreeMap, HashMap};

use hris_core::{Action, Attributes, EmployeeRef, MemberField, Outcome, Problem, TargetField, rule};

use crate::change::{Change, Wanted};
use crate::client::User;
use crate::find::Key;
use crate::target::Inner;

/// What is known of managers, and who waits for one.
#[derive(Debug, Default)]
pub(crate) struct Managers {
    /// Ids of accounts by Employee ID.
    ids: HashMap<String, String>,
    /// Employee IDs by the ids of accounts; none where an account has none.
    names: HashMap<String, Option<String>>,
    /// The members whose manager is not on the platform, by the manager's Employee ID.
    waiting: BTreeMap<String, Vec<(String, EmployeeRef)>>,
}

impl Managers {
    fn learn(&mut self, employee_id: &str, id: &str) {
        self.ids.insert(employee_id.to_owned(), id.to_owned());
        self.names.insert(id.to_owned(), Some(employee_id.to_owned()));
    }
}

impl Inner {
    /// The id of the account of the person with an Employee ID; `None` if there is none, or it cannot be told.
    pub(crate) async fn manager_id(&self, employee_id: &str) -> Option<String> {
        {
            let managers = self.managers();
            if let Some(id) = managers.ids.get(employee_id) {
                return Some(id.clone());
            }
            if managers.waiting.contains_key(employee_id) {
                return None;
            }
        }
        self.look_up_manager(employee_id).await
    }

    async fn look_up_manager(&self, employee_id: &str) -> Option<String> {
        // A manager that cannot be looked up never blocks the person.
        match self.find(Key::ExternalId, employee_id).await.as_deref() {
            Ok([user]) => {
                self.managers().learn(employee_id, &user.id);
                Some(user.id.clone())
            }
            _ => None,
        }
    }

    /// Notes that a member waits for a manager.
    pub(crate) fn await_manager(&self, manager: Option<&str>, member: &str, action: &Action) {
        let Some(manager) = manager else { return };
        let mut managers = self.managers();
        let waiting = managers.waiting.entry(manager.to_owned()).or_default();
        waiting.retain(|(known, _)| known != member);
        waiting.push((member.to_owned(), action.person.clone()));
    }

    /// After new accounts: whoever waited for one of them gets the reference.
    pub(crate) async fn introduce(&self, actions: &[Action], outcomes: &[Outcome]) {
        if !self.settings.places.has_manager() {
            return;
        }
        for (action, outcome) in actions.iter().zip(outcomes) {
            if let Outcome::Applied(id) | Outcome::AlreadySo(id) = outcome {
                self.managers().learn(action.after.employee_id.as_str(), id.as_str());
            }
        }
        let ready: Vec<String> = {
            let managers = self.managers();
            managers.waiting.keys().filter(|manager| managers.ids.contains_key(*manager)).cloned().collect()
        };
        for manager in ready {
            self.appoint(&manager).await;
        }
    }

    /// Looks for every manager that somebody still waits for. Those who are not there are reported.
    pub(crate) async fn settle(&self) -> usize {
        let waited_for: Vec<String> = self.managers().waiting.keys().cloned().collect();
        let mut unknown = 0;
        for manager in waited_for {
            if self.look_up_manager(&manager).await.is_some() {
                self.appoint(&manager).await;
                continue;
            }
            let reports = self.managers().waiting.remove(&manager).unwrap_or_default();
            unknown += reports.len();
            let message = "the manager is not on the platform; the member has none there";
            self.push_problems(reports.iter().map(|(_, person)| unknown_manager(message, person)));
        }
        unknown
    }

    /// Writes the reference to a manager into everybody who waits for it.
    async fn appoint(&self, manager: &str) {
        let (id, reports) = {
            let mut managers = self.managers();
            let Some(id) = managers.ids.get(manager).cloned() else { return };
            (id, managers.waiting.remove(manager).unwrap_or_default())
        };
        for (member, person) in reports {
            if !self.write_manager(&member, &id).await {
                let message = "the reference to the manager could not be written";
                self.push_problems([unknown_manager(message, &person)]);
            }
        }
    }

    /// A second write of the same member, and harmless: the same reference again changes nothing.
    async fn write_manager(&self, member: &str, manager: &str) -> bool {
        let Ok(Some(user)) = self.client.user(member).await else { return false };
        let mut wanted = Wanted::default();
        wanted.set(&self.settings.places.manager, Some(manager.into()));
        let change = Change::new(user, wanted);
        if change.is_empty() {
            return true;
        }
        let send = change.send(self.form().await, false, &self.settings.places);
        self.client.send(&send).await.is_ok()
    }

    /// A manager's Employee ID in place of the id that the platform knows the account by.
    pub(crate) async fn name_manager(&self, attributes: &mut Attributes) -> hris_core::Result<()> {
        let field = TargetField::from(MemberField::Manager);
        let Some(id) = attributes.text(&field).map(str::to_owned) else { return Ok(()) };
        let known = self.managers().names.get(&id).cloned();
        let name = if let Some(name) = known {
            name
        } else {
            let name = self.client.user(&id).await?.and_then(|user| self.employee_id_of(&user));
            let mut managers = self.managers();
            if let Some(name) = &name {
                managers.learn(name, &id);
            }
            managers.names.insert(id, name.clone());
            name
        };
        match name {
            Some(name) => attributes.set(field, Some(name.as_str().into())),
            None => attributes.merge(&Attributes::from_iter([(field, None)])),
        }
        Ok(())
    }

    fn employee_id_of(&self, user: &User) -> Option<String> {
        let external_id = self.settings.places.external_id.get(&user.document)?;
        crate::attributes::text_of(external_id).map(std::borrow::Cow::into_owned)
    }
}

fn unknown_manager(message: &'static str, person: &EmployeeRef) -> Problem {
    Problem::warning(rule::MANAGER_UNKNOWN, message).of(person).at(MemberField::Manager.as_str())
}
