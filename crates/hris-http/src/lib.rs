//! One readable way to call an HTTP API safely.
//!
#![doc = include_str!("../README.md")]

mod auth;
mod base_url;
mod body;
mod budget;
mod classify;
mod clock;
mod decode;
mod distinct;
mod inbound;
pub mod lenient;
mod pages;
mod request;
mod retry;
mod session;
mod transport;

pub use auth::{AccessToken, Auth, TokenSource};
pub use base_url::BaseUrl;
pub use body::{Answer, BodyStream};
pub use budget::{Budget, BudgetScope, ErrorBreaker, LocalBudgets, Outcome, Permit, Rate, RateBudget};
pub use classify::{Classify, Verdict, by_status};
pub use clock::SystemClock;
pub use decode::{decode, decode_seed};
pub use distinct::{Distinct, fold_id};
pub use inbound::{InboundRefusal, InboundSecrets};
pub use pages::{Next, NumberedPage, Page, PageStats, Paginator, numbered_pages};
pub use request::{Method, Request};
pub use retry::RetryPolicy;
pub use session::Session;
pub use transport::{Transport, TransportBuilder};
