//! What an application shows of TriNet before there is a connection: the card, the authorise form, what to expect.
//!
//! Where each fact comes from, and how sure it is: `docs/vendors/trinet.md`.

use hris_core::descriptor::{CredentialStep, Integration, TextFormat};

use crate::connector::{DESCRIPTOR, OFFERED};

/// TriNet's card, authorise form and limits, as data.
///
/// ```
/// let trinet = hris_trinet::integration();
/// assert_eq!(trinet.steps[2].question, "How do I find my Company ID?");
/// ```
pub fn integration() -> Integration {
    Integration::new(&DESCRIPTOR, "Keeps members in step with the employees of one company in TriNet.")
        .with_search_words(["TriNet PEO", "Tri Net"])
        .with_needs([
            "The TriNet role Integration Administrator, or help from somebody who has it.",
            "This integration in TriNet's list under Select an Integration. If it is not there, ask your TriNet account \
             manager, or file TriNet's Solution Engineering Intake Form for a Custom Integration.",
        ])
        .with_step(client_id())
        .with_step(client_secret())
        .with_step(company_id())
        .with_least_permissions([
            "The endpoint List All Employees, with the scope basic-read.",
            "The scope hr-personal-read, where dates of birth or private addresses are mapped.",
        ])
        .with_permissions_remark(
            "Scopes are attached to the credentials by TriNet. More of them are not needed: pay data (hr-pay-read) is \
             never read.",
        )
        .with_fields(OFFERED.iter().copied())
        .with_limits([
            "TriNet may limit requests for each credential, and publishes no figures; this integration takes 120 a \
             minute at most.",
            "Every reading reads everybody: TriNet can list neither what changed nor a single person.",
            "The Client Secret is shown once. Another one means disconnecting first, so that access is interrupted.",
        ])
        .with_revocation([
            "Sign in at identity.trinet.com.",
            "Open Admin • Manager, Integration Center (in newer accounts: Marketplace).",
            "Under My Connected Apps, press Disconnect beside this integration.",
        ])
}

/// The way to all three of them.
const WAY: [&str; 4] = [
    "Sign in at identity.trinet.com as an Integration Administrator.",
    "Open Admin • Manager, Integration Center. In newer accounts: Admin • Manager, Marketplace, find TriNet API, View \
     Details, Set up Integration.",
    "In the section TriNet API press Get Started, choose this integration under Select an Integration, review the access \
     level, and press Accept.",
    "Company ID, Client ID and Client Secret are shown once: copy all three before you leave the screen.",
];

const CREDENTIALS: &str = "How do I find my client credentials?";

fn client_id() -> CredentialStep {
    CredentialStep::secret("client_id", "Client ID")
        .shown()
        .with_answer(CREDENTIALS, WAY)
        .with_format(TextFormat::new().trimmed())
}

fn client_secret() -> CredentialStep {
    CredentialStep::secret("client_secret", "Client Secret")
        .with_answer(CREDENTIALS, WAY)
        .with_format(TextFormat::new().trimmed())
}

fn company_id() -> CredentialStep {
    let way = WAY.into_iter().chain(["It is a short code of letters and digits, such as X7Q."]);
    CredentialStep::option("company_id", "Company ID")
        .with_answer("How do I find my Company ID?", way)
        .with_format(TextFormat::new().trimmed().without("/\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TriNetConfig;
    use hris_http::Transport;

    #[test]
    fn what_the_form_accepts_builds_a_connector_and_what_it_refuses_does_not() {
        let transport = Transport::builder().build().unwrap();
        let builds = |[id, secret, company]: [&str; 3]| {
            TriNetConfig::new(company).build(&id.into(), &secret.into(), &transport).is_ok()
        };
        for given in [
            ["4f17", "s3cret", "X7Q"],
            [" 4f17 ", "s3cret\n", " x7q "],
            ["", "s3cret", "X7Q"],
            ["4f17", " ", "X7Q"],
            ["4f17", "s3cret", ""],
            ["4f17", "s3cret", "X/7"],
        ] {
            let steps = [client_id(), client_secret(), company_id()];
            let accepted = steps.iter().zip(given).all(|(step, text)| step.check(text).is_ok());
            assert_eq!(builds(given), accepted, "{given:?}");
        }
    }

    #[test]
    fn what_it_promises_is_what_the_connector_says() {
        let integration = integration();
        assert!(!integration.asks_date_format, "its dates are the vendor's own");
        assert_eq!(integration.delivers.len(), OFFERED.len());
    }
}
