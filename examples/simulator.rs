//! A simulated HR system or platform to try `hrisctl` against: `cargo run --example simulator -- sesame --people 3000`.
//!
//! It runs until Ctrl-C, prints what to set in another terminal, and lives through a working day whenever Enter is
//! pressed. Nothing leaves this machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

#[path = "simulator_parts/platform.rs"]
mod platform;

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use hris::core::Clock as _;
use hris::http::SystemClock;
use hris::merge::sim::MergeSim;
use hris::peoplehr::sim::{PeopleHrSim, Permission};
use hris::sesame::sim::SesameSim;
use hris::trinet::sim::TriNetSim;
use hris_testkit::population::{Changes, DayPlan, Oddities, Population};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// A key to try things with; a real one is secret.
const TRIAL_KEY: &str = "7472792d6f6e6c79207472792d6f6e6c79207472792d6f6e6c79207472792d6f";

/// Runs a simulated HR system, or a simulated platform, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "simulator")]
struct Args {
    /// Which HR system, or `scim` for a platform to write to
    #[arg(value_enum, value_name = "VENDOR")]
    vendor: Vendor,

    /// How many people work there or have worked there
    #[arg(long, value_name = "N", default_value_t = 300)]
    people: usize,

    /// Another number, other people
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// For the measured programs (`bench_pull` and others): accept their fixed credentials, and let every row be readable
    #[arg(long)]
    measured: bool,

    /// Write a connection file for `hrisctl`; store and members will lie beside it. A platform puts itself into the
    /// one that is there, as its target
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Vendor {
    Merge,
    Peoplehr,
    Scim,
    Sesame,
    Trinet,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    if args.vendor == Vendor::Scim {
        return platform::run(args.write.as_deref()).await;
    }
    let today = SystemClock::new().now().date_naive();
    // The measured programs end with an error where somebody cannot be read.
    let oddities = if args.measured { Oddities::leavers_only() } else { Oddities::default() };
    let people = Population::new(args.seed).size(args.people).day0(today).oddities(oddities).build();
    let simulator = Simulator::start(args.vendor, people, args.measured).await;
    let connection = simulator.connection_file();
    println!("{simulator} with {} people is running at {}", args.people, simulator.url());
    println!("\nIn another terminal:\n");
    for (name, value) in simulator.variables() {
        println!("export {name}={value}");
    }
    println!("export HRIS_KEY={TRIAL_KEY}");
    match &args.write {
        Some(path) => {
            std::fs::write(path, connection)?;
            println!("cargo run --example hrisctl -- --connection {} check", path.display());
        }
        None => println!("\nand in connection.toml (--write FILE writes it):\n\n{connection}"),
    }
    println!("\nEnter lets a working day pass, Ctrl-C ends the simulator.");
    on_every_enter(|| told(&simulator.next_day(&DayPlan::typical(args.people)))).await
}

/// Prints something whenever Enter is pressed, until Ctrl-C.
async fn on_every_enter(mut day: impl FnMut() -> String) -> Result<()> {
    let (days, mut passed) = tokio::sync::mpsc::unbounded_channel();
    // Reading a terminal cannot be interrupted: the thread ends with the program.
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lines();
        while let Some(Ok(_)) = lines.next()
            && days.send(()).is_ok()
        {}
    });
    let mut open = true;
    while open {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => return Ok(stop?),
            passed = passed.recv() => match passed {
                Some(()) => println!("{}", day()),
                None => open = false,
            },
        }
    }
    Ok(tokio::signal::ctrl_c().await?)
}

fn told(changes: &Changes) -> String {
    format!(
        "a day has passed: {} hired, {} left, {} changed",
        changes.hired.len(),
        changes.left.len(),
        changes.fields_changed.len() + changes.email_changed.len()
    )
}

/// A running simulator, and what a connection to it needs.
struct Simulator {
    server: Box<dyn Simulated>,
    /// Name in connection files and on the screen.
    vendor: (&'static str, &'static str),
    /// Options beside `base_url`.
    options: &'static str,
    /// Credential, environment variable, value.
    credentials: &'static [(&'static str, &'static str, &'static str)],
}

/// What the simulators have in common.
trait Simulated {
    fn url(&self) -> &str;
    fn next_day(&self, plan: &DayPlan) -> Changes;
}

macro_rules! simulated {
    ($($sim:ty),+) => {
        $(impl Simulated for $sim {
            fn url(&self) -> &str {
                self.url()
            }
            fn next_day(&self, plan: &DayPlan) -> Changes {
                self.next_day(plan)
            }
        })+
    };
}

simulated!(MergeSim, PeopleHrSim, SesameSim, TriNetSim);

impl Simulator {
    async fn start(vendor: Vendor, people: Population, measured: bool) -> Self {
        let too = measured.then(|| people.clone());
        match vendor {
            Vendor::Scim => unreachable!("a platform is no HR system"),
            Vendor::Merge => {
                let sim = MergeSim::start(people).await;
                if let Some(people) = too {
                    sim.add_organisation("k", "measured", "t", people);
                }
                Self {
                    server: Box::new(sim),
                    vendor: ("merge", "Merge"),
                    options: "rate = { per_minute = 600 }\n",
                    credentials: &[
                        ("api_key", "MERGE_API_KEY", MergeSim::API_KEY),
                        ("account_token", "MERGE_ACCOUNT_TOKEN", MergeSim::ACCOUNT_TOKEN),
                    ],
                }
            }
            Vendor::Peoplehr => {
                let sim = PeopleHrSim::start(people).await;
                if let Some(people) = too {
                    sim.add_company(1, "Measured", people);
                    sim.add_key("k", 1, Permission::ALL);
                }
                Self {
                    server: Box::new(sim),
                    vendor: ("peoplehr", "PeopleHR"),
                    options: "requests_per_minute = 600\n",
                    credentials: &[("api_key", "PEOPLEHR_API_KEY", PeopleHrSim::KEY)],
                }
            }
            Vendor::Sesame => {
                let sim = SesameSim::start(people).await;
                if let Some(people) = too {
                    sim.add_company("measured", "Measured", "k", people);
                }
                Self {
                    server: Box::new(sim),
                    vendor: ("sesame", "Sesame HR"),
                    options: "requests_per_minute = 900\n",
                    credentials: &[("token", "SESAME_TOKEN", SesameSim::TOKEN)],
                }
            }
            Vendor::Trinet => {
                let sim = TriNetSim::start(people).await;
                if let Some(people) = too {
                    sim.add_company("1", "Measured", people);
                    sim.add_client("k", "k", &["1"]);
                }
                Self {
                    server: Box::new(sim),
                    vendor: ("trinet", "TriNet"),
                    options: "company_id = \"X7Q\"\nrequests_per_minute = 6000\n",
                    credentials: &[
                        ("client_id", "TRINET_CLIENT_ID", TriNetSim::CLIENT_ID),
                        ("client_secret", "TRINET_CLIENT_SECRET", TriNetSim::CLIENT_SECRET),
                    ],
                }
            }
        }
    }

    fn url(&self) -> &str {
        self.server.url()
    }

    /// Environment variables with the credentials.
    fn variables(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.credentials.iter().map(|&(_, variable, value)| (variable, value))
    }

    fn next_day(&self, plan: &DayPlan) -> Changes {
        self.server.next_day(plan)
    }

    fn connection_file(&self) -> String {
        let ((vendor, _), options, url) = (self.vendor, self.options, self.url());
        let credential = |&(name, variable, _): &(_, _, _)| format!("{name} = \"env:{variable}\"\n");
        let credentials: String = self.credentials.iter().map(credential).collect();
        format!(
            "tenant = \"trial\"\nconnection = \"{vendor}\"\nvendor = \"{vendor}\"\n\n\
             [options]\nbase_url = \"{url}\"\n{options}\n\
             [credentials]\n{credentials}\n\
             [store]\npath = \"hris.db\"\nkey = \"env:HRIS_KEY\"\n\n\
             [target]\npath = \"members.jsonl\"\n",
        )
    }
}

impl fmt::Display for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A simulated {}", self.vendor.1)
    }
}
