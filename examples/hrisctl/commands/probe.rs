//! `probe`: what a real account's data looks like, without a single value of it.

mod format;
mod report;
mod stats;

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use hris::core::{Capabilities, FieldSet, Progress as _, ProgressEvent, ReadEvent, ReadQuery, Stage};

use super::view::listed;
use crate::args::Probe;
use crate::failure::Result;
use crate::output;
use crate::setup::Setup;
use stats::Stats;

pub(crate) async fn probe(setup: &Setup<'_>, wanted: &Probe) -> Result<()> {
    let connector = setup.connector()?;
    let account = connector.check().await?;
    let offered = connector.fields().await?.into_iter();
    let labels: BTreeMap<_, _> = offered.map(|field| (field.field, field.label)).collect();
    let fields: FieldSet = match wanted.fields.as_slice() {
        [] => labels.keys().cloned().collect(),
        fields => fields.iter().cloned().collect(),
    };
    let mut stats = Stats::new(listed(&fields), labels);
    let limit = if wanted.people == 0 { u64::MAX } else { wanted.people };
    let mut events = connector.read(ReadQuery::everyone(fields));
    while stats.rows() < limit {
        let Some(event) = events.try_next().await? else { break };
        stats.add(&event);
        let total = stats.expected().map(|total| total.min(limit));
        setup.bar.report(ProgressEvent::new(Stage::Reading, stats.rows(), total));
        if matches!(event, ReadEvent::End(_)) {
            break;
        }
    }
    // Dropping the reading ends it.
    drop(events);
    setup.bar.finish();
    let descriptor = connector.descriptor();
    let report =
        stats.report(descriptor.vendor, account.id.as_str(), capability_names(connector.capabilities()));
    if wanted.json { output::json(&report) } else { output::text(&report.to_string()) }
}

fn capability_names(capabilities: Capabilities) -> Vec<&'static str> {
    let all = [
        (capabilities.reads_leavers, "reads leavers"),
        (capabilities.has_status, "has an employment status"),
        (capabilities.incremental, "reads changes since an instant"),
        (capabilities.single_read, "reads single people"),
        (capabilities.proves_absence, "can prove that a listing is complete"),
        (capabilities.tombstones, "reports deleted records"),
        (capabilities.modified_at, "stamps modifications"),
    ];
    all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
}
