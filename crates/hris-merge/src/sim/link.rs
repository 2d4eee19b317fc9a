//! Merge Link in the simulator: links, the customer who clicks through them, and signed webhooks.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hris_testkit::sim::{SimRequest, SimResponse};
use serde_json::{Value, json};
use sha2::Sha256;

use super::vendor::failure;

/// What was asked for and not yet used up.
#[derive(Default)]
pub(super) struct Links {
    /// How many were made, which numbers the tokens.
    made: u64,
    /// The origin id behind each magic link.
    magic: BTreeMap<String, Asked>,
    /// The origin id behind each link token.
    embedded: BTreeMap<String, Asked>,
    /// The account behind each public token.
    pub(super) public: BTreeMap<String, (String, String)>,
}

/// For whom a link was asked.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) organisation: String,
    pub(super) origin_id: String,
    pub(super) company: String,
}

impl Links {
    pub(super) fn make(&mut self, organisation: &str, request: &SimRequest, root: &str) -> SimResponse {
        let Some(body) = request.json() else { return failure(400) };
        let required = ["end_user_origin_id", "end_user_organization_name", "end_user_email_address"]
            .map(|name| body[name].as_str());
        let [Some(origin_id), Some(company), Some(_)] = required else { return failure(400) };
        let minutes = body["link_expiry_mins"].as_u64().unwrap_or(30);
        let is_magic = body["should_create_magic_link_url"] == true;
        let longest = if is_magic { 10_080 } else { 720 };
        if !(30..=longest).contains(&minutes) || body["categories"] != json!(["hris"]) {
            return failure(400);
        }
        self.made += 1;
        let token = format!("link-token-{}", self.made);
        let asked = Asked {
            organisation: organisation.to_owned(),
            origin_id: origin_id.to_owned(),
            company: company.to_owned(),
        };
        let mut answer = json!({ "link_token": token });
        if let Some(integration) = body["integration"].as_str() {
            answer["integration_name"] = json!(integration);
        }
        if is_magic {
            let url = format!("{root}/magic/{}", self.made);
            self.magic.insert(url.clone(), asked.clone());
            answer["magic_link_url"] = json!(url);
        }
        self.embedded.insert(token, asked);
        SimResponse::json(200, &answer)
    }

    /// A magic link stays good until it expires; a link token is used up.
    pub(super) fn asked(&mut self, link: &str) -> Option<Asked> {
        self.magic.get(link).cloned().or_else(|| self.embedded.remove(link))
    }

    pub(super) fn exchange(&mut self, public: &str, organisation: &str) -> SimResponse {
        match self.public.remove(public) {
            Some((id, token)) => SimResponse::json(
                200,
                &json!({ "account_token": token, "id": id, "integration": { "name": "BambooHR", "slug": "bamboohr" },
                         "organisation": organisation }),
            ),
            None => failure(404),
        }
    }
}

/// A webhook as Merge sends it: raw body and signature. For tests of handlers, also without a simulator.
///
/// ```
/// use hris_merge::sim::SignedWebhook;
/// let webhook = SignedWebhook::new("the signature key", r#"{"hook":{"event":"LinkedAccount.deleted"}}"#);
/// assert!(!webhook.signature().is_empty() && webhook.body().starts_with(b"{"));
/// ```
#[derive(Clone)]
pub struct SignedWebhook {
    signature: String,
    body: Vec<u8>,
}

impl SignedWebhook {
    /// Signs a body.
    pub fn new(key: &str, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        let signature = match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
            Ok(mac) => URL_SAFE.encode(mac.chain_update(&body).finalize().into_bytes()),
            Err(_) => String::new(), // a key of any length is one
        };
        Self { signature, body }
    }

    /// The content of the signature's header.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The raw body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Shows no token.
impl fmt::Debug for SignedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedWebhook").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// The webhook that ends a magic link, the only one that carries an account token.
pub(super) fn linked(account: &Value, token: &str, is_relink: bool) -> Value {
    json!({
        "hook": { "id": "6d85dbb4-116b-41b0-9dfd-700282356d4d", "event": "LinkedAccount.linked",
                  "target": "https://hooks.example.test/merge" },
        "linked_account": account,
        "data": { "is_relink": is_relink, "account_token": token },
    })
}
