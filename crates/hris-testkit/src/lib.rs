//! Everything a test of an HR connector, of the engine or of an application needs, without a network.
#![doc = include_str!("../README.md")]

pub mod clock;
pub mod connector_suite;
mod cutting_proxy;
pub mod fault_server;
pub mod ledger_suite;
pub mod mock;
pub mod population;
mod run;
pub mod setup_suite;
pub mod sim;
pub mod smtp;
pub mod store_suite;
mod suite;
pub mod target_suite;

pub use clock::ManualClock;
pub use cutting_proxy::CuttingProxy;
pub use fault_server::{Dribble, FaultServer, Reply};
pub use mock::{
    Ending, LoggedAction, MailFault, MockConnector, MockMailer, MockTarget, RecordingProgress, TargetFault,
    TargetFaultRule, sample_action,
};
pub use run::run;
pub use suite::Traces;
