//! `docs/adding-a-connector.md`, followed to the letter: a connector is generated outside the workspace, fails what the
//! page says and nothing else, is filled as the page says, and passes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/adding-a-connector.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// What a program printed, on both channels, and whether it ended well.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn generate(folder: &Path, arguments: &[&OsStr]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hris-new"));
    let (ended_well, said) = run(command.args(arguments).current_dir(folder));
    assert!(ended_well, "{said}");
    said
}

/// Cargo in a folder, with what this very test was built from: nothing is fetched, and little is built twice.
fn cargo(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).arg("--offline").current_dir(folder);
    command.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    run(command.env("RUST_BACKTRACE", "0"))
}

/// The tests that failed, by their last word.
fn failed(output: &str) -> BTreeSet<String> {
    let failed = output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    failed.map(|path| path.rsplit("::").next().unwrap().to_owned()).collect()
}

/// The code between backticks in a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The tests in the last column of the table of places.
fn promised() -> BTreeSet<String> {
    let rows = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit()));
    let tests = rows.flat_map(|row| spans(row.trim_end_matches(" |").rsplit(" | ").next().unwrap()));
    tests.map(str::to_owned).collect()
}

/// The changes of the page: the file that is named on the line before, what goes and what comes.
fn changes() -> Vec<(String, String, String)> {
    let blocks = PAGE.split("\n```diff\n").collect::<Vec<_>>();
    let pairs = blocks.windows(2).map(|pair| {
        let file = spans(pair[0].trim_end().lines().last().unwrap()).next().unwrap().to_owned();
        let (mut old, mut new) = (String::new(), String::new());
        for line in pair[1].split_once("```").unwrap().0.lines() {
            let (mark, rest) = line.split_at(1);
            if mark != "+" {
                old.extend([rest, "\n"]);
            }
            if mark != "-" {
                new.extend([rest, "\n"]);
            }
        }
        (file, old, new)
    });
    pairs.collect()
}

/// The page's connector outside the workspace, as it is generated.
fn acorn(folder: &Path) -> PathBuf {
    let root = root();
    let arguments = ["acorn", "--display-name", "Acorn HR", "--path"].map(OsStr::new);
    let said = generate(folder, &[&arguments[..], &[root.as_os_str()]].concat());
    assert!(said.contains("cargo test --all-features --no-fail-fast"), "{said}");
    let connector = folder.join("hris-acorn");
    fs::copy(root.join("Cargo.lock"), connector.join("Cargo.lock")).unwrap();
    connector
}

/// Makes the changes of the page.
fn fill(connector: &Path) {
    assert!(changes().len() > 7);
    for (file, old, new) in changes() {
        let path = connector.join(&file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(&old).count(), 1, "{file} has to have once:\n{old}\n{text}");
        fs::write(path, text.replace(&old, &new)).unwrap();
    }
}

#[test]
fn the_tutorial_leads_from_an_empty_folder_to_a_green_suite() {
    let folder = tempfile::tempdir().unwrap();
    let connector = acorn(folder.path());

    let (_, output) = cargo(&connector, &["test", "--all-features", "--no-fail-fast"]);
    assert!(!output.contains("warning: unused") && !output.contains("error[E"), "{output}");
    assert_eq!(failed(&output), promised(), "{output}");

    let formatted = || run(Command::new(env!("CARGO")).args(["fmt", "--check"]).current_dir(&connector));
    assert!(formatted().0, "{}", formatted().1);

    fill(&connector);
    let (is_green, output) = cargo(&connector, &["test", "--all-features"]);
    assert!(is_green, "{output}");
    assert!(!output.contains("warning: `hris-acorn`"), "it builds without warnings: {output}");
    assert!(output.matches("test result: ok. ").count() >= 4, "{output}");
    assert!(formatted().0, "{}", formatted().1);
    let filled = ["client", "config", "convert", "integration", "wire", "sim/render"];
    let left =
        filled.map(|file| fs::read_to_string(connector.join(format!("src/{file}.rs"))).unwrap()).concat();
    assert!(!left.contains("[place "), "the page fills every place");
}

#[test]
fn a_key_that_only_the_simulators_spoil_knows_fails_a_test_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let connector = acorn(folder.path());
    fill(&connector);
    for (file, old, new) in [
        ("src/sim/render.rs", "put(\"given_name\"", "put(\"forename\""),
        ("src/convert.rs", "FirstName, \"given_name\"", "FirstName, \"forename\""),
    ] {
        let text = fs::read_to_string(connector.join(file)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{file}: {old}");
        fs::write(connector.join(file), text.replace(old, new)).unwrap();
    }
    let (_, output) = cargo(&connector, &["test", "--all-features", "--lib"]);
    assert_eq!(
        failed(&output),
        BTreeSet::from(["what_breaks_a_row_is_a_key_of_rows".to_owned()]),
        "{output}"
    );
    let message = "place 6: `spoil` names `given_name`, a key that rows do not have";
    assert!(output.contains(message), "{output}");
}

/// Copies what is needed of a folder to build it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path())).unwrap();
        let is_left_out = name == "target" || name == ".git";
        if path.is_dir() && !is_left_out {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn inside_the_workspace_a_connector_is_registered_in_the_facade_and_builds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("checkout");
    copy(&self::root(), &root);
    let said = generate(&root.join("docs"), &["acorn", "--display-name", "Acorn HR"].map(OsStr::new));
    assert!(!said.contains("by hand"), "{said}");

    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    for (file, entry) in [
        ("Cargo.toml", "hris-acorn = { path = \"crates/hris-acorn\", version = \"0.1.0\" }"),
        ("crates/hris/Cargo.toml", "acorn = [\"dep:hris-acorn\"]"),
        ("crates/hris/Cargo.toml", "sim = [\"hris-acorn?/sim\", "),
        ("crates/hris/src/config.rs", "Acorn(hris_acorn::AcornConfig)"),
        ("crates/hris/src/lib.rs", "pub use hris_acorn as acorn;"),
        ("crates/xtask/src/tidy/crate_table.rs", "connector(\"hris-acorn\")"),
        ("docs/architecture.md", "| `hris-acorn` | the Acorn HR connector"),
        ("docs/vendors/acorn.md", "# Acorn HR"),
        ("examples/Cargo.toml", "\"acorn\", \"file-target\", "),
        ("README.md", "| [`hris-acorn`](crates/hris-acorn) | Acorn HR,"),
    ] {
        assert!(read(file).contains(entry), "{file}: {entry}");
    }
    let features = ["--no-default-features", "--features", "acorn,sim"];
    let (builds, output) = cargo(&root, &[&["check", "-p", "hris", "--tests"][..], &features].concat());
    assert!(builds, "{output}");

    let mut again = Command::new(env!("CARGO_BIN_EXE_hris-new"));
    let (ended_well, said) = run(again.arg("acorn").current_dir(&root));
    assert!(!ended_well && said.contains("is not empty"), "{said}");
}

#[test]
fn dependencies_come_from_where_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = |arguments: &[&str]| {
        let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
        generate(folder.path(), &arguments);
        fs::read_to_string(
            folder.path().join(format!("hris-{}", arguments[0].to_str().unwrap())).join("Cargo.toml"),
        )
        .unwrap()
    };
    assert!(manifest(&["elm"]).contains(concat!(
        "hris-core = { version = \"",
        env!("CARGO_PKG_VERSION"),
        "\" }"
    )));
    let git = manifest(&["oak", "--git", "https://git.example/hris", "--rev", "4f17ab9"]);
    assert!(git.contains("hris-http = { git = \"https://git.example/hris\", rev = \"4f17ab9\" }"), "{git}");
    assert!(git.contains(
        "hris-testkit = { git = \"https://git.example/hris\", rev = \"4f17ab9\", optional = true }"
    ));
}

#[test]
fn a_path_that_leads_to_no_checkout_is_named_with_its_option_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (path, message) in
        [(".", "--path .: "), ("hris-connectors", "--path hris-connectors: no such checkout")]
    {
        let mut wrong = Command::new(env!("CARGO_BIN_EXE_hris-new"));
        let (ended_well, said) = run(wrong.args(["yew", "--path", path]).current_dir(folder.path()));
        assert!(!ended_well && said.contains(message) && said.contains("checkout"), "{said}");
        assert!(!folder.path().join("hris-yew").exists());
    }
}
