//! The platform: a SCIM service provider, whose days pass with Enter.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use hris::core::Clock;
use hris::http::SystemClock;
use hris::target_scim::sim::ScimSim;

use crate::Result;

const VARIABLE: &str = "SCIM_TOKEN";

/// The system's clock, so many days later.
#[derive(Clone, Debug)]
struct DayClock {
    system: SystemClock,
    days: Arc<AtomicI64>,
}

#[async_trait]
impl Clock for DayClock {
    fn now(&self) -> DateTime<Utc> {
        self.system.now() + TimeDelta::days(self.days.load(Ordering::Relaxed))
    }

    async fn sleep(&self, length: Duration) {
        self.system.sleep(length).await;
    }
}

/// Runs the platform until Ctrl-C.
pub(crate) async fn run(connection: Option<&Path>) -> Result<()> {
    let clock = DayClock { system: SystemClock::new(), days: Arc::default() };
    let sim = ScimSim::start(clock.clone()).await;
    println!("A simulated platform speaks SCIM at {}", sim.endpoint());
    println!("\nIn another terminal:\n");
    println!("export {VARIABLE}={}", ScimSim::TOKEN);
    let table = target_table(&sim.endpoint());
    match connection {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}; let an HR system write it first", path.display()))?;
            std::fs::write(path, with_target(&text, &table))?;
            println!("cargo run --example hrisctl -- --connection {} check", path.display());
        }
        None => println!("\nand in the connection file, in place of its [target]:\n\n{table}"),
    }
    println!("\nEnter lets a day pass on the platform, Ctrl-C ends it.");
    crate::on_every_enter(|| {
        clock.days.fetch_add(1, Ordering::Relaxed);
        let accounts = sim.accounts();
        let open = accounts.iter().filter(|account| account.is_active()).count();
        let invitations: u64 = accounts.iter().map(|account| account.invitations).sum();
        format!("a day has passed: {} accounts, {open} open, {invitations} invitations", accounts.len())
    })
    .await
}

fn target_table(endpoint: &str) -> String {
    format!(
        "[target]\nkind = \"scim\"\ntoken = \"env:{VARIABLE}\"\n\n\
         [target.options]\nendpoint = \"{endpoint}\"\nprofile = \"reward_gateway\"\n\
         requests_per_second = 0\nmax_in_flight = 8\n"
    )
}

/// The connection file with another target.
fn with_target(text: &str, table: &str) -> String {
    let is_target = |line: &str| line.starts_with("[target]") || line.starts_with("[target.");
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = is_target(line);
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + table
}
