//! The progress port: how far a run is, with totals only where they are known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Takes note of how far a run is. Called often: implementations must be quick and must not block.
pub trait Progress: fmt::Debug + Send + Sync {
    /// The run got this far.
    fn report(&self, event: ProgressEvent);
}

/// What a run is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Loading what is known from the store.
    Loading,
    /// Reading the HR system.
    Reading,
    /// Finishing the plan.
    Planning,
    /// Carrying out actions.
    Applying,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProgressEvent {
    /// The stage.
    pub stage: Stage,
    /// People or actions done in it.
    pub done: u64,
    /// How many there will be, where that is known. An unknown total stays unknown.
    pub total: Option<u64>,
}

impl ProgressEvent {
    /// A stage that got this far.
    pub fn new(stage: Stage, done: u64, total: Option<u64>) -> Self {
        Self { stage, done, total }
    }
}

/// Takes no note.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _event: ProgressEvent) {}
}
