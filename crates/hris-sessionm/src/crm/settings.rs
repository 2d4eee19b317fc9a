//! The boxes and lists of the connector's configuration.

use hris_core::{FieldRule, Result};
use serde::{Deserialize, Serialize};

use super::ParentObject;
use crate::settings::filled;

/// How a CRM and SessionM are kept in step: each box of the connector's configuration, and the field mapping.
///
/// The box *Search by External ID* is [`Settings::lookup_by`](crate::Settings), since every look-up uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "they are the boxes of a form")]
pub struct CrmSettings {
    /// *Parent Object*: which kind of record a customer belongs to.
    #[serde(default)]
    pub parent_object: ParentObject,
    /// *Sync Customer Changes with SessionM*: whether new and changed records are sent by themselves (no).
    #[serde(default)]
    pub sync_customer_changes: bool,
    /// *Enroll in Loyalty*: whether a customer who is created by itself takes part in the programme (yes).
    #[serde(default = "yes")]
    pub enroll_in_loyalty: bool,
    /// *Auto Sync from SessionM Loyalty*: whether the record is brought up to date when it is shown (no).
    #[serde(default)]
    pub auto_sync_from_sessionm: bool,
    /// *Merge in SessionM on Parent Merge*: whether customers are merged with their records (no).
    #[serde(default)]
    pub merge_on_parent_merge: bool,
    /// The record's field with the SessionM external id.
    pub external_id_field: String,
    /// The record's field with the e-mail address.
    pub email_field: String,
    /// The field mapping from the record to SessionM. Targets are `custom:` and SessionM's name of a field
    /// (`custom:first_name`), or of a key of the custom profile; sources are `custom:` and the CRM's name of a field.
    /// Both keys are always mapped and need no rule.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
    /// The field mapping from SessionM to the record, the other way round. Left out, it is every rule above that copies
    /// one field without a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_back: Option<Vec<FieldRule>>,
}

const fn yes() -> bool {
    true
}

impl CrmSettings {
    /// The defaults for a CRM whose keys stand in two fields.
    pub fn new(external_id_field: impl Into<String>, email_field: impl Into<String>) -> Self {
        Self {
            parent_object: ParentObject::default(),
            sync_customer_changes: false,
            enroll_in_loyalty: true,
            auto_sync_from_sessionm: false,
            merge_on_parent_merge: false,
            external_id_field: external_id_field.into(),
            email_field: email_field.into(),
            fields: Vec::new(),
            fields_back: None,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let hint = "name the field of the record";
        filled("crm.external_id_field", &self.external_id_field, hint)?;
        filled("crm.email_field", &self.email_field, hint)
    }
}
