//! A simulator writes the vendor's JSON itself: with shared wire types, both sides could be wrong together.

use crate::finding::Finding;
use crate::rust_text::{RustText, last_word};
use crate::tree::Tree;

/// The modules of a connector that a simulator stays away from.
const MODULES: &[&str] = &["wire", "convert"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, file, rust) in tree.library_sources() {
        if !is_simulator(file.path.trim_start_matches("crates/").trim_start_matches(folder)) {
            continue;
        }
        for module in MODULES {
            for at in rust.words(module).filter(|&at| is_path_segment(rust, at, module.len())) {
                let message = format!("a simulator must not use `{module}`: write the vendor's JSON by hand");
                findings.push(Finding::at(&file.path, file.line_of(at), message));
            }
        }
    }
    findings
}

fn is_simulator(inside: &str) -> bool {
    inside == "/src/sim.rs" || inside.starts_with("/src/sim/")
}

/// `crate::wire`, `wire::X`, `use crate::{wire, …}`, but not `std::convert` or a local called `wire`.
fn is_path_segment(rust: &RustText, at: usize, len: usize) -> bool {
    let (before, after) = (rust.code()[..at].trim_end(), rust.code()[at + len..].trim_start());
    let parent = before.strip_suffix("::").map(|path| last_word(path.trim_end()));
    match parent {
        Some("std" | "core") => false,
        Some(_) => true,
        None => after.starts_with("::") || is_inside_use(before),
    }
}

fn is_inside_use(before: &str) -> bool {
    let statement = before.rfind([';', '}']).map_or(before, |end| &before[end + 1..]);
    crate::rust_text::words(statement, "use").next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> usize {
        check(&Tree::of(&[(path, source)])).len()
    }

    #[test]
    fn paths_into_the_wire_types_are_found() {
        for source in [
            "use crate::wire::Worker;",
            "use super::wire;",
            "use crate::{config::Config, wire};",
            "use crate::{\n    wire::{A, B},\n    client,\n};",
            "fn f() -> crate::convert::Row {}",
            "fn f() { wire::encode() }",
        ] {
            assert_eq!(found("crates/hris-sesame/src/sim.rs", source), 1, "{source}");
            assert_eq!(found("crates/hris-sesame/src/sim/pages.rs", source), 1, "{source}");
        }
    }

    #[test]
    fn other_words_and_other_files_pass() {
        for source in [
            "use wiremock::Mock;\nlet wire = 1; send(wire);",
            "use std::convert::Infallible;",
            "let convert = |x| x; // crate::wire\nlet t = \"crate::wire\";",
        ] {
            assert_eq!(found("crates/hris-sesame/src/sim.rs", source), 0, "{source}");
        }
        assert_eq!(found("crates/hris-sesame/src/client.rs", "use crate::wire::Worker;"), 0);
        assert_eq!(found("crates/hris-sesame/src/simple.rs", "use crate::wire::Worker;"), 0);
    }
}
