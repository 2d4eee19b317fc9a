//! Customers: found, read, searched, created, changed, tagged.

use hris_core::{Email, Error, ErrorKind, Result};
use hris_http::Request;
use serde_json::{Map, Value};

use super::SessionM;
use super::errors::found;
use crate::convert;
use crate::profile::{ProfileEdit, ProfileField, ProfileValue};
use crate::settings::{ClearAs, LookupBy, Operation, SearchStyle, Values};
use crate::wire::core::{PlayersAnswer, UserAnswer};
use crate::{Customer, CustomerHit, CustomerId, ExternalId, NewCustomer, ParentKeys, SearchBy, Tag};

/// What a full read asks for beside the profile.
const FULL: &[&str] = &["user[user_profile]", "expand_incentives", "show_identifiers"];

impl SessionM {
    /// The customer with the one key that the settings name; `None` only if SessionM said that there is none.
    pub(crate) async fn find_customer(&self, keys: &ParentKeys) -> Result<Option<Customer>> {
        let missing = |key: &'static str| {
            Error::new(ErrorKind::Invalid, "the record lacks the key that customers are looked up by")
                .with_hint("fill it, or set `lookup_by` to the other key")
                .with_context("key", key)
        };
        match self.lookup_by() {
            LookupBy::ExternalId => {
                self.customer_by_external_id(keys.external_id.as_ref().ok_or_else(|| missing("external_id"))?)
                    .await
            }
            LookupBy::Email => {
                self.customer_by_email(keys.email.as_ref().ok_or_else(|| missing("email"))?).await
            }
        }
    }

    /// One full read by SessionM's id.
    pub(crate) async fn customer_by_id(&self, id: &CustomerId) -> Result<Option<Customer>> {
        let values = Values::default().with("user_id", id.as_str());
        found(self.read_customer(full(self.core(Operation::CustomerRead, &values)?)).await)
    }

    /// One full read by external id, the documented way to find somebody by it.
    pub(crate) async fn customer_by_external_id(&self, id: &ExternalId) -> Result<Option<Customer>> {
        let values = Values::default().with("external_id", id.as_str());
        found(self.read_customer(full(self.core(Operation::CustomerReadExternal, &values)?)).await)
    }

    /// One full read by e-mail address. More than one customer is a conflict, and another's address an error.
    pub(crate) async fn customer_by_email(&self, email: &Email) -> Result<Option<Customer>> {
        if self.settings().search_style == SearchStyle::Exact {
            let request = self.core(Operation::CustomerSearchExact, &Values::default())?;
            let customer =
                found(self.read_customer(full(request.with_query("email", email.as_str()))).await)?;
            return match customer {
                Some(customer) if !has_email(customer.email.as_ref(), email) => Err(another_customer()),
                customer => Ok(customer),
            };
        }
        let hits = self.search_customers(&SearchBy::Email(email.clone())).await?;
        match &hits[..] {
            [] => Ok(None),
            [hit] => {
                let customer = self.customer_by_id(&hit.id).await?.ok_or_else(|| {
                    let message = "the search finds a customer whom SessionM does not know";
                    Error::new(ErrorKind::Incomplete, message).with_context("customer", &hit.id)
                })?;
                if has_email(customer.email.as_ref(), email) {
                    Ok(Some(customer))
                } else {
                    Err(another_customer())
                }
            }
            several => Err(ambiguous(several)),
        }
    }

    /// Everybody whom a search finds, each once.
    pub(crate) async fn search_customers(&self, by: &SearchBy) -> Result<Vec<CustomerHit>> {
        let exact = self.settings().search_style == SearchStyle::Exact;
        let operation =
            if exact { Operation::CustomerSearchExact } else { Operation::CustomerSearchAdvanced };
        let request = self.core(operation, &Values::default())?;
        let request = match by {
            SearchBy::Email(email) => request.with_query("email", email.as_str()),
            SearchBy::MobileNumber(number) => request.with_query("mobile_number", number.trim()),
            SearchBy::EmailAndPhone(email, phone) => {
                request.with_query("email", email.as_str()).with_query("phone", phone.trim())
            }
            SearchBy::ExternalId(id) if exact => request.with_query("external_id", id.as_str()),
            SearchBy::ExternalId(id) => {
                return Ok(self.customer_by_external_id(id).await?.iter().map(CustomerHit::of).collect());
            }
        };
        if exact {
            return Ok(found(self.read_customer(full(request)).await)?.iter().map(CustomerHit::of).collect());
        }
        let request = request.with_query("advanced_search_params[user_profile]", true);
        let answer = found(self.core_session().execute_json::<PlayersAnswer>(&request).await)?;
        convert::hits(answer.map(|answer| answer.players).unwrap_or_default())
    }

    /// Creates a customer; the one call that does. Not repeatable: the caller looks the customer up first.
    pub(crate) async fn create_customer(&self, new: &NewCustomer) -> Result<Customer> {
        let mut user = self.fields(&new.profile);
        for (name, value) in [
            ("email", new.email.as_ref().map(Email::as_str)),
            ("external_id", new.external_id.as_ref().map(ExternalId::as_str)),
        ] {
            if let Some(value) = value {
                user.insert(name.to_owned(), value.into());
            }
        }
        self.label_external_id(&mut user);
        // Left out, it would mean yes.
        user.insert("opted_in".to_owned(), new.opted_in.into());
        if let Some(code) = &new.referral_code {
            user.insert("referral".to_owned(), serde_json::json!({ "referral_code": code }));
        }
        let request = self.core(Operation::CustomerCreate, &Values::default())?;
        self.read_customer(request.with_json(&serde_json::json!({ "user": user }))?).await
    }

    /// Changes a customer; what is not named stays. Repeatable: the same change twice is one.
    ///
    /// What it answers may be a small part of the customer, so it is not returned.
    pub(crate) async fn update_customer(&self, id: &CustomerId, edit: &ProfileEdit) -> Result<()> {
        self.send_update(id, edit, true).await
    }

    /// The same, sent once: for whoever has to know what became of each write.
    pub(crate) async fn update_customer_once(&self, id: &CustomerId, edit: &ProfileEdit) -> Result<()> {
        self.send_update(id, edit, false).await
    }

    async fn send_update(&self, id: &CustomerId, edit: &ProfileEdit, repeatable: bool) -> Result<()> {
        let mut user = self.fields(edit);
        self.label_external_id(&mut user);
        let values = Values::default().with("user_id", id.as_str());
        let request = self.core(Operation::CustomerUpdate, &values)?.with_repeatable(repeatable);
        let request = request.with_json(&serde_json::json!({ "user": user }))?;
        self.core_session().execute(&request).await.map(drop)
    }

    /// A customer's tags.
    pub(crate) async fn read_tags(&self, id: &CustomerId) -> Result<Vec<Tag>> {
        let request = self.core(Operation::TagsRead, &Values::default().with("user_id", id.as_str()))?;
        self.core_session().execute_with(&request, |answer| convert::tags(answer.body())).await
    }

    /// Adds tags. Not repeatable: a tag without an end is a counter.
    pub(crate) async fn add_tags(
        &self,
        id: &CustomerId,
        tags: &[String],
        seconds: Option<u64>,
    ) -> Result<()> {
        let request = self.core(Operation::TagsAdd, &Values::default().with("user_id", id.as_str()))?;
        let mut body = serde_json::json!({ "tags": tags });
        if let Some(seconds) = seconds {
            body["ttl"] = seconds.into();
        }
        self.core_session().execute(&request.with_json(&body)?).await.map(drop)
    }

    async fn read_customer(&self, request: Request) -> Result<Customer> {
        let spend = self.settings().profile.lifetime_value_field.as_deref();
        let read = |answer: hris_http::Answer| convert::customer(answer.json::<UserAnswer>()?.user, spend);
        self.core_session().execute_with(&request, read).await
    }

    fn label_external_id(&self, user: &mut Map<String, Value>) {
        if user.contains_key("external_id")
            && let Some(kind) = &self.settings().external_id_type
        {
            user.insert("external_id_type".to_owned(), kind.as_str().into());
        }
    }

    /// The fields of a change as SessionM writes them.
    fn fields(&self, edit: &ProfileEdit) -> Map<String, Value> {
        let mut user = Map::new();
        let mut custom = Map::new();
        for (field, value) in edit.iter() {
            let value = match (field, value) {
                (_, Some(value)) => written(value),
                (ProfileField::PhoneNumbers, None) => Value::Array(Vec::new()),
                (_, None) => match self.settings().clear_as {
                    ClearAs::Null => Value::Null,
                    ClearAs::EmptyText => Value::String(String::new()),
                },
            };
            match field {
                ProfileField::Custom(name) => custom.insert(name.to_string(), value),
                native => user.insert(native.name().to_owned(), value),
            };
        }
        if !custom.is_empty() {
            user.insert("user_profile".to_owned(), custom.into());
        }
        user
    }
}

fn full(request: Request) -> Request {
    FULL.iter().fold(request, |request, flag| request.with_query(flag, true))
}

fn written(value: &ProfileValue) -> Value {
    match value {
        ProfileValue::Text(text) => text.as_str().into(),
        ProfileValue::Date(date) => date.to_string().into(),
        ProfileValue::Flag(flag) => (*flag).into(),
        // Whole numbers stay numbers; what a JSON number could not hold exactly here goes as text.
        ProfileValue::Number(number) => {
            let text = number.to_string();
            text.parse::<i64>().map_or_else(|_| Value::String(text), Value::from)
        }
        ProfileValue::Phones(phones) => phones
            .iter()
            .map(|phone| {
                serde_json::json!({
                    "phone_number": phone.number,
                    "phone_type": phone.kind,
                    "preference_flags": phone.flags,
                })
            })
            .collect(),
    }
}

fn has_email(found: Option<&Email>, asked: &Email) -> bool {
    found.is_some_and(|found| found.folded() == asked.folded())
}

fn another_customer() -> Error {
    Error::new(ErrorKind::Conflict, "the search answers with a customer of another address")
        .with_hint("set `search_style` to the one that the organisation has")
}

fn ambiguous(hits: &[CustomerHit]) -> Error {
    let ids = hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::Conflict, "several customers match; merge them, or look up by external id")
        .with_context("customers", ids)
}

impl Customer {
    /// What an edit would set that this customer does not have, exactly.
    pub(crate) fn differs_from(&self, edit: &ProfileEdit) -> Vec<ProfileField> {
        let email = |wanted: &str| self.email.as_ref().is_some_and(|held| held.as_str() == wanted);
        self.without(edit, email)
    }

    /// What of an edit that was sent is not there. An address counts as there in any case: SessionM may fold it.
    pub(crate) fn lacks(&self, edit: &ProfileEdit) -> Vec<ProfileField> {
        let email = |wanted: &str| {
            self.email.as_ref().is_some_and(|held| held.folded() == hris_core::fold_email(wanted))
        };
        self.without(edit, email)
    }

    fn without(&self, edit: &ProfileEdit, has_email: impl Fn(&str) -> bool) -> Vec<ProfileField> {
        let missing = |(field, value): (&ProfileField, Option<&ProfileValue>)| {
            let is_there = match (field, value) {
                (ProfileField::Email, Some(ProfileValue::Text(text))) => has_email(text),
                _ => self.has(field, value),
            };
            (!is_there).then(|| field.clone())
        };
        edit.iter().filter_map(missing).collect()
    }

    fn has(&self, field: &ProfileField, wanted: Option<&ProfileValue>) -> bool {
        let text = |held: Option<&str>| match wanted {
            None => held.is_none_or(str::is_empty),
            Some(ProfileValue::Text(text)) => held == Some(text),
            Some(_) => false,
        };
        match field {
            ProfileField::FirstName => text(self.first_name.as_deref()),
            ProfileField::LastName => text(self.last_name.as_deref()),
            ProfileField::Gender => text(self.gender.as_deref()),
            ProfileField::ExternalId => match wanted {
                Some(ProfileValue::Text(text)) => {
                    ExternalId::parse(text).is_some_and(|wanted| self.has_external_id(&wanted))
                }
                _ => false,
            },
            ProfileField::BirthDate => match wanted {
                Some(ProfileValue::Date(date)) => self.birth_date == Some(*date),
                _ => self.birth_date.is_none(),
            },
            ProfileField::OptedIn => wanted == Some(&ProfileValue::Flag(self.opted_in)),
            ProfileField::Address => text(self.address.as_deref()),
            ProfileField::Address2 => text(self.address2.as_deref()),
            ProfileField::City => text(self.city.as_deref()),
            ProfileField::State => text(self.state.as_deref()),
            ProfileField::Zip => text(self.zip.as_deref()),
            ProfileField::Country => text(self.country.as_deref()),
            ProfileField::Locale => text(self.locale.as_deref()),
            ProfileField::PhoneNumbers => {
                let numbers =
                    |phones: &[crate::Phone]| phones.iter().map(|p| p.number.clone()).collect::<Vec<_>>();
                match wanted {
                    Some(ProfileValue::Phones(phones)) => numbers(phones) == numbers(&self.phones),
                    _ => self.phones.is_empty(),
                }
            }
            ProfileField::Custom(name) => match wanted {
                None => self.user_profile.text(name).is_none_or(|held| held.is_empty()),
                Some(ProfileValue::Number(number)) => self.user_profile.number(name) == Some(*number),
                Some(value) => {
                    self.user_profile.text(name).as_deref()
                        == written(value).as_str().or(match value {
                            ProfileValue::Flag(true) => Some("true"),
                            ProfileValue::Flag(false) => Some("false"),
                            _ => None,
                        })
                }
            },
            _ => false,
        }
    }
}
