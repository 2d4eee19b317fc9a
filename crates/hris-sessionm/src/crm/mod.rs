//! The rules that keep a CRM's records and SessionM's customers in step. Pure: nothing here sends, reads a clock or
//! keeps anybody's data; whoever calls brings what was looked up, and carries the decision out.
//!
//! ```
//! use hris_sessionm::crm::{CrmRecord, CrmRules, CrmSettings, Decision, Reason};
//! use hris_sessionm::{Customer, LookupBy, ParentKeys};
//!
//! let settings: CrmSettings = serde_json::from_str(r#"{
//!     "parent_object": "contact",
//!     "sync_customer_changes": false,
//!     "external_id_field": "SessionM_Id__c",
//!     "email_field": "Email",
//!     "fields": [{ "target": "custom:first_name", "from": ["custom:FirstName"] }]
//! }"#)?;
//! let rules = CrmRules::new(settings, LookupBy::ExternalId)?;
//! let record = CrmRecord::contact("003J0").with("FirstName", "Ash").with("Email", "ash@example.com");
//!
//! let decision = rules.record_created(&record, None);
//! assert!(matches!(&decision, Decision::Nothing(Reason::SyncIsOff)));
//! assert_eq!(decision.reason().to_string(), "not sent: Sync Customer Changes is off; an agent can enrol by hand");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decision;
mod echo;
mod mapping;
mod merge;
mod record;
mod rules;
mod settings;

pub(crate) use mapping::{profile_field, profile_value};

pub use decision::{Decision, Plan, Reason};
pub use echo::OwnWrites;
pub use merge::MergedRecords;
pub use record::{CrmChange, CrmRecord, ParentObject};
pub use rules::{CrmRules, Found};
pub use settings::CrmSettings;
