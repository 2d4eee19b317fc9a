//! Acme, an invented vendor with everything that vendors have: tokens, cursors, totals, stamps, deletions, changes since
//! a watermark, single people. Its connector passes the whole suite without a skip, unless it is given a flaw.

mod connector;
mod convert;
mod harness;
mod vendor;

pub(crate) use harness::harness;

use hris_testkit::connector_suite::ConnectorHarness;
use hris_testkit::population::Population;

/// One way in which Acme's connector can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// None.
    Sound,
    /// None either: a slow-down that names no time is waited for a minute.
    WaitsForAMinute,

    /// The receipt names another account than the check.
    MisnamesTheAccount,
    /// A refused credential passes for a vendor that is down.
    TakesRefusalsForOutages,
    /// A missing permission passes for a directory without people.
    TakesForbiddenForEmpty,
    /// Nobody looks whose account a credential opens.
    IgnoresTheCompany,
    /// A configuration is looked at when it is used.
    BuildsAnything,
    /// Every call fetches a token of its own.
    SharesNoToken,
    /// The first token is used for ever.
    RenewsNoToken,

    /// The credential is tried when the connector is built.
    SendsWhenBuilt,
    /// A reading begins when it is asked for.
    ReadsEagerly,
    /// A task reads on, whoever listens.
    ReadsOnWhenDropped,
    /// A page that cannot be read passes for the last one.
    TakesFailuresForEnds,
    /// After an error comes a receipt.
    EndsTwice,
    /// A reading that fails just stops.
    StopsInSilence,
    /// A page without rows passes for the last one.
    StopsAtEmptyPages,
    /// A cursor that comes again is followed again.
    FollowsLoops,
    /// The last page is left out.
    LosesTheLastPage,
    /// The first of several pages is left out.
    LosesTheFirstPage,

    /// Broken rows vanish without a trace.
    DropsBrokenRows,
    /// One broken row takes its page along.
    DropsPagesWithBrokenRows,
    /// A field that cannot be read passes for empty.
    ClearsWhatIsUnreadable,
    /// An unknown status makes a leaver.
    TakesUnknownForLeft,
    /// Who is away counts as active.
    ForgetsWhoIsAway,
    /// Dates are taken for instants.
    ShiftsDates,
    /// Names become ASCII.
    FoldsTexts,
    /// Employee IDs become numbers and text again.
    TakesIdsForNumbers,
    /// A key that is left out passes for null.
    ClearsWhatIsMissing,
    /// Every field is delivered, asked for or not.
    DeliversEverything,
    /// Fields are offered that are never delivered.
    OffersTooMuch,
    /// A key that it does not know makes a row unreadable.
    RefusesUnknownKeys,

    /// The receipt counts one person too many.
    CountsSomebodyTwice,
    /// A total that does not fit is not looked at.
    BelievesAnyTotal,
    /// Absence is never proven, although that is declared.
    ProvesNothing,
    /// People who have left are left out.
    HidesLeavers,
    /// Stamps are left out.
    ForgetsStamps,
    /// Deleted records are left out.
    ForgetsDeletions,
    /// The capabilities know of no deletions, and they are reported and trusted.
    DeclaresNoDeletions,
    /// Deleted records come as people who have left.
    DeliversDeletions,

    /// Whoever is asked for, somebody is found.
    FindsAnybody,
    /// Somebody unknown is an error.
    FailsForStrangers,
    /// A reading of some people counts as one of everybody.
    TakesSomeForAll,
    /// A reading of changes reads everybody.
    IgnoresWatermarks,
    /// A reading of changes begins long after its watermark.
    SkipsChanges,

    /// Waits are half as long as they ought to be.
    HalvesWaits,
    /// A wait may be as long as the vendor likes.
    WaitsAsLongAsItIsTold,
    /// Nothing is sent twice.
    TriesOnce,
    /// Everything is sent again.
    TriesEverythingAgain,
    /// An attempt lasts for ever.
    HasNoTimeOut,
    /// A request that was never sent may have been carried out.
    NeverSaysNotSent,
    /// Errors about broken answers name no place.
    NamesNoPlace,
    /// Redirects are followed.
    FollowsRedirects,

    /// `Debug` shows the secret.
    ShowsItsSecret,
    /// Errors quote what was found.
    QuotesValues,
    /// Names are traced.
    TracesNames,
}

async fn sound(people: Population) -> ConnectorHarness {
    harness(Flaw::Sound, people).await
}

hris_testkit::connector_conformance!(acme, sound);
