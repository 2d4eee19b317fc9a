//! What an application shows of Merge before there is a connection: the card, the authorise form, what to expect.
//!
//! Where each fact comes from, and how sure it is: `docs/vendors/merge.md`.

use hris_core::descriptor::{CredentialStep, GivenBy, Integration, TextFormat};

use crate::connector::{DESCRIPTOR, OFFERED};

/// Merge's card, authorise form and limits, as data.
///
/// ```
/// use hris_core::descriptor::GivenBy;
/// let merge = hris_merge::integration();
/// let asked: Vec<_> = merge.steps.iter().filter(|step| step.given_by == GivenBy::LinkFlow).collect();
/// assert_eq!(asked[0].name, "account_token");
/// ```
pub fn integration() -> Integration {
    Integration::new(&DESCRIPTOR, "Keeps members in step with any HR system that Merge connects to, by one link.")
        .with_search_words(["Merge.dev", "unified API", "other HR systems"])
        .with_needs([
            "A Merge organisation of whoever operates this application.",
            "Somebody at the customer who may authorise access to their HR system.",
        ])
        .with_step(api_key())
        .with_step(region())
        .with_step(account_token())
        .with_least_permissions([
            "Read access to Employee, with the fields that are mapped.",
            "Read access to Employment, Location, Group and Company, as far as fields of theirs are mapped.",
        ])
        .with_permissions_remark(
            "What else the HR system is asked to open is decided by the scopes of the Merge organisation: switch off \
             what is not mapped.",
        )
        .with_fields(OFFERED.iter().copied())
        .with_limits([
            "Which fields arrive depends on the HR system behind the link.",
            "Merge reads the HR system on a schedule of its own; after a new link the first reading takes its time, and \
             until it is done nothing is applied.",
            "Merge allows 100, 400 or 600 requests a minute for each linked account, by plan; this integration takes \
             nine tenths of them at most.",
        ])
        .with_revocation([
            "Delete the linked account; the application asks Merge for that, and the account token ends with it.",
            "In the HR system itself, remove the key, user or app that was made for Merge.",
        ])
}

fn api_key() -> CredentialStep {
    CredentialStep::secret("api_key", "Merge API key").given_by(GivenBy::Operator).with_answer(
        "How do I find my API key?",
        [
            "Log in to the Merge dashboard of your organisation.",
            "Open its API keys and copy the Production Access Key.",
            "A test key opens test accounts only.",
        ],
    )
}

fn region() -> CredentialStep {
    CredentialStep::option("region", "Merge region")
        .given_by(GivenBy::Operator)
        .with_answer(
            "How do I find my region?",
            ["It was chosen when your Merge organisation was made, and keys of one region do not work in another."],
        )
        .with_default("us")
        .with_format(TextFormat::new().one_of(["us", "eu", "apac"]))
}

fn account_token() -> CredentialStep {
    CredentialStep::secret("account_token", "Account token").given_by(GivenBy::LinkFlow).with_answer(
        "How do I find my account token?",
        [
            "Open the link that you were sent, choose your HR system and follow the prompts of the pop-up.",
            "When it says that you are linked, the token is handed over by itself.",
            "If it does not arrive, an administrator of the Merge organisation can copy it from the linked account in the \
             dashboard.",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MergeConfig, MergeCredentials};
    use hris_http::Transport;
    use serde_json::json;

    #[test]
    fn what_the_form_accepts_builds_a_connector_and_what_it_refuses_does_not() {
        let transport = Transport::builder().build().unwrap();
        let builds = |[key, token, region]: [&str; 3]| {
            let config = serde_json::from_value::<MergeConfig>(json!({ "region": region }));
            let credentials = MergeCredentials::new(key.into(), token.into());
            config.is_ok_and(|config| config.build(&credentials, &transport).is_ok())
        };
        for given in [
            ["k3y", "t0ken", "us"],
            ["k3y", "t0ken", "eu"],
            ["k3y", "t0ken", "apac"],
            ["k3y", "t0ken", "mars"],
            ["", "t0ken", "us"],
            ["k3y", "t0ken ", "us"],
            ["k3y", "", "us"],
        ] {
            let steps = [api_key(), account_token(), region()];
            let accepted = steps.iter().zip(given).all(|(step, text)| step.check(text).is_ok());
            assert_eq!(builds(given), accepted, "{given:?}");
        }
        let defaults = serde_json::to_value(MergeConfig::new()).unwrap();
        assert_eq!(defaults["region"], *region().default.unwrap());
    }

    #[test]
    fn what_it_promises_is_what_the_connector_says() {
        let integration = integration();
        assert!(!integration.asks_date_format, "its dates are the vendor's own");
        assert_eq!(integration.delivers.len(), OFFERED.len());
    }
}
