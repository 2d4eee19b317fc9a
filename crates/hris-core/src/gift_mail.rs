//! The sending port of gift mails: what is sent, and what became of it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::private::Hidden;
use crate::{Email, Result};

/// A name with an address, as in a mail's `From` and `To`. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mailbox {
    /// The name to show; empty for none.
    pub name: String,
    /// The address.
    pub address: Email,
}

impl Mailbox {
    /// A name with an address.
    pub fn new(name: impl Into<String>, address: Email) -> Self {
        Self { name: name.into(), address }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&Hidden).finish()
    }
}

/// One mail with a claim link. `Debug` shows its key only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GiftMail {
    /// The idempotency key: the same for every attempt, so that a sender which remembers keys sends once. Made of
    /// letters, digits and dashes; goes into the `Message-ID`.
    pub key: String,
    /// Who writes.
    pub from: Mailbox,
    /// To whom.
    pub to: Mailbox,
    /// Subject, one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML, where the campaign has it.
    pub html: Option<String>,
}

impl GiftMail {
    /// A mail in plain text.
    pub fn new(
        key: impl Into<String>,
        from: Mailbox,
        to: Mailbox,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { key: key.into(), from, to, subject: subject.into(), text: text.into(), html: None }
    }

    /// Adds the HTML form.
    #[must_use]
    pub fn with_html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }
}

impl fmt::Debug for GiftMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GiftMail").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a sender knows about a mail whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFate {
    /// It was taken.
    Sent,
    /// It was provably never taken.
    NotSent,
    /// The sender cannot tell.
    Unknown,
}

/// Hands gift mails to a mail server or a mail service.
///
/// # Contract
///
/// * `Ok` means that the other side took the mail and answered so.
/// * An error with [`crate::Delivery::NotSent`] or [`crate::Delivery::Answered`] means that the mail was provably not
///   taken; retryable ones are worth another try later ([`crate::Error::is_retryable`]), others are about this mail.
/// * An error with [`crate::Delivery::Unknown`] means that it may have been taken. It is never repeated blindly.
/// * [`crate::ErrorKind::Unavailable`] with [`crate::Delivery::NotSent`] means that nobody can be reached at all.
#[async_trait]
pub trait GiftMailer: fmt::Debug + Send + Sync + 'static {
    /// Sends one mail.
    async fn send(&self, mail: &GiftMail) -> Result<()>;

    /// What became of a mail, by its key. A plain mail server cannot tell, which is the default.
    async fn fate(&self, key: &str) -> Result<MailFate> {
        let _ = key;
        Ok(MailFate::Unknown)
    }
}

#[async_trait]
impl<T: GiftMailer + ?Sized> GiftMailer for Arc<T> {
    async fn send(&self, mail: &GiftMail) -> Result<()> {
        (**self).send(mail).await
    }

    async fn fate(&self, key: &str) -> Result<MailFate> {
        (**self).fate(key).await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn GiftMailer>) = drop;
