//! Connect's incentives in the simulator: balances, awards, deductions, and the ledger.

use chrono::{DateTime, TimeDelta, Utc};
use hris_testkit::sim::SimResponse;
use serde_json::{Value, json};

use super::state::{Booking, State, failed, hundredths, payload, points};

/// The balances of a customer over all accounts, empty ones included.
pub(super) fn balances(state: &State, user: &str) -> Value {
    let details = state.accounts.iter().map(|account| {
        let has_any = state.ledger.iter().any(|row| row.user == user && row.account == account.id);
        let own = if has_any { format!("e6b7d1a2-{}", &account.id[9..]) } else { String::new() };
        json!({
            "account_name": account.name,
            "user_point_account_id": own,
            "point_account_id": account.id,
            "grouping_label": account.group,
            "available_balance": points(state.balance(user, &account.id)),
            "life_time_value": points(state.earned(user, &account.id)),
        })
    });
    let total: i64 = state.accounts.iter().map(|account| state.balance(user, &account.id)).sum();
    let earned: i64 = state.accounts.iter().map(|account| state.earned(user, &account.id)).sum();
    json!({
        "retailer_id": super::SessionMSim::RETAILER_ID,
        "user_id": state.shown(user),
        "summary": { "total_points": points(total), "life_time_points": points(earned) },
        "details": details.collect::<Vec<_>>(),
    })
}

impl State {
    /// What is booked, before anything is checked.
    pub(super) fn book(&mut self, user: &str, account: &str, change: i64, row: &Value) -> DateTime<Utc> {
        let (id, at) = (self.new_id(), self.now());
        self.ledger.push(Booking {
            id,
            user: user.to_owned(),
            account: account.to_owned(),
            source: row["point_source_id"].as_str().map(str::to_owned),
            change,
            kind: if change > 0 { 1 } else { 2 },
            reference_type: row["reference_type"].clone(),
            reference_id: row["reference_id"].clone(),
            idempotency_id: row["idempotency_id"].clone(),
            at,
        });
        let slug = if change > 0 { "INCENTIVES_POINT_DEPOSIT" } else { "INCENTIVES_POINT_SPEND" };
        let source = self.source_name(row["point_source_id"].as_str());
        let event = json!({ "TimeOfOccurrence": self.time(at), "Modification": points(change), "PointSourceName": source });
        self.record(user, slug, event);
        at
    }

    fn source_name(&self, id: Option<&str>) -> Value {
        let found = self.sources.iter().find(|source| Some(source.id.as_str()) == id);
        found.map_or(Value::Null, |source| json!(source.name))
    }

    pub(super) fn deposit(&mut self, user: usize, body: &Value) -> SimResponse {
        let Some(rows) = body["deposit_details"].as_array().filter(|rows| !rows.is_empty()) else {
            return failed("missing_data", "deposit_details are required");
        };
        for row in rows {
            if let Some(refusal) = self.undepositable(row) {
                return refusal;
            }
        }
        let id = self.customers[user].id.clone();
        let mut details = Vec::new();
        for row in rows {
            let account = row["point_account_id"].as_str().unwrap_or_default();
            let amount = hundredths(&row["amount"]).unwrap_or_default();
            let at = self.book(&id, account, amount, row);
            details.push(json!({ "point_account_id": account, "point_source_id": row["point_source_id"],
                "reference_id": row["reference_id"], "reference_type": row["reference_type"], "at": self.time(at) }));
        }
        if self.behaviour.bare_deposits {
            return payload(Value::Null);
        }
        let time = self.time(self.now());
        payload(json!({ "user_id": self.shown(&id), "details": details, "time_of_occurrence": time }))
    }

    fn undepositable(&self, row: &Value) -> Option<SimResponse> {
        let Some(source) = self.sources.iter().find(|source| row["point_source_id"] == source.id.as_str())
        else {
            return Some(failed("argument_error", "The point source is unknown."));
        };
        let account = row["point_account_id"].as_str().unwrap_or_default();
        if !source.accounts.iter().any(|known| known == account) {
            return Some(failed("validation", "The point source is not linked to the point account."));
        }
        match hundredths(&row["amount"]) {
            Some(amount) if amount > 0 => None,
            _ => Some(failed("argument_error", "The amount must be positive.")),
        }
    }

    /// Deducts; each line stands for itself, and one that failed says so inside a success.
    pub(super) fn spend(&mut self, user: usize, body: &Value) -> SimResponse {
        let Some(rows) = body["spend_details"].as_array().filter(|rows| !rows.is_empty()) else {
            return failed("missing_data", "spend_details are required");
        };
        let id = self.customers[user].id.clone();
        let mut details = Vec::new();
        for row in rows {
            details.push(self.spend_one(&id, row));
        }
        let total: i64 = self.accounts.iter().map(|account| self.balance(&id, &account.id)).sum();
        payload(json!({ "user_id": self.shown(&id), "details": details, "audits": [],
            "summary": { "remaining_balance": points(total) }, "time_of_occurrence": self.time(self.now()) }))
    }

    fn spend_one(&mut self, user: &str, row: &Value) -> Value {
        let key = &row["idempotency_id"];
        let is_repeat = !key.is_null()
            && self.ledger.iter().any(|known| known.user == user && known.idempotency_id == *key);
        let accounts = row["point_account_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let accounts: Vec<String> = accounts.map(str::to_owned).collect();
        let held: i64 = accounts.iter().map(|account| self.balance(user, account)).sum();
        let amount = hundredths(&row["amount"]).filter(|amount| *amount > 0);
        let echo = |spent: i64, left: i64| {
            json!({ "amount_spent": points(spent), "remaining_balance": points(left), "error_status": 0,
                "reference_id": row["reference_id"], "reference_type": row["reference_type"], "idempotency_id": key })
        };
        let mut answer = match amount {
            Some(amount) if is_repeat => echo(amount, held),
            Some(amount) if amount <= held => {
                self.take(user, &accounts, amount, row);
                echo(amount, held - amount)
            }
            _ => {
                let mut answer = echo(0, held);
                answer["error_status"] = json!(1);
                answer["message"] = json!("Not enough points");
                answer["error_response"] = json!({ "error": "Not enough points" });
                answer
            }
        };
        answer["point_account_id"] = json!(accounts.first());
        answer
    }

    /// Takes points from accounts in order; there are enough.
    pub(super) fn take(&mut self, user: &str, accounts: &[String], amount: i64, row: &Value) {
        let mut left = amount;
        for account in accounts {
            let part = left.min(self.balance(user, account).max(0));
            if part > 0 {
                self.book(user, account, -part, row);
                left -= part;
            }
        }
    }

    pub(super) fn audit(&self, user: usize, body: &Value) -> SimResponse {
        let bound = |name: &str| body[name].as_str()?.parse::<DateTime<Utc>>().ok();
        let (Some(from), Some(to)) = (bound("from_date"), bound("to_date")) else {
            return failed("missing_data", "from_date and to_date are required");
        };
        if from > to || to - from > TimeDelta::days(366) {
            return failed("argument_error", "The range spans one year at most.");
        }
        let take = body["take"].as_u64().unwrap_or(1000);
        if take > 1000 {
            return failed("argument_error", "1000 rows at most.");
        }
        let id = &self.customers[user].id;
        let wanted = body["point_account_ids"].as_array();
        let rows = self.ledger.iter().filter(|row| row.user == *id && (from..=to).contains(&row.at));
        let rows = rows
            .filter(|row| wanted.is_none_or(|all| all.is_empty() || all.iter().any(|id| *id == row.account)));
        let (skip, take) = (usize::try_from(body["skip"].as_u64().unwrap_or(0)), usize::try_from(take));
        let rows = rows.skip(skip.unwrap_or(usize::MAX)).take(take.unwrap_or(1000));
        payload(json!({ "results": rows.map(|row| self.audit_row(row)).collect::<Vec<_>>() }))
    }

    fn audit_row(&self, row: &Booking) -> Value {
        let account = self.accounts.iter().find(|account| account.id == row.account);
        json!({
            "id": row.id,
            "user_id": self.shown(&row.user),
            "account_name": account.map(|account| account.name.as_str()),
            "point_account_id": row.account,
            "modification": points(row.change),
            "amount_spent": points(-row.change.min(0)),
            "amount_expired": 0,
            "audit_type": row.kind,
            "modification_type": row.reference_type,
            "modification_entity_id": row.reference_id,
            "point_source_id": row.source,
            "point_source_name": self.source_name(row.source.as_deref()),
            "time_of_occurrence": self.time(row.at),
            "idempotency_id": row.idempotency_id,
        })
    }
}
