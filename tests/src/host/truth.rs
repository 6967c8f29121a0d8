//! Whether what dagdad says and keeps is so.

use std::path::PathBuf;
use std::time::Instant;

use dagda_proto::v1;

use super::TestHost;
use crate::PATIENCE;
use crate::mariadb::MariaDb;
use crate::rows;

/// What both databases have.
const TABLES: [&str; 8] = [
    "pods",
    "workflows",
    "workflow_runs",
    "pod_runs",
    "resource_alerts",
    "events",
    "audit",
    "system_resources",
];

impl TestHost {
    /// Waits until no operation is under way, then asserts that what dagdad says of each
    /// catalogued pod is what Podman has, and that no intent is left open.
    ///
    /// # Panics
    /// It is not so.
    pub fn assert_settled_and_true(&mut self) {
        self.await_status("Podman is seen", |status| {
            status.runtime.as_ref().is_some_and(|it| it.connected)
        });
        let listed = self.block_on(self.settled());
        let really = self.podman.pods();
        for pod in &listed {
            let runs = really
                .iter()
                .any(|(name, state)| *name == pod.name && state == "running");
            let said = pod.state() == v1::PodState::Running;
            assert_eq!(said, runs, "dagdad says {pod:?}, Podman has {really:?}");
        }
        // That an operation is over is said before its intent is closed on disk.
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Frozen, so that nothing is between two writes while it is read.
            self.daemon().freeze();
            let open = self.block_on(rows::open_intents(&self.database()));
            self.daemon().thaw();
            if open.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "left open: {open:?}");
        }
    }

    /// The catalogued pods, as soon as no operation on any of them is under way.
    async fn settled(&self) -> Vec<v1::Pod> {
        let request = v1::ListPodsRequest { all: false };
        let mut client = self.pods_client();
        let watched = client.watch_pods(request).await;
        let mut stream = watched.expect("watch the pods").into_inner();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let list = stream.message().await.expect("watch the pods");
                let pods = list.expect("the stream goes on").pods;
                let mut busy = false;
                for pod in &pods {
                    let request = v1::GetPodRequest {
                        name: pod.name.clone(),
                    };
                    let detail = client
                        .get_pod(request)
                        .await
                        .expect("get the pod")
                        .into_inner();
                    let on_its_way = [v1::PodState::Starting, v1::PodState::Stopping];
                    busy |= detail.operation.is_some() || on_its_way.contains(&pod.state());
                }
                if !busy {
                    return pods;
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: every operation has ended"))
    }

    /// Waits until the outbox is empty, then asserts that MariaDB has what SQLite has, row for
    /// row. Returns the tables that have none, so that nothing was compared.
    ///
    /// # Panics
    /// It has not.
    pub fn assert_mirrored(&self, mariadb: &MariaDb) -> Vec<&'static str> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.await_status("the outbox is empty", |status| {
                status.store.as_ref().is_some_and(|it| it.outbox == 0)
            });
            let daemon = self.daemon.as_ref().expect("dagdad runs");
            // Samples go on; frozen, both databases stand still at one moment.
            daemon.freeze();
            let database = self.database();
            let (waiting, refused) = self.block_on(rows::outbox(&database));
            assert_eq!(refused, [] as [String; 0], "rows that MariaDB refused");
            let tables = (waiting == 0).then(|| {
                self.block_on(async {
                    let mut tables = Vec::new();
                    for name in TABLES {
                        tables.push(rows::read(&database, mariadb, name).await);
                    }
                    tables
                })
            });
            daemon.thaw();
            if let Some(tables) = tables {
                for table in &tables {
                    assert_eq!(table.difference(), None);
                }
                let empty = |table: &rows::Table| table.local.is_empty().then_some(table.name);
                return tables.iter().filter_map(empty).collect();
            }
            assert!(
                Instant::now() < deadline,
                "the outbox was never empty for a moment"
            );
        }
    }

    /// The SQLite file in the state directory.
    ///
    /// # Panics
    /// There is not exactly one.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        let is_database = |path: &PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
        };
        let entries =
            std::fs::read_dir(&self.configuration.state).expect("read the state directory");
        let found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_database)
            .collect();
        assert_eq!(
            found.len(),
            1,
            "one SQLite database in the state directory: {found:?}"
        );
        found.into_iter().next().expect("one")
    }
}
