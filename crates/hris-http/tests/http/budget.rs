//! Budgets: one per scope, whoever takes from it, and pauses that everybody in it observes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{join, join3};
use hris_core::{Clock, Delivery, ErrorKind};
use hris_http::{Budget, BudgetScope, ErrorBreaker, LocalBudgets, Outcome, Rate, RateBudget, Session};
use hris_testkit::{FaultServer, ManualClock, Reply, run};
use proptest::prelude::*;

use crate::support::{back_offs, base, clock, context, get, somebody_sleeps, transport};

const MINUTE: Duration = Duration::from_secs(60);

fn scope() -> BudgetScope {
    BudgetScope::new("company/1")
}

fn rate(requests: u32) -> Rate {
    Rate::per_minute(requests)
}

fn far() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC
}

/// A clock on which every wait passes at once.
fn eager_clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::MAX)
}

fn ok() -> Reply {
    Reply::json("{}")
}

fn slow_down(seconds: &str) -> Reply {
    Reply::json("{}").with_status(429).with_header("retry-after", seconds)
}

#[test]
fn two_sessions_share_one_budget() {
    run(async {
        let servers = [FaultServer::start([ok(), ok()]).await, FaultServer::start([ok(), ok()]).await];
        let clock = clock();
        let transport = transport(&clock);
        let budget = Budget::of(scope()).with_rate(rate(10).with_burst(1));
        for server in [&servers[0], &servers[1], &servers[0]] {
            let session = Session::new(&transport, base(&server.url())).with_budget(budget.clone());
            session.execute(&get()).await.unwrap();
        }
        assert_eq!(back_offs(&clock), [Duration::from_secs(6); 2]);
        let other = Budget::of(BudgetScope::new("company/2")).with_rate(rate(10).with_burst(1));
        let session = Session::new(&transport, base(&servers[1].url())).with_budget(other);
        session.execute(&get()).await.unwrap();
        assert_eq!(back_offs(&clock).len(), 2, "another scope waits for nobody");
    });
}

#[test]
fn no_more_than_the_budget_are_in_flight_and_the_permit_lasts_until_the_body_was_read() {
    run(async {
        let (first, body) = Reply::dribbled();
        let server = FaultServer::start([first, ok()]).await;
        let clock = clock();
        let transport = transport(&clock);
        let session = |in_flight| {
            Session::new(&transport, base(&server.url()))
                .with_budget(Budget::of(scope()).with_in_flight(in_flight))
        };
        // The stricter number holds for both.
        let (strict, loose) = (session(1), session(4));
        let request = get();
        let test = async {
            server.received(1).await;
            body.send("{");
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(server.request_count(), 1);
            body.send("}");
            body.finish();
        };
        let (one, two, ()) = join3(strict.execute(&request), loose.execute(&request), test).await;
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(server.request_count(), 2);
    });
}

#[test]
fn the_wish_to_slow_down_pauses_the_whole_scope() {
    run(async {
        let server = FaultServer::start([slow_down("90"), ok(), ok()]).await;
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        let transport = transport(&clock);
        let session = || Session::new(&transport, base(&server.url())).with_budget(Budget::of(scope()));
        let (one, two, request) = (session(), session(), get());
        let second = async {
            // The first one has its answer and waits.
            while !clock.slept().contains(&Duration::from_secs(90)) {
                tokio::task::yield_now().await;
            }
            two.execute(&request).await
        };
        let test = async {
            while clock.sleepers() < 2 {
                tokio::task::yield_now().await;
            }
            assert_eq!(server.request_count(), 1);
            clock.advance(Duration::from_secs(89));
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(server.request_count(), 1, "never earlier");
            clock.advance(Duration::from_secs(1));
        };
        let (first, second, ()) = join3(one.execute(&request), second, test).await;
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(server.request_count(), 3);
    });
}

#[test]
fn a_pause_beyond_the_deadline_is_refused_at_once_and_nothing_is_sent() {
    run(async {
        let server = FaultServer::start([slow_down("3600")]).await;
        let session =
            Session::new(&transport(&clock()), base(&server.url())).with_budget(Budget::of(scope()));
        session.execute(&get()).await.unwrap_err();
        let error = session.execute(&get()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::RateLimited, Delivery::NotSent));
        assert_eq!(context(&error, "scope"), Some("company/1"));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
        assert_eq!(server.request_count(), 1);
    });
}

#[test]
fn an_unlimited_session_neither_waits_nor_pauses_others() {
    run(async {
        let server = FaultServer::start([slow_down("20"), ok(), ok()]).await;
        let clock = clock();
        let transport = transport(&clock);
        let unlimited = Session::new(&transport, base(&server.url())).with_budget(Budget::unlimited());
        unlimited.execute(&get()).await.unwrap();
        assert_eq!(back_offs(&clock), [Duration::from_secs(20)], "its own wait only");
        Session::new(&transport, base(&server.url()))
            .with_budget(Budget::of(scope()))
            .execute(&get())
            .await
            .unwrap();
        assert_eq!(back_offs(&clock).len(), 1);
    });
}

#[test]
fn a_burst_of_failures_pauses_the_scope_of_the_breaker() {
    run(async {
        let clock = eager_clock();
        let budgets = LocalBudgets::new(Arc::new(clock.clone()));
        let account = |name| {
            let address = BudgetScope::new("address");
            let breaker = ErrorBreaker::new(address, 3, Duration::from_secs(10), Duration::from_secs(7));
            Budget::of(BudgetScope::new(name)).with_breaker(breaker)
        };
        let (one, two) = (account("account/1"), account("account/2"));
        budgets.report(&one, Outcome::Failed).await;
        clock.advance(Duration::from_secs(11));
        for budget in [&one, &two] {
            budgets.report(budget, Outcome::Failed).await;
        }
        budgets.acquire(&two, far()).await.unwrap();
        assert_eq!(clock.slept(), [], "the first failure is too long ago");
        budgets.report(&two, Outcome::Failed).await;
        budgets.acquire(&one, far()).await.unwrap();
        assert_eq!(clock.slept(), [Duration::from_secs(7)]);
    });
}

#[test]
fn failures_of_sessions_reach_the_breaker() {
    run(async {
        let server = FaultServer::start([
            Reply::json("{}").with_status(404),
            Reply::json("{}").with_status(403),
            ok(),
        ])
        .await;
        let clock = clock();
        let breaker = ErrorBreaker::new(BudgetScope::new("address"), 2, MINUTE, Duration::from_secs(9));
        let budget = Budget::of(scope()).with_breaker(breaker);
        let session = Session::new(&transport(&clock), base(&server.url())).with_budget(budget);
        session.execute(&get()).await.unwrap_err();
        session.execute(&get()).await.unwrap_err();
        session.execute(&get()).await.unwrap();
        assert_eq!(back_offs(&clock), [Duration::from_secs(9)]);
    });
}

#[test]
fn waiting_for_a_place_ends_with_the_deadline() {
    run(async {
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        let budgets = LocalBudgets::new(Arc::new(clock.clone()));
        let budget = Budget::of(scope()).with_in_flight(1);
        let held = budgets.acquire(&budget, far()).await.unwrap();
        let waiting = budgets.acquire(&budget, clock.now() + TimeDelta::seconds(5));
        let test = async {
            somebody_sleeps(&clock).await;
            clock.advance(Duration::from_secs(5));
        };
        let (refused, ()) = join(waiting, test).await;
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::RateLimited, Delivery::NotSent));
        drop(held);
        assert!(budgets.acquire(&budget, far()).now_or_never().is_some_and(|permit| permit.is_ok()));
    });
}

/// A wall clock that somebody sets back.
#[derive(Debug)]
struct WallClock(Mutex<DateTime<Utc>>);

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        assert!(duration <= MINUTE, "a wait of {duration:?}");
        *self.0.lock().unwrap() += duration;
    }
}

#[test]
fn a_clock_that_is_set_back_holds_nobody_up() {
    run(async {
        let clock = Arc::new(WallClock(Mutex::new("2026-03-02T06:00:00Z".parse().unwrap())));
        let budgets = LocalBudgets::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let budget = Budget::of(scope()).with_rate(rate(10).with_burst(1));
        budgets.acquire(&budget, far()).await.unwrap();
        *clock.0.lock().unwrap() -= TimeDelta::hours(1);
        budgets.acquire(&budget, far()).await.unwrap();
    });
}

proptest! {
    #[test]
    fn no_window_sees_more_requests_than_the_rate_allows(
        requests in 1_u32..60,
        burst in 0_u32..80,
        pauses in prop::collection::vec(0_u64..20_000, 1..200),
    ) {
        let clock = eager_clock();
        let budgets = LocalBudgets::new(Arc::new(clock.clone()));
        let budget = Budget::of(scope()).with_rate(rate(requests).with_burst(burst));
        let mut sent = Vec::new();
        for pause in pauses {
            // One in four comes after a pause, the others at once.
            if pause % 4 == 0 {
                clock.advance(Duration::from_millis(pause));
            }
            run(budgets.acquire(&budget, far())).unwrap();
            sent.push(clock.now());
        }
        for (index, &start) in sent.iter().enumerate() {
            let in_window = sent[index..].iter().take_while(|&&at| at - start < TimeDelta::minutes(1)).count();
            prop_assert!(in_window <= requests as usize, "{in_window} of {requests} in a minute");
        }
    }
}
