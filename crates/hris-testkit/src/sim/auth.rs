//! The credentials that a simulated vendor accepts, and their withdrawal in the middle of a run.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::SimRequest;
use crate::mock::lock;

/// Tokens or keys, each opening one account. Clones share one set, so that a test withdraws what a simulator checks.
/// `Debug` shows how many there are.
///
/// ```
/// use hris_testkit::sim::Tokens;
/// let tokens = Tokens::new().with("t1", "company-a").with("t2", "company-b");
/// assert_eq!(tokens.account("t2").as_deref(), Some("company-b"));
/// tokens.revoke("t2");
/// assert_eq!(tokens.account("t2"), None);
/// ```
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<Accepted>>);

#[derive(Default)]
struct Accepted {
    accounts: HashMap<String, String>,
    uses_left: Option<u64>,
}

impl Tokens {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a token for an account.
    #[must_use]
    pub fn with(self, token: impl Into<String>, account: impl Into<String>) -> Self {
        self.add(token, account);
        self
    }

    /// Adds a token for an account, for example one that was just issued.
    pub fn add(&self, token: impl Into<String>, account: impl Into<String>) {
        lock(&self.0).accounts.insert(token.into(), account.into());
    }

    /// The account that a token opens, if it is accepted. Counts as a use for [`Tokens::revoke_after`].
    pub fn account(&self, token: &str) -> Option<String> {
        let mut accepted = lock(&self.0);
        let account = accepted.accounts.get(token).cloned()?;
        match &mut accepted.uses_left {
            None => {}
            Some(0) => {
                accepted.accounts.clear();
                accepted.uses_left = None;
                return None;
            }
            Some(left) => *left -= 1,
        }
        Some(account)
    }

    /// The account that a request's bearer token opens, if it has one that is accepted.
    pub fn admit(&self, request: &SimRequest) -> Option<String> {
        self.account(request.bearer()?)
    }

    /// Withdraws one token.
    pub fn revoke(&self, token: &str) {
        lock(&self.0).accounts.remove(token);
    }

    /// Withdraws all tokens.
    pub fn revoke_all(&self) {
        lock(&self.0).accounts.clear();
    }

    /// Accepts `uses` more requests with any token, and then withdraws all tokens, as when access is revoked in the
    /// middle of a run. Tokens added after that are accepted again.
    pub fn revoke_after(&self, uses: u64) {
        lock(&self.0).uses_left = Some(uses);
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("accepted", &lock(&self.0).accounts.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bearer_of_an_accepted_token_is_admitted() {
        let tokens = Tokens::new().with("t1", "a");
        let with = |value: &str| SimRequest::new("GET", "/", [("authorization", value)], "");
        assert_eq!(tokens.admit(&with("Bearer t1")).as_deref(), Some("a"));
        for refused in ["Bearer t2", "Basic t1", "t1", "Bearer "] {
            assert_eq!(tokens.admit(&with(refused)), None, "{refused}");
        }
    }

    #[test]
    fn after_the_granted_uses_every_token_is_withdrawn_until_a_new_one_is_issued() {
        let tokens = Tokens::new().with("t1", "a").with("t2", "b");
        tokens.revoke_after(2);
        assert!(tokens.account("t1").is_some() && tokens.account("t2").is_some());
        assert!(tokens.account("t1").is_none() && tokens.account("t2").is_none());
        tokens.add("t3", "a");
        assert!(tokens.account("t3").is_some() && tokens.account("t3").is_some());
        assert!(tokens.account("t1").is_none());
    }

    #[test]
    fn debug_shows_no_token() {
        let tokens = Tokens::new().with("s3cret", "a");
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }
}
