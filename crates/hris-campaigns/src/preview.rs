//! What would happen: the next days' gifts, shown before a campaign is switched on. Nothing is kept.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::ledger::CampaignStatus;
use hris_core::{
    CampaignId, EmployeeRef, Error, ErrorKind, FieldSet, HrisConnector, ReadEvent, ReadQuery, Result, RunId,
};

use crate::conflict::{Overlap, overlaps};
use crate::job::{lacking, wanted_fields};
use crate::pass::{Pass, Presence};
use crate::report::CampaignReport;
use crate::scan::{Scan, Timing};
use crate::service::{Campaigns, Listed};
use crate::settle::wanted;
use crate::{Campaign, Occurrence, Span};

/// How far the seed's set-up looks ahead.
pub const PREVIEW_DAYS: u16 = 30;

/// One gift that would be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreviewedGift {
    /// The campaign.
    pub campaign: CampaignId,
    /// Who.
    pub who: EmployeeRef,
    /// When it is due.
    pub due: NaiveDate,
    /// Which time the date comes round.
    pub occurrence: Occurrence,
    /// It would be planned by the very first run: for new hires the whole window, at once.
    pub at_once: bool,
    /// The day is past: it would be sent late, at once.
    pub late: bool,
    /// The designated address is missing.
    pub lacks_address: bool,
}

/// What the next days would bring.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preview {
    /// The day it was made for.
    pub as_of: NaiveDate,
    /// Gifts by due date.
    pub gifts: Vec<PreviewedGift>,
    /// Campaigns that cannot run on this integration, with the remedy.
    pub not_delivered: BTreeMap<CampaignId, String>,
    /// Occasions that two campaigns contain, and which of them wins.
    pub overlaps: Vec<Overlap>,
    /// What was missing or odd about people, as a run would report it.
    pub report: CampaignReport,
}

impl Preview {
    /// How many gifts a campaign's first run would plan at once.
    pub fn at_once(&self, campaign: &str) -> usize {
        self.gifts.iter().filter(|gift| gift.at_once && gift.campaign.as_str() == campaign).count()
    }
}

impl Campaigns {
    /// What the next `days` would bring under every campaign that is a draft or runs. Reads the directory and keeps
    /// nothing.
    ///
    /// # Errors
    /// What the directory reports; [`ErrorKind::Incomplete`] for a reading that broke off; [`ErrorKind::Config`] for two
    /// equal campaigns.
    #[tracing::instrument(skip_all, fields(as_of = %as_of))]
    pub async fn preview(
        &self,
        connector: &dyn HrisConnector,
        as_of: NaiveDate,
        days: u16,
    ) -> Result<Preview> {
        let mut all = self.list().await?;
        all.retain(|listed| listed.status != CampaignStatus::Ended);
        let overlaps = overlaps(all.iter().map(|listed| &listed.campaign))?;
        let has: FieldSet = connector.fields().await?.into_iter().map(|field| field.field).collect();
        let mut not_delivered = BTreeMap::new();
        for listed in &all {
            if let Some(why) = lacking(listed.campaign.rule(), &has) {
                not_delivered.insert(listed.campaign.id().clone(), why);
            }
        }
        let wide = all.iter().map(|listed| (looking_ahead(&listed.campaign, days), listed.last_run));
        let scan = Scan::new(as_of, wide);
        let keys = self.person_keys().await?;
        let episodes = self.ledger.episodes(&self.connection).await?;
        let blocks = self.ledger.blocks(&self.connection).await?;
        let mut pass = Pass::new(&scan, &keys, [], episodes, blocks);
        let mut report = CampaignReport::new(RunId::from("preview"), as_of);
        take_in(connector, wanted_fields(&all), &mut pass, &mut report).await?;
        let mut gifts = self.gifts(&pass, &all, as_of).await?;
        gifts.retain(|gift| !not_delivered.contains_key(&gift.campaign));
        Ok(Preview { as_of, gifts, not_delivered, overlaps, report })
    }

    async fn gifts(&self, pass: &Pass<'_>, all: &[Listed], as_of: NaiveDate) -> Result<Vec<PreviewedGift>> {
        let wanted = wanted(pass);
        let ids: Vec<_> = wanted.iter().map(|wanted| wanted.id).collect();
        let known = self.ledger.sends(&self.connection, &ids).await?;
        let mut gifts = Vec::new();
        for (wanted, known) in wanted.iter().zip(known) {
            let is_over = known.is_some_and(|send| send.state().went_out());
            let is_planned = matches!(wanted.gift.timing, Timing::InTime | Timing::Late);
            let sighting = pass.sightings.get(&wanted.person);
            let (Some(listed), Some(sighting)) = (all.get(wanted.gift.campaign), sighting) else { continue };
            let Presence::Here(candidate) = &sighting.presence else { continue };
            if is_over || !is_planned || candidate.opted_out.contains(&wanted.gift.campaign) {
                continue;
            }
            let rule = listed.campaign.rule();
            gifts.push(PreviewedGift {
                campaign: listed.campaign.id().clone(),
                who: sighting.who.clone(),
                due: wanted.gift.due,
                occurrence: wanted.gift.occurrence,
                at_once: wanted.gift.due <= rule.window.on(as_of).1,
                late: wanted.gift.timing == Timing::Late,
                lacks_address: candidate.address(rule).is_none(),
            });
        }
        Ok(gifts)
    }
}

/// The same campaign with a longer look ahead, never a shorter one.
fn looking_ahead(campaign: &Campaign, days: u16) -> Campaign {
    let own = campaign.rule().window.look_ahead;
    let far = Span::Days(days);
    let start = NaiveDate::default();
    let ahead = if far.after(start) > own.after(start) { far } else { own };
    campaign.clone().looking_ahead(ahead)
}

async fn take_in(
    connector: &dyn HrisConnector,
    fields: FieldSet,
    pass: &mut Pass<'_>,
    report: &mut CampaignReport,
) -> Result<()> {
    let mut events = connector.read(ReadQuery::everyone(fields));
    while let Some(event) = events.try_next().await? {
        match event {
            ReadEvent::Employees(page) => page.iter().for_each(|employee| pass.see(employee, report)),
            ReadEvent::Rejected(row) => report.add(None, row.to_problem()),
            ReadEvent::End(_) => return Ok(()),
            _ => {}
        }
    }
    Err(Error::new(ErrorKind::Incomplete, "the reading ended without a receipt"))
}
