//! Every connector has the same files, so that whoever knows one finds their way in all.

use super::crate_table::{CRATES, Role};
use crate::finding::Finding;
use crate::tree::Tree;

/// The modules; each may be a file or a folder of the same name.
const MODULES: &[&str] = &["config", "client", "wire", "convert", "connector", "sim"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    CRATES
        .iter()
        .filter(|row| row.role == Role::Connector)
        .map(|row| format!("crates/{}", row.name))
        .filter(|folder| tree.get(&format!("{folder}/Cargo.toml")).is_some())
        .flat_map(|folder| check_connector(tree, &folder))
        .collect()
}

fn check_connector(tree: &Tree, folder: &str) -> Vec<Finding> {
    let mut missing: Vec<String> = ["README.md", "src/lib.rs"]
        .iter()
        .map(|file| format!("{folder}/{file}"))
        .filter(|path| tree.get(path).is_none())
        .collect();
    for module in MODULES {
        let file = format!("{folder}/src/{module}.rs");
        if tree.get(&file).or_else(|| tree.get(&format!("{folder}/src/{module}/mod.rs"))).is_none() {
            missing.push(file);
        }
    }
    let tests = format!("{folder}/tests/");
    if !tree.rust().any(|(file, _)| file.path.starts_with(&tests)) {
        missing.push(tests);
    }
    missing.into_iter().map(|path| Finding::file(path, "every connector has this: add it")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &[(&str, &str)] = &[
        ("crates/x/README.md", ""),
        ("crates/x/src/lib.rs", ""),
        ("crates/x/src/config.rs", ""),
        ("crates/x/src/client.rs", ""),
        ("crates/x/src/wire.rs", ""),
        ("crates/x/src/convert.rs", ""),
        ("crates/x/src/connector.rs", ""),
        ("crates/x/src/sim/mod.rs", ""),
        ("crates/x/tests/conformance.rs", ""),
    ];

    #[test]
    fn a_complete_connector_passes() {
        assert_eq!(check_connector(&Tree::of(COMPLETE), "crates/x"), []);
    }

    #[test]
    fn each_missing_file_is_found() {
        for left_out in 0..COMPLETE.len() {
            let mut files = COMPLETE.to_vec();
            let (path, _) = files.remove(left_out);
            assert_eq!(check_connector(&Tree::of(&files), "crates/x").len(), 1, "{path}");
        }
    }

    #[test]
    fn every_connector_of_the_workspace_is_looked_at() {
        let connectors: Vec<_> = CRATES.iter().filter(|row| row.role == Role::Connector).collect();
        let manifests: Vec<_> =
            connectors.iter().map(|row| format!("crates/{}/Cargo.toml", row.name)).collect();
        let files: Vec<_> = manifests.iter().map(|path| (path.as_str(), "")).collect();
        assert!(connectors.len() >= 4);
        assert_eq!(check(&Tree::of(&files)).len(), connectors.len() * COMPLETE.len());
    }

    #[test]
    fn other_crates_have_files_of_their_own() {
        assert_eq!(check(&Tree::of(&[("crates/hris-sync/Cargo.toml", "")])), []);
    }
}
