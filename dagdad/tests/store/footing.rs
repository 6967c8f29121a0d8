//! What a connection to MariaDB finds: a new database, an old one, a foreign one, none.

use dagdad::domain::footprint::PodRun;
use dagdad::domain::run::{Phase, Run};
use dagdad::ports::{MirrorLink, Record, Store as _};
use rstest::rstest;
use sqlx::Executor as _;

use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, alert, at, event, in_step, open, pod, pod_run, put, put_alert, put_pod_run,
    put_run, put_workflow, run, sample, wait_for, workflow,
};
use crate::tables::{MIRRORED, assert_equal, count, sqlite};

/// MariaDB is configured, taken out of the configuration, and configured again.
#[tokio::test]
async fn mariadb_may_be_configured_later() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();

    let store = open(state.path(), None).await;
    assert!(
        store
            .forward(tokio_util::sync::CancellationToken::new())
            .is_none()
    );
    let (kept, removed) = (pod("kept"), pod("removed"));
    let (stays, leaves) = (workflow("stays"), workflow("leaves"));
    let queued = run("stays", at(0), Phase::Queued);
    let ended = PodRun {
        ended_at: Some(at(9)),
        ..pod_run("kept", at(0))
    };
    store
        .commit(&[
            put(&kept),
            put(&removed),
            put_workflow(&stays),
            put_workflow(&leaves),
            put_run(&queued),
            put_pod_run(&ended),
            put_pod_run(&pod_run("kept", at(10))),
            put_alert(&alert("kept", at(9))),
            Record::Event(event(at(0), None, "before")),
            Record::Sample(Box::new(sample(at(0), 1.0))),
        ])
        .await
        .unwrap();
    let status = store.mirror().borrow().clone();
    assert_eq!((status.link, status.outbox), (MirrorLink::Disabled, 0));
    store.close().await;

    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
    store.close().await;

    let store = open(state.path(), None).await;
    let running = Run {
        phase: Phase::Running,
        ..queued
    };
    store
        .commit(&[
            Record::DeletePod(removed.id),
            put(&pod("new")),
            Record::DeleteWorkflow(leaves.id),
            put_workflow(&workflow("new")),
            put_run(&running),
        ])
        .await
        .unwrap();
    // The life that ended goes, and the event and the sample with it.
    store.tidy(at(31 * 86_400)).await.unwrap();
    store.close().await;

    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    for (table, expected) in MIRRORED.into_iter().zip([2, 2, 1, 1, 1, 0, 0]) {
        let rows = count(&mut sqlite(state.path()).await, table).await;
        assert_eq!(rows, expected, "{table}");
    }
    forwarding.shut_down().await;
}

/// The database is dropped, and put back to an earlier state, while dagdad runs.
#[tokio::test]
async fn a_new_or_restored_database_gets_every_row_again() {
    let mut server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    store
        .commit(&[put(&pod("a")), put(&pod("b"))])
        .await
        .unwrap();
    in_step(&store).await;

    server
        .admin()
        .await
        .execute("DROP DATABASE dagda_orchestrator")
        .await
        .unwrap();
    store.commit(&[put(&pod("c"))]).await.unwrap();
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;

    // As if a backup had been played back that knows an earlier entry and another pod.
    server
        .admin()
        .await
        .execute(
            "DELETE FROM dagda_orchestrator.pods WHERE name = 'a';
             UPDATE dagda_orchestrator.pods SET name = 'old' WHERE name = 'b';
             INSERT INTO dagda_orchestrator.pods (name, category) VALUES ('gone', 'optional');
             UPDATE dagda_orchestrator.mirror_source SET last_seq = 1;",
        )
        .await
        .unwrap();
    server.stop().await;
    server.start_again().await;
    store.commit(&[put(&pod("d"))]).await.unwrap();
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

/// Tables made by hand from the project's first plan are taken over with their rows.
#[tokio::test]
async fn the_first_plans_tables_are_widened() {
    let server = MariaDb::start().await;
    let mut admin = server.admin().await;
    admin
        .execute(
            "CREATE DATABASE dagda_orchestrator; USE dagda_orchestrator;
             CREATE TABLE pods (
                id INT AUTO_INCREMENT PRIMARY KEY,
                name VARCHAR(50) UNIQUE NOT NULL,
                category ENUM('essential', 'optional') NOT NULL,
                status ENUM('stopped', 'starting', 'running', 'stopping', 'error') DEFAULT 'stopped',
                port INT,
                cpu_limit DECIMAL(3,1) DEFAULT 1.0,
                ram_limit INT DEFAULT 512,
                current_cpu DECIMAL(5,2) DEFAULT 0.00,
                current_ram INT DEFAULT 0,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
             INSERT INTO pods (name, category) VALUES ('llama', 'essential'), ('theirs', 'optional');",
        )
        .await
        .unwrap();
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let llama = pod("llama");
    store.commit(&[put(&llama)]).await.unwrap();
    in_step(&store).await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, uuid FROM dagda_orchestrator.pods ORDER BY name")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    assert_eq!(rows.len(), 2, "the row that dagdad does not know stays");
    assert_eq!(rows[0], ("llama".to_owned(), llama.id.to_string()));
    assert_eq!(rows[1].0, "theirs");
    forwarding.shut_down().await;
}

/// Nothing is written where a later dagdad has been.
#[tokio::test]
async fn a_newer_schema_in_mariadb_is_left_alone() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    forwarding.shut_down().await;
    let mut admin = server.admin().await;
    admin
        .execute(
            "INSERT INTO dagda_orchestrator._sqlx_migrations
                (version, description, success, checksum, execution_time)
             VALUES (999, 'later', TRUE, '', 0)",
        )
        .await
        .unwrap();

    let forwarding = Forwarding::of(&store);
    store.commit(&[put(&pod("a"))]).await.unwrap();
    let status = wait_for(&store, |status| {
        matches!(status.link, MirrorLink::Disconnected { .. })
    })
    .await;
    let MirrorLink::Disconnected { reason, .. } = status.link else {
        unreachable!()
    };
    assert!(
        reason.contains("schema 999") && reason.contains("newer dagdad"),
        "{reason}"
    );
    assert_eq!(status.outbox, 1);
    for table in MIRRORED {
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM dagda_orchestrator.{table}"
        )))
        .fetch_one(&mut admin)
        .await
        .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    forwarding.crash().await;
}

/// A table is out of reach for a while: connections succeed, rows do not go through.
#[tokio::test]
async fn a_missing_table_is_named_and_got_over() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let mut admin = server.admin().await;
    admin
        .execute("RENAME TABLE dagda_orchestrator.pods TO dagda_orchestrator.away")
        .await
        .unwrap();

    store.commit(&[put(&pod("a"))]).await.unwrap();
    let status = wait_for(&store, |status| {
        matches!(status.link, MirrorLink::Disconnected { .. })
    })
    .await;
    let MirrorLink::Disconnected { reason, since } = status.link else {
        unreachable!()
    };
    assert!(
        reason.contains("refused") && reason.contains("dagda_orchestrator.pods"),
        "{reason}"
    );

    admin
        .execute("RENAME TABLE dagda_orchestrator.away TO dagda_orchestrator.pods")
        .await
        .unwrap();
    let mut seen = Vec::new();
    wait_for(&store, |status| {
        seen.push(status.link.clone());
        status.link == MirrorLink::Connected
    })
    .await;
    assert!(
        seen.iter().rev().skip(1).all(|link| matches!(link,
        MirrorLink::Disconnected { since: from, .. } if *from == since)),
        "{seen:?}"
    );
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// A migration that was cut off half way is done again, with the rows that came before it.
#[rstest]
#[case(
    "UPDATE dagda_orchestrator._sqlx_migrations SET success = FALSE WHERE version = 2;
    DELETE FROM dagda_orchestrator._sqlx_migrations WHERE version = 3;
    ALTER TABLE dagda_orchestrator.system_resources DROP COLUMN io_pressure;
    DROP TABLE dagda_orchestrator.mirror_source;"
)]
#[case(
    "UPDATE dagda_orchestrator._sqlx_migrations SET success = FALSE WHERE version = 3;
    ALTER TABLE dagda_orchestrator.workflows DROP INDEX name, DROP COLUMN manifest_digest;
    DROP TABLE dagda_orchestrator.pod_runs;"
)]
#[tokio::test]
async fn a_migration_that_was_cut_off_is_done_again(#[case] cut_off: &'static str) {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let (ai, run) = (workflow("ai"), run("ai", at(0), Phase::Running));
    store
        .commit(&[put_workflow(&ai), put_run(&run)])
        .await
        .unwrap();
    in_step(&store).await;
    forwarding.crash().await;
    server.admin().await.execute(cut_off).await.unwrap();
    let forwarding = Forwarding::of(&store);
    store
        .commit(&[
            Record::Sample(Box::new(sample(at(0), 5.0))),
            // Its digest was lost with the column, which a real cut-off would not have made yet.
            put_workflow(&ai),
            put_pod_run(&pod_run("llama", at(0))),
        ])
        .await
        .unwrap();
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

/// What a person reads when MariaDB does not let dagdad in, and what he never reads.
#[tokio::test]
async fn refusals_are_explained_without_the_password() {
    const PASSWORD: &str = "correct-horse-battery";
    let server = MariaDb::start().await;
    let mut admin = server.admin().await;
    admin
        .execute("CREATE USER 'dagda_api'@'localhost' IDENTIFIED BY 'correct-horse-battery'")
        .await
        .unwrap();

    for (mariadb, expected) in [
        (
            server.options_for("dagda_api", "wrong-horse"),
            "check the password",
        ),
        (
            server.options_for("dagda_api", PASSWORD),
            "CREATE DATABASE dagda_orchestrator; GRANT ALL",
        ),
    ] {
        let state = tempfile::tempdir().unwrap();
        let store = open(state.path(), Some(mariadb.clone())).await;
        let forwarding = Forwarding::of(&store);
        let status = wait_for(&store, |status| {
            matches!(status.link, MirrorLink::Disconnected { .. })
        })
        .await;
        let MirrorLink::Disconnected { reason, .. } = status.link else {
            unreachable!()
        };
        assert!(reason.contains(expected), "{reason}");
        assert!(!reason.contains('\n'));
        for text in [reason, format!("{mariadb:?}"), format!("{store:?}")] {
            assert!(!text.contains("horse"), "{text}");
        }
        forwarding.crash().await;
    }

    // Once it is granted, the rows go through without a restart.
    let state = tempfile::tempdir().unwrap();
    let store = open(
        state.path(),
        Some(server.options_for("dagda_api", PASSWORD)),
    )
    .await;
    let forwarding = Forwarding::of(&store);
    store.commit(&[put(&pod("a"))]).await.unwrap();
    wait_for(&store, |status| {
        matches!(status.link, MirrorLink::Disconnected { .. })
    })
    .await;
    admin
        .execute("GRANT ALL PRIVILEGES ON dagda_orchestrator.* TO 'dagda_api'@'localhost'")
        .await
        .unwrap();
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}
