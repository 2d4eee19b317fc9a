//! One finding of a check: where, what is wrong, and what to do about it.

use std::fmt;

/// Something to put right, printed as `path:line: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the repository's root.
    path: String,
    /// The line, counted from 1; `None` where the finding is about the whole file.
    line: Option<usize>,
    /// What is wrong and what to do.
    message: String,
}

impl Finding {
    /// A finding about a whole file, or about one that is missing.
    pub(crate) fn file(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into() }
    }

    /// A finding at a line, counted from 1.
    pub(crate) fn at(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::file(path, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_path_line_message() {
        assert_eq!(Finding::at("a/b.rs", 3, "wrong").to_string(), "a/b.rs:3: wrong");
        assert_eq!(Finding::file("README.md", "missing").to_string(), "README.md: missing");
    }
}
