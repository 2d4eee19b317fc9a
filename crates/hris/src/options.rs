//! A vendor's options, read into its own type without showing a value.

use hris_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads options; an error names the option and what was expected.
pub(crate) fn read<C: DeserializeOwned>(options: &Map<String, Value>) -> Result<C> {
    serde_path_to_error::deserialize(Value::Object(options.clone())).map_err(|error| {
        let path = error.path().to_string();
        let message = without_value(&error.inner().to_string()).to_owned();
        Error::config(format!("the option `{path}` is not usable"), message)
    })
}

/// What serde says without the value it found, which may be a secret in the wrong place.
fn without_value(message: &str) -> &str {
    let quotes = ["invalid type", "invalid value", "unknown variant"];
    let has_value = quotes.iter().any(|quote| message.starts_with(quote));
    let expected = message.rfind("expected ").filter(|_| has_value);
    expected.map_or(message, |at| &message[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Options {
        rows: u32,
        region: Region,
        base_url: Option<hris_http::BaseUrl>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Region {
        #[default]
        Eu,
    }

    #[test]
    fn an_unusable_option_is_named_without_its_value() {
        for (options, expected) in [
            (r#"{ "rows": "s3cret" }"#, "`rows` is not usable; expected u32"),
            (r#"{ "region": "s3cret" }"#, "`region` is not usable; expected `eu`"),
            (r#"{ "base_url": "http://s3cret.example" }"#, "`base_url` is not usable; the base URL"),
            (r#"{ "token": "s3cret" }"#, "unknown field `token`, expected one of"),
        ] {
            let options = serde_json::from_str(options).unwrap();
            let error = read::<Options>(&options).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
        }
        read::<Options>(&Map::new()).unwrap();
    }
}
