//! What several example programs share: a progress bar for the terminal.

mod bar;

pub use bar::Bar;
