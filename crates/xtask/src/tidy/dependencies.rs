//! Dependencies point one way, as the [table](super::crate_table) says.

use super::crate_table::{Crate, TESTKIT, Uses, row};
use crate::finding::Finding;
use crate::metadata::{Dependency, Metadata, Package};

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    metadata
        .packages
        .iter()
        .flat_map(|package| check_package(&metadata.manifest_of(package), package, row(&package.name)))
        .collect()
}

fn check_package(manifest: &str, package: &Package, row: Option<&Crate>) -> Vec<Finding> {
    let Some(row) = row else {
        let message = format!("{} is not in the table: add it to xtask's crate_table.rs", package.name);
        return vec![Finding::file(manifest, message)];
    };
    let mut messages: Vec<_> =
        package.dependencies.iter().filter_map(|dependency| complaint(row, dependency)).collect();
    messages.extend(leaks_testkit(row, package));
    messages.into_iter().map(|message| Finding::file(manifest, message)).collect()
}

/// What is wrong with one dependency.
fn complaint(row: &Crate, dependency: &Dependency) -> Option<String> {
    let name = &dependency.name;
    if dependency.path.is_none() {
        let banned = !dependency.is_dev() && row.never.contains(&name.as_str());
        return banned.then(|| format!("{} must not depend on {name}", row.name));
    }
    if dependency.is_dev() && dependency.req != "*" {
        return Some(format!(
            "the dev-dependency on {name} must be by path without a version, or packaging trips over cycles"
        ));
    }
    let allowed = match row.uses {
        Uses::Anything => true,
        Uses::Only(uses) => {
            uses.contains(&name.as_str())
                || dependency.is_dev() && row.tests_use.contains(&name.as_str())
                || row.has_simulator && name == TESTKIT && dependency.optional
        }
    };
    (!allowed).then(|| match name.as_str() {
        TESTKIT if row.has_simulator => "hris-testkit must be optional, behind the feature `sim`".to_owned(),
        _ => format!("{} must not depend on {name}; the layers are in xtask's crate_table.rs", row.name),
    })
}

/// Features other than `sim` that bring the test kit into a crate with a simulator.
fn leaks_testkit(row: &Crate, package: &Package) -> Vec<String> {
    if !row.has_simulator {
        return Vec::new();
    }
    let brings = |entry: &String| {
        let entry = entry.strip_prefix("dep:").unwrap_or(entry);
        entry.split('/').next() == Some(TESTKIT)
    };
    let mut leaks: Vec<_> = package
        .features
        .iter()
        .filter(|(feature, entries)| *feature != "sim" && entries.iter().any(brings))
        .map(|(feature, _)| format!("feature `{feature}` brings in hris-testkit; only `sim` may"))
        .collect();
    if package.features.get("default").is_some_and(|entries| entries.iter().any(|entry| entry == "sim")) {
        leaks.push("`sim` must not be a default feature".to_owned());
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(name: &str) -> Dependency {
        Dependency {
            name: name.to_owned(),
            req: "^0.1.0".to_owned(),
            path: Some(format!("/r/crates/{name}").into()),
            ..Dependency::default()
        }
    }

    fn foreign(name: &str) -> Dependency {
        Dependency { path: None, ..ours(name) }
    }

    fn dev(name: &str) -> Dependency {
        Dependency { kind: Some("dev".to_owned()), req: "*".to_owned(), ..ours(name) }
    }

    fn optional(name: &str) -> Dependency {
        Dependency { optional: true, ..ours(name) }
    }

    /// The findings for one package of the table.
    fn findings(name: &str, dependencies: &[Dependency], features: &[(&str, &[&str])]) -> Vec<Finding> {
        let owned = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
        let package = Package {
            name: name.to_owned(),
            dependencies: dependencies.to_vec(),
            features: features
                .iter()
                .map(|(feature, entries)| ((*feature).to_owned(), owned(entries)))
                .collect(),
            ..Package::default()
        };
        check_package("Cargo.toml", &package, row(name))
    }

    #[test]
    fn dependencies_in_the_tables_direction_pass() {
        let sim: &[(&str, &[&str])] = &[("sim", &["dep:hris-testkit"])];
        for (name, dependencies, features) in [
            ("hris-core", vec![foreign("serde"), dev("hris-testkit")], &[][..]),
            ("hris-http", vec![ours("hris-core"), foreign("reqwest")], &[]),
            ("hris-sesame", vec![ours("hris-core"), ours("hris-http"), optional("hris-testkit")], sim),
            ("hris-sessionm", vec![ours("hris-http"), optional("hris-testkit"), dev("hris-testkit")], sim),
            ("hris-store-sqlite", vec![ours("hris-core"), dev("hris-testkit")], &[]),
            ("hris-sync", vec![ours("hris-core"), ours("hris-store-memory")], &[]),
            ("hris-runner", vec![ours("hris-sync"), ours("hris-connection")], &[]),
            ("hris", vec![ours("hris-sesame"), ours("hris-sync")], &[]),
            ("hris-tests", vec![ours("hris"), dev("hris-testkit")], &[]),
        ] {
            assert_eq!(findings(name, &dependencies, features), [], "{name}");
        }
    }

    #[test]
    fn dependencies_against_the_tables_direction_are_found() {
        for (name, dependency) in [
            ("hris-core", ours("hris-http")),
            ("hris-core", foreign("tokio")),
            ("hris-core", foreign("reqwest")),
            ("hris-http", ours("hris-testkit")),
            ("hris-sesame", ours("hris-trinet")),
            ("hris-sesame", ours("hris-sync")),
            ("hris-sesame", dev("hris-store-memory")),
            ("hris-sesame", ours("hris-testkit")),
            ("hris-store-sqlite", ours("hris-store-memory")),
            ("hris-store-sqlite", optional("hris-testkit")),
            ("hris-sync", ours("hris-http")),
            ("hris-campaigns", ours("hris-sync")),
            ("hris-testkit", ours("hris-sync")),
            ("hris-runner", ours("hris-sesame")),
        ] {
            assert_eq!(
                findings(name, std::slice::from_ref(&dependency), &[]).len(),
                1,
                "{name} {dependency:?}"
            );
        }
    }

    #[test]
    fn a_dev_dependency_with_a_version_is_found() {
        let versioned = Dependency { req: "^0.1.0".to_owned(), ..dev("hris-testkit") };
        assert_eq!(findings("hris-core", &[versioned], &[]).len(), 1);
    }

    #[test]
    fn the_testkit_comes_in_by_the_feature_sim_alone() {
        let kit = [optional("hris-testkit")];
        assert_eq!(findings("hris-sesame", &kit, &[("extra", &["hris-testkit/fast"])]).len(), 1);
        assert_eq!(findings("hris-sesame", &kit, &[("hris-testkit", &["dep:hris-testkit"])]).len(), 1);
        let default: &[(&str, &[&str])] = &[("default", &["sim"]), ("sim", &["dep:hris-testkit"])];
        assert_eq!(findings("hris-sesame", &kit, default).len(), 1);
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert_eq!(findings("hris-nowhere", &[], &[]).len(), 1);
    }

    #[test]
    fn every_package_is_looked_at() {
        let package = |name: &str| Package {
            name: name.to_owned(),
            dependencies: vec![ours("hris-sync")],
            ..Package::default()
        };
        let metadata = Metadata {
            packages: vec![package("hris-core"), package("hris-runner"), package("hris-sesame")],
            ..Metadata::default()
        };
        assert_eq!(check(&metadata).len(), 2);
    }
}
