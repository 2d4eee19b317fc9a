//! A simulated night of 1,000 tenants by the manual clock, and what was fair about it: `cargo run --example fleet`.
//! One HR system never answers and another fails; the others do not notice.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::num::NonZeroUsize;

use chrono::TimeDelta;
use hris_examples::fleet::{FAILING, HANGING, Import, Morning, Night};

fn main() -> Result<(), Box<dyn Error>> {
    let places = NonZeroUsize::new(32).ok_or("no places")?;
    let calm = Night { tenants: 1_000, places, troubled: false }.pass()?;
    let troubled = Night { troubled: true, ..Night { tenants: 1_000, places, troubled: false } }.pass()?;

    println!(
        "1,000 tenants, {} connections, {places} at once, due from 02:00 within an hour\n",
        calm.imports.len()
    );
    println!("{:24}{:>12}{:>12}", "", "calm", "troubled");
    row("done", &calm, &troubled, |morning| {
        morning.others().filter(|import| import.is_done()).count().to_string()
    });
    row("the night lasted", &calm, &troubled, |morning| minutes(morning.length()));
    for (label, share) in
        [("half waited at most", 50), ("95 % waited at most", 95), ("the longest wait", 100)]
    {
        row(label, &calm, &troubled, |morning| minutes(waited(morning.others(), share)));
    }
    row("with one connection", &calm, &troubled, |morning| minutes(waited(of_size(morning, false), 95)));
    row("with five connections", &calm, &troubled, |morning| minutes(waited(of_size(morning, true), 95)));

    println!("\nIn the troubled night:");
    for (who, tenant) in [("the one that hangs", HANGING), ("the one that fails", FAILING)] {
        let import = troubled.imports.iter().find(|import| import.tenant == tenant);
        let ended = match import.and_then(|import| import.report.as_ref()) {
            Some(report) => format!("{:?}", report.result),
            None => "was given up in the morning, nothing applied".to_owned(),
        };
        println!("  {who}: {ended}");
    }
    let longer = percent(troubled.length() - calm.length(), calm.length());
    println!("  the others finished {longer:.1} % later than without the two");
    Ok(())
}

fn row(label: &str, calm: &Morning, troubled: &Morning, value: impl Fn(&Morning) -> String) {
    println!("{label:24}{:>12}{:>12}", value(calm), value(troubled));
}

fn of_size(morning: &Morning, large: bool) -> impl Iterator<Item = &Import> {
    morning.others().filter(move |import| (import.tenant % 100 == 99) == large)
}

/// The wait that so many percent did not exceed.
fn waited<'a>(imports: impl Iterator<Item = &'a Import>, percent: usize) -> TimeDelta {
    let mut waits: Vec<_> = imports.filter_map(Import::waited).collect();
    waits.sort();
    let last = waits.len().saturating_sub(1);
    waits.get(last * percent / 100).copied().unwrap_or_default()
}

fn minutes(time: TimeDelta) -> String {
    format!("{} min", time.num_minutes())
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a night fit")]
fn percent(part: TimeDelta, whole: TimeDelta) -> f64 {
    part.num_seconds() as f64 * 100.0 / whole.num_seconds().max(1) as f64
}
