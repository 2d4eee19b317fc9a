//! A year of gift campaigns in seconds: a few hundred people behind a simulated Merge, three campaigns, hires whose start
//! moves, leavers, a missed week, a restart in the middle. Mails go to a real SMTP server on loopback.
//! `cargo run --example campaigns`; no network, no service to start.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod calendar;
mod company;
mod expected;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use hris_campaigns::{
    Campaign, CampaignReport, Campaigns, ClaimDesk, LinkAnswer, LinkBase, MailTemplate, Policy, Rule, SetUp,
    date_in, rule,
};
use hris_core::keys::KeyId;
use hris_core::ledger::{SendGroup, SendState};
use hris_core::{Clock as _, ConnectionKey, Email, Mailbox, SecretKey};
use hris_mail_smtp::{Security, SmtpConfig, SmtpMailer};
use hris_store_sqlite::SqliteStore;
use hris_testkit::ManualClock;
use hris_testkit::smtp::{SmtpFault, SmtpServer};

use calendar::Calendar;
use company::Company;
use expected::Expected;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const ZONE: chrono_tz::Tz = chrono_tz::Europe::Madrid;
const LINKS: &str = "https://gifts.example/claim/";
const DAYS: u32 = 365;
/// Days of the year on which nothing ran.
const MISSED: std::ops::Range<u32> = 150..157;
const RESTART: u32 = 180;
/// The mail server takes a mail and is gone before it says so.
const LOST_ANSWER: u32 = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let first: NaiveDate = "2026-01-05".parse()?;
    let clock = ManualClock::new(first.and_hms_opt(5, 0, 0).ok_or("a time")?.and_utc());
    let folder = std::env::temp_dir().join(format!("hris-campaigns-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = live(&clock, &folder.join("gifts.sqlite")).await;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn live(clock: &ManualClock, file: &Path) -> Result<()> {
    let server = SmtpServer::start().await;
    let mut company = Company::start(clock).await?;
    let mut campaigns = open(clock, file, &server)?;
    set_up(&campaigns, &mut company).await?;

    heading("5. A year");
    let desk = portal(clock, file)?;
    let mut calendar = Calendar::default();
    let mut expected = Expected::default();
    let (mut seen, mut missed) = (0, 0);
    for day in 0..DAYS {
        if day > 0 {
            company.next_day(day);
            let night = clock.now().date_naive() + Days::new(1);
            let morning = night.and_hms_opt(5, 0, 0).ok_or("a time")?.and_utc();
            clock.advance((morning - clock.now()).to_std()?);
            company.tell_time();
        }
        if MISSED.contains(&day) {
            continue;
        }
        if day == RESTART {
            // Everything in memory is gone; the file is all there is.
            drop(campaigns);
            campaigns = open(clock, file, &server)?;
        }
        if day == LOST_ANSWER {
            server.add_fault(SmtpFault::VanishAfterAccepting);
        }
        let today = date_in(clock.now(), ZONE);
        let report = campaigns.run(company.connector()?, &format!("run {today}").into(), today).await?;
        if day == MISSED.end {
            missed = report.count_of(&rule::TOO_LATE);
        }
        clock.advance(Duration::from_secs(4 * 60 * 60));
        let noon = campaigns.dispatch(&format!("noon {today}").into()).await?;
        expected.day(today, company.people());
        let mails = server.mails();
        for mail in mails.iter().skip(seen) {
            let campaign = mail.subject().ok_or("a subject")?;
            let to = mail.envelope_to().first().ok_or("a recipient")?;
            expected.sent(&campaign, to, today)?;
            calendar.add(today, &campaign);
        }
        claim_some(&desk, &mails, seen).await?;
        seen = mails.len();
        remark(day, today, &report);
        doubts(today, &noon);
    }
    calendar.print();
    finish(&campaigns, &server, &expected, missed).await
}

fn key() -> Arc<SecretKey> {
    Arc::new(SecretKey::new(KeyId::new("2026"), *b"a secret of the portal, 32 bytes"))
}

fn open(clock: &ManualClock, file: &Path, server: &SmtpServer) -> Result<Campaigns> {
    let smtp = SmtpConfig::new("127.0.0.1", server.address().port(), "brisa.example");
    let mailer: SmtpMailer = smtp.with_security(Security::Plain).build(Arc::new(clock.clone()))?;
    Ok(Campaigns::new(
        ConnectionKey::new("lumen-fable", "gifts"),
        Policy::new(ZONE),
        Arc::new(SqliteStore::open(file)?),
        key(),
        Arc::new(mailer),
        Arc::new(clock.clone()),
        LinkBase::new(LINKS)?,
    ))
}

/// The portal's web side: another process over the same file.
fn portal(clock: &ManualClock, file: &Path) -> Result<ClaimDesk> {
    Ok(ClaimDesk::new(Arc::new(SqliteStore::open(file)?), key(), Arc::new(clock.clone()), 30))
}

fn definitions() -> Result<Vec<Campaign>> {
    let sender = Mailbox::new("Lumen & Fable", Email::parse("gifts@lumen.example").ok_or("an address")?);
    let rules = [
        ("New hires", "welcome box", Rule::new_hire()),
        ("Anniversaries", "voucher", Rule::anniversary()),
        ("Birthdays", "mug", Rule::birthday()),
    ];
    let make = |(name, gift, rule): (&str, &str, Rule)| {
        let text = "Dear {{ first_name }},\n\nhere is your gift: {{ claim_link }}\n";
        let mail = MailTemplate::new("{{ campaign_name }}", text)?
            .with_html("<p>Dear {{ first_name }},</p><p><a href=\"{{ claim_link }}\">your gift</a></p>")?;
        Ok(Campaign::new(name, name, gift, sender.clone(), mail, rule)?)
    };
    rules.into_iter().map(make).collect()
}

async fn set_up(campaigns: &Campaigns, company: &mut Company) -> Result<()> {
    heading("1. The customer's link");
    let step = SetUp::begin(Company::ORIGIN);
    let link = company.link().await?;
    let step = step.link_sent(link.expires_at)?;
    println!("a page of Merge's own, which works until {}", link.expires_at.date_naive());

    heading("2. Authorised");
    let step = step.authorised(&company.click(&link)?)?;
    let error = step.clone().await_first_sync(company.connector()?).await.err().ok_or("not ready yet")?;
    println!("{}", error.message());
    company.finish_first_sync();
    let step = step.await_first_sync(company.connector()?).await?;
    println!("the first synchronisation is done");

    heading("3. The next 30 days");
    let campaigns_made = definitions()?;
    for campaign in &campaigns_made {
        campaigns.create(campaign).await?;
    }
    let (step, preview) = step.preview(campaigns, company.connector()?).await?;
    for campaign in &campaigns_made {
        let all = preview.gifts.iter().filter(|gift| gift.campaign == *campaign.id()).count();
        println!("{:14} {all:3} gifts, {} at once", campaign.name(), preview.at_once(campaign.id().as_str()));
    }

    heading("4. Switched on");
    let which: Vec<_> = campaigns_made.iter().map(|campaign| campaign.id().clone()).collect();
    step.switch_on(campaigns, &preview, &which).await?;
    println!("{} campaigns", which.len());
    Ok(())
}

/// Every other recipient opens the link and claims the gift; a mail scanner opened it before.
async fn claim_some(
    desk: &ClaimDesk,
    mails: &[Arc<hris_testkit::smtp::ReceivedMail>],
    seen: usize,
) -> Result<()> {
    for mail in mails.iter().skip(seen).step_by(2) {
        let text = mail.text().ok_or("a text")?;
        let token =
            text.split(LINKS).nth(1).and_then(|rest| rest.split_whitespace().next()).ok_or("a link")?;
        let LinkAnswer::Form(form) = desk.open(token).await? else {
            return Err("a link in a mail opens".into());
        };
        if !mail.envelope_to().contains(&form.email.as_str().to_owned()) {
            return Err("the form is filled in for somebody else".into());
        }
        desk.claim(token).await?;
        if desk.claim(token).await? != LinkAnswer::Claimed {
            return Err("a gift was claimed twice".into());
        }
    }
    Ok(())
}

fn remark(day: u32, today: NaiveDate, report: &CampaignReport) {
    let late = report.count_of(&rule::LATE);
    let called_off: u64 = report.campaigns.values().map(|counts| counts.cancelled).sum();
    let moved: u64 = report.campaigns.values().map(|counts| counts.moved).sum();
    if day == MISSED.end {
        println!("{today}: back after a missed week, {} people read", report.people);
    }
    if day == RESTART {
        println!("{today}: restarted from the file");
    }
    if moved + called_off + late > 0 {
        println!("{today}: {moved} moved, {called_off} called off, {late} late");
    }
}

fn doubts(today: NaiveDate, report: &CampaignReport) {
    for line in report.lines_of(&rule::MAIL_UNCERTAIN) {
        println!("{today}: {}", line.problem.message);
    }
}

async fn finish(
    campaigns: &Campaigns,
    server: &SmtpServer,
    expected: &Expected,
    too_late: u64,
) -> Result<()> {
    heading("7. What is left");
    let delivered = campaigns.sends(SendGroup::Delivered, None, None, usize::MAX).await?;
    let ended = campaigns.sends(SendGroup::Ended, None, None, usize::MAX).await?;
    let of = |state| delivered.iter().chain(&ended).filter(|send| send.state() == state).count();
    let named = delivered.iter().chain(&ended).filter(|send| send.recipient().is_some()).count();
    println!(
        "{} mails at the mail server, {too_late} gifts too late after the missed week",
        server.mail_count()
    );
    println!("{} claimed, {} not claimed in time", of(SendState::Claimed), of(SendState::Expired));
    println!("names and addresses are left of {named} of {} gifts", delivered.len() + ended.len());
    expected.check()?;
    println!("each of {} occurrences was sent once, and nothing else", expected.count());
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.chars().count()));
}
