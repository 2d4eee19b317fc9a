//! `cargo xtask`: the repository's own checks. Start at [`COMMANDS`]; each check is a file of its own.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

mod deps;
mod features;
mod finding;
mod markdown;
mod metadata;
mod rust_text;
mod tidy;
mod tree;

use std::process::ExitCode;

use finding::Finding;

/// What every sub-command answers: findings, or why it could not look.
type Checked = Result<Vec<Finding>, Box<dyn std::error::Error>>;

/// A sub-command: its name, what it does, and the function that does it.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn() -> Checked,
}

const COMMANDS: &[Command] = &[
    Command { name: "tidy", about: "house rules of source, layout and documentation", run: tidy::run },
    Command {
        name: "deps",
        about: "licences, sources, bans and minimum Rust version of everything in Cargo.lock",
        run: deps::run,
    },
    Command {
        name: "features",
        about: "each library with no feature, each feature alone, and all of them",
        run: features::run,
    },
];

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let [name] = asked.as_slice() else {
        return usage();
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => report(command.name, (command.run)()),
        None => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        eprintln!("  {:<9} {}", command.name, command.about);
    }
    ExitCode::from(2)
}

/// Prints the findings, each on a line of its own; any makes the program fail.
fn report(name: &str, checked: Checked) -> ExitCode {
    match checked {
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("{name}: {} findings", findings.len());
            if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
