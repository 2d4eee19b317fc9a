//! A page decoded and converted without a server, for the benches. Not part of the interface.

use hris_core::{EmploymentStatus, FieldSet, Result};
use hris_http::lenient::ListSeed;

use crate::client::Company;
use crate::config::SesameConfig;
use crate::convert::{Projection, record_id};
use crate::joins::Joins;
use crate::wire::{self, RowSeed};

/// Decodes a page of employees and converts each row; answers how many there were.
pub fn page(body: &[u8], fields: FieldSet) -> Result<usize> {
    let projection = Projection::new(fields, &SesameConfig::new());
    let company = Company { id: "measured".into(), name: None, language: None };
    let joins = Joins::default();
    let page = wire::read(ListSeed(RowSeed(projection.keys())), body)?;
    let rows = page.data.iter().filter_map(Option::as_ref);
    let rows = rows.filter_map(|row| Some((record_id(row)?, row)));
    let employees =
        rows.map(|(id, row)| projection.employee(id, row, EmploymentStatus::Active, &company, &joins));
    Ok(employees.map(std::hint::black_box).count())
}
