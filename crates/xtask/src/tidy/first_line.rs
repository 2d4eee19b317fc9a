//! Every source file begins with a `//!` line that says what lives in it.

use crate::finding::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| !file.text.starts_with("//!"))
        .map(|(file, _)| {
            Finding::at(&file.path, 1, "the first line must be `//!` and say what lives in this file")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/good.rs", "//! Good."),
            ("crates/a/src/bad.rs", "use std::fmt;\n//! Late."),
            ("crates/a/src/comment.rs", "// Not a doc comment."),
            ("docs/page.md", "# Page"),
        ]);
        let found: Vec<_> =
            check(&tree).iter().map(|f| f.to_string().split(": ").next().unwrap().to_owned()).collect();
        assert_eq!(found, ["crates/a/src/bad.rs:1", "crates/a/src/comment.rs:1"]);
    }
}
