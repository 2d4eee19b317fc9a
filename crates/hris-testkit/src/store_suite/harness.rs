//! What a store's test file hands to the suite.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hris_core::StateStore;

type Opening = Pin<Box<dyn Future<Output = Arc<dyn StateStore>> + Send>>;

/// A fresh store, and the way to open the same content once more.
pub struct StoreHarness {
    store: Arc<dyn StateStore>,
    open_again: Box<dyn Fn() -> Opening + Send + Sync>,
    kept: Vec<Box<dyn Any + Send>>,
}

impl StoreHarness {
    /// A harness for `store`, which must be empty. `open_again` opens the same content once more, while the first
    /// handle is still open: the file or database for a store that lasts, another handle for one in memory.
    pub fn new<F>(store: Arc<dyn StateStore>, open_again: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Arc<dyn StateStore>> + Send + 'static,
    {
        Self { store, open_again: Box::new(move || Box::pin(open_again())), kept: Vec::new() }
    }

    /// Keeps something until the test is over, such as a temporary directory.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn StateStore> {
        Arc::clone(&self.store)
    }

    /// The same content, opened once more.
    pub async fn reopen(&self) -> Arc<dyn StateStore> {
        (self.open_again)().await
    }
}

impl fmt::Debug for StoreHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreHarness").field("store", &self.store).finish_non_exhaustive()
    }
}
