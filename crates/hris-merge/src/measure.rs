//! A page decoded and converted without a server, for the benches. Not part of the interface.

use std::sync::Arc;

use hris_core::{FieldSet, Result};

use crate::config::MergeConfig;
use crate::convert::{Notes, Outcome, Projection};
use crate::wire::{self, RowSeed};

/// The relations that a listing of these fields asks for in full, as the value of `expand`.
pub fn expand(fields: FieldSet) -> Option<String> {
    Projection::new(fields, Arc::new(MergeConfig::new())).expand()
}

/// Decodes a page of employees and converts each row; answers how many people there were.
pub fn page(body: &[u8], fields: FieldSet) -> Result<usize> {
    let projection = Projection::new(fields, Arc::new(MergeConfig::new()));
    let mut notes = Notes::default();
    let page = wire::page(RowSeed(projection.keys()), body)?;
    let outcomes = page.rows.iter().map(|row| projection.outcome(row.as_ref(), None, &mut notes));
    Ok(outcomes.map(std::hint::black_box).filter(|outcome| matches!(outcome, Outcome::Employee(_))).count())
}
