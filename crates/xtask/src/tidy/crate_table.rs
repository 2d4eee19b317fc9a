//! Which crate may depend on which: the one table of the workspace's layers.

/// A crate of the workspace and what it may depend on among the others.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) role: Role,
    /// Ordinary dependencies on our own crates.
    pub(super) uses: Uses,
    /// Further ones that only tests may have.
    pub(super) tests_use: &'static [&'static str],
    /// Whether its feature `sim` may bring in the test kit.
    pub(super) has_simulator: bool,
    /// Foreign crates that it must not depend on.
    pub(super) never: &'static [&'static str],
}

/// What kind of crate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A library without a clock of its own.
    Library,
    /// A library that connects one HR system; all of them have the same files.
    Connector,
    /// A program or a package of tests.
    Program,
}

/// Which of our own crates may be ordinary dependencies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Uses {
    Only(&'static [&'static str]),
    Anything,
}

pub(super) const TESTKIT: &str = "hris-testkit";
const CORE: &str = "hris-core";
const HTTP: &str = "hris-http";
const MEMORY: &str = "hris-store-memory";
const SYNC: &str = "hris-sync";
const CONNECTION: &str = "hris-connection";
const NOTIFY: &str = "hris-notify";

/// The table; it may name crates that are still to come.
///
/// A new connector is one line; a new layer is a decision to write down in `docs/decisions/`.
pub(super) const CRATES: &[Crate] = &[
    Crate { never: &["tokio", "reqwest", "hyper"], ..library(CORE, &[], &[TESTKIT]) },
    library(HTTP, &[CORE], &[TESTKIT]),
    connector("hris-sesame"),
    connector("hris-peoplehr"),
    connector("hris-trinet"),
    connector("hris-merge"),
    Crate { has_simulator: true, ..library("hris-target-scim", &[CORE, HTTP], &[TESTKIT]) },
    Crate { has_simulator: true, ..library("hris-sessionm", &[CORE, HTTP], &[TESTKIT]) },
    library(MEMORY, &[CORE], &[TESTKIT]),
    library("hris-store-sqlite", &[CORE], &[TESTKIT]),
    library("hris-target-file", &[CORE], &[TESTKIT]),
    library(SYNC, &[CORE, MEMORY], &[TESTKIT]),
    library("hris-campaigns", &[CORE], &[TESTKIT, MEMORY, "hris-store-sqlite"]),
    library("hris-mail-smtp", &[CORE], &[TESTKIT]),
    library(CONNECTION, &[CORE, SYNC], &[TESTKIT, MEMORY]),
    library(NOTIFY, &[CORE], &[TESTKIT, "hris-mail-smtp"]),
    library(
        "hris-runner",
        &[CORE, SYNC, CONNECTION],
        &[TESTKIT, MEMORY, NOTIFY, "hris-mail-smtp", "hris-store-sqlite"],
    ),
    library(TESTKIT, &[CORE, HTTP, MEMORY], &[]),
    Crate { uses: Uses::Anything, ..library("hris", &[], &[]) },
    program("hris-examples"),
    program("hris-new"),
    program("hris-tests"),
    program("xtask"),
];

/// The table's row of a crate.
pub(super) fn row(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|row| row.name == name)
}

const fn library(
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Crate {
    Crate { name, role: Role::Library, uses: Uses::Only(uses), tests_use, has_simulator: false, never: &[] }
}

/// Never on another connector, on the engine or on a store.
const fn connector(name: &'static str) -> Crate {
    Crate { role: Role::Connector, has_simulator: true, ..library(name, &[CORE, HTTP], &[TESTKIT]) }
}

const fn program(name: &'static str) -> Crate {
    Crate { role: Role::Program, uses: Uses::Anything, ..library(name, &[], &[]) }
}
