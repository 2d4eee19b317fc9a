//! Everything a test of an HR connector, of the engine or of an application needs, without a network.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod population;
