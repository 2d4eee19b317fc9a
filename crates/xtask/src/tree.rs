//! The files of the repository, as far as they are or would be committed.

use std::error::Error;
use std::path::Path;
use std::{fs, io, process};

use crate::rust_text::RustText;

/// A file with its path from the root, `/` between segments.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    /// The content; empty for files that are not UTF-8 text.
    pub(crate) text: String,
    /// The content as Rust source; `None` for every other file.
    pub(crate) rust: Option<RustText>,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let rust = has_extension(&path, "rs").then(|| RustText::new(&text));
        Self { path, text, rust }
    }

    pub(crate) fn is_markdown(&self) -> bool {
        has_extension(&self.path, "md")
    }

    /// The line of a byte offset, counted from 1.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }
}

fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

/// All files, sorted by path.
#[derive(Debug)]
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the files that git tracks, and new ones that it does not ignore.
    ///
    /// Outside a git checkout (an unpacked source archive) every file counts, except build output.
    pub(crate) fn read(root: &Path) -> Result<Self, Box<dyn Error>> {
        let mut paths = if root.join(".git").exists() { git_files(root)? } else { walk(root)? };
        paths.sort();
        paths.dedup();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            match fs::read(root.join(&path)) {
                Ok(bytes) => files.push(File::new(path, String::from_utf8(bytes).unwrap_or_default())),
                // Deleted, but the deletion is not committed yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{path}: {error}").into()),
            }
        }
        Ok(Self { files })
    }

    /// A made-up tree for tests of checks.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| File::new((*path).to_owned(), (*text).to_owned())).collect();
        Self { files }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The Rust sources, each with its text.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &RustText)> {
        self.files().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// The Rust sources below `crates/NAME/src/` for any name, with that name (the folder's).
    pub(crate) fn library_sources(&self) -> impl Iterator<Item = (&str, &File, &RustText)> {
        self.rust().filter_map(|(file, rust)| {
            let (folder, inside) = file.path.strip_prefix("crates/")?.split_once('/')?;
            inside.starts_with("src/").then_some((folder, file, rust))
        })
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files().find(|file| file.path == path)
    }
}

/// `safe.directory` since build hosts often check out under another user than the one who builds.
fn git_files(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let output = process::Command::new("git")
        .current_dir(root)
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("git could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let listing = String::from_utf8(output.stdout)?;
    Ok(listing.split_terminator('\0').map(str::to_owned).collect())
}

fn walk(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if !entry.file_type()?.is_dir() {
                found.push(path);
            } else if path != "target" {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let file = File::new("a.md".to_owned(), "one\ntwo\nthree".to_owned());
        assert_eq!([0, 3, 4, 8].map(|offset| file.line_of(offset)), [1, 1, 2, 3]);
    }

    #[test]
    fn only_sources_below_a_crates_src_are_library_sources() {
        let tree = Tree::of(&[
            ("crates/a/src/x/y.rs", ""),
            ("crates/a/tests/t.rs", ""),
            ("crates/a/src/notes.md", ""),
            ("examples/src/lib.rs", ""),
        ]);
        let found: Vec<_> =
            tree.library_sources().map(|(name, file, _)| (name, file.path.as_str())).collect();
        assert_eq!(found, [("a", "crates/a/src/x/y.rs")]);
    }

    #[test]
    fn without_git_every_file_but_build_output_counts() {
        let root = std::env::temp_dir().join(format!("xtask-walk-{}", process::id()));
        for folder in ["src", "target/debug"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["README.md", "src/lib.rs", "target/debug/lib.rs"] {
            fs::write(root.join(file), "text").unwrap();
        }
        let read = Tree::read(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();
        let paths: Vec<_> = read.files().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["README.md", "src/lib.rs"]);
    }
}
