//! Databases of released schemas open, with all that is in them.

use std::path::Path;
use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::economy::EconomyRecord;
use dagdad::domain::event::EventQuery;
use dagdad::domain::operation::OperationKind;
use dagdad::domain::quantity::Bytes;
use dagdad::ports::{MirrorLink, Record, Store as _};
use dagdad::store::{FILE_NAME, MariaDbOptions};
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use crate::mariadb::MariaDb;
use crate::records::{
    EPOCH, Forwarding, at, event, in_step, open, pod_run, put_pod_run, put_run, put_workflow, run,
    workflow,
};
use crate::tables::{assert_equal, count, sqlite};

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static MARIADB: Migrator = sqlx::migrate!("../migrations/mariadb");

const STORE_ID: &str = "019a0000-0000-7000-8000-00000000000a";
const LLAMA: &str = "019a0000-0000-7000-8000-000000000001";
const N8N: &str = "019a0000-0000-7000-8000-000000000002";
const HAPPENED: &str = "019a0000-0000-7000-8000-000000000003";
const STARTING: &str = "019a0000-0000-7000-8000-000000000004";

/// The last entry of the outbox that was ever numbered, and that MariaDB received.
const LAST_SEQ: i64 = 20;

/// Rows of schema 1, as the first release wrote them.
async fn fill(conn: &mut SqliteConnection) {
    let time = EPOCH * 1_000_000;
    let pods = [(LLAMA, "llama"), (N8N, "n8n")].map(|(uuid, name)| {
        format!(
            "INSERT INTO pods VALUES ('{uuid}', '{name}', 'optional', 60, 'up', 'running', NULL,
                 8905, 1.5, 6144, 6442450944, 203.14, 1024, 1073741824, 1000000001, 73741823,
                 '# a manifest', 'c8e21a9a1bbb31873567e37dc13a319bbbd384d555d13a08d5a455cb9947cef2', 'cdcd', {time}, {time});"
        )
    });
    let rest = format!(
        "INSERT INTO intents VALUES ('{STARTING}', 'llama', 'start', {time}, NULL, NULL);
         INSERT INTO intents VALUES ('{HAPPENED}', 'n8n', 'stop', {time}, {time}, 'done');
         INSERT INTO events VALUES ('{HAPPENED}', {time}, 'pod_started', 'llama', 'it runs');
         INSERT INTO system_resources VALUES ('{HAPPENED}', {time}, 0, 1, 12.5, 0.42, 1.5, 12.25,
             61.0, 24105, 25276510208, 15300000000, 0, 0, 0, 40.1, NULL, NULL, NULL, NULL, '[]');
         INSERT INTO resource_alerts VALUES ('{HAPPENED}', 'cpu_high', 'by hand', 'info', 1, 1, 1);
         INSERT INTO mirror_state VALUES (1, '{STORE_ID}', 1, {LAST_SEQ});
         INSERT INTO outbox (seq, kind, relation, key) VALUES ({LAST_SEQ}, 'row', 'pods', 'x');
         DELETE FROM outbox;"
    );
    let all = pods.concat() + &rest;
    sqlx::raw_sql(AssertSqlSafe(all))
        .execute(conn)
        .await
        .unwrap();
}

/// A database of schema 1 with rows, of which MariaDB has received all.
async fn schema_1(state_dir: &Path) -> SqliteConnection {
    let mut conn = SqliteConnectOptions::new()
        .filename(state_dir.join(FILE_NAME))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap();
    SQLITE.run_to(1, &mut conn).await.unwrap();
    fill(&mut conn).await;
    conn
}

/// MariaDB as the first release left it, with the rows of [`schema_1`].
async fn mirror_of_schema_1(server: &MariaDb) {
    let mut admin = server.admin().await;
    admin
        .execute("CREATE DATABASE dagda_orchestrator CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        .await
        .unwrap();
    let mut conn = MySqlConnectOptions::new()
        .socket(server.socket())
        .username("root")
        .database("dagda_orchestrator")
        .timezone(Some("+00:00".to_owned()))
        .connect()
        .await
        .unwrap();
    MARIADB.run_to(2, &mut conn).await.unwrap();
    let pods = [(LLAMA, "llama"), (N8N, "n8n")].map(|(uuid, name)| {
        format!(
            "INSERT INTO pods (uuid, name, category, priority, wanted, status, port, cpu_limit,
                 ram_limit, ram_limit_bytes, current_cpu, current_ram, current_ram_bytes,
                 current_ram_anon_bytes, current_ram_file_bytes, manifest, manifest_digest,
                 started_digest, created_at, updated_at)
             VALUES ('{uuid}', '{name}', 'optional', 60, 'up', 'running', 8905, 1.5, 6144,
                 6442450944, 203.14, 1024, 1073741824, 1000000001, 73741823, '# a manifest',
                 'c8e21a9a1bbb31873567e37dc13a319bbbd384d555d13a08d5a455cb9947cef2', 'cdcd', FROM_UNIXTIME({EPOCH}), FROM_UNIXTIME({EPOCH}));"
        )
    });
    let rest = format!(
        "INSERT INTO events (uuid, timestamp, kind, object, message)
             VALUES ('{HAPPENED}', FROM_UNIXTIME({EPOCH}), 'pod_started', 'llama', 'it runs');
         INSERT INTO system_resources (uuid, timestamp, cpu_usage, load_1m, load_5m, load_15m,
                 ram_usage, ram_total, ram_total_bytes, ram_used_bytes, ram_cached_bytes,
                 swap_total_bytes, swap_used_bytes, disk_usage, active_pods)
             VALUES ('{HAPPENED}', FROM_UNIXTIME({EPOCH}), 12.5, 0.42, 1.5, 12.25, 61.0, 24105,
                 25276510208, 15300000000, 0, 0, 0, 40.1, '[]');
         INSERT INTO resource_alerts (uuid, alert_type, message, severity, resolved, created_at,
                 updated_at)
             VALUES ('{HAPPENED}', 'cpu_high', 'by hand', 'info', 1, FROM_UNIXTIME(0.000001),
                 FROM_UNIXTIME(0.000001));
         INSERT INTO mirror_source (store_id, last_seq) VALUES ('{STORE_ID}', {LAST_SEQ});"
    );
    let all = pods.concat() + &rest;
    sqlx::raw_sql(AssertSqlSafe(all))
        .execute(&mut conn)
        .await
        .unwrap();
}

fn nowhere() -> MariaDbOptions {
    MariaDbOptions {
        host: "127.0.0.1".into(),
        port: 1,
        socket: None,
        user: "dagda_api".into(),
        password: SecretString::from(""),
        database: "dagda_orchestrator".into(),
    }
}

/// A migration that was released is never edited: the databases out there would be refused.
#[test]
fn released_migrations_are_as_they_were() {
    let released = |migrations: &Migrator, version| {
        let migration = migrations.iter().find(|found| found.version == version);
        let checksum = &migration.unwrap().checksum;
        checksum
            .iter()
            .take(8)
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    };
    assert_eq!(released(&SQLITE, 1), "bf856fceb41d7c79");
    assert_eq!(released(&SQLITE, 2), "042f48a6da21c415");
    assert_eq!(released(&SQLITE, 3), "799be89277623819");
    assert_eq!(released(&SQLITE, 4), "20961bd94c3540af");
    assert_eq!(released(&MARIADB, 1), "944fbc27177e7a85");
    assert_eq!(released(&MARIADB, 2), "40ed2ac738ec8cee");
    assert_eq!(released(&MARIADB, 3), "ae385b42733263ac");
    assert_eq!(released(&MARIADB, 4), "e74a45c442534f26");
}

/// Rows stay, the new columns say what was true before they were there.
#[tokio::test]
async fn a_database_of_schema_1_keeps_its_rows() {
    let state = tempfile::tempdir().unwrap();
    schema_1(state.path()).await.close().await.unwrap();

    let store = open(state.path(), None).await;
    let restored = store.load().await.unwrap();
    let names: Vec<_> = restored.pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["llama", "n8n"]);
    let llama = &restored.pods[0];
    assert_eq!(llama.id.to_string(), LLAMA);
    assert_eq!(llama.manifest.text, "# a manifest");
    assert_eq!(llama.usage.file, Bytes(73_741_823));
    assert_eq!(llama.usage.mapped, Bytes(0));
    assert_eq!(llama.created_at, at(0));
    let [intent] = restored.intents.as_slice() else {
        panic!("{:?}", restored.intents);
    };
    assert_eq!(intent.id.to_string(), STARTING);
    assert_eq!(intent.kind, OperationKind::Start);
    assert_eq!((intent.admission, intent.run), (Admission::Fit, None));
    assert_eq!(restored.workflows, []);
    assert_eq!(restored.runs, []);
    assert_eq!(restored.pod_runs, []);
    assert_eq!(restored.alerts, []);
    assert_eq!(restored.economy, EconomyRecord::default());
    assert_eq!(restored.silences, []);
    let by_hand = count(&mut sqlite(state.path()).await, "resource_alerts").await;
    assert_eq!(by_hand, 1);
    let query = EventQuery {
        limit: 9,
        ..EventQuery::default()
    };
    let events = store.events(&query).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].message.as_str(), events[0].run),
        ("it runs", None)
    );
    assert_eq!(store.history(at(-60), at(60), 1).await.unwrap().len(), 1);

    // It takes the new rows, and opens again.
    let records = [
        put_workflow(&workflow("ai")),
        put_run(&run("ai", at(1), dagdad::domain::run::Phase::Queued)),
        put_pod_run(&pod_run("llama", at(1))),
    ];
    store.commit(&records).await.unwrap();
    store.close().await;
    let restored = open(state.path(), None).await.load().await.unwrap();
    assert_eq!(restored.pods.len(), 2);
    assert_eq!(restored.workflows.len(), 1);
    assert_eq!(restored.runs.len(), 1);
    assert_eq!(restored.pod_runs.len(), 1);
}

/// Entries that wait keep their order and their numbers, and later ones come behind them.
#[tokio::test]
async fn the_outbox_is_rebuilt_with_what_waits_in_it() {
    let state = tempfile::tempdir().unwrap();
    let mut old = schema_1(state.path()).await;
    old.execute(AssertSqlSafe(format!(
        "INSERT INTO outbox (seq, kind, relation, key, before) VALUES
             (31, 'row', 'pods', '{N8N}', NULL), (33, 'prune', 'events', '', 5),
             (34, 'prune', 'system_resources', '60', 7), (40, 'row', 'pods', '{LLAMA}', NULL),
             (41, 'reconcile', 'system_resources', '', NULL), (44, 'row', 'pods', 'gone', NULL);
         DELETE FROM outbox WHERE seq = 44;
         INSERT INTO outbox_rejected VALUES ('events', '{HAPPENED}', 'too long', 1);"
    )))
    .await
    .unwrap();
    old.close().await.unwrap();

    let store = open(state.path(), Some(nowhere())).await;
    store
        .commit(&[put_workflow(&workflow("ai"))])
        .await
        .unwrap();
    assert_eq!(store.mirror().borrow().outbox, 7);
    let entries: Vec<(i64, String, String, String, Option<i64>)> =
        sqlx::query_as("SELECT seq, kind, relation, key, before FROM outbox ORDER BY seq")
            .fetch_all(&mut sqlite(state.path()).await)
            .await
            .unwrap();
    let entry = |seq, kind: &str, relation: &str, key: &str, before| {
        (
            seq,
            kind.to_owned(),
            relation.to_owned(),
            key.to_owned(),
            before,
        )
    };
    assert_eq!(
        entries[..6],
        [
            entry(31, "row", "pods", N8N, None),
            entry(33, "prune", "events", "", Some(5)),
            entry(34, "prune", "system_resources", "60", Some(7)),
            entry(40, "row", "pods", LLAMA, None),
            entry(41, "reconcile", "system_resources", "", None),
            // Tried again, as at each start; 44 was given out before.
            entry(45, "row", "events", HAPPENED, None),
        ]
    );
    assert_eq!(entries[6].0, 46);
    assert_eq!(entries[6].2, "workflows");
}

/// Both databases move on together: what MariaDB has is not sent again, although nothing
/// waited in the outbox that could have kept the numbers going.
#[tokio::test]
async fn a_mirror_of_schema_1_goes_on_where_it_was() {
    let server = MariaDb::start().await;
    mirror_of_schema_1(&server).await;
    let mut admin = server.admin().await;
    // Somebody's own rows, from the first plan, in a table that nothing wrote yet.
    let theirs = "INSERT INTO dagda_orchestrator.workflows
            (name, required_pods, estimated_cpu, estimated_ram) VALUES
            ('ai', '[\"llama\"]', 2.5, 6144), ('twice', '[]', 1, 1), ('twice', '[]', 2, 2)";
    admin.execute(theirs).await.unwrap();
    let state = tempfile::tempdir().unwrap();
    schema_1(state.path()).await.close().await.unwrap();

    let store = open(state.path(), Some(server.options())).await;
    assert_eq!(store.mirror().borrow().outbox, 0);
    let mut seen = store.mirror();
    let watching = tokio::spawn(async move {
        let mut most = 0;
        while seen.changed().await.is_ok() {
            most = most.max(seen.borrow_and_update().outbox);
        }
        most
    });
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let last_seq = "SELECT last_seq FROM dagda_orchestrator.mirror_source";
    let received: i64 = sqlx::query_scalar(last_seq)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(received, LAST_SEQ);
    for table in ["pods", "events", "system_resources"] {
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT count(*) FROM dagda_orchestrator.{table}"
        )))
        .fetch_one(&mut admin)
        .await
        .unwrap();
        let here = count(&mut sqlite(state.path()).await, table).await;
        assert_eq!(rows, here, "{table}");
    }

    let ai = workflow("ai");
    store
        .commit(&[
            put_workflow(&ai),
            Record::Event(event(at(1), Some("ai"), "applied")),
        ])
        .await
        .unwrap();
    in_step(&store).await;
    let received: i64 = sqlx::query_scalar(last_seq)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(received, LAST_SEQ + 2);
    // The name is taken over, as a pod's is; what dagdad does not know stays.
    let workflows: Vec<(String, bool)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT name, uuid = '{}' FROM dagda_orchestrator.workflows ORDER BY id",
        ai.id
    )))
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let theirs = ("twice".to_owned(), false);
    assert_eq!(workflows, [theirs.clone(), theirs, ("ai".to_owned(), true)]);
    admin
        .execute("DELETE FROM dagda_orchestrator.workflows WHERE name = 'twice'")
        .await
        .unwrap();
    assert_equal(state.path(), &mut admin).await;

    forwarding.shut_down().await;
    store.close().await;
    drop(store);
    assert_eq!(watching.await.unwrap(), 2, "rows were sent again");
}

/// Tables may be large, or be read by somebody: that is no reason to give up and begin again.
#[tokio::test]
async fn mariadb_may_take_its_time_for_a_migration() {
    let server = MariaDb::start().await;
    mirror_of_schema_1(&server).await;
    let mut reader = server.admin().await;
    reader
        .execute("LOCK TABLES dagda_orchestrator.pods READ")
        .await
        .unwrap();
    let state = tempfile::tempdir().unwrap();
    schema_1(state.path()).await.close().await.unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    // Longer than a MariaDB that does not answer is waited for.
    let mut mirror = store.mirror();
    let given_up = mirror.wait_for(|status| status.link != MirrorLink::Connecting);
    let waited = tokio::time::timeout(Duration::from_secs(12), given_up).await;
    assert!(waited.is_err(), "{:?}", store.mirror().borrow().clone());
    reader.execute("UNLOCK TABLES").await.unwrap();
    in_step(&store).await;
    forwarding.shut_down().await;
}
