//! The Club, an invented platform with everything that platforms have: tokens, time-outs, pages, accounts made by hand.
//! Its target passes the whole suite without a skip, unless it is given a flaw.

mod platform;
mod target;

pub(crate) use platform::harness;

use hris_testkit::target_suite::TargetHarness;

/// One way in which the Club's target can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// None.
    Sound,

    /// The token is tried when the target is built.
    SendsWhenBuilt,
    /// A refused token passes for a platform that is down.
    TakesRefusalsForOutages,
    /// A refused token passes for a platform without members.
    TakesRefusalsForNobody,
    /// A write that is not permitted passes for done.
    TakesForbiddenForDone,
    /// A write that is not permitted passes for a failure like any other.
    TakesForbiddenForOutages,

    /// Whoever is asked for, somebody is found.
    FindsAnybody,
    /// Nobody is an error.
    FailsForNobody,
    /// Only the platform's own id is looked for.
    FindsByIdOnly,
    /// Dates come back as texts.
    DeliversTexts,
    /// Employee IDs are compared as numbers.
    TakesIdsForNumbers,
    /// Addresses are compared exactly.
    MindsCase,
    /// Closed accounts are not found.
    HidesClosed,
    /// Of several who match one is delivered.
    PicksOne,
    /// What a query names is put into an expression as it is.
    ReadsExpressions,
    /// A look-up that fails passes for nobody.
    TakesFailuresForNobody,
    /// Whoever was found once is found like that for ever.
    RemembersFinds,

    /// A conflict is overcome by another account.
    DoublesOnConflict,
    /// A conflict is overcome by taking the other account.
    AdoptsOnConflict,
    /// Everybody is invited.
    InvitesEverybody,
    /// An update invites once more.
    InvitesUpdates,

    /// An update leaves nothing but what it gives.
    ReplacesAttributes,
    /// An update leaves nothing but what the target knows.
    DropsTheUnknown,
    /// What is to be emptied is left.
    ClearsNothing,
    /// An update writes what the target wrote before, too.
    OverwritesEdits,
    /// What is already so is written again.
    AlwaysWrites,
    /// Another address is another member.
    RecreatesForAddresses,
    /// Another Employee ID is another member.
    RecreatesForKeys,
    /// An update writes whatever it is given.
    IgnoresClashes,
    /// Whoever is to go to a temporary value stays.
    TakesParkingForDone,
    /// A member who is gone is made again.
    RecreatesTheGone,

    /// Leavers are deleted.
    DeletesLeavers,
    /// A leaver is closed again, from today on.
    ClosesAgain,
    /// Whoever returns is a new member.
    ReturnsAnew,
    /// An account that is linked stays closed.
    LeavesAdoptedClosed,
    /// The declared close-down is shorter than the real one.
    DeclaresFewerDays,

    /// The outcomes come in the reverse order.
    ReversesOutcomes,
    /// The last outcome is left out.
    LosesOutcomes,
    /// Every action is written, and written again.
    WritesTwice,
    /// Large calls are not carried out to their end.
    CarriesOutTen,
    /// One refusal refuses the whole call.
    FailsTogether,
    /// Trouble of the platform is called a fault of the record.
    BlamesRecords,
    /// What was not attempted passes for done.
    TakesTroubleForDone,
    /// A second call at the same time is turned away.
    TakesOneCall,

    /// A write in doubt passes for refused.
    TakesDoubtForRefusal,
    /// A write in doubt is sent again.
    RepeatsDoubt,
    /// Silence passes for success.
    TakesSilenceForSuccess,
    /// What was sent is found, whatever was stored.
    RemembersWrites,

    /// A roster is there and not declared.
    DeclaresNoRoster,
    /// The last page is left out.
    LosesTheLastPage,
    /// The first page comes again.
    RepeatsTheFirstPage,
    /// A page that cannot be read passes for the last one.
    TakesFailuresForEnds,

    /// `Debug` shows the token.
    ShowsItsToken,
    /// Errors quote what was found.
    QuotesValues,
    /// Addresses are traced.
    TracesAddresses,
}

async fn sound() -> TargetHarness {
    harness(Flaw::Sound)
}

hris_testkit::target_conformance!(club, sound);
