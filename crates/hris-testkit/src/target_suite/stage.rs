//! Runs one behaviour against a harness made for it, and holds skips against the list.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::harness::{SkipReason, TargetHarness};
use crate::mock::lock;
use crate::suite::{Ran, check_list, compare};

type SetUp = dyn Fn() -> Pin<Box<dyn Future<Output = TargetHarness>>>;

/// Sets fresh platforms up. Clones are handles to one stage.
#[derive(Clone)]
pub struct TargetStage {
    set_up: Arc<SetUp>,
    skips: Arc<Mutex<Vec<SkipReason>>>,
}

impl TargetStage {
    /// A stage whose harnesses a function makes.
    pub fn new<F>(set_up: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = TargetHarness> + 'static,
    {
        Self { set_up: Arc::new(move || Box::pin(set_up())), skips: Arc::default() }
    }

    /// A fresh, empty platform.
    pub(crate) async fn fresh(&self) -> TargetHarness {
        let harness = (self.set_up)().await;
        *lock(&self.skips) = harness.skips().to_vec();
        let members = harness.platform().members().len();
        assert!(members == 0, "begin each behaviour with an empty platform: this one has {members} members");
        harness
    }
}

impl fmt::Debug for TargetStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetStage").finish_non_exhaustive()
    }
}

/// Runs a behaviour by its name; the macro's tests call it.
///
/// # Panics
/// If the behaviour does not hold, or the list of skips is wrong about it.
pub fn check<F: Future<Output = Ran>>(
    name: &str,
    stage: &TargetStage,
    behaviour: impl FnOnce(TargetStage) -> F,
) {
    let ran = crate::run(Box::pin(behaviour(stage.clone())));
    compare(&lock(&stage.skips), name, ran);
}

/// Checks the list of skips itself; a test of the macro calls it.
///
/// # Panics
/// If it names a behaviour that does not exist, names one twice, or gives no reason.
pub fn check_skips(stage: &TargetStage, behaviours: &[&str]) {
    check_list(crate::run(stage.fresh()).skips(), behaviours);
}
