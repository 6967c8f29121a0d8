//! State directories that are laid aside, damaged, and started with again.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dagda_tests::TestHost;
use dagda_tests::random::Random;
use serde_json::Value;

use crate::fault::Notes;

/// The database in a state directory.
const DATABASE: &str = "dagda.db";
/// Its write-ahead log.
const LOG: &str = "dagda.db-wal";
/// So many flips of each file are tried, unless `DAGDA_FAULT_FLIPS` says otherwise.
const FLIPS: u64 = 60;

/// A state directory as some daemon left it.
#[derive(Debug)]
pub struct Saved {
    /// Its database.
    pub database: Vec<u8>,
    /// Its write-ahead log, empty where there is none.
    pub log: Vec<u8>,
}

/// What dagdad made of a state directory.
#[derive(Debug)]
pub enum Ending {
    /// It did not start, and changed nothing.
    Refused,
    /// It started.
    Started(Contents),
    /// Something that must not be.
    Broken(String),
}

/// What matters of a state: all that its owner would miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// All manifests.
    pub manifests: String,
    /// Pods by name, with what is wanted of them.
    pub pods: BTreeSet<String>,
    /// Workflows by name.
    pub workflows: BTreeSet<String>,
    /// Runs by identity.
    pub runs: BTreeSet<String>,
    /// Alerts by identity, condition and object.
    pub alerts: BTreeSet<String>,
}

/// How many ended how.
#[derive(Debug, Default)]
pub struct Tally {
    refused: u32,
    started: u32,
    broken: Vec<String>,
}

/// How many flips are tried.
pub fn flips() -> u64 {
    std::env::var("DAGDA_FAULT_FLIPS").map_or(FLIPS, |text| text.parse().expect("a number"))
}

impl Saved {
    /// What lies in the state directory of a box whose daemon does not run.
    pub fn of(host: &TestHost) -> Self {
        let state = &host.configuration.state;
        Self {
            database: fs::read(state.join(DATABASE)).expect("read the database"),
            log: fs::read(state.join(LOG)).unwrap_or_default(),
        }
    }

    /// Starts a daemon with this in the place of its state, has a look at what it knows, and
    /// ends it with `kill -9`.
    pub fn try_with(&self, host: &mut TestHost, alert: bool) -> Ending {
        let state = host.configuration.state.clone();
        self.put(&state);
        let log_file = host.scratch.join("dagdad.log");
        let _ = fs::remove_file(&log_file);
        let tried = catch_unwind(AssertUnwindSafe(|| match host.try_start() {
            Ok(()) => {
                let contents = Contents::of(host, alert);
                host.kill9();
                Ending::Started(contents)
            }
            Err(ended) => self.refused(&state, ended.status.code(), &ended.log),
        }));
        let log = fs::read_to_string(&log_file).unwrap_or_default();
        if log.contains("panicked") {
            return Ending::Broken(format!("dagdad panicked: {log}"));
        }
        tried.unwrap_or_else(|_| Ending::Broken(format!("it hung or failed a read: {log}")))
    }

    fn put(&self, state: &Path) {
        let _ = fs::remove_dir_all(state);
        fs::create_dir(state).expect("make the state directory");
        fs::write(state.join(DATABASE), &self.database).expect("write the database");
        if !self.log.is_empty() {
            fs::write(state.join(LOG), &self.log).expect("write its log");
        }
    }

    fn refused(&self, state: &Path, code: Option<i32>, log: &str) -> Ending {
        let database: PathBuf = state.join(DATABASE);
        if code != Some(1) {
            return Ending::Broken(format!("it ended with {code:?}: {log}"));
        }
        if !log.contains(&database.display().to_string())
            || !["dagdad restore", "newer dagdad"]
                .iter()
                .any(|it| log.contains(it))
        {
            return Ending::Broken(format!("no words on what to do: {log}"));
        }
        let log_now = fs::read(state.join(LOG)).unwrap_or_default();
        if fs::read(&database).ok().as_ref() != Some(&self.database) || log_now != self.log {
            return Ending::Broken("it was refused, and changed".to_owned());
        }
        Ending::Refused
    }
}

impl Contents {
    /// What the running daemon knows. Its alert is waited for where there is to be one.
    pub fn of(host: &TestHost, alert: bool) -> Self {
        if alert {
            let _ = host.await_raised(("ram_high", "host"));
        }
        let list = |arguments: &[&str], key: &str, fields: &[&str]| {
            let mut command = host.dagdactl();
            let output = dagda_tests::cli::run(command.arg("--json").args(arguments), None).done();
            let list = output.json();
            let of_one = |item: &Value| {
                let fields = fields.iter().map(|field| item[*field].to_string());
                fields.collect::<Vec<String>>().join(" ")
            };
            let items = list[key].as_array().expect("a list").iter();
            items.map(of_one).collect()
        };
        let pod = ["name", "category", "priority", "state"];
        Self {
            manifests: host.run(["export"]).done().stdout,
            pods: list(&["pods", "list"], "pods", &pod),
            workflows: list(&["workflow", "list"], "workflows", &["name", "priority"]),
            runs: list(&["workflow", "runs"], "runs", &["id", "workflow", "state"]),
            alerts: list(
                &["alerts", "list"],
                "alerts",
                &["id", "condition", "object"],
            ),
        }
    }
}

impl Tally {
    /// Counts one.
    pub fn count(
        &mut self,
        what: &str,
        ending: Ending,
        same: impl FnOnce(&Contents) -> Result<(), String>,
    ) {
        match ending {
            Ending::Refused => self.refused += 1,
            Ending::Started(contents) => {
                self.started += 1;
                if let Err(difference) = same(&contents) {
                    self.broken.push(format!("{what}: {difference}"));
                }
            }
            Ending::Broken(why) => self.broken.push(format!("{what}: {why}")),
        }
    }

    /// Notes all of them.
    pub fn note(self, notes: &mut Notes, must: &str) {
        notes.saw("refused", self.refused);
        notes.saw("started", self.started);
        notes.must(must, || {
            assert_eq!(
                self.broken,
                [] as [String; 0],
                "{} of them",
                self.broken.len()
            );
        });
    }
}

/// Turns over one to eight bits of one byte; every other time of one that is not zero, since
/// most of a database is empty. Says where.
pub fn flip(bytes: &mut [u8], random: &mut Random) -> String {
    let any = random.below(2) == 0;
    loop {
        let at = usize::try_from(random.below(bytes.len() as u64)).expect("an index");
        let mask = u8::try_from(random.below(255) + 1).expect("a byte");
        if any || bytes[at] != 0 {
            bytes[at] ^= mask;
            return format!("byte {at} ^ {mask:#04x}");
        }
    }
}
