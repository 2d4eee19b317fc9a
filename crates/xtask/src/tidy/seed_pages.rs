//! The pages that map each sentence of a seed to tests: every test that they name exists.

use super::test_names::TestNames;
use crate::finding::Finding;
use crate::markdown::{code_spans, tables};
use crate::tree::{File, Tree};

const FOLDER: &str = "docs/seeds/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let tests = TestNames::of(tree);
    tree.files()
        .filter(|file| file.path.starts_with(FOLDER) && file.is_markdown())
        .flat_map(|file| check_page(&tests, file))
        .collect()
}

/// The tests stand in the last column of every table.
fn check_page(tests: &TestNames<'_>, file: &File) -> Vec<Finding> {
    let tables = tables(&file.text);
    let mut named = 0;
    let mut findings = Vec::new();
    for table in &tables {
        for row in &table.rows {
            let cell = row.cell(table.header.len() - 1);
            named += code_spans(cell).count();
            findings.extend(tests.check_cell(&file.path, row.line, cell));
        }
    }
    if named == 0 {
        let message = "names no test: give its sentences a table whose last column names tests in backticks";
        findings.push(Finding::file(&file.path, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> usize {
        let tests = ("crates/a/tests/t.rs", "#[test]\nfn people_leave() {}");
        check(&Tree::of(&[("docs/seeds/1.md", page), ("docs/other.md", "| x |\n|---|\n| `gone` |"), tests]))
            .len()
    }

    #[test]
    fn the_last_columns_tests_must_exist() {
        let table = "# Seed\n| sentence | code | tests |\n|---|---|---|\n";
        assert_eq!(found(&format!("{table}| a | `any` | `people_leave` |\n| b | | out of scope |\n")), 0);
        assert_eq!(found(&format!("{table}| a | `any` | `people_leave`, `people_stay` |\n")), 1);
    }

    #[test]
    fn a_page_without_tests_is_found() {
        assert_eq!(found("# Seed\nAll of it is tested.\n"), 1);
    }
}
