//! The forms of SessionM's answers: as they come, with nothing concluded from them.

pub(crate) mod core;
pub(crate) mod lenient;
pub(crate) mod offers;
pub(crate) mod points;
