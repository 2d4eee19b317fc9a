//! Packages come from crates.io or from this repository.

use crate::finding::Finding;
use crate::metadata::Metadata;

/// How `cargo metadata` names crates.io, whatever mirror it is read through.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let (is_known, source) = match package.source.as_deref() {
            Some(source) => (source == CRATES_IO, source),
            None => {
                (package.manifest_path.starts_with(&metadata.workspace_root), "a path outside the repository")
            }
        };
        if !is_known {
            let message = format!("{} {} comes from {source}: use crates.io", package.name, package.version);
            findings.push(Finding::file("Cargo.lock", message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;

    fn found(source: Option<&str>, manifest: &str) -> usize {
        let package = Package {
            source: source.map(str::to_owned),
            manifest_path: manifest.into(),
            ..Package::default()
        };
        check(&Metadata { packages: vec![package], workspace_root: "/r".into(), ..Metadata::default() }).len()
    }

    #[test]
    fn crates_io_and_this_repository_pass() {
        assert_eq!(found(Some(CRATES_IO), "/home/x/Cargo.toml"), 0);
        assert_eq!(found(None, "/r/crates/a/Cargo.toml"), 0);
    }

    #[test]
    fn git_other_registries_and_other_folders_are_found() {
        assert_eq!(found(Some("git+https://example.com/a#1"), "/home/x/Cargo.toml"), 1);
        assert_eq!(found(Some("registry+https://example.com/index"), "/home/x/Cargo.toml"), 1);
        assert_eq!(found(None, "/elsewhere/Cargo.toml"), 1);
    }
}
