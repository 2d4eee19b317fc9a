//! Model, traits and ports.
#![doc = include_str!("../README.md")]

mod clock;
pub mod connections;
mod connector;
mod credentials;
pub mod descriptor;
mod employee;
mod error;
mod field;
mod field_map;
mod gift_mail;
mod ids;
pub mod keys;
pub mod ledger;
mod mapping;
mod member;
mod member_rules;
mod notify;
mod parking;
mod plan;
mod private;
mod problem;
mod progress;
mod receipt;
mod report;
pub mod settings;
mod source;
pub mod store;
mod target;
mod value;

pub use clock::{Clock, SharedClock};
pub use connector::{
    Account, Capabilities, Descriptor, FieldDescriptor, HrisConnector, Lookup, ReadEvent, ReadQuery,
    RejectedRecord,
};
pub use credentials::{CredentialStore, Credentials, Purged, SecretRef};
pub use employee::{Employee, EmploymentStatus, FieldSource, ManagerRef};
pub use error::{Delivery, Error, ErrorKind, Result};
pub use field::Field;
pub use field_map::{
    Alternative, Answer, Clause, FieldMap, FieldRule, Is, MappingDocument, MappingFault, OnAbsent, OnNull,
    Origin, Otherwise, Part, ScopeFilter, Test, Transform,
};
pub use gift_mail::{GiftMail, GiftMailer, MailFate, Mailbox};
pub use ids::{
    AccountId, ActionId, CampaignId, ConnectionKey, EmployeeId, EmployeeRef, MemberId, PlanId, RecordId,
    RecordIdKind, RunId, TenantId,
};
pub use keys::{KeyProvider, SecretKey};
pub use mapping::{FieldMapping, MAX_TARGETS, Mapped, MappingVersion, ScopeVerdict};
pub use member::{Attributes, MemberField, MemberRecord, TargetField};
pub use member_rules::{AttributeRule, Characters, Checked, EmailForm, LengthUnit, MemberRules};
pub use notify::{NoNotifier, Notice, NoticeContent, Notifier, Recipient, Refused, Told};
pub use parking::Parking;
pub use plan::{
    Action, ActionKind, Expectation, HoldReason, LeaveReason, LinkAfter, LinkState, PlanHeader, PlanOrigin,
    PlanSummary, Position, ProvisioningPlan, ReadingSummary, Verdict,
};
pub use problem::{FieldProblem, Problem, RuleCode, Severity, rule};
pub use progress::{NoProgress, Progress, ProgressEvent, Stage};
pub use receipt::{AbsenceGround, Ground, ListingEvidence, Receipt, Scope, Watermark};
pub use report::{AppliedCounts, Impact, RunReport, RunResult, Trigger, Verification};
pub use source::{EmployeeField, FieldSet, SourceField};
pub use store::StateStore;
pub use target::{Awaited, Invitations, MemberQuery, Outcome, ProvisioningTarget, TargetCapabilities};
pub use value::{BirthDate, Email, Value, ValueRef, fold_email};
