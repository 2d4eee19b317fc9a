//! `hrisctl` from Sesame to a platform over SCIM: by the documented connection file, judged by what is on the platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the other programs use the rest of it")]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use hris::http::SystemClock;
use hris::target_scim::sim::ScimSim;
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::run;
use hris_testkit::sim::Fault;

use support::{Place, done, example, json};

/// An HR system, a platform, and a connection between them.
struct Bridge {
    place: Place,
    platform: ScimSim,
}

impl Bridge {
    fn with_people(people: usize) -> Self {
        let bridge =
            Self { place: Place::with_people(people), platform: run(ScimSim::start(SystemClock::new())) };
        bridge.write_connection("", "");
        bridge
    }

    fn write_connection(&self, options: &str, more: &str) {
        let target = format!(
            "[target]\nkind = \"scim\"\ntoken = \"env:SCIM_TOKEN\"\n[target.options]\nendpoint = \"{}\"\n\
             profile = \"reward_gateway\"\nrequests_per_second = 0\nmax_in_flight = 4\n{options}",
            self.platform.endpoint()
        );
        self.place.write_connection_to(&target, more);
    }

    fn open_accounts(&self) -> usize {
        self.platform.accounts().iter().filter(|account| account.is_active()).count()
    }
}

#[test]
fn plan_and_apply_bring_people_to_the_platform_and_a_second_run_is_empty() {
    let bridge = Bridge::with_people(60);
    let planned = json(bridge.place.ok(&["plan", "--json"]).lines().next().unwrap());
    assert!(bridge.platform.accounts().is_empty(), "a dry run changes nothing");
    let expected = planned["summary"]["create"].as_u64().unwrap();
    let out = bridge.place.ok(&["apply"]);
    assert!(out.contains("applied"), "{out}");
    let accounts = bridge.platform.accounts();
    assert_eq!(accounts.len() as u64, expected);
    assert!(accounts.iter().all(|account| account.invitations == 1 && account.is_active()));
    assert!(accounts.iter().all(|account| account.text("externalId").is_some()));

    let writes = bridge.platform.writes();
    let again = bridge.place.ok(&["plan"]);
    assert!(again.contains("0 create") && again.contains("0 update") && again.contains("0 leave"), "{again}");
    bridge.place.ok(&["apply"]);
    assert_eq!(bridge.platform.writes(), writes);
}

#[test]
fn hires_changes_and_leavers_of_a_day_reach_the_platform_and_nobody_is_deleted() {
    let bridge = Bridge::with_people(80);
    bridge.place.ok(&["apply"]);
    let before = bridge.platform.accounts().len();
    let open = bridge.open_accounts();
    bridge.place.sim.next_day(&DayPlan {
        hires: 2,
        leavers: 3,
        field_changes: 4,
        email_changes: 1,
        ..DayPlan::quiet()
    });
    bridge.place.ok(&["apply"]);
    assert_eq!(bridge.platform.accounts().len(), before + 2);
    assert_eq!(bridge.open_accounts(), open - 3 + 2);
    assert_eq!(bridge.platform.deletions(), 0);
    assert!(bridge.platform.accounts().iter().all(|account| account.invitations == 1));
    let quiet = bridge.place.ok(&["plan"]);
    assert!(quiet.contains("0 create") && quiet.contains("0 update") && quiet.contains("0 leave"), "{quiet}");

    let closed: Vec<_> =
        bridge.platform.accounts().into_iter().filter(|account| !account.is_active()).collect();
    bridge.place.sim.next_day(&DayPlan { returns: 1_000, ..DayPlan::quiet() });
    bridge.place.ok(&["apply"]);
    assert_eq!(closed.len(), 3);
    for account in closed {
        let back = bridge.platform.account(&account.id).unwrap();
        assert!(
            back.is_active() && back.closes_on.is_none() && back.invitations == 1,
            "the same member, uninvited"
        );
    }
}

#[test]
fn what_failed_is_tried_again_alone_by_the_name_of_its_run() {
    let bridge = Bridge::with_people(30);
    let refuses = Fault::status(400);
    bridge.platform.faults().add(refuses.times(2).on(|request| request.method() == "POST"));
    let failed = bridge.place.fails(4, &["apply", "--run", "first"]);
    assert!(failed.contains("2 failed"), "{failed}");
    let before = bridge.platform.accounts().len();
    bridge.place.sim.next_day(&DayPlan { hires: 3, ..DayPlan::quiet() });
    let told = bridge.place.ok(&["replay", "first", "--run", "again"]);
    assert!(told.contains("2 created"), "{told}");
    assert_eq!(bridge.platform.accounts().len(), before + 2, "newcomers wait for an ordinary run");
    assert!(bridge.place.ok(&["replay", "first"]).contains("nothing to do"));
    assert!(bridge.place.ok(&["history"]).contains("again"));
    assert!(bridge.place.fails(1, &["replay", "never"]).contains("no such run"));
}

#[test]
fn check_tells_what_the_token_may_do_and_a_reading_one_applies_nothing() {
    let bridge = Bridge::with_people(5);
    assert!(bridge.place.ok(&["check"]).contains("target: 0 members; the token may write"));
    assert_eq!(json(&bridge.place.ok(&["check", "--json"]))["target"]["may_write"], true);
    let reading = |arguments: &[&str]| {
        done(&bridge.place.command(arguments).env("SCIM_TOKEN", ScimSim::READ_ONLY_TOKEN).output().unwrap())
    };
    assert!(reading(&["check"]).out.contains("may only read"));
    let applied = reading(&["apply"]);
    assert_eq!(applied.code, Some(4), "{}", applied.err);
    assert!(applied.err.contains("pending"), "{}", applied.err);
    assert!(bridge.platform.accounts().is_empty());
    bridge.place.ok(&["apply"]);
    assert!(!bridge.platform.accounts().is_empty(), "with a better token the next run goes on");
}

#[test]
fn what_is_missing_or_wrong_about_the_platform_is_told_with_the_remedy() {
    let bridge = Bridge::with_people(3);
    let place = &bridge.place;
    let told = |target: &str, more: &str| {
        place.write_connection_to(target, more);
        place.fails(2, &["plan"])
    };
    assert!(told("[target]\nkind = \"scim\"", "").contains("token = \"env:NAME\""));
    let scim = "[target]\nkind = \"scim\"\ntoken = \"env:SCIM_TOKEN\"\n[target.options]\n";
    assert!(told(scim, "").contains("copy the platform's SCIM URL"));
    assert!(told(&format!("{scim}endpoint = \"http://s3cret.example\""), "").contains("https"));
    assert!(told(&format!("{scim}profile = \"s3cret\""), "").contains("`profile` is not usable"));
    assert!(told("[target]\nkind = \"ftp\"", "").contains("expected"));
    assert!(told("[target]", "").contains("`path`"));
    bridge.write_connection(
        "",
        "[[mapping]]\ntarget = \"employee_id\"\nfrom = [\"employee_id\"]\n\
         [[mapping]]\ntarget = \"email\"\nfrom = [\"work_email\"]\n\
         [[mapping]]\ntarget = \"birth_date\"\nfrom = [\"birth_date\"]\n",
    );
    let error = place.fails(2, &["plan"]);
    assert!(
        error.contains("no place for `birth_date`") && error.contains("target.options.attributes"),
        "{error}"
    );
}

#[test]
fn an_extension_of_the_programme_is_written_where_the_connection_file_says() {
    let bridge = Bridge::with_people(12);
    let urn = "urn:example:params:scim:schemas:extension:member:2.0:User";
    bridge.platform.add_extension(urn, ["born"]);
    bridge.write_connection(
        &format!("[target.options.attributes]\nbirth_date = {{ path = \"{urn}:born\", format = \"day_month_year\" }}"),
        "",
    );
    bridge.place.ok(&["apply"]);
    let accounts = bridge.platform.accounts();
    let born =
        accounts.iter().filter_map(|account| account.user.get(urn)?["born"].as_str()).collect::<Vec<_>>();
    assert!(!born.is_empty() && born.iter().all(|date| date.len() == 10 && &date[2..3] == "/"), "{born:?}");
}

#[test]
fn people_whom_the_rules_of_the_platform_refuse_are_reported_and_are_nobody_elses_problem() {
    let place = Place::with(Population::new(4).size(60).build());
    let bridge = Bridge { place, platform: run(ScimSim::start(SystemClock::new())) };
    bridge.write_connection("", "");
    let applied = bridge.place.run(&["apply"]);
    assert!([Some(0), Some(4)].contains(&applied.code), "{}", applied.err);
    assert!(bridge.platform.accounts().len() > 30);
    let again = bridge.place.run(&["apply"]);
    assert!([Some(0), Some(4)].contains(&again.code), "{}", again.err);
    assert!(bridge.platform.accounts().iter().all(|account| account.invitations == 1));
}

/// Ends a program however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Lines = Box<dyn Iterator<Item = String>>;

fn start(arguments: &[&str], connection: &std::path::Path) -> (Running, Vec<String>, Lines) {
    let mut command = Command::new(example("simulator"));
    command.args(arguments).arg("--write").arg(connection);
    let mut running = Running(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let printed = lines.by_ref().take_while(|line| !line.starts_with("Enter")).collect();
    (running, printed, Box::new(lines))
}

#[test]
fn two_simulators_and_the_connection_file_that_they_write_are_enough_to_try_it_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let connection = folder.path().join("connection.toml");
    let (_hr, mut printed, _) = start(&["sesame", "--people", "60", "--seed", "3"], &connection);
    let (mut platform, more, mut lines) = start(&["scim"], &connection);
    printed.extend(more);
    let variables: Vec<_> =
        printed.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    let hrisctl = |command: &str| {
        let mut hrisctl = Command::new(example("hrisctl"));
        hrisctl.envs(variables.iter().copied()).arg("--connection").arg(&connection).arg(command);
        done(&hrisctl.output().unwrap()).out
    };
    assert!(hrisctl("check").contains("the token may write"));
    assert!(hrisctl("apply").contains("created"));
    assert!(hrisctl("plan").contains("0 create"));
    platform.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    let day = lines.next().unwrap();
    assert!(day.starts_with("a day has passed") && !day.contains(": 0 accounts"), "{day}");
}
