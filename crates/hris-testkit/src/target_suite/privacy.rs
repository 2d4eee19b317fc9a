//! Behaviours of everything that can be seen from outside: no secret and no member's data, in health and in failure.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use hris_core::{MemberId, Outcome, Value};

use super::harness::{Planted, PlatformFault, TargetCase, TargetHarness};
use super::script::{
    Target, address, carry_out, carry_out_all, create, error_of, key, leave, queries, reactivate, update,
};
use super::stage::TargetStage;
use crate::suite::{Capture, Ran, around, chain, debug};

/// `Debug` and `Display` of the target, of members, outcomes and errors show neither a secret nor a member's data.
pub async fn nothing_shown_has_a_secret_or_a_members_data(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let shown = it.everything_shown().await;
    assert!(shown.len() > 2_000, "far too little was shown for this to mean anything: {} bytes", shown.len());
    it.shows_nobody(&shown, "`Debug` or `Display`");
    Ok(())
}

/// Nothing traced, at any level, has a secret or a member's data.
pub async fn nothing_traced_has_a_secret_or_a_members_data(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let capture = Capture::begin();
    let _shown = it.everything_shown().await;
    let traced = capture.end();
    it.shows_nobody(&traced, "a trace");
    Ok(())
}

impl TargetHarness {
    /// Does everything that can be done, well and badly, and gathers what is shown on the way.
    async fn everything_shown(&self) -> String {
        let planted = self.platform().plant(&Planted::new(self.person(8)).with_other());
        let mut shown = vec![debug(&planted)];
        {
            let target = self.good();
            shown.push(debug(&(&target, target.capabilities())));
            self.work(&target, 1, &mut shown).await;
            for (number, fault) in (20..).step_by(4).zip(FAULTS) {
                if self.platform().fault(fault.clone()) {
                    self.work(&target, number, &mut shown).await;
                    self.platform().clear_faults();
                }
            }
        }
        for case in [TargetCase::WrongToken, TargetCase::ReadOnly] {
            match self.platform().target(case) {
                Some(Ok(target)) => self.work(&target, 60, &mut shown).await,
                Some(Err(error)) => shown.push(chain(&error)),
                None => {}
            }
        }
        shown.concat()
    }

    /// One of everything, for people from a number on.
    async fn work(&self, target: &Target, from: u32, shown: &mut Vec<String>) {
        let nobody: MemberId = "no-such-member".into();
        let without_address = self.person_with(&key(from + 2), "no address");
        let taken = self.person_with(&key(from + 3), &address(8));
        let creates = [
            create(self.person(from), true),
            create(self.person(from + 1), false),
            create(without_address, true),
        ];
        let outcomes = self.patiently(carry_out_all(target, &creates)).await;
        let member = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Applied(member) => Some(member.clone()),
            _ => None,
        });
        let member = member.unwrap_or(nobody);
        for outcome in &outcomes {
            show(outcome, shown);
        }
        let actions = [
            create(self.person(from), true),
            create(taken, true),
            update(from, &member, self.second(0)),
            leave(from, &member),
            reactivate(from, &member, self.second(1)),
        ];
        for action in actions {
            shown.push(debug(&action.kind));
            show(&self.patiently(carry_out(target, action)).await, shown);
        }
        for query in queries(from, &member) {
            let found = self.patiently(target.find(&query)).await;
            shown.push(debug(&found));
            shown.extend(found.err().as_ref().map(chain));
        }
        if let Some(roster) = target.roster() {
            for item in self.patiently(roster.take(60).collect::<Vec<_>>()).await {
                shown.push(debug(&item));
                shown.extend(item.err().as_ref().map(chain));
            }
        }
    }

    /// Checks that a text holds neither a secret nor anything of a member.
    #[track_caller]
    fn shows_nobody(&self, text: &str, what: &str) {
        // Most lines come many times.
        let lines: BTreeSet<&str> = text.lines().collect();
        let text = lines.into_iter().collect::<Vec<_>>().join("\n");
        for secret in self.secrets() {
            let found = text.contains(secret.as_str());
            assert!(!found, "show no secret; {what} has one: {}", around(&text, secret));
        }
        for canary in self.canaries() {
            let found = text.contains(&canary);
            assert!(!found, "show no member's data; {what} has it: {}", around(&text, &canary));
        }
    }

    /// What must not be shown of members. Short values are left out: they are found inside other words.
    fn canaries(&self) -> Vec<String> {
        const SHORTEST: usize = 6;
        let values = self.samples().into_iter().flat_map(|sample| sample.values);
        let values =
            values.map(|value: Value| value.to_string()).filter(|text| text.chars().count() >= SHORTEST);
        values.chain(["persona.".to_owned(), "persona%2E".to_owned(), "@brisa.example".to_owned()]).collect()
    }
}

fn show(outcome: &Outcome, shown: &mut Vec<String>) {
    shown.push(debug(outcome));
    shown.extend(error_of(outcome).map(chain));
}

/// Faults that end by themselves or by the suite's patience.
const FAULTS: [PlatformFault; 6] = [
    PlatformFault::StoresAndFails,
    PlatformFault::AnswersAndForgets,
    PlatformFault::SlowsDown { after: 1 },
    PlatformFault::IsDown { after: 1 },
    PlatformFault::FindsFail,
    PlatformFault::RosterFails { after: 2 },
];
