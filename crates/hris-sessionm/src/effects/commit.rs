//! Committing: one request, and a judgement of its answer. What is unclear is found out by reading.

use hris_core::{Error, ErrorKind, Result};

use super::prepare_people::merge_ids;
use super::{Committed, Done, Effect, EffectKey, Prepared, Receipt, Refusal, Side};
use crate::client::errors::{ABOUT, code};
use crate::client::merge::MergeSide;
use crate::client::points::{Deposit, Moved, Spend};
use crate::client::rewards::{Bought, Purchase};
use crate::client::{Certainty, IssuedCopy, SessionM, certainty};
use crate::settings::ReasonField;
use crate::{OfferState, Points, ProfileEdit, ProfileField, UserOfferId};

/// What the answer to an effect's one request says.
enum Answer {
    /// It happened.
    Done(Done),
    /// It happened by the answer's word, which is to be seen by reading.
    ToBeSeen,
    /// It did not, in an answer that says ok.
    Refused(Option<String>),
    /// No copy was issued.
    NotIssued(Vec<i64>),
    /// The answer says ok and not what happened.
    Unclear,
}

impl SessionM {
    /// Carries an effect out, once.
    pub(crate) async fn commit_effect(&self, prepared: Prepared) -> Result<Committed> {
        match self.send(&prepared).await {
            Ok(Answer::Done(done)) => Ok(Committed::Done(receipt(&prepared, false, done))),
            Ok(Answer::ToBeSeen) => Ok(self.see(prepared).await),
            Ok(Answer::Refused(code)) => Ok(Committed::Refused(self.explain(&prepared, code, None).await)),
            Ok(Answer::NotIssued(reasons)) => Ok(Committed::Refused(Refusal::NotIssued { reasons })),
            Ok(Answer::Unclear) => Ok(self
                .find_out(prepared, "SessionM answered ok and did not say what happened".to_owned())
                .await),
            Err(error) => match certainty(&error) {
                Certainty::NothingDone => Err(error),
                Certainty::Refused => {
                    let about = error.context().find(|(key, _)| *key == ABOUT).map(|(_, about)| about);
                    let code = code(&error).map(str::to_owned);
                    Ok(Committed::Refused(self.explain(&prepared, code, about).await))
                }
                Certainty::Unclear => {
                    tracing::warn!(
                        effect = prepared.effect.as_str(),
                        key = prepared.key.as_str(),
                        kind = ?error.kind(),
                        "the answer was lost or unclear: finding out by reading"
                    );
                    Ok(self.find_out(prepared, format!("the answer is not known: {}", error.message())).await)
                }
            },
        }
    }

    /// The one request.
    async fn send(&self, prepared: &Prepared) -> Result<Answer> {
        let key = prepared.key.as_str();
        match &prepared.effect {
            Effect::Create(new) => {
                let customer = self.create_customer(new).await?;
                let unconfirmed =
                    if customer.opted_in == new.opted_in { Vec::new() } else { vec![ProfileField::OptedIn] };
                Ok(Answer::Done(Done::Customer { customer: Some(Box::new(customer)), unconfirmed }))
            }
            Effect::Enrol { customer } => {
                self.update_customer(customer.id(), &opting_in()).await.map(|()| Answer::ToBeSeen)
            }
            Effect::Update { customer, edit } => {
                self.update_customer(customer.id(), edit).await.map(|()| Answer::ToBeSeen)
            }
            Effect::Tag { customer, tags, seconds } => {
                self.add_tags(customer.id(), tags, *seconds).await.map(|()| Answer::Done(Done::Added))
            }
            Effect::Merge { survivor, victim } => self.send_merge(prepared, survivor, victim).await,
            Effect::Award { customer, account, source, amount, reason } => {
                let (reference_id, reference_type) = self.references(key, reason, "award");
                let deposit = Deposit {
                    account,
                    source,
                    amount: *amount,
                    reference_id: &reference_id,
                    reference_type: &reference_type,
                };
                self.deposit(customer, &deposit).await.map(points)
            }
            Effect::Deduct { customer, amount, reason, .. } => {
                let (reference_id, reference_type) = self.references(key, reason, "deduction");
                let spend = Spend {
                    accounts: &prepared.before.accounts,
                    source: None,
                    amount: *amount,
                    reference_id: &reference_id,
                    reference_type: &reference_type,
                    key,
                };
                self.spend(customer, &spend).await.map(points)
            }
            Effect::Note { customer, reason, comment } => {
                let customer =
                    prepared.before.customer.as_ref().map_or_else(|| customer.clone(), |c| c.reference());
                let note = self.create_note(&customer, reason.as_deref(), comment.as_str());
                note.await.map(|()| Answer::Done(Done::Added))
            }
            Effect::Issue { customer, offer, quantity } => {
                self.issue(customer, offer, *quantity).await.map(issued(*quantity))
            }
            Effect::Reissue { customer, .. } => match &prepared.before.issues {
                Some(offer) => self.issue(customer, offer, 1).await.map(issued(1)),
                None => Err(Error::new(ErrorKind::Stale, "this effect was not prepared by this client")),
            },
            Effect::Revoke { copy, reason, .. } => {
                self.revoke(copy, reason.as_str()).await.map(|()| of_copy(copy))
            }
            Effect::Redeem { copy, .. } => self.redeem(copy).await.map(|()| of_copy(copy)),
            Effect::Extend { customer, copy, from, until } => {
                self.extend(customer, copy, (*from, *until)).await.map(|()| Answer::ToBeSeen)
            }
            Effect::Purchase { customer, quantity, .. } => {
                let Some(reward) = &prepared.before.reward else {
                    return Err(Error::new(ErrorKind::Stale, "this effect was not prepared by this client"));
                };
                let purchase = Purchase { reward, accounts: &prepared.before.accounts, quantity: *quantity };
                self.purchase(customer, &purchase).await.map(bought)
            }
        }
    }

    async fn send_merge(
        &self,
        prepared: &Prepared,
        survivor: &crate::ParentKeys,
        victim: &crate::ParentKeys,
    ) -> Result<Answer> {
        let (Some(stays), Some(goes)) = (&prepared.before.customer, &prepared.before.victim) else {
            return Err(Error::new(ErrorKind::Stale, "this effect was not prepared by this client"));
        };
        let (persistent, legacy) = merge_ids((survivor, stays), (victim, goes));
        let stays = MergeSide { id: &stays.id, external_id: persistent };
        let goes = MergeSide { id: &goes.id, external_id: legacy };
        self.merge(&stays, &goes).await.map(|()| Answer::ToBeSeen)
    }

    /// `reference_id` and `reference_type` of a movement of points: our key, and the agent's reason.
    fn references(&self, key: &str, reason: &str, word: &str) -> (String, String) {
        match self.settings().points.reason_field {
            ReasonField::ReferenceType => (key.to_owned(), reason.to_owned()),
            ReasonField::ReferenceId => (format!("{reason} {key}"), word.to_owned()),
        }
    }

    /// Turns SessionM's refusal into a reason of its own type, by reading what stands in the way.
    async fn explain(&self, prepared: &Prepared, code: Option<String>, about: Option<&str>) -> Refusal {
        if code.as_deref() == Some("user_not_found") {
            return Refusal::UnknownCustomer;
        }
        // A reading that fails explains nothing, and the refusal itself is certain.
        let found = self.obstacle(prepared, about).await.unwrap_or(None);
        found.unwrap_or(Refusal::Vendor { code })
    }

    async fn obstacle(&self, prepared: &Prepared, about: Option<&str>) -> Result<Option<Refusal>> {
        Ok(match &prepared.effect {
            Effect::Create(new) => match self.check_create(new).await? {
                Err(refusal) => Some(refusal),
                Ok(_) => too_young(about, &new.profile),
            },
            Effect::Update { customer, edit } => match self.check_update(customer, edit).await? {
                Err(Refusal::NothingToDo) | Ok(_) => too_young(about, edit),
                Err(refusal) => Some(refusal),
            },
            Effect::Merge { .. } => self.vanished_side(prepared).await?,
            Effect::Deduct { customer, amount, .. } => {
                self.shortage(customer, &prepared.before.accounts, *amount).await?
            }
            Effect::Purchase { customer, quantity, .. } => {
                let price = prepared.before.reward.as_ref().and_then(|reward| reward.price.times(*quantity));
                self.shortage(customer, &prepared.before.accounts, price.unwrap_or_default()).await?
            }
            Effect::Revoke { customer, copy, .. }
            | Effect::Redeem { customer, copy }
            | Effect::Extend { customer, copy, .. } => match self.copy_of(customer, copy).await? {
                Err(refusal) => Some(refusal),
                Ok((_, held)) => match held.state(self.now()) {
                    OfferState::Redeemed => Some(Refusal::AlreadyRedeemed),
                    OfferState::Expired => Some(Refusal::OfferExpired),
                    OfferState::Active | OfferState::Upcoming => None,
                },
            },
            _ => None,
        })
    }

    async fn shortage(
        &self,
        customer: &crate::CustomerRef,
        accounts: &[crate::PointAccountId],
        needed: Points,
    ) -> Result<Option<Refusal>> {
        let available = super::prepare::available_in(&self.read_balances(customer).await?, accounts);
        Ok(match available {
            Ok(available) if available < needed => Some(Refusal::InsufficientPoints { needed, available }),
            Ok(_) => None,
            Err(refusal) => Some(refusal),
        })
    }

    async fn vanished_side(&self, prepared: &Prepared) -> Result<Option<Refusal>> {
        for (side, customer) in
            [(Side::Survivor, &prepared.before.customer), (Side::Victim, &prepared.before.victim)]
        {
            if let Some(customer) = customer
                && self.customer_by_id(&customer.id).await?.is_none()
            {
                return Ok(Some(Refusal::UnknownSide(side)));
            }
        }
        Ok(None)
    }
}

fn too_young(about: Option<&str>, edit: &ProfileEdit) -> Option<Refusal> {
    let says_so = about == Some("birth_date") && edit.get(&ProfileField::BirthDate).is_some();
    says_so.then_some(Refusal::UnderAge)
}

/// The change that enrols somebody.
pub(super) fn opting_in() -> ProfileEdit {
    // A flag in the field for it is always accepted.
    ProfileEdit::new().set(ProfileField::OptedIn, true).unwrap_or_default()
}

fn points(moved: Moved) -> Answer {
    match moved {
        Moved::Done(balance) => Answer::Done(Done::Points { balance }),
        Moved::PartFailed(number) => Answer::Refused(number.map(|number| number.to_string())),
    }
}

/// Reads what became of each copy. An ok answer that leaves a copy out does not say what happened.
fn issued(quantity: u32) -> impl Fn(Vec<IssuedCopy>) -> Answer {
    move |copies| {
        let reasons: Vec<_> = copies.iter().filter_map(|copy| copy.fail_reason).collect();
        let told = copies.iter().all(|copy| copy.id.is_some() || copy.fail_reason.is_some());
        if copies.len() < quantity as usize || !told {
            Answer::Unclear
        } else if reasons.len() == copies.len() {
            Answer::NotIssued(reasons)
        } else {
            Answer::Done(Done::Copies { copies, points_left: None })
        }
    }
}

fn of_copy(copy: &UserOfferId) -> Answer {
    Answer::Done(Done::Copy(copy.clone()))
}

fn bought(bought: Bought) -> Answer {
    match bought {
        Bought::NotDone => Answer::Refused(None),
        Bought::Done { copy, points_left } => {
            let copies = copy.into_iter().map(|id| IssuedCopy { id: Some(id), fail_reason: None }).collect();
            Answer::Done(Done::Copies { copies, points_left })
        }
    }
}

pub(super) fn receipt(prepared: &Prepared, found_by_reading: bool, done: Done) -> Receipt {
    let key: EffectKey = prepared.key.clone();
    Receipt { key, effect: prepared.effect.as_str(), found_by_reading, done }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ok_answer_that_leaves_a_copy_out_is_unclear() {
        let copy = |id: Option<&str>, fail_reason| IssuedCopy { id: id.map(Into::into), fail_reason };
        let done = issued(1)(vec![copy(Some("u1"), None)]);
        assert!(matches!(done, Answer::Done(Done::Copies { .. })));
        assert!(matches!(issued(2)(vec![copy(Some("u1"), None)]), Answer::Unclear));
        assert!(matches!(issued(1)(vec![copy(None, None)]), Answer::Unclear));
        assert!(matches!(issued(1)(vec![copy(None, Some(7))]), Answer::NotIssued(reasons) if reasons == [7]));
        let some = issued(2)(vec![copy(Some("u1"), None), copy(None, Some(7))]);
        assert!(matches!(some, Answer::Done(Done::Copies { copies, .. }) if copies.len() == 2));
    }
}
