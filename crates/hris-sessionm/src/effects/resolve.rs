//! Finding out by reading whether an effect happened: the ledger, the wallet, the customer, the notes.

use chrono::TimeDelta;
use hris_core::Result;

use super::commit::{opting_in, receipt};
use super::prepare_offers::has_period;
use super::{Before, Committed, Done, Effect, Leaning, Prepared, Refusal, Uncertain};
use crate::client::{IssuedCopy, SessionM};
use crate::{
    Comment, Customer, CustomerId, CustomerRef, Note, OfferId, ParentKeys, PointAccountId, Points,
    ProfileEdit, Tag, UserOffer, UserOfferId,
};

/// What one reading found.
enum Finding {
    /// It happened.
    Happened(Done),
    /// It cannot be told, and this is what was seen.
    Unknown(Leaning, Vec<String>),
}

/// How far the clocks of both sides may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

impl SessionM {
    /// Reads until the effect is seen, or as often as the settings say.
    pub(crate) async fn find_out(&self, prepared: Prepared, why: String) -> Committed {
        let (leaning, facts) = match self.look(&prepared).await {
            Finding::Happened(done) => return Committed::Done(receipt(&prepared, true, done)),
            Finding::Unknown(leaning, facts) => (leaning, facts),
        };
        let evidence = std::iter::once(why).chain(facts).collect();
        let prepared = Box::new(prepared);
        Committed::Uncertain(Uncertain { prepared, leaning, evidence, read_at: self.now() })
    }

    /// Sees an effect that SessionM said ok to.
    pub(super) async fn see(&self, prepared: Prepared) -> Committed {
        let (leaning, facts) = match self.look(&prepared).await {
            Finding::Happened(done) => return Committed::Done(receipt(&prepared, false, done)),
            Finding::Unknown(leaning, facts) => (leaning, facts),
        };
        match &prepared.effect {
            // SessionM may write a value in another way than it was sent; that is for the agent to see.
            Effect::Update { customer, edit } => {
                let found = self.customer_by_id(customer.id()).await.unwrap_or(None);
                let unconfirmed = match &found {
                    Some(found) => found.lacks(edit),
                    None => edit.fields().cloned().collect(),
                };
                let done = Done::Customer { customer: found.map(Box::new), unconfirmed };
                Committed::Done(receipt(&prepared, false, done))
            }
            Effect::Extend { .. } | Effect::Enrol { .. } if leaning == Leaning::NotDone => {
                Committed::Refused(Refusal::NotApplied)
            }
            _ => {
                let evidence = std::iter::once("SessionM answered ok".to_owned()).chain(facts).collect();
                let prepared = Box::new(prepared);
                Committed::Uncertain(Uncertain { prepared, leaning, evidence, read_at: self.now() })
            }
        }
    }

    async fn look(&self, prepared: &Prepared) -> Finding {
        let mut last = (Leaning::Unknown, Vec::new());
        for reading in 0..self.settings().limits.settle_reads {
            if reading > 0 {
                self.settle().await;
            }
            last = match self.read_back(prepared).await {
                Ok(Finding::Happened(done)) => return Finding::Happened(done),
                Ok(Finding::Unknown(leaning, facts)) => (leaning, facts),
                Err(error) => {
                    (Leaning::Unknown, vec![format!("it could not be read back: {}", error.message())])
                }
            };
        }
        Finding::Unknown(last.0, last.1)
    }

    async fn read_back(&self, prepared: &Prepared) -> Result<Finding> {
        let before = &prepared.before;
        match &prepared.effect {
            Effect::Create(new) => self.seen_created(&new.keys()).await,
            Effect::Enrol { customer } => self.seen_updated(customer.id(), &opting_in()).await,
            Effect::Update { customer, edit } => self.seen_updated(customer.id(), edit).await,
            Effect::Tag { customer, tags, .. } => {
                Ok(seen_tags(before.tags.as_deref(), &self.read_tags(customer.id()).await?, tags))
            }
            Effect::Merge { .. } => self.seen_merged(before).await,
            Effect::Award { customer, account, amount, .. } => {
                self.seen_moved(prepared, customer, std::slice::from_ref(account), *amount).await
            }
            Effect::Deduct { customer, amount, .. } => {
                self.seen_moved(prepared, customer, &before.accounts, Points::ZERO - *amount).await
            }
            Effect::Note { customer, reason, comment } => {
                let customer = before.customer.as_ref().map_or_else(|| customer.clone(), |c| c.reference());
                Ok(seen_note(&before.notes, &self.read_notes(&customer).await?, reason.as_deref(), comment))
            }
            Effect::Issue { customer, offer, quantity } => {
                self.seen_issued(customer, before, offer, *quantity).await
            }
            Effect::Reissue { customer, .. } => match &before.issues {
                Some(offer) => self.seen_issued(customer, before, offer, 1).await,
                None => Ok(nothing_to_compare()),
            },
            Effect::Revoke { customer, copy, .. } => self.seen_gone(prepared, customer, copy, false).await,
            Effect::Redeem { customer, copy } => self.seen_gone(prepared, customer, copy, true).await,
            Effect::Extend { customer, copy, from, until } => {
                let held = self.copy_of(customer, copy).await?;
                Ok(match held {
                    Ok((_, held)) if has_period(&held, (*from, *until)) => {
                        Finding::Happened(Done::Copy(copy.clone()))
                    }
                    Ok(_) => unseen("the offer has another redemption period"),
                    Err(_) => Finding::Unknown(
                        Leaning::Unknown,
                        vec!["the offer is not in the wallet any more".to_owned()],
                    ),
                })
            }
            Effect::Purchase { customer, quantity, .. } => {
                self.seen_bought(customer, before, *quantity).await
            }
        }
    }

    async fn seen_created(&self, keys: &ParentKeys) -> Result<Finding> {
        // Nobody had these keys when this was prepared.
        Ok(match self.find_customer(keys).await? {
            Some(found) => happened(found),
            None => unseen("nobody has the looked-up key"),
        })
    }

    async fn seen_updated(&self, id: &CustomerId, edit: &ProfileEdit) -> Result<Finding> {
        let Some(found) = self.customer_by_id(id).await? else {
            let facts = vec!["there is no such customer any more".to_owned()];
            return Ok(Finding::Unknown(Leaning::Unknown, facts));
        };
        let differs = found.lacks(edit);
        if differs.is_empty() {
            return Ok(happened(found));
        }
        let names = differs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let leaning = if differs.len() == edit.len() { Leaning::NotDone } else { Leaning::Done };
        Ok(Finding::Unknown(leaning, vec![format!("these fields are not as wanted: {names}")]))
    }

    async fn seen_merged(&self, before: &Before) -> Result<Finding> {
        let (Some(stays), Some(goes)) = (&before.customer, &before.victim) else {
            return Ok(nothing_to_compare());
        };
        let victim = self.customer_by_id(&goes.id).await?;
        let survivor = self.customer_by_id(&stays.id).await?;
        Ok(match (survivor, victim) {
            // The victim's id may lead to the survivor, or to nobody.
            (Some(survivor), None) => happened(survivor),
            (Some(survivor), Some(victim)) if victim.id == survivor.id => happened(survivor),
            (Some(_), Some(_)) => unseen("both customers are still there"),
            (None, _) => {
                let facts = vec!["the survivor is not there any more".to_owned()];
                Finding::Unknown(Leaning::Unknown, facts)
            }
        })
    }

    /// By our key in the ledger where that can be read, which is proof; else by the balance, which is none.
    async fn seen_moved(
        &self,
        prepared: &Prepared,
        customer: &CustomerRef,
        accounts: &[PointAccountId],
        change: Points,
    ) -> Result<Finding> {
        let total = |balances: &crate::Balances| -> Points {
            let rows = accounts.iter().filter_map(|account| balances.account(account));
            rows.map(|row| row.available).sum()
        };
        let now = self.read_balances(customer).await?;
        let held = prepared.before.balances.as_ref().map(total);
        let mut facts = Vec::new();
        if self.settings().points.ledger.is_some() {
            let rows = self.read_ledger(customer, (prepared.at - SKEW, self.now() + SKEW)).await?;
            if rows.iter().any(|row| row.has_key(prepared.key.as_str())) {
                return Ok(Finding::Happened(Done::Points { balance: Some(total(&now)) }));
            }
            facts.push(format!("the ledger has {} rows since then and none with our key", rows.len()));
        } else {
            facts.push("the ledger cannot be read: `points.ledger` is not configured".to_owned());
        }
        let leaning = match held {
            Some(held) if held == total(&now) => Leaning::NotDone,
            Some(held) if held + change == total(&now) => Leaning::Done,
            _ => Leaning::Unknown,
        };
        facts.push(match held {
            Some(held) => format!("the balance was {held} and is {}", total(&now)),
            None => format!("the balance is {}", total(&now)),
        });
        Ok(Finding::Unknown(leaning, facts))
    }

    async fn seen_issued(
        &self,
        customer: &CustomerRef,
        before: &Before,
        offer: &OfferId,
        quantity: u32,
    ) -> Result<Finding> {
        let new =
            new_copies(&before.wallet, &self.whole_wallet(customer).await?, |copy| copy.is_copy_of(offer));
        Ok(match new.len() {
            0 => unseen("the wallet has no new copy of the offer"),
            count if count == quantity as usize => {
                Finding::Happened(Done::Copies { copies: new, points_left: None })
            }
            count => {
                let fact = format!("the wallet has {count} new copies of the offer in place of {quantity}");
                Finding::Unknown(Leaning::Done, vec![fact])
            }
        })
    }

    /// A copy that left the wallet was revoked, redeemed, or ran out; the history tells which.
    async fn seen_gone(
        &self,
        prepared: &Prepared,
        customer: &CustomerRef,
        copy: &UserOfferId,
        is_redeem: bool,
    ) -> Result<Finding> {
        let done = || Finding::Happened(Done::Copy(copy.clone()));
        let unknown = |leaning, fact: &str| Finding::Unknown(leaning, vec![fact.to_owned()]);
        let wallet = self.whole_wallet(customer).await?;
        let in_wallet = wallet.iter().find(|held| held.id == *copy);
        let past = match in_wallet {
            None if self.has_history() => {
                self.history(customer).await?.into_iter().find(|held| held.id == *copy)
            }
            found => found.cloned(),
        };
        let since = prepared.at - SKEW;
        Ok(match (&past, in_wallet) {
            (Some(held), _) if held.redeemed_at.is_some() => {
                if is_redeem && held.redeemed_at.is_some_and(|at| at >= since) {
                    done()
                } else {
                    unknown(Leaning::NotDone, "the offer was redeemed otherwise")
                }
            }
            (_, Some(_)) => unseen("the offer is in the wallet as before"),
            (Some(_), None) => unknown(Leaning::NotDone, "the offer is over and was not redeemed"),
            (None, None) if self.has_history() && !is_redeem => done(),
            (None, None) if self.has_history() => {
                unknown(Leaning::NotDone, "the offer is neither in the wallet nor among those that are over")
            }
            (None, None) => {
                let fact = "the offer is not in the wallet any more; why cannot be told, since `offers.history` is not \
                            configured";
                unknown(Leaning::Done, fact)
            }
        })
    }

    async fn seen_bought(&self, customer: &CustomerRef, before: &Before, quantity: u32) -> Result<Finding> {
        let (Some(reward), Some(held)) = (&before.reward, &before.balances) else {
            return Ok(nothing_to_compare());
        };
        let price = reward.price.times(quantity).unwrap_or_default();
        let root = reward.root_offer_id.as_ref().map(|root| OfferId::from(root.as_str()));
        let new = new_copies(&before.wallet, &self.whole_wallet(customer).await?, |copy| {
            root.as_ref().is_none_or(|root| copy.is_copy_of(root))
        });
        let (was, is) = (held.spendable(), self.read_balances(customer).await?.spendable());
        let is_paid = was - is == price && price.is_positive();
        Ok(match (new.len(), is_paid) {
            (count, true) if count == quantity as usize => {
                Finding::Happened(Done::Copies { copies: new, points_left: Some(is) })
            }
            (0, false) if was == is => unseen("the wallet has no new copy and the balance is as before"),
            (count, _) => {
                let leaning = if count == 0 && !is_paid { Leaning::Unknown } else { Leaning::Done };
                let facts = vec![
                    format!("the wallet has {count} new copies in place of {quantity}"),
                    format!("the balance was {was} and is {is}, the price was {price}"),
                ];
                Finding::Unknown(leaning, facts)
            }
        })
    }
}

fn happened(customer: Customer) -> Finding {
    Finding::Happened(Done::Customer { customer: Some(Box::new(customer)), unconfirmed: Vec::new() })
}

fn unseen(fact: &str) -> Finding {
    Finding::Unknown(Leaning::NotDone, vec![fact.to_owned()])
}

fn nothing_to_compare() -> Finding {
    Finding::Unknown(Leaning::Unknown, vec!["there is nothing from before to compare with".to_owned()])
}

fn new_copies(
    before: &[UserOffer],
    now: &[UserOffer],
    is_wanted: impl Fn(&UserOffer) -> bool,
) -> Vec<IssuedCopy> {
    let is_new = |copy: &&UserOffer| before.iter().all(|held| held.id != copy.id);
    let new = now.iter().filter(is_new).filter(|copy| is_wanted(copy));
    new.map(|copy| IssuedCopy { id: Some(copy.id.clone()), fail_reason: None }).collect()
}

fn seen_note(before: &[Note], now: &[Note], reason: Option<&str>, comment: &Comment) -> Finding {
    let is_ours = |note: &&Note| note.comment == comment.as_str() && note.reason.as_deref() == reason;
    // As many as before are not ours; without ids only the number tells.
    if now.iter().filter(is_ours).count() > before.iter().filter(is_ours).count() {
        Finding::Happened(Done::Added)
    } else {
        unseen("there is no new note with this reason and text")
    }
}

fn seen_tags(before: Option<&[Tag]>, now: &[Tag], wanted: &[String]) -> Finding {
    let find = |tags: &[Tag], name: &str| tags.iter().find(|tag| tag.name == name).cloned();
    let mut unclear = 0;
    for name in wanted {
        match (before.map(|tags| find(tags, name)), find(now, name)) {
            (_, None) => return unseen("a tag is not there"),
            (Some(None), Some(_)) => {}
            (Some(Some(old)), Some(new)) if new.count > old.count || new.expires_at > old.expires_at => {}
            _ => unclear += 1,
        }
    }
    if unclear == 0 {
        return Finding::Happened(Done::Added);
    }
    let fact = format!("{unclear} of the tags may have been there before");
    Finding::Unknown(Leaning::Unknown, vec![fact])
}
