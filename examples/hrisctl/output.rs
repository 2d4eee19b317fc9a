//! Standard output: results and nothing else, so that a pipe gets what it asked for.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Result;

/// Writes text as it is.
pub(crate) fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one JSON document, indented.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Writes one JSON object a line.
pub(crate) fn json_lines(values: impl IntoIterator<Item: Serialize>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for value in values {
        serde_json::to_writer(&mut out, &value)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Writes a remark to standard error.
pub(crate) fn note(text: &str) {
    // Whoever closed standard error wants none.
    let _ = writeln!(io::stderr().lock(), "hrisctl: note: {text}");
}
