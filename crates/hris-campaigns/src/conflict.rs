//! Campaigns of one connection beside each other: who wins an occasion that two contain.

use hris_core::{CampaignId, Error, Result};

use crate::Campaign;

/// An occasion that two campaigns contain. The more specific one gives the gift.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// The campaign that gives the gift.
    pub winner: CampaignId,
    /// The campaign that stands back.
    pub loser: CampaignId,
    /// The first year of service that both contain; `None` where occasions have none.
    pub year: Option<u16>,
}

/// Whether two campaigns are about the same occasions, so that a person would be due under both on one day.
pub(crate) fn same_occasions(one: &Campaign, other: &Campaign) -> bool {
    let (one, other) = (one.rule(), other.rule());
    one.anchor == other.anchor && one.recurrence == other.recurrence && one.offset_days == other.offset_days
}

/// Finds overlaps among campaigns that run side by side.
///
/// # Errors
/// [`hris_core::ErrorKind::Config`] where two are equally specific: everybody in both would get two gifts.
pub fn overlaps<'a>(campaigns: impl IntoIterator<Item = &'a Campaign>) -> Result<Vec<Overlap>> {
    let campaigns: Vec<_> = campaigns.into_iter().collect();
    let mut found = Vec::new();
    for (index, one) in campaigns.iter().enumerate() {
        for other in campaigns.iter().skip(index + 1) {
            found.extend(overlap(one, other)?);
        }
    }
    Ok(found)
}

fn overlap(one: &Campaign, other: &Campaign) -> Result<Option<Overlap>> {
    if !same_occasions(one, other) || one.rule().filter.excludes(&other.rule().filter) {
        return Ok(None);
    }
    let (ours, theirs) = (&one.rule().milestones, &other.rule().milestones);
    let Some(year) = ours.shared(theirs) else {
        return Ok(None);
    };
    let (winner, loser) = match ours.specificity().cmp(&theirs.specificity()) {
        std::cmp::Ordering::Greater => (one, other),
        std::cmp::Ordering::Less => (other, one),
        std::cmp::Ordering::Equal => {
            let message = "two campaigns would give two gifts for one occasion";
            return Err(Error::config(
                message,
                "end one of them, or separate them by milestones or a filter",
            )
            .with_context("campaign", one.id())
            .with_context("other", other.id()));
        }
    };
    let is_counted = matches!(one.rule().anchor, crate::Anchor::Service(_))
        && one.rule().recurrence == crate::Recurrence::Yearly;
    Ok(Some(Overlap {
        winner: winner.id().clone(),
        loser: loser.id().clone(),
        year: is_counted.then_some(year),
    }))
}
