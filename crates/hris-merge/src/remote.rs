//! What the HR system itself said about a person, word for word: everything that the scopes of the linked account let
//! through, and therefore behind a type that has to be opened on purpose.

use std::fmt;

use hris_core::{EmployeeRef, Error, ErrorKind, Result};
use serde_json::Value;

use crate::client::{Client, is_about};
use crate::config::RecordIdSource;
use crate::wire::{self, RemoteHolder, RemoteRow};

/// One answer of the HR system about a person, as Merge kept it. It may be older than the person's record in Merge.
///
/// It is never part of a reading. `Debug` shows nothing of it, and it can be neither cloned nor serialised.
///
/// Got with [`MergeConnector::remote_data`](crate::MergeConnector::remote_data); needs the remote data of employees
/// switched on in the scopes of the linked account.
pub struct RemoteData {
    path: String,
    data: Value,
}

impl RemoteData {
    /// Where Merge got it from, such as `/employees`. It may contain ids.
    pub fn expose_path(&self) -> &str {
        &self.path
    }

    /// The whole of it as JSON.
    pub fn expose_json(&self) -> String {
        self.data.to_string()
    }

    /// The text, number or flag at a JSON pointer (RFC 6901), as text; `None` if there is none.
    pub fn expose_at(&self, pointer: &str) -> Option<String> {
        match self.data.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl fmt::Debug for RemoteData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteData").finish_non_exhaustive()
    }
}

impl From<RemoteRow> for RemoteData {
    fn from(row: RemoteRow) -> Self {
        Self { path: row.path.unwrap_or_default(), data: row.data }
    }
}

/// Asks for one person's remote data.
pub(crate) async fn remote_data(client: &Client, who: &EmployeeRef) -> Result<Vec<RemoteData>> {
    let id = who.record.as_str();
    let request = client.one(id, None)?.with_query("include_remote_data", true);
    let source = client.config().record_id;
    let rows = client.read(&request, |body, _| {
        let holders = match source {
            RecordIdSource::RemoteId => wire::page(std::marker::PhantomData::<RemoteHolder<'_>>, body)?.rows,
            RecordIdSource::MergeId => vec![hris_http::decode(body)?],
        };
        let mut about = holders.into_iter().filter(|holder| is_about(source, &holder.ids(), id));
        Ok(about.next().map(|holder| holder.remote_data.unwrap_or_default()))
    });
    let rows = rows.await?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "Merge has no such person")
            .with_delivery(hris_core::Delivery::Answered)
    })?;
    Ok(rows.into_iter().map(RemoteData::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_unless_it_is_exposed() {
        let data = RemoteData {
            path: "/people/s3cret".into(),
            data: serde_json::json!({ "name": "s3cret", "hours": 7, "on": true, "list": [1] }),
        };
        assert!(!format!("{data:?}").contains("s3cret"));
        assert_eq!(data.expose_at("/name").as_deref(), Some("s3cret"));
        assert_eq!(data.expose_at("/hours").as_deref(), Some("7"));
        assert_eq!(data.expose_at("/on").as_deref(), Some("true"));
        assert_eq!((data.expose_at("/list"), data.expose_at("/none")), (None, None));
        assert!(data.expose_json().contains("hours") && data.expose_path().ends_with("s3cret"));
    }
}
