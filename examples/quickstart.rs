//! The whole way in one program: a simulated Sesame with 3,000 people is read over real HTTP, reviewed, imported,
//! changed for a day and imported again. `cargo run --example quickstart`; no network, no service to start.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use hris_core::keys::KeyId;
use hris_core::{
    ConnectionKey, FieldMap, HrisConnector as _, ProvisioningPlan as _, RunId, RunReport, SecretKey,
    SharedClock, Trigger,
};
use hris_examples::Bar;
use hris_http::{BaseUrl, SystemClock, Transport};
use hris_sesame::sim::SesameSim;
use hris_sesame::{SesameConfig, SesameConnector};
use hris_store_memory::MemoryStore;
use hris_sync::{Engine, PlanView};
use hris_testkit::MockTarget;
use hris_testkit::population::{DayPlan, Population};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const PEOPLE: usize = 3_000;

#[tokio::main]
async fn main() -> Result<()> {
    let sim = SesameSim::start(Population::new(2026).size(PEOPLE).build()).await;
    let clock: SharedClock = Arc::new(SystemClock::new());

    heading("1. Authorise");
    let connector = connect(&sim)?;
    let account = connector.check().await?;
    println!("connected to {} ({})", account.name.as_deref().unwrap_or("an unnamed company"), account.id);

    heading("2. Map");
    let mapping = FieldMap::standard();
    for rule in mapping.rules() {
        let from: Vec<_> = rule.from.iter().map(ToString::to_string).collect();
        println!("{:14} <- {}", rule.target.to_string(), from.join(", else "));
    }

    let target = MockTarget::new(Arc::clone(&clock));
    let bar = Arc::new(Bar::default());
    let engine = Engine::new(
        ConnectionKey::new("brisa", "sesame"),
        Arc::new(connector),
        Arc::new(mapping),
        Arc::new(target.clone()),
        Arc::new(MemoryStore::new()),
        Arc::new(SecretKey::new(KeyId::new("quickstart"), [42; 32])),
        clock,
    )
    .with_progress(Arc::clone(&bar) as _);

    heading("3. Review");
    let plan = engine.plan(&RunId::from("first import"), sim.people().today()).await?;
    bar.finish();
    review(&plan).await?;

    heading("4. Publish: the first import");
    let header = plan.header();
    let report = engine.apply(&header.id, &header.digest, Trigger::OnDemand).await?;
    print_report(&bar, &report);
    println!("{} members, {} invitations sent", target.members().len(), target.invitations_sent());

    heading("5. The second day: hires, changes, leavers");
    let changes = sim.next_day(&DayPlan { hires: 5, leavers: 4, ..DayPlan::typical(PEOPLE) });
    println!(
        "in the HR system: {} hired, {} left, {} changed",
        changes.hired.len(),
        changes.left.len(),
        changes.fields_changed.len() + changes.email_changed.len()
    );
    let report = run(&engine, "second day", &sim).await?;
    print_report(&bar, &report);

    heading("6. The third day: one of the leavers returns");
    sim.next_day(&DayPlan::quiet());
    let mut people = sim.people();
    changes.left.first().map(|leaver| people.bring_back(leaver));
    sim.set_population(people);
    let report = run(&engine, "third day", &sim).await?;
    print_report(&bar, &report);

    heading("7. Another run has nothing to do");
    let report = run(&engine, "third day again", &sim).await?;
    print_report(&bar, &report);
    if report.planned.actions() > 0 {
        return Err("a run without changes ought to plan nothing".into());
    }
    Ok(())
}

fn connect(sim: &SesameSim) -> Result<SesameConnector> {
    // The simulator is ours, so that there is nobody to be gentle with.
    let config = SesameConfig::new().with_base_url(BaseUrl::parse(sim.url())?).with_requests_per_minute(None);
    Ok(config.build(&sim.token(), &Transport::builder().build()?)?)
}

async fn run(engine: &Engine, id: &str, sim: &SesameSim) -> Result<RunReport> {
    Ok(engine.run(&RunId::from(id), Trigger::Schedule, sim.people().today()).await?)
}

/// What an administrator looks at before publishing. Values of people are not shown.
async fn review(plan: &PlanView) -> Result<()> {
    let summary = plan.summary();
    println!("{summary}");
    println!("{} invitations will be sent; leavers and their kind are never invited", summary.invitations);
    let actions: Vec<_> = plan.actions(None).try_collect().await?;
    for action in actions.iter().take(3) {
        println!("  {} {} ...", action.kind.as_str(), action.after.employee_id);
    }
    let problems: Vec<_> = plan.problems().try_collect().await?;
    println!("{} problems and warnings, the first of them:", problems.len());
    for problem in problems.iter().take(5) {
        let who = problem.employee_id.as_ref().map_or("?", |id| id.as_str());
        println!("  {} ({who}): {}", problem.rule, problem.message);
    }
    Ok(())
}

fn print_report(bar: &Bar, report: &RunReport) {
    bar.finish();
    print!("{report}");
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.chars().count()));
}
