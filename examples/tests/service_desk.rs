//! The example `service_desk` runs offline and goes through the tasks of the connector's description in their order.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// The headings of the description, from its table of contents.
const TASKS: [&str; 10] = [
    "View and Update Customer Information",
    "Enroll a Customer in a Loyalty Program",
    "Merge Customers",
    "Award Loyalty Points to a Customer",
    "Add a Reference Note to a Customer Record",
    "Offer a Loyalty Program to a Customer",
    "Revoke or Redeem an Offer for a Customer",
    "Extend an Offer for a Customer",
    "Purchase a Reward for a Customer",
    "View Customer Activity with Loyalty Programs",
];

/// What the example prints.
fn printed() -> String {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program =
        profile.join("examples").join("service_desk").with_extension(std::env::consts::EXE_EXTENSION);
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_service_desk_goes_through_every_task_of_the_description_in_order() {
    let printed = printed();
    let headings: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert_eq!(headings, TASKS);
    for said in [
        "? Create this customer in SessionM and enrol them in the loyalty programme. Yes.",
        "now: Enrolled",
        "! A merge cannot be undone.",
        "The balance goes from 204 to 216.5.",
        "Reason: Duplicate User / We have this user already, please merge",
        "? Issue 2 copies of \"Ten percent off\" to this customer. Yes.",
        "once more: the offer was redeemed already",
        "? Issue \"Free coffee\" to this customer once more, as a new copy. Yes.",
        "? Buy \"Free coffee\" for 100 of this customer's 216.5 points. Yes.",
        "116.5 points are left",
        "1-5 of ",
        "INCENTIVES_POINT_SPEND -20 Basic Point Source 2026-03-01T07:52:28.6022323Z",
    ] {
        assert!(printed.contains(said), "`{said}` is missing:\n{printed}");
    }
}
