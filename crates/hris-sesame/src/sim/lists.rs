//! Filters, order and pages of the vendor's lists.

use std::sync::Arc;

use hris_testkit::population::Person;
use hris_testkit::sim::{Page, SimRequest};
use serde_json::{Value, json};

use super::behaviour::Behaviour;
use super::render::{self, unit_id};

/// One row of a list: who it is about, and which of that person's rows it is.
pub(super) type Entry<T> = (usize, T);

/// What a request for employees asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EmployeeFilter {
    /// Wanted status words; `None` for everyone.
    statuses: Option<Vec<String>>,
    code: Option<String>,
    email: Option<String>,
    departments: Vec<String>,
    offices: Vec<String>,
    order: Option<String>,
}

impl EmployeeFilter {
    /// Reads the query. `Err` is the name of a parameter that the vendor refuses.
    pub(super) fn read(request: &SimRequest, behaviour: &Behaviour) -> Result<Self, &'static str> {
        let asked = values(request, "status");
        let known = asked.iter().all(|word| word == "active" || word == "inactive");
        if !known && behaviour.refuses_unknown_status {
            return Err("status");
        }
        let statuses = match (asked.is_empty(), behaviour.lists_inactive_by_default) {
            _ if behaviour.ignores_status_filter || !known => None,
            (false, _) => Some(asked),
            (true, false) => Some(vec!["active".to_owned()]),
            (true, true) => None,
        };
        Ok(Self {
            statuses,
            code: request.query("code").map(str::to_owned),
            email: request.query("email").map(str::to_owned),
            departments: values(request, "departmentIds"),
            offices: values(request, "officeIds"),
            order: request.query("orderBy").map(str::to_owned),
        })
    }

    /// Whether the rows come in an order of their own rather than in the one asked for.
    pub(super) fn is_unordered(&self) -> bool {
        self.order.is_none()
    }

    /// The positions of the people who fit, in the order asked for.
    pub(super) fn select(&self, people: &[Person]) -> Vec<Entry<()>> {
        let all = people.iter().enumerate();
        let mut fitting: Vec<(usize, &Person)> = all.filter(|(_, person)| self.fits(person)).collect();
        if let Some(order) = &self.order {
            for key in order.rsplit(',') {
                sort(&mut fitting, key.trim());
            }
        }
        fitting.into_iter().map(|(at, _)| (at, ())).collect()
    }

    fn fits(&self, person: &Person) -> bool {
        let unit_fits = |wanted: &[String], prefix: &str, name: &Option<String>| {
            let id = name.as_deref().map(|name| unit_id(prefix, name));
            wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id))
        };
        person.is_listed()
            && self
                .statuses
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|word| word == status_group(person)))
            && self.code.as_ref().is_none_or(|code| person.employee_number.as_ref() == Some(code))
            && self.email.as_ref().is_none_or(|email| person.work_email.as_ref() == Some(email))
            && unit_fits(&self.departments, "a3a1f7d0", &person.department)
            && unit_fits(&self.offices, "c7e0b9a2", &person.location)
    }
}

/// The pass in which a person is listed: with a status word of the future they count as employed.
fn status_group(person: &Person) -> &'static str {
    if render::status(person) == "inactive" { "inactive" } else { "active" }
}

/// A parameter with one value, a list with commas, a repeated key, or an operator: `a=1`, `a=1,2`, `a[]=1`,
/// `a[in]=1,2`.
fn values(request: &SimRequest, name: &str) -> Vec<String> {
    let names = [name.to_owned(), format!("{name}[]"), format!("{name}[in]")];
    let given = names.iter().flat_map(|name| request.query_all(name));
    given.flat_map(|list| list.split(',')).map(|word| word.trim().to_owned()).collect()
}

fn sort(people: &mut [(usize, &Person)], key: &str) {
    let (field, direction) = key.split_once(' ').unwrap_or((key, "asc"));
    match field {
        "createdAt" => people.sort_by_key(|(_, person)| person.created_at),
        "updatedAt" => people.sort_by_key(|(_, person)| person.modified_at),
        "firstName" => people.sort_by(|a, b| a.1.first_name.cmp(&b.1.first_name)),
        "lastName" => people.sort_by(|a, b| a.1.last_name.cmp(&b.1.last_name)),
        _ => return,
    }
    if direction.trim().eq_ignore_ascii_case("desc") {
        people.reverse();
    }
}

/// The part of a list that a request asks for, with its meta block. Without an order of their own, rows start
/// anywhere: `turn` moves on with every request.
pub(super) fn page<T: Copy>(
    rows: &Arc<[Entry<T>]>,
    request: &SimRequest,
    behaviour: &Behaviour,
    turn: usize,
) -> (Vec<Entry<T>>, Value) {
    let size = behaviour.page_size.read(request.query("limit"));
    let page = Page::numbered(rows, request.query("page"), size);
    let start = size.saturating_mul(page.number - 1);
    let places = start..start + page.items.len();
    let turned = places.filter_map(|place| rows.get((place + turn) % rows.len().max(1)).copied());
    let last = if behaviour.last_page_zero && rows.is_empty() { 0 } else { page.last };
    let meta = json!({ "currentPage": page.number, "lastPage": last, "total": page.total, "perPage": size });
    (turned.collect(), meta)
}
