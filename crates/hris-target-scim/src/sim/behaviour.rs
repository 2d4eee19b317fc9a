//! How the simulated provider behaves: strict by default, and sloppy in the ways that real servers were seen to be.

/// What the simulated provider does where servers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub struct Behaviour {
    /// Whether PATCH is offered, and announced.
    pub patch: bool,
    /// PATCH answers 204 without a body, in place of 200 with the user.
    pub patch_without_content: bool,
    /// Two accounts may have one `externalId`.
    pub duplicate_external_ids: bool,
    /// Two accounts may have one e-mail address, as long as their user names differ.
    pub duplicate_emails: bool,
    /// What is made of filters.
    pub filters: FilterHabit,
    /// At most so many rows a page, whatever is asked for.
    pub page_cap: Option<usize>,
    /// Which rows a page begins with.
    pub paging: PagingHabit,
    /// Booleans are written as `"True"` and `"False"`, and accepted as texts.
    pub string_booleans: bool,
    /// Whether users have versions, and `If-Match` is heeded. Announced as it is.
    pub etags: bool,
    /// The most operations of a bulk request; `None`: bulk is not offered.
    pub bulk: Option<usize>,
    /// A bulk request ends with a 503 after so many operations; those that follow are absent from the answer.
    pub bulk_ends_after: Option<usize>,
    /// Unknown attributes and extensions are dropped silently, in place of 400.
    pub drops_unknown: bool,
    /// A filter with a value in the address is refused as `sensitive`; `.search` is expected.
    pub sensitive_filters: bool,
    /// Only `application/json` is accepted.
    pub plain_json_only: bool,
    /// Whether there is a ServiceProviderConfig.
    pub provider_config: bool,
    /// Paths with a filter are refused as `invalidPath`.
    pub filtered_paths: bool,
    /// Closed accounts are left out of listings.
    pub hides_inactive: bool,
    /// Core attributes are nested under their URN in answers.
    pub nests_core: bool,
    /// Whoever is created is invited: the integration's own switch.
    pub welcomes: bool,
    /// Days from closing to deletion.
    pub close_down_days: u32,
}

/// What is made of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterHabit {
    /// `eq` on `externalId`, `userName`, `emails.value` and `id`.
    Heeded,
    /// Everybody is found.
    Ignored,
    /// 400 `invalidFilter`.
    Refused,
}

/// Which rows a page begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagingHabit {
    /// The one that was asked for.
    Right,
    /// The one after it, as if `startIndex` counted from 0, where one is given: an account between pages is in none.
    SkipsOne,
    /// From the second page on, the one before it: every page repeats the last row of the page before.
    RepeatsOne,
    /// Always the first.
    AlwaysFirst,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            patch: true,
            patch_without_content: false,
            duplicate_external_ids: false,
            duplicate_emails: false,
            filters: FilterHabit::Heeded,
            page_cap: None,
            paging: PagingHabit::Right,
            string_booleans: false,
            etags: true,
            bulk: Some(50),
            bulk_ends_after: None,
            drops_unknown: false,
            sensitive_filters: false,
            plain_json_only: false,
            provider_config: true,
            filtered_paths: true,
            hides_inactive: false,
            nests_core: false,
            welcomes: true,
            close_down_days: 60,
        }
    }
}

impl Behaviour {
    /// The sloppy forms that the vendor page lists, each by its name.
    pub fn sloppy() -> Vec<(&'static str, Self)> {
        let sloppy = |change: fn(&mut Self)| {
            let mut behaviour = Self::default();
            change(&mut behaviour);
            behaviour
        };
        vec![
            ("patch answers 204", sloppy(|b| b.patch_without_content = true)),
            ("no patch", sloppy(|b| b.patch = false)),
            ("duplicate external ids", sloppy(|b| b.duplicate_external_ids = true)),
            ("filters ignored", sloppy(|b| b.filters = FilterHabit::Ignored)),
            ("filters refused", sloppy(|b| b.filters = FilterHabit::Refused)),
            ("page size clamped", sloppy(|b| b.page_cap = Some(3))),
            ("paging skips one", sloppy(|b| b.paging = PagingHabit::SkipsOne)),
            ("paging repeats one", sloppy(|b| b.paging = PagingHabit::RepeatsOne)),
            ("paging always first", sloppy(|b| b.paging = PagingHabit::AlwaysFirst)),
            ("string booleans", sloppy(|b| b.string_booleans = true)),
            ("no etags", sloppy(|b| b.etags = false)),
            ("bulk refused half-way", sloppy(|b| b.bulk_ends_after = Some(2))),
            ("no bulk", sloppy(|b| b.bulk = None)),
            ("unknown attributes dropped", sloppy(|b| b.drops_unknown = true)),
            ("sensitive filters", sloppy(|b| b.sensitive_filters = true)),
            ("plain json only", sloppy(|b| b.plain_json_only = true)),
            ("no provider config", sloppy(|b| b.provider_config = false)),
            ("no filtered paths", sloppy(|b| b.filtered_paths = false)),
            ("core nested", sloppy(|b| b.nests_core = true)),
        ]
    }
}
