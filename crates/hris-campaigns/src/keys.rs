//! The keyed hashes under which people, gifts and occasions are known.

use chrono::{Datelike as _, NaiveDate};
use hris_core::keys::{Digester, Fingerprinter, Print};
use hris_core::ledger::{OccasionKey, PersonKey, SendId};
use hris_core::{ConnectionKey, RecordId, SecretKey, SourceField};

use crate::{Campaign, Occurrence};

/// The keys of one connection.
#[derive(Debug)]
pub(crate) struct Keys(Fingerprinter);

impl Keys {
    pub(crate) fn new(key: &SecretKey, connection: &ConnectionKey) -> Self {
        Self(Fingerprinter::new(key, connection))
    }

    #[inline]
    pub(crate) fn person(&self, record: &RecordId) -> PersonKey {
        PersonKey(self.0.record(record))
    }

    /// (tenant, campaign, person, occurrence): never a date, an address or a name.
    pub(crate) fn send(
        &self,
        campaign: &Campaign,
        record: &RecordId,
        it: Occurrence,
        episode: u32,
    ) -> SendId {
        let mut digest = self.start_of("send", record);
        digest.add(campaign.id().as_str().as_bytes());
        // The same field counted by another date of service is another count.
        digest.add(campaign.rule().anchor.field().to_string().as_bytes());
        add_occurrence(&mut digest, it, episode);
        SendId::new(digest.bytes())
    }

    /// The occasion behind a gift, whichever campaign gives it.
    pub(crate) fn occasion(
        &self,
        campaign: &Campaign,
        record: &RecordId,
        it: Occurrence,
        episode: u32,
    ) -> OccasionKey {
        let mut digest = self.start_of("occasion", record);
        digest.add(campaign.rule().anchor.field().to_string().as_bytes());
        digest.add(&campaign.rule().offset_days.to_le_bytes());
        add_occurrence(&mut digest, it, episode);
        OccasionKey::new(digest.bytes())
    }

    /// Whose episodes, counted by which date field.
    pub(crate) fn episode(&self, field: &SourceField, record: &RecordId) -> Print {
        let mut digest = self.start_of("episode", record);
        digest.add(field.to_string().as_bytes());
        print(&digest)
    }

    /// An episode's start date.
    pub(crate) fn start(&self, record: &RecordId, date: NaiveDate) -> Print {
        let mut digest = self.start_of("start", record);
        digest.add(&date.num_days_from_ce().to_le_bytes());
        print(&digest)
    }

    fn start_of(&self, kind: &str, record: &RecordId) -> Digester {
        let mut digest = self.0.digester();
        digest.add(b"campaigns/1");
        digest.add(kind.as_bytes());
        digest.add(record.as_str().as_bytes());
        digest
    }
}

fn add_occurrence(digest: &mut Digester, it: Occurrence, episode: u32) {
    let (kind, number): (&[u8], i64) = match it {
        Occurrence::Once => (b"once", episode.into()),
        Occurrence::Year(year) => (b"year", year.into()),
        Occurrence::Nth(n) => (b"nth", n.into()),
    };
    digest.add(kind);
    digest.add(&number.to_le_bytes());
}

fn print(digest: &Digester) -> Print {
    let bytes = digest.bytes();
    Print(bytes.iter().take(8).fold(0, |print, byte| print << 8 | u64::from(*byte)))
}
