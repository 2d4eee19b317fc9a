//! What is kept of people, and how it goes away.

use hris_core::keys::Print;
use hris_core::ledger::{Block, CancelReason, PersonKey, SendState, Stage, Swept};

use super::fixture::{
    Fixture, LedgerHarness, batch, change, connection, due, month, new, other_connection, purge, recipient,
    scheduled, send,
};

fn person(number: u8) -> PersonKey {
    PersonKey(Print(number.into()))
}

/// Erasing on request leaves a keyed tombstone: neither stored again nor gifted again.
pub async fn an_erased_person_is_kept_nowhere_and_never_written_again(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let mut theirs = [
        scheduled(1, "2026-03-05"),
        send(2, Stage::Active(due("2026-03-05"), recipient(2))),
        send(3, Stage::Delivered(recipient(3), purge())),
        send(4, Stage::Claimed(Some((recipient(4), purge())))),
    ];
    for send in &mut theirs {
        send.person = person(1);
    }
    it.write(theirs.clone()).await;
    it.write([scheduled(5, "2026-03-05")]).await;
    assert_eq!(it.ledger.block_person(&connection(), person(1), Block::Erased, purge()).await.unwrap(), 4);
    for number in 1..=4 {
        let after = it.get(number).await.unwrap();
        assert_eq!((after.recipient(), after.due()), (None, None), "Send {number}");
    }
    assert_eq!(
        it.get(3).await.unwrap().stage,
        Stage::Cancelled(CancelReason::Erased, None),
        "the link is dead"
    );
    assert_eq!(it.state(4).await, SendState::Claimed, "what happened, happened");
    assert_eq!(it.state(5).await, SendState::Scheduled, "nobody else is touched");

    let [waiting, active, ..] = theirs;
    let mut again = scheduled(9, "2026-03-06");
    again.person = person(1);
    let delivered = active.clone().delivered(purge()).unwrap();
    let changes = [new(again), change(SendState::Cancelled, waiting), change(SendState::Active, delivered)];
    assert_eq!(it.ledger.commit(&it.lease, &batch(changes)).await.unwrap().len(), 3);
    assert_eq!(it.harness.reopen().blocks(&connection()).await.unwrap(), [(person(1), Block::Erased)]);
    assert_eq!(it.ledger.block_person(&connection(), person(1), Block::Erased, purge()).await.unwrap(), 0);
}

/// Opting out is about what is to come.
pub async fn who_opts_out_loses_what_waits_and_keeps_what_was_delivered(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let mut delivered = send(2, Stage::Delivered(recipient(2), purge()));
    delivered.person = person(1);
    it.write([scheduled(1, "2026-03-05"), delivered]).await;
    assert_eq!(it.ledger.block_person(&connection(), person(1), Block::OptedOut, purge()).await.unwrap(), 1);
    let kept = Some((recipient(1), purge()));
    assert_eq!(it.get(1).await.unwrap().stage, Stage::Cancelled(CancelReason::OptedOut, kept));
    assert_eq!(it.state(2).await, SendState::Delivered);
    let mut again = scheduled(3, "2026-03-05");
    again.person = person(1);
    assert_eq!(it.ledger.commit(&it.lease, &batch([new(again)])).await.unwrap().len(), 1);
}

/// A tombstone is never weakened.
pub async fn erasure_outranks_opting_out(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    for block in [Block::OptedOut, Block::Erased, Block::OptedOut] {
        it.ledger.block_person(&connection(), person(1), block, purge()).await.unwrap();
    }
    assert_eq!(it.ledger.blocks(&connection()).await.unwrap(), [(person(1), Block::Erased)]);
}

/// A sweep ends links whose month is over and erases names whose month is over; the month itself still counts.
pub async fn links_end_with_their_month_and_names_with_theirs(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let (march, april, june) = (month("2026-03"), month("2026-04"), month("2026-06"));
    it.write([
        send(1, Stage::Delivered(recipient(1), march)),
        send(2, Stage::Delivered(recipient(2), april)),
        send(3, Stage::Uncertain(recipient(3), march)),
        send(4, Stage::Claimed(Some((recipient(4), march)))),
        send(5, Stage::Cancelled(CancelReason::Left, Some((recipient(5), april)))),
        scheduled(6, "2026-03-05"),
    ])
    .await;
    let sweep = async |now| it.ledger.sweep(&it.lease, now, june).await.unwrap();
    assert_eq!(sweep(march).await, Swept::default());
    assert_eq!(sweep(april).await, Swept { expired: 2, erased: 1 });
    assert_eq!(it.get(1).await.unwrap().stage, Stage::Expired(Some((recipient(1), june))));
    assert_eq!(it.get(3).await.unwrap().stage, Stage::Expired(Some((recipient(3), june))));
    assert_eq!(it.get(4).await.unwrap().stage, Stage::Claimed(None));
    assert_eq!(it.state(2).await, SendState::Delivered);
    assert!(it.get(5).await.unwrap().recipient().is_some());
    assert_eq!(it.state(6).await, SendState::Scheduled);
    assert_eq!(sweep(april).await, Swept::default());
}

/// Equal keys are different people.
pub async fn people_of_two_connections_stay_apart(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    it.write([scheduled(1, "2026-03-05")]).await;
    it.ledger.block_person(&other_connection(), person(1), Block::Erased, purge()).await.unwrap();
    assert_eq!(it.state(1).await, SendState::Scheduled);
    assert_eq!(it.ledger.blocks(&connection()).await.unwrap(), []);
}
