//! What a template can say: the notice as plain data, counts and texts ready to print.

use chrono::{DateTime, Utc};
use hris_core::{Notice, NoticeContent, Recipient, RunReport, RunResult};
use serde::Serialize;

/// Everything that a template sees.
#[derive(Serialize)]
pub(crate) struct Context<'a> {
    title: &'a str,
    tenant: &'a str,
    connection: &'a str,
    /// The recipient's name, empty if it is not known.
    name: &'a str,
    at: String,
    /// Where to look at it; empty if the application has no page.
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report<'a>>,
    #[serde(flatten)]
    facts: Facts<'a>,
}

/// What is particular to one kind of notice.
#[derive(Default, Serialize)]
struct Facts<'a> {
    digest: &'a str,
    expires_at: String,
    reason: &'a str,
    what: &'a str,
    remedy: &'a str,
    failures: u32,
    next_attempt: String,
    since: String,
    first: String,
    last: String,
    count: u64,
    cause: &'a str,
    next: String,
    organisation: &'a str,
    welcome_link: &'a str,
}

/// A run's report.
#[derive(Serialize)]
struct Report<'a> {
    run: &'a str,
    trigger: &'static str,
    /// One or two words.
    outcome: &'static str,
    /// Why it failed or was held, one sentence each.
    reasons: Vec<String>,
    affected: u64,
    read: u64,
    invited: u64,
    impact: Vec<Impact>,
    held: u64,
    not_done: u64,
    errors: Vec<Count>,
    error_count: u64,
    warnings: Vec<Count>,
    warning_count: u64,
    missing: u64,
    seconds: i64,
    started_at: String,
    irreversible_from: String,
}

#[derive(Serialize)]
struct Impact {
    action: &'static str,
    planned: u64,
    applied: u64,
    held: u64,
}

#[derive(Serialize)]
struct Count {
    rule: String,
    count: u64,
}

impl<'a> Context<'a> {
    /// The context of a notice for one recipient. `pages` is where the application shows connections.
    pub(crate) fn of(notice: &'a Notice, to: &'a Recipient, pages: Option<&str>) -> Self {
        let report = match &notice.content {
            NoticeContent::RunEnded { report } | NoticeContent::PlanHeld { report, .. } => Some(&**report),
            _ => None,
        };
        Self {
            title: &notice.title,
            tenant: notice.connection.tenant().as_str(),
            connection: notice.connection.connection(),
            name: to.name.as_deref().unwrap_or_default(),
            at: instant(notice.at),
            link: pages.map(|pages| link(pages, notice, report)).unwrap_or_default(),
            report: report.map(Report::of),
            facts: Facts::of(&notice.content),
        }
    }
}

fn link(pages: &str, notice: &Notice, report: Option<&RunReport>) -> String {
    let (tenant, connection) = (notice.connection.tenant().as_str(), notice.connection.connection());
    let place = [tenant, connection].map(escaped).join("/");
    let run = report.map(|report| format!("/runs/{}", escaped(report.run.as_str()))).unwrap_or_default();
    format!("{}/{place}{run}", pages.trim_end_matches('/'))
}

/// A part of a path, with everything but letters, digits and `-._~` percent-encoded (RFC 3986, 2.3).
fn escaped(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    part.bytes().map(encode).collect()
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn optional(at: Option<DateTime<Utc>>) -> String {
    at.map(instant).unwrap_or_default()
}

impl<'a> Facts<'a> {
    fn of(content: &'a NoticeContent) -> Self {
        let none = Self::default();
        match content {
            NoticeContent::PlanHeld { digest, expires_at, .. } => {
                Self { digest, expires_at: instant(*expires_at), ..none }
            }
            NoticeContent::Quarantined { reason, what, remedy, failures, next_attempt } => Self {
                reason,
                what,
                remedy,
                failures: *failures,
                next_attempt: optional(*next_attempt),
                ..none
            },
            NoticeContent::Recovered { since } => Self { since: instant(*since), ..none },
            NoticeContent::RunsMissed { first, last, count, cause, next } => Self {
                first: instant(*first),
                last: instant(*last),
                count: *count,
                cause,
                next: optional(*next),
                ..none
            },
            NoticeContent::Welcome { organisation, link } => {
                Self { organisation, welcome_link: link.as_deref().unwrap_or_default(), ..none }
            }
            _ => none,
        }
    }
}

impl<'a> Report<'a> {
    fn of(report: &'a RunReport) -> Self {
        let applied = &report.applied;
        let errors: Vec<_> = report.errors().map(|(rule, count)| (rule.to_string(), count)).collect();
        Self {
            run: report.run.as_str(),
            trigger: match report.trigger {
                hris_core::Trigger::Schedule => "by its schedule",
                hris_core::Trigger::Release => "after a release",
                hris_core::Trigger::Webhook => "since the HR system said that something changed",
                hris_core::Trigger::Replay => "again for what had failed",
                _ => "on demand",
            },
            outcome: outcome(report),
            reasons: reasons(report),
            affected: applied.affected(),
            read: report.planned.read,
            invited: applied.invited,
            impact: report
                .impact()
                .into_iter()
                .map(|(action, impact)| Impact {
                    action,
                    planned: impact.planned,
                    applied: impact.applied,
                    held: impact.held,
                })
                .collect(),
            held: report.held(),
            not_done: applied.failed + applied.uncertain + applied.pending,
            error_count: report.error_count(),
            errors: errors.into_iter().map(|(rule, count)| Count { rule, count }).collect(),
            warning_count: report.warning_count(),
            warnings: report
                .warnings
                .iter()
                .map(|(rule, count)| Count { rule: rule.to_string(), count: *count })
                .collect(),
            missing: report.planned.missing,
            seconds: report.duration().num_seconds(),
            started_at: instant(report.started_at),
            irreversible_from: report.irreversible_from.map(|day| day.to_string()).unwrap_or_default(),
        }
    }
}

fn outcome(report: &RunReport) -> &'static str {
    match report.result {
        RunResult::Applied => "done",
        RunResult::NothingToDo => "nothing to do",
        RunResult::Held { .. } => "held",
        RunResult::Failed { .. } => "failed",
        RunResult::Cancelled => "stopped",
        _ => "ended",
    }
}

fn reasons(report: &RunReport) -> Vec<String> {
    match &report.result {
        RunResult::Held { reasons } => reasons.iter().map(ToString::to_string).collect(),
        RunResult::Failed { message } => vec![message.clone()],
        _ => Vec::new(),
    }
}
