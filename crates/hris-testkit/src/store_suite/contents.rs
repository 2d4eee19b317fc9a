//! The logical content of any store as text, read through the ports.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use hris_core::{ConnectionKey, PlanId, Result, StateStore};
use serde::Serialize;

/// What a store knows of one connection, as text for comparison: baseline, checkpoint, links, overrides, open plans and those in `plans`
/// with actions and problems, and run reports. Equal content gives equal text.
///
/// For tests, such as one that a dry run changes nothing. Final plans are shown only if named, since the ports list
/// no others. Pending actions have their values, so the text is as personal as the store itself.
///
/// # Errors
/// Those of the store.
pub async fn contents(
    store: &dyn StateStore,
    connection: &ConnectionKey,
    plans: &[PlanId],
) -> Result<String> {
    let mut out = String::new();
    line(&mut out, "baseline", &store.baseline(connection).await?);
    if let Some(checkpoint) = store.checkpoint(connection).await? {
        line(&mut out, "checkpoint", &checkpoint);
    }
    let mut links: Vec<_> = store.links(connection).try_concat().await?;
    links.sort_by(|one, other| one.record.cmp(&other.record));
    for link in &links {
        line(&mut out, "link", link);
    }
    let mut overrides: Vec<_> = store.overrides(connection).try_concat().await?;
    overrides.sort_by_cached_key(|one| (one.record.clone(), one.field.to_string()));
    for one in &overrides {
        line(&mut out, "override", one);
    }
    let mut forgotten = store.forgotten(connection).await?;
    forgotten.sort();
    for print in &forgotten {
        line(&mut out, "forgotten", print);
    }
    let open = store.open_plans(connection).await?;
    let mut shown: Vec<_> = open.into_iter().map(|plan| plan.header.id).collect();
    shown.extend(plans.iter().filter(|id| !shown.contains(id)).cloned().collect::<Vec<_>>());
    for plan in &shown {
        write_plan(&mut out, store, connection, plan).await?;
    }
    for report in store.runs(connection, 0, usize::MAX).await? {
        line(&mut out, "run", &report);
    }
    Ok(out)
}

async fn write_plan(
    out: &mut String,
    store: &dyn StateStore,
    connection: &ConnectionKey,
    id: &PlanId,
) -> Result<()> {
    let sealed = store.plan(connection, id).await?;
    line(out, "plan", &(id, sealed.map(|plan| (plan.header, plan.state))));
    for stored in store.actions(connection, id, None, usize::MAX).await? {
        line(out, "  action", &(stored.action, stored.state));
    }
    for problem in store.problems(connection, id, 0, usize::MAX).await? {
        line(out, "  problem", &problem);
    }
    Ok(())
}

fn line(out: &mut String, what: &str, content: &impl Serialize) {
    // Neither serialising texts, numbers and dates nor writing to a String has a way to fail.
    let content = serde_json::to_string(content).unwrap_or_default();
    let _ = writeln!(out, "{what} {content}");
}
