//! What an application shows of Sesame before there is a connection: the card, the authorise form, what to expect.
//!
//! Where each fact comes from, and how sure it is: `docs/vendors/sesame.md`.

use hris_core::descriptor::{CredentialStep, Integration, TextFormat};

use crate::connector::{DESCRIPTOR, NO_SCOPES, OFFERED};

/// Sesame's card, authorise form and limits, as data.
///
/// ```
/// let sesame = hris_sesame::integration();
/// assert_eq!(sesame.steps[0].question, "How do I find my API token?");
/// ```
pub fn integration() -> Integration {
    Integration::new(&DESCRIPTOR, "Keeps members in step with the employees of one company in Sesame.")
        .with_search_words(["Sesame Time", "sesametime"])
        .with_needs([
            "An administrator of the company in Sesame.",
            "The API add-on, activated on the company's account.",
        ])
        .with_step(token())
        .with_step(region())
        .with_permissions_remark(NO_SCOPES)
        .with_fields(OFFERED.iter().copied())
        .with_limits([
            "A token opens one company: a group of companies needs one connection for each.",
            "Sesame allows 1,000 requests a minute for each company, shared by all its integrations; this one takes \
             300 at most.",
            "Every reading reads everybody: Sesame cannot list only what changed.",
        ])
        .with_revocation([
            "Log in at app.sesametime.com.",
            "Open Settings, Integrations, API.",
            "Revoke the token that was made for this integration; it stops working at once.",
        ])
}

fn token() -> CredentialStep {
    CredentialStep::secret("token", "API token").with_answer(
        "How do I find my API token?",
        [
            "Log in at app.sesametime.com as an administrator.",
            "Open Settings, Integrations, API.",
            "Press Create New Token. One token for each integration is recommended.",
            "Copy it with the copy icon.",
        ],
    )
}

fn region() -> CredentialStep {
    CredentialStep::option("region", "API region")
        .with_answer(
            "How do I find my API region?",
            [
                "Most companies are in eu1: leave it as it is and try.",
                "A wrong region is refused like a wrong token. If a good token is refused, log in at \
                 app.sesametime.com and open the network panel of your browser.",
                "Look at the host of the requests, back-REGION.sesametime.com: the region stands between the hyphen \
                 and the first dot, as in eu2.",
            ],
        )
        .with_default("eu1")
        .with_format(TextFormat::new().trimmed().with_length(1, 25).plain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SesameConfig;
    use hris_http::Transport;

    #[test]
    fn what_the_form_accepts_builds_a_connector_and_what_it_refuses_does_not() {
        let transport = Transport::builder().build().unwrap();
        let builds = |token: &str, region: &str| {
            SesameConfig::new().with_region(region).build(&token.into(), &transport).is_ok()
        };
        for (token_text, region_text) in [
            ("5e5a3e00", "eu1"),
            ("5e5a3e00 ", "eu1"),
            ("", "eu1"),
            ("5e5a3e00", "back-EU2"),
            ("5e5a3e00", " eu2"),
            ("5e5a3e00", "eu 2"),
            ("5e5a3e00", "eu2.example"),
        ] {
            let accepted = token().check(token_text).is_ok() && region().check(region_text).is_ok();
            assert_eq!(builds(token_text, region_text), accepted, "{region_text}");
        }
        let defaults = serde_json::to_value(SesameConfig::new()).unwrap();
        assert_eq!(defaults["region"], *region().default.unwrap());
    }

    #[test]
    fn what_it_promises_is_what_the_connector_says() {
        let integration = integration();
        assert!(integration.asks_date_format, "custom fields are free text");
        assert_eq!(integration.delivers.len(), OFFERED.len());
    }
}
