//! Everything a test of an HR connector, of the engine or of an application needs, without a network.

pub mod clock;
pub mod population;

pub use clock::ManualClock;
