//! Behaviours of the roster: everybody exactly once across all pages, and no end where it broke off.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use hris_core::{MemberRecord, Result};

use super::harness::{PlatformFault, TargetCase, TargetHarness};
use super::script::{Target, applied, carry_out, carry_out_all, create, has, leave};
use super::stage::TargetStage;
use crate::suite::{NotOffered, Ran};

const NO_ROSTER: NotOffered = NotOffered("the target declares that it lists nobody");

/// There is a roster if and only if that is declared; one of nobody is empty, and no error.
pub async fn there_is_a_roster_as_declared(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.good();
    let lists = target.capabilities().lists;
    let Some(roster) = target.roster() else {
        assert!(!lists, "declare `lists` only where there is a roster");
        return Ok(());
    };
    assert!(lists, "declare `lists` where there is a roster");
    let listed: Vec<_> = it.patiently(roster.collect()).await;
    assert!(listed.is_empty(), "a roster of nobody is empty: {} items came", listed.len());
    Ok(())
}

/// The roster lists everybody exactly once, closed accounts among them, as they are, across all pages.
pub async fn the_roster_lists_everybody_exactly_once(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.paged()?;
    let people = it.fill(&target).await;
    let listed = it.listed(&target).await;
    let listed: Vec<MemberRecord> = listed
        .into_iter()
        .map(|item| item.unwrap_or_else(|error| panic!("list everybody; that failed: {error:?}")))
        .collect();
    let ids: BTreeSet<_> = listed.iter().map(|member| &member.id).collect();
    assert_eq!(ids.len(), listed.len(), "list nobody twice");
    assert_eq!(listed.len(), people, "list everybody, closed accounts among them");
    let there: BTreeMap<_, _> =
        it.platform().members().into_iter().map(|raw| (raw.id.clone(), raw)).collect();
    for member in &listed {
        let Some(raw) = there.get(&member.id) else {
            panic!("list nobody who is not there: {:?}", member.id)
        };
        assert!(has(&member.attributes, &raw.attributes), "list members as they are");
        assert_eq!(member.active, raw.active, "say who is open and who is closed");
    }
    Ok(())
}

/// A roster that breaks off ends with the error: whoever was not listed is not gone.
pub async fn a_roster_that_breaks_off_ends_with_an_error(stage: TargetStage) -> Ran {
    let it = stage.fresh().await;
    let target = it.paged()?;
    let people = it.fill(&target).await;
    for after in [0, people / 2] {
        it.faulty(PlatformFault::RosterFails { after }, "listings cannot be made to fail")?;
        let listed = it.listed(&target).await;
        it.platform().clear_faults();
        let failed = listed.iter().position(Result::is_err);
        let Some(place) = failed else {
            panic!(
                "a roster that breaks off ends with an error; {} of {people} were listed as all",
                listed.len()
            )
        };
        assert_eq!(place + 1, listed.len(), "list nobody after the error");
        assert!(place < people, "the harness's listing was to fail before everybody was listed");
    }
    let whole = it.listed(&target).await;
    assert!(
        whole.len() == people && whole.iter().all(Result::is_ok),
        "list everybody once the trouble is over"
    );
    Ok(())
}

impl TargetHarness {
    /// A target whose roster comes in several pages.
    fn paged(&self) -> Result<Target, NotOffered> {
        const FEW: u32 = 5;
        let target = match self.platform().target(TargetCase::PageSize(FEW)) {
            Some(Ok(target)) => target,
            Some(Err(error)) => panic!("build a target in the harness with small pages: {error:?}"),
            None => self.good(),
        };
        if target.capabilities().lists { Ok(target) } else { Err(NO_ROSTER) }
    }

    /// Creates as many members as a roster of several pages has, closes some, and gives their number.
    async fn fill(&self, target: &Target) -> usize {
        let size = self.roster_size();
        let creates: Vec<_> = (0..size).map(|n| create(self.person(1_000 + n), false)).collect();
        let outcomes = self.patiently(carry_out_all(target, &creates)).await;
        let members: Vec<_> =
            outcomes.into_iter().map(|outcome| applied(outcome, "a create for the roster")).collect();
        for (number, member) in (1_000..).zip(&members).step_by(7).take(20) {
            applied(carry_out(target, leave(number, member)).await, "a leaver for the roster");
        }
        members.len()
    }

    async fn listed(&self, target: &Target) -> Vec<Result<MemberRecord>> {
        let Some(mut roster) = target.roster() else { panic!("the target declares that it lists members") };
        let most = self.platform().members().len() * 3 + 100;
        let all = async {
            let mut listed = Vec::new();
            while let Some(item) = roster.next().await {
                listed.push(item);
                assert!(listed.len() < most, "end the roster: far more was listed than there are members");
            }
            listed
        };
        self.patiently(all).await
    }
}
