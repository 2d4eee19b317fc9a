//! The target passes the conformance suite for targets: on the strict provider in each of its own ways of writing, and on
//! every sloppy provider that can be written to without loss.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{Attributes, MemberField, MemberId, Parking, ProvisioningTarget, Result, TargetField, Value};
use hris_http::Transport;
use hris_target_scim::sim::{Account, Behaviour, FilterHabit, PagingHabit, ScimSim};
use hris_target_scim::{Profile, ScimConfig, UpdateWith};
use hris_testkit::ManualClock;
use hris_testkit::sim::{Fault, FaultRule, SimRequest, SimResponse};
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, SkipReason, TargetCase, TargetHarness, TestPlatform,
};
use serde_json::{Map, Value as Json, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

struct Programme {
    sim: ScimSim,
    clock: ManualClock,
    config: fn(ScimConfig) -> ScimConfig,
}

/// The attributes of an account, read without the target, and everything else that it has.
fn raw(account: &Account) -> RawMember {
    let mut rest = Json::Object(account.user.clone());
    let mut attributes = Attributes::new();
    let mut take = |field: MemberField, pointer: &str| {
        let Some((parent, name)) = pointer.rsplit_once('/') else { return };
        let Some(holder) = rest.pointer_mut(parent).and_then(Json::as_object_mut) else { return };
        if let Some(Json::String(text)) = holder.remove(name) {
            attributes.set(field, Some(Value::from(text.as_str())));
        }
    };
    take(MemberField::EmployeeId, "/externalId");
    take(MemberField::FirstName, "/name/givenName");
    take(MemberField::LastName, "/name/familyName");
    take(MemberField::JobTitle, "/title");
    take(MemberField::Department, &format!("/{ENTERPRISE}/department"));
    for name in ["userName", "active"] {
        rest.as_object_mut().unwrap().remove(name);
    }
    if let Some(extension) = rest.get_mut(ENTERPRISE).and_then(Json::as_object_mut) {
        extension.remove("employeeNumber");
    }
    let emails = rest.get_mut("emails").and_then(Json::as_array_mut);
    if let Some(emails) = emails {
        if let Some(work) = emails.iter().find(|email| email["type"] == "work") {
            attributes.set(MemberField::Email, Some(Value::from(work["value"].as_str().unwrap())));
        }
        emails.retain(|email| email["type"] != "work");
    }
    let unassigned = |value: &Json| {
        value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
    };
    let member = RawMember::new(account.id.as_str(), attributes)
        .with_active(account.is_active())
        .with_invitations(account.invitations);
    let others = rest.as_object().unwrap().iter().filter(|(_, value)| !unassigned(value));
    others.fold(member, |member, (name, value)| member.with_other(name.clone(), value.to_string()))
}

/// Puts attributes into a user by hand.
fn write(user: &mut Map<String, Json>, changes: &Attributes) {
    for (field, value) in changes.iter() {
        let text = value.map_or(Json::Null, |value| value.to_string().into());
        let mut nested = |outer: &str, inner: &str| {
            let holder = user.entry(outer).or_insert_with(|| json!({}));
            holder[inner] = text.clone();
            if text.is_null() {
                holder.as_object_mut().unwrap().remove(inner);
            }
        };
        match field {
            TargetField::Member(MemberField::EmployeeId) => _ = user.insert("externalId".into(), text),
            TargetField::Member(MemberField::FirstName) => nested("name", "givenName"),
            TargetField::Member(MemberField::LastName) => nested("name", "familyName"),
            TargetField::Member(MemberField::Department) => nested(ENTERPRISE, "department"),
            TargetField::Member(MemberField::JobTitle) => _ = user.insert("title".into(), text),
            TargetField::Member(MemberField::Email) => {
                user.insert("userName".into(), text.clone());
                let emails = user.entry("emails").or_insert_with(|| json!([]));
                let emails = emails.as_array_mut().unwrap();
                emails.retain(|email| email["type"] != "work");
                emails.push(json!({ "type": "work", "value": text, "primary": true }));
            }
            other => unreachable!("the suite writes no {other}"),
        }
    }
    user.retain(|_, value| !value.is_null() && *value != json!({}));
}

fn is_write(request: &SimRequest) -> bool {
    request.method() != "GET" && !request.path().ends_with("/.search")
}

fn is_reading(request: &SimRequest) -> bool {
    !is_write(request) && !request.path().ends_with("/ServiceProviderConfig")
}

/// An answer in place of the real one, once it has been carried out.
fn failed(_: SimResponse) -> SimResponse {
    SimResponse::empty(500)
}

impl TestPlatform for Programme {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        let config = (self.config)(ScimConfig::new(self.sim.endpoint()).with_requests_per_second(0));
        let (config, token) = match case {
            TargetCase::Good => (config, ScimSim::TOKEN),
            TargetCase::PageSize(size) => (config.with_page_size(size), ScimSim::TOKEN),
            TargetCase::ReadOnly => (config, ScimSim::READ_ONLY_TOKEN),
            TargetCase::WrongToken => (config, "a-token-of-nobody"),
            _ => return None,
        };
        let transport = Transport::builder().with_clock(Arc::new(self.clock.clone())).build();
        let target = transport.and_then(|transport| config.build(&token.into(), &transport));
        Some(target.map(|target| Arc::new(target) as _))
    }

    fn members(&self) -> Vec<RawMember> {
        self.sim.accounts().iter().map(raw).collect()
    }

    fn writes(&self) -> u64 {
        self.sim.writes()
    }

    fn asked(&self) -> Option<u64> {
        Some(self.sim.server().request_count() as u64)
    }

    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let mut user = Map::new();
        user.insert("active".into(), account.active.into());
        write(&mut user, &account.attributes);
        if account.other {
            user.insert("nickName".into(), "Pirulo".into());
            let emails = user.entry("emails").or_insert_with(|| json!([]));
            let own = format!("o{}@elsewhere.example", self.sim.accounts().len());
            emails.as_array_mut().unwrap().push(json!({ "type": "other", "value": own }));
            user.insert("addresses".into(), json!([{ "type": "home", "locality": "Lekeitio" }]));
        }
        Some(self.sim.plant(user.into()).into())
    }

    fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        self.sim.edit(member.as_str(), |user| write(user, changes))
    }

    fn remove(&self, member: &MemberId) -> bool {
        self.sim.remove(member.as_str())
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        let plan = |rule: FaultRule, fits: fn(&SimRequest) -> bool| self.sim.faults().add(rule.on(fits));
        match fault {
            PlatformFault::StoresAndFails => plan(Fault::change(failed).once(), is_write),
            PlatformFault::StoresAndHangs => {
                plan(Fault::Slow(Duration::from_secs(24 * 3600)).once(), is_write);
            }
            PlatformFault::AnswersAndForgets => self.sim.forget(1),
            PlatformFault::Refuses(id) => self.sim.refuse(id.as_str()),
            PlatformFault::SlowsDown { after } => self.sim.hinder(after, 429, Some(1)),
            PlatformFault::IsDown { after } => self.sim.hinder(after, 503, None),
            PlatformFault::FindsFail => plan(Fault::status(500).always(), is_reading),
            PlatformFault::RosterFails { after } => {
                let rule = Fault::status(500).always();
                self.sim.faults().add(rule.on(is_reading).on(move |request| {
                    let start = request.query("startIndex").and_then(|start| start.parse::<usize>().ok());
                    request.query("filter").is_none() && start.unwrap_or(1) > after
                }));
            }
            _ => return false,
        }
        true
    }

    fn clear_faults(&self) {
        self.sim.behave_well();
    }
}

async fn programme(
    config: fn(ScimConfig) -> ScimConfig,
    sloppy: fn(&mut Behaviour),
    skips: &[SkipReason],
) -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    let sim = ScimSim::start(clock.clone()).await;
    sim.behave(sloppy);
    let platform = Programme { sim, clock: clock.clone(), config };
    TargetHarness::new(platform, clock)
        .with_secrets([ScimSim::TOKEN, ScimSim::READ_ONLY_TOKEN, "a-token-of-nobody"])
        .with_attribute(MemberField::Department, "Tienda", "Almacén")
        .with_attribute(MemberField::FirstName, "Maialen", "Garazi")
        .with_attribute(MemberField::LastName, "Olmedo", "Etxeberria")
        .skipping(skips)
}

const ONE_AT_A_TIME: SkipReason = ("as_many_calls_as_declared_may_be_under_way", "one request at a time");
const NO_DELETION: SkipReason = ("the_close_down_lasts_as_long_as_declared", "no close-down is declared");

fn in_flight(config: ScimConfig) -> ScimConfig {
    parking(config).with_max_in_flight(NonZeroUsize::new(4).unwrap()).with_welcomes(true)
}

fn parking(config: ScimConfig) -> ScimConfig {
    let parking = Parking::new().with_email("parked+{token}@parking.example").unwrap();
    config.with_parking(parking.with_employee_id("parked-{token}").unwrap())
}

fn gateway(config: ScimConfig) -> ScimConfig {
    parking(config).with_profile(Profile::RewardGateway)
}

fn by_put(config: ScimConfig) -> ScimConfig {
    in_flight(config).with_update(UpdateWith::Put)
}

fn together(config: ScimConfig) -> ScimConfig {
    gateway(config).with_bulk(NonZeroUsize::new(10))
}

async fn strict() -> TargetHarness {
    programme(in_flight, |_| (), &[NO_DELETION]).await
}

async fn strict_gateway() -> TargetHarness {
    programme(gateway, |_| (), &[ONE_AT_A_TIME]).await
}

async fn strict_by_put() -> TargetHarness {
    programme(by_put, |_| (), &[NO_DELETION]).await
}

async fn strict_together() -> TargetHarness {
    programme(together, |_| (), &[ONE_AT_A_TIME]).await
}

hris_testkit::target_conformance!(on_the_strict_provider, strict);
hris_testkit::target_conformance!(as_reward_gateway, strict_gateway);
hris_testkit::target_conformance!(by_put_alone, strict_by_put);
hris_testkit::target_conformance!(in_bulk, strict_together);

/// A sloppy provider, each in a module of its own name.
macro_rules! sloppy {
    ($($name:ident: $change:expr;)+) => {
        $(mod $name {
            use super::*;

            async fn provider() -> TargetHarness {
                programme(in_flight, $change, &[NO_DELETION]).await
            }

            hris_testkit::target_conformance!(suite, provider);
        })+
    };
}

sloppy! {
    patch_answers_204: |b| b.patch_without_content = true;
    no_patch: |b| b.patch = false;
    duplicate_external_ids: |b| b.duplicate_external_ids = true;
    filters_ignored: |b| b.filters = FilterHabit::Ignored;
    page_size_clamped: |b| b.page_cap = Some(3);
    paging_repeats_one: |b| b.paging = PagingHabit::RepeatsOne;
    string_booleans: |b| b.string_booleans = true;
    no_etags: |b| b.etags = false;
    core_nested: |b| b.nests_core = true;
}

/// A provider whose batches end half-way: what it did not come to is `NotAttempted`, and what it was at is `InDoubt`
/// (`tests/scim/batches.rs`, `tests/scim/sloppy.rs`), so that whatever is about whole batches is left out.
mod bulk_refused_half_way {
    use super::*;

    async fn provider() -> TargetHarness {
        programme(together, |b| b.bulk_ends_after = Some(2), &[]).await
    }

    hris_testkit::target_behaviours! { provider;
        find::a_created_member_is_found_by_each_key,
        find::closed_members_are_found_as_closed,
        create::creating_twice_never_doubles,
        create::invitations_are_sent_as_declared_and_only_on_create,
        create::somebody_elses_address_is_a_conflict,
        create::somebody_elses_employee_id_is_a_conflict,
        create::two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick,
        update::only_the_given_attributes_are_changed,
        update::what_the_target_does_not_know_is_kept,
        update::an_action_about_a_member_who_is_gone_creates_nobody,
        leave::a_leaver_is_closed_and_never_deleted,
        leave::a_returner_is_the_same_member,
        leave::the_close_down_lasts_as_long_as_declared,
        batches::no_action_is_written_more_than_once,
        doubt::a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt,
        doubt::a_write_that_is_stored_and_never_answered_is_in_doubt,
        doubt::a_dropped_call_doubles_nobody_and_blocks_nothing,
        privacy::nothing_shown_has_a_secret_or_a_members_data,
    }
}

/// A provider whose pages leave accounts out: its roster ends as `Incomplete` (`tests/scim/listing.rs`), and everything
/// else holds.
mod paging_skips_one {
    use super::*;

    async fn provider() -> TargetHarness {
        programme(in_flight, |b| b.paging = PagingHabit::SkipsOne, &[NO_DELETION]).await
    }

    hris_testkit::target_behaviours! { provider;
        find::a_created_member_is_found_by_each_key,
        find::addresses_are_matched_in_any_case,
        find::everybody_who_matches_is_delivered,
        create::creating_twice_never_doubles,
        create::somebody_elses_address_is_a_conflict,
        create::somebody_elses_employee_id_is_a_conflict,
        update::only_the_given_attributes_are_changed,
        update::an_action_about_a_member_who_is_gone_creates_nobody,
        leave::a_leaver_is_closed_and_never_deleted,
        leave::a_returner_is_the_same_member,
        leave::the_close_down_lasts_as_long_as_declared,
        batches::no_action_is_written_more_than_once,
        doubt::a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt,
    }
}
