//! Packages that we refuse, and version requirements that promise nothing.

use crate::finding::Finding;
use crate::metadata::Metadata;

/// Refused packages, each with the reason.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "needs the system's OpenSSL; TLS is rustls here"),
    ("native-tls", "behaves differently on each platform; TLS is rustls here"),
];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        if let Some((name, why)) = BANNED.iter().find(|(name, _)| *name == package.name) {
            let message =
                format!("{name} is refused: it {why}; find who brings it with `cargo tree -i {name}`");
            findings.push(Finding::file("Cargo.lock", message));
        }
        for dependency in &package.dependencies {
            if package.source.is_none() && dependency.path.is_none() && dependency.req == "*" {
                let message =
                    format!("any version of {} will do: name the one that was tried", dependency.name);
                findings.push(Finding::file(metadata.manifest_of(package), message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, Package};

    fn found(package: Package) -> usize {
        let packages = vec![package];
        check(&Metadata { packages, ..Metadata::default() }).len()
    }

    fn named(name: &str) -> Package {
        Package { name: name.to_owned(), ..Package::default() }
    }

    #[test]
    fn refused_packages_are_found() {
        assert_eq!(found(named("native-tls")), 1);
        assert_eq!(found(named("rustls")), 0);
    }

    #[test]
    fn wildcards_are_found_in_our_own_manifests_only() {
        let needs = |req: &str, path: Option<&str>| Package {
            dependencies: vec![Dependency {
                req: req.to_owned(),
                path: path.map(Into::into),
                ..Dependency::default()
            }],
            ..Package::default()
        };
        assert_eq!(found(needs("*", None)), 1);
        assert_eq!(found(needs("^1.2", None)), 0);
        assert_eq!(found(needs("*", Some("/r/crates/a"))), 0);
        let foreign = Package { source: Some("registry".to_owned()), ..needs("*", None) };
        assert_eq!(found(foreign), 0);
    }
}
