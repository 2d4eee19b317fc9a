//! The night of 1,000 tenants: one that hangs and one that fails are no burden to the others.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;

use hris_core::RunResult;
use hris_examples::fleet::{FAILING, HANGING, Night};

#[test]
fn with_one_hanging_and_one_failing_the_other_998_finish_within_five_percent() {
    let night = Night { tenants: 1_000, places: NonZeroUsize::new(32).unwrap(), troubled: false };
    let calm = night.pass().unwrap();
    let troubled = Night { troubled: true, ..night }.pass().unwrap();
    for morning in [&calm, &troubled] {
        let tenants = morning.others().map(|import| import.tenant).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(tenants.len(), 998);
        assert!(morning.others().all(hris_examples::fleet::Import::is_done));
    }
    let (calm, longer) = (calm.length(), troubled.length());
    assert!(longer * 100 <= calm * 105, "{longer} against {calm}");
    let of = |tenant| troubled.imports.iter().find(|import| import.tenant == tenant).unwrap().report.as_ref();
    assert!(of(HANGING).is_none_or(|report| report.applied.affected() == 0));
    assert!(of(FAILING).is_some_and(|report| matches!(report.result, RunResult::Failed { .. })));
}

#[test]
fn a_tenant_with_five_connections_waits_no_less_and_no_much_longer_than_one_with_one() {
    let night = Night { tenants: 300, places: NonZeroUsize::new(8).unwrap(), troubled: false };
    let morning = night.pass().unwrap();
    let mean = |large: bool| {
        let waits: Vec<_> = morning
            .imports
            .iter()
            .filter(|import| (import.tenant % 100 == 99) == large && import.connection == 0)
            .map(|import| import.waited().unwrap().num_seconds())
            .collect();
        waits.iter().sum::<i64>() / i64::try_from(waits.len()).unwrap()
    };
    assert!(
        mean(true) < 2 * mean(false),
        "the first of five waits as the others do: {} against {}",
        mean(true),
        mean(false)
    );
}
