//! How the program fails: the reason for people, and an exit code for scripts.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::process::ExitCode;

use hris::core::{AppliedCounts, Error, ErrorKind, HoldReason, PlanId};

/// Shorthand for what a command answers.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library's own error.
    Library(Error),
    /// A guard held the plan.
    Held { plan: Option<PlanId>, reasons: Vec<HoldReason> },
    /// The plan was carried out, but not whole.
    NotWhole(AppliedCounts),
    /// Standard output cannot be written.
    Output(io::Error),
    /// Nobody reads standard output any more.
    PipeClosed,
}

impl Failure {
    /// 2: the connection file or an argument cannot work. 3: a plan is held. 4: some actions were not carried out.
    /// 1: everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Library(error) if error.kind() == ErrorKind::Config => 2.into(),
            Self::Library(error) if error.kind() == ErrorKind::Held => 3.into(),
            Self::Held { .. } => 3.into(),
            Self::NotWhole(_) => 4.into(),
            Self::Library(_) | Self::Output(_) | Self::PipeClosed => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => {
                write!(f, "{error}")?;
                let mut cause = error.source();
                while let Some(error) = cause {
                    write!(f, "\n  because: {error}")?;
                    cause = error.source();
                }
                Ok(())
            }
            Self::Held { plan, reasons } => {
                f.write_str("the plan is held and nothing was applied")?;
                for reason in reasons {
                    write!(f, "\n  {reason}")?;
                }
                match plan {
                    Some(plan) => {
                        write!(f, "\nlook at it with `hrisctl plan {plan}`, then release or dismiss it")
                    }
                    None => Ok(()),
                }
            }
            Self::NotWhole(counts) => write!(
                f,
                "not everything was carried out: {} failed, {} uncertain, {} pending; see `hrisctl errors`",
                counts.failed, counts.uncertain, counts.pending
            ),
            Self::Output(error) => write!(f, "the output cannot be written: {error}"),
            Self::PipeClosed => f.write_str("nobody reads the output"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::PipeClosed } else { Self::Output(error) }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}
