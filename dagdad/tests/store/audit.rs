//! Who asked for what: as it was, in both databases, and to its end.

use std::time::Duration;

use dagdad::domain::audit::{AuditEntry, AuditOutcome, AuditQuery};
use dagdad::domain::operation::OperationId;
use dagdad::ports::{Record, Store as _};
use dagdad::store::{LocalStore, StoreOptions};
use rstest::rstest;
use sqlx::{Executor as _, MySqlConnection};
use uuid::Uuid;

use crate::mariadb::MariaDb;
use crate::records::{Forwarding, asked, at, in_step, open, options, put_audit, start};
use crate::tables::{assert_equal, count, sqlite};

const ALL: AuditQuery = AuditQuery {
    since: None,
    user: None,
    object: None,
    denied: false,
    limit: u32::MAX,
};

/// One of each outcome, oldest first; users and processes that nobody can name among them.
pub fn entries() -> Vec<AuditEntry> {
    let outcomes = (0..).zip(AuditOutcome::ALL);
    let mut entries: Vec<AuditEntry> = outcomes
        .map(|(n, outcome)| {
            let object = (n % 2 == 0).then_some("llama");
            asked(at(n), "pods start", object).ended(outcome, "it's \"llama\"\n\\ 🦙")
        })
        .collect();
    entries[1].operation = Some(OperationId(Uuid::now_v7()));
    entries[2].user = None;
    entries[2].pid = None;
    entries[3].uid = u32::MAX;
    "apply".clone_into(&mut entries[4].verb);
    entries[4].object = Some("llama-2, n8n".to_owned());
    entries
}

async fn commit(store: &LocalStore, entries: &[AuditEntry]) {
    let records: Vec<Record> = entries.iter().map(put_audit).collect();
    store.commit(&records).await.unwrap();
}

fn newest_first(entries: &[AuditEntry]) -> Vec<AuditEntry> {
    entries.iter().rev().cloned().collect()
}

async fn outcomes(mariadb: &mut MySqlConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT CAST(outcome AS CHAR), message FROM dagda_orchestrator.audit ORDER BY uuid",
    )
    .fetch_all(mariadb)
    .await
    .unwrap()
}

#[tokio::test]
async fn it_comes_back_as_it_was() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let entries = entries();
    commit(&store, &entries).await;
    assert_eq!(store.audit(&ALL).await.unwrap(), newest_first(&entries));
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    let rejected = count(&mut sqlite(state.path()).await, "outbox_rejected").await;
    assert_eq!(rejected, 0);
    forwarding.shut_down().await;
}

#[tokio::test]
async fn it_is_asked_by_time_user_object_and_denial() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let entries = entries();
    commit(&store, &entries).await;
    let find = async |query: AuditQuery| {
        let found = store.audit(&query).await.unwrap();
        let place = |entry: &AuditEntry| entries.iter().position(|one| one.id == entry.id);
        found.iter().filter_map(place).collect::<Vec<_>>()
    };
    let by = |user: &str| AuditQuery {
        user: Some(user.to_owned()),
        ..ALL
    };
    let of = |object: &str| AuditQuery {
        object: Some(object.to_owned()),
        ..ALL
    };
    let since = Some(at(2));
    assert_eq!(find(AuditQuery { since, ..ALL }).await, [5, 4, 3]);
    assert_eq!(find(AuditQuery { limit: 2, ..ALL }).await, [5, 4]);
    assert_eq!(
        find(AuditQuery {
            denied: true,
            ..ALL
        })
        .await,
        [5]
    );
    assert_eq!(find(by("anna")).await, [5, 4, 3, 1, 0]);
    assert_eq!(find(by("1000")).await, [5, 4, 2, 1, 0]);
    assert_eq!(find(by("4294967295")).await, [3]);
    assert_eq!(find(by("ann")).await, [0; 0]);
    // One of several objects, by its whole name.
    assert_eq!(find(of("llama")).await, [2, 0]);
    assert_eq!(find(of("llama-2")).await, [4]);
    assert_eq!(find(of("n8n")).await, [4]);
    assert_eq!(find(of("%")).await, [0; 0]);
}

/// What has come to its end stays there, however late a write of an earlier stage comes.
#[rstest]
#[case(AuditOutcome::Accepted, AuditOutcome::Asked, AuditOutcome::Accepted)]
#[case(AuditOutcome::Asked, AuditOutcome::Accepted, AuditOutcome::Accepted)]
#[case(AuditOutcome::Accepted, AuditOutcome::Failed, AuditOutcome::Failed)]
#[case(AuditOutcome::Done, AuditOutcome::Accepted, AuditOutcome::Done)]
#[case(AuditOutcome::Failed, AuditOutcome::Asked, AuditOutcome::Failed)]
#[tokio::test]
async fn it_goes_one_way(
    #[case] first: AuditOutcome,
    #[case] then: AuditOutcome,
    #[case] expected: AuditOutcome,
) {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let entry = asked(at(0), "pods start", Some("llama"));
    for outcome in [first, then] {
        commit(&store, &[entry.clone().ended(outcome, "")]).await;
    }
    let found = store.audit(&ALL).await.unwrap();
    assert_eq!(found, [entry.ended(expected, "")]);
}

/// An operation that another dagdad accepted ends, and so does what was asked of it, by however
/// many; what its own dagdad said of its end stays.
#[rstest]
#[case("done", "done", "")]
#[case("pod_failed", "failed", "pod_failed")]
#[tokio::test]
async fn it_ends_with_its_operation(
    #[case] outcome: &str,
    #[case] expected: &str,
    #[case] message: &str,
) {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let intent = start("llama", at(0));
    let of_it = |stage| AuditEntry {
        operation: Some(intent.id),
        ..asked(at(0), "pods start", Some("llama")).ended(stage, "")
    };
    let entries = [
        of_it(AuditOutcome::Accepted),
        of_it(AuditOutcome::Asked),
        of_it(AuditOutcome::Accepted).ended(AuditOutcome::Failed, "llama ended: oh no"),
        asked(at(0), "pods start", Some("llama")),
    ];
    store
        .commit(&[Record::OpenIntent(intent.clone())])
        .await
        .unwrap();
    commit(&store, &entries).await;
    in_step(&store).await;
    store
        .commit(&[Record::CloseIntent {
            id: intent.id,
            at: at(1),
            outcome: outcome.to_owned(),
        }])
        .await
        .unwrap();
    in_step(&store).await;
    let ended = |outcome: &str, message: &str| (outcome.to_owned(), message.to_owned());
    let mut admin = server.admin().await;
    assert_eq!(
        outcomes(&mut admin).await,
        [
            ended(expected, message),
            ended(expected, message),
            ended("failed", "llama ended: oh no"),
            ended("asked", "")
        ]
    );
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// Whatever became of it since: it goes from both databases, by when it was asked.
#[tokio::test]
async fn it_is_kept_for_as_long_as_it_is_told() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = LocalStore::open(StoreOptions {
        audit_retention: Duration::from_secs(100),
        ..options(state.path(), Some(server.options()))
    })
    .await
    .unwrap();
    let forwarding = Forwarding::of(&store);
    let (old, young) = (asked(at(9), "apply", None), asked(at(10), "apply", None));
    commit(&store, &[old.clone(), young.clone()]).await;
    in_step(&store).await;
    commit(&store, &[old.ended(AuditOutcome::Done, "")]).await;
    store.tidy(at(110)).await.unwrap();
    assert_eq!(store.audit(&ALL).await.unwrap(), [young]);
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_eq!(outcomes(&mut admin).await.len(), 1);
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

#[rstest]
#[case("outcome = 'shrugged'", r#"audit.outcome holds "shrugged""#)]
#[case("uid = -1", r#"audit.uid holds "-1""#)]
#[case("pid = 4294967296", r#"audit.pid holds "4294967296""#)]
#[case("operation = 'x'", r#"audit.operation holds "x""#)]
#[case("uuid = 'x'", r#"audit.uuid holds "x""#)]
#[tokio::test]
async fn what_was_never_written_is_refused(#[case] change: &str, #[case] expected: &str) {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    commit(&store, &[asked(at(0), "apply", None)]).await;
    let sql = format!("PRAGMA ignore_check_constraints = ON; UPDATE audit SET {change}");
    let mut local = sqlite(state.path()).await;
    local.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    let error = store.audit(&ALL).await.unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}
