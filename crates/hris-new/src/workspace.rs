//! The workspace of the `hris` crates: where it is, and every place in which a connector of its own has to stand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::entries::{has, insert, insert_after, insert_word};
use crate::names::Names;

/// The root of the workspace that a folder lies in, if it lies in ours.
pub(crate) fn root_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|above| is_root(above)).map(Path::to_owned)
}

/// Whether a folder is the root of a checkout of ours.
pub(crate) fn is_root(folder: &Path) -> bool {
    folder.join("crates/hris-core/Cargo.toml").is_file()
        && folder.join("crates/hris/src/vendors/mod.rs").is_file()
}

/// A list in a file: the form of its entries, and the new one.
struct List {
    file: &'static str,
    pattern: &'static str,
    /// With the blanks of a template.
    entry: &'static str,
    /// Lines above an entry that belong to it.
    lead: usize,
    /// The entry that it follows, in lists that have an order of their own.
    after: Option<&'static str>,
}

const fn sorted(file: &'static str, pattern: &'static str, entry: &'static str) -> List {
    List { file, pattern, entry, lead: 0, after: None }
}

/// Every list, in the order in which they are written.
const LISTS: &[List] = &[
    sorted(
        "Cargo.toml",
        "hris-{x} = { path = \"crates/hris-{x}\", version = {*}\n",
        "{{crate}} = { path = \"crates/{{crate}}\", version = \"0.1.0\" }\n",
    ),
    sorted("crates/hris/Cargo.toml", "{x} = [\"dep:hris-{x}\"]\n", "{{name}} = [\"dep:{{crate}}\"]\n"),
    sorted(
        "crates/hris/Cargo.toml",
        "hris-{x} = { workspace = true, optional = true }\n",
        "{{crate}} = { workspace = true, optional = true }\n",
    ),
    sorted(
        "crates/hris/Cargo.toml",
        "hris-{x} = { path = \"../hris-{x}\", features = [\"sim\"] }\n",
        "{{crate}} = { path = \"../{{crate}}\", features = [\"sim\"] }\n",
    ),
    sorted(
        "crates/hris/src/vendors/mod.rs",
        "#[cfg(feature = \"{x}\")]\npub(crate) mod {x};\n",
        "#[cfg(feature = \"{{name}}\")]\npub(crate) mod {{name}};\n",
    ),
    sorted(
        "crates/hris/src/vendors/mod.rs",
        "        #[cfg(feature = \"{x}\")]\n        {x}::vendor(),\n",
        "        #[cfg(feature = \"{{name}}\")]\n        {{name}}::vendor(),\n",
    ),
    List {
        lead: 1,
        ..sorted(
            "crates/hris/src/config.rs",
            "    #[cfg(feature = \"{x}\")]\n    {T}(hris_{x}::{T}),\n",
            "    /// {{display}}.\n    #[cfg(feature = \"{{name}}\")]\n    {{Name}}({{crate_name}}::{{Name}}Config),\n",
        )
    },
    sorted(
        "crates/hris/src/config.rs",
        "            #[cfg(feature = \"{x}\")]\n            Self::{T}(_) => crate::vendors::{x}::NAME,\n",
        "            #[cfg(feature = \"{{name}}\")]\n            Self::{{Name}}(_) => crate::vendors::{{name}}::NAME,\n",
    ),
    sorted(
        "crates/hris/src/config.rs",
        "            #[cfg(feature = \"{x}\")]\n            Self::{T}(config) => crate::vendors::{x}::connect({*}\n",
        "            #[cfg(feature = \"{{name}}\")]\n            \
         Self::{{Name}}(config) => crate::vendors::{{name}}::connect(config, credentials, transport),\n",
    ),
    sorted(
        "crates/hris/src/lib.rs",
        "#[cfg(feature = \"{x}\")]\n#[doc(inline)]\npub use hris_{x} as {x};\n\n",
        "#[cfg(feature = \"{{name}}\")]\n#[doc(inline)]\npub use {{crate_name}} as {{name}};\n\n",
    ),
    sorted(
        "crates/hris/tests/registry.rs",
        "        #[cfg(feature = \"{x}\")]\n        \"{x}\",\n",
        "        #[cfg(feature = \"{{name}}\")]\n        \"{{name}}\",\n",
    ),
    List {
        after: Some("sesame"),
        ..sorted(
            "crates/hris/README.md",
            "| `{x}` |{*}\n",
            "| `{{name}}` | | `hris::{{name}}`, the connector to {{display}} |\n",
        )
    },
    List {
        after: Some("sesame"),
        ..sorted(
            "README.md",
            "| [`hris-{x}`](crates/hris-{x}) |{*}\n",
            "| [`{{crate}}`](crates/{{crate}}) | {{display}}, with a simulator behind the feature `sim` |\n",
        )
    },
    List {
        after: Some("sesame"),
        ..sorted(
            "docs/architecture.md",
            "| `hris-{x}` |{*}\n",
            "| `{{crate}}` | the {{display}} connector, and its simulator behind the feature `sim` | `connector.rs` |\n",
        )
    },
    sorted(
        "crates/xtask/src/tidy/crate_table.rs",
        "    connector(\"hris-{x}\"),\n",
        "    connector(\"{{crate}}\"),\n",
    ),
];

/// What registering did, and what it could not do.
#[derive(Debug, Default)]
pub(crate) struct Registered {
    /// Files that were written or changed, as seen from the root.
    pub(crate) files: Vec<String>,
    /// Lists that were not found, in words.
    pub(crate) by_hand: Vec<String>,
}

/// Enters a connector in every list of the workspace, and adds its module of the facade and its page.
pub(crate) fn register(root: &Path, names: &Names) -> io::Result<Registered> {
    let mut done = Registered::default();
    for list in LISTS {
        let text = fs::read_to_string(root.join(list.file)).unwrap_or_default();
        if has(&text, list.pattern, names) {
            continue; // as where a table names crates that are still to come
        }
        let entry = names.fill(list.entry);
        let new = match list.after {
            Some(other) => insert_after(&text, list.pattern, other, &entry),
            None => insert(&text, list.pattern, list.lead, &names.name, &entry),
        };
        done.note(root, list.file, new, &entry)?;
    }
    let manifest = "crates/hris/Cargo.toml";
    let text = fs::read_to_string(root.join(manifest)).unwrap_or_default();
    let word = format!("{}?/sim", names.package());
    done.note(root, manifest, insert_word(&text, "sim = ", &word), &format!("\"{word}\" in `sim`"))?;
    let examples = "examples/Cargo.toml";
    let text = fs::read_to_string(root.join(examples)).unwrap_or_default();
    let new = insert_word(&text, "hris = { workspace = true, features = ", &names.name);
    done.note(root, examples, new, &format!("the feature `{}` of `hris`", names.name))?;
    for (file, template) in [
        (format!("crates/hris/src/vendors/{}.rs", names.name), include_str!("../template/vendor.rs.in")),
        (format!("docs/vendors/{}.md", names.name), include_str!("../template/page.md.in")),
    ] {
        let is_there = root.join(&file).exists();
        if !is_there {
            let text = names.fill(template);
            done.note(root, &file, Some(text), "")?;
        }
    }
    Ok(done)
}

impl Registered {
    fn note(&mut self, root: &Path, file: &str, new: Option<String>, entry: &str) -> io::Result<()> {
        let Some(new) = new else {
            self.by_hand.push(format!("{file}: {}", entry.trim()));
            return Ok(());
        };
        fs::write(root.join(file), new)?;
        if !self.files.iter().any(|known| known == file) {
            self.files.push(file.to_owned());
        }
        Ok(())
    }
}
