//! What journeys across the crates share: a platform in another process, a store that dies, a small company.

mod company;
mod dying_store;
pub mod lease;
mod loopback;

pub use company::{directory, today};
pub use dying_store::DyingStore;
pub use loopback::{Death, LoopbackTarget, TargetServer};
