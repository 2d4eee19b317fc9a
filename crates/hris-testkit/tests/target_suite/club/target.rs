//! The Club's target: the mock behind a token and a time-out, with a flaw where one is asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::{self, BoxStream, StreamExt};
use hris_core::{
    Action, ActionKind, Attributes, Clock as _, Delivery, Error, ErrorKind, MemberId, MemberQuery,
    MemberRecord, Outcome, ProvisioningTarget, Result, TargetCapabilities, TargetField,
};

use super::Flaw;
use super::platform::{Club, as_text};

/// A token of the Club.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Good,
    ReadOnly,
    Wrong,
}

impl Token {
    pub(crate) fn secret(self) -> &'static str {
        match self {
            Self::Good => "club-token-5d1f",
            Self::ReadOnly => "club-token-77a0",
            Self::Wrong => "club-token-0000",
        }
    }
}

pub(crate) struct ClubTarget {
    club: Arc<Club>,
    token: Token,
    page: usize,
    flaw: Flaw,
    busy: AtomicBool,
    /// What flawed targets remember: members by what was asked, and attributes by what was sent.
    found: Mutex<BTreeMap<String, Vec<MemberRecord>>>,
    sent: Mutex<BTreeMap<MemberId, Attributes>>,
}

impl fmt::Debug for ClubTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ClubTarget");
        out.field("page", &self.page);
        if self.flaw == Flaw::ShowsItsToken {
            out.field("token", &self.token.secret());
        }
        out.finish_non_exhaustive()
    }
}

impl ClubTarget {
    pub(crate) fn new(club: Arc<Club>, token: Token, page: usize, flaw: Flaw) -> Self {
        if flaw == Flaw::SendsWhenBuilt {
            club.asked.fetch_add(1, Ordering::Relaxed);
        }
        let busy = AtomicBool::new(false);
        Self { club, token, page, flaw, busy, found: Mutex::default(), sent: Mutex::default() }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Asks the platform something: it looks at the token first.
    fn ask(&self, to_write: bool) -> Result<()> {
        self.club.asked.fetch_add(1, Ordering::Relaxed);
        let kind = match self.token {
            Token::Wrong if self.is(Flaw::TakesRefusalsForOutages) => ErrorKind::Unavailable,
            Token::Wrong => ErrorKind::Unauthorized,
            Token::ReadOnly if to_write && self.is(Flaw::TakesForbiddenForOutages) => ErrorKind::Unavailable,
            Token::ReadOnly if to_write => ErrorKind::Forbidden,
            _ => return Ok(()),
        };
        Err(Error::new(kind, "the Club refuses the token")
            .with_hint("make another token in the Club's office"))
    }

    fn mine(&self, member: &MemberId) -> Option<MemberRecord> {
        self.club.mock.members().into_iter().find(|record| record.id == *member)
    }

    /// The action as a flawed target understands it.
    fn understood(&self, action: &Action) -> Action {
        let mut action = action.clone();
        if let ActionKind::Create { invite, .. } = &mut action.kind {
            *invite |= self.is(Flaw::InvitesEverybody);
        }
        if let ActionKind::Adopt { reopen, .. } = &mut action.kind {
            *reopen &= !self.is(Flaw::LeavesAdoptedClosed);
        }
        if let ActionKind::Update { changes } = &mut action.kind {
            if self.is(Flaw::ClearsNothing) {
                let kept = changes.iter().filter(|(_, value)| value.is_some());
                *changes = kept.map(|(field, value)| (field.clone(), value.cloned())).collect();
            }
            if let Some(sent) =
                action.member.as_ref().and_then(|id| self.sent.lock().unwrap().get(id).cloned())
                && self.is(Flaw::OverwritesEdits)
            {
                let mut everything = sent;
                everything.merge(changes);
                *changes = everything;
            }
        }
        action
    }

    async fn one(&self, action: &Action) -> Outcome {
        if let Err(error) = self.ask(true) {
            return match action.member.clone() {
                Some(member) if self.is(Flaw::TakesForbiddenForDone) => Outcome::Applied(member),
                _ => Outcome::NotAttempted(error),
            };
        }
        let action = self.understood(action);
        if let Some(outcome) = self.before(&action) {
            return outcome;
        }
        let actions = [action.clone()];
        let outcome = self.attempt(&actions).await;
        let outcome = self.after(&action, outcome).await;
        if let Outcome::Applied(member) = &outcome {
            let sent = action.kind.changes().cloned().unwrap_or_default();
            self.sent.lock().unwrap().entry(member.clone()).or_default().merge(&sent);
        }
        outcome
    }

    /// One attempt, which is given up after half a minute.
    async fn attempt(&self, actions: &[Action]) -> Outcome {
        tokio::task::yield_now().await;
        let call = self.club.mock.apply(actions);
        let time = self.club.clock.sleep(Duration::from_secs(30));
        match select(call, time).await {
            Either::Left((mut outcomes, _)) => outcomes.pop().unwrap(),
            Either::Right(((), _)) => {
                let error = Error::new(ErrorKind::Timeout, "the Club does not answer");
                Outcome::InDoubt(error.with_delivery(Delivery::Unknown))
            }
        }
    }

    /// What a flawed target does in place of asking the platform.
    fn before(&self, action: &Action) -> Option<Outcome> {
        let member = action.member.clone()?;
        let mut record = self.mine(&member)?;
        match (&action.kind, self.flaw) {
            (ActionKind::Park { .. }, Flaw::TakesParkingForDone) => return Some(Outcome::Applied(member)),
            (ActionKind::Leave { .. }, Flaw::DeletesLeavers) => {
                self.club.mock.remove(&member);
                self.club.more_writes.fetch_add(1, Ordering::Relaxed);
            }
            (ActionKind::Leave { .. }, Flaw::ClosesAgain) if !record.active => {
                record.closes_on = record.closes_on.and_then(|day| day.succ_opt());
                self.club.mock.plant(record);
                return Some(Outcome::AlreadySo(member));
            }
            (ActionKind::Update { changes }, Flaw::ReplacesAttributes) => {
                let ids = [TargetField::EMPLOYEE_ID, TargetField::EMAIL];
                let kept = ids.map(|id| (id.clone(), record.attributes.get(&id).flatten().cloned()));
                record.attributes = Attributes::from_iter(kept);
                record.attributes.merge(changes);
                self.club.mock.plant(record);
                self.club.more_writes.fetch_add(1, Ordering::Relaxed);
            }
            (ActionKind::Update { changes }, Flaw::IgnoresClashes) => {
                record.attributes.merge(changes);
                self.club.mock.plant(record);
            }
            (ActionKind::Update { changes }, Flaw::RecreatesForAddresses | Flaw::RecreatesForKeys) => {
                let field = match self.flaw {
                    Flaw::RecreatesForKeys => TargetField::EMPLOYEE_ID,
                    _ => TargetField::EMAIL,
                };
                changes.get(&field)?;
                record.attributes.merge(changes);
                return Some(Outcome::Applied(self.replaced(&member, record.attributes)));
            }
            (ActionKind::Reactivate { changes }, Flaw::ReturnsAnew) => {
                record.attributes.merge(changes);
                return Some(Outcome::Applied(self.replaced(&member, record.attributes)));
            }
            _ => return None,
        }
        Some(Outcome::Applied(member))
    }

    fn replaced(&self, member: &MemberId, attributes: Attributes) -> MemberId {
        self.club.mock.remove(member);
        self.planted(attributes)
    }

    fn planted(&self, attributes: Attributes) -> MemberId {
        let id = MemberId::from(format!("made-{}", self.club.mock.members().len()));
        self.club.mock.plant(MemberRecord::new(id.clone(), attributes));
        self.club.more_writes.fetch_add(1, Ordering::Relaxed);
        id
    }

    /// What a flawed target makes of the platform's answer.
    async fn after(&self, action: &Action, outcome: Outcome) -> Outcome {
        let member = action.member.clone();
        match (self.flaw, outcome) {
            (Flaw::DoublesOnConflict, Outcome::Conflict(_)) if member.is_none() => {
                Outcome::Applied(self.planted(action.kind.changes().unwrap().clone()))
            }
            (Flaw::AdoptsOnConflict, Outcome::Conflict(_)) if member.is_none() => self.adopted(action),
            (Flaw::RecreatesTheGone, Outcome::Rejected(error)) if error.kind() == ErrorKind::NotFound => {
                Outcome::Applied(self.planted(action.kind.changes().cloned().unwrap_or_default()))
            }
            (Flaw::AlwaysWrites, Outcome::AlreadySo(member)) => {
                self.club.more_writes.fetch_add(1, Ordering::Relaxed);
                Outcome::Applied(member)
            }
            (Flaw::WritesTwice, outcome @ Outcome::Applied(_)) => {
                self.club.more_writes.fetch_add(1, Ordering::Relaxed);
                outcome
            }
            (Flaw::InvitesUpdates, Outcome::Applied(member)) => {
                let more = u64::from(action.kind.as_str() == "update");
                *self.club.more_invitations.lock().unwrap().entry(member.clone()).or_default() += more;
                Outcome::Applied(member)
            }
            (Flaw::DropsTheUnknown, Outcome::Applied(member)) => {
                let nickname = TargetField::Custom("nickname".into());
                self.club.mock.edit(&member, &Attributes::from_iter([(nickname, None)]));
                Outcome::Applied(member)
            }
            (Flaw::BlamesRecords, Outcome::NotAttempted(error)) => Outcome::Rejected(error),
            (Flaw::TakesTroubleForDone, Outcome::NotAttempted(_)) => Outcome::Applied("m".into()),
            (Flaw::TakesDoubtForRefusal, Outcome::InDoubt(error)) => Outcome::Rejected(error),
            (Flaw::TakesSilenceForSuccess, Outcome::InDoubt(_)) => {
                Outcome::Applied(member.unwrap_or_else(|| "m".into()))
            }
            (Flaw::RepeatsDoubt, Outcome::InDoubt(_)) => self.attempt(std::slice::from_ref(action)).await,
            (Flaw::QuotesValues, Outcome::Conflict(error)) => {
                let address = action.kind.changes().and_then(|changes| changes.text(&TargetField::EMAIL));
                Outcome::Conflict(error.with_context("address", address.unwrap_or_default()))
            }
            (_, outcome) => outcome,
        }
    }

    /// Takes whoever stands in the way of a create.
    fn adopted(&self, action: &Action) -> Outcome {
        let wanted = action.kind.changes().unwrap();
        let same = |record: &MemberRecord| record.attributes.employee_id() == wanted.employee_id();
        match self.club.mock.members().into_iter().find(same) {
            Some(record) => {
                self.club.mock.edit(&record.id, wanted);
                Outcome::Applied(record.id)
            }
            None => Outcome::Conflict(Error::new(ErrorKind::Conflict, "somebody else stands in the way")),
        }
    }

    /// Who is found, as a flawed target finds them.
    fn looked_up(&self, query: &MemberQuery, mut found: Vec<MemberRecord>) -> Vec<MemberRecord> {
        let everybody = self.club.mock.members();
        let text = match query {
            MemberQuery::EmployeeId(id) => id.as_str().to_owned(),
            MemberQuery::Email(email) => email.as_str().to_owned(),
            _ => String::new(),
        };
        match self.flaw {
            Flaw::FindsAnybody if found.is_empty() => everybody.into_iter().take(1).collect(),
            Flaw::FindsByIdOnly if !matches!(query, MemberQuery::Id(_)) => Vec::new(),
            Flaw::ReadsExpressions if text.contains('"') => everybody,
            Flaw::TakesIdsForNumbers if text.parse::<u64>().is_ok() => {
                let number = text.parse::<u64>().ok();
                let same = |record: &MemberRecord| {
                    record.attributes.employee_id().and_then(|id| id.as_str().parse().ok()) == number
                };
                everybody.into_iter().filter(same).collect()
            }
            Flaw::MindsCase if matches!(query, MemberQuery::Email(_)) => {
                found.retain(|record| record.attributes.text(&TargetField::EMAIL) == Some(&text));
                found
            }
            Flaw::HidesClosed => {
                found.retain(|record| record.active);
                found
            }
            Flaw::PicksOne => {
                found.truncate(1);
                found
            }
            Flaw::DeliversTexts => {
                for record in &mut found {
                    let texts =
                        record.attributes.iter().map(|(field, value)| (field.clone(), value.map(as_text)));
                    record.attributes = texts.collect();
                }
                found
            }
            Flaw::RemembersFinds => {
                self.found.lock().unwrap().entry(format!("{query:?}")).or_insert(found).clone()
            }
            Flaw::RemembersWrites => {
                let sent = self.sent.lock().unwrap();
                if let MemberQuery::Id(id) = query
                    && let Some(attributes) = sent.get(id)
                {
                    return vec![MemberRecord::new(id.clone(), attributes.clone())];
                }
                found
            }
            _ => found,
        }
    }

    fn pages(&self) -> Vec<Result<MemberRecord>> {
        self.club.asked.fetch_add(1, Ordering::Relaxed);
        let mut listed: Vec<_> = everybody(&self.club);
        match self.flaw {
            Flaw::LosesTheLastPage if listed.len() > self.page => {
                listed.truncate(listed.len() / self.page * self.page - 1);
            }
            Flaw::RepeatsTheFirstPage if listed.len() > self.page => {
                let mut again = everybody(&self.club);
                again.truncate(self.page);
                listed.extend(again);
            }
            Flaw::TakesFailuresForEnds => listed.retain(Result::is_ok),
            _ => {}
        }
        listed
    }
}

/// Everything that the mock lists now.
fn everybody(club: &Club) -> Vec<Result<MemberRecord>> {
    let listing = club.mock.roster().map(StreamExt::collect::<Vec<_>>);
    listing.and_then(FutureExt::now_or_never).unwrap_or_default()
}

#[async_trait]
impl ProvisioningTarget for ClubTarget {
    fn capabilities(&self) -> TargetCapabilities {
        let mut capabilities = self.club.mock.capabilities();
        if self.is(Flaw::DeclaresFewerDays) {
            capabilities.close_down_days = Some(30);
        }
        capabilities.lists = !self.is(Flaw::DeclaresNoRoster);
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        if let Err(error) = self.ask(false) {
            return if self.is(Flaw::TakesRefusalsForNobody) { Ok(Vec::new()) } else { Err(error) };
        }
        if self.is(Flaw::TracesAddresses) {
            tracing::debug!(query = ?match query { MemberQuery::Email(email) => email.as_str(), _ => "" }, "look-up");
        }
        let found = match self.club.mock.find(query).await {
            Ok(found) => self.looked_up(query, found),
            Err(_) if self.is(Flaw::TakesFailuresForNobody) => Vec::new(),
            Err(error) => return Err(error),
        };
        if found.is_empty() && self.is(Flaw::FailsForNobody) {
            return Err(Error::new(ErrorKind::NotFound, "there is no such member"));
        }
        Ok(found)
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        let listing = stream::once(async {
            match self.ask(false) {
                Ok(()) => stream::iter(self.pages()),
                Err(error) => stream::iter(vec![Err(error)]),
            }
        });
        Some(listing.flatten().boxed())
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        if self.is(Flaw::TakesOneCall) && self.busy.swap(true, Ordering::Relaxed) {
            return actions.iter().map(|_| not_attempted()).collect();
        }
        let mut outcomes = Vec::new();
        for (place, action) in actions.iter().enumerate() {
            let ten = self.is(Flaw::CarriesOutTen) && place >= 10;
            outcomes.push(if ten { not_attempted() } else { self.one(action).await });
        }
        self.busy.store(false, Ordering::Relaxed);
        if self.is(Flaw::FailsTogether) && outcomes.iter().any(|it| matches!(it, Outcome::Rejected(_))) {
            return actions.iter().map(|_| not_attempted()).collect();
        }
        if self.is(Flaw::ReversesOutcomes) {
            outcomes.reverse();
        }
        if self.is(Flaw::LosesOutcomes) {
            outcomes.pop();
        }
        outcomes
    }
}

fn not_attempted() -> Outcome {
    Outcome::NotAttempted(Error::new(ErrorKind::Unavailable, "not now"))
}
