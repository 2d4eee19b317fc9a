//! A message as it arrived, and its parts as a person would read them.

use std::fmt;

use mail_parser::{Message, MessageParser};

/// A message that the server took. `Debug` shows how many recipients and bytes it has, nothing of what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    from: String,
    to: Vec<String>,
    raw: Vec<u8>,
}

impl ReceivedMail {
    pub(super) fn new(from: String, to: Vec<String>, raw: Vec<u8>) -> Self {
        Self { from, to, raw }
    }

    /// The sender of the envelope; empty for a message that wants no answer.
    pub fn envelope_from(&self) -> &str {
        &self.from
    }

    /// The recipients of the envelope that were accepted.
    pub fn envelope_to(&self) -> &[String] {
        &self.to
    }

    /// The message byte by byte as it arrived, dots unstuffed.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The subject, decoded.
    pub fn subject(&self) -> Option<String> {
        self.parse()?.subject().map(str::to_owned)
    }

    /// A header as it is written, decoded where it is text; the first one of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.parse()?;
        message.header_raw(name).map(|value| value.trim().to_owned())
    }

    /// The plain text, decoded, with line feeds. None where there is no such part.
    pub fn text(&self) -> Option<String> {
        let message = self.parse()?;
        let part = message.text_part(0).filter(|part| part.is_text() && !part.is_text_html())?;
        part.text_contents().map(|text| text.replace("\r\n", "\n"))
    }

    /// The HTML, decoded, with line feeds. None where there is no such part.
    pub fn html(&self) -> Option<String> {
        let message = self.parse()?;
        let part = message.html_part(0).filter(|part| part.is_text_html())?;
        part.text_contents().map(|text| text.replace("\r\n", "\n"))
    }

    fn parse(&self) -> Option<Message<'_>> {
        MessageParser::default().parse(&self.raw)
    }
}

impl fmt::Debug for ReceivedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedMail")
            .field("recipients", &self.to.len())
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}
