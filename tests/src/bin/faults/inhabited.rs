//! A box in which something of every kind goes on, and what must hold of it after any fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use dagda_tests::TestHost;
use dagda_tests::host::Builder;
use dagda_tests::manifest::{Pod, Workflow};
use dagda_tests::mariadb::{DATABASE, MariaDb};

use crate::fault::{Notes, milliseconds};
use crate::prober::Answers;

/// What a `status` may take on a busy machine; the figures tell what it took.
const SOON: Duration = Duration::from_secs(1);
/// What fires in every box that uses memory at all, so that an alert is there throughout.
const ALERT: (&str, &str) = ("ram_high", "host");

/// A box with an essential pod that runs, a workflow that runs, pods to start and stop, an
/// alert that fires, and, where it was made with one, a MariaDB that takes the rows.
#[derive(Debug)]
pub struct Inhabited {
    /// The box.
    pub host: TestHost,
    /// Its system of record.
    mariadb: Option<MariaDb>,
    /// The life of the essential pod.
    essential: String,
    /// Identity of the alert that fires.
    alert: String,
}

impl Inhabited {
    /// What its box is made of.
    pub fn builder() -> Builder {
        TestHost::builder().settings("[alerts.ram_high]\npercent = 0.5\nfor = '1s'\n")
    }

    /// A box without MariaDB.
    pub fn plain() -> Self {
        Self::of(Self::builder().start(), None)
    }

    /// A box that writes to MariaDB too.
    pub fn mirrored() -> Self {
        let mariadb = MariaDb::start();
        let host = Self::builder().mariadb(&mariadb).start();
        await_mariadb(&host, "connected");
        Self::of(host, Some(mariadb))
    }

    /// A box whose daemon is ready.
    pub fn of(host: TestHost, mariadb: Option<MariaDb>) -> Self {
        host.apply(&Pod::waiting("keep").essential());
        for name in ["web", "spare", "extra"] {
            host.apply(&Pod::waiting(name).priority(30));
        }
        host.apply(&Workflow::of("site", &["web"]));
        host.run(["pods", "start", "keep"]).done();
        host.run(["workflow", "run", "site"]).done();
        let alert = host.await_raised(ALERT).id;
        let essential = life(&host);
        Self {
            host,
            mariadb,
            essential,
            alert,
        }
    }

    /// Its MariaDB.
    pub fn mariadb(&mut self) -> &mut MariaDb {
        self.mariadb.as_mut().expect("the box was made with one")
    }

    /// Waits until MariaDB is `connected` or `disconnected`.
    pub fn await_mariadb(&self, state: &str) {
        await_mariadb(&self.host, state);
    }

    /// Waits until Podman answers or is known not to.
    pub fn await_podman(&self, connected: bool) {
        self.host.await_status("Podman is as it is", |status| {
            let runtime = status.runtime.as_ref();
            runtime.is_some_and(|runtime| runtime.connected == connected)
        });
    }

    /// Fails where the essential pod was stopped, or started anew.
    pub fn assert_essential_untouched(&self) {
        assert_eq!(life(&self.host), self.essential);
    }

    /// Reads must have been answered all the time.
    pub fn must_have_answered(notes: &mut Notes, answers: &Answers) {
        notes.must(
            "`status` is answered throughout, within 1 s each time",
            || {
                assert_eq!(answers.failures, [] as [String; 0]);
                assert!(answers.answered > 0, "it was never asked");
                assert!(answers.longest <= SOON, "{:?}", answers.longest);
            },
        );
        notes.saw("status calls answered", answers.answered);
        notes.saw("longest", milliseconds(answers.longest));
    }

    /// What must hold once the fault is over, the daemon's clean end included.
    pub fn must_be_well(&mut self, notes: &mut Notes) {
        self.must_be_settled(notes);
        self.must_take_commands(notes);
        self.must_end(notes);
    }

    /// What must hold of the box.
    pub fn must_be_settled(&mut self, notes: &mut Notes) {
        let host = &mut self.host;
        notes.must(
            "every accepted command has ended (no intent is open), and dagdad says what Podman has",
            || host.assert_settled_and_true(),
        );
        notes.must("the essential pod was not touched: same process", || {
            assert_eq!(life(host), self.essential);
        });
        notes.must("Podman has no pod that the catalogue has not", || {
            let known = ["extra", "keep", "slow", "spare", "web"];
            let pods = host.podman.pods().into_iter().map(|(name, _)| name);
            let orphans: Vec<String> = pods.filter(|name| !known.contains(&&**name)).collect();
            assert_eq!(orphans, [] as [String; 0]);
        });
        notes.must("the alert goes on as one row, none is doubled", || {
            assert_single(host, &self.alert);
        });
        if let Some(mariadb) = &self.mariadb {
            notes.must(
                "MariaDB has SQLite's rows, value for value, each once",
                || {
                    host.assert_mirrored(mariadb);
                },
            );
            notes.saw("rows compared", count(mariadb));
        }
    }

    /// Commands must be carried out.
    pub fn must_take_commands(&mut self, notes: &mut Notes) {
        notes.must("commands are carried out as before", || {
            self.host.run(["pods", "start", "extra"]).done();
            self.host.run(["pods", "stop", "extra"]).done();
        });
    }

    /// The daemon must end as it promises.
    pub fn must_end(&mut self, notes: &mut Notes) {
        notes.must("SIGTERM ends dagdad within 5 s, with exit code 0", || {
            self.host.stop();
        });
    }
}

/// Starts dagdad and tells how long it took to be ready.
pub fn start_again(host: &mut TestHost) -> Duration {
    let begin = Instant::now();
    host.start();
    begin.elapsed()
}

fn await_mariadb(host: &TestHost, state: &str) {
    host.await_status(&format!("MariaDB is {state}"), |status| {
        let store = status.store.as_ref();
        store.is_some_and(|store| store.mariadb == state)
    });
}

fn life(host: &TestHost) -> String {
    let format = "{{.State.Pid}} {{.State.StartedAt}}";
    host.podman.inspect("keep-main", format)
}

fn assert_single(host: &TestHost, id: &str) {
    let list = host.run(["--json", "alerts", "list", "--all"]).done();
    let list = list.json();
    let alerts = list["alerts"].as_array().expect("alerts");
    let ids: BTreeSet<_> = alerts.iter().map(|alert| alert["id"].as_str()).collect();
    assert_eq!(ids.len(), alerts.len(), "an alert is listed twice: {list}");
    let mut unresolved = BTreeMap::new();
    for alert in alerts.iter().filter(|alert| alert["state"] != "resolved") {
        let of = format!("{} {}", alert["condition"], alert["object"]);
        *unresolved.entry(of).or_insert(0) += 1;
    }
    assert!(unresolved.values().all(|count| *count == 1), "{list}");
    let of_memory: Vec<_> = alerts
        .iter()
        .filter(|alert| alert["condition"] == ALERT.0)
        .map(|alert| (alert["id"].as_str(), alert["state"].as_str()))
        .collect();
    assert_eq!(of_memory, [(Some(id), Some("firing"))], "{list}");
}

fn count(mariadb: &MariaDb) -> u64 {
    let tables = [
        "pods",
        "workflows",
        "workflow_runs",
        "pod_runs",
        "resource_alerts",
        "events",
        "system_resources",
    ];
    let rows = tables.map(|table| {
        let count = mariadb.execute(&format!("SELECT COUNT(*) FROM {DATABASE}.{table}"));
        count.trim().parse::<u64>().expect("a count")
    });
    rows.iter().sum()
}
