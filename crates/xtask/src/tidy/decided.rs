//! The table "Where is it decided" of the architecture page points at functions that exist.

use crate::finding::Finding;
use crate::markdown::{code_spans, tables};
use crate::rust_text::{RustText, words};
use crate::tree::{File, Tree};

const PAGE: &str = "docs/architecture.md";
const HEADING: &str = "Where is it decided";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.get(PAGE) else {
        return vec![Finding::file(PAGE, "is missing")];
    };
    let mut rows = tables(&page.text)
        .into_iter()
        .filter(|table| table.heading.starts_with(HEADING))
        .flat_map(|table| table.rows)
        .peekable();
    if rows.peek().is_none() {
        return vec![Finding::file(PAGE, format!("has no table under a heading \"{HEADING}\""))];
    }
    let mut findings = Vec::new();
    for row in rows {
        let text = row.cells.join(" | ");
        let references: Vec<_> = code_spans(&text).filter(|span| span.contains("::")).collect();
        if !references.iter().any(|reference| names_crate(reference)) {
            findings.push(Finding::at(PAGE, row.line, "name the function as `crate_name::path::function`"));
        }
        let complaints = references.into_iter().filter_map(|reference| complaint(tree, reference));
        findings.extend(complaints.map(|complaint| Finding::at(PAGE, row.line, complaint)));
    }
    findings
}

/// Whether a path begins with a crate; `Type::method` alone may be in any of them.
fn names_crate(reference: &str) -> bool {
    !reference.starts_with(char::is_uppercase)
}

/// What is wrong with `crate_name::path::function`, `crate_name::Type::method` or `Type::method`.
fn complaint(tree: &Tree, reference: &str) -> Option<String> {
    let (folder, path) = match reference.split_once("::") {
        Some((crate_name, path)) if names_crate(reference) => (Some(crate_name.replace('_', "-")), path),
        _ => (None, reference),
    };
    let (parents, function) = path.rsplit_once("::").unwrap_or(("", path));
    let parents: Vec<_> = parents.split("::").filter(|parent| !parent.is_empty()).collect();
    let found = tree
        .library_sources()
        .filter(|(name, ..)| folder.as_deref().is_none_or(|folder| folder == *name))
        .any(|(_, file, rust)| {
            rust.defines_function(function.trim_end_matches("()"))
                && parents.iter().all(|parent| has_parent(file, rust, parent))
        });
    (!found).then(|| format!("`{reference}` is not there (any more): point at the function that decides now"))
}

/// A parent in capitals is a type or trait of the file, any other a module: the file, its folder, or inline.
fn has_parent(file: &File, rust: &RustText, parent: &str) -> bool {
    if parent.starts_with(char::is_uppercase) {
        return has_impl_of(rust.code(), parent);
    }
    let is_file = file.path.split('/').any(|segment| segment.trim_end_matches(".rs") == parent);
    is_file || rust.words(parent).any(|at| rust.code()[..at].trim_end().ends_with("mod"))
}

/// Whether `impl … NAME … {` or `trait NAME … {` stands somewhere in `code`.
fn has_impl_of(code: &str, name: &str) -> bool {
    ["impl", "trait"].iter().any(|keyword| {
        words(code, keyword).any(|at| {
            let head = code[at..].split('{').next().unwrap_or_default();
            words(head, name).next().is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: (&str, &str) = (
        "crates/hris-sync/src/planner.rs",
        "//! x\nimpl<T: Bound> Port for Planner<T>\nwhere T: Send {\n fn decide() {}\n}\nmod inner { fn deep() {} }\n\
         trait Rule { fn weigh(); }\nstruct Other;",
    );

    fn found(reference: &str) -> usize {
        let page = format!(
            "# A\n## Where is it decided?\n| question | code |\n|---|---|\n| who leaves | {reference} |\n"
        );
        check(&Tree::of(&[(PAGE, &page), SOURCE])).len()
    }

    #[test]
    fn references_to_what_exists_pass() {
        for reference in [
            "`hris_sync::planner::decide`",
            "`hris_sync::decide`",
            "`hris_sync::Planner::decide`",
            "`hris_sync::planner::Planner::decide()`",
            "`hris_sync::Rule::weigh`",
            "`hris_sync::inner::deep` with `plain code`",
            "`hris_sync::decide` and `Planner::decide`",
        ] {
            assert_eq!(found(reference), 0, "{reference}");
        }
    }

    #[test]
    fn references_to_what_does_not_exist_are_found() {
        for reference in [
            "`hris_sync::planner::decided`",
            "`hris_sync::guard::decide`",
            "`hris_sync::Other::decide`",
            "`hris_core::planner::decide`",
            "`decide`",
            "`Planner::decide`",
            "`hris_sync::decide` and `Planner::gone`",
            "in the planner",
            "`hris_sync::planner::decide`, `hris_sync::gone`",
        ] {
            assert_eq!(found(reference), 1, "{reference}");
        }
    }

    #[test]
    fn a_missing_page_or_table_is_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[(PAGE, "# A\n| a |\n|---|\n| `x::y` |\n")])).len(), 1);
    }
}
