//! The program that takes webhooks: what is not Merge's is refused, and what is has one person read, or everyone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the other programs use the rest of it")]
mod support;

use std::process::Command;

use support::example;

#[test]
fn an_axum_handler_refuses_forged_webhooks_and_has_one_person_read_for_a_good_one() {
    let done = Command::new(example("webhook")).output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{out}\n{}", String::from_utf8_lossy(&done.stderr));
    let answers: Vec<_> = out
        .lines()
        .filter_map(|line| line.split_once(" -> "))
        .map(|(what, answer)| (what.trim(), answer))
        .collect();
    let [refused @ .., good, again, synced, unknown] = &answers[..] else { panic!("{out}") };
    assert_eq!(
        refused,
        [
            ("a changed byte", "401, nothing is read"),
            ("a missing header", "401, nothing is read"),
            ("a wrong key", "401, nothing is read"),
        ]
    );
    assert_eq!(*good, ("a good one", "200, 1 read, 1 created"), "the other one is left alone");
    assert_eq!(*again, ("the same again", "200, nothing is read"));
    let (_, answer) = synced;
    assert!(answer.starts_with("200, ") && answer.ends_with(" read, 1 created"), "{out}");
    assert!(!answer.starts_with("200, 1 read"), "everyone is read: {out}");
    assert_eq!(*unknown, ("an event of tomorrow", "200, nothing is read"));
    assert!(!out.contains("Nobody believes"), "{out}");
}
