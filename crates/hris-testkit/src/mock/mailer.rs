//! A sender of gift mails without a network, which keeps what it is given and fails where a test wants it to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hris_core::{Delivery, Error, ErrorKind, GiftMail, GiftMailer, MailFate, Result};

use super::lock;

/// How one mail fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFault {
    /// Nobody can be reached.
    Unreachable,
    /// The mail server asks to come back later.
    Greylisted,
    /// The mail server refuses the address.
    Refused,
    /// The mail server takes the mail, and its answer is lost.
    AnswerLost,
    /// The connection breaks before the mail server takes the mail, and the sender cannot tell.
    LostBeforeTaken,
}

/// A [`GiftMailer`] for tests. Cloning makes another handle on the same mailbox.
///
/// `Debug` shows counts only.
#[derive(Clone, Default)]
pub struct MockMailer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    taken: Vec<GiftMail>,
    handed: Vec<(GiftMail, Option<MailFault>)>,
    faults: VecDeque<Option<MailFault>>,
    remembers: bool,
}

impl MockMailer {
    /// A sender that takes every mail.
    pub fn new() -> Self {
        Self::default()
    }

    /// Can tell what became of a mail, as mail services with idempotency keys can.
    #[must_use]
    pub fn remembering(self) -> Self {
        lock(&self.0).remembers = true;
        self
    }

    /// What happens to the next mails, one after the other; `None` is success.
    pub fn plan(&self, faults: impl IntoIterator<Item = Option<MailFault>>) {
        lock(&self.0).faults.extend(faults);
    }

    /// Every mail that was taken, in order.
    pub fn taken(&self) -> Vec<GiftMail> {
        lock(&self.0).taken.clone()
    }

    /// How many mails were handed over, taken or not.
    pub fn tried(&self) -> usize {
        lock(&self.0).handed.len()
    }

    /// Every mail that was handed over, with what happened to it.
    pub fn handed_over(&self) -> Vec<(GiftMail, Option<MailFault>)> {
        lock(&self.0).handed.clone()
    }

    /// Takes back the faults that have not happened yet.
    pub fn clear_faults(&self) {
        lock(&self.0).faults.clear();
    }
}

impl fmt::Debug for MockMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0);
        f.debug_struct("MockMailer")
            .field("taken", &state.taken.len())
            .field("tried", &state.handed.len())
            .finish()
    }
}

#[async_trait]
impl GiftMailer for MockMailer {
    async fn send(&self, mail: &GiftMail) -> Result<()> {
        let mut state = lock(&self.0);
        let fault = state.faults.pop_front().flatten();
        state.handed.push((mail.clone(), fault));
        if matches!(fault, None | Some(MailFault::AnswerLost)) {
            state.taken.push(mail.clone());
        }
        let (kind, delivery) = match fault {
            None => return Ok(()),
            Some(MailFault::Unreachable) => (ErrorKind::Unavailable, Delivery::NotSent),
            Some(MailFault::Greylisted) => (ErrorKind::RateLimited, Delivery::Answered),
            Some(MailFault::Refused) => (ErrorKind::Invalid, Delivery::Answered),
            Some(MailFault::AnswerLost | MailFault::LostBeforeTaken) => {
                (ErrorKind::Unavailable, Delivery::Unknown)
            }
        };
        Err(Error::new(kind, "a planned fault").with_delivery(delivery))
    }

    async fn fate(&self, key: &str) -> Result<MailFate> {
        let state = lock(&self.0);
        Ok(match (state.remembers, state.taken.iter().any(|mail| mail.key == key)) {
            (false, _) => MailFate::Unknown,
            (true, true) => MailFate::Sent,
            (true, false) => MailFate::NotSent,
        })
    }
}
