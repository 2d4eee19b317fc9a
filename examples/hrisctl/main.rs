//! `hrisctl`: one connection between an HR system and a file of members, from the command line.
//!
//! Start with `hrisctl --help`; `docs/hrisctl.md` goes through every command. The program is also an example of an
//! application around the crates: it reads the configuration and the environment, names the vendors that it knows, and
//! owns what is printed.
#![allow(clippy::print_stderr, reason = "a program for the terminal")]

mod args;
mod commands;
mod connection;
mod failure;
mod output;
mod setup;

use std::process::ExitCode;

use clap::Parser as _;
use hris::Registry;

use crate::args::{Args, Command};
use crate::failure::{Failure, Result};
use crate::setup::Setup;

/// The vendors that this program can connect to. Register your own connector here.
fn registry() -> Registry {
    Registry::builtin()
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match Box::pin(run(&args)).await {
        // Whoever reads a pipe may stop reading.
        Ok(()) | Err(Failure::PipeClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hrisctl: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let registry = registry();
    let setup = || Setup::read(&args.connection, args.base_url.as_deref(), &registry);
    match &args.command {
        Command::Check(wanted) => commands::check(&setup()?, wanted).await,
        Command::Probe(wanted) => commands::probe(&setup()?, wanted).await,
        Command::Fields(wanted) => commands::fields(&setup()?, wanted).await,
        Command::Employees(wanted) => commands::employees(&setup()?, wanted).await,
        Command::Plan(wanted) => commands::plan(&setup()?, wanted).await,
        Command::Apply(wanted) => commands::apply(&setup()?, wanted).await,
        Command::Verify(wanted) => commands::verify(&setup()?, wanted).await,
        Command::Explain(wanted) => commands::explain(&setup()?, wanted).await,
        Command::Refeed(wanted) => commands::refeed(&setup()?, wanted).await,
        Command::Forget(wanted) => commands::forget(&setup()?, wanted).await,
        Command::Purge(wanted) => commands::purge(&setup()?, wanted).await,
        Command::Replay(wanted) => commands::replay(&setup()?, wanted).await,
        Command::Release(wanted) => commands::release(&setup()?, wanted).await,
        Command::Dismiss(wanted) => commands::dismiss(&setup()?, wanted).await,
        Command::Accept(wanted) => commands::accept(&setup()?, wanted).await,
        Command::History(wanted) => commands::history(&setup()?, wanted).await,
        Command::Errors(wanted) => commands::errors(&setup()?, wanted).await,
        Command::Preview(wanted) => commands::preview(&setup()?, wanted).await,
        Command::Compare(wanted) => commands::compare(&setup()?, wanted).await,
        Command::Mapping => commands::mapping(&setup()?),
        Command::Example => output::text(connection::EXAMPLE),
        Command::Schema(wanted) if wanted.mapping => output::json(&connection::mapping_schema()),
        Command::Schema(_) => output::json(&connection::schema()),
        Command::Vendors => commands::vendors(&registry),
    }
}
