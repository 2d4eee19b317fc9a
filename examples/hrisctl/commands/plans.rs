//! `plan`, `apply`, `verify`, `replay`, `release` and `dismiss`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use hris::core::store::{PlanState, Plans as _};
use hris::core::{
    Action, Attributes, PlanHeader, PlanId, ProvisioningPlan as _, RecordId, RunId, RunReport, RunResult,
    Severity, Trigger, Verdict,
};
use hris::sync::{self, PlanView, Proposal};
use serde_json::json;

use crate::args::{Accept, Apply, Dismiss, Plan, Release, Replay, Verify};
use crate::failure::{Failure, Result};
use crate::output;
use crate::setup::{Access, Setup};

pub(crate) async fn plan(setup: &Setup<'_>, wanted: &Plan) -> Result<()> {
    let (view, state) = match &wanted.stored {
        Some(plan) => {
            let plan = PlanId::from(plan.as_str());
            let stored = setup.existing_store()?.plan(&setup.key(), &plan).await?;
            let view = setup.engine(Access::Look)?.stored(&plan).await?;
            (view, stored.map(|stored| stored.state))
        }
        None => make_plan(setup, wanted).await?,
    };
    if wanted.json {
        output::json_lines([view.header()])?;
    } else {
        output::text(&review(&view, state).await?)?;
    }
    if wanted.actions {
        list_actions(&view, wanted.json).await?;
    }
    Ok(())
}

/// A fresh plan, and where it stands if it is kept.
async fn make_plan(setup: &Setup<'_>, wanted: &Plan) -> Result<(PlanView, Option<PlanState>)> {
    let as_of = setup.as_of(wanted.as_of);
    let (view, state) = if wanted.save {
        let engine = setup.engine(Access::Write)?;
        (engine.plan(&setup.new_run(), as_of).await?, Some(PlanState::Sealed))
    } else {
        (setup.engine(Access::Look)?.dry_run(as_of).await?, None)
    };
    setup.bar.finish();
    Ok((view, state))
}

pub(crate) async fn apply(setup: &Setup<'_>, wanted: &Apply) -> Result<()> {
    let engine = setup.engine(Access::Write)?;
    let report = if let (Some(plan), Some(digest)) = (&wanted.plan, &wanted.digest) {
        engine.apply(&PlanId::from(plan.as_str()), digest, Trigger::OnDemand).await
    } else {
        let run = wanted.run.as_deref().map_or_else(|| setup.new_run(), RunId::from);
        engine.run(&run, Trigger::OnDemand, setup.as_of(wanted.as_of)).await
    };
    ended(setup, &report?, wanted.json)
}

pub(crate) async fn verify(setup: &Setup<'_>, wanted: &Verify) -> Result<()> {
    let as_of = setup.as_of(wanted.as_of);
    if wanted.repair {
        let run = wanted.run.as_deref().map_or_else(|| setup.new_run(), RunId::from);
        let report = setup.engine(Access::Write)?.verify(&run, Trigger::OnDemand, as_of).await;
        setup.bar.finish();
        return finish(&report?, wanted.json);
    }
    let (view, verified) = setup.engine(Access::Look)?.verify_dry_run(as_of).await?;
    setup.bar.finish();
    if wanted.json {
        output::json(&verified)?;
    } else {
        let looked = "nothing was changed; --repair puts right what is not as it should be\n";
        output::text(&format!("{verified}\nto be done: {}\n{looked}", view.header().summary))?;
    }
    if wanted.actions {
        list_actions(&view, wanted.json).await?;
    }
    Ok(())
}

pub(crate) async fn replay(setup: &Setup<'_>, wanted: &Replay) -> Result<()> {
    let engine = setup.engine(Access::Write)?;
    let run = wanted.run.as_deref().map_or_else(|| setup.new_run(), RunId::from);
    let which = if wanted.uncertain { sync::Replay::FailedAndUncertain } else { sync::Replay::Failed };
    let earlier = RunId::from(wanted.earlier.as_str());
    let report = engine.replay(&run, &earlier, which, setup.as_of(wanted.as_of)).await;
    ended(setup, &report?, wanted.json)
}

pub(crate) async fn release(setup: &Setup<'_>, wanted: &Release) -> Result<()> {
    let engine = setup.engine(Access::Write)?;
    let report = engine.release(&PlanId::from(wanted.plan.as_str()), &wanted.digest, &wanted.actor).await;
    ended(setup, &report?, wanted.json)
}

pub(crate) async fn dismiss(setup: &Setup<'_>, wanted: &Dismiss) -> Result<()> {
    let engine = setup.engine(Access::Write)?;
    engine.dismiss(&PlanId::from(wanted.plan.as_str()), &wanted.actor).await?;
    output::text(&format!("plan {} is dismissed\n", wanted.plan))
}

pub(crate) async fn accept(setup: &Setup<'_>, wanted: &Accept) -> Result<()> {
    let (plan, record) = (PlanId::from(wanted.plan.as_str()), RecordId::from(wanted.record.as_str()));
    setup.engine(Access::Write)?.accept(&plan, &record, &wanted.actor).await?;
    output::text("accepted; the next run plans what follows from it\n")
}

/// Lets the platform finish, and says on standard error what it has to tell. No values of people are shown.
fn ended(setup: &Setup<'_>, report: &RunReport, as_json: bool) -> Result<()> {
    let mut notes = BTreeMap::new();
    for problem in setup.end_run() {
        let about = problem.field.unwrap_or_default();
        *notes.entry((problem.rule, about, problem.message)).or_insert(0_u64) += 1;
    }
    setup.bar.finish();
    for ((rule, about, message), count) in notes {
        output::note(&format!("{count} × {rule} ({about}): {message}"));
    }
    finish(report, as_json)
}

/// Prints a report, and turns what a script ought to notice into a failure.
fn finish(report: &RunReport, as_json: bool) -> Result<()> {
    if as_json {
        output::json(report)?;
    } else {
        output::text(&report.to_string())?;
    }
    let counts = &report.applied;
    match &report.result {
        RunResult::Held { reasons } => {
            Err(Failure::Held { plan: report.plan.clone(), reasons: reasons.clone() })
        }
        _ if counts.failed + counts.uncertain + counts.pending > 0 => Err(Failure::NotWhole(counts.clone())),
        _ => Ok(()),
    }
}

/// What somebody looks at before applying. No values of people are shown. A plan without a state is kept nowhere.
async fn review(view: &PlanView, state: Option<PlanState>) -> Result<String> {
    let header = view.header();
    let mut text = format!("{}\n", header.summary);
    let problems: Vec<_> = view.problems().try_collect().await?;
    let mut counts = BTreeMap::new();
    for problem in &problems {
        *counts.entry((problem.severity != Severity::Error, &problem.rule)).or_insert(0_u64) += 1;
    }
    for ((is_warning, rule), count) in counts {
        let _ = writeln!(text, "  {} {count} × {rule}", if is_warning { "warning" } else { "problem" });
    }
    if let Some(day) = header.irreversible_from {
        let _ = writeln!(text, "leavers can be brought back until {day}");
    }
    if let Verdict::Held(reasons) = &header.verdict {
        text.push_str("held, for these reasons:\n");
        for reason in reasons {
            let _ = writeln!(text, "  {reason}");
        }
    }
    let proposals: Vec<_> = view.proposals().try_collect().await?;
    text.extend(proposals.iter().map(|proposal| propose(proposal, &header.id, state.is_some())));
    text.push_str(&next_step(header, state));
    Ok(text)
}

/// What somebody who knows the person is asked, with the command that says yes where the plan is kept.
fn propose(proposal: &Proposal, plan: &PlanId, is_kept: bool) -> String {
    let record = &proposal.person().record;
    let asks = match proposal {
        Proposal::ReKey { to, .. } => format!("{record} is gone and seems to be {to} now"),
        Proposal::SamePerson { .. } => format!("{record} seems to be somebody else's id now"),
        _ => return String::new(),
    };
    let command = format!(": hrisctl accept {plan} {record} --actor NAME");
    format!(
        "proposed: {asks}; if it is the same person{}\n",
        if is_kept { &command } else { ", accept that" }
    )
}

/// Where a plan stands, and what can be done with it.
fn next_step(header: &PlanHeader, state: Option<PlanState>) -> String {
    let (id, digest) = (&header.id, &header.digest);
    match state {
        None => "this was a dry run; --save keeps a plan\n".to_owned(),
        Some(PlanState::Applied) => format!("plan {id} was applied\n"),
        Some(PlanState::Dismissed { actor }) => format!("plan {id} was dismissed ({actor})\n"),
        Some(_) => {
            let until = header.expires_at.format("%F %T UTC");
            let command = match &header.verdict {
                Verdict::Ready => format!("hrisctl apply {id} --digest {digest}"),
                Verdict::Held(_) => format!("hrisctl release {id} --digest {digest} --actor NAME"),
            };
            format!("plan {id} waits until {until}:\n{command}\n")
        }
    }
}

async fn list_actions(view: &PlanView, as_json: bool) -> Result<()> {
    let mut pages = view.actions(None).try_chunks(500);
    while let Some(page) = pages.try_next().await.map_err(|error| error.1)? {
        if as_json {
            output::json_lines(page.iter().map(|action| {
                json!({
                    "action": action.kind.as_str(),
                    "record": action.person.record,
                    "employee_id": action.after.employee_id,
                    "fields": field_names(action),
                })
            }))?;
        } else {
            let lines = page.iter().map(|action| {
                let fields = field_names(action).join(", ");
                format!("{:10} {}  {fields}\n", action.kind.as_str(), action.after.employee_id)
            });
            output::text(&lines.collect::<String>())?;
        }
    }
    Ok(())
}

fn field_names(action: &Action) -> Vec<String> {
    let changes = action.kind.changes().into_iter().flat_map(Attributes::iter);
    changes.map(|(field, _)| field.to_string()).collect()
}
