//! A place for `hrisctl` to run in: a folder, a connection file, a simulator, and what a command printed.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use hris::sesame::sim::SesameSim;
use hris::target_scim::sim::ScimSim;
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::run;
use serde_json::Value;
use tempfile::TempDir;

/// The content of `HRIS_KEY`.
pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// An example of this package, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "build the examples first: cargo test -p hris-examples");
    program
}

/// A folder with a connection file for a simulator.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) sim: SesameSim,
}

/// What a command printed and how it ended.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// With ordinary people.
    pub(crate) fn with_people(people: usize) -> Self {
        Self::with(Population::new(4).size(people).without_oddities().build())
    }

    pub(crate) fn with(people: Population) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), sim: run(SesameSim::start(people)) };
        place.write_connection("");
        place
    }

    /// Writes the connection file, with more at its end.
    pub(crate) fn write_connection(&self, more: &str) {
        self.write_connection_to("[target]\npath = \"members.jsonl\"", more);
    }

    /// Writes the connection file for another target, with more at its end.
    pub(crate) fn write_connection_to(&self, target: &str, more: &str) {
        let text = format!(
            r#"
tenant = "brisa"
connection = "sesame"
vendor = "sesame"
[options]
base_url = "{}"
requests_per_minute = 900
[credentials]
token = "env:SESAME_TOKEN"
[store]
path = "hris.db"
key = "env:HRIS_KEY"
{target}
{more}
"#,
            self.sim.url()
        );
        std::fs::write(self.path("connection.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of the files in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(example("hrisctl"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("SESAME_TOKEN", SesameSim::TOKEN).env("HRIS_KEY", KEY).env("SCIM_TOKEN", ScimSim::TOKEN);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        done(&self.command(arguments).output().unwrap())
    }

    /// Standard output of a command that ends well.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.err);
        done.out
    }

    /// Standard error of a command that fails with a code.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {}{}", done.out, done.err);
        assert!(done.err.starts_with("hrisctl: "), "{}", done.err);
        done.err
    }

    /// The lines of the members' file.
    pub(crate) fn members(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("members.jsonl")).unwrap();
        text.lines().skip(1).map(json).collect()
    }

    pub(crate) fn lets_leave(&self, leavers: usize) {
        self.sim.next_day(&DayPlan { leavers, ..DayPlan::quiet() });
    }
}

/// Whatever a command does, no secret is in what it prints, and a pipe gets no terminal codes.
pub(crate) fn done(output: &Output) -> Done {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    for secret in [SesameSim::TOKEN, ScimSim::TOKEN, ScimSim::READ_ONLY_TOKEN, KEY, "s3cret"] {
        assert!(!out.contains(secret) && !err.contains(secret), "a secret was printed: {out}{err}");
    }
    assert!(!out.contains(['\r', '\u{1b}']), "{out:?}");
    assert!(!err.contains(['\r', '\u{1b}']), "progress is drawn on terminals only: {err:?}");
    Done { code: output.status.code(), out, err }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Id and digest in a plan's header.
pub(crate) fn id_and_digest(header: &Value) -> (String, String) {
    let text = |name: &str| header[name].as_str().unwrap().to_owned();
    (text("id"), text("digest"))
}
