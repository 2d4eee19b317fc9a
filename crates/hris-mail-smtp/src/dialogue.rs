//! The dialogue with the mail server, step by step, so that it is known how far a mail got.

use async_trait::async_trait;
use futures_util::future::{Either, select};
use hris_core::{Error, ErrorKind, GiftMail, GiftMailer, Result};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};

use crate::config::{Inner, Security, SmtpMailer};
use crate::failure::{Phase, from_smtp, timed_out};
use crate::message::message;

#[async_trait]
impl GiftMailer for SmtpMailer {
    #[tracing::instrument(skip_all, fields(key = %mail.key))]
    async fn send(&self, mail: &GiftMail) -> Result<()> {
        let inner = &*self.inner;
        let message = message(mail, &inner.config.domain, inner.clock.now())?;
        let mut connection = inner.in_time(Phase::Connecting, inner.connect()).await?;
        inner.in_time(Phase::Addressing, address(&mut connection, &message)).await?;
        let bytes = message.formatted();
        let content =
            async { connection.message(&bytes).await.map_err(|error| from_smtp(&error, Phase::Content)) };
        inner.in_time(Phase::Content, content).await?;
        // The mail is taken; a farewell that fails changes nothing.
        let farewell =
            async { connection.quit().await.map_err(|error| from_smtp(&error, Phase::Connecting)) };
        let _ = inner.in_time(Phase::Connecting, farewell).await;
        Ok(())
    }
}

impl Inner {
    /// Waits for a step, no longer than the time-out by the clock port.
    async fn in_time<T>(&self, phase: Phase, step: impl Future<Output = Result<T>>) -> Result<T> {
        let step = std::pin::pin!(step);
        match select(step, self.clock.sleep(self.config.timeout)).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(timed_out(phase)),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection> {
        let failed = |error: SmtpError| from_smtp(&error, Phase::Connecting);
        let server = (&*self.config.host, self.config.port);
        let at_once = self.tls.clone().filter(|_| self.config.security == Security::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, at_once, None)
            .await
            .map_err(failed)?;
        if let (Security::StartTls, Some(tls)) = (self.config.security, self.tls.clone()) {
            if !connection.can_starttls() {
                return Err(Error::new(ErrorKind::Config, "the mail server offers no TLS")
                    .with_hint("use its TLS port, or another server"));
            }
            connection.starttls(tls, &self.hello).await.map_err(failed)?;
        }
        if let Some(credentials) = self.credentials() {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, &credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }
}

/// Everything up to the server's word to go ahead.
async fn address(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<()> {
    let failed = |error: SmtpError| from_smtp(&error, Phase::Addressing);
    let envelope = message.envelope();
    let mut parameters = Vec::new();
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Error::new(ErrorKind::Invalid, "the mail server takes no address with such letters"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if connection.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from: Option<Address> = envelope.from().cloned();
    connection.command(Mail::new(from, parameters)).await.map_err(failed)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(failed)?;
    }
    connection.command(Data).await.map_err(failed)?;
    Ok(())
}
