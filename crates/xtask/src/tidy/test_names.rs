//! The names of the workspace's tests, for pages that say which test proves a sentence.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::markdown::code_spans;
use crate::rust_text::RustText;
use crate::tree::Tree;

/// All test functions, those that a macro names included.
#[derive(Debug)]
pub(super) struct TestNames<'a> {
    direct: BTreeSet<&'a str>,
    /// Sources with a macro that writes test functions, each with the crate's folder it is in.
    macros: Vec<(&'a str, &'a RustText)>,
    tree: &'a Tree,
}

impl<'a> TestNames<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        let direct = tree.rust().flat_map(|(_, rust)| rust.tests()).filter(|name| !name.starts_with('$'));
        let macros = tree.rust().filter(|(_, rust)| rust.tests().iter().any(|name| name.starts_with('$')));
        Self {
            direct: direct.collect(),
            macros: macros.map(|(file, rust)| (package_of(&file.path), rust)).collect(),
            tree,
        }
    }

    /// Whether there is a test of this name; a path before it is only for the reader.
    ///
    /// A conformance behaviour is a function of the same crate, named in a file whose macro writes the test.
    fn has(&self, path: &str) -> bool {
        let name = path.rsplit("::").next().unwrap_or(path);
        self.direct.contains(name)
            || self.macros.iter().any(|(package, rust)| {
                rust.words(name).next().is_some() && self.is_function_in(package, name)
            })
    }

    fn is_function_in(&self, package: &str, name: &str) -> bool {
        self.tree.rust().any(|(file, rust)| package_of(&file.path) == package && rust.defines_function(name))
    }

    /// The findings of a cell that names tests in backticks: those that do not exist.
    pub(super) fn check_cell(&self, page: &str, line: usize, cell: &str) -> Vec<Finding> {
        code_spans(cell)
            .filter(|name| !self.has(name))
            .map(|name| {
                Finding::at(page, line, format!("there is no test `{name}`: name the one that proves this"))
            })
            .collect()
    }
}

/// `crates/NAME`, or the first folder.
fn package_of(path: &str) -> &str {
    let end = path.match_indices('/').nth(usize::from(path.starts_with("crates/")));
    end.map_or(path, |(end, _)| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(cell: &str) -> usize {
        let tree = Tree::of(&[
            ("crates/a/tests/t.rs", "#[test]\nfn direct() {}\nfn helper() {}"),
            ("crates/a/src/lib.rs", "fn decide() {}"),
            (
                "crates/kit/src/suite.rs",
                "macro_rules! suite { ($($name:ident)*) => { $(#[test] fn $name() { run($name) })* } }\n\
                 suite! { behaviour elsewhere }",
            ),
            ("crates/kit/src/behaviours.rs", "pub async fn behaviour() {}\nfn unlisted() {}"),
            ("crates/b/src/lib.rs", "fn elsewhere() {}"),
        ]);
        TestNames::of(&tree).check_cell("p.md", 1, cell).len()
    }

    #[test]
    fn tests_by_name_by_path_and_by_macro_exist() {
        assert_eq!(missing("`direct`, `a::t::direct` and `behaviour`; see the notes"), 0);
    }

    #[test]
    fn other_functions_and_unknown_names_do_not() {
        for name in ["helper", "decide", "unlisted", "elsewhere", "gone", "not a name"] {
            assert_eq!(missing(&format!("`direct` `{name}`")), 1, "{name}");
        }
    }

    #[test]
    fn a_package_is_a_folder_below_crates_or_the_first_folder() {
        assert_eq!(package_of("crates/a/src/lib.rs"), "crates/a");
        assert_eq!(package_of("tests/src/x.rs"), "tests");
    }
}
