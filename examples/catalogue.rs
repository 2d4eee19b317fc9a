//! The page "Explore integrations" and the form to authorise with, drawn from data: `cargo run --example catalogue`.
//!
//! No vendor is named in here: whatever is registered is drawn. A test checks that.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::fmt::Write as _;

use clap::Parser;
use hris::core::descriptor::{CredentialStep, GivenBy, Integration, TextFormat};
use hris::{Catalogue, Registry};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// How wide a page is, in characters.
const WIDTH: usize = 100;

/// Prints the page of integrations and their authorise forms.
#[derive(Debug, Parser)]
#[command(name = "catalogue")]
struct Args {
    /// Only what this text finds
    #[arg(default_value = "", value_name = "SEARCH")]
    search: String,

    /// Print the data as JSON
    #[arg(long, conflicts_with = "schema")]
    json: bool,

    /// Print the JSON schema of the data
    #[arg(long)]
    schema: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let registry = Registry::builtin();
    let page = if args.schema {
        serde_json::to_string_pretty(&Catalogue::schema())? + "\n"
    } else if args.json {
        serde_json::to_string_pretty(&registry.catalogue())? + "\n"
    } else {
        pages(&registry.search(&args.search), &args.search)
    };
    print!("{page}");
    Ok(())
}

/// The page of cards, and after it a form for each of them.
fn pages(found: &[&Integration], query: &str) -> String {
    let mut page = title("Explore integrations");
    if !query.is_empty() {
        let _ = writeln!(page, "Search: {query}\n");
    }
    if found.is_empty() {
        page.push_str("Nothing was found. Try another word, or fewer letters.\n");
    }
    for integration in found {
        page.push_str(&card(integration));
    }
    for integration in found {
        page.push_str(&form(integration));
    }
    page
}

fn title(text: &str) -> String {
    format!("{text}\n{}\n\n", "=".repeat(text.chars().count()))
}

/// One integration among others.
fn card(integration: &Integration) -> String {
    let mut card = format!("[ {} ]\n", integration.display_name);
    paragraph(&mut card, "  ", &integration.about);
    let fields: Vec<_> = integration.delivers.iter().map(|field| &*field.label).collect();
    paragraph(&mut card, "  ", &format!("Fields: {}.", fields.join(", ")));
    card.push('\n');
    card
}

/// Everything that somebody sees who authorises.
fn form(integration: &Integration) -> String {
    let mut form = title(&format!("Authorise {}", integration.display_name));
    list(&mut form, "Before you start, you need:", &integration.needs);
    for (number, step) in (1..).zip(&integration.steps) {
        field(&mut form, number, step);
    }
    list(&mut form, "It has to permit, and need not permit more:", &integration.least_permissions);
    if let Some(remark) = &integration.permissions_remark {
        paragraph(&mut form, "", remark);
        form.push('\n');
    }
    if integration.asks_date_format {
        form.push_str("Date format  [ day/month/year | month/day/year | year-month-day ]\n");
        paragraph(&mut form, "  ", "In which format are dates written in fields of your own?");
        form.push('\n');
    }
    list(&mut form, "Good to know:", &integration.limits);
    list(&mut form, "To revoke access later:", &integration.revocation);
    form
}

/// One field of the form, with the question that people have about it.
fn field(form: &mut String, number: u32, step: &CredentialStep) {
    let input = match (&step.default, step.secret) {
        _ if !step.format.choices.is_empty() => step.format.choices.join(" | "),
        (Some(default), _) => default.to_string(),
        (None, true) => "••••••••".to_owned(),
        (None, false) => "        ".to_owned(),
    };
    let optional = if step.optional { ", may be left as it is" } else { "" };
    let _ = writeln!(form, "{number}. {}  [ {input} ]  ({}{optional})", step.label, giver(step.given_by));
    if let Some(rule) = rule(&step.format) {
        paragraph(form, "   ", &rule);
    }
    let _ = writeln!(form, "   {}", step.question);
    for (place, line) in (1..).zip(&step.answer) {
        paragraph(form, &format!("     {place}. "), line);
    }
    form.push('\n');
}

fn giver(who: GivenBy) -> &'static str {
    match who {
        GivenBy::Customer => "you enter it",
        GivenBy::Operator => "set once by whoever operates this application",
        GivenBy::LinkFlow => "arrives by itself from the pop-up, or is pasted",
        _ => "ask your administrator",
    }
}

/// What the field accepts, where there is more to say than "not empty".
fn rule(format: &TextFormat) -> Option<String> {
    let characters = match format.most {
        Some(most) if format.least < most => Some(format!("{} to {most} characters", format.least)),
        Some(most) => Some(format!("{most} characters")),
        None if format.least > 1 => Some(format!("at least {} characters", format.least)),
        None => None,
    };
    let plain = format.plain.then(|| "letters, digits and hyphens only".to_owned());
    let excludes = (!format.excludes.is_empty()).then(|| format!("without {}", format.excludes));
    let rules: Vec<_> = [characters, plain, excludes].into_iter().flatten().collect();
    (!rules.is_empty()).then(|| format!("Accepts {}.", rules.join(", ")))
}

fn list(page: &mut String, heading: &str, items: &[hris::core::descriptor::Text]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(page, "{heading}");
    for item in items {
        paragraph(page, "  - ", item);
    }
    page.push('\n');
}

/// A text in lines of the page's width, the first of them with something before it.
fn paragraph(page: &mut String, first: &str, text: &str) {
    let margin = first.chars().count();
    let (mut line, mut used) = (first.to_owned(), margin);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > margin && used + 1 + length > WIDTH {
            let _ = writeln!(page, "{line}");
            (line, used) = (" ".repeat(margin), margin);
        }
        if used > margin {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    let _ = writeln!(page, "{line}");
}
