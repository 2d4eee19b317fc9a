//! Every manifest inherits the workspace's lints (else none is on), and a published one describes its crate.

use crate::finding::Finding;
use crate::metadata::Metadata;
use crate::tree::Tree;

pub(super) fn check(metadata: &Metadata, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let path = metadata.manifest_of(package);
        if !tree.get(&path).is_some_and(|manifest| inherits_lints(&manifest.text)) {
            findings.push(Finding::file(&path, "add `[lints]` with `workspace = true`"));
        }
        if package.is_published() && package.description.as_deref().unwrap_or_default().is_empty() {
            findings.push(Finding::file(&path, "add a `description`: crates.io refuses a crate without one"));
        }
    }
    findings
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let inherits = |line: &str| line.replace(' ', "") == "workspace=true";
    lines.any(|line| line == "[lints]") && lines.next().is_some_and(inherits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;

    const LINTS: &str = "[package]\nname = \"a\"\n\n[lints]\n# All of them.\nworkspace = true\n";

    fn found(manifest: &str, description: Option<&str>, publish: Option<Vec<String>>) -> usize {
        let package = Package {
            manifest_path: "/r/crates/a/Cargo.toml".into(),
            description: description.map(str::to_owned),
            publish,
            ..Package::default()
        };
        let metadata =
            Metadata { packages: vec![package], workspace_root: "/r".into(), ..Metadata::default() };
        check(&metadata, &Tree::of(&[("crates/a/Cargo.toml", manifest)])).len()
    }

    #[test]
    fn a_manifest_without_the_workspaces_lints_is_found() {
        assert_eq!(found(LINTS, Some("A."), None), 0);
        assert_eq!(found("[package]\nworkspace = true\n", Some("A."), None), 1);
        assert_eq!(found("[lints]\n\n[lints.rust]\nworkspace = true\n", Some("A."), None), 1);
    }

    #[test]
    fn a_published_crate_without_a_description_is_found() {
        assert_eq!(found(LINTS, None, None), 1);
        assert_eq!(found(LINTS, Some(""), None), 1);
        assert_eq!(found(LINTS, None, Some(Vec::new())), 0);
    }
}
