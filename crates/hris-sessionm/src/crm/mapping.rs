//! The field mapping in both directions, by the engine that also maps employees.

use std::collections::BTreeSet;

use hris_core::{
    Alternative, Attributes, EmployeeField, Field, FieldMap, FieldMapping as _, FieldProblem, FieldRule,
    FieldSource, MemberField, Origin, Result, SourceField, TargetField, Value, ValueRef,
};

use super::{CrmChange, CrmRecord, CrmSettings};
use crate::profile::{Mutability, ProfileEdit, ProfileField, ProfileValue};
use crate::{Customer, ExternalId, Phone};

/// Both directions, compiled.
#[derive(Clone, Debug)]
pub(super) struct Mappings {
    to_sessionm: FieldMap,
    to_crm: FieldMap,
    external_id_field: String,
    email_field: String,
}

/// What mapping a record gives.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) edit: ProfileEdit,
    pub(super) problems: Vec<FieldProblem>,
}

impl Mappings {
    pub(super) fn new(settings: &CrmSettings) -> Result<Self> {
        let custom = |name: &str| SourceField::Custom(name.into());
        // The engine wants both keys mapped, and so do we.
        let keys = [
            FieldRule::copy(MemberField::EmployeeId, custom(&settings.external_id_field)),
            FieldRule::copy(MemberField::Email, custom(&settings.email_field)),
        ];
        let to_sessionm = keys.into_iter().chain(settings.fields.iter().cloned()).collect();
        let back = match &settings.fields_back {
            Some(rules) => rules.clone(),
            None => settings.fields.iter().filter_map(turned).collect(),
        };
        let keys = [
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail),
        ];
        let to_crm = keys.into_iter().chain(back).collect();
        Ok(Self {
            to_sessionm: FieldMap::new(to_sessionm)?,
            to_crm: FieldMap::new(to_crm)?,
            external_id_field: settings.external_id_field.clone(),
            email_field: settings.email_field.clone(),
        })
    }

    /// Whether a change of a record's field can change anything in SessionM.
    pub(super) fn reads(&self, field: &str) -> bool {
        self.to_sessionm.sources().iter().any(|source| is_named(source, field))
    }

    /// What a record says about the profile; of the changed fields only, if they are named.
    pub(super) fn edit(
        &self,
        record: &CrmRecord,
        changed: Option<&[String]>,
        customer: Option<&Customer>,
    ) -> Edit {
        let mapped = self.to_sessionm.map(record);
        let mut out = Edit { edit: ProfileEdit::new(), problems: mapped.problems };
        for (rule, value) in self.to_sessionm.rules().iter().zip(mapped.values) {
            let is_wanted = changed.is_none_or(|changed| {
                rule.sources().any(|source| changed.iter().any(|name| is_named(source, name)))
            });
            if is_wanted && let Err(problem) = put(&mut out.edit, rule, value, customer) {
                out.problems.push(problem);
            }
        }
        out
    }

    /// What of a customer differs from the record.
    pub(super) fn change(&self, record: &CrmRecord, customer: &Customer) -> (CrmChange, Vec<FieldProblem>) {
        let mapped = self.to_crm.map(customer);
        let mut change = CrmChange::of(record);
        for (target, value) in self.to_crm.targets().iter().zip(mapped.values) {
            let value = match value {
                // A key that SessionM does not tell is no reason to empty the record's.
                Field::Absent => continue,
                Field::Null if target.is_mandatory() => continue,
                Field::Null => None,
                Field::Value(value) => Some(value.into_owned()),
            };
            let field = self.crm_field(target);
            if !is_same(record.get(&field).flatten(), value.as_ref()) {
                change.fields.insert(field, value);
            }
        }
        (change, mapped.problems)
    }

    /// What a profile edit means for the record, where it is mapped back.
    pub(super) fn change_of_edit(&self, record: &CrmRecord, edit: &ProfileEdit) -> CrmChange {
        let source = Edited(edit);
        let mapped = self.to_crm.map(&source);
        let attributes: Attributes = mapped.attributes(self.to_crm.targets(), u64::MAX);
        let mut change = CrmChange::of(record);
        for (target, value) in attributes.iter() {
            let field = self.crm_field(target);
            if !is_same(record.get(&field).flatten(), value) {
                change.fields.insert(field, value.cloned());
            }
        }
        change
    }

    fn crm_field(&self, target: &TargetField) -> String {
        match target {
            TargetField::Member(MemberField::EmployeeId) => self.external_id_field.clone(),
            TargetField::Member(MemberField::Email) => self.email_field.clone(),
            TargetField::Member(field) => field.as_str().to_owned(),
            TargetField::Custom(name) => name.to_string(),
        }
    }
}

fn is_named(source: &SourceField, name: &str) -> bool {
    matches!(source, SourceField::Custom(custom) if **custom == *name)
}

/// Texts are compared as what they say: a date as text is the same date.
fn is_same(held: Option<&Value>, wanted: Option<&Value>) -> bool {
    let text = |value: Option<&Value>| value.map(ToString::to_string).filter(|text| !text.trim().is_empty());
    text(held) == text(wanted)
}

/// A rule that copies one field without a change, the other way round.
fn turned(rule: &FieldRule) -> Option<FieldRule> {
    let [Alternative { origin: Origin::Field(SourceField::Custom(crm)), transforms, when, .. }] =
        &rule.from[..]
    else {
        return None;
    };
    if !transforms.is_empty() || !rule.transforms.is_empty() || !when.is_empty() || rule.target.is_mandatory()
    {
        return None;
    }
    let source = SourceField::Custom(profile_field(&rule.target).name().into());
    Some(FieldRule::copy(TargetField::Custom(crm.clone()), source))
}

/// The profile's field that a target of the mapping means.
pub(crate) fn profile_field(target: &TargetField) -> ProfileField {
    let native =
        |name: &str| name.parse::<ProfileField>().ok().unwrap_or_else(|| ProfileField::Custom(name.into()));
    match target {
        TargetField::Member(MemberField::EmployeeId) => ProfileField::ExternalId,
        TargetField::Member(MemberField::BirthDate) => ProfileField::BirthDate,
        TargetField::Member(MemberField::Phone) => ProfileField::PhoneNumbers,
        TargetField::Member(MemberField::Language) => ProfileField::Locale,
        TargetField::Member(field) => native(field.as_str()),
        TargetField::Custom(name) => native(name),
    }
}

/// Puts a mapped value into an edit. What a field cannot hold is a problem of that field alone.
fn put(
    edit: &mut ProfileEdit,
    rule: &FieldRule,
    value: Field<ValueRef<'_>>,
    customer: Option<&Customer>,
) -> Result<(), FieldProblem> {
    let field = profile_field(&rule.target);
    let value = match value {
        Field::Absent => return Ok(()),
        // An emptied key keeps what SessionM has.
        Field::Null if field.mutability() == Mutability::Key => return Ok(()),
        Field::Null => None,
        Field::Value(value) => Some(value.into_owned()),
    };
    let source = || rule.sources().next().cloned().unwrap_or(SourceField::Custom("constant".into()));
    let problem = |expected: &'static str| FieldProblem::unreadable(source(), expected);
    let changed = match value {
        None => edit.clone().clear(field.clone()),
        Some(value) => {
            let value = profile_value(&field, value, customer)
                .ok_or_else(|| problem("cannot be written to this field of SessionM"))?;
            edit.clone().set(field.clone(), value)
        }
    };
    *edit = changed.map_err(|error| {
        let expected = error.context().find(|(key, _)| *key == "expected").map(|(_, text)| text.to_owned());
        match expected {
            Some(expected) => FieldProblem::unreadable(source(), format!("is not {expected}")),
            None => problem("cannot be written to this field of SessionM"),
        }
    })?;
    Ok(())
}

/// A value as a field of the profile takes it.
pub(crate) fn profile_value(
    field: &ProfileField,
    value: Value,
    customer: Option<&Customer>,
) -> Option<ProfileValue> {
    match (field, value) {
        (ProfileField::PhoneNumbers, value) => {
            // SessionM replaces the whole list: numbers of other kinds go along.
            let new = Phone::new(value.to_string(), MOBILE).with_flag("primary");
            let others = customer.into_iter().flat_map(|customer| &customer.phones);
            let others = others.filter(|phone| phone.kind.as_deref() != Some(MOBILE)).cloned();
            Some(ProfileValue::Phones(std::iter::once(new).chain(others).collect()))
        }
        (ProfileField::BirthDate, Value::Text(text)) => text.trim().parse().ok().map(ProfileValue::Date),
        (ProfileField::OptedIn, Value::Text(text)) => match text.trim() {
            "true" => Some(ProfileValue::Flag(true)),
            "false" => Some(ProfileValue::Flag(false)),
            _ => None,
        },
        (_, Value::Text(text)) => Some(ProfileValue::Text(text)),
        (_, Value::Date(date)) => Some(ProfileValue::Date(date)),
        // Without a year there is no date that SessionM would take.
        (_, Value::BirthDate(date)) => date.date().map(ProfileValue::Date),
        (_, Value::Bool(flag)) => Some(ProfileValue::Flag(flag)),
        (_, _) => None,
    }
}

const MOBILE: &str = "mobile";

impl FieldSource for Customer {
    /// By SessionM's names as `custom:NAME`, the organisation's own keys included; both keys also by the names of an
    /// employee's. A field that a customer does not have is empty.
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>> {
        let text = |text: Option<&str>| {
            text.map_or(Field::Null, |text| Field::Value(ValueRef::Text(text.to_owned().into())))
        };
        match field {
            SourceField::Employee(EmployeeField::EmployeeId) => {
                text(self.external_id.as_ref().map(ExternalId::as_str))
            }
            SourceField::Employee(EmployeeField::WorkEmail) => {
                text(self.email.as_ref().map(hris_core::Email::as_str))
            }
            SourceField::Employee(_) => Field::Absent,
            SourceField::Custom(name) => match name.parse::<ProfileField>() {
                Ok(native) => native_value(self, &native),
                Err(_) => text(self.user_profile.text(name).as_deref()),
            },
        }
    }
}

fn native_value<'a>(customer: &Customer, field: &ProfileField) -> Field<ValueRef<'a>> {
    let text =
        |text: Option<String>| text.map_or(Field::Null, |text| Field::Value(ValueRef::Text(text.into())));
    let instant = |at: Option<chrono::DateTime<chrono::Utc>>| text(at.map(|at| at.to_rfc3339()));
    match field {
        ProfileField::FirstName => text(customer.first_name.clone()),
        ProfileField::LastName => text(customer.last_name.clone()),
        ProfileField::Gender => text(customer.gender.clone()),
        ProfileField::BirthDate => {
            customer.birth_date.map_or(Field::Null, |date| Field::Value(ValueRef::Date(date)))
        }
        ProfileField::Email => text(customer.email.as_ref().map(|email| email.as_str().to_owned())),
        ProfileField::ExternalId => text(customer.external_id.as_ref().map(|id| id.as_str().to_owned())),
        ProfileField::OptedIn => Field::Value(ValueRef::Bool(customer.opted_in)),
        ProfileField::Address => text(customer.address.clone()),
        ProfileField::Address2 => text(customer.address2.clone()),
        ProfileField::City => text(customer.city.clone()),
        ProfileField::State => text(customer.state.clone()),
        ProfileField::Zip => text(customer.zip.clone()),
        ProfileField::Country => text(customer.country.clone()),
        ProfileField::Locale => text(customer.locale.clone()),
        ProfileField::PhoneNumbers => text(customer.phones.first().map(|phone| phone.number.clone())),
        ProfileField::Id => text(Some(customer.id.as_str().to_owned())),
        ProfileField::AccountStatus => text(Some(customer.status.as_str().to_owned())),
        ProfileField::Suspended => Field::Value(ValueRef::Bool(customer.suspended)),
        ProfileField::Tier => text(customer.tier.clone()),
        ProfileField::AvailablePoints => text(customer.available_points.map(|points| points.to_string())),
        ProfileField::ReferrerCode => text(customer.referrer_code.clone()),
        ProfileField::CreatedAt => instant(customer.created_at),
        ProfileField::UpdatedAt => instant(customer.updated_at),
        ProfileField::RegisteredAt => instant(customer.registered_at),
        ProfileField::Custom(name) => {
            text(customer.user_profile.text(name).map(std::borrow::Cow::into_owned))
        }
    }
}

/// An edit as something to map: what it does not name is absent.
struct Edited<'e>(&'e ProfileEdit);

impl FieldSource for Edited<'_> {
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>> {
        let field = match field {
            SourceField::Employee(EmployeeField::EmployeeId) => ProfileField::ExternalId,
            SourceField::Employee(EmployeeField::WorkEmail) => ProfileField::Email,
            SourceField::Employee(_) => return Field::Absent,
            SourceField::Custom(name) => name.parse().unwrap_or_else(|_| ProfileField::Custom(name.clone())),
        };
        match self.0.get(&field) {
            None => Field::Absent,
            Some(None) => Field::Null,
            Some(Some(value)) => match value {
                ProfileValue::Text(text) => Field::Value(ValueRef::text(text)),
                ProfileValue::Date(date) => Field::Value(ValueRef::Date(*date)),
                ProfileValue::Flag(flag) => Field::Value(ValueRef::Bool(*flag)),
                ProfileValue::Number(number) => Field::Value(ValueRef::Text(number.to_string().into())),
                ProfileValue::Phones(phones) => match phones.first() {
                    Some(phone) => Field::Value(ValueRef::text(&phone.number)),
                    None => Field::Null,
                },
            },
        }
    }
}

/// The targets of the settings that SessionM sets itself, and those that are keys, which stand in settings of their own.
pub(super) fn unwritable(settings: &CrmSettings) -> BTreeSet<String> {
    let editable = |rule: &FieldRule| profile_field(&rule.target).mutability() == Mutability::Editable;
    settings.fields.iter().filter(|rule| !editable(rule)).map(|rule| rule.target.to_string()).collect()
}
