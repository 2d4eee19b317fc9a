//! What the vendor's documentation leaves open, and its known quirks, as switches. The defaults are the documented or most
//! probable behaviour.

/// How the vendor says that a customer is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFoundStyle {
    /// 404, as documented.
    #[default]
    Http404,
    /// 400, as tests of one company have it.
    Http400,
    /// 200 with `"status":"error"`.
    Http200,
}

/// How the simulated vendor behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent switches")]
pub struct Behaviour {
    /// How "not found" is said.
    pub not_found: NotFoundStyle,
    /// Whether the organisation has the advanced search in place of the exact one.
    pub advanced_search: bool,
    /// Whether the advanced search also finds addresses that only begin alike.
    pub fuzzy_search: bool,
    /// Whether the answer to an update holds the id and nothing else.
    pub partial_updates: bool,
    /// Whether identifiers are shown in capitals.
    pub capital_ids: bool,
    /// Whether lists without content are `null`.
    pub null_lists: bool,
    /// Whether objects have keys that no documentation names.
    pub unknown_keys: bool,
    /// Whether times of Connect lack their zone.
    pub times_without_zone: bool,
    /// Whether the timeline shows the newest first.
    pub timeline_newest_first: bool,
    /// Whether times in the timeline are in milliseconds.
    pub timeline_in_milliseconds: bool,
    /// Whether times in the timeline are texts.
    pub timeline_as_text: bool,
    /// Whether awarding tells nothing beside `ok`.
    pub bare_deposits: bool,
    /// Whether buying tells nothing beside `ok`.
    pub bare_purchases: bool,
    /// Whether a new time of redemption is taken under the inferred names; otherwise it is ignored without a word.
    pub knows_date_names: bool,
    /// Whether two customers may have the same e-mail address, as in organisations that grew together.
    pub shared_emails: bool,
    /// Whether the notes can be read and written; what the call looks like is not public.
    pub has_notes: bool,
    /// Whether the wallet still shows offers that expired or were redeemed.
    pub wallet_shows_history: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            not_found: NotFoundStyle::default(),
            advanced_search: false,
            fuzzy_search: false,
            partial_updates: false,
            capital_ids: false,
            null_lists: false,
            unknown_keys: true,
            times_without_zone: false,
            timeline_newest_first: true,
            timeline_in_milliseconds: false,
            timeline_as_text: false,
            bare_deposits: false,
            bare_purchases: false,
            knows_date_names: true,
            shared_emails: false,
            has_notes: true,
            wallet_shows_history: false,
        }
    }
}
