//! `fields`, `preview`, `compare` and `mapping`: what can be read, what a mapping makes of it, and what another would.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use hris::core::{FieldMap, FieldSet, MappingDocument};
use hris::sync::{Discovery, MappingDiff, Planned, Preview, discover, preview as look};
use serde_json::{Value, json};

use crate::args::{Compare, Fields, PreviewArgs};
use crate::connection::ConnectionFile;
use crate::failure::Result;
use crate::output;
use crate::setup::{Access, Setup};

pub(crate) async fn fields(setup: &Setup<'_>, wanted: &Fields) -> Result<()> {
    let connector = setup.connector()?;
    let (set, people) = if wanted.fill {
        let set: FieldSet = match wanted.fields.as_slice() {
            [] => connector.fields().await?.into_iter().map(|field| field.field).collect(),
            fields => fields.iter().cloned().collect(),
        };
        (set, limit(wanted.people))
    } else {
        (FieldSet::default(), 0)
    };
    let found = discover(&*connector, &set, people).await?;
    if wanted.json { output::json_lines(field_rows(&found)) } else { output::text(&field_table(&found)) }
}

fn limit(people: u64) -> u64 {
    if people == 0 { u64::MAX } else { people }
}

fn field_rows(found: &Discovery) -> Vec<Value> {
    let rows = found.fields.iter().map(|field| {
        let mut row = json!({ "field": field.field, "label": field.label, "remark": field.remark });
        if let (Some(fill), Some(map)) = (field.fill, row.as_object_mut()) {
            map.insert("filled".to_owned(), fill.filled.into());
            map.insert("null".to_owned(), fill.null.into());
            map.insert("absent".to_owned(), fill.absent.into());
        }
        row
    });
    rows.collect()
}

fn field_table(found: &Discovery) -> String {
    let width = found.fields.iter().map(|field| field.field.to_string().chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for field in &found.fields {
        let _ = write!(text, "{:width$}  ", field.field.to_string());
        if let Some(fill) = field.fill {
            let share = fill.percent().map_or_else(|| "-".to_owned(), |share| format!("{share}%"));
            let _ = write!(text, "{share:>4}  ");
        }
        let _ = match &field.remark {
            Some(remark) => writeln!(text, "{} ({remark})", field.label),
            None => writeln!(text, "{}", field.label),
        };
    }
    if found.people > 0 {
        let whole = if found.everybody { "everybody" } else { "part of the directory" };
        let _ = writeln!(
            text,
            "filled in by this share of {} people ({whole}), inactive ones left out",
            found.people
        );
    }
    text
}

pub(crate) async fn preview(setup: &Setup<'_>, wanted: &PreviewArgs) -> Result<()> {
    let connector = setup.connector()?;
    let mapping = match &wanted.with {
        Some(file) => other(file)?,
        None => setup.mapping()?,
    };
    let faults = mapping.check_offered(&connector.fields().await?);
    let found = look(&*connector, &mapping, wanted.rows, limit(wanted.people)).await?;
    if wanted.json {
        return output::json(&json!({
            "people": found.people,
            "everybody": found.everybody,
            "out_of_scope": found.out_of_scope,
            "scope_unknown": found.scope_unknown,
            "incomplete": found.incomplete,
            "problems": found.problems,
            "not_offered": faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "attributes": found.targets.iter().zip(&found.written)
                .map(|(target, written)| json!({ "attribute": target, "written": written })).collect::<Vec<_>>(),
            "rows": found.rows.iter().map(|row| json!({
                "record": row.record,
                "cells": row.cells.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }));
    }
    let mut text = preview_table(&found);
    for fault in faults {
        let _ = writeln!(text, "note: {fault}");
    }
    output::text(&text)
}

fn preview_table(found: &Preview) -> String {
    let mut text = String::new();
    let mapped = found.people - found.out_of_scope - found.scope_unknown;
    for (at, target) in found.targets.iter().enumerate() {
        let shapes = found.rows.iter().filter_map(|row| row.cells.get(at)).map(ToString::to_string);
        let written = found.written.get(at).copied().unwrap_or_default();
        let shapes = shapes.collect::<Vec<_>>().join(" | ");
        let _ = writeln!(text, "{:18} {written:>6} of {mapped}  {shapes}", target.to_string());
    }
    let whole = if found.everybody { "everybody" } else { "part of the directory" };
    let _ = writeln!(text, "{} people ({whole}), inactive ones left out", found.people);
    let counts = [
        (found.out_of_scope, "out of scope"),
        (found.scope_unknown, "whose scope cannot be told"),
        (found.incomplete, "in scope without something that an account needs"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, "  {count} {what}");
    }
    for (rule, count) in &found.problems {
        let _ = writeln!(text, "  {count} × {rule}");
    }
    text
}

pub(crate) async fn compare(setup: &Setup<'_>, wanted: &Compare) -> Result<()> {
    let other = Arc::new(other(&wanted.file)?);
    let engine = setup.engine(Access::Look)?;
    let diff = engine.compare_mappings(other, setup.as_of(wanted.as_of), wanted.people).await?;
    setup.bar.finish();
    if wanted.json { output::json(&diff_json(&diff)) } else { output::text(&diff_text(&diff)) }
}

fn word(planned: Planned) -> &'static str {
    match planned {
        Planned::Action(word) => word,
        _ => "nothing",
    }
}

fn diff_text(diff: &MappingDiff) -> String {
    let mut text = format!("now:  {}\nthen: {}\n", diff.before.summary, diff.after.summary);
    for ((before, after), count) in &diff.moves {
        let _ = writeln!(text, "  {count} × {} now, {} then", word(*before), word(*after));
    }
    for (attribute, count) in &diff.attributes {
        let _ = writeln!(text, "  {attribute} is written differently for {count}");
    }
    for (rule, (before, after)) in &diff.problems {
        let _ = writeln!(text, "  {rule}: {before} now, {after} then");
    }
    for person in &diff.people {
        let fields: Vec<_> = person.attributes.iter().map(ToString::to_string).collect();
        let (before, after) = (word(person.before), word(person.after));
        let _ = writeln!(text, "{}  {before} -> {after}  {}", person.employee_id, fields.join(", "));
    }
    if diff.is_empty() {
        text.push_str("both lead to the same plan\n");
    }
    text
}

fn diff_json(diff: &MappingDiff) -> Value {
    json!({
        "now": diff.before.summary,
        "then": diff.after.summary,
        "moves": diff.moves.iter().map(|((before, after), count)| {
            json!({ "now": word(*before), "then": word(*after), "people": count })
        }).collect::<Vec<_>>(),
        "attributes": diff.attributes,
        "problems": diff.problems,
        "people": diff.people.iter().map(|person| json!({
            "record": person.record,
            "employee_id": person.employee_id,
            "now": word(person.before),
            "then": word(person.after),
            "attributes": person.attributes,
        })).collect::<Vec<_>>(),
    })
}

/// A mapping from another connection file, or from a mapping document in a `.json` file.
fn other(file: &Path) -> Result<FieldMap> {
    if file.extension().is_some_and(|extension| extension == "json") {
        return Ok(MappingDocument::from_json(&std::fs::read_to_string(file)?)?.build()?);
    }
    Ok(ConnectionFile::read(file)?.mapping(|_| true)?)
}

pub(crate) fn mapping(setup: &Setup<'_>) -> Result<()> {
    output::json(&MappingDocument::from(&setup.mapping()?))
}
