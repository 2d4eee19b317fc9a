//! Runs one behaviour against a harness made for it, and holds skips against the list, both ways.
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::harness::ConnectorHarness;
use crate::mock::lock;
use crate::population::Population;
pub use crate::suite::{NotOffered, Ran};
use crate::suite::{SkipReason, check_list, compare};

type SetUp = dyn Fn(Population) -> Pin<Box<dyn Future<Output = ConnectorHarness>>>;

/// Sets a harness up for the people that a behaviour needs. Clones are handles to one stage.
#[derive(Clone)]
pub struct Stage {
    set_up: Arc<SetUp>,
    skips: Arc<Mutex<Vec<SkipReason>>>,
}

impl Stage {
    /// A stage whose harnesses a function makes for the people it is given.
    pub fn new<F>(set_up: impl Fn(Population) -> F + 'static) -> Self
    where
        F: Future<Output = ConnectorHarness> + 'static,
    {
        Self { set_up: Arc::new(move |people| Box::pin(set_up(people))), skips: Arc::default() }
    }

    /// A fresh vendor with these people.
    pub(crate) async fn with(&self, people: Population) -> ConnectorHarness {
        let harness = (self.set_up)(people).await;
        *lock(&self.skips) = harness.skips().to_vec();
        harness
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

/// Runs a behaviour by its name; the macro's tests call it.
///
/// # Panics
/// If the behaviour does not hold, or the list of skips is wrong about it.
pub fn check<F: Future<Output = Ran>>(name: &str, stage: &Stage, behaviour: impl FnOnce(Stage) -> F) {
    let ran = crate::run(Box::pin(behaviour(stage.clone())));
    compare(&lock(&stage.skips), name, ran);
}

/// Checks the list of skips itself; a test of the macro calls it.
///
/// # Panics
/// If it names a behaviour that does not exist, names one twice, or gives no reason.
pub fn check_skips(stage: &Stage, behaviours: &[&str]) {
    let harness = crate::run(stage.with(Population::new(0).size(0).build()));
    check_list(harness.skips(), behaviours);
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Case, TestVendor};
    use super::*;
    use crate::ManualClock;
    use hris_core::HrisConnector;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    struct Nothing;

    impl TestVendor for Nothing {
        fn connector(&self, _case: Case<'_>) -> Option<hris_core::Result<Arc<dyn HrisConnector>>> {
            None
        }
    }

    fn stage(skips: &'static [SkipReason]) -> Stage {
        Stage::new(move |people| async move {
            let clock = ManualClock::at("2026-03-02T06:00:00Z");
            ConnectorHarness::new(Nothing, people, clock).skipping(skips)
        })
    }

    fn fails(test: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(test)).is_err()
    }

    fn outcome(skips: &'static [SkipReason], ran: Ran) -> bool {
        let stage = stage(skips);
        let behaviour = |stage: Stage| async move {
            stage.with(Population::new(0).size(0).build()).await;
            ran
        };
        !fails(|| check("a_behaviour", &stage, behaviour))
    }

    #[test]
    fn a_skip_passes_only_if_it_is_listed_and_a_run_only_if_it_is_not() {
        let listed: &'static [SkipReason] = &[("a_behaviour", "the vendor has no such thing")];
        let other: &'static [SkipReason] = &[("another", "the vendor has no such thing")];
        let not_offered = Err(NotOffered("there is no such thing"));
        assert!(outcome(listed, not_offered) && outcome(other, Ok(())) && outcome(&[], Ok(())));
        assert!(!outcome(listed, Ok(())) && !outcome(&[], not_offered) && !outcome(other, not_offered));
    }

    #[test]
    fn a_list_of_skips_with_unknown_names_repeats_or_no_reason_is_refused() {
        let check = |skips| fails(|| check_skips(&stage(skips), &["a", "b"]));
        assert!(!check(&[("a", "because"), ("b", "of this")]));
        for wrong in [&[("c", "because")][..], &[("a", "because"), ("a", "of this")], &[("a", " ")]] {
            assert!(check(wrong), "{wrong:?}");
        }
    }
}
