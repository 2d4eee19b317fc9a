//! Every lint exception says why it is one.

use crate::finding::Finding;
use crate::rust_text::words;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for attribute in rust.attributes() {
            if lacks_reason(&rust.code()[attribute.clone()]) {
                let message = "a lint exception needs `reason = \"…\"`";
                findings.push(Finding::at(&file.path, file.line_of(attribute.start), message));
            }
        }
    }
    findings
}

/// Also for exceptions inside `cfg_attr`. Each needs a reason of its own.
fn lacks_reason(attribute: &str) -> bool {
    let exceptions = ["allow", "expect"]
        .iter()
        .flat_map(|lint_level| words(attribute, lint_level).map(|at| &attribute[at + lint_level.len()..]))
        .filter(|after| after.trim_start().starts_with('('))
        .count();
    let reasons = words(attribute, "reason")
        .filter(|at| attribute[at + "reason".len()..].trim_start().starts_with('='))
        .count();
    reasons < exceptions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[("a.rs", source)]));
        findings.iter().map(|finding| finding.to_string().split(": ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn exceptions_without_a_reason_are_found() {
        assert_eq!(lines("#[allow(x)]\nfn f() {}"), ["a.rs:1"]);
        assert_eq!(lines("\n#![expect(x, y)]"), ["a.rs:2"]);
        assert_eq!(lines("#[cfg_attr(test, allow(x))]"), ["a.rs:1"]);
        assert_eq!(lines("#[cfg_attr(test, allow(x), expect(y, reason = \"z\"))]"), ["a.rs:1"]);
        assert_eq!(lines("#[allow(reason_like)]"), ["a.rs:1"]);
        assert_eq!(lines("#[allow(x)] // reason = \"in a comment\""), ["a.rs:1"]);
    }

    #[test]
    fn reasons_other_attributes_and_texts_pass() {
        for source in [
            "#[allow(x, reason = \"why\")]",
            "#[expect(\n    clippy::x,\n    reason = \"why\"\n)]",
            "#[should_panic(expected = \"x\")]\nfn expect(x: u8) {}",
            "// #[allow(x)]\nlet text = \"#[allow(x)]\";",
        ] {
            assert_eq!(lines(source), [""; 0], "{source}");
        }
    }
}
