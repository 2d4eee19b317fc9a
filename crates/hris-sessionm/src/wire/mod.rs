//! The forms of SessionM's answers: as they come, with nothing concluded from them.

#![expect(clippy::struct_field_names, reason = "they are the vendor's names")]

pub(crate) mod core;
pub(crate) mod lenient;
pub(crate) mod offers;
pub(crate) mod points;
