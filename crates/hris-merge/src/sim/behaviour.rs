//! What the vendor's documentation leaves open, and the state of an account, as switches. The defaults are a healthy
//! account and the most probable behaviour.

use hris_core::SharedClock;
use hris_testkit::sim::{PageSize, RateLimit};

/// How the simulated vendor and its linked accounts behave.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent switches")]
pub struct Behaviour {
    /// The time in `Date` headers, RFC 3339. Synchronisations are told relative to it only by what a test sets.
    pub now: String,
    /// Whether the `Date` header can be read.
    pub tells_time: bool,
    /// The status of the linked accounts: `COMPLETE`, `INCOMPLETE`, `RELINK_NEEDED`, `IDLE`, or a word of the future.
    pub account_status: String,
    /// The HR system behind the linked accounts: its name and slug.
    pub integration: (String, String),
    /// `PRODUCTION` or `TEST`.
    pub account_type: String,
    /// How the synchronisation of employees stands.
    pub sync: Synchronisation,
    /// How many people are there so far, while the first synchronisation is under way; `None` for all.
    pub people_so_far: Option<usize>,
    /// Whether a deleted record is known to be deleted. Otherwise it stays as it was for ever.
    pub detects_deletions: bool,
    /// Rows a page when none are asked for, and at most.
    pub page_size: PageSize,
    /// Whether `next` is the address of the next page rather than a cursor.
    pub next_as_url: bool,
    /// Whether `next` on the last page is an empty text rather than null.
    pub ends_with_empty_text: bool,
    /// Whether `next` on the last page is left out.
    pub ends_without_next: bool,
    /// Whether every page leads back to the first one.
    pub loops: bool,
    /// Relations that stay ids although they are asked for in full.
    pub never_expanded: Vec<String>,
    /// Whether an unknown name in `expand` is refused with 400 rather than ignored.
    pub refuses_unknown_expand: bool,
    /// The time of day in date fields, `T00:00:00Z` as documented.
    pub time_in_dates: String,
    /// Whether field mappings can be listed; the plan decides.
    pub lists_field_mappings: bool,
    /// What the linked accounts say that they deliver of employees, in Merge's names; `None` if they do not say.
    pub supported_fields: Option<Vec<String>>,
    /// Open issues: the id of the linked account, and Merge's sentence.
    pub issues: Vec<(String, String)>,
    /// The limit of requests a minute that each account token has.
    pub rate_limit: Option<RateLimit>,
    /// Whether an answer 429 says after how many seconds to come back.
    pub tells_retry_after: bool,
    /// The clock of the guard that refuses everything for a minute after more than 20 failures in 10 seconds, over all
    /// keys and tokens.
    pub failure_guard: Option<SharedClock>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            now: "2026-03-02T06:00:00Z".to_owned(),
            tells_time: true,
            account_status: "COMPLETE".to_owned(),
            integration: ("PeopleHR".to_owned(), "peoplehr".to_owned()),
            account_type: "PRODUCTION".to_owned(),
            sync: Synchronisation::default(),
            people_so_far: None,
            detects_deletions: true,
            page_size: PageSize::new(30, 100),
            next_as_url: false,
            ends_with_empty_text: false,
            ends_without_next: false,
            loops: false,
            never_expanded: Vec::new(),
            refuses_unknown_expand: false,
            time_in_dates: "T00:00:00Z".to_owned(),
            lists_field_mappings: true,
            supported_fields: None,
            issues: Vec::new(),
            rate_limit: None,
            tells_retry_after: true,
            failure_guard: None,
        }
    }
}

/// How the synchronisation of employees stands. The default is one that ended well three hours ago.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synchronisation {
    /// Whether there is an entry for employees at all.
    pub is_listed: bool,
    /// `SYNCING`, `DONE`, `FAILED`, `DISABLED`, `PAUSED`, `PARTIALLY_SYNCED`, or a word of the future.
    pub status: String,
    /// Whether it is the first one.
    pub is_initial: bool,
    /// When it began.
    pub started: Option<String>,
    /// When the last one ended.
    pub finished: Option<String>,
    /// How that ended.
    pub result: Option<String>,
    /// When the last successful one began; left out if `None`, as before 2026.
    pub fresh_as_of: Option<String>,
    /// `IN_LAST_SYNC` or `IN_NEXT_SYNC` where people are filtered out at the source; left out if `None`.
    pub selective: Option<String>,
}

impl Default for Synchronisation {
    fn default() -> Self {
        Self {
            is_listed: true,
            status: "DONE".to_owned(),
            is_initial: false,
            started: Some("2026-03-02T02:40:00.118201Z".to_owned()),
            finished: Some("2026-03-02T03:00:00.550001Z".to_owned()),
            result: Some("DONE".to_owned()),
            fresh_as_of: None,
            selective: None,
        }
    }
}

impl Synchronisation {
    /// The first one, under way: the vendor's own sample has nulls where the specification has none.
    #[must_use]
    pub fn first() -> Self {
        Self {
            status: "SYNCING".to_owned(),
            is_initial: true,
            finished: None,
            result: None,
            ..Self::default()
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }
}
