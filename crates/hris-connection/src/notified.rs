//! Readings that the HR system's own notifications ask for: as few runs as there is something to read, however many
//! notifications come.

use chrono::{DateTime, Utc};
use hris_core::{EmployeeRef, Result, RunId, Trigger};

use crate::connection::Connection;
use crate::stage::Step;
use crate::timetable::RunRequest;

/// From so many people on, reading everyone is less work than reading each.
const MANY: usize = 20;

impl Connection {
    /// Asks for a reading because the HR system said that a person changed, or that something did. Answers the run that
    /// will do it.
    ///
    /// One that waits for the same person, or for everyone, is enough; one that is under way is not, since it may have
    /// been there already. Where many people wait, one reading of everyone takes their place. In quarantine nothing is
    /// asked for (`None`): the next attempt reads everyone.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](hris_core::ErrorKind::Conflict) unless the connection is live.
    pub fn request_notified(
        &mut self,
        person: Option<&EmployeeRef>,
        now: DateTime<Utc>,
    ) -> Result<Option<RunId>> {
        Step::Run.check(self.stage)?;
        if self.health.quarantine.is_some() {
            return Ok(None);
        }
        if let Some(waiting) = self.waiting().find(|request| covers(request, person)) {
            return Ok(Some(waiting.run.clone()));
        }
        let people = self.waiting().filter(|request| is_notified(request)).count();
        let person = person.filter(|_| people < MANY);
        if person.is_none() {
            let running = self.running_name().cloned();
            self.timetable
                .requests
                .retain(|request| !is_notified(request) || running.as_ref() == Some(&request.run));
        }
        let run = self.free_run(&format!("webhook {}", now.format("%Y-%m-%dT%H:%M:%S%.3fZ")));
        let mut request = RunRequest::everyone(run.clone(), "webhook", now).started_by(Trigger::Webhook);
        request.person = person.cloned();
        self.timetable.requests.push(request);
        Ok(Some(run))
    }

    /// A name for a run that no other one has, since runs of one name are one: `wanted`, with a number if need be.
    pub fn free_run(&self, wanted: &str) -> RunId {
        let asked = self.timetable.requests.iter().map(|request| &request.run);
        let known = asked.chain(self.timetable.last.as_ref()).chain(self.running_name());
        let taken = known.filter_map(|run| match run.as_str().strip_prefix(wanted)? {
            "" => Some(1),
            number => number.strip_prefix(" no ")?.parse::<u64>().ok(),
        });
        match taken.max() {
            None => RunId::from(wanted),
            Some(last) => RunId::from(format!("{wanted} no {}", last.saturating_add(1))),
        }
    }

    /// What was asked for and is not under way.
    fn waiting(&self) -> impl Iterator<Item = &RunRequest> {
        let running = self.running_name();
        self.timetable.requests.iter().filter(move |request| running != Some(&request.run))
    }

    fn running_name(&self) -> Option<&RunId> {
        self.timetable.running.as_ref().map(|running| &running.run)
    }
}

fn is_notified(request: &RunRequest) -> bool {
    request.trigger == Trigger::Webhook
}

/// Whether what is asked for is what the request will do anyway.
fn covers(request: &RunRequest, person: Option<&EmployeeRef>) -> bool {
    match (&request.person, person) {
        (None, _) => true,
        (Some(asked), Some(person)) => asked.record == person.record,
        (Some(_), None) => false,
    }
}
