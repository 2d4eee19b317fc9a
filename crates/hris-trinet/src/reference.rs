//! The company's own lists: read only if a row names something by its id alone, and then once for a reading.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use hris_core::{Employee, Field, Problem, Result, rule};
use hris_http::lenient::Cell;

use crate::client::Client;
use crate::errors::is_fatal;
use crate::wire::{self, Department, Job, Location};

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Departments,
    Locations,
    Jobs,
}

impl List {
    /// The operation, and the last segment of its path.
    pub(crate) fn operation(self) -> (&'static str, &'static str) {
        match self {
            Self::Departments => ("trinet.departments", "departments"),
            Self::Locations => ("trinet.locations", "locations"),
            Self::Jobs => ("trinet.jobs", "jobs"),
        }
    }

    fn read(self, body: &[u8]) -> Result<Names> {
        Ok(match self {
            Self::Departments => {
                named(&wire::read_list(body)?, |unit: &Department<'_>| (&unit.id, &unit.name))
            }
            Self::Locations => named(&wire::read_list(body)?, |unit: &Location<'_>| (&unit.id, &unit.name)),
            Self::Jobs => named(&wire::read_list(body)?, |job: &Job<'_>| (&job.code, &job.title)),
        })
    }

    fn field(self, employee: &mut Employee) -> &mut Field<String> {
        match self {
            Self::Departments => &mut employee.department,
            Self::Locations => &mut employee.location,
            Self::Jobs => &mut employee.job_title,
        }
    }
}

type Names = HashMap<String, String>;

fn named<'r, 'a: 'r, T: 'r>(items: &'r [T], parts: impl Fn(&'r T) -> (&'r Cell<'a>, &'r Cell<'a>)) -> Names {
    let pair = |item| {
        let (id, name) = parts(item);
        Some((id.written()?.to_owned(), name.written()?.to_owned()))
    };
    items.iter().filter_map(pair).collect()
}

/// The lists that were read so far. One that was refused is not asked for again.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    read: HashMap<List, Option<Names>>,
    unknown: HashMap<List, u64>,
}

impl Reference {
    /// Gives an employee the name behind an id. A name that cannot be found leaves the field as it is.
    ///
    /// # Errors
    /// Only what ends the reading as a whole.
    pub(crate) async fn fill(
        &mut self,
        client: &Client,
        employee: &mut Employee,
        list: List,
        id: &str,
    ) -> Result<()> {
        let names = match self.read.entry(list) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => place.insert(names(client, list).await?),
        };
        match names.as_ref().and_then(|names| names.get(id)) {
            Some(name) => *list.field(employee) = Field::Value(name.clone()),
            None => *self.unknown.entry(list).or_default() += 1,
        }
        Ok(())
    }

    /// What could not be found, and why.
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        let lists = [List::Departments, List::Locations, List::Jobs];
        lists.into_iter().filter_map(|list| self.warning(list)).collect()
    }

    fn warning(&self, list: List) -> Option<Problem> {
        let people = self.unknown.get(&list)?;
        let (what, field) = match list {
            List::Departments => ("departments", "department"),
            List::Locations => ("locations", "location"),
            List::Jobs => ("jobs", "job_title"),
        };
        let why = match self.read.get(&list) {
            Some(Some(_)) => "does not have their ids",
            _ => "could not be read; ask TriNet to grant it to these credentials",
        };
        let message = format!("{people} people have an id in place of a name, and the list of {what} {why}");
        Some(Problem::warning(rule::JOIN_FAILED, message).at(field))
    }
}

/// The names of a list; `None` where it cannot be read, which is no matter for anything else.
async fn names(client: &Client, list: List) -> Result<Option<Names>> {
    match client.list(list, |body| list.read(body)).await {
        Ok(names) => Ok(Some(names)),
        Err(error) if is_fatal(&error) => Err(error),
        Err(error) => {
            tracing::warn!(operation = list.operation().0, kind = ?error.kind(), "a list was not read");
            Ok(None)
        }
    }
}
