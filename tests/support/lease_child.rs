//! The other process of the lease tests: carries out one word a line and answers each with a line.
#![allow(clippy::print_stdout, reason = "a helper program of the tests")]

use std::error::Error;
use std::io::stdin;

use hris_core::store::{Lease, Links as _, Plans as _};
use hris_store_sqlite::SqliteStore;
use hris_tests::lease::{acquire, baseline, race, start};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: lease-child STORE")?;
    let store = SqliteStore::open(file)?;
    let mut lease = None;
    for order in stdin().lines() {
        println!("{}", hris_testkit::run(carry_out(&order?, &store, &mut lease))?);
    }
    Ok(())
}

async fn carry_out(
    order: &str,
    store: &SqliteStore,
    lease: &mut Option<Lease>,
) -> Result<String, Box<dyn Error>> {
    if order == "acquire" {
        *lease = Some(acquire(store, "other", start()).await?);
        return Ok("acquired".to_owned());
    }
    if order == "race" {
        return Ok(format!("{:?}", race(store, "other").await?));
    }
    let lease = lease.as_ref().ok_or("no lease was acquired")?;
    match order {
        "write" => {
            let written = store.set_baseline(lease, &baseline("other")).await;
            Ok(written.map_or_else(|error| format!("{:?}", error.kind()), |()| "written".to_owned()))
        }
        "draft" => {
            store.open_plan(lease, &"plan".into()).await?;
            Ok("drafted".to_owned())
        }
        _ => Err("an unknown order".into()),
    }
}
