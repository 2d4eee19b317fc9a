//! The company of the example: its people behind a simulated Merge, and what happens to them in a year.

use std::sync::Arc;

use chrono::{Days, TimeDelta};
use hris_core::Clock as _;
use hris_http::{BaseUrl, Transport};
use hris_merge::sim::{MergeSim, Synchronisation};
use hris_merge::{
    LinkRequest, MagicLink, MergeConfig, MergeConnector, MergeCredentials, WebhookEvent, Webhooks,
};
use hris_testkit::ManualClock;
use hris_testkit::population::{DayPlan, PersonStatus, Population};

use crate::Result;

const PEOPLE: usize = 200;

pub(crate) struct Company {
    sim: MergeSim,
    config: MergeConfig,
    transport: Transport,
    clock: ManualClock,
    /// There once the customer has authorised.
    connector: Option<MergeConnector>,
    /// Hires whose start is still to come.
    coming: Vec<String>,
}

impl Company {
    /// The id under which the portal asks for the company's link, kept before it does.
    pub(crate) const ORIGIN: &'static str = "cust-0042-hris";

    pub(crate) async fn start(clock: &ManualClock) -> Result<Self> {
        let day0 = clock.now().date_naive();
        let people = Population::new(2026).size(PEOPLE).day0(day0).without_oddities().build();
        let sim = MergeSim::start(people).await;
        let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build()?;
        // The simulator is ours, so that there is nobody to be gentle with.
        let config =
            MergeConfig::new().with_base_url(BaseUrl::parse(sim.url())?).with_requests_per_minute(None);
        sim.behave(|merge| merge.sync = Synchronisation::first());
        Ok(Self { sim, config, transport, clock: clock.clone(), connector: None, coming: Vec::new() })
    }

    /// The link that the customer gets: a page of Merge's own, which asks for the fields of campaigns only.
    pub(crate) async fn link(&self) -> Result<MagicLink> {
        let organisation = self.config.organisation(&MergeSim::API_KEY.into(), &self.transport)?;
        let request = LinkRequest::new(Self::ORIGIN, MergeSim::COMPANY, "people@lumen.example");
        let link = organisation.create_link(&request.with_magic_link().for_campaigns()).await?;
        link.magic.ok_or_else(|| "a magic link was asked for".into())
    }

    /// The customer clicks through; Merge's webhook brings the account token, and the origin id that it is of.
    pub(crate) fn click(&mut self, link: &MagicLink) -> Result<String> {
        let (signed, _) = self.sim.click(link.url(), self.sim.people()).ok_or("a link of ours")?;
        let webhooks = Webhooks::new([MergeSim::WEBHOOK_KEY.into()], Arc::new(self.clock.clone()))?;
        let webhook = webhooks.receive(Some(signed.signature()), signed.body())?;
        let WebhookEvent::Linked { account_token: Some(token), .. } = webhook.event else {
            return Err("the webhook of a new link brings its token".into());
        };
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token);
        self.connector = Some(self.config.clone().build(&credentials, &self.transport)?);
        Ok(webhook.origin_id.unwrap_or_default())
    }

    /// Merge has read the HR system for the first time.
    pub(crate) fn finish_first_sync(&mut self) {
        self.sim.behave(|merge| merge.sync = Synchronisation::default());
        self.tell_time();
    }

    pub(crate) fn connector(&self) -> Result<&MergeConnector> {
        self.connector.as_ref().ok_or_else(|| "the customer has not authorised yet".into())
    }

    pub(crate) fn people(&self) -> Population {
        self.sim.people()
    }

    /// The simulated Merge synchronised in the night.
    pub(crate) fn tell_time(&self) {
        let now = self.clock.now();
        self.sim.behave(|merge| {
            merge.now = now.to_rfc3339();
            merge.sync.started = Some((now - TimeDelta::hours(3)).to_rfc3339());
            merge.sync.finished = Some((now - TimeDelta::hours(2)).to_rfc3339());
        });
    }

    /// What a day brings: hires ahead every other week, one of whom starts later than planned; a leaver now and then;
    /// changes of names and addresses.
    pub(crate) fn next_day(&mut self, day: u32) {
        let plan = DayPlan {
            hires: if day.is_multiple_of(14) { 3 } else { 0 },
            due_starts: true,
            leavers: usize::from(day.is_multiple_of(9)),
            returns: usize::from(day == 200),
            field_changes: 2,
            email_changes: usize::from(day.is_multiple_of(11)),
            ..DayPlan::quiet()
        };
        let changes = self.sim.next_day(&plan);
        let mut people = self.sim.people();
        let today = people.today();
        for (weeks, record) in (1..).zip(changes.hired) {
            people.change(&record, |person| {
                person.start_date = Some(today + Days::new(7 * weeks));
                person.status = PersonStatus::Pending;
            });
            self.coming.push(record);
        }
        if day % 14 == 5 {
            self.postpone_one(&mut people);
        }
        self.sim.set_population(people);
    }

    /// Somebody who was to start soon starts six days later.
    fn postpone_one(&mut self, people: &mut Population) {
        let today = people.today();
        let start = |record: &String| people.person(record).and_then(|person| person.start_date);
        self.coming.retain(|record| start(record).is_some_and(|start| start > today));
        if let Some(record) = self.coming.first() {
            people.change(record, |person| {
                person.start_date = person.start_date.map(|start| start + Days::new(6));
            });
        }
    }
}
