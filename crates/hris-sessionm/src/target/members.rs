//! Members as customers, and customers as members.

use hris_core::{
    Attributes, BirthDate, Delivery, Email, Error, ErrorKind, MemberField, MemberRecord, Result, TargetField,
    Value,
};

use crate::crm::{profile_field, profile_value};
use crate::profile::{ProfileEdit, ProfileField};
use crate::{Customer, ExternalId};

/// The fields of a customer that are members' attributes by themselves.
const NATIVE: &[(MemberField, ProfileField)] = &[
    (MemberField::FirstName, ProfileField::FirstName),
    (MemberField::LastName, ProfileField::LastName),
    (MemberField::Gender, ProfileField::Gender),
    (MemberField::Country, ProfileField::Country),
    (MemberField::Language, ProfileField::Locale),
];

/// Fields that only a custom attribute can mean.
const BY_NAME: &[ProfileField] = &[
    ProfileField::Address,
    ProfileField::Address2,
    ProfileField::City,
    ProfileField::State,
    ProfileField::Zip,
];

/// A customer's Employee ID: the external id that was written last, unless that is of another kind.
pub(super) fn employee_id<'a>(customer: &'a Customer, kind: Option<&str>) -> Option<&'a str> {
    let latest = customer.external_id.as_ref();
    let of_kind = |id: &&crate::Identifier| id.kind.as_deref() == kind;
    let Some(kind_of_latest) = customer.identifiers.iter().find(|id| Some(&id.external_id) == latest) else {
        return latest.map(ExternalId::as_str);
    };
    if kind.is_none() || of_kind(&kind_of_latest) {
        return latest.map(ExternalId::as_str);
    }
    customer.identifiers.iter().rfind(of_kind).map(|id| id.external_id.as_str())
}

/// A customer as a member; values in the types in which they are written.
pub(super) fn record(customer: &Customer, kind: Option<&str>, dates: &[String]) -> MemberRecord {
    let mut attributes = Attributes::new();
    let mut set = |field: TargetField, text: Option<&str>| {
        if let Some(text) = text {
            attributes.set(field, Some(Value::from(text)));
        }
    };
    set(TargetField::EMPLOYEE_ID, employee_id(customer, kind));
    set(TargetField::EMAIL, customer.email.as_ref().map(Email::as_str));
    for (member, native) in NATIVE {
        set((*member).into(), text_of(customer, native));
    }
    for native in BY_NAME {
        set(TargetField::Custom(native.name().into()), text_of(customer, native));
    }
    set(MemberField::Phone.into(), customer.phones.first().map(|phone| phone.number.as_str()));
    if let Some(born) = customer.birth_date {
        attributes.set(MemberField::BirthDate, Some(Value::BirthDate(BirthDate::from(born))));
    }
    for name in customer.user_profile.names().filter(|name| *name != "_version") {
        if let Some(text) = customer.user_profile.text(name) {
            let field = own_field(name);
            let value = own_value(&field, name, &text, customer, dates);
            attributes.set(field, Some(value));
        }
    }
    let mut record = MemberRecord::new(customer.id.as_str(), attributes);
    record.active = customer.opted_in;
    record
}

fn text_of<'a>(customer: &'a Customer, field: &ProfileField) -> Option<&'a str> {
    match field {
        ProfileField::FirstName => customer.first_name.as_deref(),
        ProfileField::LastName => customer.last_name.as_deref(),
        ProfileField::Gender => customer.gender.as_deref(),
        ProfileField::Country => customer.country.as_deref(),
        ProfileField::Locale => customer.locale.as_deref(),
        ProfileField::Address => customer.address.as_deref(),
        ProfileField::Address2 => customer.address2.as_deref(),
        ProfileField::City => customer.city.as_deref(),
        ProfileField::State => customer.state.as_deref(),
        ProfileField::Zip => customer.zip.as_deref(),
        _ => None,
    }
}

/// The attribute that a key of the custom profile is: a well-known one that SessionM has no field for, or a custom one.
fn own_field(name: &str) -> TargetField {
    let known = MemberField::ALL.iter().find(|field| field.as_str() == name);
    match known {
        Some(field) if profile_field(&(*field).into()) == ProfileField::Custom(name.into()) => {
            (*field).into()
        }
        _ => TargetField::Custom(name.into()),
    }
}

fn own_value(field: &TargetField, name: &str, text: &str, customer: &Customer, dates: &[String]) -> Value {
    let is_date = matches!(field, TargetField::Member(MemberField::StartDate | MemberField::EndDate))
        || dates.iter().any(|date| date == name);
    if is_date && let Ok(date) = text.parse() {
        return Value::Date(date);
    }
    match customer.user_profile.json(name) {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => Value::from(text),
    }
}

/// Attributes as a change of a profile. A value that SessionM cannot hold refuses the whole record.
pub(super) fn edit_of(attributes: &Attributes, customer: Option<&Customer>) -> Result<ProfileEdit> {
    let mut edit = ProfileEdit::new();
    for (target, value) in attributes.iter() {
        let field = profile_field(target);
        edit = match value {
            // Of a key, this is refused.
            None => edit.clear(field)?,
            Some(value) => {
                let value = profile_value(&field, value.clone(), customer).ok_or_else(|| unfit(&field))?;
                edit.set(field, value)?
            }
        };
    }
    Ok(edit)
}

fn unfit(field: &ProfileField) -> Error {
    Error::new(ErrorKind::Invalid, "SessionM cannot hold this value")
        .with_delivery(Delivery::NotSent)
        .with_context("field", field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identifier;

    fn with_ids(latest: &str, all: &[(&str, Option<&str>)]) -> Customer {
        let mut customer = Customer::new("c1");
        customer.external_id = ExternalId::parse(latest);
        let identifier = |(id, kind): &(&str, Option<&str>)| Identifier {
            external_id: ExternalId::parse(id).unwrap(),
            kind: kind.map(str::to_owned),
        };
        customer.identifiers = all.iter().map(identifier).collect();
        customer
    }

    #[test]
    fn the_employee_id_is_the_latest_id_of_its_own_kind() {
        for (customer, kind, expected) in [
            (with_ids("00104", &[]), Some("hr"), Some("00104")),
            (with_ids("00105", &[("00104", Some("hr")), ("00105", Some("hr"))]), Some("hr"), Some("00105")),
            (with_ids("CARD-1", &[("00104", Some("hr")), ("CARD-1", None)]), Some("hr"), Some("00104")),
            (with_ids("CARD-1", &[("00104", Some("hr")), ("CARD-1", None)]), None, Some("CARD-1")),
            (with_ids("CARD-1", &[("CARD-1", None)]), Some("hr"), None),
        ] {
            assert_eq!(employee_id(&customer, kind), expected);
        }
    }

    #[test]
    fn attributes_without_a_native_field_are_keys_of_the_custom_profile() {
        for (field, expected) in [
            (MemberField::Department.into(), ProfileField::Custom("department".into())),
            (MemberField::StartDate.into(), ProfileField::Custom("start_date".into())),
            (TargetField::Custom("city".into()), ProfileField::City),
            (TargetField::Custom("shirt".into()), ProfileField::Custom("shirt".into())),
            (MemberField::Language.into(), ProfileField::Locale),
        ] {
            assert_eq!(profile_field(&field), expected);
        }
        assert_eq!(own_field("department"), MemberField::Department.into());
        assert_eq!(own_field("shirt"), TargetField::Custom("shirt".into()));
    }
}
