//! Filters, order and pages of the vendor's listing of employees: a keyset over the time of the last change, as its
//! documented cursors suggest, so that a record that is changed in between moves to the end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use hris_testkit::population::Person;
use hris_testkit::sim::SimRequest;

use super::render;

/// The place of a person in the order of the listing.
pub(super) type Place = (DateTime<Utc>, usize);

/// What a request asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    texts: Vec<(&'static str, String)>,
    groups: Vec<String>,
    stamps: Vec<(&'static str, DateTime<Utc>)>,
    pub(super) with_deleted: bool,
    pub(super) with_shells: bool,
}

/// Filters by an exact value.
const TEXTS: [&str; 7] = [
    "employment_status",
    "work_email",
    "personal_email",
    "first_name",
    "last_name",
    "employee_number",
    "remote_id",
];
/// Filters by a point in time.
const STAMPS: [&str; 8] = [
    "modified_after",
    "modified_before",
    "created_after",
    "created_before",
    "started_after",
    "started_before",
    "terminated_after",
    "terminated_before",
];

impl Filter {
    /// Reads the query. `Err` is the name of a parameter that the vendor refuses.
    pub(super) fn read(request: &SimRequest) -> Result<Self, &'static str> {
        let texts = TEXTS.iter().filter_map(|name| Some((*name, request.query(name)?.to_owned())));
        let mut stamps = Vec::new();
        for name in STAMPS {
            if let Some(text) = request.query(name) {
                let at = DateTime::parse_from_rfc3339(text).map_err(|_| name)?;
                stamps.push((name, at.to_utc()));
            }
        }
        let groups = request.query("groups").unwrap_or_default();
        Ok(Self {
            texts: texts.collect(),
            groups: groups.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            stamps,
            with_deleted: request.query("include_deleted_data") == Some("true"),
            with_shells: request.query("include_shell_data") == Some("true"),
        })
    }

    pub(super) fn fits(&self, person: &Person) -> bool {
        let text_fits = |(name, wanted): &(&str, String)| {
            let value = match *name {
                "employment_status" => Some(render::status(person)),
                "work_email" => person.work_email.as_deref(),
                "personal_email" => person.personal_email.as_deref(),
                "first_name" => person.first_name.as_deref(),
                "last_name" => person.last_name.as_deref(),
                "employee_number" => person.employee_number.as_deref(),
                _ => Some(person.record_id.as_str()),
            };
            value == Some(wanted.as_str())
        };
        let group_fits =
            self.groups.is_empty() || self.groups.iter().any(|id| render::group_ids(person).contains(id));
        group_fits
            && self.texts.iter().all(text_fits)
            && self.stamps.iter().all(|(name, at)| stamp_fits(person, name, *at))
    }
}

fn stamp_fits(person: &Person, name: &str, bound: DateTime<Utc>) -> bool {
    let midnight =
        |date: Option<NaiveDate>| date.and_then(|date| date.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
    let value = match name.split('_').next() {
        Some("modified") => Some(person.modified_at),
        Some("created") => Some(person.created_at),
        Some("started") => midnight(person.start_date),
        _ => midnight(person.end_date),
    };
    // Inclusive or not is not documented; a client has to bear both, and exclusive loses more.
    value.is_some_and(|value| if name.ends_with("_after") { value > bound } else { value < bound })
}

/// Everybody's places in order.
pub(super) fn order(people: &[Person]) -> Vec<Place> {
    let mut order: Vec<_> = people.iter().enumerate().map(|(at, person)| (person.modified_at, at)).collect();
    order.sort_unstable();
    order
}

/// The cursor that leads on from a place.
pub(super) fn cursor(direction: char, (at, position): Place, generation: u64) -> String {
    STANDARD.encode(format!("{direction}={}&o={position}&g={generation}", at.to_rfc3339()))
}

/// The place that a cursor leads on from; `None` if the cursor is none of this generation.
pub(super) fn place(cursor: &str, generation: u64) -> Option<Place> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (at, rest) = text.strip_prefix("p=")?.split_once("&o=")?;
    let (position, known) = rest.split_once("&g=")?;
    if known.parse::<u64>() != Ok(generation) {
        return None;
    }
    Some((DateTime::parse_from_rfc3339(at).ok()?.to_utc(), position.parse().ok()?))
}
