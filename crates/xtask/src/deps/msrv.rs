//! Nothing that a published crate is built from needs a newer Rust than that crate declares.
//!
//! Dependencies of tests only are left out: whoever uses the crates never builds them.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::metadata::{Metadata, Package, Resolve};

/// Packages that declare more than they need, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let by_id: BTreeMap<_, _> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let mut findings = Vec::new();
    let mut complained = BTreeSet::new();
    for member in
        metadata.packages.iter().filter(|package| package.source.is_none() && package.is_published())
    {
        let Some(ours) = member.rust_version.as_deref().map(parts) else {
            findings
                .push(Finding::file(metadata.manifest_of(member), "declares no rust-version: inherit it"));
            continue;
        };
        for package in built_from(member, metadata.resolve.as_ref()).iter().filter_map(|id| by_id.get(id)) {
            if needs_more_than(package, ours) && complained.insert(&package.id) {
                findings.push(Finding::file("Cargo.lock", complaint(package, member)));
            }
        }
    }
    findings
}

fn complaint(package: &Package, member: &Package) -> String {
    format!(
        "{} {} needs Rust {}, and {} promises {}: `cargo update -p {} --precise` an older one, or raise rust-version",
        package.name,
        package.version,
        package.rust_version.as_deref().unwrap_or_default(),
        member.name,
        member.rust_version.as_deref().unwrap_or_default(),
        package.name,
    )
}

/// The ids of all packages that `member` is built from.
fn built_from<'a>(member: &'a Package, resolve: Option<&'a Resolve>) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<_, _> = resolve
        .into_iter()
        .flat_map(|resolve| &resolve.nodes)
        .map(|node| (node.id.as_str(), &node.deps))
        .collect();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![member.id.as_str()];
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).into_iter().flat_map(|dependencies| dependencies.iter());
        waiting.extend(
            dependencies
                .filter(|dependency| {
                    dependency.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
                })
                .map(|dependency| dependency.pkg.as_str()),
        );
    }
    seen
}

fn needs_more_than(package: &Package, ours: [u32; 3]) -> bool {
    let is_excepted = EXCEPTIONS.iter().any(|(name, _)| *name == package.name);
    !is_excepted && package.rust_version.as_deref().is_some_and(|theirs| parts(theirs) > ours)
}

/// `1.89` as `[1, 89, 0]`.
fn parts(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{DependencyKind, Node, NodeDependency};

    fn package(name: &str, rust_version: Option<&str>, source: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            rust_version: rust_version.map(str::to_owned),
            source: source.map(str::to_owned),
            ..Package::default()
        }
    }

    fn edge(from: &str, to: &str, kind: Option<&str>) -> Node {
        let dep_kinds = vec![DependencyKind { kind: kind.map(str::to_owned) }];
        Node { id: from.to_owned(), deps: vec![NodeDependency { pkg: to.to_owned(), dep_kinds }] }
    }

    /// `ours` depends on `near` in the given way, and `near` on `far`, which needs `rust_version`.
    fn found(kind: Option<&str>, rust_version: Option<&str>) -> usize {
        let packages = vec![
            package("ours", Some("1.89"), None),
            package("near", None, Some("registry")),
            package("far", rust_version, Some("registry")),
        ];
        let nodes = vec![edge("ours", "near", kind), edge("near", "far", None)];
        check(&Metadata { packages, resolve: Some(Resolve { nodes }), ..Metadata::default() }).len()
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_found() {
        assert_eq!(found(None, Some("1.90")), 1);
        assert_eq!(found(None, Some("1.89.1")), 1);
        assert_eq!(found(Some("build"), Some("1.100")), 1);
    }

    #[test]
    fn older_undeclared_and_test_only_dependencies_pass() {
        assert_eq!(found(None, Some("1.89")), 0);
        assert_eq!(found(None, Some("1.9")), 0);
        assert_eq!(found(None, None), 0);
        assert_eq!(found(Some("dev"), Some("1.90")), 0);
    }

    #[test]
    fn a_published_crate_without_a_rust_version_is_found() {
        let check_one =
            |package: Package| check(&Metadata { packages: vec![package], ..Metadata::default() }).len();
        assert_eq!(check_one(package("ours", None, None)), 1);
        let private = Package { publish: Some(Vec::new()), ..package("ours", None, None) };
        assert_eq!(check_one(private), 0);
    }
}
