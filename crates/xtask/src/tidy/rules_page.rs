//! The page of rules: each has an id and a test that exists, and no rule code of the source is missing there.

use std::collections::BTreeSet;

use super::test_names::TestNames;
use crate::finding::Finding;
use crate::markdown::{Row, Table, code_spans, tables};
use crate::rust_text::{RustText, first_word, words};
use crate::tree::{File, Tree};

const PAGE: &str = "docs/rules.md";
const COLUMNS: [&str; 4] = ["id", "rule", "source", "test"];
/// Where core declares its codes and lists them in `ALL`.
const CODES: &str = "crates/hris-core/src/problem.rs";
const CODE: &str = "RuleCode::new";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = check_list(tree);
    let Some(page) = tree.get(PAGE) else {
        findings.push(Finding::file(PAGE, "is missing"));
        return findings;
    };
    let tests = TestNames::of(tree);
    let mut ids = BTreeSet::new();
    for table in tables(&page.text).iter().filter(|table| is_about_rules(table)) {
        if table.header == COLUMNS {
            let rows = table.rows.iter();
            findings.extend(rows.flat_map(|row| check_row(row, &tests, &mut ids)));
        } else {
            let message = "the columns of rules are | id | rule | source | test |";
            findings.push(Finding::at(PAGE, table.line, message));
        }
    }
    if ids.is_empty() {
        findings.push(Finding::file(PAGE, "has no table | id | rule | source | test |"));
    }
    findings.extend(undocumented(tree, &ids));
    findings
}

fn is_about_rules(table: &Table) -> bool {
    table.header.iter().any(|column| ["id", "rule", "test"].contains(&column.as_str()))
}

fn check_row(row: &Row, tests: &TestNames<'_>, ids: &mut BTreeSet<String>) -> Vec<Finding> {
    let (id, test) = (row.cell(0).trim_matches('`'), row.cell(3));
    let mut findings = tests.check_cell(PAGE, row.line, test);
    if id.is_empty() {
        findings.push(Finding::at(PAGE, row.line, "the rule has no id"));
    } else if !ids.insert(id.to_owned()) {
        findings.push(Finding::at(PAGE, row.line, format!("`{id}` is already a rule above")));
    }
    if code_spans(test).next().is_none() {
        findings.push(Finding::at(PAGE, row.line, "name the test that proves the rule, in backticks"));
    }
    findings
}

/// Codes that libraries declare and the page does not know.
fn undocumented(tree: &Tree, ids: &BTreeSet<String>) -> Vec<Finding> {
    tree.library_sources()
        .flat_map(|(_, file, rust)| codes(file, rust).into_iter().map(move |code| (file, code)))
        .filter(|(_, code)| !ids.contains(code.text))
        .map(|(file, code)| {
            let message = format!(
                "`{}` has no row in {PAGE}: say what the rule is and which test proves it",
                code.text
            );
            Finding::at(&file.path, file.line_of(code.at), message)
        })
        .collect()
}

/// Codes of core that are not in its list `ALL`.
fn check_list(tree: &Tree) -> Vec<Finding> {
    let Some((file, rust)) = tree.get(CODES).and_then(|file| Some((file, file.rust.as_ref()?))) else {
        return vec![Finding::file(
            CODES,
            "is missing; xtask's rules_page.rs looks for the rule codes there",
        )];
    };
    let list = words(rust.code(), "const ALL").next().map_or("", |at| {
        let declaration = rust.code()[at..].split(';').next().unwrap_or_default();
        declaration.split('=').next_back().unwrap_or_default()
    });
    codes(file, rust)
        .into_iter()
        .filter(|code| words(list, code.name).next().is_none())
        .map(|code| {
            Finding::at(CODES, file.line_of(code.at), format!("{} is missing in the list ALL", code.name))
        })
        .collect()
}

/// A constant `NAME: RuleCode = RuleCode::new("TEXT")`.
struct Code<'a> {
    name: &'a str,
    text: &'a str,
    at: usize,
}

fn codes<'a>(file: &'a File, rust: &'a RustText) -> Vec<Code<'a>> {
    let code = |at: usize| {
        let before = &rust.code()[..at];
        let statement = before.rfind([';', '{', '}']).map_or(before, |end| &before[end + 1..]);
        let keyword = words(statement, "const").next()?;
        let name = first_word(statement[keyword + "const".len()..].trim_start());
        let text = file.text[at + CODE.len()..].trim_start_matches(['(', ' ', '\n']).strip_prefix('"')?;
        let text = text.split('"').next()?;
        Some(Code { name, text, at })
    };
    words(rust.code(), CODE).filter_map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "//! x\n/// `RuleCode::new(\"doc.only\")`\npub const A_B: RuleCode = RuleCode::new(\"a.b\");\n\
        pub const C: crate::RuleCode =\n    RuleCode::new(\"c\");\npub const ALL: &[RuleCode] = &[A_B, C];\n\
        #[test]\nfn proves_it() { let x = RuleCode::new(\"made.up\"); }";
    const GOOD: &str = "# Rules\n| id | rule | source | test |\n|---|---|---|---|\n| `a.b` | x | seed | `proves_it` |\n\
        | c | y | seed | `problem::proves_it` |\n";

    fn found(page: &str, source: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(PAGE, page), (CODES, source)]));
        findings.iter().map(|finding| finding.to_string().split(": ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_page_with_every_code_and_an_existing_test_passes() {
        assert_eq!(found(GOOD, SOURCE), [""; 0]);
    }

    #[test]
    fn what_a_row_lacks_is_found() {
        let row = |row: &str| found(&format!("{GOOD}{row}\n"), SOURCE);
        assert_eq!(row("| d | z | seed | `proves_it` |"), [""; 0]);
        assert_eq!(row("| | z | seed | `proves_it` |"), ["docs/rules.md:6"], "no id");
        assert_eq!(row("| c | z | seed | `proves_it` |"), ["docs/rules.md:6"], "the same id again");
        assert_eq!(row("| d | z | seed | to do |"), ["docs/rules.md:6"], "no test");
        assert_eq!(row("| d | z | seed | `proves_it`, `gone` |"), ["docs/rules.md:6"], "unknown test");
        assert_eq!(row("\n| id | rule | test |\n|---|---|---|"), ["docs/rules.md:7"], "other columns");
    }

    #[test]
    fn a_code_without_a_row_is_found() {
        let page = GOOD.replace("| c |", "| d |");
        assert_eq!(found(&page, SOURCE), ["crates/hris-core/src/problem.rs:5"]);
        let elsewhere = ("crates/hris-campaigns/src/problem.rs", "const D: RuleCode = RuleCode::new(\"d\");");
        assert_eq!(check(&Tree::of(&[(PAGE, GOOD), (CODES, SOURCE), elsewhere])).len(), 1);
    }

    #[test]
    fn a_code_that_the_list_misses_is_found() {
        assert_eq!(found(GOOD, &SOURCE.replace("[A_B, C]", "[A_B]")), ["crates/hris-core/src/problem.rs:5"]);
    }

    #[test]
    fn a_missing_page_table_or_source_is_found() {
        assert_eq!(check(&Tree::of(&[(CODES, SOURCE)])).len(), 1);
        assert_eq!(found("# Rules\n", SOURCE)[0], "docs/rules.md");
        assert_eq!(check(&Tree::of(&[(PAGE, GOOD), ("crates/a/src/lib.rs", SOURCE)])).len(), 1);
    }
}
