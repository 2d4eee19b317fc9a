//! What `cargo metadata` says, as far as the checks need it.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

/// The workspace, and with [`Metadata::with_dependencies`] everything it is built from.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
    /// Who depends on whom; absent when only the workspace was asked for.
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    /// Where it comes from; `None` for a package by path.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) rust_version: Option<String>,
    /// Where it may be published; an empty list means nowhere.
    pub(crate) publish: Option<Vec<String>>,
    /// Each feature with what it turns on. Implicit features of optional dependencies are spelled out.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The version requirement, `*` where none is given.
    pub(crate) req: String,
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
    pub(crate) uses_default_features: bool,
    pub(crate) features: Vec<String>,
    pub(crate) path: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Node {
    /// The package's id.
    pub(crate) id: String,
    pub(crate) deps: Vec<NodeDependency>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NodeDependency {
    /// The id of the package depended on.
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct DependencyKind {
    /// As in [`Dependency::kind`].
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// The members of the workspace only; needs no network.
    pub(crate) fn workspace() -> Result<Self, Box<dyn Error>> {
        Self::ask(&["--no-deps"])
    }

    /// The members and all that `Cargo.lock` holds for them, on every platform and with every feature.
    pub(crate) fn with_dependencies() -> Result<Self, Box<dyn Error>> {
        Self::ask(&["--all-features", "--locked"])
    }

    fn ask(arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let output = cargo().args(["metadata", "--format-version", "1"]).args(arguments).output()?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The manifest's path from the root.
    pub(crate) fn manifest_of(&self, package: &Package) -> String {
        let path = package.manifest_path.strip_prefix(&self.workspace_root).unwrap_or(&package.manifest_path);
        path.to_string_lossy().replace('\\', "/")
    }
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    pub(crate) fn is_library(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib"))
    }
}

impl Dependency {
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// The cargo that runs us, so that a toolchain chosen on the command line stays chosen.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_cargo_writes_it() {
        let json = r#"{
            "packages": [{
                "name": "a", "version": "0.1.0", "id": "path+file:///r/crates/a#0.1.0", "license": "MIT",
                "source": null, "manifest_path": "/r/crates/a/Cargo.toml", "rust_version": "1.89", "publish": [],
                "features": {"default": ["dep:b"]}, "targets": [{"kind": ["lib"], "name": "a"}],
                "dependencies": [{"name": "b", "req": "*", "kind": "dev", "optional": false,
                    "uses_default_features": true, "features": [], "path": "/r/crates/b"}]
            }],
            "workspace_root": "/r", "resolve": null
        }"#;
        let metadata: Metadata = serde_json::from_str(json).unwrap();
        let package = &metadata.packages[0];
        assert!(package.is_library() && !package.is_published());
        assert!(package.dependencies[0].is_dev());
        assert_eq!(metadata.manifest_of(package), "crates/a/Cargo.toml");
    }
}
