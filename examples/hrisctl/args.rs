//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Parser, Subcommand, ValueEnum};
use hris::core::SourceField;

/// Connects an HR system to a file of members: check, look, plan, apply.
#[derive(Debug, Parser)]
#[command(
    name = "hrisctl",
    version,
    max_term_width = 110,
    after_help = "`hrisctl --help` shows a commented connection file; `hrisctl example > connection.toml` starts one.",
    after_long_help = concat!(
        "Exit codes: 0 done, 1 failed, 2 the connection file or an argument cannot work, 3 a plan is held,\n",
        "4 applied but not every action. The reason is on standard error.\n\n",
        "A connection file (`hrisctl example` prints it, `hrisctl schema` prints its JSON schema):\n\n",
        include_str!("example.toml")
    )
)]
pub(crate) struct Args {
    /// The connection file
    #[arg(short, long, global = true, value_name = "FILE", default_value = "connection.toml")]
    pub(crate) connection: PathBuf,

    /// Scheme, host and port of the HR system, in place of what the connection file says
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the credential and tell whose account it opens
    Check(Check),
    /// Show what the account's data looks like: fields, fill, formats, pages; no values
    Probe(Probe),
    /// List the fields that a mapping can read, and how many people fill each
    Fields(Fields),
    /// Show what the mapping makes of people, redacted
    Preview(PreviewArgs),
    /// Show what another mapping would plan instead; nothing is kept
    Compare(Compare),
    /// Print the mapping and the scope filter as one JSON document
    Mapping,
    /// Print employees as JSON lines
    Employees(Employees),
    /// Show what a run would do, or a stored plan; nothing is kept unless told so
    Plan(Plan),
    /// Carry out a stored plan, or read, plan and apply in one go
    Apply(Apply),
    /// Hold the members against what was last written: show what somebody changed there, or put it right
    Verify(Verify),
    /// Explain one person: read, scope, match, map, act, and every rule that fires; no values
    Explain(Explain),
    /// Record the corrected rows of an error file, to be used in place of what the HR system says
    Refeed(Refeed),
    /// Forget a person: link, overrides, history; the member is left as it is
    Forget(Forget),
    /// Take old plans and reports away
    Purge(Purge),
    /// Try again what failed in an earlier run, and nothing else
    Replay(Replay),
    /// Let a held plan go ahead, and apply it
    Release(Release),
    /// Give a stored plan up
    Dismiss(Dismiss),
    /// Accept what a stored plan proposes about one person: that they moved to another record, or are still the same
    Accept(Accept),
    /// List past runs, newest first
    History(History),
    /// Write the error file of a run
    Errors(Errors),
    /// Print a commented connection file
    Example,
    /// Print the JSON schema of connection files
    Schema(SchemaArgs),
    /// List the vendors and the credentials that they need
    Vendors,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "it is the name of the option")]
pub(crate) struct Fields {
    /// Read people and tell which share of them fills each field
    #[arg(long)]
    pub(crate) fill: bool,

    /// Look at these fields only; some fields cost a request for each person
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',', requires = "fill")]
    pub(crate) fields: Vec<SourceField>,

    /// Look at no more than about so many people; 0 looks at everyone
    #[arg(long, value_name = "N", default_value_t = 200, requires = "fill")]
    pub(crate) people: u64,

    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArgs {
    /// Show so many people
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) rows: usize,

    /// Count over no more than about so many people; 0 counts over everyone
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) people: u64,

    /// Use the mapping of another connection file, or a mapping document in a `.json` file
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// Another connection file, or a mapping document in a `.json` file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// List no more than so many people
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) people: usize,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<NaiveDate>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// The schema of mapping documents instead
    #[arg(long)]
    pub(crate) mapping: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Probe {
    /// Look at no more than about so many people; 0 looks at everyone
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) people: u64,

    /// Look at these fields only; some fields cost a request for each person (see `fields`)
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    pub(crate) fields: Vec<SourceField>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Employees {
    /// Read these fields instead of the mapped ones
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',', conflicts_with = "all_fields")]
    pub(crate) fields: Vec<SourceField>,

    /// Read every field that the account offers
    #[arg(long)]
    pub(crate) all_fields: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// A stored plan to look at once more
    #[arg(value_name = "PLAN", conflicts_with_all = ["save", "as_of"])]
    pub(crate) stored: Option<String>,

    /// Keep the plan for `apply`
    #[arg(long)]
    pub(crate) save: bool,

    /// List the actions, with the names of the fields that change and no values
    #[arg(long)]
    pub(crate) actions: bool,

    /// Print JSON lines: the plan's header, and with --actions each action
    #[arg(long)]
    pub(crate) json: bool,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<NaiveDate>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    /// The stored plan; without one, a whole run
    #[arg(value_name = "PLAN", requires = "digest")]
    pub(crate) plan: Option<String>,

    /// The digest that `plan --save` showed: confirms that this very plan is meant
    #[arg(long, requires = "plan")]
    pub(crate) digest: Option<String>,

    /// A name for the run; the same name again answers the same report
    #[arg(long, value_name = "RUN", conflicts_with = "plan")]
    pub(crate) run: Option<String>,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "plan")]
    pub(crate) as_of: Option<NaiveDate>,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// Put right what is not as it should be; without this nothing is changed
    #[arg(long)]
    pub(crate) repair: bool,

    /// A name for the run; the same name again answers the same report
    #[arg(long, value_name = "RUN", requires = "repair")]
    pub(crate) run: Option<String>,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<NaiveDate>,

    /// List the actions, with the names of the fields that change and no values
    #[arg(long, conflicts_with = "repair")]
    pub(crate) actions: bool,

    /// Print JSON: the report of the run, or what was found
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The record id
    #[arg(value_name = "RECORD")]
    pub(crate) record: String,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<NaiveDate>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Refeed {
    /// The error file (CSV) with its column `corrected_value` filled in
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Who corrected it; recorded
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: String,

    /// Why; recorded
    #[arg(long, value_name = "TEXT", default_value = "corrected error file")]
    pub(crate) reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Forget {
    /// The record id
    #[arg(value_name = "RECORD")]
    pub(crate) record: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Purge {
    /// Take away what is from before this day and final
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) before: NaiveDate,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The earlier run, as `history` names it
    #[arg(value_name = "RUN")]
    pub(crate) earlier: String,

    /// Also what it could not be told of whether it took effect
    #[arg(long)]
    pub(crate) uncertain: bool,

    /// A name for the new run; the same name again answers the same report
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// Today's date where the customer is, if it is not today's in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<NaiveDate>,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    /// The held plan
    #[arg(value_name = "PLAN")]
    pub(crate) plan: String,

    /// Its digest: confirms that this very plan is meant
    #[arg(long)]
    pub(crate) digest: String,

    /// Who releases it; recorded
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: String,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Dismiss {
    /// The stored plan
    #[arg(value_name = "PLAN")]
    pub(crate) plan: String,

    /// Who gives it up; recorded
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Accept {
    /// The stored plan that proposes it
    #[arg(value_name = "PLAN")]
    pub(crate) plan: String,

    /// The record that the member belongs to so far
    #[arg(value_name = "RECORD")]
    pub(crate) record: String,

    /// Who accepts it; recorded
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,

    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Errors {
    /// The run; the newest one that has a plan, if left out
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// The warnings instead of the errors
    #[arg(long)]
    pub(crate) warnings: bool,

    /// The form of the file
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,

    /// Where to write it, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// The form of an error file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values with a header
    Csv,
    /// JSON lines
    Json,
}
