//! A connector that reads one person where everyone is asked for: an import of one person.

use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{
    AbsenceGround, Account, Capabilities, Descriptor, EmployeeRef, Error, FieldDescriptor, FieldSet,
    HrisConnector, Lookup, ReadEvent, ReadQuery, Result, Scope,
};

/// Reads one person and draws no conclusion about anybody else.
#[derive(Debug)]
pub(crate) struct OnePerson {
    inner: Arc<dyn HrisConnector>,
    who: EmployeeRef,
}

impl OnePerson {
    pub(crate) fn new(inner: Arc<dyn HrisConnector>, who: EmployeeRef) -> Self {
        Self { inner, who }
    }
}

/// What is true of one person only is said of one person only.
fn narrowed(event: Result<ReadEvent>) -> Result<ReadEvent> {
    Ok(match event? {
        ReadEvent::End(mut receipt) => {
            receipt.full = false;
            receipt.watermark = None;
            receipt.absence = AbsenceGround::refused("one person was read");
            ReadEvent::End(receipt)
        }
        event => event,
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HrisConnector for OnePerson {
    fn descriptor(&self) -> &'static Descriptor {
        self.inner.descriptor()
    }

    fn capabilities(&self) -> Capabilities {
        // Never those changed since a watermark.
        let mut capabilities = self.inner.capabilities();
        (capabilities.incremental, capabilities.proves_absence) = (false, false);
        capabilities
    }

    async fn check(&self) -> Result<Account> {
        self.inner.check().await
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        if !self.inner.capabilities().single_read {
            let unsupported = Error::unsupported("this HR system offers no way to read one person")
                .with_hint("import everyone");
            return stream::iter([Err(unsupported)]).boxed();
        }
        let who = Scope::People(vec![self.who.clone()]);
        self.inner.read(ReadQuery::scoped(who, query.fields)).map(narrowed).boxed()
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        self.inner.employee(who, fields).await
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        self.inner.fields().await
    }
}
