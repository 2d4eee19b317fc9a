//! Everything that is traced, on one thread or in the whole process, as text.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

thread_local! {
    /// What was traced on this thread since a capture began, if one is under way.
    static TRACED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What was traced in this process since somebody asked for it, if anybody did.
static PROCESS: Mutex<Option<String>> = Mutex::new(None);

/// Whether the subscriber of the process is ours.
static INSTALLED: OnceLock<bool> = OnceLock::new();

fn install() {
    let ours = *INSTALLED
        .get_or_init(|| tracing::dispatcher::set_global_default(Dispatch::new(Recorder::default())).is_ok());
    assert!(ours, "install no tracing subscriber in this test program: the test kit has its own");
}

/// Everything that a process traces, at every level and on every thread: for a test program that searches it for what
/// nobody may see.
///
/// Whether a place in the code is traced at all is decided once for a whole process, so that such a test is a program of
/// its own.
///
/// ```
/// let traces = hris_testkit::Traces::of_this_process();
/// std::thread::spawn(|| tracing::info!(word = "kept", "said")).join().unwrap();
/// assert!(traces.text().contains(r#"word="kept""#));
/// ```
#[derive(Debug)]
pub struct Traces(());

impl Traces {
    /// Begins, from nothing.
    ///
    /// # Panics
    /// If the process has another tracing subscriber.
    #[must_use]
    pub fn of_this_process() -> Self {
        install();
        *PROCESS.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
        Self(())
    }

    /// What was traced so far: names, targets, levels and fields of spans and events.
    pub fn text(&self) -> String {
        PROCESS.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }
}

/// Keeps what is traced on this thread until it is asked for.
///
/// Whether a place in the code is traced at all is decided once for the whole process, so that a subscriber of one
/// thread would miss what another thread came to first. Therefore it is installed for all, and keeps only what belongs
/// to a capture.
#[derive(Debug)]
pub(crate) struct Capture(());

impl Capture {
    /// Begins.
    pub(crate) fn begin() -> Self {
        install();
        TRACED.set(Some(String::new()));
        Self(())
    }

    /// Ends, and gives what was traced.
    #[expect(clippy::unused_self, reason = "the capture is over and must not be used again")]
    pub(crate) fn end(self) -> String {
        TRACED.take().unwrap_or_default()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        TRACED.set(None);
    }
}

/// The subscriber: writes names and fields of spans and events down, at every level.
#[derive(Debug, Default)]
struct Recorder {
    spans: AtomicU64,
}

fn write(fill: impl FnOnce(&mut String)) {
    // Nothing is borrowed or locked meanwhile: a value whose `Debug` traces comes here a second time.
    let mut line = String::new();
    fill(&mut line);
    let _ = TRACED.try_with(|traced| {
        if let Some(text) = traced.borrow_mut().as_mut() {
            text.push_str(&line);
        }
    });
    if let Some(text) = PROCESS.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        text.push_str(&line);
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }

    /// With its causes, which a subscriber may show as well.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut cause: Option<&dyn Error> = Some(value);
        while let Some(error) = cause {
            let _ = write!(self.0, " {field}={error}");
            cause = error.source();
        }
    }
}

fn begin_line(text: &mut String, metadata: &Metadata<'_>) {
    let _ = write!(text, "\n{} {} {}", metadata.level(), metadata.target(), metadata.name());
}

impl Subscriber for Recorder {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        write(|text| {
            begin_line(text, span.metadata());
            span.record(&mut Fields(text));
        });
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        write(|text| values.record(&mut Fields(text)));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        write(|text| {
            begin_line(text, event.metadata());
            event.record(&mut Fields(text));
        });
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(word: &str) {
        let span = tracing::trace_span!("reading", word, later = tracing::field::Empty);
        span.record("later", "recorded");
        span.in_scope(|| tracing::debug!(?word, "said"));
    }

    #[test]
    fn spans_and_events_of_every_level_are_kept_with_their_fields() {
        let capture = Capture::begin();
        traces("nerea");
        let traced = capture.end();
        for part in ["TRACE", "reading", "word=\"nerea\"", "later=\"recorded\"", "DEBUG", "message=said"] {
            assert!(traced.contains(part), "{part} in {traced}");
        }
    }

    #[test]
    fn what_happens_on_other_threads_or_outside_a_capture_is_not_kept() {
        traces("before");
        let capture = Capture::begin();
        let other = std::thread::spawn(|| traces("elsewhere"));
        assert!(other.join().is_ok());
        assert_eq!(capture.end(), "");
        assert_eq!(Capture::begin().end(), "", "the next one begins anew");
    }
}
