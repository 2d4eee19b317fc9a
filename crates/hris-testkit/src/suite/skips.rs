//! Behaviours that cannot be tested, held against the list of skips, both ways.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

/// What became of a behaviour that did not fail.
pub type Ran = Result<(), NotOffered>;

/// A behaviour could not be tested: what the harness does not offer or the capabilities exclude, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOffered(pub &'static str);

/// A behaviour that is not tested, by its name, and why.
pub type SkipReason = (&'static str, &'static str);

/// Holds what became of a behaviour against the list of skips.
pub(crate) fn compare(skips: &[SkipReason], name: &str, ran: Ran) {
    let listed = skips.iter().any(|(skipped, _)| *skipped == name);
    match (ran, listed) {
        (Ok(()), false) | (Err(_), true) => {}
        (Ok(()), true) => panic!("take `{name}` off the list of skips: it can run, and it passes"),
        (Err(NotOffered(what)), false) => panic!(
            "`{name}` cannot run, since {what}: offer that in the harness, or list the behaviour among the skips \
             with the reason"
        ),
    }
}

/// Checks the list of skips itself: no unknown names, no repeats, no missing reasons.
pub(crate) fn check_list(skips: &[SkipReason], behaviours: &[&str]) {
    let mut seen: Vec<&str> = Vec::new();
    for (name, reason) in skips {
        assert!(behaviours.contains(name), "`{name}` is no behaviour: correct the list of skips");
        assert!(!seen.contains(name), "`{name}` is skipped twice: take one of them off the list");
        assert!(!reason.trim().is_empty(), "say why `{name}` cannot be tested");
        seen.push(name);
    }
}
