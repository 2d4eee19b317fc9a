//! What one action comes to: what is read first, what is sent, and what an answer means for it.

use hris_core::{
    Action, ActionKind, Attributes, Delivery, EmployeeId, Error, ErrorKind, MemberField, MemberId, Outcome,
    Problem, Result, TargetField, rule,
};

use crate::change::{Change, Form, Wanted};
use crate::classify::{scim_type, status};
use crate::client::{Send, User, Written};
use crate::config::{ArrayPatch, OnConflict, UpdateWith};
use crate::find::Key;
use crate::target::Inner;

/// One action on its way.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// There is nothing to send.
    Done(Outcome),
    /// This is to be sent, once.
    Write(Box<Write>),
}

/// A write and what it is for.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) send: Send,
    wanted: Wanted,
    form: Form,
    /// The user that is changed; `None` for a create.
    id: Option<String>,
    /// What refers to somebody who is not on the platform yet, and is left out.
    without: Vec<TargetField>,
}

/// What an answer calls for.
pub(crate) enum Judged {
    Done(Outcome),
    /// The server does not understand the request in this form.
    Reform(Form, Error),
    /// The user has changed in between.
    Reread(Error),
}

impl Inner {
    /// Carries an action out by itself.
    pub(crate) async fn carry_out(&self, action: &Action) -> Outcome {
        match self.prepare(action, self.form().await).await {
            Ok(Prepared::Done(outcome)) => outcome,
            Ok(Prepared::Write(write)) => {
                let result = self.client.send(&write.send).await;
                self.conclude(action, *write, result).await
            }
            Err(error) => unread(error),
        }
    }

    /// Makes the best of the answer to a first write. What was provably not carried out is sent once more, in another
    /// form or on top of what has changed.
    pub(crate) async fn conclude(&self, action: &Action, write: Write, result: Result<Written>) -> Outcome {
        let mut judged = self.judge(action, &write, result).await;
        let mut rereads = 1;
        let mut reforms = 2;
        loop {
            let form = match judged {
                Judged::Done(outcome) => return self.noted(outcome).await,
                Judged::Reform(form, _) if reforms > 0 => {
                    reforms -= 1;
                    form
                }
                Judged::Reread(_) if rereads > 0 => {
                    rereads -= 1;
                    write.form
                }
                Judged::Reform(_, error) | Judged::Reread(error) => return outcome_of(error),
            };
            let write = match self.prepare(action, form).await {
                Ok(Prepared::Done(outcome)) => return outcome,
                Ok(Prepared::Write(write)) => write,
                Err(error) => return unread(error),
            };
            let result = self.client.send(&write.send).await;
            judged = self.judge(action, &write, result).await;
        }
    }

    /// How a user is changed on this server.
    pub(crate) async fn form(&self) -> Form {
        let config = &self.settings.config;
        let patches = self.client.provider().await.patch != Some(false) && !self.learned.patch_off();
        match config.update_with {
            UpdateWith::Patch if patches => Form::Patch(config.patch_style, self.settings.arrays),
            _ => Form::Put,
        }
    }

    /// Reads what has to be known, and makes the request.
    pub(crate) async fn prepare(&self, action: &Action, form: Form) -> Result<Prepared> {
        match &action.kind {
            ActionKind::Create { attributes, .. } => self.prepare_create(action, attributes, form).await,
            ActionKind::Update { changes } | ActionKind::Park { changes } => {
                self.prepare_change(action, changes, None, form).await
            }
            ActionKind::Adopt { changes, reopen } => {
                self.prepare_change(action, changes, reopen.then_some(true), form).await
            }
            ActionKind::Reactivate { changes } => {
                self.prepare_change(action, changes, Some(true), form).await
            }
            ActionKind::Leave { .. } => {
                self.prepare_change(action, &Attributes::new(), Some(false), form).await
            }
            _ => Ok(Prepared::Done(Outcome::Rejected(Error::unsupported(
                "this target does not know the action",
            )))),
        }
    }

    async fn prepare_create(&self, action: &Action, attributes: &Attributes, form: Form) -> Result<Prepared> {
        let checked = self.settings.rules.check_new(attributes);
        if let Some(refusal) = checked.refusal {
            return Ok(Prepared::Done(Outcome::Rejected(refused(&refusal))));
        }
        self.report(action, checked.problems);
        let attributes = &checked.attributes;
        let (Some(external_id), Some(_)) = (
            attributes.text(&TargetField::EMPLOYEE_ID),
            attributes.text(&self.settings.places.user_name_from),
        ) else {
            let error = Error::new(ErrorKind::Invalid, "an account needs an Employee ID and a user name");
            return Ok(Prepared::Done(Outcome::Rejected(error)));
        };
        // Whoever has the user name was looked for when the plan was made, and since then the server itself refuses to
        // give it twice (RFC 7643, section 4.1.1). It promises nothing of the kind for external ids.
        let same_id = self.find(Key::ExternalId, external_id).await?;
        match same_id.as_slice() {
            [] => {}
            [_] if self.settings.config.on_conflict == OnConflict::Adopt => {
                let user = same_id.into_iter().next();
                return self.prepare_found(action, user, attributes, Some(true), form).await;
            }
            [_] => return Ok(conflict("an account has this Employee ID already")),
            _ => return Ok(conflict("several accounts have this Employee ID; close or correct all but one")),
        }
        let (wanted, without) = self.wanted(action, attributes).await;
        let body = wanted.new_user(&self.settings.places).into();
        let write = Write { send: Send::Post { body }, wanted, form, id: None, without };
        Ok(Prepared::Write(Box::new(write)))
    }

    async fn prepare_change(
        &self,
        action: &Action,
        changes: &Attributes,
        open: Option<bool>,
        form: Form,
    ) -> Result<Prepared> {
        let Some(member) = &action.member else {
            let error = Error::new(ErrorKind::Invalid, "the action names no member");
            return Ok(Prepared::Done(Outcome::Rejected(error)));
        };
        let checked = self.settings.rules.check_change(changes);
        if let Some(refusal) = checked.refusal {
            return Ok(Prepared::Done(Outcome::Rejected(refused(&refusal))));
        }
        self.report(action, checked.problems);
        let user = match self.client.user(member.as_str()).await? {
            Some(user) => Some(user),
            None => match self.find_again(action).await? {
                Ok(user) => user,
                Err(conflict) => return Ok(conflict),
            },
        };
        if user.is_none() && open == Some(false) {
            // Whoever is gone cannot be closed, and need not be.
            return Ok(Prepared::Done(Outcome::AlreadySo(member.clone())));
        }
        self.prepare_found(action, user, &checked.attributes, open, form).await
    }

    /// The account of somebody whose id is not known to the server any more: the one with their Employee ID.
    async fn find_again(&self, action: &Action) -> Result<Result<Option<User>, Prepared>> {
        let mut known: Vec<&EmployeeId> = vec![&action.after.employee_id];
        known.extend(action.person.employee_id.as_ref().filter(|id| **id != action.after.employee_id));
        for id in known {
            let mut found = self.find(Key::ExternalId, id.as_str()).await?;
            match found.len() {
                0 => {}
                1 => return Ok(Ok(found.pop())),
                _ => return Ok(Err(conflict("several accounts have this Employee ID"))),
            }
        }
        Ok(Ok(None))
    }

    async fn prepare_found(
        &self,
        action: &Action,
        user: Option<User>,
        changes: &Attributes,
        open: Option<bool>,
        form: Form,
    ) -> Result<Prepared> {
        let Some(user) = user else {
            let error = Error::new(ErrorKind::NotFound, "there is no such member");
            return Ok(Prepared::Done(Outcome::Rejected(error)));
        };
        if let Some(id) = changes.text(&TargetField::EMPLOYEE_ID)
            && self.find(Key::ExternalId, id).await?.iter().any(|other| other.id != user.id)
        {
            return Ok(conflict("another account has this Employee ID"));
        }
        let (mut wanted, without) = self.wanted(action, changes).await;
        if let Some(open) = open {
            wanted.set(&self.settings.places.active, Some(open.into()));
        }
        let id = user.id.clone();
        let change = Change::new(user, wanted);
        if change.is_empty() {
            return Ok(Prepared::Done(ended(id, without, Outcome::AlreadySo)));
        }
        let etags = self.settings.config.etags && self.client.provider().await.etag == Some(true);
        let send = change.send(form, etags, &self.settings.places);
        let write = Write { send, wanted: change.into_wanted(), form, id: Some(id), without };
        Ok(Prepared::Write(Box::new(write)))
    }

    /// Attributes as values at their places, and those that refer to somebody who is not there yet.
    async fn wanted(&self, action: &Action, attributes: &Attributes) -> (Wanted, Vec<TargetField>) {
        let places = &self.settings.places;
        let mut wanted = Wanted::default();
        let mut without = Vec::new();
        for (field, value) in attributes.iter() {
            if !places.writes(field) {
                self.report_once(
                    field,
                    "the platform has no place for this attribute: give it one or do not map it",
                );
                continue;
            }
            if *field == TargetField::from(MemberField::Manager) {
                match value.map(ToString::to_string) {
                    None => wanted.set(&places.manager, None),
                    Some(manager) => match self.manager_id(&manager).await {
                        Some(id) => wanted.set(&places.manager, Some(id.into())),
                        None => without.push(field.clone()),
                    },
                }
                continue;
            }
            let json = value.and_then(|value| places.encode(field, value));
            if value.is_some() && json.is_none() {
                let message = "the value has no form that can be written at this attribute's place";
                let problem = Problem::warning(rule::VALUE_CHARACTERS, message).at(field.to_string());
                self.report(action, vec![problem]);
                continue;
            }
            for path in places.of(field) {
                wanted.set(path, json.clone());
            }
        }
        (wanted, without)
    }

    /// What the answer to a write means.
    async fn judge(&self, action: &Action, write: &Write, result: Result<Written>) -> Judged {
        let error = match result {
            Ok(written) => return Judged::Done(self.stored(write, written).await),
            Err(error) => error,
        };
        let is_change = write.id.is_some();
        match (error.kind(), error.delivery(), write.form) {
            (_, Delivery::NotSent | Delivery::Unknown, _) => {}
            (ErrorKind::Unsupported, _, Form::Patch(..)) if is_change => {
                self.learned.patch_is_off();
                return Judged::Reform(Form::Put, error);
            }
            (ErrorKind::Invalid, _, Form::Patch(style, arrays))
                if is_change && matches!(scim_type(&error), Some("noTarget" | "invalidPath")) =>
            {
                let next = match arrays {
                    ArrayPatch::Filtered => Form::Patch(style, ArrayPatch::Whole),
                    ArrayPatch::Whole => Form::Put,
                };
                return Judged::Reform(next, error);
            }
            (ErrorKind::Stale, ..) => return Judged::Reread(error),
            // Without a word of uniqueness it is a conflict of versions.
            (ErrorKind::Conflict, ..) if is_change && scim_type(&error).is_none() => {
                return Judged::Reread(error);
            }
            (ErrorKind::NotFound, ..) if is_change => return Judged::Reread(error),
            (ErrorKind::Conflict, ..) => return Judged::Done(self.resolve(action, error).await),
            _ => {}
        }
        Judged::Done(outcome_of(error))
    }

    /// Who holds the value that a write collided with. The collision is proof that nothing was written.
    async fn resolve(&self, action: &Action, error: Error) -> Outcome {
        self.finder.forget().await;
        let id = action.after.employee_id.as_str();
        let hint = match self.find(Key::ExternalId, id).await.as_deref() {
            Ok([]) => {
                "an account of somebody else, or one that cannot be seen, has the user name or Employee ID"
            }
            Ok([_]) => "an account has this Employee ID already; the next plan adopts it",
            Ok(_) => "several accounts have this Employee ID; close or correct all but one",
            Err(_) => "look the account up on the platform",
        };
        Outcome::Conflict(error.with_hint(hint))
    }

    async fn stored(&self, write: &Write, written: Written) -> Outcome {
        let (id, user) = match written {
            Written::User(user) => (write.id.clone().or_else(|| Some(user.id.clone())), Some(user)),
            Written::Done(new) => (write.id.clone().or(new), None),
            Written::Unclear => {
                let Some(user) = self.reread(write).await else {
                    let message = "the platform answered success, and the account is not as it was to be";
                    return Outcome::InDoubt(unclear(message));
                };
                (write.id.clone(), Some(user))
            }
        };
        let Some(id) = id else {
            return Outcome::InDoubt(unclear("the platform answered success without the new account's id"));
        };
        let user = match self.confirmed(write, &id, user).await {
            Ok(user) => user,
            Err(error) => return Outcome::InDoubt(error.with_delivery(Delivery::Unknown)),
        };
        if let Some(user) = &user {
            for path in write.wanted.missing_in(&user.document) {
                let message = "the platform took the record but not this attribute, or changed it";
                self.report_once(path, message);
            }
            self.finder.learn(&self.settings, &id, &user.document).await;
        } else {
            self.finder.forget().await;
        }
        ended(id, write.without.clone(), Outcome::Applied)
    }

    /// The account, if it is as it ought to be.
    async fn reread(&self, write: &Write) -> Option<User> {
        let user = self.client.user(write.id.as_deref()?).await.ok()??;
        write.wanted.missing_in(&user.document).is_empty().then_some(user)
    }

    /// Reads a new account back where that is asked for. Some servers know it only after a moment.
    async fn confirmed(&self, write: &Write, id: &str, user: Option<User>) -> Result<Option<User>> {
        if write.id.is_some() || !self.settings.config.confirm_creates {
            return Ok(user);
        }
        for wait in [0, 1, 2, 4] {
            self.client.clock().sleep(std::time::Duration::from_secs(wait)).await;
            if let Some(user) = self.client.user(id).await? {
                return Ok(Some(user));
            }
        }
        Err(unclear("the platform answered that the account was made, and does not have it"))
    }

    async fn noted(&self, outcome: Outcome) -> Outcome {
        if let Outcome::InDoubt(_) = &outcome {
            self.finder.forget().await;
        }
        outcome
    }
}

/// A record that is as it was to be, but for what was left out.
fn ended(id: String, without: Vec<TargetField>, whole: fn(MemberId) -> Outcome) -> Outcome {
    let member = MemberId::from(id);
    if without.is_empty() { whole(member) } else { Outcome::Partly { member, without } }
}

/// What a failed write means for its action.
pub(crate) fn outcome_of(error: Error) -> Outcome {
    use Delivery::{NotSent, Unknown};
    match (error.kind(), error.delivery()) {
        // Nothing about the record is wrong: another token, or another time, may do.
        (ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::RateLimited, _) => {
            Outcome::NotAttempted(error)
        }
        (ErrorKind::Invalid, NotSent) => Outcome::Rejected(error),
        (_, NotSent) => Outcome::NotAttempted(error),
        (_, Unknown) => Outcome::InDoubt(error),
        (ErrorKind::Conflict | ErrorKind::Stale, _) => Outcome::Conflict(error),
        (ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Unsupported, _) => Outcome::Rejected(error),
        // The status proves that the request was not carried out; without one, its body was a success's.
        (ErrorKind::TooLarge, _) if status(&error).is_some() => Outcome::Rejected(error),
        (ErrorKind::Protocol, _) if status(&error).is_some() => Outcome::NotAttempted(error),
        _ => Outcome::InDoubt(error),
    }
}

/// An action whose reading failed: nothing was sent for it.
pub(crate) fn unread(error: Error) -> Outcome {
    match error.kind() {
        ErrorKind::Invalid => Outcome::Rejected(error),
        _ => Outcome::NotAttempted(error.with_delivery(Delivery::NotSent)),
    }
}

fn refused(problem: &Problem) -> Error {
    let error =
        Error::new(ErrorKind::Invalid, problem.message.to_string()).with_context("rule", &problem.rule);
    match &problem.field {
        Some(field) => error.with_context("field", field),
        None => error,
    }
}

fn conflict(message: &'static str) -> Prepared {
    let error = Error::new(ErrorKind::Conflict, message).with_delivery(Delivery::Answered);
    Prepared::Done(Outcome::Conflict(error))
}

fn unclear(message: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Unknown)
}
