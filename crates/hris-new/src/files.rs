//! The files of a connector crate, and how they are written: all of them, or none.

use std::fs;
use std::io;
use std::path::Path;

use crate::names::Names;
use crate::source::Source;

/// A file by its place in the crate, and its text.
pub(crate) type NewFile = (&'static str, String);

/// The sources and tests that every connector has.
const COMMON: &[(&str, &str)] = &[
    ("src/client.rs", include_str!("../template/src/client.rs.in")),
    ("src/config.rs", include_str!("../template/src/config.rs.in")),
    ("src/connector.rs", include_str!("../template/src/connector.rs.in")),
    ("src/convert.rs", include_str!("../template/src/convert.rs.in")),
    ("src/integration.rs", include_str!("../template/src/integration.rs.in")),
    ("src/reading.rs", include_str!("../template/src/reading.rs.in")),
    ("src/sim/mod.rs", include_str!("../template/src/sim/mod.rs.in")),
    ("src/sim/render.rs", include_str!("../template/src/sim/render.rs.in")),
    ("src/sim/vendor.rs", include_str!("../template/src/sim/vendor.rs.in")),
    ("src/wire.rs", include_str!("../template/src/wire.rs.in")),
    ("tests/conformance.rs", include_str!("../template/tests/conformance.rs.in")),
    ("tests/described.rs", include_str!("../template/tests/described.rs.in")),
];
const LIB: &str = include_str!("../template/src/lib.rs.in");
const README: &str = include_str!("../template/README.md.in");
const REGISTRATION: &str = include_str!("../template/src/registration.rs.in");

/// A crate of its own, whose manifest says where the others come from.
pub(crate) fn alone(names: &Names, source: &Source) -> Vec<NewFile> {
    let lib = LIB
        .replace("{{registration_mod}}", "#[cfg(feature = \"registry\")]\nmod registration;\n")
        .replace("{{registration_use}}", "#[cfg(feature = \"registry\")]\npub use registration::vendor;");
    let mut manifest = names.fill(include_str!("../template/Cargo.alone.toml.in"));
    for package in ["hris", "hris-core", "hris-http", "hris-testkit"] {
        manifest = manifest.replace(&format!("{{{{source:{package}}}}}"), &source.dependency(package));
    }
    let mut files = common(names, &lib, "");
    files.push(("Cargo.toml", manifest));
    files.push(("src/registration.rs", names.fill(REGISTRATION)));
    files.push((".gitignore", "/target\n".to_owned()));
    files.push(("rustfmt.toml", include_str!("../template/rustfmt.toml.in").to_owned()));
    files
}

/// A crate of the workspace; the facade registers it.
pub(crate) fn member(names: &Names) -> Vec<NewFile> {
    let lib = LIB.replace("{{registration_mod}}", "").replace("\n{{registration_use}}", "");
    let mut files = common(names, &lib, &format!(" -p {}", names.package()));
    files.push(("Cargo.toml", names.fill(include_str!("../template/Cargo.member.toml.in"))));
    files
}

fn common(names: &Names, lib: &str, test_arguments: &str) -> Vec<NewFile> {
    let mut files: Vec<_> = COMMON.iter().map(|(place, text)| (*place, names.fill(text))).collect();
    files.push(("src/lib.rs", names.fill(lib)));
    files.push(("README.md", names.fill(&README.replace("{{test_arguments}}", test_arguments))));
    files
}

/// Writes the files into a new folder. Nothing that is there is written over, and a crate that cannot be written whole
/// is not left in half.
pub(crate) fn write(folder: &Path, files: &[NewFile]) -> io::Result<()> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} exists and is not empty", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    let written = files.iter().try_for_each(|(place, text)| {
        let path = folder.join(place);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    });
    written.inspect_err(|_| {
        // Only what was written just now is in it.
        let _ = fs::remove_dir_all(folder);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new("acorn", None, Some("Acorn HR")).unwrap()
    }

    #[test]
    fn no_file_has_a_blank_that_was_not_filled() {
        let source = Source::Version("0.1");
        for (place, text) in alone(&names(), &source).into_iter().chain(member(&names())) {
            assert!(!text.contains("{{"), "{place}: {text}");
            let is_source = Path::new(place).extension().is_some_and(|extension| extension == "rs");
            assert!(!is_source || text.starts_with("//! "), "{place} does not say what lives in it");
        }
    }

    #[test]
    fn every_place_is_numbered_and_none_is_left_out() {
        let texts: String = member(&names()).into_iter().map(|(_, text)| text).collect();
        for number in 1..=7 {
            assert!(texts.contains(&format!("[place {number}]")), "{number}");
        }
        assert!(!texts.contains("[place 8]"));
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let files = member(&names());
        write(&folder.path().join("new/crate"), &files).unwrap();
        let manifest = folder.path().join("new/crate/Cargo.toml");
        fs::write(&manifest, "mine").unwrap();
        let error = write(&folder.path().join("new/crate"), &files).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(manifest).unwrap(), "mine");
    }
}
