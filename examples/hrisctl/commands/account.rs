//! `check` and `vendors`: what a connection is to.

use std::fmt::Write as _;

use hris::Registry;
use serde_json::json;

use crate::args::Check;
use crate::failure::Result;
use crate::output;
use crate::setup::Setup;

pub(crate) async fn check(setup: &Setup<'_>, wanted: &Check) -> Result<()> {
    let connector = setup.connector()?;
    let account = connector.check().await?;
    let platform = match setup.scim_target()? {
        Some(target) => Some(target.check().await?),
        None => None,
    };
    if wanted.json {
        return output::json(&json!({
            "target": platform.map(|found| json!({ "members": found.members, "may_write": found.may_write })),
            "vendor": connector.descriptor().vendor,
            "account": account.id,
            "name": account.name,
            "not_ready": account.not_ready,
            "remarks": account.remarks,
        }));
    }
    let vendor = connector.descriptor().display_name;
    let name = account.name.as_deref().unwrap_or("an unnamed company");
    let mut text = format!("connected to {vendor}: {name} ({})\n", account.id);
    if let Some(why) = account.not_ready {
        let _ = writeln!(text, "not ready: {why}");
    }
    for remark in account.remarks {
        let _ = writeln!(text, "note: {remark}");
    }
    if let Some(found) = platform {
        let members =
            found.members.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        let may_write = match found.may_write {
            Some(true) => "may write",
            Some(false) => "may only read: nothing can be applied with it",
            None => "can read; whether it may write cannot be told",
        };
        let _ = writeln!(text, "target: {members} members; the token {may_write}");
    }
    output::text(&text)
}

pub(crate) fn vendors(registry: &Registry) -> Result<()> {
    let mut text = String::new();
    for vendor in registry.vendors() {
        let _ = writeln!(text, "{}  {}", vendor.name(), vendor.display_name());
        for credential in vendor.credentials() {
            let optional = if credential.optional { ", optional" } else { "" };
            let _ = writeln!(text, "  credential {}{optional}: {}", credential.name, credential.about);
        }
    }
    output::text(&text)
}
