//! Notices as mails to each recipient.

use std::fmt;
use std::hash::Hasher as _;
use std::sync::Arc;

use async_trait::async_trait;
use hris_core::{
    Delivery, Error, ErrorKind, GiftMail, GiftMailer, Mailbox, Notice, Notifier, Recipient, Refused, Result,
    Told,
};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::templates::Templates;

/// Tells notices by mail, each recipient in a mail of their own.
///
/// The `Message-ID` depends on the notice and the recipient's number alone, so that a mail that is sent again, since
/// nobody knows whether the first one arrived, can be recognised as the same.
#[derive(Clone)]
pub struct MailNotifier {
    mailer: Arc<dyn GiftMailer>,
    from: Mailbox,
    templates: Templates,
    pages: Option<String>,
}

impl MailNotifier {
    /// Mails from an address, with the texts that come with the crate.
    ///
    /// # Errors
    /// As [`Templates::standard`].
    pub fn new(mailer: Arc<dyn GiftMailer>, from: Mailbox) -> Result<Self> {
        Ok(Self { mailer, from, templates: Templates::standard()?, pages: None })
    }

    /// Other texts.
    #[must_use]
    pub fn with_templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Where the application shows connections: mails link to `PAGES/TENANT/CONNECTION` and to
    /// `PAGES/TENANT/CONNECTION/runs/RUN`.
    #[must_use]
    pub fn with_pages(mut self, pages: impl Into<String>) -> Self {
        self.pages = Some(pages.into());
        self
    }

    async fn send(&self, notice: &Notice, number: usize, to: &Recipient) -> Result<()> {
        let texts = self.templates.render(notice, to, self.pages.as_deref())?;
        let mailbox = Mailbox::new(to.name.clone().unwrap_or_default(), to.address.clone());
        let mail = GiftMail::new(key(notice, number), self.from.clone(), mailbox, texts.subject, texts.text);
        self.mailer.send(&mail.with_html(texts.html)).await
    }
}

/// Letters and digits that are the same for the same notice.
fn key(notice: &Notice, recipient: usize) -> String {
    let mut hasher = SipHasher24::new();
    let (tenant, connection) = (notice.connection.tenant().as_str(), notice.connection.connection());
    for part in [tenant, connection, &notice.id] {
        hasher.write_usize(part.len());
        hasher.write(part.as_bytes());
    }
    hasher.write_usize(recipient);
    format!("notice-{:032x}", hasher.finish128().as_u128())
}

impl fmt::Debug for MailNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailNotifier").field("mailer", &self.mailer).finish_non_exhaustive()
    }
}

#[async_trait]
impl Notifier for MailNotifier {
    #[tracing::instrument(skip_all, fields(connection = %notice.connection, kind = notice.content.kind()))]
    async fn notify(&self, notice: &Notice) -> Result<Told> {
        let (mut delivered, mut refused) = (0, Vec::new());
        for (number, to) in notice.to.iter().enumerate() {
            match self.send(notice, number, to).await {
                Ok(()) => delivered += 1,
                // Nobody can be reached at all, so that there is no point in trying the others.
                Err(error) if delivered == 0 && refused.is_empty() && is_about_the_server(&error) => {
                    return Err(error);
                }
                Err(error) => refused.push(refusal(number, &error)),
            }
        }
        Ok(Told::new(delivered, refused))
    }
}

fn is_about_the_server(error: &Error) -> bool {
    error.delivery() == Delivery::NotSent
        && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unauthorized | ErrorKind::Config)
}

fn refusal(number: usize, error: &Error) -> Refused {
    let uncertain = error.delivery() == Delivery::Unknown;
    let refused = Refused::new(number, !error.is_retryable() && !uncertain, error.to_string());
    if uncertain { refused.uncertain() } else { refused }
}
