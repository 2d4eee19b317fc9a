//! Temporary values for members who hand on a unique value in a circle: what the application allows for that.

use serde::{Deserialize, Serialize};

use crate::{Email, EmployeeId, Error, Result};

/// What stands in a template for the part that differs from member to member.
const TOKEN: &str = "{token}";
/// Longest local part of an address, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// Where a member may wait for a moment while others take over its e-mail address or Employee ID.
///
/// When two people swap addresses, none of them can take the other's while it is in use. One is first given a
/// temporary address, made from this template. There is no default, since the address has to be one that belongs to
/// the organisation and that nobody reads: without a template such people are held and reported.
///
/// A run that is interrupted in between leaves the member with the temporary value until the next run; so it does
/// for as long as the platform refuses one of the others.
///
/// ```
/// use hris_core::Parking;
/// let parking = Parking::new().with_email("parked+{token}@hr-sync.brisa.example")?;
/// let address = parking.email("7f3c").unwrap();
/// assert_eq!(address.as_str(), "parked+7f3c@hr-sync.brisa.example");
/// assert!(parking.is_parked(&address));
/// assert!(parking.employee_id("7f3c").is_none(), "Employee IDs were not allowed");
/// assert!(Parking::new().with_email("parked@brisa.example").is_err(), "one address for all is not unique");
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Templates", into = "Templates")]
pub struct Parking {
    email: Option<Box<str>>,
    employee_id: Option<Box<str>>,
}

impl Parking {
    /// Nothing is allowed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows temporary addresses: an address with `{token}` in its local part.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] if it has not exactly one `{token}`, or makes no address.
    pub fn with_email(mut self, template: &str) -> Result<Self> {
        let sample = fill(template, &"0".repeat(32));
        let local = sample.split_once('@').map_or("", |(local, _)| local);
        let has_token = template.split_once('@').is_some_and(|(local, _)| is_template(local));
        if !has_token
            || !is_template(template)
            || !Email::is_plausible(&sample)
            || local.len() > MAX_LOCAL_BYTES
        {
            return Err(Error::config(
                "the template for temporary e-mail addresses makes no address of its own for each member",
                "use something like `parked+{token}@example.com`, at a domain of yours that nobody reads",
            ));
        }
        self.email = Some(template.into());
        Ok(self)
    }

    /// Allows temporary Employee IDs: a text with `{token}`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] if it has not exactly one `{token}`.
    pub fn with_employee_id(mut self, template: &str) -> Result<Self> {
        if !is_template(template) || template.trim() != template {
            return Err(Error::config(
                "the template for temporary Employee IDs makes none of its own for each member",
                "use something like `parked-{token}`",
            ));
        }
        self.employee_id = Some(template.into());
        Ok(self)
    }

    /// The temporary address with a token of 32 letters and digits at most; none where that is not allowed.
    pub fn email(&self, token: &str) -> Option<Email> {
        Email::parse(&fill(self.email.as_deref()?, token))
    }

    /// The temporary Employee ID with a token; none where that is not allowed.
    pub fn employee_id(&self, token: &str) -> Option<EmployeeId> {
        Some(fill(self.employee_id.as_deref()?, token).into())
    }

    /// Whether an address is one that was made from the template, so that nothing must be sent to it.
    pub fn is_parked(&self, address: &Email) -> bool {
        let Some((before, after)) = self.email.as_deref().and_then(|template| template.split_once(TOKEN))
        else {
            return false;
        };
        let address = address.folded();
        let (before, after) = (crate::fold_email(before), crate::fold_email(after));
        let token = address.strip_prefix(before.as_ref()).and_then(|rest| rest.strip_suffix(after.as_ref()));
        token.is_some_and(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

fn is_template(text: &str) -> bool {
    text.matches(TOKEN).count() == 1
}

fn fill(template: &str, token: &str) -> String {
    template.replace(TOKEN, token)
}

/// [`Parking`] as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Templates {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employee_id: Option<Box<str>>,
}

impl TryFrom<Templates> for Parking {
    type Error = Error;

    fn try_from(stored: Templates) -> Result<Self> {
        let mut parking = Self::new();
        if let Some(template) = stored.email {
            parking = parking.with_email(&template)?;
        }
        if let Some(template) = stored.employee_id {
            parking = parking.with_employee_id(&template)?;
        }
        Ok(parking)
    }
}

impl From<Parking> for Templates {
    fn from(parking: Parking) -> Self {
        Self { email: parking.email, employee_id: parking.employee_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_makes_no_unique_address_is_refused() {
        let long = format!("{}{{token}}@x.example", "a".repeat(33));
        for template in ["", "{token}", "a@{token}.example", "a@x.example", "{token}{token}@x.example", &long]
        {
            assert!(Parking::new().with_email(template).is_err(), "{template:?}");
        }
        for template in ["", "parked", "{token}-{token}", " {token}"] {
            assert!(Parking::new().with_employee_id(template).is_err(), "{template:?}");
        }
    }

    #[test]
    fn only_what_the_template_makes_is_parked() {
        let parking = Parking::new().with_email("Parked+{token}@x.example").unwrap();
        let is_parked = |text| parking.is_parked(&Email::parse(text).unwrap());
        assert!(is_parked("Parked+0af1@x.example") && is_parked("parked+0AF1@X.example"));
        for text in ["parked+@x.example", "parked+nerea@x.example", "0af1@x.example", "parked+0af1@y.example"]
        {
            assert!(!is_parked(text), "{text}");
        }
        assert!(!Parking::new().is_parked(&Email::parse("parked+0af1@x.example").unwrap()));
    }

    #[test]
    fn templates_read_back_and_are_checked_when_they_do() {
        let parking =
            Parking::new().with_email("p{token}@x.example").unwrap().with_employee_id("t-{token}").unwrap();
        let text = serde_json::to_string(&parking).unwrap();
        assert_eq!(serde_json::from_str::<Parking>(&text).unwrap(), parking);
        assert!(serde_json::from_str::<Parking>(r#"{"email":"p@x.example"}"#).is_err());
        assert!(serde_json::from_str::<Parking>(r#"{"mail":"p{token}@x.example"}"#).is_err());
    }
}
