//! The vendors that come with this crate, one for each feature.

#[cfg(feature = "merge")]
pub(crate) mod merge;
#[cfg(feature = "peoplehr")]
pub(crate) mod peoplehr;
#[cfg(feature = "sesame")]
pub(crate) mod sesame;
#[cfg(feature = "trinet")]
pub(crate) mod trinet;

use crate::Vendor;

/// All of them.
pub(crate) fn all() -> Vec<Vendor> {
    vec![
        #[cfg(feature = "merge")]
        merge::vendor(),
        #[cfg(feature = "peoplehr")]
        peoplehr::vendor(),
        #[cfg(feature = "sesame")]
        sesame::vendor(),
        #[cfg(feature = "trinet")]
        trinet::vendor(),
    ]
}
