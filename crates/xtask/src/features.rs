//! `cargo xtask features`: every library builds without warnings with no feature, each alone, and all.
//!
//! It runs clippy rather than `cargo check`, since clippy can refuse warnings without another set of compiler
//! flags, and so without building the dependencies again.

use std::collections::{BTreeMap, BTreeSet};

use crate::Checked;
use crate::finding::Finding;
use crate::metadata::{Metadata, cargo};

/// Builds them one after another and goes on after a failure, so that one run shows all.
pub(crate) fn run() -> Checked {
    let metadata = Metadata::workspace()?;
    let mut findings = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.is_library() && package.is_published()) {
        for combination in combinations(&package.features) {
            let mut arguments =
                vec!["clippy", "--quiet", "--package", &package.name, "--no-default-features"];
            if !combination.is_empty() {
                arguments.extend(["--features", &combination]);
            }
            arguments.extend(["--", "--deny", "warnings"]);
            println!("cargo {}", arguments.join(" "));
            if !cargo().args(&arguments).status()?.success() {
                let message = format!("does not build cleanly with exactly the features [{combination}]");
                findings.push(Finding::file(metadata.manifest_of(package), message));
            }
        }
    }
    Ok(findings)
}

/// The lists of features to build, comma-separated: none, each, all; lists that turn on the same occur once.
fn combinations(features: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let names: Vec<_> = features.keys().map(String::as_str).collect();
    let mut lists = vec![Vec::new()];
    lists.extend(names.iter().map(|name| vec![*name]));
    lists.push(names);
    let mut seen = BTreeSet::new();
    lists.retain(|list| seen.insert(turned_on(features, list)));
    lists.into_iter().map(|list| list.join(",")).collect()
}

/// Everything that a list of features turns on. `default` itself is only a name for others.
fn turned_on<'a>(features: &'a BTreeMap<String, Vec<String>>, list: &[&'a str]) -> BTreeSet<&'a str> {
    let mut on = BTreeSet::new();
    let mut waiting = list.to_vec();
    while let Some(entry) = waiting.pop() {
        if on.insert(entry) {
            waiting.extend(features.get(entry).into_iter().flatten().map(String::as_str));
        }
    }
    on.remove("default");
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(features: &[(&str, &[&str])]) -> Vec<String> {
        let owned = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
        combinations(&features.iter().map(|(name, entries)| ((*name).to_owned(), owned(entries))).collect())
    }

    #[test]
    fn none_each_and_all_are_built() {
        assert_eq!(lists(&[("a", &["dep:x"]), ("b", &[])]), ["", "a", "b", "a,b"]);
        assert_eq!(lists(&[]), [""]);
    }

    #[test]
    fn what_turns_on_the_same_is_built_once() {
        assert_eq!(lists(&[("sim", &["dep:kit"])]), ["", "sim"]);
        assert_eq!(lists(&[("default", &[]), ("a", &[])]), ["", "a"]);
        assert_eq!(lists(&[("default", &["a"]), ("a", &[]), ("b", &["a"])]), ["", "a", "b"]);
    }
}
