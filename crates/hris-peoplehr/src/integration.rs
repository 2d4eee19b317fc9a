//! What an application shows of PeopleHR before there is a connection: the card, the authorise form, what to expect.
//!
//! Where each fact comes from, and how sure it is: `docs/vendors/peoplehr.md`.

use hris_core::descriptor::{CredentialStep, Integration, TextFormat};

use crate::config::RecordIdSource;
use crate::connector::{OFFERED, descriptor};

/// PeopleHR's card, authorise form and limits, as data.
///
/// ```
/// let peoplehr = hris_peoplehr::integration();
/// assert_eq!(peoplehr.steps[0].question, "How do I find my API key?");
/// ```
pub fn integration() -> Integration {
    let facts = descriptor(RecordIdSource::default());
    Integration::new(facts, "Keeps members in step with the employees of one company in PeopleHR.")
        .with_search_words(["People HR", "Access PeopleHR"])
        .with_needs(["An administrator of the company in PeopleHR."])
        .with_step(api_key())
        .with_least_permissions(["Employee: Get All Employee Detail.", "Employee: Get Employee Detail By Id."])
        .with_permissions_remark(
            "A key with all actions of Employee, Salary, Absence and Holiday works as well, and opens more than is needed. \
             PeopleHR does not tell what a key opens; the directory always has bank details in it, which are not read.",
        )
        .with_fields(OFFERED.iter().copied())
        .with_limits([
            "PeopleHR allows 30 requests a minute from one address; this integration takes 25 at most.",
            "Every reading reads everybody, which may take PeopleHR a minute or two.",
            "If the key is limited to IP addresses, those of this application have to be among them.",
        ])
        .with_revocation([
            "Go to Settings in the bottom left and select API.",
            "On the API Key Management screen, delete the key that was made for this integration.",
        ])
}

fn api_key() -> CredentialStep {
    CredentialStep::secret("api_key", "API key")
        .with_answer(
            "How do I find my API key?",
            [
                "In your PeopleHR account, go to Settings in the bottom left.",
                "Select API and click the + icon.",
                "On the API Key Management screen, type in a name for the key.",
                "For the application actions, select Get All Employee Detail and Get Employee Detail By Id under Employee.",
                "Press Save. Copy the key and store it in a safe place.",
            ],
        )
        .with_format(TextFormat::new().trimmed().with_length(1, 50).without(" \t\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PeopleHrConfig;
    use hris_http::Transport;

    #[test]
    fn what_the_form_accepts_builds_a_connector_and_what_it_refuses_does_not() {
        let transport = Transport::builder().build().unwrap();
        for given in ["4f17ab90-0000-4000-8000-0123456789ab", " k3y\n", "", " ", "two words", &"k".repeat(51)]
        {
            let built = PeopleHrConfig::new().build(&given.into(), &transport);
            assert_eq!(built.is_ok(), api_key().check(given).is_ok(), "{given:?}");
        }
    }

    #[test]
    fn what_it_promises_is_what_the_connector_says() {
        let integration = integration();
        assert!(integration.asks_date_format, "custom fields and free text have dates of their own");
        assert_eq!(integration.delivers.len(), OFFERED.len());
    }
}
