//! A visit to a loyalty service desk, task by task in the order of the connector's description, against a simulated
//! SessionM over real HTTP: `cargo run --example service_desk`; no network, no service to start.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use hris_core::Clock as _;
use hris_http::Transport;
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{
    Committed, Customer, CustomerRef, Done, Effect, EffectKey, Enrolment, LoyaltyDesk, NewCustomer,
    OfferState, Paging, ParentKeys, ProfileEdit, ProfileField, Receipt, RewardQuery, SessionM, Settings,
    TimelineQuery, UserOfferId,
};
use hris_testkit::ManualClock;
use serde_json::json;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let clock = ManualClock::at("2026-03-02T09:00:00Z").skipping(Duration::from_secs(25));
    let sim = SessionMSim::start_at(Arc::new(clock.clone())).await;
    let desk = connect(&sim, &clock)?;
    furnish(&sim);

    heading("View and Update Customer Information");
    let sabina = view_and_update(&desk).await?;
    heading("Enroll a Customer in a Loyalty Program");
    enrol(&desk).await?;
    heading("Merge Customers");
    merge(&desk, &sim).await?;
    heading("Award Loyalty Points to a Customer");
    award(&desk, &sabina).await?;
    heading("Add a Reference Note to a Customer Record");
    note(&desk, &sabina).await?;
    heading("Offer a Loyalty Program to a Customer");
    let (kept, mistaken) = offer(&desk, &sabina).await?;
    heading("Revoke or Redeem an Offer for a Customer");
    revoke_and_redeem(&desk, &sabina, &kept, &mistaken).await?;
    heading("Extend an Offer for a Customer");
    extend_and_reissue(&desk, &sabina, &clock).await?;
    heading("Purchase a Reward for a Customer");
    purchase(&desk, &sabina).await?;
    heading("View Customer Activity with Loyalty Programs");
    activity(&desk, &sabina).await
}

fn connect(sim: &SessionMSim, clock: &ManualClock) -> Result<SessionM> {
    // Everything that a tenant has to tell the client; only the two addresses are others.
    let settings = Settings::COMPLETE_TOML
        .replace("https://api-harbour.stg-sessionm.com", sim.url())
        .replace("https://domains-harbour.stg-sessionm.com", sim.url());
    let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build()?;
    Ok(SessionM::new(Settings::from_toml(&settings)?, &sim.credentials(), &transport)?)
}

/// Who is there already: Sabina, with points, an active offer and an expired one; and somebody who is there twice.
fn furnish(sim: &SessionMSim) {
    let sabina = sim.plant_customer(json!({
        "external_id": "ACC_EXT_1", "external_id_type": "crm", "email": "sabina@sessionm.example",
        "first_name": "Sabina", "last_name": "Sabina", "dob": "2001-08-29",
        "created_at": "2021-09-09 20:53:00", "user_profile": { "lifetime_spend": 812.4 },
    }));
    sim.plant_points(&sabina, SessionMSim::SPENDABLE, 164.0);
    sim.plant_offer(&sabina, SessionMSim::TEN_PERCENT, 10, 28);
    sim.plant_offer(&sabina, SessionMSim::COFFEE, 60, 28);
    for (minutes, points) in [(10, -20), (11, -1000), (12, -100), (79, -10), (80, -10), (95, -5), (96, -5)] {
        let payload = json!({ "Modification": points, "PointSourceName": "Basic Point Source",
            "TimeOfOccurrence": "2026-03-01T07:52:28.6022323Z" });
        sim.plant_event(&sabina, "INCENTIVES_POINT_SPEND", minutes, payload);
    }
    let twice = sim.plant_customer(json!({
        "external_id": "ACC_EXT_2", "external_id_type": "crm", "email": "sabina.old@sessionm.example",
    }));
    sim.plant_points(&twice, SessionMSim::SPENDABLE, 40.0);
}

async fn view_and_update(desk: &dyn LoyaltyDesk) -> Result<CustomerRef> {
    let found = desk.find(&ParentKeys::external_id("ACC_EXT_1")).await?.ok_or("nobody")?;
    show(&found);
    let edit = ProfileEdit::new()
        .set(ProfileField::Gender, "f")?
        .set(ProfileField::City, "Portsmouth")?
        .set(ProfileField::Country, "USA")?;
    confirm(desk, Effect::Update { customer: found.reference(), edit }).await?;
    Ok(found.reference())
}

fn show(customer: &Customer) {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "Unknown".to_owned());
    println!("First Name {}, Last Name {}", text(&customer.first_name), text(&customer.last_name));
    println!("Gender {}, Member Status {}", text(&customer.gender), customer.status.as_str());
    println!("Opted-In {}, Suspended {}", customer.opted_in, customer.suspended);
    if let Some(points) = customer.lifetime_points() {
        println!("Customer Lifetime Value: {points} points");
    }
    if let Some(spend) = customer.lifetime_spend {
        println!("Customer Lifetime Value in money: {spend}");
    }
    println!("Tier {}", text(&customer.tier));
}

async fn enrol(desk: &dyn LoyaltyDesk) -> Result<()> {
    let keys = ParentKeys::external_id("001J000002XWxUmIAL").with_email("ash.sm@sessionm.example");
    let found = desk.find(&keys).await?;
    if Enrolment::of(found.as_ref()) == Enrolment::NotFound {
        println!("User is not enrolled in the Loyalty Program.");
    }
    confirm(desk, Effect::Create(Box::new(NewCustomer::enrolled(keys.clone())))).await?;
    println!("now: {:?}", Enrolment::of(desk.find(&keys).await?.as_ref()));
    Ok(())
}

async fn merge(desk: &dyn LoyaltyDesk, sim: &SessionMSim) -> Result<()> {
    // The surviving record kept its own external id.
    let keys = |id: &str| ParentKeys::external_id(id);
    confirm(desk, Effect::Merge { survivor: keys("ACC_EXT_1"), victim: keys("ACC_EXT_2") }).await?;
    let gone = desk.find(&keys("ACC_EXT_2")).await?;
    println!("ACC_EXT_2 now leads to the survivor: {}", gone.is_some());
    println!("{} customers are left", sim.customers());
    Ok(())
}

async fn award(desk: &dyn LoyaltyDesk, customer: &CustomerRef) -> Result<()> {
    let balances = desk.balances(customer).await?;
    println!("Account Name | Available Balance | Life Time Value");
    for row in &balances.accounts {
        println!("{} | {} | {}", row.name, row.available, row.lifetime);
    }
    let account = balances.accounts.first().ok_or("no account")?.account.clone();
    let source = desk.point_sources().swap_remove(0).id;
    let reason = desk.reasons().swap_remove(0).code;
    confirm(
        desk,
        Effect::Award { customer: customer.clone(), account, source, amount: "12.5".parse()?, reason },
    )
    .await?;
    Ok(())
}

async fn note(desk: &dyn LoyaltyDesk, customer: &CustomerRef) -> Result<()> {
    let reason = desk.note_reasons().first().map(|choice| choice.code.clone());
    let comment = "We have this user already, please merge".into();
    confirm(desk, Effect::Note { customer: customer.clone(), reason, comment }).await?;
    for note in desk.notes(customer).await? {
        println!("Reason: {} / {}", note.reason.as_deref().unwrap_or("None"), note.comment);
    }
    Ok(())
}

/// Issues an offer twice, once by mistake.
async fn offer(desk: &dyn LoyaltyDesk, customer: &CustomerRef) -> Result<(UserOfferId, UserOfferId)> {
    let page = desk.available_offers(customer, &Paging::first(5)).await?;
    println!("Available Offers ({})", page.total.unwrap_or_default());
    for offer in &page.items {
        println!("{}: {}", offer.title, offer.description.as_deref().unwrap_or_default());
    }
    let search = desk.available_offers(customer, &Paging::first(5).containing("ten percent")).await?;
    let offer = search.items.first().ok_or("no such offer")?.id.clone();
    let issue = Effect::Issue { customer: customer.clone(), offer, quantity: 2 };
    let copies = match confirm(desk, issue).await?.done {
        Done::Copies { copies, .. } => copies.into_iter().filter_map(|copy| copy.id),
        other => return Err(format!("{other:?}").into()),
    };
    match copies.collect::<Vec<_>>().as_slice() {
        [kept, mistaken] => Ok((kept.clone(), mistaken.clone())),
        _ => Err("two copies were to be issued".into()),
    }
}

async fn revoke_and_redeem(
    desk: &dyn LoyaltyDesk,
    customer: &CustomerRef,
    kept: &UserOfferId,
    mistaken: &UserOfferId,
) -> Result<()> {
    let wallet = desk.issued_offers(customer, &Paging::first(5)).await?;
    println!("Issued Offers ({})", wallet.total.unwrap_or_default());
    if let Some(seen) = desk.view_offer(customer, kept).await? {
        println!("{}: {:?}", seen.offer.name, seen.state);
    }
    let reason = "Issued by mistake".into();
    confirm(desk, Effect::Revoke { customer: customer.clone(), copy: mistaken.clone(), reason }).await?;
    let redeem = || Effect::Redeem { customer: customer.clone(), copy: kept.clone() };
    confirm(desk, redeem()).await?;
    match desk.prepare(redeem(), EffectKey::random()).await?.ready() {
        Err(refusal) => println!("once more: {refusal}"),
        Ok(_) => return Err("an offer is redeemed once".into()),
    }
    Ok(())
}

async fn extend_and_reissue(
    desk: &dyn LoyaltyDesk,
    customer: &CustomerRef,
    clock: &ManualClock,
) -> Result<()> {
    let wallet = desk.issued_offers(customer, &Paging::first(5)).await?;
    let active = wallet.items.first().ok_or("an empty wallet")?.id.clone();
    let (from, until) = (clock.now(), clock.now() + TimeDelta::days(30));
    confirm(desk, Effect::Extend { customer: customer.clone(), copy: active, from, until }).await?;
    let expired = desk.past_offers(customer, OfferState::Expired, &Paging::first(5)).await?;
    println!("Expired Offers ({})", expired.total.unwrap_or_default());
    let copy = expired.items.first().ok_or("nothing expired")?.id.clone();
    confirm(desk, Effect::Reissue { customer: customer.clone(), copy }).await?;
    Ok(())
}

async fn purchase(desk: &dyn LoyaltyDesk, customer: &CustomerRef) -> Result<()> {
    let affordable = desk.rewards(customer, &RewardQuery::affordable(Paging::first(5))).await?;
    for reward in &affordable.items {
        println!("{} for {} points", reward.title, reward.price);
    }
    let all = desk.rewards(customer, &RewardQuery::all(Paging::first(50))).await?;
    let buy = |reward: &hris_sessionm::Reward| Effect::Purchase {
        customer: customer.clone(),
        reward: reward.id.clone(),
        quantity: 1,
        accounts: Vec::new(),
    };
    let dearest = all.items.iter().max_by_key(|reward| reward.price).ok_or("an empty store")?;
    match desk.prepare(buy(dearest), EffectKey::random()).await?.ready() {
        Err(refusal) => println!("{}: {refusal}", dearest.title),
        Ok(_) => return Err("it costs more than there is".into()),
    }
    let coffee = affordable.items.iter().find(|reward| reward.title.contains("coffee")).ok_or("no coffee")?;
    confirm(desk, buy(coffee)).await?;
    println!("{} points are left", desk.balances(customer).await?.total);
    Ok(())
}

async fn activity(desk: &dyn LoyaltyDesk, customer: &CustomerRef) -> Result<()> {
    let query = TimelineQuery::all().of_type("INCENTIVES_POINT_SPEND");
    let timeline = desk.timeline(customer, &query).await?;
    println!("Activity Timeline ({})", timeline.events.len());
    let mut number = Some(1);
    while let Some(at) = number {
        let page = timeline.page(at);
        println!("{}-{} of {}", page.first, page.last, page.total);
        for event in page.events {
            println!("{}", event.summary());
        }
        number = page.next;
    }
    Ok(())
}

/// Asks the agent, who always says yes, and carries it out.
async fn confirm(desk: &dyn LoyaltyDesk, effect: Effect) -> Result<Receipt> {
    let prepared = desk.prepare(effect, EffectKey::random()).await?.ready()?;
    for warning in prepared.warnings() {
        println!("! {warning}");
    }
    println!("? {} Yes.", prepared.summary());
    match desk.commit(prepared).await? {
        Committed::Done(receipt) => Ok(receipt),
        Committed::Refused(refusal) => Err(refusal.into()),
        other => Err(format!("look it up: {other:?}").into()),
    }
}

fn heading(text: &str) {
    println!("\n== {text}");
}
