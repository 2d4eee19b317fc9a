//! SessionM as a rewards platform: the suite for targets, and what is SessionM's own.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::sync::Arc;
use std::time::Duration;

use hris_core::{
    ActionKind, Attributes, BirthDate, ErrorKind, LeaveReason, MemberField, MemberId, MemberQuery, Outcome,
    ProvisioningTarget, Result, TargetField, Value,
};
use hris_http::Transport;
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{Credentials, SessionM, SessionMTarget, Settings};
use hris_testkit::sim::{Fault, SimRequest, SimResponse};
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, TargetCase, TargetHarness, TestPlatform,
};
use hris_testkit::{ManualClock, run, sample_action};
use serde_json::{Map, Value as Json, json};

/// The platform: the simulator, looked at and changed without the target.
struct Platform {
    sim: SessionMSim,
    clock: ManualClock,
}

fn is_write(request: &SimRequest) -> bool {
    matches!(request.method(), "POST" | "PUT")
}

/// Attributes as a `user` object has them.
fn user(attributes: &Attributes) -> Json {
    let mut user = Map::new();
    let mut profile = Map::new();
    for (field, value) in attributes.iter() {
        let value = value.map_or(Json::Null, |value| json!(value.to_string()));
        match field {
            TargetField::Member(MemberField::EmployeeId) => user.insert("external_id".to_owned(), value),
            TargetField::Member(MemberField::BirthDate) => user.insert("dob".to_owned(), value),
            TargetField::Member(MemberField::Department) => profile.insert("department".to_owned(), value),
            TargetField::Member(field) => user.insert(field.as_str().to_owned(), value),
            TargetField::Custom(name) => profile.insert(name.to_string(), value),
        };
    }
    user.insert("external_id_type".to_owned(), json!("crm"));
    user.insert("user_profile".to_owned(), profile.into());
    user.into()
}

impl Platform {
    fn raw(&self, id: &str) -> Option<RawMember> {
        let stored = self.sim.stored(id)?;
        let mut attributes = Attributes::new();
        let mut set = |field: TargetField, value: Option<&str>| {
            if let Some(text) = value {
                attributes.set(field, Some(Value::from(text)));
            }
        };
        set(TargetField::EMPLOYEE_ID, self.sim.external_ids(id).last().map(String::as_str));
        for (field, key) in [
            (MemberField::Email, "email"),
            (MemberField::FirstName, "first_name"),
            (MemberField::LastName, "last_name"),
            (MemberField::BirthDate, "dob"),
        ] {
            set(field.into(), stored[key].as_str());
        }
        set(MemberField::Department.into(), stored["user_profile"]["department"].as_str());
        let mut raw = RawMember::new(id, attributes).with_active(stored["opted_in"] == true);
        for key in ["city", "phone_numbers"] {
            if !stored[key].is_null() {
                raw = raw.with_other(key, stored[key].to_string());
            }
        }
        match &stored["user_profile"]["shirt"] {
            Json::Null => Some(raw),
            shirt => Some(raw.with_other("shirt", shirt.to_string())),
        }
    }

    /// A fault of the writes.
    fn of_writes(&self, fault: Fault, after: u64, once: bool) -> bool {
        let rule = if once { fault.once() } else { fault.always() };
        self.sim.faults().add(rule.on(is_write).after(after));
        true
    }

    fn is_about(&self, employee_id: &str) -> impl Fn(&SimRequest) -> bool + Send + Sync + 'static {
        let ids = self.sim.customer_ids();
        let own =
            ids.into_iter().find(|id| self.sim.external_ids(id).iter().any(|known| known == employee_id));
        let employee_id = employee_id.to_owned();
        move |request| {
            let body = request.json().unwrap_or_default();
            is_write(request)
                && (body["user"]["external_id"] == employee_id.as_str()
                    || own.as_ref().is_some_and(|id| request.path().ends_with(id.as_str())))
        }
    }
}

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(url.parse().unwrap());
    settings.external_id_type = Some("crm".to_owned());
    settings
}

fn target(sim: &SessionMSim, clock: &ManualClock, credentials: &Credentials) -> Result<SessionMTarget> {
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build()?;
    Ok(SessionMTarget::new(SessionM::new(settings(sim.url()), credentials, &transport)?))
}

impl TestPlatform for Platform {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        let credentials = match case {
            TargetCase::Good => self.sim.credentials(),
            TargetCase::WrongToken => {
                Credentials::core(SessionMSim::CORE_KEY.into(), "another secret".into())
            }
            _ => return None,
        };
        Some(target(&self.sim, &self.clock, &credentials).map(|target| Arc::new(target) as _))
    }

    fn members(&self) -> Vec<RawMember> {
        self.sim.customer_ids().iter().filter_map(|id| self.raw(id)).collect()
    }

    fn writes(&self) -> u64 {
        self.sim.customer_writes()
    }

    fn asked(&self) -> Option<u64> {
        Some(self.sim.requests().len() as u64)
    }

    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let mut user = user(&account.attributes);
        let external = user["external_id"].as_str()?;
        let taken = self
            .sim
            .customer_ids()
            .iter()
            .any(|id| self.sim.external_ids(id).iter().any(|known| known == external));
        if taken {
            return None;
        }
        user["opted_in"] = json!(account.active);
        if account.other {
            user["city"] = json!("Portsmouth");
            user["phone_numbers"] = json!([{ "phone_number": "1", "phone_type": "home" }]);
            user["user_profile"]["shirt"] = json!("M");
        }
        Some(MemberId::from(self.sim.plant_customer(user)))
    }

    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        let mut user = user(changes);
        if user["external_id"].is_null() {
            user.as_object_mut().unwrap().remove("external_id_type");
        }
        self.sim.edit_customer(member.as_str(), &user)
    }

    fn remove(&self, member: &MemberId) -> bool {
        self.sim.erase_customer(member.as_str())
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        let failed = |_: SimResponse| SimResponse::json(500, &json!({ "status": "error" }));
        match fault {
            PlatformFault::StoresAndFails => self.of_writes(Fault::change(failed), 0, true),
            // Longer than any test, by the clock of the server's own thread.
            PlatformFault::StoresAndHangs => {
                self.of_writes(Fault::Slow(Duration::from_secs(24 * 3600)), 0, true)
            }
            PlatformFault::AnswersAndForgets => {
                let body =
                    json!({ "status": "ok", "user": { "id": "5c1f0a72-0000-4000-8000-00000000dead" } });
                self.of_writes(Fault::Answer(SimResponse::json(200, &body)), 0, true)
            }
            PlatformFault::Refuses(employee_id) => {
                let body = json!({ "status": "error", "errors": { "code": "validation", "message": "no" } });
                let rule = Fault::Answer(SimResponse::json(422, &body)).once();
                self.sim.faults().add(rule.on(self.is_about(employee_id.as_str())));
                true
            }
            PlatformFault::SlowsDown { after } => self.of_writes(Fault::rate_limited(Some(2)), after, true),
            PlatformFault::IsDown { after } => self.of_writes(Fault::status(503), after, false),
            PlatformFault::FindsFail => {
                self.sim.faults().add(Fault::status(500).always().on(|request| !is_write(request)));
                true
            }
            _ => false,
        }
    }

    fn clear_faults(&self) {
        self.sim.faults().clear();
    }
}

async fn platform() -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let sim = SessionMSim::start_at(Arc::new(clock.clone())).await;
    TargetHarness::new(Platform { sim, clock: clock.clone() }, clock)
        .with_attribute(MemberField::FirstName, "Maialen", "Garazi")
        .with_attribute(MemberField::Department, "Logistics", "Sales")
        .with_secrets([SessionMSim::CORE_KEY, SessionMSim::CORE_SECRET])
        .skipping(&[
            (
                "a_read_only_token_reads_and_is_told_apart_when_it_is_to_write",
                "SessionM's keys are not limited to reading",
            ),
            ("everybody_who_matches_is_delivered", "an external id is one customer's"),
            (
                "two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick",
                "an external id is one customer's",
            ),
            ("the_close_down_lasts_as_long_as_declared", "customers who left stay for ever"),
            (
                "who_take_over_each_others_values_go_by_way_of_temporary_ones",
                "an external id and an address that belong to nobody are no customer's",
            ),
            ("the_roster_lists_everybody_exactly_once", "SessionM has no known call that lists customers"),
            (
                "a_roster_that_breaks_off_ends_with_an_error",
                "SessionM has no known call that lists customers",
            ),
        ])
}

hris_testkit::target_conformance!(sessionm, platform);

fn person(number: u32) -> Attributes {
    let mut person = Attributes::new();
    person.set(MemberField::EmployeeId, Some(format!("0010{number}").as_str().into()));
    person.set(MemberField::Email, Some(format!("persona{number}@brisa.example").as_str().into()));
    person
}

async fn stage() -> (SessionMSim, SessionMTarget) {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let sim = SessionMSim::start_at(Arc::new(clock.clone())).await;
    let target = target(&sim, &clock, &sim.credentials()).unwrap();
    (sim, target)
}

async fn apply(target: &SessionMTarget, member: Option<&MemberId>, kind: ActionKind) -> Outcome {
    target.apply(&[sample_action("00101", member.cloned(), kind)]).await.pop().unwrap()
}

#[test]
fn a_leaver_does_not_take_part_any_more_and_a_returner_does_and_nobody_is_deleted() {
    run(async {
        let (sim, target) = stage().await;
        let create = ActionKind::Create { attributes: person(1), invite: false };
        let Outcome::Applied(member) = apply(&target, None, create).await else { panic!("created") };
        let opted_in = || sim.stored(member.as_str()).unwrap()["opted_in"].clone();
        assert_eq!(opted_in(), true);
        let leave = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
        assert!(matches!(apply(&target, Some(&member), leave).await, Outcome::Applied(_)));
        assert_eq!(opted_in(), false);
        let back = ActionKind::Reactivate { changes: Attributes::new() };
        assert!(matches!(apply(&target, Some(&member), back).await, Outcome::Applied(_)));
        assert_eq!(opted_in(), true);
        assert!(sim.requests().iter().all(|request| request.method() != "DELETE"));
    });
}

#[test]
fn typed_attributes_come_back_in_their_types() {
    run(async {
        let (_sim, target) = stage().await;
        let target = target.with_date_attribute("joined");
        let mut attributes = person(1);
        let day = "1988-03-14".parse::<chrono::NaiveDate>().unwrap();
        for (field, value) in [
            (MemberField::BirthDate.into(), Value::BirthDate(BirthDate::from(day))),
            (MemberField::StartDate.into(), Value::Date(day)),
            (MemberField::Department.into(), Value::from("Logistics")),
            (TargetField::Custom("joined".into()), Value::Date(day)),
            (TargetField::Custom("city".into()), Value::from("Portsmouth")),
            (TargetField::Custom("remote".into()), Value::Bool(true)),
        ] {
            attributes.set(field, Some(value));
        }
        let create = ActionKind::Create { attributes: attributes.clone(), invite: false };
        let Outcome::Applied(member) = apply(&target, None, create).await else { panic!("created") };
        let found = target.find(&MemberQuery::Id(member.clone())).await.unwrap();
        for (field, value) in attributes.iter() {
            assert_eq!(found[0].attributes.get(field).flatten(), value, "{field}");
        }
        let again = apply(&target, Some(&member), ActionKind::Update { changes: attributes }).await;
        assert!(matches!(again, Outcome::AlreadySo(_)));
    });
}

#[test]
fn what_sessionm_cannot_hold_is_refused_before_the_call() {
    run(async {
        let (sim, target) = stage().await;
        for (field, value) in [
            (MemberField::Country.into(), Value::from("Spain")),
            (MemberField::Gender.into(), Value::from("female")),
            (TargetField::Custom("tier".into()), Value::from("Gold")),
            (MemberField::EmployeeId.into(), Value::from(" 00101 ")),
        ] {
            let mut attributes = person(1);
            attributes.set(field, Some(value));
            let outcome = apply(&target, None, ActionKind::Create { attributes, invite: false }).await;
            assert!(
                matches!(&outcome, Outcome::Rejected(error) if error.kind() == ErrorKind::Invalid),
                "{outcome:?}"
            );
        }
        assert_eq!(sim.customers(), 0);
    });
}

#[test]
fn an_employee_id_of_another_kind_or_from_before_finds_nobody() {
    run(async {
        let (sim, target) = stage().await;
        sim.plant_customer(json!({
            "email": "persona1@brisa.example", "external_id": "00101", "external_id_type": "crm",
            "identifiers": [{ "external_id": "CARD-1", "external_id_type": "card" }, { "external_id": "00099", "external_id_type": "crm" }],
        }));
        for (id, count) in [("00101", 1), ("CARD-1", 0), ("00099", 0), ("00404", 0)] {
            assert_eq!(target.find(&MemberQuery::EmployeeId(id.into())).await.unwrap().len(), count, "{id}");
        }
    });
}
