//! Preparing: preconditions are checked by reading, and what will happen is said in words. Nothing is changed.

use chrono::TimeDelta;
use hris_core::Result;

use super::{Before, Effect, EffectKey, Preparation, Prepared, Refusal};
use crate::client::SessionM;
use crate::model::{Balance, Balances, Customer};
use crate::{CustomerRef, PointAccountId, PointSourceId, Points};

/// How far back a caller's own key is looked for.
const KEY_LIFE: TimeDelta = TimeDelta::days(90);

/// What an effect's own check found: words, warnings and what was seen; or why not.
pub(super) struct Checked {
    pub(super) summary: String,
    pub(super) warnings: Vec<String>,
    pub(super) before: Before,
}

pub(super) type Check = Result<std::result::Result<Checked, Refusal>>;

impl Checked {
    pub(super) fn new(summary: String, before: Before) -> Self {
        Self { summary, warnings: Vec::new(), before }
    }
}

/// Leaves a check with a refusal.
macro_rules! refuse {
    ($refusal:expr) => {
        return Ok(Err($refusal))
    };
}
/// The value, or the refusal it stands for.
macro_rules! held {
    ($value:expr, $refusal:expr) => {
        match $value {
            Some(value) => value,
            None => return Ok(Err($refusal)),
        }
    };
}
pub(super) use {held, refuse};

impl SessionM {
    /// Checks an effect's preconditions.
    pub(crate) async fn prepare_effect(&self, effect: Effect, key: EffectKey) -> Result<Preparation> {
        if self.is_done_before(&effect, &key).await? {
            return Ok(Preparation::Refused(Refusal::AlreadyDone));
        }
        let checked = match &effect {
            Effect::Create(new) => self.check_create(new).await,
            Effect::Enrol { customer } => self.check_enrol(customer).await,
            Effect::Update { customer, edit } => self.check_update(customer, edit).await,
            Effect::Tag { customer, tags, seconds } => self.check_tag(customer, tags, *seconds).await,
            Effect::Merge { survivor, victim } => self.check_merge(survivor, victim).await,
            Effect::Award { customer, account, source, amount, reason } => {
                self.check_award(customer, (account, source), *amount, reason).await
            }
            Effect::Deduct { customer, accounts, amount, reason } => {
                self.check_deduct(customer, accounts, *amount, reason).await
            }
            Effect::Note { customer, reason, comment } => {
                self.check_note(customer, reason.as_deref(), comment.as_str()).await
            }
            Effect::Issue { customer, offer, quantity } => self.check_issue(customer, offer, *quantity).await,
            Effect::Reissue { customer, copy } => self.check_reissue(customer, copy).await,
            Effect::Revoke { customer, copy, .. } => self.check_revoke(customer, copy).await,
            Effect::Redeem { customer, copy } => self.check_redeem(customer, copy).await,
            Effect::Extend { customer, copy, from, until } => {
                self.check_extend(customer, copy, (*from, *until)).await
            }
            Effect::Purchase { customer, reward, quantity, accounts } => {
                self.check_purchase(customer, reward, *quantity, accounts).await
            }
        };
        Ok(match checked? {
            Err(refusal) => Preparation::Refused(refusal),
            Ok(Checked { summary, warnings, before }) => {
                let at = self.now();
                Preparation::Ready(Box::new(Prepared { key, effect, summary, warnings, at, before }))
            }
        })
    }

    /// Whether points moved under a caller's own key before. A key that was made just now has no past.
    async fn is_done_before(&self, effect: &Effect, key: &EffectKey) -> Result<bool> {
        let (Effect::Award { customer, .. } | Effect::Deduct { customer, .. }) = effect else {
            return Ok(false);
        };
        if key.is_new() || self.settings().points.ledger.is_none() {
            return Ok(false);
        }
        let now = self.now();
        let rows = match self.read_ledger(customer, (now - KEY_LIFE, now)).await {
            Err(error) if crate::client::errors::is_unknown_customer(&error) => return Ok(false),
            rows => rows?,
        };
        Ok(rows.iter().any(|row| row.has_key(key.as_str())))
    }

    /// The customer, read now; whoever is suspended receives nothing unless the settings allow it.
    pub(super) async fn receiver(
        &self,
        customer: &CustomerRef,
    ) -> Result<std::result::Result<Customer, Refusal>> {
        let customer = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        if customer.suspended && !self.settings().guards.suspended_may_receive {
            refuse!(Refusal::Suspended);
        }
        Ok(Ok(customer))
    }

    async fn check_award(
        &self,
        customer: &CustomerRef,
        (account, source): (&PointAccountId, &PointSourceId),
        amount: Points,
        reason: &str,
    ) -> Check {
        let settings = &self.settings().points;
        if let Some(refusal) = self.unfit_movement(amount, reason) {
            refuse!(refusal);
        }
        if settings.sources.is_empty() {
            let ask = "SessionM for the ids of your point sources";
            return Err(crate::client::not_configured("awarding points", "points.sources", ask));
        }
        let known = settings.sources.iter().find(|known| known.id == *source);
        let known = held!(known, Refusal::UnknownSource);
        if !known.accounts.is_empty() && !known.accounts.contains(account) {
            refuse!(Refusal::AccountNotLinked);
        }
        let found = match self.receiver(customer).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        let balances = self.read_balances(customer).await?;
        let Balance { name, available, .. } = held!(balances.account(account), Refusal::UnknownAccount);
        let summary = format!(
            "Award {amount} points from \"{}\" to the account \"{name}\" for \"{}\". The balance goes from {available} \
             to {}.",
            known.label,
            self.reason_label(reason),
            *available + amount
        );
        let before =
            Before { customer: Some(Box::new(found)), balances: Some(balances), ..Before::default() };
        Ok(Ok(Checked::new(summary, before)))
    }

    async fn check_deduct(
        &self,
        customer: &CustomerRef,
        accounts: &[PointAccountId],
        amount: Points,
        reason: &str,
    ) -> Check {
        if let Some(refusal) = self.unfit_movement(amount, reason) {
            refuse!(refusal);
        }
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        let balances = self.read_balances(customer).await?;
        let available = match available_in(&balances, accounts) {
            Ok(available) => available,
            Err(refusal) => refuse!(refusal),
        };
        if available < amount {
            refuse!(Refusal::InsufficientPoints { needed: amount, available });
        }
        let reason = self.reason_label(reason);
        let summary = format!("Take {amount} of {available} points from this customer for \"{reason}\".");
        let accounts = paying(&balances, accounts);
        let before = Before {
            customer: Some(Box::new(found)),
            balances: Some(balances),
            accounts,
            ..Before::default()
        };
        Ok(Ok(Checked::new(summary, before)))
    }

    fn unfit_movement(&self, amount: Points, reason: &str) -> Option<Refusal> {
        let settings = &self.settings().points;
        let knows_reason =
            settings.reasons.is_empty() || settings.reasons.iter().any(|known| known.code == reason);
        if !amount.is_positive() {
            Some(Refusal::AmountNotPositive)
        } else if amount > settings.most_at_once {
            Some(Refusal::AmountTooLarge { most: settings.most_at_once })
        } else if reason.trim().is_empty() || !knows_reason {
            Some(Refusal::UnknownReason)
        } else {
            None
        }
    }

    fn reason_label<'a>(&'a self, reason: &'a str) -> &'a str {
        let known = self.settings().points.reasons.iter().find(|known| known.code == reason);
        known.map_or(reason, |known| known.label())
    }

    async fn check_note(&self, customer: &CustomerRef, reason: Option<&str>, comment: &str) -> Check {
        let settings = self.notes_call()?;
        if comment.trim().is_empty() {
            refuse!(Refusal::BlankComment);
        }
        if let Some(reason) = reason
            && !settings.reasons.iter().any(|known| known.code == reason)
        {
            refuse!(Refusal::UnknownReason);
        }
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        let notes = self.read_notes(&found.reference()).await?;
        let summary = match reason {
            Some(reason) => format!("Add a note to this customer with the reason \"{reason}\"."),
            None => "Add a note to this customer without a reason.".to_owned(),
        };
        let before = Before { customer: Some(Box::new(found)), notes, ..Before::default() };
        Ok(Ok(Checked::new(summary, before)))
    }
}

/// What is in the named accounts, or in all if none is named.
pub(crate) fn available_in(
    balances: &Balances,
    accounts: &[PointAccountId],
) -> std::result::Result<Points, Refusal> {
    if accounts.is_empty() {
        return Ok(balances.spendable());
    }
    let each = accounts.iter().map(|account| balances.account(account).map(|row| row.available));
    let each: Option<Vec<_>> = each.collect();
    let each = each.ok_or(Refusal::UnknownAccount)?;
    Ok(each.into_iter().filter(|points| points.is_positive()).sum())
}

/// The accounts that pay: the named ones, or all with points in them.
pub(super) fn paying(balances: &Balances, accounts: &[PointAccountId]) -> Vec<PointAccountId> {
    if !accounts.is_empty() {
        return accounts.to_vec();
    }
    let with_points = balances.accounts.iter().filter(|row| row.available.is_positive());
    with_points.map(|row| row.account.clone()).collect()
}
