//! The runs that are under way in this process: how far each is, and the means to stop it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hris_core::{ConnectionKey, NoProgress, Progress, ProgressEvent, RunId};
use hris_sync::Cancel;

/// One run under way.
#[derive(Clone, Debug)]
pub(crate) struct ActiveRun {
    pub(crate) cancel: Cancel,
    latest: Arc<Mutex<Option<ProgressEvent>>>,
    also: Arc<dyn Progress>,
}

impl ActiveRun {
    pub(crate) fn latest(&self) -> Option<ProgressEvent> {
        *lock(&self.latest)
    }
}

impl Progress for ActiveRun {
    fn report(&self, event: ProgressEvent) {
        *lock(&self.latest) = Some(event);
        self.also.report(event);
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Board {
    runs: Mutex<HashMap<(ConnectionKey, RunId), ActiveRun>>,
    also: Mutex<Option<Arc<dyn Progress>>>,
}

impl Board {
    /// Whom to tell of the progress of every run, beside keeping it.
    pub(crate) fn tell(&self, progress: Arc<dyn Progress>) {
        *lock(&self.also) = Some(progress);
    }

    pub(crate) fn begin(&self, connection: &ConnectionKey, run: &RunId) -> ActiveRun {
        let also = lock(&self.also).clone().unwrap_or_else(|| Arc::new(NoProgress));
        let active = ActiveRun { cancel: Cancel::new(), latest: Arc::default(), also };
        lock(&self.runs).insert((connection.clone(), run.clone()), active.clone());
        active
    }

    pub(crate) fn end(&self, connection: &ConnectionKey, run: &RunId) {
        lock(&self.runs).remove(&(connection.clone(), run.clone()));
    }

    pub(crate) fn get(&self, connection: &ConnectionKey, run: &RunId) -> Option<ActiveRun> {
        lock(&self.runs).get(&(connection.clone(), run.clone())).cloned()
    }

    pub(crate) fn cancel_of(&self, connection: &ConnectionKey) {
        for ((key, _), active) in lock(&self.runs).iter() {
            if key == connection {
                active.cancel.cancel();
            }
        }
    }

    pub(crate) fn cancel_all(&self) {
        lock(&self.runs).values().for_each(|active| active.cancel.cancel());
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("runs", &lock(&self.runs).len()).finish_non_exhaustive()
    }
}
