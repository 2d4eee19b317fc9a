//! The example `catalogue`: what it prints, and that the code which draws it knows no vendor.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;

use hris::{Catalogue, Registry};

/// What the example prints.
fn printed(arguments: &[&str]) -> String {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join("catalogue").with_extension(std::env::consts::EXE_EXTENSION);
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A text without the lines and blanks that a page's width brings.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_shows_every_integration_with_its_form() {
    let page = flat(&printed(&[]));
    for shown in Registry::builtin().catalogue().integrations {
        assert!(page.contains(&format!("[ {} ] {}", shown.display_name, flat(&shown.about))));
        assert!(page.contains(&format!("Authorise {}", shown.display_name)));
        let steps =
            shown.steps.iter().flat_map(|step| [&step.label, &step.question].into_iter().chain(&step.answer));
        let lists = [&shown.needs, &shown.least_permissions, &shown.limits, &shown.revocation];
        for text in steps.chain(lists.into_iter().flatten()).chain(&shown.permissions_remark) {
            assert!(page.contains(&flat(text)), "{}: `{text}` is not on the page", shown.display_name);
        }
    }
}

#[test]
fn the_code_that_draws_it_names_no_vendor() {
    let code = include_str!("../catalogue.rs").to_lowercase();
    let registry = Registry::builtin();
    assert!(registry.catalogue().integrations.len() > 2);
    for shown in registry.catalogue().integrations {
        let names = [&shown.vendor, &shown.display_name].into_iter().chain(&shown.search_words);
        for name in names.filter(|name| !name.contains(' ')) {
            let words: Vec<_> = code.split(|letter: char| !letter.is_alphanumeric()).collect();
            assert!(!words.contains(&&*name.to_lowercase()), "catalogue.rs names `{name}`");
        }
        assert!(
            !code.contains(&shown.display_name.to_lowercase()),
            "catalogue.rs names `{}`",
            shown.display_name
        );
    }
}

#[test]
fn a_search_shows_what_it_finds_and_nothing_else() {
    let registry = Registry::builtin();
    for shown in registry.catalogue().integrations {
        let page = printed(&[&shown.display_name]);
        assert!(page.contains(&format!("[ {} ]", shown.display_name)));
        assert_eq!(page.matches("Authorise ").count(), registry.search(&shown.display_name).len());
    }
    assert!(printed(&["no such system"]).contains("Nothing was found"));
}

#[test]
fn the_data_is_exported_as_json_with_a_schema() {
    let exported: Catalogue = serde_json::from_str(&printed(&["--json"])).unwrap();
    assert!(exported == Registry::builtin().catalogue(), "the example exports what the registry says");
    let schema: serde_json::Value = serde_json::from_str(&printed(&["--schema"])).unwrap();
    assert_eq!(schema, Catalogue::schema());
    assert!(schema["properties"]["integrations"].is_object());
}
