//! The scaffold of vendor simulators: a real HTTP server on a real socket, with the vendor's part left to fill in.
//!
//! A simulator is a [`Vendor`] (state, and an answer to each request) in a [`SimServer`] (socket, request log,
//! [`Faults`]). [`Tokens`], [`PageSize`], [`Page`], [`CursorPage`] and [`RateLimit`] are what vendors have in common.
//! A simulator writes its JSON from the vendor's documentation and never through the types of the connector that is
//! tested with it: both would be wrong together.
//!
//! ```
//! use std::sync::Arc;
//! use hris_testkit::sim::{Fault, Page, PageSize, SimRequest, SimResponse, SimServer, Tokens, Vendor};
//! use serde_json::json;
//!
//! /// A vendor with one numbered listing.
//! struct Acme { people: Vec<&'static str>, tokens: Tokens }
//!
//! impl Vendor for Acme {
//!     fn handle(&self, request: &SimRequest) -> SimResponse {
//!         if self.tokens.admit(request).is_none() {
//!             return self.failure(401);
//!         }
//!         match (request.method(), &request.segments()[..]) {
//!             ("GET", ["v1", "people"]) => {
//!                 let size = PageSize::new(20, 100).read(request.query("limit"));
//!                 let page = Page::numbered(&self.people, request.query("page"), size);
//!                 SimResponse::json(200, &json!({ "data": page.items, "total": page.total }))
//!             }
//!             _ => self.failure(404),
//!         }
//!     }
//! }
//!
//! /// What a test starts in one line.
//! struct AcmeSim { server: SimServer }
//!
//! impl AcmeSim {
//!     async fn start(people: Vec<&'static str>) -> Self {
//!         let tokens = Tokens::new().with("s3cret", "acme");
//!         Self { server: SimServer::start(Acme { people, tokens }).await }
//!     }
//! }
//!
//! # hris_testkit::run(async {
//! let sim = AcmeSim::start(vec!["Nerea", "Íñigo", "Bruno"]).await;
//! sim.server.faults().add(Fault::rate_limited(Some(2)).once());
//!
//! let client = reqwest::Client::builder().no_proxy().build()?;
//! let page = format!("{}/v1/people?page=2&limit=2", sim.server.url());
//! let ask = || client.get(&page).bearer_auth("s3cret").send();
//! assert_eq!(ask().await?.status(), 429);
//! assert_eq!(ask().await?.text().await?, r#"{"data":["Bruno"],"total":3}"#);
//! assert_eq!(sim.server.requests()[1].query("page"), Some("2"));
//! # Ok::<(), reqwest::Error>(())
//! # }).unwrap();
//! ```

mod auth;
mod faults;
mod log;
mod page;
mod rate;
mod request;
mod response;
mod server;

pub use auth::Tokens;
pub use faults::{Fault, FaultRule, Faults};
pub use page::{CursorPage, Page, PageSize};
pub use rate::RateLimit;
pub use request::SimRequest;
pub use response::SimResponse;
pub use server::{SimServer, Vendor};

pub(crate) use log::RequestLog;
