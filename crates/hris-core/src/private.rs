//! `Debug` for types that hold personal data: identifiers and presence at most.

use std::fmt;

/// Prints `…` in place of a value, so that a `Debug` output shows that something is there and no more.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
