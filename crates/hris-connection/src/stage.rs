//! The stages of a connection, and which step leads from which to which.

use std::fmt;

use hris_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Begun; not authorised yet.
    Draft,
    /// The credential was checked and the company is known.
    Authorised,
    /// The mapping is complete.
    Mapped,
    /// The first plan was made and shown.
    Reviewed,
    /// Live: runs by its schedule.
    Published,
    /// Stopped by a person, or given up after a long quarantine.
    Paused,
    /// Slowed down after repeated failure.
    Quarantined,
    /// Access was withdrawn. Final.
    Revoked,
}

impl Stage {
    /// Every stage.
    pub const ALL: &'static [Self] = &[
        Self::Draft,
        Self::Authorised,
        Self::Mapped,
        Self::Reviewed,
        Self::Published,
        Self::Paused,
        Self::Quarantined,
        Self::Revoked,
    ];

    /// Whether imports run.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Published | Self::Quarantined)
    }

    /// Whether it was published at some time and not revoked since.
    pub fn was_published(self) -> bool {
        matches!(self, Self::Published | Self::Quarantined | Self::Paused)
    }

    /// The name in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Authorised => "authorised",
            Self::Mapped => "mapped",
            Self::Reviewed => "reviewed",
            Self::Published => "published",
            Self::Paused => "paused",
            Self::Quarantined => "quarantined",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can be done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Choose the initial set-up, or change it.
    SetUp,
    /// Check a credential and keep it: the first one, or another one for the same company.
    Authorise,
    /// Save a mapping.
    Map,
    /// Show the plan that the mapping makes.
    Review,
    /// Make the reviewed mapping live.
    Publish,
    /// Run an import.
    Run,
    /// Stop running.
    Pause,
    /// Run again after a pause.
    Resume,
    /// Slow down after repeated failure.
    Quarantine,
    /// End the quarantine.
    Release,
    /// Withdraw access.
    Revoke,
}

impl Step {
    /// Every step.
    pub const ALL: &'static [Self] = &[
        Self::SetUp,
        Self::Authorise,
        Self::Map,
        Self::Review,
        Self::Publish,
        Self::Run,
        Self::Pause,
        Self::Resume,
        Self::Quarantine,
        Self::Release,
        Self::Revoke,
    ];

    /// The name in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set up",
            Self::Authorise => "authorise",
            Self::Map => "map",
            Self::Review => "review",
            Self::Publish => "publish",
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Quarantine => "quarantine",
            Self::Release => "release",
            Self::Revoke => "revoke",
        }
    }

    /// The stages in which the step may be taken.
    pub fn from(self) -> &'static [Stage] {
        use Stage::{Authorised, Draft, Mapped, Paused, Published, Quarantined, Reviewed, Revoked};
        match self {
            Self::SetUp | Self::Authorise => {
                &[Draft, Authorised, Mapped, Reviewed, Published, Paused, Quarantined]
            }
            Self::Map => &[Authorised, Mapped, Reviewed, Published, Paused, Quarantined],
            Self::Review | Self::Publish => {
                &[Draft, Authorised, Mapped, Reviewed, Published, Paused, Quarantined]
            }
            Self::Run => &[Published, Quarantined],
            Self::Pause => &[Published, Quarantined],
            Self::Resume => &[Paused],
            Self::Quarantine => &[Published],
            Self::Release => &[Quarantined],
            Self::Revoke => &[Draft, Authorised, Mapped, Reviewed, Published, Paused, Quarantined, Revoked],
        }
    }

    /// Checks that the step may be taken in a stage.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`], with what to do instead.
    pub fn check(self, stage: Stage) -> Result<()> {
        if self.from().contains(&stage) {
            return Ok(());
        }
        let hint = match (self, stage) {
            (_, Stage::Revoked) => "access was revoked for good: set up a new connection",
            (Self::Map, Stage::Draft) => "authorise the account first",
            (Self::Run, Stage::Paused) => "resume the connection first",
            (Self::Run, _) => "publish the connection first",
            (Self::Pause, Stage::Paused) => "it is paused already",
            (Self::Resume, _) => "it is not paused",
            (Self::Release | Self::Quarantine, _) => {
                "only a published connection goes into quarantine and out of it"
            }
            _ => "look at the connection's stage and take the steps before this one",
        };
        Err(Error::new(ErrorKind::Conflict, format!("a connection that is {stage} cannot {}", self.as_str()))
            .with_hint(hint)
            .with_context("stage", stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_in_every_stage_is_allowed_or_refused_with_a_hint() {
        for step in Step::ALL {
            for stage in Stage::ALL {
                match step.check(*stage) {
                    Ok(()) => assert!(step.from().contains(stage)),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Conflict);
                        assert!(error.hint().is_some() && error.message().contains(stage.as_str()));
                    }
                }
            }
        }
    }

    #[test]
    fn a_revoked_connection_takes_no_step_but_the_completion_of_its_revocation() {
        for step in Step::ALL {
            assert_eq!(step.check(Stage::Revoked).is_ok(), *step == Step::Revoke);
        }
    }

    #[test]
    fn only_a_live_connection_runs() {
        for stage in Stage::ALL {
            assert_eq!(Step::Run.check(*stage).is_ok(), stage.is_live());
        }
    }
}
