//! Seed 000 screen by screen in the terminal: `cargo run --example walkthrough`. A simulated Sesame, a simulated platform
//! over SCIM and a mail server, all on this machine and over real sockets; no network, no service to start.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use hris_connection::{
    Connection, Connections, DateFormat, Frequency, MemoryCredentials, Owner, Schedule, Setup, TimeOfDay,
    setup_options,
};
use hris_core::descriptor::{Integration, search};
use hris_core::keys::KeyId;
use hris_core::{
    Clock as _, ConnectionKey, Credentials, Email, EmployeeField, FieldMap, FieldRule, HrisConnector,
    Invitations, Mailbox, MappingDocument, MemberField, ProvisioningPlan as _, ProvisioningTarget, Recipient,
    RunId, RunReport, ScopeFilter, SecretKey, Severity, SharedClock,
};
use hris_examples::Bar;
use hris_http::{BaseUrl, SystemClock, Transport};
use hris_mail_smtp::{Security, SmtpConfig};
use hris_notify::MailNotifier;
use hris_runner::{Assembly, Worker};
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_store_memory::MemoryStore;
use hris_sync::FileFormat;
use hris_target_scim::sim::ScimSim;
use hris_target_scim::{Profile, ScimConfig};
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::smtp::SmtpServer;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const PEOPLE: usize = 300;
/// Who sits at the screen.
const ADMIN: &str = "olga";

/// The application: Sesame on one side, the platform on the other, one transport for both.
#[derive(Debug)]
struct Application {
    transport: Transport,
    sesame: BaseUrl,
    platform: Arc<dyn ProvisioningTarget>,
}

impl Application {
    fn connect(&self, credentials: &Credentials) -> hris_core::Result<Arc<dyn HrisConnector>> {
        // The simulator is ours, so that there is nobody to be gentle with.
        let config = SesameConfig::new().with_base_url(self.sesame.clone()).with_requests_per_minute(None);
        Ok(Arc::new(config.build(credentials.get("token")?, &self.transport)?))
    }
}

#[async_trait]
impl Assembly for Application {
    async fn connector(
        &self,
        _: &Connection,
        credentials: &Credentials,
    ) -> hris_core::Result<Arc<dyn HrisConnector>> {
        self.connect(credentials)
    }

    async fn target(&self, _: &Connection) -> hris_core::Result<Arc<dyn ProvisioningTarget>> {
        Ok(Arc::clone(&self.platform))
    }
}

/// Everything that the walk needs at hand.
struct Walk {
    sesame: SesameSim,
    platform: ScimSim,
    mail: SmtpServer,
    mails_shown: usize,
    application: Arc<Application>,
    worker: Worker,
    clock: SharedClock,
    bar: Arc<Bar>,
    vendor: Integration,
    key: ConnectionKey,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut walk = Walk::begin().await?;
    walk.enable();
    walk.set_up().await?;
    walk.authorise().await?;
    walk.map().await?;
    walk.review_and_publish().await?;
    walk.monitor().await?;
    walk.onboard().await?;
    walk.remove().await?;
    walk.on_demand().await?;
    walk.rotate_and_revoke().await
}

impl Walk {
    async fn begin() -> Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let sesame = SesameSim::start(Population::new(2026).size(PEOPLE).build()).await;
        sesame.add_company(
            "another-company",
            "Another Company Ltd",
            "token-of-another-company",
            Population::new(1).size(3).build(),
        );
        let platform = ScimSim::start(SystemClock::new()).await;
        let mail = SmtpServer::start().await;
        let transport = Transport::builder().build()?;
        let target = ScimConfig::new(platform.endpoint())
            .with_profile(Profile::RewardGateway)
            .with_requests_per_second(0)
            .build(&platform.token(), &transport)?;
        let application = Arc::new(Application {
            transport,
            sesame: BaseUrl::parse(sesame.url())?,
            platform: Arc::new(target),
        });
        let store = Arc::new(MemoryStore::new());
        let connections =
            Connections::new(Arc::clone(&store) as _, Arc::new(MemoryCredentials::new()), Arc::clone(&clock));
        let smtp = SmtpConfig::new("127.0.0.1", mail.address().port(), "rewards.example")
            .with_security(Security::Plain)
            .build(Arc::clone(&clock))?;
        let from = Mailbox::new("Reward Manager", address("imports@rewards.example")?);
        let notifier =
            MailNotifier::new(Arc::new(smtp), from)?.with_pages("https://rewards.example/integrations");
        let bar = Arc::new(Bar::default());
        let worker = Worker::new(
            connections,
            store,
            Arc::new(SecretKey::new(KeyId::new("walkthrough"), [42; 32])),
            Arc::clone(&application) as _,
            Arc::new(notifier),
        )
        .with_progress(Arc::clone(&bar) as _);
        let (vendor, key) = (hris_sesame::integration(), ConnectionKey::new("brisa", "sesame"));
        Ok(Self { sesame, platform, mail, mails_shown: 0, application, worker, clock, bar, vendor, key })
    }

    fn enable(&self) {
        heading("How to enable the Sesame integration?");
        println!("Explore Integrations, search: sesame");
        for found in search([&self.vendor], "sesame") {
            println!("  [{}] {}", found.display_name, found.about);
        }
    }

    async fn set_up(&self) -> Result<()> {
        heading("Setting up Sesame for Reward Gateway");
        heading("Step 1: Initial Setup");
        for option in setup_options(&self.vendor, Invitations::PerRecord) {
            println!("{}", option.label);
            for choice in &option.choices {
                let mark = if option.preselected == Some(choice.value) { 'x' } else { ' ' };
                let recommended =
                    if option.recommended == Some(choice.value) { " (recommended)" } else { "" };
                println!("  [{mark}] {}{recommended}", choice.label);
            }
            println!("      {}", option.reason);
        }
        let daily = Frequency::Daily { at: TimeOfDay::new(2, 30).ok_or("no time of day")? };
        let schedule = Schedule::new(daily, "Europe/Madrid".parse()?)?;
        let contact = Recipient::new(address("olga@brisa.example")?).named("Olga Adán");
        let setup = Setup::new()
            .with_schedule(schedule)
            .with_date_format(DateFormat::DayMonthYear)
            .with_owner(Owner::new(ADMIN, contact));
        let draft = Connection::draft(self.key.clone(), &self.vendor);
        self.worker.connections().create(&draft).await?;
        let now = self.clock.now();
        self.worker
            .connections()
            .change(&self.key, |connection| connection.set_up(setup.clone(), ADMIN, now))
            .await?;
        println!("-> daily at 02:30 in Madrid, dates as dd/mm/yyyy, with the welcome e-mail; saved");
        Ok(())
    }

    async fn authorise(&self) -> Result<()> {
        heading("Step 2: Authorize the Sesame Account");
        for step in &self.vendor.steps {
            println!("{}: {}", step.label, step.question);
            step.answer.iter().for_each(|line| println!("    {line}"));
        }
        println!(
            "-> with a mistyped token: {}",
            self.try_token("mistyped").await.err().map_or_else(String::new, |e| e.to_string())
        );
        let account = self.try_token(SesameSim::TOKEN).await?;
        println!(
            "-> connected to {}; finish set-up, save",
            account.name.as_deref().unwrap_or("an unnamed company")
        );
        Ok(())
    }

    async fn try_token(&self, token: &str) -> hris_core::Result<hris_core::Account> {
        let credentials = Credentials::new().with("token", token.to_owned().into());
        let connector = self.application.connect(&credentials)?;
        self.worker.connections().authorise(&self.key, &*connector, &credentials, ADMIN).await
    }

    async fn map(&self) -> Result<()> {
        heading("Step 3: Mapping");
        let only_id = vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId)];
        let without_email = MappingDocument::new(only_id, ScopeFilter::everybody());
        let (connections, now) = (self.worker.connections(), self.clock.now());
        connections.change(&self.key, |connection| connection.map(without_email.clone(), ADMIN, now)).await?;
        let missing = connections.get(&self.key).await?.missing(now);
        println!("-> saved without the e-mail address; still missing:");
        for missing in &missing {
            println!("     {missing}");
        }
        let mapping = MappingDocument::from(&FieldMap::standard());
        for rule in &mapping.fields {
            let from: Vec<_> = rule.from.iter().map(ToString::to_string).collect();
            println!("  {:14} <- {}", rule.target.to_string(), from.join(", else "));
        }
        connections.change(&self.key, |connection| connection.map(mapping.clone(), ADMIN, now)).await?;
        println!("-> saved");
        Ok(())
    }

    async fn review_and_publish(&mut self) -> Result<()> {
        heading("Step 4: Review and Publish");
        let plan = self.worker.review(&self.key, ADMIN).await?;
        self.bar.finish();
        let summary = plan.summary();
        println!("{summary}");
        println!("{} people will be invited; publishing confirms exactly this plan", summary.invitations);
        let problems: Vec<_> = plan.problems().try_collect().await?;
        println!("{} errors and warnings, to download after the import", problems.len());
        let report = self.worker.publish(&self.key, &plan.header().digest, ADMIN).await?;
        self.show(&report);
        let connection = self.worker.connections().get(&self.key).await?;
        let next = connection.next_scheduled().ok_or("the schedule ought to run")?;
        println!("-> live; the next import is due {}", next.due.format("%H:%M UTC"));
        Ok(())
    }

    async fn monitor(&mut self) -> Result<()> {
        heading("How will you monitor when your Sesame data syncs?");
        self.show_mails();
        self.show_history().await?;
        let last = self.worker.history().runs(self.key.tenant(), 0, 1).await?.pop().ok_or("no run")?;
        let file = self.error_file(&last.run, Severity::Error).await?;
        println!("the error file of the last import begins:");
        file.lines().take(4).for_each(|line| println!("    {line}"));
        Ok(())
    }

    async fn onboard(&mut self) -> Result<()> {
        heading("How will your employees get onboarded once your Sesame data has been synced?");
        let changes = self.sesame.next_day(&DayPlan { hires: 4, field_changes: 6, ..DayPlan::quiet() });
        println!("in Sesame: {} hired, {} changed", changes.hired.len(), changes.fields_changed.len());
        let report = self.import().await?;
        println!(
            "-> {} created, {} invited; {} updated without a message",
            report.applied.created, report.applied.invited, report.applied.updated
        );
        Ok(())
    }

    async fn remove(&mut self) -> Result<()> {
        heading(
            "How will the employee data be removed once an employee is removed from your Sesame directory?",
        );
        let changes = self.sesame.next_day(&DayPlan { leavers: 2, ..DayPlan::quiet() });
        println!("in Sesame: {} set to inactive", changes.left.len());
        let report = self.import().await?;
        println!(
            "-> {} marked as leavers; they can be brought back until {}",
            report.applied.left,
            report
                .irreversible_from
                .map_or_else(|| "the platform's own date".to_owned(), |day| day.to_string())
        );

        let changes = self.sesame.next_day(&DayPlan { leavers: PEOPLE / 4, ..DayPlan::quiet() });
        println!("in Sesame: {} set to inactive at once, by mistake or not", changes.left.len());
        let open = self.open_accounts();
        let report = self.import().await?;
        println!(
            "-> held, {} accounts are as open as before: {}",
            self.open_accounts(),
            self.open_accounts() == open
        );
        let plan = report.plan.ok_or("a held run has a plan")?;
        let held = self.worker.plan(&self.key, &plan).await?;
        println!("-> reviewed: {} would leave; released by the digest in the mail", held.summary().leave);
        let digest = self.digest_in_the_last_mail().ok_or("the mail has the digest")?;
        let released = self.worker.release(&self.key, &plan, &digest, ADMIN).await?;
        self.bar.finish();
        println!("-> {} marked as leavers", released.applied.left);
        self.show_mails();
        Ok(())
    }

    async fn on_demand(&mut self) -> Result<()> {
        heading("How can you trigger your membership provisioning imports on demand?");
        println!("Tools, Import data now");
        let report = self.import().await?;
        println!("-> the impact on the programme:");
        for (action, impact) in report.impact() {
            println!(
                "     {action:12} planned {:3}  applied {:3}  held {:3}",
                impact.planned, impact.applied, impact.held
            );
        }
        let warnings = self.error_file(&report.run, Severity::Warning).await?;
        println!("-> {} warnings to download", warnings.lines().count().saturating_sub(1));

        let errors = self.error_file(&report.run, Severity::Error).await?;
        let (corrected, count) = corrected(&errors)?;
        println!(
            "-> the error file has {} rows; {count} of them corrected and fed back",
            errors.lines().count().saturating_sub(1)
        );
        let refeed = self
            .worker
            .refeed(&self.key, corrected.as_bytes(), ADMIN, "told by the people themselves")
            .await?;
        let report = self.import().await?;
        println!(
            "-> {} corrections recorded, {} more accounts created",
            refeed.recorded, report.applied.created
        );
        Ok(())
    }

    /// What the seed says in passing: credentials change, and access can be revoked at any time.
    async fn rotate_and_revoke(&mut self) -> Result<()> {
        println!("\nSesame's token is rotated:");
        let wrong = self.try_token("token-of-another-company").await;
        println!(
            "-> a token of another company: {}",
            wrong.err().map_or_else(String::new, |error| error.to_string())
        );
        self.sesame.tokens().add("the-new-token", SesameSim::COMPANY_ID);
        self.try_token("the-new-token").await?;
        self.sesame.tokens().revoke(SesameSim::TOKEN);
        let report = self.import().await?;
        println!(
            "-> the same company confirmed, replaced in place; imports go on: {}",
            !matches!(report.result, hris_core::RunResult::Failed { .. })
        );

        let open = self.open_accounts();
        let revoked = self.worker.revoke(&self.key, &self.vendor, ADMIN).await?;
        println!(
            "\nAccess is revoked: secrets are purged, and nobody became a leaver: {}",
            self.open_accounts() == open
        );
        revoked.steps.iter().for_each(|step| println!("   left to do: {step}"));
        self.show_mails();
        self.show_history().await
    }

    /// Import data now: asks for a run, and lets the worker take it up.
    async fn import(&mut self) -> Result<RunReport> {
        let run = self.worker.import_now(&self.key, ADMIN).await?;
        let stepped = Box::pin(self.worker.step(&self.key)).await?;
        self.bar.finish();
        let (ran, result) = stepped.ran.ok_or("the import ought to run")?;
        if ran != run {
            return Err("another run was due".into());
        }
        Ok(result?)
    }

    fn show(&self, report: &RunReport) {
        self.bar.finish();
        print!("{report}");
    }

    /// The mails that arrived since the last look.
    fn show_mails(&mut self) {
        let mails = self.mail.mails();
        println!("{} mails arrived:", mails.len() - self.mails_shown);
        for mail in mails.iter().skip(self.mails_shown) {
            println!("   to {}: {}", mail.envelope_to().join(", "), mail.subject().unwrap_or_default());
        }
        if self.mails_shown == 0
            && let Some(text) = mails.first().and_then(|mail| mail.text())
        {
            text.lines().for_each(|line| println!("      | {line}"));
        }
        self.mails_shown = mails.len();
    }

    fn digest_in_the_last_mail(&self) -> Option<String> {
        let text = self.mail.mails().last()?.text()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Digest: "))?;
        Some(line.trim().to_owned())
    }

    async fn show_history(&self) -> Result<()> {
        println!("Import History:");
        for report in self.worker.history().runs(self.key.tenant(), 0, 20).await? {
            println!(
                "   {} {:9} {:4} accounts, {} errors, {} warnings",
                report.started_at.format("%H:%M:%S"),
                outcome(&report),
                report.applied.affected(),
                report.error_count(),
                report.warning_count(),
            );
        }
        Ok(())
    }

    async fn error_file(&self, run: &RunId, severity: Severity) -> Result<String> {
        let mut file = Vec::new();
        self.worker.history().write_file(&self.key, run, severity, FileFormat::Csv, &mut file).await?;
        Ok(String::from_utf8(file)?)
    }

    fn open_accounts(&self) -> usize {
        self.platform.accounts().iter().filter(|account| account.is_active()).count()
    }
}

fn outcome(report: &RunReport) -> &'static str {
    match report.result {
        hris_core::RunResult::Applied => "applied",
        hris_core::RunResult::NothingToDo => "nothing",
        hris_core::RunResult::Held { .. } => "held",
        hris_core::RunResult::Failed { .. } => "failed",
        _ => "stopped",
    }
}

/// Fills in an address wherever one is missing, as an administrator would in a spreadsheet.
fn corrected(file: &str) -> Result<(String, usize)> {
    let mut rows = csv::Reader::from_reader(file.as_bytes());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(rows.headers()?)?;
    let mut count = 0;
    for row in rows.records() {
        let mut cells: Vec<String> = row?.iter().map(str::to_owned).collect();
        if cells.get(3).is_some_and(|rule| rule == "email.missing") {
            count += 1;
            if let Some(value) = cells.get_mut(5) {
                *value = format!("corrected.{count}@brisa.example");
            }
        }
        out.write_record(&cells)?;
    }
    Ok((String::from_utf8(out.into_inner()?)?, count))
}

fn address(text: &str) -> Result<Email> {
    Email::parse(text).ok_or_else(|| "no address".into())
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "=".repeat(text.chars().count()));
}
