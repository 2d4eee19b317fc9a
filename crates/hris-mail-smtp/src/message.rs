//! The mail as bytes, and its envelope.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use hris_core::{Error, ErrorKind, GiftMail, Mailbox, Result};
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox as Header, MultiPart, SinglePart};

/// The mail, dated by the clock port, its message id made of its key.
pub(crate) fn message(mail: &GiftMail, domain: &str, now: DateTime<Utc>) -> Result<Message> {
    let is_key = !mail.key.is_empty() && mail.key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_key {
        return Err(Error::new(ErrorKind::Invalid, "a mail's key is made of letters, digits and dashes"));
    }
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let builder = Message::builder()
        .message_id(Some(format!("<{}@{domain}>", mail.key)))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .from(header(&mail.from)?)
        .to(header(&mail.to)?)
        .subject(&*mail.subject);
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.clone());
    let built = match &mail.html {
        None => builder.singlepart(text),
        Some(html) => {
            let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html.clone());
            builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
        }
    };
    built.map_err(|_| Error::new(ErrorKind::Invalid, "the mail cannot be written as a message"))
}

/// The cause could quote the address, so it is left out.
fn header(mailbox: &Mailbox) -> Result<Header> {
    let address = mailbox.address.as_str().parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, "the address is none that mail can be sent to")
            .with_hint("correct it in the HR system")
    })?;
    let name = Some(&mailbox.name).filter(|name| !name.is_empty()).cloned();
    Ok(Header::new(name, address))
}
