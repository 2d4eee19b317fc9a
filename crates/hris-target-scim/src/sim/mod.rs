//! A simulated service provider on a real socket: strict, stateful, with the close-down of Reward Gateway, and sloppy
//! where a test wants it. It shares no type with the client. Behind the feature `sim`.
//!
//! ```
//! use hris_target_scim::sim::ScimSim;
//! use hris_testkit::ManualClock;
//!
//! # hris_testkit::run(async {
//! let sim = ScimSim::start(ManualClock::at("2026-03-02T06:00:00Z")).await;
//! assert!(sim.endpoint().ends_with("/scim/v2/"));
//! sim.behave(|behaviour| behaviour.string_booleans = true);
//! # });
//! ```

mod accounts;
mod behaviour;
mod patch;
mod schema;
mod vendor;

use std::fmt;
use std::sync::Arc;

use hris_core::Clock;
use hris_testkit::sim::{Faults, SimRequest, SimServer, Tokens};
use secrecy::SecretString;
use serde_json::{Map, Value};

pub use accounts::Account;
pub use behaviour::{Behaviour, FilterHabit, PagingHabit};

use vendor::{Provider, READ_ONLY, READ_WRITE, Trouble};

/// Starts, steers and watches a simulated programme.
pub struct ScimSim {
    server: SimServer,
    provider: Arc<Provider>,
}

impl ScimSim {
    /// The token that may read and write.
    pub const TOKEN: &'static str = "rw-c0ffee00d15ea5e00ba5eba11ad0be0d";
    /// The token that may only read.
    pub const READ_ONLY_TOKEN: &'static str = "ro-feed5afe0b0bacafe15eed0fdeadbea7";
    /// The programme's id, the first part of the path.
    pub const PROGRAMME: &'static str = "7c1f5e0a-5b1e-4c55-9d2f-6a3d0c2b9e41";

    /// Starts an empty programme that goes by this clock.
    pub async fn start(clock: impl Clock) -> Self {
        let tokens = Tokens::new().with(Self::TOKEN, READ_WRITE).with(Self::READ_ONLY_TOKEN, READ_ONLY);
        let provider = Provider::shared(Self::PROGRAMME, tokens, Arc::new(clock));
        let server = SimServer::start(Arc::clone(&provider)).await;
        Self { server, provider }
    }

    /// The address as an operator copies it.
    pub fn endpoint(&self) -> String {
        format!("{}/{}/scim/v2/", self.server.url(), Self::PROGRAMME)
    }

    /// [`ScimSim::TOKEN`], as a target takes it.
    pub fn token(&self) -> SecretString {
        SecretString::from(Self::TOKEN)
    }

    /// The tokens that are accepted.
    pub fn tokens(&self) -> &Tokens {
        &self.provider.tokens
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The methods and last path segments of the requests so far, such as `POST Users`.
    pub fn calls(&self) -> Vec<String> {
        let requests = self.server.requests();
        let call = |request: &Arc<SimRequest>| {
            format!("{} {}", request.method(), request.segments().last().copied().unwrap_or_default())
        };
        requests.iter().map(call).collect()
    }

    /// Changes how the provider behaves, from the next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.provider.state().behaviour);
    }

    /// Adds an extension with attributes that are texts.
    pub fn add_extension<S: Into<String>>(&self, urn: &str, names: impl IntoIterator<Item = S>) {
        let names = names.into_iter().map(Into::into).collect();
        self.provider.state().extensions.insert(urn.to_owned(), names);
    }

    /// All accounts that are not deleted, closed ones among them, in the order of their creation.
    pub fn accounts(&self) -> Vec<Account> {
        self.provider.state().accounts.iter().cloned().collect()
    }

    /// One account.
    pub fn account(&self, id: &str) -> Option<Account> {
        self.provider.state().accounts.get(id).cloned()
    }

    /// Makes an account by hand: nothing is checked, invited or counted. Its id.
    ///
    /// # Panics
    /// If the user is no JSON object.
    #[expect(clippy::panic, reason = "a test that plants something else is wrong")]
    pub fn plant(&self, user: Value) -> String {
        match user {
            Value::Object(user) => self.provider.state().accounts.add(user, false).id,
            _ => panic!("a user is a JSON object"),
        }
    }

    /// Changes an account by hand. False if there is none.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
        let mut state = self.provider.state();
        let days = state.behaviour.close_down_days;
        let Some(mut user) = state.accounts.get(id).map(|account| account.user.clone()) else { return false };
        change(&mut user);
        state.accounts.change(id, user, self.provider.clock.now().date_naive(), days).is_some()
    }

    /// Deletes an account by hand. False if there is none.
    pub fn remove(&self, id: &str) -> bool {
        self.provider.state().accounts.remove(id).is_some()
    }

    /// How many writes were carried out, those that changed nothing and those within bulk requests among them.
    pub fn writes(&self) -> u64 {
        self.provider.state().writes
    }

    /// How many accounts were deleted by request; a target never does that.
    pub fn deletions(&self) -> u64 {
        self.provider.state().deletions
    }

    /// The next so many writes are answered as if they had been carried out, and are not.
    pub fn forget(&self, writes: u64) {
        self.provider.state().forgets = writes;
    }

    /// From now on every write about the person with this `externalId` is refused with 400.
    pub fn refuse(&self, external_id: &str) {
        self.provider.state().refuses = Some(external_id.to_owned());
    }

    /// After so many more writes, those that follow are not carried out and answered with a status: so many times, or
    /// for ever. In a bulk request each operation is a write.
    pub fn hinder(&self, after: u64, status: u16, times: Option<u64>) {
        self.provider.state().trouble = Some(Trouble { after, status, times });
    }

    /// Ends what [`ScimSim::forget`], [`ScimSim::refuse`], [`ScimSim::hinder`] and the fault plan began.
    pub fn behave_well(&self) {
        let mut state = self.provider.state();
        (state.forgets, state.refuses, state.trouble) = (0, None, None);
        drop(state);
        self.faults().clear();
    }

    /// Right before the next PATCH or PUT somebody else changes an account.
    pub fn meddle(&self, id: &str, change: impl FnOnce(&mut Map<String, Value>) + Send + 'static) {
        let (id, clock) = (id.to_owned(), Arc::clone(&self.provider.clock));
        let mut state = self.provider.state();
        let days = state.behaviour.close_down_days;
        state.meddles = Some(Box::new(move |accounts| {
            if let Some(mut user) = accounts.get(&id).map(|account| account.user.clone()) {
                change(&mut user);
                accounts.change(&id, user, clock.now().date_naive(), days);
            }
        }));
    }
}

impl fmt::Debug for ScimSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimSim").field("server", &self.server).finish_non_exhaustive()
    }
}
