//! A progress port that keeps everything it is told.

use std::sync::{Arc, Mutex};

use hris_core::{Progress, ProgressEvent, Stage};

use super::lock;

/// Keeps every event. Clones share what they keep.
///
/// ```
/// use hris_core::{Progress as _, ProgressEvent, Stage};
/// use hris_testkit::RecordingProgress;
/// let progress = RecordingProgress::default();
/// progress.report(ProgressEvent::new(Stage::Reading, 20, None));
/// assert_eq!(progress.last(Stage::Reading).unwrap().done, 20);
/// assert!(progress.last(Stage::Applying).is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct RecordingProgress(Arc<Mutex<Vec<ProgressEvent>>>);

impl RecordingProgress {
    /// Everything reported so far, in order.
    pub fn events(&self) -> Vec<ProgressEvent> {
        lock(&self.0).clone()
    }

    /// The latest event of a stage.
    pub fn last(&self, stage: Stage) -> Option<ProgressEvent> {
        lock(&self.0).iter().rev().find(|event| event.stage == stage).copied()
    }

    /// The stages in the order in which they were first reported.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        for event in lock(&self.0).iter() {
            if !stages.contains(&event.stage) {
                stages.push(event.stage);
            }
        }
        stages
    }
}

impl Progress for RecordingProgress {
    fn report(&self, event: ProgressEvent) {
        lock(&self.0).push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_in_order_and_shared_by_clones() {
        let progress = RecordingProgress::default();
        let port: Box<dyn Progress> = Box::new(progress.clone());
        let told = [
            ProgressEvent::new(Stage::Reading, 1, None),
            ProgressEvent::new(Stage::Planning, 0, Some(9)),
            ProgressEvent::new(Stage::Reading, 2, None),
        ];
        for event in told {
            port.report(event);
        }
        assert_eq!(progress.events(), told);
        assert_eq!(progress.last(Stage::Reading), Some(told[2]));
        assert_eq!(progress.stages(), [Stage::Reading, Stage::Planning]);
    }
}
