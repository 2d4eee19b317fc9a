//! `hrisctl` as its users meet it: a program of its own against a simulated Sesame, judged by output and exit code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hris::core::store::Leases as _;
use hris::core::{Clock as _, ConnectionKey, RunId};
use hris::http::SystemClock;
use hris::sesame::sim::SesameSim;
use hris::store_sqlite::SqliteStore;
use hris::sync::Policy;
use hris::target_file::FileTarget;
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::run;
use serde_json::Value;

use support::{Done, KEY, Place, done, example, id_and_digest, json};

#[test]
fn check_names_the_account() {
    let place = Place::with_people(3);
    assert!(place.ok(&["check"]).contains("Talleres Brisa S.L."));
    assert_eq!(json(&place.ok(&["check", "--json"]))["account"], SesameSim::COMPANY_ID);
}

#[test]
fn employees_are_json_lines_and_nothing_else_is_on_standard_output() {
    let place = Place::with_people(230);
    let out = place.ok(&["employees"]);
    let rows: Vec<Value> = out.lines().map(json).collect();
    assert_eq!(rows.len(), 230);
    assert!(rows.iter().all(|row| row["record_id"].is_string() && row["work_email"].is_string()));
    assert!(rows.iter().all(|row| row.get("phone").is_none()), "only mapped fields are read");

    let phone = place.ok(&["employees", "--fields", "phone"]);
    assert!(phone.lines().map(json).all(|row| row.get("work_email").is_none()));
    assert!(phone.contains("\"phone\""));
}

#[test]
fn whoever_stops_reading_ends_the_listing_without_a_complaint() {
    let place = Place::with_people(900);
    let mut command = place.command(&["employees"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let done = done(&child.wait_with_output().unwrap());
    assert!(json(&first)["record_id"].is_string());
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
}

#[test]
fn fields_lists_what_a_mapping_can_read() {
    let place = Place::with_people(3);
    assert!(place.ok(&["fields"]).contains("work_email"));
    let fields = place.ok(&["fields", "--json"]);
    assert!(fields.lines().map(json).any(|row| row["field"].as_str().unwrap().starts_with("custom:")));
}

#[test]
fn probe_tells_forms_and_fill_but_no_value() {
    // Without the fields that cost a request for each person.
    const FIELDS: &str = "employee_id,last_name,work_email,phone,birth_date,department";
    let place = Place::with(Population::new(4).size(300).build());
    let out = place.ok(&["probe", "--people", "0", "--fields", FIELDS]);
    assert!(out.contains("e-mail address") && out.contains("digits with leading zeros"), "{out}");
    assert!(out.contains("status words are not known"), "{out}");
    for employee in place.ok(&["employees", "--fields", FIELDS]).lines().map(json) {
        for (name, value) in employee.as_object().unwrap() {
            let value = value.as_str().filter(|value| value.chars().count() > 5 && name != "status");
            assert!(value.is_none_or(|value| !out.contains(value)), "a {name} is shown");
        }
    }
}

#[test]
fn probe_looks_at_every_field_and_stops_early() {
    let place = Place::with_people(230);
    let report = json(&place.ok(&["probe", "--people", "20", "--json"]));
    assert_eq!((&report["people"], &report["pages"]["largest"]), (&100.into(), &100.into()));
    assert_eq!(report["whole_directory"], Value::Null);
    let fields = report["fields"].as_array().unwrap();
    let custom = fields.iter().find(|field| field["field"].as_str().unwrap().starts_with("custom:"));
    assert!(custom.is_some_and(|field| field["label"].is_string()), "{report}");
    assert!(fields.iter().any(|field| field["field"] == "start_date" && field["filled"] != 0));
}

#[test]
fn a_dry_run_leaves_no_file_and_no_history() {
    let place = Place::with_people(40);
    let before = place.files();
    assert!(place.ok(&["plan"]).contains("this was a dry run"));
    assert_eq!(place.files(), before);
    assert!(place.fails(2, &["history"]).contains("there is no store yet"));

    place.ok(&["apply"]);
    let (members, history) = (place.members(), place.ok(&["history", "--json"]));
    place.lets_leave(2);
    assert!(place.ok(&["plan"]).contains("2 leave"));
    assert_eq!((place.members(), place.ok(&["history", "--json"])), (members, history));
}

#[test]
fn a_saved_plan_is_applied_by_id_and_digest_and_the_next_one_is_empty() {
    let place = Place::with_people(40);
    let out = place.ok(&["plan", "--save", "--json", "--actions"]);
    let lines: Vec<Value> = out.lines().map(json).collect();
    let creates = lines[0]["summary"]["create"].as_u64().unwrap();
    assert_eq!(lines.len() as u64, 1 + creates);
    assert!(!out.contains('@'), "actions show names of fields and no values");

    let (id, digest) = id_and_digest(&lines[0]);
    assert!(place.fails(1, &["apply", &id, "--digest", "0"]).contains("digest"));
    assert_eq!(place.run(&["apply", &id]).code, Some(2), "no plan is applied without its digest");
    let report = json(&place.ok(&["apply", &id, "--digest", &digest, "--json"]));
    assert_eq!(report["applied"]["created"], creates);
    assert_eq!(place.members().len() as u64, creates);
    assert!(place.ok(&["plan", &id]).contains("was applied"));
    assert!(place.fails(1, &["apply", &id, "--digest", &digest]).contains("carried out"));

    let again = json(&place.ok(&["plan", "--json"]));
    let actions = ["create", "adopt", "update", "leave", "reactivate"];
    assert!(actions.iter().all(|action| again["summary"][action] == 0), "{again}");
}

#[test]
fn a_run_is_in_the_history_and_its_name_makes_it_repeatable() {
    let place = Place::with_people(40);
    let first = json(&place.ok(&["apply", "--run", "monday", "--json"]));
    let members = place.members();
    place.sim.next_day(&DayPlan { hires: 2, ..DayPlan::quiet() });
    assert_eq!(json(&place.ok(&["apply", "--run", "monday", "--json"])), first);
    assert_eq!(place.members(), members);

    place.ok(&["apply", "--run", "tuesday"]);
    let history: Vec<Value> = place.ok(&["history", "--json"]).lines().map(json).collect();
    let names: Vec<_> = history.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(names, ["tuesday", "monday"]);
    assert!(place.ok(&["history", "--limit", "1"]).contains("2 created"));
}

#[test]
fn a_member_edited_in_the_file_by_hand_is_shown_and_then_put_right() {
    let place = Place::with_people(20);
    place.ok(&["apply"]);
    let members = place.members();
    let file = std::fs::read_to_string(place.path("members.jsonl")).unwrap();
    let name = members[3]["attributes"]["first_name"]["text"].as_str().unwrap();
    let edited = file.replacen(&format!("\"text\":\"{name}\""), "\"text\":\"Nickname\"", 1);
    assert_ne!(edited, file);
    std::fs::write(place.path("members.jsonl"), &edited).unwrap();

    let shown = place.ok(&["verify", "--actions"]);
    assert!(shown.contains("1 differ") && shown.contains("first_name in 1"), "{shown}");
    assert!(shown.contains("nothing was changed") && !shown.contains("Nickname"), "{shown}");
    assert_eq!(json(&place.ok(&["verify", "--json"]))["drifted"], 1);
    assert_ne!(place.members(), members, "looking changes nothing");

    let report = json(&place.ok(&["verify", "--repair", "--run", "sunday", "--json"]));
    assert_eq!((&report["applied"]["updated"], &report["verified"]["drifted"]), (&1.into(), &1.into()));
    assert_eq!(place.members(), members);
    assert!(place.ok(&["verify"]).contains("0 differ"));
}

#[test]
fn one_person_is_explained_and_an_error_file_is_fed_back() {
    let place = Place::with_people(20);
    let errors = place.path("errors.csv");
    place.ok(&["apply"]);
    let employees: Vec<Value> = place.ok(&["employees"]).lines().map(json).collect();
    let record = employees[0]["record_id"].as_str().unwrap();
    let told = place.ok(&["explain", record]);
    assert!(told.contains("read   The HR system has this person"), "{told}");
    assert!(told.contains("act ") && !told.contains('@'), "{told}");

    let row = format!("{record},,first_name,field.unreadable,m,Nerea\nr-x,,shoe,x,m,42\n");
    std::fs::write(&errors, format!("record_id,employee_id,field,rule,message,corrected_value\n{row}"))
        .unwrap();
    let out = place.ok(&["refeed", errors.to_str().unwrap(), "--actor", "ane"]);
    assert!(out.contains("1 recorded") && out.contains("r-x shoe:") && !out.contains("42"), "{out}");
    place.ok(&["apply"]);
    let named = |members: &[Value]| {
        members.iter().filter(|it| it["attributes"]["first_name"]["text"] == "Nerea").count()
    };
    assert_eq!(named(&place.members()), 1);
    assert!(place.ok(&["forget", record]).contains("forgotten"));
    assert!(place.ok(&["plan"]).contains(" 0 create"));
    assert!(place.ok(&["purge", "--before", "2999-01-01"]).contains("2 plans and 2 reports"));
}

#[test]
fn too_many_leavers_hold_the_plan_until_it_is_released() {
    let place = Place::with_people(60);
    place.ok(&["apply"]);
    let members = place.members();
    place.lets_leave(20);
    let held = place.fails(3, &["apply"]);
    assert!(held.contains("20 people would leave") && held.contains("hrisctl plan "), "{held}");
    assert_eq!(place.members(), members, "nothing of a held plan is applied");

    let history: Vec<Value> = place.ok(&["history", "--json"]).lines().map(json).collect();
    let id = history[0]["plan"].as_str().unwrap();
    assert!(place.ok(&["plan", id]).contains("hrisctl release "));
    let (_, digest) = id_and_digest(&json(&place.ok(&["plan", id, "--json"])));
    assert!(place.fails(3, &["apply", id, "--digest", &digest]).contains("held"));
    place.ok(&["release", id, "--digest", &digest, "--actor", "ane"]);
    let closed = |members: &[Value]| members.iter().filter(|member| member["active"] == false).count();
    assert_eq!((closed(&members), closed(&place.members())), (0, 20));
}

#[test]
fn a_dismissed_plan_is_not_applied() {
    let place = Place::with_people(10);
    let (id, digest) = id_and_digest(&json(&place.ok(&["plan", "--save", "--json"])));
    place.ok(&["dismiss", &id, "--actor", "ane"]);
    assert!(place.ok(&["plan", &id]).contains("dismissed (ane)"));
    place.fails(1, &["apply", &id, "--digest", &digest]);
    assert!(!place.path("members.jsonl").exists());
}

#[test]
fn the_error_file_has_a_row_for_each_problem_and_no_value() {
    let place = Place::with(Population::new(4).size(300).build());
    let report = json(&place.ok(&["apply", "--run", "r", "--json"]));
    let csv = place.ok(&["errors", "r"]);
    assert!(csv.starts_with("record_id,employee_id,field,rule,message,corrected_value\n"));
    assert!(csv.contains("email.missing") && !csv.contains('@'), "{csv}");

    let lines = |arguments: &[&str]| place.ok(arguments).lines().count() as u64;
    let errors = lines(&["errors", "r", "--format", "json"]);
    let warnings = lines(&["errors", "r", "--format", "json", "--warnings"]);
    let counted: u64 = report["problems"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(errors + warnings, counted);

    let told = place.run(&["errors", "--out", "errors.csv"]);
    assert_eq!((told.code, told.out.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(place.path("errors.csv")).unwrap(), csv);
    assert!(place.fails(1, &["errors", "nope"]).contains("no such run"));
}

#[test]
fn a_refused_token_is_told_on_standard_error() {
    let place = Place::with_people(3);
    let output = place.command(&["check"]).env("SESAME_TOKEN", "s3cret").output().unwrap();
    let done = done(&output);
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""));
    assert!(done.err.contains("refused"), "{}", done.err);
}

#[test]
fn what_is_missing_or_wrong_in_the_set_up_is_told_with_the_remedy() {
    let place = Place::with_people(3);
    let told = |command: &mut Command| {
        let done = done(&command.output().unwrap());
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{}", done.err);
        done.err
    };
    assert!(told(place.command(&["check"]).env_remove("SESAME_TOKEN")).contains("SESAME_TOKEN is not set"));
    assert!(told(place.command(&["plan"]).env_remove("HRIS_KEY")).contains("openssl rand -hex 32"));
    assert!(told(place.command(&["apply"]).env("HRIS_KEY", "s3cret")).contains("openssl rand -hex 32"));
    assert!(told(&mut place.command(&["check", "-c", "nowhere.toml"])).contains("nowhere.toml"));
    assert!(told(&mut place.command(&["check", "--base-url", "http://vendor.example"])).contains("https"));
    place.write_connection("[policy]\ninvite = \"s3cret\"");
    let error = told(&mut place.command(&["check"]));
    assert!(error.contains("line: ") && error.contains("expected a boolean"), "{error}");
    place.write_connection("[credential]\ntoken = \"s3cret\"");
    assert!(told(&mut place.command(&["check"])).contains("unknown field `credential`"));
    assert!(!place.path("hris.db").exists());
}

#[test]
fn another_key_for_the_same_store_is_refused() {
    let place = Place::with_people(10);
    place.ok(&["apply"]);
    let output = place.command(&["plan"]).env("HRIS_KEY", KEY.replace('0', "a")).output().unwrap();
    assert!(done(&output).err.contains("which is not at hand"));
}

#[test]
fn the_base_url_can_be_overridden() {
    let place = Place::with_people(3);
    let other = run(SesameSim::start(Population::new(5).size(7).without_oddities().build()));
    let out = place.ok(&["employees", "--base-url", other.url()]);
    assert_eq!(out.lines().count(), 7);
}

#[test]
fn a_mapping_and_a_policy_of_ones_own_are_used() {
    let place = Place::with_people(10);
    place.write_connection(
        "[policy]\ninvite = false\n\
         [[mapping]]\ntarget = \"employee_id\"\nfrom = [\"employee_id\"]\n\
         [[mapping]]\ntarget = \"email\"\nfrom = [\"work_email\"]\ntransforms = [\"trim\", \"lower\"]\n\
         [[mapping]]\ntarget = \"custom:born\"\nfrom = [\"birth_date\"]\n",
    );
    place.ok(&["apply"]);
    for member in place.members() {
        let names: Vec<_> = member["attributes"].as_object().unwrap().keys().cloned().collect();
        assert!(names.iter().all(|name| ["custom:born", "email", "employee_id"].contains(&name.as_str())));
        assert_eq!(member["invitations"], 0);
    }
}

#[test]
fn a_second_process_is_refused_while_one_holds_the_connection() {
    let place = Place::with_people(40);
    place.ok(&["apply"]);
    place.lets_leave(1);
    let members = place.members();

    let target = FileTarget::open(place.path("members.jsonl"), SystemClock::new()).unwrap();
    assert!(place.fails(1, &["apply"]).contains("another process is using this file"));
    assert!(place.ok(&["plan"]).contains("1 leave"), "a dry run needs no lock");
    drop(target);

    let store = SqliteStore::open(place.path("hris.db")).unwrap();
    let (key, long) = (ConnectionKey::new("brisa", "sesame"), Duration::from_secs(1 << 20));
    let lease = run(store.acquire(&key, &RunId::from("another"), SystemClock::new().now(), long)).unwrap();
    place.fails(1, &["apply"]);
    assert_eq!(place.members(), members);
    run(store.release(&lease)).unwrap();
    place.ok(&["apply"]);
    assert_ne!(place.members(), members);
}

#[test]
fn of_processes_that_start_together_each_member_is_created_once() {
    let place = Place::with_people(150);
    let spawn = || place.command(&["apply"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = (0..4).map(|_| spawn()).collect();
    let ended: Vec<Done> =
        children.into_iter().map(|child| done(&child.wait_with_output().unwrap())).collect();
    assert!(ended.iter().any(|done| done.code == Some(0)), "one of them gets through");
    for loser in ended.iter().filter(|done| done.code != Some(0)) {
        assert_eq!(loser.code, Some(1));
        assert!(loser.err.contains("another"), "{}", loser.err);
    }
    let members = place.members();
    assert!(members.iter().all(|member| member["invitations"] == 1));
    assert!(place.ok(&["plan"]).contains(&format!("{} unchanged", members.len())));
}

#[test]
fn the_printed_example_is_a_connection_file() {
    let place = Place::with_people(5);
    std::fs::write(place.path("example.toml"), place.ok(&["example"])).unwrap();
    let out = place.ok(&["employees", "-c", "example.toml", "--base-url", place.sim.url()]);
    assert_eq!(out.lines().count(), 5);
    assert!(place.ok(&["--help"]).contains("[credentials]"), "the help shows it as well");
}

#[test]
fn the_schema_knows_every_setting_of_the_policy() {
    let place = Place::with_people(1);
    let schema = json(&place.ok(&["schema"]));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut described = names(&schema["$defs"]["PolicyTable"]["properties"]);
    let mut real = names(&serde_json::to_value(Policy::default()).unwrap());
    described.sort();
    real.sort();
    assert_eq!(described, real);
    let top = names(&schema["properties"]);
    let example = place.ok(&["example"]);
    assert!(top.iter().all(|name| example.contains(name.as_str())), "{top:?}");
}

#[test]
fn vendors_are_listed_with_their_credentials() {
    let place = Place::with_people(1);
    let out = place.ok(&["vendors"]);
    assert!(out.contains("sesame") && out.contains("credential token"), "{out}");
}

/// Ends a program however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn each_simulator_writes_a_connection_file_that_works_and_lives_through_days() {
    for vendor in ["merge", "peoplehr", "sesame", "trinet"] {
        check_plan_and_apply(vendor);
    }
}

fn check_plan_and_apply(vendor: &str) {
    let folder = tempfile::tempdir().unwrap();
    let connection = folder.path().join("connection.toml");
    let mut command = Command::new(example("simulator"));
    command.args([vendor, "--people", "300", "--seed", "3", "--write"]).arg(&connection);
    let mut running = Running(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let printed: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Enter")).collect();
    let variables = printed.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));

    let variables: Vec<_> = variables.collect();
    let hrisctl = |command: &str| {
        let mut hrisctl = Command::new(example("hrisctl"));
        hrisctl.envs(variables.iter().copied()).arg("--connection").arg(&connection).arg(command);
        done(&hrisctl.output().unwrap()).out
    };
    assert!(hrisctl("check").contains("connected to"), "{vendor}");
    assert!(hrisctl("employees").lines().count() > 200, "{vendor}");
    assert!(hrisctl("plan").contains("create"), "{vendor}");
    assert!(hrisctl("apply").contains("created"), "{vendor}");
    running.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert!(lines.next().unwrap().starts_with("a day has passed"));
    assert!(hrisctl("apply").contains("result     applied"), "{vendor}");
    assert!(folder.path().join("members.jsonl").exists(), "paths are relative to the connection file");
}

const OWN_MAPPING: &str = "\
    [[mapping]]\ntarget = \"employee_id\"\nfrom = [\"employee_id\"]\n\
    [[mapping]]\ntarget = \"email\"\nfrom = [\"work_email\"]\ntransforms = [\"trim\"]\n\
    [[mapping]]\ntarget = \"display_name\"\nfrom = [{ join = [\"first_name\", \"last_name\"], separator = \" \" }]\n";

#[test]
fn fields_tell_which_share_of_people_fills_them() {
    let place = Place::with_people(40);
    let rows: Vec<_> = place
        .ok(&["fields", "--fill", "--fields", "work_email,gender", "--json"])
        .lines()
        .map(json)
        .collect();
    let fill = |name: &str| rows.iter().find(|row| row["field"] == name).unwrap()["filled"].clone();
    assert!(fill("work_email").as_u64().unwrap() > 30);
    assert_eq!(fill("first_name"), Value::Null, "it was not looked at");
    let table = place.ok(&["fields", "--fill", "--fields", "work_email"]);
    assert!(table.contains('%') && table.contains("everybody"), "{table}");
}

#[test]
fn preview_shows_shapes_and_no_value() {
    let place = Place::with_people(30);
    place.write_connection(&format!(
        "{OWN_MAPPING}[scope]\nexclude = [{{ field = \"work_email\", present = false }}]\n"
    ));
    let out = place.ok(&["preview", "--rows", "30", "--people", "0"]);
    assert!(out.contains("…@") && out.contains("everybody"), "{out}");
    for employee in place.ok(&["employees", "--fields", "first_name,last_name,work_email"]).lines().map(json)
    {
        for name in ["first_name", "last_name", "work_email"] {
            let value = employee[name].as_str().filter(|value| value.chars().count() > 3);
            assert!(value.is_none_or(|value| !out.contains(value)), "{name} is shown");
        }
    }
    let rows = json(&place.ok(&["preview", "--json"]));
    assert_eq!(rows["rows"].as_array().unwrap().len(), 5);
    assert_eq!(rows["attributes"].as_array().unwrap().len(), 3);
}

#[test]
fn compare_tells_what_another_mapping_would_plan_and_keeps_nothing() {
    let place = Place::with_people(30);
    place.write_connection(OWN_MAPPING);
    place.ok(&["apply"]);
    let (files, history) = (place.files(), place.ok(&["history", "--json"]));
    let document = place.ok(&["mapping"]).replace("\"trim\"", "\"upper\"");
    std::fs::write(place.path("other.json"), &document).unwrap();
    let diff = json(&place.ok(&["compare", "other.json", "--json"]));
    assert_eq!(diff["now"]["update"], 0);
    assert!(diff["attributes"]["email"].as_u64().unwrap() > 20, "{diff}");
    assert!(place.ok(&["compare", "connection.toml"]).contains("both lead to the same plan"));
    std::fs::remove_file(place.path("other.json")).unwrap();
    assert_eq!((place.files(), place.ok(&["history", "--json"])), (files, history));
}

#[test]
fn every_fault_of_a_mapping_is_told_with_its_rule() {
    let place = Place::with_people(3);
    place.write_connection(
        "[[mapping]]\ntarget = \"shoe\"\nfrom = [\"employee_id\"]\n\
         [[mapping]]\ntarget = \"email\"\nfrom = [\"work_email\"]\ntransforms = [\"shout\"]\n",
    );
    let error = place.fails(2, &["preview"]);
    assert!(error.contains("rule 1") && error.contains("rule 2") && error.contains("shout"), "{error}");
}

#[test]
fn the_schema_of_mapping_documents_names_what_rules_can_do() {
    let place = Place::with_people(1);
    let schema = place.ok(&["schema", "--mapping"]);
    for word in ["fields", "scope", "lookup", "on_null", "exclude", "not_in", "separator", "create_only"] {
        assert!(schema.contains(&format!("\"{word}\"")), "{word}");
    }
}
