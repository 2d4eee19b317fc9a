//! The requests that a server received, and a way to wait for the next one without a timer.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::SimRequest;
use crate::mock::lock;

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Mutex<Vec<Arc<SimRequest>>>,
    count: watch::Sender<usize>,
}

impl RequestLog {
    pub(crate) fn record(&self, request: Arc<SimRequest>) {
        let mut requests = lock(&self.requests);
        requests.push(request);
        self.count.send_replace(requests.len());
    }

    pub(crate) fn requests(&self) -> Vec<Arc<SimRequest>> {
        lock(&self.requests).clone()
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Completes once `count` requests were received.
    pub(crate) async fn received(&self, count: usize) {
        let mut counts = self.count.subscribe();
        // The sender is ours, so the channel cannot close while we wait.
        let _ = counts.wait_for(|received| *received >= count).await;
    }
}
