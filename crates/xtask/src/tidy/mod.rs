//! `cargo xtask tidy`: the house rules. One file per check; the order here is the order of the findings.

mod clock;
mod connector_files;
mod crate_table;
mod decided;
mod dependencies;
mod first_line;
mod lint_reasons;
mod manifests;
mod rules_page;
mod seed_pages;
mod simulators;
mod test_names;
mod top_level;

use crate::Checked;
use crate::metadata::Metadata;
use crate::tree::Tree;

/// Runs every check on the repository.
pub(crate) fn run() -> Checked {
    let metadata = Metadata::workspace()?;
    let tree = Tree::read(&metadata.workspace_root)?;
    Ok([
        first_line::check(&tree),
        lint_reasons::check(&tree),
        manifests::check(&metadata, &tree),
        dependencies::check(&metadata),
        clock::check_features(&metadata),
        clock::check_sources(&tree),
        simulators::check(&tree),
        top_level::check(&tree),
        connector_files::check(&tree),
        decided::check(&tree),
        rules_page::check(&tree),
        seed_pages::check(&tree),
    ]
    .concat())
}
