//! The registry: built-in vendors by feature, vendors of others by registration, and errors before any request.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use hris::core::descriptor::Place;
use hris::core::{EmployeeField, ErrorKind, HrisConnector};
use hris::http::Transport;
use hris::{Credential, Credentials, Registry, Vendor};
use hris_testkit::MockConnector;

fn transport() -> Transport {
    Transport::builder().build().unwrap()
}

fn acme() -> Vendor {
    let vendor = Vendor::new("acme", "Acme People", |_, credentials, _| {
        credentials.get("api_key")?;
        Ok(Arc::new(MockConnector::new([])) as Arc<dyn HrisConnector>)
    });
    let key = Credential::new("api_key", "the key");
    vendor.with_credential(key).with_credential(Credential::new("company", "its id").optional())
}

#[test]
fn the_features_decide_which_vendors_are_built_in() {
    let names: Vec<_> = Registry::builtin().vendors().map(|vendor| vendor.name().to_owned()).collect();
    let expected: &[&str] = &[
        #[cfg(feature = "merge")]
        "merge",
        #[cfg(feature = "peoplehr")]
        "peoplehr",
        #[cfg(feature = "sesame")]
        "sesame",
        #[cfg(feature = "trinet")]
        "trinet",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_vendor_of_somebody_else_is_built_like_a_built_in_one() {
    let mut registry = Registry::builtin();
    registry.register(acme()).unwrap();
    let credentials = Credentials::new().with("api_key", "k".into());
    let connector = registry.build("acme", &serde_json::Map::new(), &credentials, &transport()).unwrap();
    assert_eq!(connector.descriptor().vendor, "mock");
}

#[test]
fn a_name_is_given_once() {
    let mut registry = Registry::new();
    registry.register(acme()).unwrap();
    let error = registry.register(acme()).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("acme"), "{error}");
}

#[test]
fn what_is_missing_or_too_much_is_named_and_nothing_secret_is() {
    let mut registry = Registry::new();
    registry.register(acme()).unwrap();
    let build = |vendor: &str, credentials: Credentials| {
        let error = registry.build(vendor, &serde_json::Map::new(), &credentials, &transport()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    assert!(build("amce", Credentials::new()).contains("this program knows: acme"));
    assert!(build("acme", Credentials::new()).contains("`api_key` is missing"));
    let many = Credentials::new().with("api_key", "s3cret".into()).with("token", "s3cret".into());
    let error = build("acme", many);
    assert!(error.contains("no credential `token`; it has: api_key, company"), "{error}");
    assert!(!error.contains("s3cret"));
}

#[test]
fn every_vendor_that_is_built_in_can_be_drawn_and_found() {
    let registry = Registry::builtin();
    for vendor in registry.vendors() {
        let shown = vendor.integration().unwrap();
        assert_eq!((&*shown.vendor, &*shown.display_name), (vendor.name(), vendor.display_name()));
        assert_eq!(registry.search(&shown.display_name.to_uppercase())[0].vendor, shown.vendor);
        let texts = shown.steps.iter().map(|step| (&step.label, &step.question, step.answer.len()));
        let are_said = texts.clone().all(|(label, question, answers)| {
            !label.is_empty()
                && question.starts_with("How do I find my ")
                && question.ends_with('?')
                && answers > 0
        });
        assert!(are_said, "{:?}", texts.collect::<Vec<_>>());
        assert!(!shown.about.is_empty() && !shown.needs.is_empty() && !shown.limits.is_empty());
        assert!(!shown.revocation.is_empty(), "say what to remove in {}", shown.display_name);
        let says_permissions = !shown.least_permissions.is_empty() || shown.permissions_remark.is_some();
        assert!(says_permissions, "say what {} has to permit", shown.display_name);
        for field in [EmployeeField::EmployeeId, EmployeeField::WorkEmail, EmployeeField::Status] {
            assert!(shown.can_deliver(field), "{} delivers {}", shown.display_name, field.as_str());
        }
        let declared = vendor.credentials().iter().map(|credential| &*credential.name);
        assert!(
            declared.eq(shown
                .steps
                .iter()
                .filter(|step| step.place == Place::Credential)
                .map(|step| &*step.name))
        );
    }
}

#[test]
fn the_form_of_a_vendor_fills_its_configuration() {
    for vendor in Registry::builtin().vendors() {
        let (mut options, mut credentials) = (serde_json::Map::new(), Credentials::new());
        for step in &vendor.integration().unwrap().steps {
            let sample = step.format.choices.first().map_or("4f17ab90", |choice| choice);
            let value = step.check(sample).unwrap();
            if step.place == Place::Option {
                options.insert(step.name.to_string(), value.into());
            } else {
                credentials = credentials.with(step.name.as_ref(), value.into());
            }
        }
        let built = Registry::builtin().build(vendor.name(), &options, &credentials, &transport());
        assert_eq!(built.unwrap().descriptor().vendor, vendor.name());
    }
}

#[test]
fn a_vendor_without_a_description_is_in_no_catalogue() {
    let mut registry = Registry::builtin();
    let before = registry.catalogue();
    registry.register(acme()).unwrap();
    assert_eq!(registry.catalogue(), before);
    assert!(registry.search("acme").is_empty());
}

#[cfg(feature = "schema")]
#[test]
fn the_catalogue_has_a_schema_for_all_that_it_says() {
    fn covers(schema: &serde_json::Value, root: &serde_json::Value, value: &serde_json::Value, path: &str) {
        let target = schema["$ref"].as_str().map(|at| root.pointer(at.trim_start_matches('#')).unwrap());
        let schema = target.unwrap_or(schema);
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    let known = &schema["properties"][name];
                    assert!(known.is_object(), "{path}.{name} is not in the schema");
                    covers(known, root, member, &format!("{path}.{name}"));
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    covers(&schema["items"], root, item, &format!("{path}[]"));
                }
            }
            _ => {}
        }
    }
    let schema = hris::Catalogue::schema();
    let catalogue = serde_json::to_value(Registry::builtin().catalogue()).unwrap();
    covers(&schema, &schema, &catalogue, "");
}

#[cfg(feature = "sesame")]
mod sesame {
    //! With a connector that has a simulator.

    use super::*;
    use hris::ConnectorConfig;
    use hris_sesame::sim::SesameSim;
    use hris_testkit::population::Population;

    #[test]
    fn a_built_in_connector_reaches_its_vendor() {
        hris_testkit::run(async {
            let sim = SesameSim::start(Population::new(1).size(3).build()).await;
            let credentials = Credentials::new().with("token", sim.token());
            let options = serde_json::json!({ "base_url": sim.url() });
            let options = options.as_object().unwrap();
            let connector = Registry::builtin().build("sesame", options, &credentials, &transport()).unwrap();
            assert_eq!(connector.check().await.unwrap().id.as_str(), SesameSim::COMPANY_ID);

            let tagged = serde_json::json!({ "vendor": "sesame", "base_url": sim.url() });
            let config: ConnectorConfig = serde_json::from_value(tagged).unwrap();
            assert_eq!(serde_json::to_value(&config).unwrap()["vendor"], config.vendor());
            let connector = config.build(&credentials, &transport()).unwrap();
            assert_eq!(connector.check().await.unwrap().id.as_str(), SesameSim::COMPANY_ID);
        });
    }

    #[test]
    fn an_unknown_option_is_refused() {
        let options = serde_json::json!({ "regoin": "eu1" });
        let credentials = Credentials::new().with("token", "t".into());
        let built =
            Registry::builtin().build("sesame", options.as_object().unwrap(), &credentials, &transport());
        let error = built.unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("regoin"), "{error}");
        let tagged = serde_json::json!({ "vendor": "sesame", "regoin": "eu1" });
        assert!(serde_json::from_value::<ConnectorConfig>(tagged).is_err());
    }
}
