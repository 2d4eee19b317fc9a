//! The simulator behaves as the vendor's documentation says, so that passing against it means something.

use hris_core::Error;
use hris_http::{Answer, Auth, Request, RetryPolicy, Session};
use hris_merge::sim::MergeSim;
use hris_testkit::population::{DayPlan, Oddity, PersonStatus};
use hris_testkit::run;
use serde_json::Value;

use crate::setup::{
    ACCOUNT, EMPLOYEES, FIELD_MAPPINGS, LINKED_ACCOUNTS, SYNC_STATUS, clock, plain_population, population,
    transport,
};

/// Asks the simulator without the connector, once.
struct Asker(Session);

impl Asker {
    fn new(sim: &MergeSim) -> Self {
        Self::with(sim, MergeSim::API_KEY, MergeSim::ACCOUNT_TOKEN)
    }

    fn with(sim: &MergeSim, key: &str, token: &str) -> Self {
        let auth = Auth::bearer(&key.into()).unwrap();
        let auth = auth.with_secret_header("x-account-token", &token.into()).unwrap();
        let session = Session::new(&transport(&clock()), sim.url().parse().unwrap()).with_auth(auth);
        Self(session.with_policy(RetryPolicy::default().with_attempts(1)))
    }

    async fn answer(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        let request = Request::get("test", path.to_owned());
        let request = query.iter().fold(request, |request, (name, value)| request.with_query(name, value));
        self.0.execute(&request).await
    }

    async fn json(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.answer(path, query).await.unwrap().json().unwrap()
    }

    async fn status(&self, path: &str, query: &[(&str, &str)]) -> String {
        match self.answer(path, query).await {
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.context().find(|(key, _)| *key == "status").unwrap().1.to_owned(),
        }
    }

    /// How many employees a query finds.
    async fn count(&self, query: &[(&str, &str)]) -> usize {
        let query: Vec<_> = query.iter().copied().chain([("page_size", "100")]).collect();
        rows(&self.json(EMPLOYEES, &query).await).len()
    }
}

fn rows(page: &Value) -> &Vec<Value> {
    page["results"].as_array().unwrap()
}

#[test]
fn pages_have_thirty_rows_unless_more_are_asked_for_and_a_hundred_at_most() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        let asker = Asker::new(&sim);
        for (asked, given) in [(None, 30), (Some("7"), 7), (Some("500"), 100), (Some("many"), 30)] {
            let query: Vec<_> = asked.map(|size| ("page_size", size)).into_iter().collect();
            assert_eq!(rows(&asker.json(EMPLOYEES, &query).await).len(), given, "{asked:?}");
        }
        let page = asker.json(EMPLOYEES, &[]).await;
        let next = page["next"].as_str().unwrap();
        assert!(page["previous"].is_null());
        let second = asker.json(EMPLOYEES, &[("cursor", next)]).await;
        assert!(second["previous"].is_string() && second["results"] != page["results"]);
        let stamp =
            |page: &Value, at: usize| rows(page)[at]["modified_at"].as_str().unwrap()[..19].to_owned();
        assert!(stamp(&page, 29) <= stamp(&second, 0));
        for foreign in ["after-30", "cD0y", ""] {
            assert_eq!(asker.status(EMPLOYEES, &[("cursor", foreign)]).await, "404", "{foreign}");
        }
        sim.forget_cursors();
        assert_eq!(asker.status(EMPLOYEES, &[("cursor", next)]).await, "404");
    });
}

#[test]
fn of_a_repeated_expand_only_the_last_counts() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let asker = Asker::new(&sim);
        let one = asker.json(EMPLOYEES, &[("expand", "groups,company")]).await;
        assert!(rows(&one)[0]["company"].is_object() && rows(&one)[0]["groups"][0].is_object());
        let twice = asker.json(EMPLOYEES, &[("expand", "groups"), ("expand", "company")]).await;
        assert!(rows(&twice)[0]["company"].is_object() && rows(&twice)[0]["groups"][0].is_string());
        assert_eq!(asker.status(EMPLOYEES, &[("expand", "shoes")]).await, "200");
        sim.behave(|vendor| vendor.refuses_unknown_expand = true);
        assert_eq!(asker.status(EMPLOYEES, &[("expand", "shoes")]).await, "400");
    });
}

#[test]
fn every_filter_of_the_listing_filters() {
    run(async {
        let people = plain_population(90);
        let counts = people.counts();
        let person = people.active().next().unwrap().clone();
        let sim = MergeSim::start(people.clone()).await;
        let asker = Asker::new(&sim);
        assert_eq!(asker.count(&[]).await, 90);
        assert_eq!(asker.count(&[("employment_status", "INACTIVE")]).await, counts.inactive);
        let started_2022 = people
            .people()
            .iter()
            .filter(|person| person.start_date.is_some_and(|date| date.to_string().starts_with("2022")));
        let in_2022 = [("started_after", "2021-12-31T00:00:00Z"), ("started_before", "2023-01-01T00:00:00Z")];
        assert_eq!(asker.count(&in_2022).await, started_2022.count());
        for query in [
            ("work_email", person.work_email.as_deref().unwrap()),
            ("remote_id", person.record_id.as_str()),
            ("employee_number", person.employee_number.as_deref().unwrap()),
        ] {
            assert_eq!(asker.count(&[query]).await, 1, "{query:?}");
        }
        let page = asker.json(EMPLOYEES, &[("remote_id", &person.record_id)]).await;
        let group = rows(&page)[0]["groups"][0].as_str().unwrap();
        let in_group = asker.count(&[("groups", group)]).await;
        assert!(in_group > 0 && in_group < 90);
        assert_eq!(asker.count(&[("modified_after", "2026-03-02T00:00:00Z")]).await, 0);
        assert_eq!(asker.status(EMPLOYEES, &[("modified_after", "yesterday")]).await, "400");
    });
}

#[test]
fn deleted_people_and_shells_are_hidden_unless_they_are_asked_for() {
    run(async {
        let sim = MergeSim::start(plain_population(40)).await;
        sim.next_day(&DayPlan { vanished: 2, ..DayPlan::quiet() });
        let ignored = sim.people().active().next().unwrap().record_id.clone();
        sim.ignore(&ignored);
        let asker = Asker::new(&sim);
        assert_eq!(asker.count(&[]).await, 37);
        assert_eq!(asker.count(&[("include_deleted_data", "true")]).await, 39);
        let shells = [("include_shell_data", "true"), ("remote_id", ignored.as_str())];
        let shell = rows(&asker.json(EMPLOYEES, &shells).await)[0].clone();
        assert!(shell["first_name"].is_null() && shell["id"].is_string());
        let path = format!("{EMPLOYEES}/{}", MergeSim::merge_id(&ignored));
        assert_eq!(asker.status(&path, &[]).await, "404");
        assert_eq!(asker.status(&path, &[("include_shell_data", "true")]).await, "200");
        sim.behave(|vendor| vendor.detects_deletions = false);
        assert_eq!(asker.count(&[]).await, 39, "nobody noticed");
    });
}

#[test]
fn a_missing_or_foreign_secret_is_refused_and_the_key_alone_opens_the_list_of_accounts() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.add_organisation("their-key", "their-account", "their-token", plain_population(2));
        for (key, token) in [
            ("nobody", MergeSim::ACCOUNT_TOKEN),
            (MergeSim::API_KEY, "nobody"),
            (MergeSim::API_KEY, "their-token"),
        ] {
            assert_eq!(Asker::with(&sim, key, token).status(ACCOUNT, &[]).await, "401", "{key} {token}");
        }
        let asker = Asker::with(&sim, MergeSim::API_KEY, "nobody");
        let accounts = asker.json(LINKED_ACCOUNTS, &[]).await;
        assert_eq!(rows(&accounts).len(), 1);
        assert!(rows(&accounts)[0]["integration"].is_object());
    });
}

#[test]
fn every_path_of_the_reference_answers_and_those_that_were_taken_out_do_not() {
    run(async {
        let people = plain_population(3);
        let id = MergeSim::merge_id(&people.people()[0].record_id);
        let sim = MergeSim::start(people).await;
        let asker = Asker::new(&sim);
        for path in [ACCOUNT, SYNC_STATUS, EMPLOYEES, FIELD_MAPPINGS, LINKED_ACCOUNTS, "/api/hris/v1/issues"]
        {
            assert_eq!(asker.status(path, &[]).await, "200", "{path}");
        }
        assert_eq!(asker.status(&format!("{EMPLOYEES}/{id}"), &[]).await, "200");
        assert_eq!(asker.status(&format!("{EMPLOYEES}/nobody"), &[]).await, "404");
        for gone in ["teams", "available-actions", "webhook-receivers", "nothing"] {
            assert_eq!(asker.status(&format!("/api/hris/v1/{gone}"), &[]).await, "404", "{gone}");
        }
        assert_eq!(asker.status("/hris/v1/employees", &[]).await, "404", "the prefix is part of the path");
    });
}

#[test]
fn rows_have_the_gaps_words_and_private_data_that_real_ones_have() {
    run(async {
        let people = population();
        let sim = MergeSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = hris_testkit::sim::PageSize::new(1_000, 1_000));
        let listing = Asker::new(&sim).json(EMPLOYEES, &[]).await;
        let row = |oddity| {
            let person = people.with(oddity).find(|person| person.malformed.is_none()).unwrap();
            rows(&listing).iter().find(|row| row["remote_id"] == person.record_id.as_str()).unwrap()
        };
        let (left_out, null, empty) =
            (row(Oddity::MissingFields), row(Oddity::NullFields), row(Oddity::EmptyFields));
        assert!(left_out.get("personal_email").is_none());
        assert!(null["personal_email"].is_null() && null.get("personal_email").is_some());
        assert_eq!(empty["date_of_birth"], "");
        let odd = people.with(Oddity::UnknownStatus).next().unwrap();
        let PersonStatus::Odd(word) = &odd.status else { panic!("a word") };
        assert_eq!(row(Oddity::UnknownStatus)["employment_status"], word.as_str());
        assert!(rows(&listing).iter().any(|row| !row.is_object()));
        for key in ["ethnicity", "marital_status", "custom_fields", "avatar"] {
            assert!(!null[key].is_null(), "{key}");
        }
        let stamps = rows(&listing).iter().filter_map(|row| row["modified_at"].as_str());
        let (long, short): (Vec<_>, Vec<_>) = stamps.partition(|stamp| stamp.contains('.'));
        assert!(!long.is_empty() && !short.is_empty(), "with microseconds and without");
    });
}
