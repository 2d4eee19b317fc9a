//! `employees`: the directory in this library's words, as JSON lines.

use futures_util::TryStreamExt as _;
use hris::core::{
    FieldMapping as _, FieldSet, HrisConnector, Progress as _, ProgressEvent, ReadEvent, ReadQuery,
    SourceField, Stage,
};

use super::view::{View, listed};
use crate::args::Employees;
use crate::failure::Result;
use crate::output;
use crate::setup::Setup;

pub(crate) async fn employees(setup: &Setup<'_>, wanted: &Employees) -> Result<()> {
    let connector = setup.connector()?;
    let fields: FieldSet = if wanted.all_fields {
        offered(&*connector).await?
    } else if wanted.fields.is_empty() {
        setup.mapping()?.sources().iter().cloned().collect()
    } else {
        wanted.fields.iter().cloned().collect()
    };
    let shown = listed(&fields);
    let mut events = connector.read(ReadQuery::everyone(fields));
    let (mut count, mut rejected, mut expected) = (0_u64, 0_u64, None);
    while let Some(event) = events.try_next().await? {
        match event {
            ReadEvent::Expected(total) => expected = Some(total),
            ReadEvent::Employees(page) => {
                count += page.len() as u64;
                output::json_lines(page.iter().map(|employee| View { employee, fields: &shown }))?;
            }
            ReadEvent::Rejected(row) => {
                rejected += 1;
                eprintln!("hrisctl: a row was left out: {}", row.message);
            }
            _ => {}
        }
        setup.bar.report(ProgressEvent::new(Stage::Reading, count + rejected, expected));
    }
    setup.bar.finish();
    Ok(())
}

/// Every field that the account offers.
async fn offered(connector: &dyn HrisConnector) -> Result<FieldSet> {
    let fields = connector.fields().await?;
    Ok(fields.into_iter().map(|field| -> SourceField { field.field }).collect())
}
