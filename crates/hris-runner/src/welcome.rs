//! Welcoming new members ourselves, on a platform that invites nobody: once each, or listed as uncertain.

use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use hris_core::connections::WelcomeState;
use hris_core::{
    Action, ActionKind, Attributes, Awaited, ConnectionKey, Delivery, Email, EmployeeId, Invitations,
    MemberField, MemberQuery, MemberRecord, Notice, NoticeContent, Outcome, ProvisioningTarget, Recipient,
    Result, SharedClock, TargetCapabilities,
};

use crate::assembly::WelcomeMail;

/// A platform that invites nobody, together with our own welcome mails: to the engine it looks like one that invites
/// those who are to be invited.
///
/// A welcome is written down as owed before the account is created, and as begun before it is sent. After a crash in
/// between, [`Welcoming::sweep`] sends what is owed to members that exist, and lists as uncertain what may have been
/// sent: nobody is welcomed twice. Whoever is closed before their welcome went out gets none.
#[derive(Clone, Debug)]
pub struct Welcoming {
    inner: Arc<dyn ProvisioningTarget>,
    mail: WelcomeMail,
    connection: ConnectionKey,
    clock: SharedClock,
}

impl Welcoming {
    /// Our welcomes for the new members of a platform.
    pub fn new(
        inner: Arc<dyn ProvisioningTarget>,
        mail: WelcomeMail,
        connection: ConnectionKey,
        clock: SharedClock,
    ) -> Self {
        Self { inner, mail, connection, clock }
    }

    /// Sends what is still owed from earlier runs, and settles what a crash left open. Answers how many were sent.
    pub async fn sweep(&self) -> Result<u64> {
        let mut sent = 0;
        for (person, state) in self.mail.ledger.welcomes(&self.connection).await? {
            match state {
                WelcomeState::Owed => match self.member(&person).await? {
                    Some(member) => sent += u64::from(self.welcome(&person, &member).await?),
                    // It was not created: whoever creates it owes the welcome anew.
                    None => self.set(&person, None).await?,
                },
                WelcomeState::Begun => {
                    tracing::warn!(connection = %self.connection, "it cannot be told whether a welcome was sent");
                    self.set(&person, Some(WelcomeState::Uncertain)).await?;
                }
                _ => {}
            }
        }
        Ok(sent)
    }

    async fn member(&self, person: &EmployeeId) -> Result<Option<MemberRecord>> {
        let found = self.inner.find(&MemberQuery::EmployeeId(person.clone())).await?;
        Ok(found.into_iter().find(|member| member.active))
    }

    async fn set(&self, person: &EmployeeId, state: Option<WelcomeState>) -> Result<()> {
        self.mail.ledger.set_welcomes(&self.connection, &[(person.clone(), state)]).await
    }

    /// Sends one welcome; whether it was taken.
    async fn welcome(&self, person: &EmployeeId, member: &MemberRecord) -> Result<bool> {
        let name = member.attributes.text(&MemberField::FirstName.into()).map(str::to_owned);
        let Some(address) = member.attributes.email() else {
            self.set(person, Some(WelcomeState::Failed)).await?;
            return Ok(false);
        };
        if self.inner.capabilities().parking.is_some_and(|parking| parking.is_parked(&address)) {
            // Nobody reads a temporary address; the welcome stays owed until the member has its own.
            return Ok(false);
        }
        self.set(person, Some(WelcomeState::Begun)).await?;
        let (told, state) = match self.mail.notifier.notify(&self.notice(person, address, name)).await {
            Ok(told) if told.delivered > 0 => (true, None),
            Ok(told) if told.refused.iter().any(|refused| refused.uncertain) => {
                (false, Some(WelcomeState::Uncertain))
            }
            Ok(told) if told.refused.iter().any(|refused| !refused.for_good) => {
                (false, Some(WelcomeState::Owed))
            }
            Ok(_) => (false, Some(WelcomeState::Failed)),
            Err(error) if error.delivery() == Delivery::Unknown => (false, Some(WelcomeState::Uncertain)),
            Err(error) if error.is_retryable() => (false, Some(WelcomeState::Owed)),
            Err(_) => (false, Some(WelcomeState::Failed)),
        };
        self.set(person, state).await?;
        Ok(told)
    }

    fn notice(&self, person: &EmployeeId, address: Email, name: Option<String>) -> Notice {
        let content = NoticeContent::Welcome {
            organisation: self.mail.organisation.clone(),
            link: self.mail.link.clone(),
        };
        let mut to = Recipient::new(address);
        to.name = name;
        let (id, organisation) = (format!("welcome {person}"), self.mail.organisation.clone());
        Notice::new(id, self.connection.clone(), organisation, self.clock.now(), content).with_recipient(to)
    }

    /// What became of a create that invites.
    async fn settle(&self, person: &EmployeeId, outcome: &Outcome) -> Result<()> {
        match outcome {
            Outcome::Applied(_) | Outcome::AlreadySo(_) => match self.member(person).await? {
                Some(member) => self.welcome(person, &member).await.map(drop),
                None => Ok(()),
            },
            // Whether there is an account shows when somebody looks: the sweep does.
            Outcome::InDoubt(_) => Ok(()),
            _ => self.set(person, None).await,
        }
    }
}

fn invited(action: &Action) -> Option<EmployeeId> {
    match &action.kind {
        ActionKind::Create { invite: true, .. } => Some(action.after.employee_id.clone()),
        _ => None,
    }
}

/// The action without the wish that the platform itself cannot fulfil.
fn uninvited(action: &Action) -> Action {
    let mut action = action.clone();
    if let ActionKind::Create { invite, .. } = &mut action.kind {
        *invite = false;
    }
    action
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ProvisioningTarget for Welcoming {
    fn capabilities(&self) -> TargetCapabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.invitations = Invitations::PerRecord;
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        self.inner.find(query).await
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        self.inner.roster()
    }

    async fn awaited(&self, attributes: &Attributes) -> Vec<Awaited> {
        self.inner.awaited(attributes).await
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let owed: Vec<_> =
            actions.iter().filter_map(invited).map(|person| (person, Some(WelcomeState::Owed))).collect();
        if !owed.is_empty()
            && let Err(error) = self.mail.ledger.set_welcomes(&self.connection, &owed).await
        {
            // Nothing was sent yet. The error is one, and each action needs its own.
            let message = error.to_string();
            let not_sent = |_| Outcome::NotAttempted(hris_core::Error::new(error.kind(), message.clone()));
            return actions.iter().map(not_sent).collect();
        }
        let uninvited: Vec<_> = actions.iter().map(uninvited).collect();
        let outcomes = self.inner.apply(&uninvited).await;
        for (action, outcome) in actions.iter().zip(&outcomes) {
            if let Some(person) = invited(action)
                && let Err(error) = self.settle(&person, outcome).await
            {
                // The account is there; the welcome stays owed, and the sweep sends it.
                tracing::warn!(connection = %self.connection, %error, "a welcome waits");
            }
        }
        outcomes
    }
}
