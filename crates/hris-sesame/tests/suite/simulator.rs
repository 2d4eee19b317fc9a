//! The simulator behaves as the vendor's documentation says, so that passing against it means something.

use hris_core::{Error, ErrorKind};
use hris_http::{Answer, Auth, Request, RetryPolicy, Session};
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{DayPlan, Oddity, Population};
use hris_testkit::run;
use hris_testkit::sim::{PageSize, RateLimit};
use serde_json::Value;

use crate::setup::{
    DEPARTMENT_ASSIGNATIONS, EMPLOYEES, INFO, clock, plain_population, population, token, transport,
};

/// Asks the simulator without the connector, once.
struct Asker(Session);

impl Asker {
    fn new(sim: &SesameSim) -> Self {
        let session = Session::new(&transport(&clock()), sim.url().parse().unwrap());
        let session = session.with_auth(Auth::bearer(&token()).unwrap());
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
    answer["data"].as_array().unwrap()
}

#[test]
fn pages_have_twenty_rows_unless_asked_for_and_a_limit_that_is_told() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        let asker = Asker::new(&sim);
        let page = asker.json(EMPLOYEES, &[]).await;
        assert_eq!((rows(&page).len(), &page["meta"]["perPage"]), (20, &20.into()));
        let page = asker.json(EMPLOYEES, &[("limit", "500"), ("page", "2")]).await;
        assert_eq!((rows(&page).len(), &page["meta"]["perPage"]), (100, &100.into()));
        assert_eq!(page["meta"]["currentPage"], 2);
        let page = asker.json(EMPLOYEES, &[("page", "99")]).await;
        assert!(rows(&page).is_empty());
    });
}

#[test]
fn only_active_people_are_listed_unless_a_status_is_asked_for() {
    run(async {
        let people = plain_population(100);
        let counts = people.counts();
        let sim = SesameSim::start(people).await;
        let asker = Asker::new(&sim);
        for (query, expected) in [
            (vec![], counts.active),
            (vec![("status", "active")], counts.active),
            (vec![("status", "inactive")], counts.inactive),
            (vec![("status[in]", "active,inactive")], 100),
            (vec![("status[]", "active"), ("status[]", "inactive")], 100),
            (vec![("status", "nonsense")], 100),
            (vec![("colour", "blue")], counts.active),
        ] {
            assert_eq!(asker.json(EMPLOYEES, &query).await["meta"]["total"], expected, "{query:?}");
        }
        sim.behave(|vendor| vendor.refuses_unknown_status = true);
        assert_eq!(asker.status(EMPLOYEES, &[("status", "nonsense")]).await, "422");
        sim.behave(|vendor| vendor.lists_inactive_by_default = true);
        assert_eq!(asker.json(EMPLOYEES, &[]).await["meta"]["total"], 100);
    });
}

#[test]
fn people_are_found_by_code_email_department_and_office() {
    run(async {
        let people = plain_population(60);
        let person = people.active().next().unwrap().clone();
        let sim = SesameSim::start(people).await;
        let asker = Asker::new(&sim);
        let listing = asker.json(DEPARTMENT_ASSIGNATIONS, &[("limit", "100")]).await;
        let assigned =
            rows(&listing).iter().rfind(|row| row["employee"]["id"] == person.record_id.as_str()).unwrap();
        let department = assigned["department"]["id"].as_str().unwrap();
        for query in [
            ("code", person.employee_number.as_deref().unwrap()),
            ("email", person.work_email.as_deref().unwrap()),
            ("departmentIds", department),
        ] {
            let page = asker.json(EMPLOYEES, &[query, ("limit", "100")]).await;
            assert!(rows(&page).iter().any(|row| row["id"] == person.record_id.as_str()), "{query:?}");
            assert!(rows(&page).len() < 60);
        }
    });
}

#[test]
fn rows_come_in_any_order_unless_one_is_asked_for() {
    run(async {
        let sim = SesameSim::start(plain_population(60)).await;
        let asker = Asker::new(&sim);
        assert_ne!(asker.json(EMPLOYEES, &[]).await["data"], asker.json(EMPLOYEES, &[]).await["data"]);
        let ordered = [("orderBy", "createdAt desc")];
        let page = asker.json(EMPLOYEES, &ordered).await;
        assert_eq!(page["data"], asker.json(EMPLOYEES, &ordered).await["data"]);
        let stamps: Vec<_> = rows(&page).iter().map(|row| row["createdAt"].as_str().unwrap()).collect();
        assert!(stamps.is_sorted_by(|a, b| a >= b));
    });
}

#[test]
fn a_missing_malformed_or_withdrawn_token_is_refused_in_the_vendors_words() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let asker = Asker::new(&sim);
        let nobody = Request::get("test", INFO).without_auth();
        assert_eq!(asker.0.execute(&nobody).await.unwrap_err().kind(), ErrorKind::Unauthorized);
        sim.tokens().revoke(SesameSim::TOKEN);
        assert_eq!(asker.status(INFO, &[]).await, "401");
    });
}

#[test]
fn only_reading_is_offered() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let post = Request::post("test", EMPLOYEES);
        let error = Asker::new(&sim).0.execute(&post).await.unwrap_err();
        assert!(error.context().any(|entry| entry == ("status", "405")), "{error}");
    });
}

#[test]
fn every_documented_path_answers_and_others_do_not() {
    run(async {
        let people = population();
        let leaver = people.with(Oddity::Leaver).next().unwrap().record_id.clone();
        let id = people.active().find(|person| person.end_date.is_none()).unwrap().record_id.clone();
        let sim = SesameSim::start(people).await;
        let asker = Asker::new(&sim);
        for path in [
            "/core/v3/info",
            "/core/v3/employees",
            "/core/v3/departments",
            "/core/v3/offices",
            "/core/v3/employee-department-assignations",
            "/core/v3/employee-office-assignations",
            "/core/v3/employee-managers",
            "/core/v3/custom-fields",
        ] {
            assert_eq!(asker.status(path, &[]).await, "200", "{path}");
        }
        assert_eq!(asker.status(&format!("{EMPLOYEES}/{id}"), &[]).await, "200");
        assert_eq!(asker.status(&format!("{EMPLOYEES}/nobody"), &[]).await, "404");
        assert_eq!(asker.status(&format!("/contract/v1/contracts/{id}/current-contract"), &[]).await, "200");
        assert_eq!(
            asker.status(&format!("/contract/v1/contracts/{leaver}/current-contract"), &[]).await,
            "404"
        );
        let contracts = asker.json(&format!("/contract/v1/contracts/{leaver}"), &[]).await;
        let contract = rows(&contracts)[0]["id"].as_str().unwrap();
        assert_eq!(asker.status(&format!("/contract/v1/contract-terminated/{contract}"), &[]).await, "200");
        assert_eq!(asker.status("/core/v3/nothing", &[]).await, "404");
    });
}

#[test]
fn a_trailing_slash_leads_to_another_host_without_encryption() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        // By hand, since the transport refuses such a path.
        let answer = raw(&sim, "GET /core/v3/info/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 301"), "{answer}");
        assert!(answer.to_lowercase().contains("location: http://internal-gateway.example/core/v3/info\r\n"));
    });
}

/// Sends bytes as they are.
fn raw(sim: &SesameSim, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = sim.url().strip_prefix("http://").unwrap().to_owned();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_limit_of_a_company_is_shared_by_its_tokens_and_by_no_other_company() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        sim.add_company("company-b", "Otra S.L.", "token-b", plain_population(3));
        sim.tokens().add("second-token", SesameSim::COMPANY_ID);
        let clock = clock();
        sim.behave(|vendor| vendor.rate_limit = Some(RateLimit::per_minute(2, clock.clone())));
        let ask = |token: &str| {
            let asker = Asker::new(&sim);
            let session = asker.0.with_auth(Auth::bearer(&token.into()).unwrap());
            async move { Asker(session).status(INFO, &[]).await }
        };
        assert_eq!(ask(SesameSim::TOKEN).await, "200");
        assert_eq!(ask("second-token").await, "200");
        assert_eq!(ask(SesameSim::TOKEN).await, "429");
        assert_eq!(ask("token-b").await, "200");
        clock.advance(std::time::Duration::from_secs(60));
        assert_eq!(ask("second-token").await, "200");
    });
}

#[test]
fn people_change_while_it_runs() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        let asker = Asker::new(&sim);
        let plan = DayPlan { hires: 4, leavers: 2, vanished: 1, number_changes: 1, ..DayPlan::quiet() };
        let changes = sim.next_day(&plan);
        let total =
            asker.json(EMPLOYEES, &[("status[in]", "active,inactive")]).await["meta"]["total"].clone();
        assert_eq!(total, 30 + 4 - 1);
        assert_eq!(asker.status(&format!("{EMPLOYEES}/{}", changes.vanished[0]), &[]).await, "404");
        let left = asker.json(&format!("{EMPLOYEES}/{}", changes.left[0]), &[]).await;
        assert_eq!(left["data"]["status"], "inactive");
        sim.set_population(Population::new(9).size(0).build());
        assert_eq!(asker.json(EMPLOYEES, &[]).await["meta"]["total"], 0);
        assert!(sim.people().is_empty());
    });
}

#[test]
fn rows_have_the_gaps_and_the_private_data_that_real_ones_have() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = PageSize::new(1_000, 1_000));
        let listing = Asker::new(&sim).json(EMPLOYEES, &[("status", "nonsense")]).await;
        let row = |oddity| {
            let person = people.with(oddity).find(|person| person.malformed.is_none()).unwrap();
            rows(&listing).iter().find(|row| row["id"] == person.record_id.as_str()).unwrap()
        };
        let (left_out, null, empty) =
            (row(Oddity::MissingFields), row(Oddity::NullFields), row(Oddity::EmptyFields));
        assert!(left_out.get("personalMail").is_none() && left_out.get("status").is_none());
        assert!(null["personalMail"].is_null() && null.get("personalMail").is_some());
        assert_eq!(empty["dateOfBirth"], "");
        assert!(row(Oddity::LeadingZeros)["code"].is_string() && null["code"].is_number());
        for key in ["pin", "nfc", "nid", "ssn", "accountNumber"] {
            assert!(!null[key].is_null(), "{key}");
        }
        assert_eq!(null["identityNumberType"], "nic");
        assert!(rows(&listing).iter().any(|row| !row.is_object()));
    });
}
