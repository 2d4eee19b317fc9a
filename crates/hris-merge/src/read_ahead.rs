//! A stream that is one item ahead: the next page is on its way while the present one is used.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use hris_core::Result;

/// Asks for the next item as soon as it hands one out. An error, or the end, is handed out in its turn.
pub(crate) struct ReadAhead<T> {
    inner: BoxStream<'static, Result<T>>,
    /// What the inner stream had at once when it was asked ahead of time.
    early: Poll<Option<Result<T>>>,
}

impl<T> ReadAhead<T> {
    pub(crate) fn new(inner: BoxStream<'static, Result<T>>) -> Self {
        Self { inner, early: Poll::Pending }
    }
}

impl<T: Unpin> Stream for ReadAhead<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let item = match std::mem::replace(&mut this.early, Poll::Pending) {
            Poll::Ready(early) => early,
            Poll::Pending => ready!(this.inner.poll_next_unpin(context)),
        };
        // Asked once and not awaited: the request leaves, and its answer is looked at when it is wanted.
        if matches!(item, Some(Ok(_))) {
            this.early = this.inner.poll_next_unpin(context);
        }
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use hris_core::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counted(items: Vec<Result<u8>>) -> (ReadAhead<u8>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let inner = stream::iter(items).inspect(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        (ReadAhead::new(inner.boxed()), asked)
    }

    #[test]
    fn the_next_item_is_asked_for_when_one_is_handed_out_and_not_before() {
        hris_testkit::run(async {
            let (mut ahead, asked) = counted(vec![Ok(1), Ok(2), Ok(3)]);
            assert_eq!(asked.load(Ordering::SeqCst), 0);
            assert_eq!(ahead.next().await.unwrap().unwrap(), 1);
            assert_eq!(asked.load(Ordering::SeqCst), 2);
            let rest: Vec<_> = ahead.map(Result::unwrap).collect().await;
            assert_eq!(rest, [2, 3]);
        });
    }

    #[test]
    fn an_error_comes_in_its_turn() {
        hris_testkit::run(async {
            let (mut ahead, _) = counted(vec![Ok(1), Err(Error::cancelled())]);
            assert!(ahead.next().await.unwrap().is_ok());
            assert!(ahead.next().await.unwrap().is_err());
            assert!(ahead.next().await.is_none());
        });
    }
}
