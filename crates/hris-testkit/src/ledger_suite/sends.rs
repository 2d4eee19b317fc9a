//! Sends: written from the state that is expected, found, and listed in their order.

use hris_core::ledger::{CancelReason, Send, SendGroup, SendState, Stage};

use super::fixture::{
    Fixture, LedgerHarness, batch, change, connection, due, due_on, id, month, new, now, other_connection,
    purge, recipient, scheduled, send,
};

/// All that a stage holds is kept, and nothing else.
pub async fn every_stage_comes_back_as_written(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let kept = |number| Some((recipient(number), purge()));
    let mut stages = vec![
        Stage::Planned(due("2026-03-05")),
        Stage::Scheduled(due("2026-02-28"), recipient(1)),
        Stage::Active(due("2024-02-29"), recipient(2)),
        Stage::Delivered(recipient(3), month("2026-12")),
        Stage::Uncertain(recipient(4), month("2027-01")),
        Stage::Claimed(kept(5)),
        Stage::Claimed(None),
        Stage::Expired(kept(7)),
        Stage::Expired(None),
    ];
    stages.extend(CancelReason::ALL.map(|reason| Stage::Cancelled(reason, None)));
    stages.push(Stage::Cancelled(CancelReason::Left, kept(18)));
    let sends: Vec<_> = (0u8..).zip(stages).map(|(number, stage)| send(number, stage)).collect();
    it.write(sends.clone()).await;
    let ids: Vec<_> = sends.iter().rev().map(|send| send.id).chain([id(200)]).collect();
    let found = it.harness.reopen().sends(&connection(), &ids).await.unwrap();
    let expected: Vec<_> = sends.into_iter().rev().map(Some).chain([None]).collect();
    assert_eq!(found, expected);
}

/// A Send that is not as expected stays as it is, and the rest of the batch is written.
pub async fn a_change_is_made_only_from_the_state_it_expects(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.write([scheduled(1, "2026-03-05")]).await;
    let active = send(1, Stage::Active(due("2026-03-05"), recipient(1)));
    let changes = [
        new(scheduled(1, "2026-03-06")),
        change(SendState::Planned, active.clone()),
        change(SendState::Scheduled, send(2, Stage::Planned(due("2026-03-05")))),
        new(scheduled(3, "2026-03-05")),
        change(SendState::Scheduled, active.clone()),
    ];
    let left_out = it.ledger.commit(&it.lease, &batch(changes)).await.unwrap();
    assert_eq!(left_out, [id(1), id(1), id(2)]);
    assert_eq!(it.get(1).await, Some(active));
    assert_eq!(it.get(2).await, None);
    assert_eq!(it.state(3).await, SendState::Scheduled);
}

/// Neither read nor written under another connection.
pub async fn a_send_of_another_connection_is_never_touched(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let theirs = scheduled(1, "2026-03-02");
    assert!(it.ledger.swap(&other_connection(), &new(theirs.clone())).await.unwrap());
    let ours = send(1, Stage::Active(due("2026-03-02"), recipient(9)));
    for taken in [new(ours.clone()), change(SendState::Scheduled, ours)] {
        assert_eq!(it.ledger.commit(&it.lease, &batch([taken])).await.unwrap(), [id(1)]);
    }
    assert_eq!(it.ledger.sends(&connection(), &[id(1)]).await.unwrap(), [None]);
    let late = "2026-03-03T00:00:00Z".parse().unwrap();
    assert_eq!(it.ledger.due(&connection(), late, 9).await.unwrap(), []);
    let found = it.ledger.went_out(&connection(), &[theirs.occasion]).await.unwrap();
    assert_eq!(found, [None]);
    assert_eq!(it.ledger.find(&id(1)).await.unwrap(), Some((other_connection(), theirs)));
}

/// Only scheduled ones, by their instant, no more than asked for.
pub async fn due_sends_come_oldest_first_and_not_before_their_instant(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let at = |number, hour| {
        let due = due_on(now().date_naive(), hour);
        send(number, Stage::Scheduled(due, recipient(number)))
    };
    let others = [
        send(7, Stage::Planned(due("2026-03-01"))),
        send(8, Stage::Active(due("2026-03-01"), recipient(8))),
        send(9, Stage::Delivered(recipient(9), purge())),
    ];
    it.write([at(1, 5), at(2, 4), at(3, 6), at(4, 7)]).await;
    it.write(others).await;
    let due = async |limit| -> Vec<_> {
        let found = it.ledger.due(&connection(), now(), limit).await.unwrap();
        found.into_iter().map(|send| send.id).collect()
    };
    assert_eq!(due(9).await, [id(2), id(1), id(3)], "the instant itself counts");
    assert_eq!(due(2).await, [id(2), id(1)]);
}

/// Page by page, by due date and then by id.
pub async fn undelivered_sends_are_listed_by_due_date_and_paged(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.write([
        scheduled(1, "2026-03-09"),
        send(2, Stage::Planned(due("2026-03-07"))),
        scheduled(4, "2026-03-08"),
        send(3, Stage::Active(due("2026-03-08"), recipient(3))),
        send(5, Stage::Delivered(recipient(5), purge())),
    ])
    .await;
    let mut after = None;
    for expected in [2, 3, 4, 1] {
        let page = it.ledger.list(&connection(), SendGroup::Undelivered, None, after, 1).await.unwrap();
        let listed: Vec<_> = page.iter().map(|listed| listed.id).collect();
        assert_eq!(listed, [id(expected)]);
        after = page.last().map(Send::cursor);
    }
    let rest = it.ledger.list(&connection(), SendGroup::Undelivered, None, after, 9).await.unwrap();
    assert_eq!(rest, []);
}

/// By the month in which their names are erased; those without names stand at the end.
pub async fn ended_sends_are_listed_by_month_and_those_without_last(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.write([
        send(1, Stage::Expired(None)),
        send(2, Stage::Claimed(Some((recipient(2), month("2026-06"))))),
        send(3, Stage::Cancelled(CancelReason::Left, Some((recipient(3), month("2026-04"))))),
        send(4, Stage::Delivered(recipient(4), month("2026-05"))),
        send(5, Stage::Uncertain(recipient(5), month("2026-04"))),
        scheduled(6, "2026-03-05"),
    ])
    .await;
    let list = async |group| -> Vec<_> {
        let found = it.ledger.list(&connection(), group, None, None, 9).await.unwrap();
        found.into_iter().map(|send| send.id).collect()
    };
    assert_eq!(list(SendGroup::Ended).await, [id(3), id(2), id(1)]);
    assert_eq!(list(SendGroup::Delivered).await, [id(5), id(4)]);
}

/// One campaign's alone.
pub async fn sends_are_listed_by_campaign(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let mut hire = scheduled(1, "2026-03-05");
    hire.campaign = "hires".into();
    it.write([hire, scheduled(2, "2026-03-05")]).await;
    let hires = Some(&"hires".into());
    let listed = it.ledger.list(&connection(), SendGroup::Undelivered, hires, None, 9).await.unwrap();
    assert_eq!(listed.iter().map(|send| send.id).collect::<Vec<_>>(), [id(1)]);
}

/// Active, delivered, claimed, expired and uncertain ones keep other campaigns from the occasion.
pub async fn what_went_out_is_found_by_its_occasion(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let sends = [
        send(1, Stage::Planned(due("2026-03-05"))),
        scheduled(2, "2026-03-05"),
        send(3, Stage::Active(due("2026-03-05"), recipient(3))),
        send(4, Stage::Delivered(recipient(4), purge())),
        send(5, Stage::Claimed(None)),
        send(6, Stage::Cancelled(CancelReason::Left, None)),
        send(7, Stage::Expired(None)),
        send(8, Stage::Uncertain(recipient(8), purge())),
    ];
    let occasions: Vec<_> = sends.iter().map(|send| send.occasion).collect();
    let expected: Vec<_> = sends.iter().map(|send| send.state().went_out().then_some(send.id)).collect();
    it.write(sends).await;
    assert_eq!(it.ledger.went_out(&connection(), &occasions).await.unwrap(), expected);
}

/// For a claim link, which names nothing else.
pub async fn a_send_is_found_by_its_id_alone(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    assert_eq!(it.ledger.find(&id(1)).await.unwrap(), None);
    let delivered = send(1, Stage::Delivered(recipient(1), purge()));
    it.write([delivered.clone()]).await;
    let found = it.harness.reopen().find(&id(1)).await.unwrap();
    assert_eq!(found, Some((connection(), delivered)));
}

/// A gift is claimed once, whoever clicks twice.
pub async fn of_two_swaps_one_wins(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.write([send(1, Stage::Delivered(recipient(1), purge()))]).await;
    let claim = change(SendState::Delivered, send(1, Stage::Claimed(Some((recipient(1), purge())))));
    assert!(it.ledger.swap(&connection(), &claim).await.unwrap());
    assert!(!it.harness.reopen().swap(&connection(), &claim).await.unwrap());
    assert!(!it.ledger.swap(&other_connection(), &claim).await.unwrap());
    assert_eq!(it.get(1).await, Some(claim.send));
}
