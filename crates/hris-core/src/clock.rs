//! The clock port: everything that needs the time or a wait asks this, so that tests need neither.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Tells the time and waits. The transport and the engine use nothing else for either.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;

    /// Completes no earlier than `duration` from now. Dropping the future cancels the wait.
    async fn sleep(&self, duration: Duration);
}

/// A clock shared by the parts of one application.
pub type SharedClock = Arc<dyn Clock>;

#[async_trait]
impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }

    async fn sleep(&self, duration: Duration) {
        (**self).sleep(duration).await;
    }
}
