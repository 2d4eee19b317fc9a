//! Where a connector outside the workspace takes the `hris` crates from.

use std::path::{Component, Path, PathBuf};

/// Where the crates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A published version.
    Version(&'static str),
    /// A checkout on this machine: the folder, as seen from the new crate.
    Path(PathBuf),
    /// A git repository, at a revision, tag or branch if one is named.
    Git {
        /// Its URL.
        url: String,
        /// Such as `rev = "4f17ab9"`.
        at: Option<(&'static str, String)>,
    },
}

impl Source {
    /// What stands between the braces of a dependency on one of the crates.
    pub(crate) fn dependency(&self, package: &str) -> String {
        match self {
            Self::Version(version) => format!("version = \"{version}\""),
            Self::Path(checkout) => {
                let path = checkout.join("crates").join(package);
                format!("path = \"{}\"", path.display().to_string().replace('\\', "/"))
            }
            Self::Git { url, at: Some((kind, value)) } => format!("git = \"{url}\", {kind} = \"{value}\""),
            Self::Git { url, at: None } => format!("git = \"{url}\""),
        }
    }
}

/// The way from one folder to another; both are absolute, without links and dots.
pub(crate) fn way(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if shared <= 1 {
        // Nothing but the root in common: the whole path says more.
        return to.into_iter().collect();
    }
    let up = std::iter::repeat_n(Component::ParentDir, from.len() - shared);
    up.chain(to.into_iter().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_says_where_the_crate_is() {
        assert_eq!(Source::Version("0.1").dependency("hris-core"), r#"version = "0.1""#);
        let path = Source::Path("../hris-connectors".into());
        assert_eq!(path.dependency("hris-core"), r#"path = "../hris-connectors/crates/hris-core""#);
        let git = |at| Source::Git { url: "https://git.example/hris".to_owned(), at };
        assert_eq!(git(None).dependency("hris-core"), r#"git = "https://git.example/hris""#);
        let at = Some(("rev", "4f17ab9".to_owned()));
        assert_eq!(git(at).dependency("hris-core"), r#"git = "https://git.example/hris", rev = "4f17ab9""#);
    }

    #[test]
    fn the_way_goes_up_no_further_than_needed() {
        let way = |from: &str, to: &str| way(Path::new(from), Path::new(to));
        assert_eq!(way("/home/me/hris-acorn", "/home/me/hris"), Path::new("../hris"));
        assert_eq!(way("/home/me/a/b", "/home/me"), Path::new("../.."));
        assert_eq!(way("/home/me", "/opt/hris"), Path::new("/opt/hris"));
    }
}
