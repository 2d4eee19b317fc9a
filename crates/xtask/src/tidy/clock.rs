//! Library crates have no clock: time is a parameter or comes from the `Clock` port.
//!
//! Clippy refuses the same calls; this sees the code that a given build leaves out, and chrono's features.

use super::crate_table::{Role, row};
use crate::finding::Finding;
use crate::metadata::{Dependency, Metadata};
use crate::rust_text::{RustText, words};
use crate::tree::{File, Tree};

/// Calls that read a clock or wait for one.
const CALLS: &[&str] = &[
    "Utc::now",
    "Local::now",
    "SystemTime::now",
    "Instant::now",
    "tokio::time::sleep",
    "tokio::time::timeout",
    "thread::sleep",
];

/// How many lines may lie between the end of an exception's attribute and the call it is for.
const REACH: usize = 3;

/// chrono's features that read the clock, in what library crates declare.
pub(super) fn check_features(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.packages.iter().filter(|package| is_library(&package.name)) {
        let manifest = metadata.manifest_of(package);
        let by_dependency = package.dependencies.iter().filter_map(clock_feature);
        let by_feature = package.features.values().flatten().filter(|entry| {
            let entry = entry.replace('?', "");
            entry == "chrono/clock" || entry == "chrono/now" || entry == "chrono/default"
        });
        for feature in by_dependency.chain(by_feature.map(String::as_str)) {
            let message = format!("chrono's `{feature}` brings a clock into a library; leave it out");
            findings.push(Finding::file(&manifest, message));
        }
    }
    findings
}

/// Calls in library sources that carry no exception.
pub(super) fn check_sources(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, file, rust) in tree.library_sources().filter(|(folder, ..)| is_library(folder)) {
        for call in CALLS {
            for at in words(rust.code(), call).filter(|at| is_called(rust.code(), at + call.len())) {
                if !has_exception(file, rust, at) {
                    let message = format!("`{call}` in a library: take the time from the Clock port");
                    findings.push(Finding::at(&file.path, file.line_of(at), message));
                }
            }
        }
    }
    findings
}

/// Whatever is not known as a program is held to a library's rule.
fn is_library(name: &str) -> bool {
    row(name).is_none_or(|row| row.role != Role::Program)
}

fn clock_feature(dependency: &Dependency) -> Option<&str> {
    if dependency.name != "chrono" {
        return None;
    }
    if dependency.uses_default_features {
        return Some("default");
    }
    dependency
        .features
        .iter()
        .map(String::as_str)
        .find(|feature| ["clock", "now", "default"].contains(feature))
}

fn is_called(code: &str, end: usize) -> bool {
    code[end..].trim_start().starts_with('(')
}

fn has_exception(file: &File, rust: &RustText, at: usize) -> bool {
    let line = file.line_of(at);
    rust.attributes()
        .take_while(|attribute| attribute.end <= at)
        .filter(|attribute| line - file.line_of(attribute.end) <= REACH)
        .map(|attribute| &rust.code()[attribute])
        .any(|text| {
            text.contains("expect(") && text.contains("clippy::disallowed_methods") && text.contains("reason")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;

    fn chrono(uses_default_features: bool, features: &[&str]) -> Metadata {
        let dependency = Dependency {
            name: "chrono".to_owned(),
            uses_default_features,
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
            ..Dependency::default()
        };
        let package =
            Package { name: "hris-core".to_owned(), dependencies: vec![dependency], ..Package::default() };
        Metadata { packages: vec![package], ..Metadata::default() }
    }

    #[test]
    fn chronos_clock_is_found_in_libraries() {
        assert_eq!(check_features(&chrono(false, &["std", "serde"])), []);
        assert_eq!(check_features(&chrono(true, &[])).len(), 1);
        assert_eq!(check_features(&chrono(false, &["std", "clock"])).len(), 1);
        assert_eq!(check_features(&chrono(false, &["now"])).len(), 1);
        let mut by_feature = chrono(false, &[]);
        by_feature.packages[0].features.insert("wall".to_owned(), vec!["chrono?/clock".to_owned()]);
        assert_eq!(check_features(&by_feature).len(), 1);
    }

    #[test]
    fn a_program_may_have_a_clock() {
        let mut metadata = chrono(true, &[]);
        metadata.packages[0].name = "hris-examples".to_owned();
        assert_eq!(check_features(&metadata), []);
    }

    fn found(path: &str, source: &str) -> usize {
        check_sources(&Tree::of(&[(path, source)])).len()
    }

    #[test]
    fn calls_of_a_clock_are_found_in_libraries() {
        let path = "crates/hris-sync/src/lib.rs";
        for call in CALLS {
            assert_eq!(found(path, &format!("let now = std::time::{call}();")), 1, "{call}");
        }
        assert_eq!(found(path, "// Utc::now() is banned\nlet text = \"Utc::now()\"; clock.now();"), 0);
        assert_eq!(found("examples/src/main.rs", "Utc::now();"), 0);
        assert_eq!(found("crates/hris-sync/tests/t.rs", "Instant::now();"), 0);
    }

    #[test]
    fn an_exception_with_a_reason_close_above_passes() {
        let path = "crates/hris-http/src/clock.rs";
        let exception = "#[expect(\n    clippy::disallowed_methods,\n    reason = \"the one clock\"\n)]\n";
        assert_eq!(found(path, &format!("{exception}fn now() {{\n    Utc::now()\n}}")), 0);
        assert_eq!(found(path, &format!("{exception}\n\n\n\nfn now() {{ Utc::now() }}")), 1);
        assert_eq!(found(path, "#[expect(clippy::disallowed_methods)]\nfn now() { Utc::now() }"), 1);
        assert_eq!(found(path, "#[expect(clippy::other, reason = \"x\")]\nfn now() { Utc::now() }"), 1);
    }
}
