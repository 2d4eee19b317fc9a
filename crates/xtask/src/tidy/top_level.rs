//! The top level shows a reader where to go, and nothing else.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Tree;

/// What may stand there besides files with a leading dot and licence texts.
const ENTRIES: &[&str] = &["Cargo.toml", "Cargo.lock", "README.md", "crates", "docs", "examples", "tests"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let entries: BTreeSet<_> = tree.files().filter_map(|file| file.path.split('/').next()).collect();
    entries
        .into_iter()
        .filter(|entry| !entry.starts_with('.') && !entry.starts_with("LICENSE") && !ENTRIES.contains(entry))
        .map(|entry| {
            Finding::file(entry, "does not belong at the top level: move it into a folder or give it a dot")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_at_the_top_level_are_found_once() {
        let known =
            ["Cargo.toml", "LICENSE-MIT", ".ci/run", ".clippy.toml", "crates/a/Cargo.toml", "docs/x.md"];
        let strange = ["notes.txt", "scripts/a.sh", "scripts/b.sh"];
        let tree = |paths: &[&str]| Tree::of(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>());
        assert_eq!(check(&tree(&known)), []);
        let found: Vec<_> =
            check(&tree(&[known.as_slice(), &strange].concat())).iter().map(Finding::to_string).collect();
        assert!(
            matches!(found.as_slice(), [a, b] if a.starts_with("notes.txt:") && b.starts_with("scripts:"))
        );
    }
}
