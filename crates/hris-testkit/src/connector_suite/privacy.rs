//! Behaviours of everything that can be seen from outside: no secret and nobody's data, in health and in failure.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use hris_core::{EmployeeRef, HrisConnector, ReadQuery};

use super::harness::{Case, ConnectorHarness};
use super::people::everybody;
use super::stage::{Ran, Stage};
use crate::population::Person;
use crate::sim::Fault;
use crate::suite::{Capture, around, chain, debug};

/// `Debug` and `Display` of connectors, accounts, fields, events, receipts, people and errors show neither a secret
/// nor anybody's data, whatever fails.
pub async fn nothing_shown_holds_a_secret_or_somebodys_data(stage: Stage) -> Ran {
    let it = stage.with(everybody()).await;
    let shown = it.everything_shown().await;
    assert!(
        shown.len() > 10_000,
        "far too little was shown for this to mean anything: {} bytes",
        shown.len()
    );
    it.shows_nobody(&shown, "`Debug` or `Display`");
    Ok(())
}

/// Nothing traced, at any level, holds a secret or anybody's data, whatever fails.
pub async fn nothing_traced_holds_a_secret_or_somebodys_data(stage: Stage) -> Ran {
    let it = stage.with(everybody()).await;
    let capture = Capture::begin();
    let _shown = it.everything_shown().await;
    let traced = capture.end();
    it.shows_nobody(&traced, "a trace");
    Ok(())
}

impl ConnectorHarness {
    /// Does everything that can be done, well and badly, and gathers what is shown on the way.
    async fn everything_shown(&self) -> String {
        let connector = self.good();
        let mut shown =
            vec![debug(&connector), debug(&connector.check().await), debug(&connector.fields().await)];
        shown.push(self.reading_shown(&*connector).await);
        for person in self.population().listed().take(3) {
            let expected = self.expected(person);
            let who =
                EmployeeRef { employee_id: expected.employee_id.value().cloned(), record: expected.record };
            let found = connector.employee(&who, &self.every_field()).await;
            shown.push(debug(&found));
            shown.extend(found.err().as_ref().map(chain));
        }
        for case in [Case::RefusedCredential, Case::MissingPermission, Case::OtherAccount] {
            if let Some(Ok(connector)) = self.vendor().connector(case) {
                shown.extend(connector.check().await.err().as_ref().map(chain));
                shown.push(self.reading_shown(&*connector).await);
            }
        }
        shown.push(self.failures_shown().await);
        shown.concat()
    }

    async fn failures_shown(&self) -> String {
        let Some(server) = self.vendor().server() else { return String::new() };
        // A case above may be one that the harness made with a fault of its own.
        server.faults().clear();
        let mut shown = Vec::new();
        for fault in [Fault::status(500), Fault::status(400), Fault::Html, Fault::BrokenJson, Fault::Refused]
        {
            server.faults().add(self.on_listings(fault.clone().always()).after(1));
            shown.push(self.reading_shown(&*self.good()).await);
            server.faults().clear();
            server.faults().add(fault.always());
            let connector = self.good();
            shown.push(self.reading_shown(&*connector).await);
            shown.extend(connector.check().await.err().as_ref().map(chain));
            server.faults().clear();
        }
        shown.concat()
    }

    async fn reading_shown(&self, connector: &dyn HrisConnector) -> String {
        let mut events = connector.read(ReadQuery::everyone(self.every_field()));
        let mut shown = String::new();
        while let Some(event) = events.next().await {
            shown.push_str(&debug(&event));
            if let Err(error) = event {
                shown.push_str(&chain(&error));
                break;
            }
        }
        shown
    }

    /// Checks that a text holds none of the harness's secrets.
    #[track_caller]
    pub(crate) fn shows_no_secret(&self, text: &str, what: &str) {
        for secret in self.secrets() {
            assert!(
                !text.contains(secret.as_str()),
                "show no secret; {what} has one: {}",
                around(text, secret)
            );
        }
    }

    /// Checks that a text holds neither a secret nor anything of anybody in the population.
    #[track_caller]
    fn shows_nobody(&self, text: &str, what: &str) {
        // Most lines come thousands of times.
        let lines: BTreeSet<&str> = text.lines().collect();
        let text = lines.into_iter().collect::<Vec<_>>().join("\n");
        let text = text.as_str();
        self.shows_no_secret(text, what);
        for person in self.population().people() {
            for canary in canaries(person) {
                assert!(
                    !text.contains(&canary),
                    "show nobody's data; {what} has it: {}",
                    around(text, &canary)
                );
            }
        }
    }
}

/// What must not be shown of a person. Short names are left out: they are found inside other words.
fn canaries(person: &Person) -> Vec<String> {
    const SHORTEST: usize = 6;
    let texts = [
        &person.first_name,
        &person.last_name,
        &person.second_last_name,
        &person.work_email,
        &person.personal_email,
        &person.phone,
    ];
    let texts = texts.into_iter().flatten().filter(|text| text.chars().count() >= SHORTEST).cloned();
    texts.chain(person.birth_date.map(|date| date.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_with_an_address_has_something_to_be_found_by() {
        let people = everybody();
        let with_address = people.people().iter().filter(|person| person.email_key().is_some());
        assert!(with_address.into_iter().all(|person| !canaries(person).is_empty()));
    }
}
