//! The life of a connection, from its first draft to the day its access is revoked.
#![doc = include_str!("../README.md")]

mod blackout;
mod config;
mod connection;
mod credentials;
mod health;
mod history;
mod missing;
mod notified;
mod occurrences;
mod outbox;
mod schedule;
mod service;
mod setup;
mod stage;
mod steps;
mod timetable;

pub use blackout::Blackout;
pub use config::ConnectionConfig;
pub use connection::{AuthorisedAccount, Connection, PublishedMapping, Review, TakenStep};
#[cfg(feature = "encrypted-file")]
pub use credentials::{CredentialKey, FileCredentials};
pub use credentials::{EnvironmentCredentials, MemoryCredentials};
pub use health::{Health, HealthChange, HealthPolicy, Quarantine, QuarantineReason, RunOutcome};
pub use history::History;
pub use missing::Missing;
pub use occurrences::{Due, Missed, Occurrence};
pub use outbox::{Outbox, PendingNotice, Undelivered};
pub use schedule::{CatchUp, DayOfWeek, Frequency, Schedule, TimeOfDay, Zone};
pub use service::{Connections, Revoked};
pub use setup::{Choice, DateFormat, Owner, Setup, SetupOption, setup_options};
pub use stage::{Stage, Step};
pub use timetable::{NextRun, RunRequest, RunningRun, Timetable};
