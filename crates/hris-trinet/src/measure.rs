//! A page decoded and converted without a server, for the benches. Not part of the interface.

use chrono::NaiveDate;
use hris_core::{FieldSet, Result};

use crate::config::TriNetConfig;
use crate::convert::{Projection, record_id};
use crate::wire::read_page;

/// Decodes a page of employees and converts each row; answers how many there were.
pub fn page(body: &[u8], fields: FieldSet) -> Result<usize> {
    let projection = Projection::new(fields, &TriNetConfig::new("1"), NaiveDate::MIN)?;
    let page = read_page(projection.seed(), body)?;
    let rows = page.rows.iter().filter_map(Option::as_ref);
    let employees = rows.filter_map(|row| Some(projection.employee(record_id(row)?, row)));
    Ok(employees.map(std::hint::black_box).count())
}
