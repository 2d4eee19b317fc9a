//! Campaigns as documents with a version, and what their end does to their Sends.

use hris_core::ErrorKind;
use hris_core::ledger::{Batch, CampaignStatus, CancelReason, SendState, Stage};

use super::fixture::{
    Fixture, LedgerHarness, batch, campaign, connection, due, new, other_connection, purge, recipient,
    scheduled, send,
};

/// Campaigns are listed by id, as they were written.
pub async fn campaigns_come_back_as_written(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    assert_eq!(it.ledger.campaigns(&connection()).await.unwrap(), []);
    let [hires, birthdays] =
        [campaign("hires", 1, CampaignStatus::Draft), campaign("birthdays", 1, CampaignStatus::Live)];
    it.ledger.put_campaign(&connection(), &hires, purge()).await.unwrap();
    it.ledger.put_campaign(&connection(), &birthdays, purge()).await.unwrap();
    assert_eq!(it.harness.reopen().campaigns(&connection()).await.unwrap(), [birthdays, hires]);
}

/// Two who change a campaign at once do not overwrite each other.
pub async fn a_campaign_changed_from_an_old_version_is_refused(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.ledger.put_campaign(&connection(), &campaign("c", 1, CampaignStatus::Live), purge()).await.unwrap();
    let paused = campaign("c", 2, CampaignStatus::Paused);
    it.ledger.put_campaign(&connection(), &paused, purge()).await.unwrap();
    for version in [1, 2, 4] {
        let late = campaign("c", version, CampaignStatus::Ended);
        let error = it.ledger.put_campaign(&connection(), &late, purge()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stale, "version {version}");
    }
    assert_eq!(it.ledger.campaigns(&connection()).await.unwrap(), [paused]);
}

/// The day of the last run is the run's to write.
pub async fn an_edit_keeps_the_day_of_the_last_run(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.ledger.put_campaign(&connection(), &campaign("c", 1, CampaignStatus::Live), purge()).await.unwrap();
    let day = "2026-03-01".parse().unwrap();
    let run = Batch { last_runs: vec![("c".into(), day)], ..Batch::default() };
    it.ledger.commit(&it.lease, &run).await.unwrap();
    it.ledger.put_campaign(&connection(), &campaign("c", 2, CampaignStatus::Live), purge()).await.unwrap();
    let campaigns = it.ledger.campaigns(&connection()).await.unwrap();
    assert_eq!(campaigns.first().and_then(|campaign| campaign.last_run), Some(day));
}

/// What was begun or delivered stays; what waits is cancelled.
pub async fn ending_a_campaign_cancels_what_waits_and_nothing_else(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.ledger
        .put_campaign(&connection(), &campaign("birthdays", 1, CampaignStatus::Live), purge())
        .await
        .unwrap();
    let mut foreign = scheduled(5, "2026-03-05");
    foreign.campaign = "hires".into();
    let stages = [
        send(1, Stage::Planned(due("2026-03-05"))),
        scheduled(2, "2026-03-05"),
        send(3, Stage::Active(due("2026-03-05"), recipient(3))),
        send(4, Stage::Delivered(recipient(4), purge())),
        foreign,
    ];
    it.write(stages).await;
    let ended = campaign("birthdays", 2, CampaignStatus::Ended);
    it.ledger.put_campaign(&connection(), &ended, purge()).await.unwrap();
    let after = it.get(2).await.unwrap();
    let kept = Some((recipient(2), purge()));
    assert_eq!(after.stage, Stage::Cancelled(CancelReason::CampaignEnded, kept));
    assert_eq!(it.state(1).await, SendState::Cancelled);
    assert_eq!(it.state(3).await, SendState::Active);
    assert_eq!(it.state(4).await, SendState::Delivered);
    assert_eq!(it.state(5).await, SendState::Scheduled, "another campaign goes on");
}

/// A run that began before the end plans nothing after it.
pub async fn an_ended_campaign_takes_nothing_that_waits(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let ended = campaign("birthdays", 1, CampaignStatus::Ended);
    it.ledger.put_campaign(&connection(), &ended, purge()).await.unwrap();
    let late = scheduled(1, "2026-03-05");
    let left_out = it.ledger.commit(&it.lease, &batch([new(late.clone())])).await.unwrap();
    assert_eq!(left_out, [late.id]);
    assert_eq!(it.get(1).await, None);
}

/// Equal ids are different campaigns.
pub async fn campaigns_of_two_connections_stay_apart(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.ledger.put_campaign(&connection(), &campaign("c", 1, CampaignStatus::Live), purge()).await.unwrap();
    it.ledger
        .put_campaign(&other_connection(), &campaign("c", 1, CampaignStatus::Draft), purge())
        .await
        .unwrap();
    let ours = it.ledger.campaigns(&connection()).await.unwrap();
    assert_eq!(ours, [campaign("c", 1, CampaignStatus::Live)]);
}
