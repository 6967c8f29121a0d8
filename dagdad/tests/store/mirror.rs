//! Rows reach MariaDB: all of them, once, whatever happens on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dagdad::domain::catalogue::Digest;
use dagdad::domain::event::EventQuery;
use dagdad::domain::footprint::PodRun;
use dagdad::domain::run::Phase;
use dagdad::domain::state::PodStatus;
use dagdad::ports::{MirrorLink, Record, Store as _};
use dagdad::store::{LocalStore, MariaDbOptions};
use secrecy::SecretString;

use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, at, event, in_step, open, pod, pod_run, put, put_pod_run, put_run, run, sample,
    start, wait_for,
};
use crate::tables::{assert_equal, count, sqlite};

/// One story, told to both databases.
#[tokio::test]
async fn the_story_reads_the_same_in_both_databases() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);

    // A catalogue of two pods whose names differ in case only; one is started.
    let (mut llama, lower) = (pod("Llama"), pod("llama"));
    let intent = start("Llama", at(1));
    store
        .commit(&[put(&llama), put(&lower), Record::OpenIntent(intent.clone())])
        .await
        .unwrap();
    let restored = store.load().await.unwrap();
    assert_eq!(restored.pods, [llama.clone(), lower.clone()]);
    assert_eq!(restored.intents, std::slice::from_ref(&intent));

    llama.status = PodStatus::Error;
    llama.message = None;
    llama.started_digest = None;
    llama.port = None;
    llama.updated_at = at(2);
    let failed = event(at(2), Some("Llama"), "Llama ended: exit code 1");
    store
        .commit(&[
            put(&llama),
            Record::CloseIntent {
                id: intent.id,
                at: at(2),
                outcome: "pod_failed".into(),
            },
            Record::Event(failed.clone()),
        ])
        .await
        .unwrap();

    // The other one goes, and another takes its name.
    let successor = pod("llama");
    store
        .commit(&[Record::DeletePod(lower.id), put(&successor)])
        .await
        .unwrap();
    let restored = store.load().await.unwrap();
    assert_eq!(restored.pods, [llama, successor]);
    assert_eq!(restored.intents, []);

    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;

    let query = EventQuery {
        object: Some("Llama".into()),
        limit: 10,
        ..EventQuery::default()
    };
    assert_eq!(store.events(&query).await.unwrap(), [failed]);
}

/// The story's second half: what is measured is thinned out and dropped, in both.
#[tokio::test]
async fn thinning_reads_the_same_in_both_databases() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);

    // Two hours of samples and events, tidied now and then.
    for minute in 0..120 {
        let records: Vec<Record> = (0..6)
            .map(|n| {
                Record::Sample(Box::new(sample(
                    at(minute * 60 + n * 10),
                    (minute % 97) as f64,
                )))
            })
            .chain([Record::Event(event(at(minute * 60), None, "tick"))])
            .collect();
        store.commit(&records).await.unwrap();
        if minute % 7 == 0 {
            store.tidy(at(minute * 60)).await.unwrap();
        }
    }
    store.tidy(at(7200)).await.unwrap();
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;

    // Much later everything but the last is thinned out, in both.
    store.tidy(at(7 * 3600 + 7200)).await.unwrap();
    in_step(&store).await;
    let mut local = sqlite(state.path()).await;
    assert_eq!(
        count(&mut local, "system_resources WHERE resolution_seconds = 0").await,
        0
    );
    assert_eq!(
        count(&mut local, "system_resources WHERE resolution_seconds = 60").await,
        120
    );
    assert_eq!(
        count(
            &mut local,
            "system_resources WHERE resolution_seconds = 600"
        )
        .await,
        12
    );
    assert_equal(state.path(), &mut admin).await;

    let newest = store
        .events(&EventQuery {
            limit: 2,
            ..EventQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(
        newest.iter().map(|event| event.at).collect::<Vec<_>>(),
        [at(118 * 60), at(119 * 60)]
    );

    store.tidy(at(31 * 86_400)).await.unwrap();
    in_step(&store).await;
    assert_eq!(count(&mut local, "events").await, 0);
    assert_eq!(count(&mut local, "system_resources").await, 0);
    assert_eq!(count(&mut local, "intents").await, 0);
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// Commits batches of records until told to stop. Returns how many events it wrote.
fn load(store: &LocalStore, stop: &Arc<AtomicBool>) -> tokio::task::JoinHandle<i64> {
    let (store, stop) = (store.clone(), Arc::clone(stop));
    tokio::spawn(async move {
        let mut subject = pod("subject");
        let mut round = 0;
        while !stop.load(Ordering::Relaxed) {
            subject.updated_at = at(round);
            let mut records = vec![
                put(&subject),
                Record::Sample(Box::new(sample(at(round), 10.0))),
                Record::Event(event(at(round), Some("subject"), &format!("round {round}"))),
            ];
            let passing = pod(&format!("passing-{round}"));
            records.push(put(&passing));
            if round % 2 == 0 {
                records.push(Record::DeletePod(passing.id));
            }
            store.commit(&records).await.unwrap();
            round += 1;
            if round % 50 == 0 {
                store.tidy(at(round)).await.unwrap();
            }
        }
        round
    })
}

/// MariaDB goes away under load, more than once, in order and not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_mariadb_goes_away() {
    let mut server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let stop = Arc::new(AtomicBool::new(false));
    let writing = load(&store, &stop);

    for round in 0..4 {
        wait_for(&store, |status| status.link == MirrorLink::Connected).await;
        if round % 2 == 0 {
            server.stop().await;
        } else {
            server.kill().await;
        }
        // It is away for as long as it takes to commit some more.
        wait_for(&store, |status| {
            status.outbox > 200 && matches!(status.link, MirrorLink::Disconnected { .. })
        })
        .await;
        server.start_again().await;
    }
    wait_for(&store, |status| status.link == MirrorLink::Connected).await;
    stop.store(true, Ordering::Relaxed);
    let rounds = writing.await.unwrap();
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    assert_eq!(
        count(&mut sqlite(state.path()).await, "events").await,
        rounds
    );
    forwarding.shut_down().await;
}

/// A server that hangs holds up nothing here, and a new start goes on where the last ended.
#[tokio::test]
async fn a_hung_mariadb_delays_no_commit_and_no_shutdown() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    store.commit(&[put(&pod("a"))]).await.unwrap();
    in_step(&store).await;

    server.signal("STOP");
    for n in 0..300 {
        store
            .commit(&[Record::Event(event(at(n), None, "meanwhile"))])
            .await
            .unwrap();
    }
    assert_eq!(
        store
            .events(&EventQuery {
                limit: 1000,
                ..EventQuery::default()
            })
            .await
            .unwrap()
            .len(),
        300
    );
    forwarding.shut_down().await;
    store.close().await;
    server.signal("CONT");

    let store = open(state.path(), Some(server.options())).await;
    assert!(
        store.mirror().borrow().outbox > 0,
        "what was not acknowledged waits"
    );
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

/// A clean shutdown takes along what was just committed.
#[tokio::test]
async fn a_shutdown_sends_what_is_left() {
    // In the second that it has there is to be no waiting for a disk that others keep busy.
    let server = MariaDb::start_with(&["--innodb-flush-log-at-trx-commit=0"]).await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    // A shutdown waits for a second at most: it is not to make the tables in it.
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    forwarding.shut_down().await;
    let records: Vec<_> = (0..30)
        .map(|n| Record::Event(event(at(n), None, "e")))
        .collect();
    store.commit(&records).await.unwrap();
    let forwarding = Forwarding::of(&store);
    forwarding.shut_down().await;
    assert_eq!(store.mirror().borrow().outbox, 0);
    assert_equal(state.path(), &mut server.admin().await).await;
}

/// A row that MariaDB cannot store is set aside; what comes behind it goes through.
#[tokio::test]
async fn a_row_that_mariadb_refuses_does_not_block_the_others() {
    let server = MariaDb::start_with(&["--max-allowed-packet=1M"]).await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let mut large = pod("large");
    large.manifest.text = "#".repeat(2 << 20);
    large.manifest.digest = Digest::of(&large.manifest.text);
    let poison = event(
        "2045-01-01T00:00:00Z".parse().unwrap(),
        None,
        "after MariaDB's last time",
    );
    let long = event(at(1), Some(&"x".repeat(300)), "an object with a long name");
    store
        .commit(&[
            put(&pod("before")),
            Record::Event(poison.clone()),
            put(&large),
            Record::Event(long),
            put(&pod("behind")),
        ])
        .await
        .unwrap();
    in_step(&store).await;

    let mut local = sqlite(state.path()).await;
    assert_eq!(count(&mut local, "outbox_rejected").await, 3);
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM dagda_orchestrator.pods ORDER BY name")
            .fetch_all(&mut server.admin().await)
            .await
            .unwrap();
    assert_eq!(names, ["before", "behind"]);

    // A row that is mended goes through and is forgotten among the refused ones.
    large.manifest.text = "#".into();
    large.manifest.digest = Digest::of(&large.manifest.text);
    store.commit(&[put(&large)]).await.unwrap();
    in_step(&store).await;
    assert_eq!(count(&mut local, "outbox_rejected").await, 2);
    forwarding.shut_down().await;
    store.close().await;

    // The next start tries the others again.
    let store = open(state.path(), Some(server.options())).await;
    assert_eq!(store.mirror().borrow().outbox, 2);
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    assert_eq!(count(&mut local, "outbox_rejected").await, 2);
    forwarding.shut_down().await;
}

/// While MariaDB is away the outbox is no longer than the tables.
#[tokio::test]
async fn the_outbox_does_not_outgrow_the_tables() {
    let state = tempfile::tempdir().unwrap();
    let nowhere = MariaDbOptions {
        host: "127.0.0.1".into(),
        port: 1,
        socket: None,
        user: "dagda_api".into(),
        password: SecretString::from(""),
        database: "dagda_orchestrator".into(),
    };
    let store = open(state.path(), Some(nowhere)).await;
    let mut subject = pod("subject");
    let mut going = run("ai", at(0), Phase::Queued);
    for n in 0..200 {
        subject.updated_at = at(n);
        going.ready_at = Some(at(n));
        store
            .commit(&[
                put(&subject),
                put_run(&going),
                Record::Sample(Box::new(sample(at(n * 300), 1.0))),
            ])
            .await
            .unwrap();
        store.tidy(at(n * 300)).await.unwrap();
    }
    let mut local = sqlite(state.path()).await;
    let rows = count(&mut local, "system_resources").await + 2;
    let waiting = count(&mut local, "outbox").await;
    // One entry for each row and each pruned tier, and those of the first full sync.
    assert!(waiting <= rows + 10, "{waiting} entries for {rows} rows");
    assert_eq!(
        i64::try_from(store.mirror().borrow().outbox).unwrap(),
        waiting
    );

    // Of what can change, what was dropped waits too, each row once.
    let lives: Vec<PodRun> = (0..30).map(|n| pod_run("llama", at(n))).collect();
    for records in [&lives, &lives] {
        let records: Vec<Record> = records.iter().map(put_pod_run).collect();
        store.commit(&records).await.unwrap();
        store.tidy(at(200 * 300)).await.unwrap();
    }
    assert_eq!(count(&mut local, "pod_runs").await, 20);
    assert_eq!(count(&mut local, "outbox").await, waiting + 30);
    assert_eq!(
        i64::try_from(store.mirror().borrow().outbox).unwrap(),
        waiting + 30
    );
}
