//! What several example programs share: a progress bar for the terminal, and the table of the measured programs.

mod bar;
pub mod bench;
pub mod fleet;

pub use bar::Bar;
