//! The vendors that come with this crate, one for each feature.

#[cfg(feature = "sesame")]
pub(crate) mod sesame;

use crate::Vendor;

/// All of them.
pub(crate) fn all() -> Vec<Vendor> {
    vec![
        #[cfg(feature = "sesame")]
        sesame::vendor(),
    ]
}
