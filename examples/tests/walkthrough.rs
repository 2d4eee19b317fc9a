//! The walk through seed 000: its headings in the seed's order, and what each screen has to show.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the other programs use the rest of it")]
mod support;

use std::process::Command;

use support::example;

/// The seed's headings stand in its page as headings of the second and third level.
fn headings_of_the_seed() -> Vec<String> {
    let page = include_str!("../../docs/seeds/000-sesame.md");
    let lines =
        page.lines().filter_map(|line| line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_walk_through_shows_every_screen_of_the_seed_in_order() {
    let done = Command::new(example("walkthrough")).output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{out}\n{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<_> = out.lines().collect();
    let headings: Vec<_> = lines
        .windows(2)
        .filter(|pair| !pair[1].is_empty() && pair[1].chars().all(|c| c == '='))
        .map(|pair| pair[0].to_owned())
        .collect();
    assert_eq!(headings, headings_of_the_seed());
    for shown in [
        "[x] Send a welcome e-mail to newly added members (recommended)",
        "with a mistyped token:",
        "connected to Talleres Brisa S.L.",
        "map the e-mail address, without which no account can be created",
        "people will be invited; publishing confirms exactly this plan",
        "to olga@brisa.example: Sesame HR (Talleres Brisa S.L.): import done",
        "record_id,employee_id,field,rule,message,corrected_value",
        "4 created",
        "2 marked as leavers",
        "accounts are as open as before: true",
        "changes wait for you",
        "opens another company than this connection was made for",
        "imports go on: true",
        "nobody became a leaver: true",
        "left to do:",
    ] {
        assert!(out.contains(shown), "`{shown}` is not shown in\n{out}");
    }
}
