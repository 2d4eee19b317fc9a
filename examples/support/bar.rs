//! A progress bar behind the progress port.

use std::sync::Mutex;

use hris_core::{Progress, ProgressEvent, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws a bar on standard error while it is a terminal, and nothing in a pipe. An unknown total is shown as unknown.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    stage: Mutex<Option<Stage>>,
}

impl Default for Bar {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar, stage: Mutex::new(None) }
    }
}

impl Bar {
    /// Removes the bar from the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn enter(&self, stage: Stage) {
        let mut current = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if current.replace(stage) == Some(stage) {
            return;
        }
        self.bar.reset();
        self.bar.unset_length();
        self.bar.set_message(match stage {
            Stage::Loading => "loading what is known",
            Stage::Reading => "reading the HR system",
            Stage::Planning => "finishing the plan",
            Stage::Applying => "applying",
            _ => "working",
        });
    }
}

impl Progress for Bar {
    fn report(&self, event: ProgressEvent) {
        self.enter(event.stage);
        let template = match event.total {
            Some(total) => {
                self.bar.set_length(total);
                "{msg:24} {bar:32} {pos}/{len}"
            }
            None => "{msg:24} {spinner} {pos}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_position(event.done);
    }
}
