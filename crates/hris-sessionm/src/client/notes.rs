//! Notes: two calls that are configured, since SessionM's public pages do not tell them.

use hris_core::{Delivery, Error, ErrorKind, Result};
use serde_json::Value;

use super::{SessionM, not_configured};
use crate::settings::{NoteFields, NotesCall, Values};
use crate::wire::lenient::read_instant;
use crate::{CustomerRef, ExternalId, Note};

impl SessionM {
    /// A customer's notes, newest first.
    pub(crate) async fn read_notes(&self, customer: &CustomerRef) -> Result<Vec<Note>> {
        let settings = self.notes_call()?;
        let request = self.core_call("sessionm.notes_read", &settings.list, &about(customer))?;
        let request = request.with_repeatable(true);
        let read = |answer: hris_http::Answer| {
            let body: Value = answer.json()?;
            let list =
                body.pointer(&settings.list_at).and_then(Value::as_array).ok_or_else(|| misfit("list"))?;
            list.iter().map(|item| note(item, &settings.fields)).collect::<Result<Vec<_>>>()
        };
        let mut notes = self.core_session().execute_with(&request, read).await?;
        notes.sort_by_key(|note| std::cmp::Reverse(note.created_at));
        Ok(notes)
    }

    /// Adds a note. Never repeated.
    pub(crate) async fn create_note(
        &self,
        customer: &CustomerRef,
        reason: Option<&str>,
        comment: &str,
    ) -> Result<()> {
        let settings = self.notes_call()?;
        let values = about(customer).with("reason", reason.unwrap_or_default()).with("comment", comment);
        let request = self.core_call("sessionm.note_create", &settings.create, &values)?;
        // A PUT or GET would else count as harmless to repeat.
        self.core_session().execute(&request.with_repeatable(false)).await.map(drop)
    }

    pub(crate) fn notes_call(&self) -> Result<&NotesCall> {
        self.settings().notes.as_ref().ok_or_else(|| {
            let ask = "SessionM for path, body and field names of the Customer Account Notes API";
            not_configured("notes", "notes", ask)
        })
    }
}

fn about(customer: &CustomerRef) -> Values<'_> {
    let values = Values::default().with("user_id", customer.id().as_str());
    match customer.external_id().map(ExternalId::as_str) {
        Some(id) => values.with("external_id", id),
        None => values,
    }
}

fn note(item: &Value, fields: &NoteFields) -> Result<Note> {
    let text = |name: &str| match &item[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let comment = text(&fields.comment).ok_or_else(|| misfit("comment"))?;
    let mut note = Note::new(text(&fields.reason).filter(|reason| !reason.is_empty()), comment);
    note.id = text(&fields.id);
    note.created_at = text(&fields.created_at).as_deref().and_then(read_instant);
    note.author = fields.author.as_deref().and_then(text);
    Ok(note)
}

fn misfit(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer does not fit the section `notes` of the settings")
        .with_hint("compare `list_at` and `fields` with a real answer")
        .with_delivery(Delivery::Answered)
        .with_context("missing", what)
}
