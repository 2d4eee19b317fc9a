//! Where secrets are kept: in memory, in the environment, or in one encrypted file.

mod environment;
#[cfg(feature = "encrypted-file")]
mod file;
mod memory;

pub use environment::EnvironmentCredentials;
#[cfg(feature = "encrypted-file")]
pub use file::{CredentialKey, FileCredentials};
pub use memory::MemoryCredentials;
