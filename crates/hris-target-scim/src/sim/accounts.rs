//! The accounts of a simulated programme: unique values, versions, invitations, and the close-down.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value};

use super::behaviour::Behaviour;
use super::schema::Refusal;

/// An account as the simulated provider has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Account {
    /// The id that the provider gave.
    pub id: String,
    /// Attributes in their canonical names, without `id`, `meta` and `schemas`.
    pub user: Map<String, Value>,
    /// How often the provider invited this member.
    pub invitations: u64,
    /// The number of the last change.
    pub version: u64,
    /// The day from which a closed account is gone.
    pub closes_on: Option<NaiveDate>,
}

impl Account {
    /// Whether the account is open. One that does not say is not.
    pub fn is_active(&self) -> bool {
        self.user.get("active").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The text of a top-level attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.user.get(name)?.as_str()
    }

    fn addresses(&self) -> Vec<String> {
        let emails = self.user.get("emails").and_then(Value::as_array).into_iter().flatten();
        emails.filter_map(|email| email["value"].as_str()).map(str::to_lowercase).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum By {
    ExternalId,
    UserName,
    Email,
}

/// All accounts in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    all: BTreeMap<u64, Account>,
    numbers: HashMap<String, u64>,
    held: HashMap<(By, String), BTreeSet<u64>>,
    closing: BTreeSet<(NaiveDate, u64)>,
    given: u64,
    versions: u64,
}

impl Accounts {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.all.values()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Account> {
        self.all.get(self.numbers.get(id)?)
    }

    pub(super) fn by(&self, by: By, value: &str) -> Vec<&Account> {
        let value = if by == By::ExternalId { value.to_owned() } else { value.to_lowercase() };
        let numbers = self.held.get(&(by, value)).into_iter().flatten();
        numbers.filter_map(|number| self.all.get(number)).collect()
    }

    /// Whether another account than `own` has one of the unique values.
    pub(super) fn clash(
        &self,
        user: &Map<String, Value>,
        own: Option<&str>,
        behaviour: &Behaviour,
    ) -> Result<(), Refusal> {
        // What an account has already it may keep, however it came by it.
        let kept = own.and_then(|own| self.get(own)).map(keys).unwrap_or_default();
        let candidate =
            Account { id: String::new(), user: user.clone(), invitations: 0, version: 0, closes_on: None };
        for (by, value) in keys(&candidate).into_iter().filter(|key| !kept.contains(key)) {
            let may_repeat = match by {
                By::ExternalId => behaviour.duplicate_external_ids,
                By::Email => behaviour.duplicate_emails,
                By::UserName => false,
            };
            let holders = self.held.get(&(by, value)).into_iter().flatten();
            let mut others =
                holders.filter_map(|number| self.all.get(number)).filter(|other| Some(&*other.id) != own);
            if !may_repeat && others.next().is_some() {
                return Err(Refusal(409, Some("uniqueness"), "the value is already taken"));
            }
        }
        Ok(())
    }

    pub(super) fn add(&mut self, user: Map<String, Value>, invite: bool) -> Account {
        self.given += 1;
        let number = self.given;
        let id = format!("usr-{number:06}");
        self.numbers.insert(id.clone(), number);
        let account = Account { id, user, invitations: u64::from(invite), version: 0, closes_on: None };
        self.put(number, account)
    }

    /// Puts a changed user in place, and begins or ends the close-down.
    pub(super) fn change(
        &mut self,
        id: &str,
        user: Map<String, Value>,
        today: NaiveDate,
        close_down_days: u32,
    ) -> Option<Account> {
        let number = *self.numbers.get(id)?;
        let before = self.all.get(&number)?.clone();
        let mut after = Account { user, ..before.clone() };
        match (before.is_active(), after.is_active()) {
            (true, false) => after.closes_on = today.checked_add_days(Days::new(close_down_days.into())),
            (_, true) => after.closes_on = None,
            _ => {}
        }
        if after == before {
            return Some(before);
        }
        self.take(number);
        Some(self.put(number, after))
    }

    fn put(&mut self, number: u64, mut account: Account) -> Account {
        self.versions += 1;
        account.version = self.versions;
        for key in keys(&account) {
            self.held.entry(key).or_default().insert(number);
        }
        if let Some(day) = account.closes_on {
            self.closing.insert((day, number));
        }
        self.all.insert(number, account.clone());
        account
    }

    fn take(&mut self, number: u64) -> Option<Account> {
        let account = self.all.remove(&number)?;
        for key in keys(&account) {
            if let Some(holders) = self.held.get_mut(&key) {
                holders.remove(&number);
            }
        }
        if let Some(day) = account.closes_on {
            self.closing.remove(&(day, number));
        }
        Some(account)
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Account> {
        let number = self.numbers.remove(id)?;
        self.take(number)
    }

    /// Deletes the closed accounts whose day has come.
    pub(super) fn purge(&mut self, today: NaiveDate) {
        while let Some((day, number)) = self.closing.first().copied() {
            if day > today {
                return;
            }
            if let Some(gone) = self.take(number) {
                self.numbers.remove(&gone.id);
            }
        }
    }
}

fn keys(account: &Account) -> Vec<(By, String)> {
    let mut keys = Vec::new();
    keys.extend(account.text("externalId").map(|id| (By::ExternalId, id.to_owned())));
    keys.extend(account.text("userName").map(|name| (By::UserName, name.to_lowercase())));
    keys.extend(account.addresses().into_iter().map(|address| (By::Email, address)));
    keys
}
