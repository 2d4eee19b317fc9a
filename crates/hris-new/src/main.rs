//! Writes a connector crate for another HR system. See the crate's README.
#![doc = include_str!("../README.md")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod entries;
mod files;
mod names;
mod source;
mod workspace;

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use names::Names;
use source::{Source, way};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The version of the `hris` crates that this program writes connectors for: all have one.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes a connector crate that compiles, has a simulator, and whose tests say what is left to do.
#[derive(Debug, Parser)]
#[command(name = "hris-new", version)]
struct Args {
    /// The HR system in one word of lower-case letters and digits, as configurations name it
    name: String,

    /// The HR system as people call it, such as "Acorn HR"
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,

    /// What types begin with, where it is not just the name with a capital: `PeopleHr` for `peoplehr`
    #[arg(long, value_name = "NAME")]
    type_name: Option<String>,

    /// The new folder (`hris-NAME` here; inside the workspace of the hris crates `crates/hris-NAME`)
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,

    /// Take the hris crates from a checkout on this machine; relative to where you stand
    #[arg(long, value_name = "CHECKOUT", conflicts_with = "git")]
    path: Option<PathBuf>,

    /// Take the hris crates from a git repository
    #[arg(long, value_name = "URL")]
    git: Option<String>,

    /// The revision in the git repository
    #[arg(long, value_name = "REV", requires = "git", conflicts_with_all = ["tag", "branch"])]
    rev: Option<String>,

    /// The tag in the git repository
    #[arg(long, value_name = "TAG", requires = "git", conflicts_with = "branch")]
    tag: Option<String>,

    /// The branch of the git repository
    #[arg(long, value_name = "BRANCH", requires = "git")]
    branch: Option<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hris-new: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String> {
    let names = Names::new(&args.name, args.type_name.as_deref(), args.display_name.as_deref())?;
    let here = env::current_dir()?.canonicalize()?;
    let is_plain = args.path.is_none() && args.git.is_none() && args.into.is_none();
    match workspace::root_above(&here).filter(|_| is_plain) {
        Some(root) => in_workspace(&root, &names),
        None => alone(args, &here, &names),
    }
}

/// A crate of the workspace, registered in the facade.
fn in_workspace(root: &Path, names: &Names) -> Result<String> {
    let folder = root.join("crates").join(names.package());
    files::write(&folder, &files::member(names))?;
    let registered = workspace::register(root, names)?;
    let mut said = format!(
        "{} is written to {}, and registered in:\n  {}\n",
        names.package(),
        folder.display(),
        registered.files.join("\n  ")
    );
    if !registered.by_hand.is_empty() {
        said.push_str("These lists were not found; enter by hand:\n  ");
        said.push_str(&registered.by_hand.join("\n  "));
        said.push('\n');
    }
    said.push_str(&next(&format!(
        "cargo fmt && cargo test -p {} --all-features --no-fail-fast",
        names.package()
    )));
    Ok(said)
}

/// A crate of its own.
fn alone(args: &Args, here: &Path, names: &Names) -> Result<String> {
    let folder = here.join(args.into.clone().unwrap_or_else(|| names.package().into()));
    let source = match (&args.path, &args.git) {
        (Some(checkout), _) => Source::Path(checkout_from(&folder, here, checkout)?),
        (None, Some(url)) => Source::Git { url: plain(url)?, at: at(args)? },
        (None, None) => Source::Version(VERSION),
    };
    files::write(&folder, &files::alone(names, &source))?;
    let command = format!("cd {} && cargo test --all-features --no-fail-fast", folder.display());
    let mut said = format!("{} is written to {}.\n", names.package(), folder.display());
    if let Some(manifest) = enclosing(&folder) {
        let manifest = manifest.display();
        let _ = writeln!(
            said,
            "It lies in another workspace: unless it is there, add it to `members` in {manifest}."
        );
    }
    said.push_str(&next(&command));
    Ok(said)
}

fn next(command: &str) -> String {
    format!(
        "Next: {command}\nIt compiles, and fails where there is something to fill in: search for `[place 1]` to \
         `[place 7]`, and start with 6."
    )
}

/// The way from a new crate to a checkout that has to be one.
fn checkout_from(folder: &Path, here: &Path, given: &Path) -> Result<PathBuf> {
    let option = format!("--path {}", given.display());
    let checkout = here.join(given).canonicalize().map_err(|error| {
        format!("{option}: no such checkout, seen from where you stand ({}): {error}", here.display())
    })?;
    if !workspace::is_root(&checkout) {
        return Err(format!("{option}: {} is no checkout of the hris crates", checkout.display()).into());
    }
    Ok(way(folder, &checkout))
}

fn at(args: &Args) -> Result<Option<(&'static str, String)>> {
    let given = [("rev", &args.rev), ("tag", &args.tag), ("branch", &args.branch)];
    let given = given.into_iter().find_map(|(kind, value)| Some((kind, value.as_deref()?)));
    given.map(|(kind, value)| Ok((kind, plain(value)?))).transpose()
}

/// A text that can stand between quotes in a manifest.
fn plain(text: &str) -> Result<String> {
    if text.is_empty() || text.contains(['"', '\\', '\n']) {
        return Err("a URL, revision, tag or branch has no quotes and backslashes in it".into());
    }
    Ok(text.to_owned())
}

/// The manifest of a workspace that a folder lies in.
fn enclosing(folder: &Path) -> Option<PathBuf> {
    let manifests = folder.ancestors().skip(1).map(|above| above.join("Cargo.toml"));
    let is_workspace = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    manifests.filter(|path| path.is_file()).find(is_workspace)
}
