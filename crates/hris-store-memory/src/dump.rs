//! The store's logical content as text, for comparison in tests.

use std::fmt::Write as _;

use hris_core::ConnectionKey;
use serde::Serialize;

use crate::state::{Connection, Plan, State};

pub(crate) fn dump(state: &State) -> String {
    let mut out = String::new();
    for (key, connection) in &state.connections {
        dump_connection(&mut out, key, connection);
    }
    out
}

fn dump_connection(out: &mut String, key: &ConnectionKey, connection: &Connection) {
    let lines_before = out.len();
    line(out, "connection", key);
    let heading = out.len();
    if let Some(holder) = &connection.holder {
        line(out, "  lease", &(&holder.run, holder.until));
    }
    if let Some(baseline) = &connection.baseline {
        line(out, "  baseline", baseline);
    }
    if let Some(checkpoint) = &connection.checkpoint {
        line(out, "  checkpoint", checkpoint);
    }
    for link in connection.links.values() {
        line(out, "  link", link);
    }
    for one in connection.overrides.values() {
        line(out, "  override", one);
    }
    for print in &connection.forgotten {
        line(out, "  forgotten", print);
    }
    let mut plans: Vec<_> = connection.plans.iter().collect();
    plans.sort_by_key(|(id, _)| *id);
    for (id, plan) in plans {
        line(out, "  plan", id);
        dump_plan(out, plan);
    }
    for run in connection.runs(0, usize::MAX) {
        line(out, "  run", &run);
    }
    if out.len() == heading {
        // A connection of which nothing is known but that its lease was once taken is no content.
        out.truncate(lines_before);
    }
}

fn dump_plan(out: &mut String, plan: &Plan) {
    line(out, "    state", &plan.state);
    line(out, "    header", &plan.header);
    for stored in plan.actions.values() {
        line(out, "    action", &(&stored.action, &stored.state));
    }
    for problem in &plan.problems {
        line(out, "    problem", problem);
    }
}

fn line(out: &mut String, what: &str, content: &impl Serialize) {
    // Neither serialising texts, numbers and dates nor writing to a String has a way to fail.
    let content = serde_json::to_string(content).unwrap_or_default();
    let _ = writeln!(out, "{what} {content}");
}
