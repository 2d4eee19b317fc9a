//! Every package may be used under licences from a list.

use crate::finding::Finding;
use crate::metadata::{Metadata, Package};

/// Licences that ask for no more than a notice.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Further licences of single packages, each with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    metadata
        .packages
        .iter()
        .filter_map(|package| Some(Finding::file("Cargo.lock", complaint(package)?)))
        .collect()
}

fn complaint(package: &Package) -> Option<String> {
    let who = format!("{} {}", package.name, package.version);
    let Some(licence) = package.license.as_deref() else {
        return Some(format!("{who} names no licence: replace it, or add an exception with a reason"));
    };
    let is_allowed = |id: &str| {
        ALLOWED.contains(&id) || EXCEPTIONS.iter().any(|(name, also, _)| *name == package.name && *also == id)
    };
    match satisfied(licence, &is_allowed) {
        Some(true) => None,
        Some(false) => Some(format!("{who} is under `{licence}`: replace it, or add to xtask's licences.rs")),
        None => Some(format!("{who} has a licence expression that cannot be read: `{licence}`")),
    }
}

/// Whether a choice of allowed licences satisfies an SPDX expression; `None` when it is none.
///
/// A slash means OR, as manifests wrote it before expressions.
fn satisfied(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    let satisfied = any_of(&mut rest, is_allowed)?;
    rest.is_empty().then_some(satisfied)
}

fn any_of(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut satisfied = all_of(rest, is_allowed)?;
    while let ["OR", after @ ..] = rest {
        *rest = after;
        satisfied |= all_of(rest, is_allowed)?;
    }
    Some(satisfied)
}

fn all_of(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut satisfied = one(rest, is_allowed)?;
    while let ["AND", after @ ..] = rest {
        *rest = after;
        satisfied &= one(rest, is_allowed)?;
    }
    Some(satisfied)
}

fn one(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let satisfied = any_of(rest, is_allowed)?;
            let [")", after @ ..] = *rest else { return None };
            *rest = after;
            Some(satisfied)
        }
        ["AND" | "OR" | "WITH" | ")", ..] | [] => None,
        [id, "WITH", exception, after @ ..] => {
            *rest = after;
            Some(is_allowed(&format!("{id} WITH {exception}")))
        }
        [id, after @ ..] => {
            *rest = after;
            Some(is_allowed(id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(licence: Option<&str>) -> usize {
        let package = Package { license: licence.map(str::to_owned), ..Package::default() };
        check(&Metadata { packages: vec![package], ..Metadata::default() }).len()
    }

    #[test]
    fn packages_that_can_be_used_under_an_allowed_licence_pass() {
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
            "ISC AND (Apache-2.0 OR GPL-3.0-only) AND MIT",
        ] {
            assert_eq!(found(Some(licence)), 0, "{licence}");
        }
    }

    #[test]
    fn other_licences_and_unreadable_ones_are_found() {
        for licence in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT OR Apache-2.0 AND",
            "(MIT",
            "MIT Apache-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "",
        ] {
            assert_eq!(found(Some(licence)), 1, "{licence}");
        }
        assert_eq!(found(None), 1);
    }
}
