//! A listing decoded and converted without a server, for the benches. Not part of the interface.

use chrono::NaiveDate;
use hris_core::{FieldSet, Result};

use crate::config::PeopleHrConfig;
use crate::convert::Projection;
use crate::listing::broken_row;
use crate::roster::Roster;
use crate::splitter::{Reader, Splitter};
use crate::status::Found;
use crate::wire::{front, whole};

/// Takes a listing apart that comes in pieces of so many bytes, and converts each row; answers how many there were.
pub fn listing(body: &[u8], piece: usize, fields: FieldSet) -> Result<usize> {
    let projection = Projection::new(fields, &PeopleHrConfig::new(), NaiveDate::MIN);
    let mut rows = Rows { projection: &projection, roster: Roster::default(), count: 0 };
    let mut splitter = Splitter::new(1 << 20);
    for piece in body.chunks(piece.max(1)) {
        splitter.feed(piece, &mut rows)?;
    }
    splitter.finish()?;
    Ok(rows.count)
}

struct Rows<'p> {
    projection: &'p Projection,
    roster: Roster,
    count: usize,
}

impl Rows<'_> {
    fn convert(&mut self, row: &crate::wire::Row<'_>) {
        if let Some(id) = self.projection.record(row) {
            self.roster.meet(id);
            std::hint::black_box(self.projection.employee(id, row, Found::Current));
            self.count += 1;
        }
    }
}

impl Reader for Rows<'_> {
    fn list(&mut self) {}

    fn front(&mut self, bytes: &[u8]) -> Option<usize> {
        let (row, length) = front(self.projection.seed(), bytes)?;
        self.convert(&row);
        Some(length)
    }

    fn element(&mut self, json: &[u8]) -> Result<()> {
        let row = whole(self.projection.seed(), json).ok_or_else(broken_row)?;
        self.convert(&row);
        Ok(())
    }

    fn member(&mut self, _key: &[u8], _json: &[u8]) -> Result<()> {
        Ok(())
    }
}
