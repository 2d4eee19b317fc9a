//! The simulator behaves as the vendor's documentation says, so that passing against it means something.

use std::sync::Arc;
use std::time::Duration;

use hris_core::Error;
use hris_http::{Answer, Auth, Request, RetryPolicy, Session};
use hris_testkit::population::{DayPlan, Oddity, Population};
use hris_testkit::run;
use hris_testkit::sim::{PageSize, RateLimit};
use hris_trinet::sim::{TokenLife, TriNetSim};
use serde_json::Value;

use crate::setup::{
    DEPARTMENTS, EMPLOYEES, JOBS, LOCATIONS, ORG_DETAILS, TOKEN, clock, plain_population, population,
    transport,
};

/// Asks the simulator without the connector, once.
struct Asker(Session);

impl Asker {
    /// With the token of a pair, which has to be good.
    async fn of(sim: &TriNetSim, id: &str, secret: &str) -> Self {
        let basic = Self::with(sim, Auth::basic(id, &secret.into()).unwrap());
        let token = basic.json(TOKEN, &[("grant_type", "client_credentials")]).await;
        Self::with(sim, Auth::bearer(&token["access_token"].as_str().unwrap().into()).unwrap())
    }

    async fn new(sim: &TriNetSim) -> Self {
        Self::of(sim, TriNetSim::CLIENT_ID, TriNetSim::CLIENT_SECRET).await
    }

    fn with(sim: &TriNetSim, auth: Auth) -> Self {
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
}

fn rows(answer: &Value) -> &Vec<Value> {
    answer["data"]["employeeData"].as_array().unwrap()
}

#[test]
fn a_token_is_given_for_good_credentials_and_the_right_grant_only() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let good = Auth::basic(TriNetSim::CLIENT_ID, &sim.client_secret()).unwrap();
        let asker = Asker::with(&sim, good);
        let token = asker.json(TOKEN, &[("grant_type", "client_credentials")]).await;
        assert_eq!((&token["expires_in"], &token["token_type"]), (&"3599".into(), &"BearerToken".into()));
        assert_eq!(token["access_token"].as_str().unwrap().len(), 28);
        assert_eq!(asker.status(TOKEN, &[("grant_type", "password")]).await, "400");
        assert_eq!(asker.status(TOKEN, &[]).await, "400");
        let bad = Asker::with(&sim, Auth::basic(TriNetSim::CLIENT_ID, &"wrong".into()).unwrap());
        assert_eq!(bad.status(TOKEN, &[("grant_type", "client_credentials")]).await, "401");
        sim.behave(|vendor| vendor.token_life = TokenLife::Number(60));
        let token = asker.json(TOKEN, &[("grant_type", "client_credentials")]).await;
        assert_eq!(token["expires_in"], 60);
    });
}

#[test]
fn everything_else_needs_a_token_that_has_not_expired() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let clock = clock();
        sim.behave(|vendor| {
            vendor.clock = Some(Arc::new(clock.clone()));
            vendor.token_life = TokenLife::Text(100);
        });
        let asker = Asker::new(&sim).await;
        for path in [EMPLOYEES, ORG_DETAILS, DEPARTMENTS, LOCATIONS, JOBS, "/v1/company/X7Q/paygroups"] {
            assert_eq!(asker.status(path, &[]).await, "200", "{path}");
            assert_eq!(Asker::with(&sim, Auth::none()).status(path, &[]).await, "401", "{path}");
        }
        clock.advance(Duration::from_secs(99));
        assert_eq!(asker.status(EMPLOYEES, &[]).await, "200");
        clock.advance(Duration::from_secs(1));
        assert_eq!(asker.status(EMPLOYEES, &[]).await, "401");
    });
}

#[test]
fn a_company_is_open_only_to_its_own_credentials() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.add_company("B2B", "Other Co", plain_population(5));
        sim.add_client("other", "secret", &["B2B"]);
        let (own, other) = (Asker::new(&sim).await, Asker::of(&sim, "other", "secret").await);
        let theirs = "/v1/company/B2B/employees";
        assert_eq!(
            (own.status(EMPLOYEES, &[]).await, own.status(theirs, &[]).await),
            ("200".into(), "404".into())
        );
        assert_eq!(other.json(theirs, &[]).await["data"]["employeesTotal"], 5);
        assert_eq!(other.status(EMPLOYEES, &[]).await, "404");
        assert_eq!(own.status("/v1/company/N0N/employees", &[]).await, "404");
        assert_eq!(own.status("/v1/companies/X7Q/employees", &[]).await, "404", "the plural is a mistake");
    });
}

#[test]
fn pages_begin_at_an_offset_from_one_and_have_a_hundred_rows_at_most() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        let asker = Asker::new(&sim).await;
        let first = asker.json(EMPLOYEES, &[]).await;
        assert_eq!((rows(&first).len(), &first["data"]["hasMore"]), (100, &true.into()));
        assert_eq!(first["data"]["employeesTotal"], 250);
        let second = asker.json(EMPLOYEES, &[("limit", "500"), ("offset", "101")]).await;
        assert_eq!(rows(&second).len(), 100);
        assert_eq!(rows(&second)[0]["employeeId"], TriNetSim::employee_id(100).as_str());
        for below in ["0", "-5", "x"] {
            let page = asker.json(EMPLOYEES, &[("limit", "1"), ("offset", below)]).await;
            assert_eq!(rows(&page)[0]["employeeId"], TriNetSim::employee_id(0).as_str());
        }
        let beyond = asker.json(EMPLOYEES, &[("offset", "251")]).await;
        assert_eq!((rows(&beyond).len(), &beyond["data"]["hasMore"]), (0, &false.into()));
        sim.behave(|vendor| vendor.page_size = PageSize::new(60, 60));
        assert_eq!(rows(&asker.json(EMPLOYEES, &[("limit", "100")]).await).len(), 60);
    });
}

#[test]
fn a_status_letter_filters_and_without_one_leavers_are_listed_too() {
    run(async {
        let people = plain_population(100);
        let counts = people.counts();
        let sim = TriNetSim::start(people).await;
        let asker = Asker::new(&sim).await;
        let mut left = 0;
        for letter in ["T", "U", "D"] {
            left += asker.json(EMPLOYEES, &[("employmentStatus", letter)]).await["data"]["employeesTotal"]
                .as_u64()
                .unwrap();
        }
        assert_eq!(left, counts.inactive as u64);
        let active = asker.json(EMPLOYEES, &[("employmentStatus", "A")]).await;
        assert_eq!(active["data"]["employeesTotal"], counts.active);
    });
}

#[test]
fn only_the_full_view_has_private_data_with_all_that_must_not_be_read() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = PageSize::new(1_000, 1_000));
        let asker = Asker::new(&sim).await;
        let (basic, full) =
            (asker.json(EMPLOYEES, &[]).await, asker.json(EMPLOYEES, &[("viewType", "All")]).await);
        let basic_text = basic.to_string();
        for word in ["bioInfo", "homeContact", "decoy", TriNetSim::DECOY] {
            assert!(!basic_text.contains(word), "{word}");
        }
        let row = |oddity| {
            let has =
                |person: &hris_testkit::population::Person| person.is(oddity) && person.malformed.is_none();
            let position = people.people().iter().position(has).unwrap();
            let id = TriNetSim::employee_id(position);
            rows(&full).iter().find(|row| row["employeeId"] == id.as_str()).unwrap()
        };
        let (left_out, null, empty) =
            (row(Oddity::MissingFields), row(Oddity::NullFields), row(Oddity::EmptyFields));
        assert!(left_out["bioInfo"].get("birthdate").is_none());
        assert!(null["bioInfo"]["birthdate"].is_null() && null["bioInfo"].get("birthdate").is_some());
        assert_eq!(
            (&empty["bioInfo"]["birthdate"], &empty["employmentInfo"]["department"]),
            (&"".into(), &"".into())
        );
        assert_eq!(null["nationalId"], TriNetSim::DECOY);
        for key in ["ssn", "maritalStatus", "payInfo", "workEligibility"] {
            assert!(!null[key].is_null(), "{key}");
        }
        assert!(rows(&full).iter().any(|row| !row.is_object()));
    });
}

#[test]
fn the_quota_is_counted_by_client() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.add_client("second", "secret", &[TriNetSim::COMPANY_ID]);
        let (one, two) = (Asker::new(&sim).await, Asker::of(&sim, "second", "secret").await);
        let clock = clock();
        sim.behave(|vendor| vendor.rate_limit = Some(RateLimit::per_minute(1, clock.clone())));
        assert_eq!(one.status(ORG_DETAILS, &[]).await, "200");
        assert_eq!(one.status(ORG_DETAILS, &[]).await, "429");
        assert_eq!(two.status(ORG_DETAILS, &[]).await, "200");
        clock.advance(Duration::from_secs(60));
        assert_eq!(one.status(ORG_DETAILS, &[]).await, "200");
    });
}

#[test]
fn people_change_while_it_runs_and_keep_their_ids() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        let asker = Asker::new(&sim).await;
        let plan = DayPlan { hires: 4, leavers: 2, vanished: 1, number_changes: 1, ..DayPlan::quiet() };
        let changes = sim.next_day(&plan);
        let page = asker.json(EMPLOYEES, &[]).await;
        assert_eq!(page["data"]["employeesTotal"], 30 + 4 - 1);
        let people = sim.people();
        let id = |record: &str| {
            TriNetSim::employee_id(
                people.people().iter().position(|person| person.record_id == record).unwrap(),
            )
        };
        let row = |record: &str| rows(&page).iter().find(|row| row["employeeId"] == id(record).as_str());
        assert!(row(&changes.vanished[0]).is_none());
        let left = &row(&changes.left[0]).unwrap()["employmentInfo"];
        assert!(["T", "U", "D"].contains(&left["employmentStatus"].as_str().unwrap()));
        assert!(left["terminationDate"].is_string());
        sim.set_population(Population::new(9).size(0).build());
        assert_eq!(asker.json(EMPLOYEES, &[]).await["data"]["employeesTotal"], 0);
        assert!(sim.people().is_empty());
    });
}
