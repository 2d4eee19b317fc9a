//! The simulator keeps to the vendor's documentation, asked without the connector.

use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::run;
use hris_testkit::sim::SimRequest;
use serde_json::{Value, json};

use crate::setup::plain_population;

async fn ask(sim: &PeopleHrSim, path: &str, body: &str) -> Value {
    let answer = send(sim, "POST", path, body).await;
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

/// A request as a bare client sends it.
async fn send(sim: &PeopleHrSim, method: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = sim.url().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: text/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn call(action: &str, more: &Value) -> String {
    let mut body = json!({ "APIKey": PeopleHrSim::KEY, "Action": action });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[test]
fn what_is_no_request_is_refused_with_the_code_for_that() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(3)).await;
        for (body, status) in [
            (String::new(), 8),
            ("7".to_owned(), 7),
            ("{".to_owned(), 9),
            ("{}".to_owned(), 3),
            (r#"{"Action":""}"#.to_owned(), 4),
            (r#"{"Action":"getallemployeedetail"}"#.to_owned(), 4),
            (r#"{"Action":"GetAllEmployeeDetail"}"#.to_owned(), 1),
            (r#"{"Action":"GetAllEmployeeDetail","APIKey":"x"}"#.to_owned(), 2),
            (call("GetAllEmployeeDetail", &json!({ "IncludeLeavers": "perhaps" })), 5),
            (call("GetEmployeeDetailById", &json!({ "EmployeeId": "nobody" })), 5),
        ] {
            let answer = ask(&sim, "/Employee", &body).await;
            assert_eq!(
                (answer["Status"].clone(), answer["isError"].clone()),
                (json!(status), json!(true)),
                "{body}"
            );
        }
        assert!(send(&sim, "GET", "/Employee", "").await.contains("<html>"));
        assert!(send(&sim, "POST", "/Nowhere", "{}").await.contains("<html>"));
    });
}

#[test]
fn the_flag_may_be_text_bool_or_left_out_and_paths_are_lenient() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let all = people.len();
        let current = people.active().count();
        assert!(current < all);
        for (flag, expected) in [
            (json!({ "IncludeLeavers": "true" }), all),
            (json!({ "IncludeLeavers": true }), all),
            (json!({ "IncludeLeavers": "false" }), current),
            (json!({ "IncludeLeavers": false }), current),
            (json!({}), current),
        ] {
            for path in ["/Employee", "//Employee", "/Employee/GetAllEmployeeDetail"] {
                let answer = ask(&sim, path, &call("GetAllEmployeeDetail", &flag)).await;
                assert_eq!(answer["Result"].as_array().unwrap().len(), expected, "{flag} {path}");
            }
        }
    });
}

#[test]
fn requests_are_told_apart_by_their_action() {
    let request = |body: String| SimRequest::new("POST", "/Employee", Vec::<(String, String)>::new(), body);
    let listing = request(call("GetAllEmployeeDetail", &json!({ "IncludeLeavers": "true" })));
    assert!(PeopleHrSim::is_listing(&listing) && PeopleHrSim::is_listing_of_everybody(&listing));
    let current = request(call("GetAllEmployeeDetail", &json!({ "IncludeLeavers": "false" })));
    assert!(PeopleHrSim::is_listing(&current) && !PeopleHrSim::is_listing_of_everybody(&current));
    assert!(!PeopleHrSim::is_listing(&request(call("GetEmployeeDetailById", &json!({})))));
}
