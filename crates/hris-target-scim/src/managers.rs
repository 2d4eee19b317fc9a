//! References to managers: written where the manager is on the platform, and otherwise left to a second pass.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Action, Attributes, Awaited, EmployeeId, MemberField, Outcome, Result, TargetField};

use crate::client::User;
use crate::find::Key;
use crate::target::Inner;

/// For how long somebody who was not there is not looked for again. Whoever is made through this target is known at
/// once.
const MISSING_FOR: TimeDelta = TimeDelta::minutes(1);

/// What is known of managers.
#[derive(Debug, Default)]
pub(crate) struct Managers {
    /// Ids of accounts by Employee ID.
    ids: HashMap<String, String>,
    /// Employee IDs by the ids of accounts; none where an account has none.
    names: HashMap<String, Option<String>>,
    /// Employee IDs that no account has, and until when that is taken for granted.
    missing: HashMap<String, DateTime<Utc>>,
}

impl Managers {
    fn learn(&mut self, employee_id: &str, id: &str) {
        let before = self.names.insert(id.to_owned(), Some(employee_id.to_owned())).flatten();
        // The id that the account had until now may be somebody else's by now.
        if let Some(before) = before
            && self.ids.get(&before).is_some_and(|account| account == id)
        {
            self.ids.remove(&before);
        }
        self.ids.insert(employee_id.to_owned(), id.to_owned());
        self.missing.remove(employee_id);
    }
}

impl Inner {
    /// The id of the account of the person with an Employee ID; `None` if there is none, or it cannot be told.
    pub(crate) async fn manager_id(&self, employee_id: &str) -> Option<String> {
        let now = self.client.clock().now();
        {
            let managers = self.managers();
            if let Some(id) = managers.ids.get(employee_id) {
                return Some(id.clone());
            }
            if managers.missing.get(employee_id).is_some_and(|until| now < *until) {
                return None;
            }
        }
        // A manager that cannot be looked up never blocks the person.
        let found = self.find(Key::ExternalId, employee_id).await.ok()?;
        let mut managers = self.managers();
        let [user] = found.as_slice() else {
            managers.missing.insert(employee_id.to_owned(), now + MISSING_FOR);
            return None;
        };
        managers.learn(employee_id, &user.id);
        Some(user.id.clone())
    }

    /// The manager among attributes, if there is no account to refer to.
    pub(crate) async fn awaited(&self, attributes: &Attributes) -> Option<Awaited> {
        let field = TargetField::from(MemberField::Manager);
        let manager = attributes.text(&field).filter(|_| self.settings.places.writes(&field))?;
        let is_there = self.manager_id(manager).await.is_some();
        (!is_there).then(|| Awaited::new(field, EmployeeId::from(manager)))
    }

    /// Takes note of new accounts, so that nobody who waits for them looks for them.
    pub(crate) fn introduce(&self, actions: &[Action], outcomes: &[Outcome]) {
        if !self.settings.places.has_manager() {
            return;
        }
        let mut managers = self.managers();
        for (action, outcome) in actions.iter().zip(outcomes) {
            if let Outcome::Applied(id) | Outcome::AlreadySo(id) | Outcome::Partly { member: id, .. } =
                outcome
            {
                managers.learn(action.after.employee_id.as_str(), id.as_str());
            }
        }
    }

    /// A manager's Employee ID in place of the id that the platform knows the account by.
    pub(crate) async fn name_manager(&self, attributes: &mut Attributes) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_another_employee_id_is_not_found_under_the_old_one() {
        let mut managers = Managers::default();
        managers.learn("1", "a");
        managers.learn("2", "a");
        assert_eq!((managers.ids.get("1"), managers.ids.get("2").map(String::as_str)), (None, Some("a")));
        managers.learn("1", "b");
        managers.learn("3", "a");
        assert_eq!(managers.ids.get("1").map(String::as_str), Some("b"), "somebody else's by now");
    }
}
