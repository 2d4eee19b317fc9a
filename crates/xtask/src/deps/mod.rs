//! `cargo xtask deps`: what the workspace is built from. One file per check, with its exceptions.

mod bans;
mod licences;
mod msrv;
mod sources;

use crate::Checked;
use crate::metadata::Metadata;

/// Checks every package of `Cargo.lock`, with all features and for all platforms.
pub(crate) fn run() -> Checked {
    let metadata = Metadata::with_dependencies()?;
    Ok([
        licences::check(&metadata),
        sources::check(&metadata),
        bans::check(&metadata),
        msrv::check(&metadata),
    ]
    .concat())
}
