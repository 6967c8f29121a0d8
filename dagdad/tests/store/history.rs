//! The host's past: thinning and reading.

use std::time::Duration;

use dagdad::ports::{Record, Store as _};
use dagdad::store::{LocalStore, StoreOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::Executor as _;

use crate::records::{EPOCH, at, open, options, sample};
use crate::tables::{count, sqlite};

const DAY: i64 = 86_400;

async fn commit_samples(store: &LocalStore, samples: impl IntoIterator<Item = (i64, f64)>) {
    let records: Vec<_> = samples
        .into_iter()
        .map(|(second, cpu)| Record::Sample(Box::new(sample(at(second), cpu))))
        .collect();
    store.commit(&records).await.unwrap();
}

/// The cost of an answer is the number of rows that it reads, so that is what is held here.
#[tokio::test]
async fn a_month_of_five_second_samples_becomes_a_few_thousand_rows() {
    let state = tempfile::tempdir().unwrap();
    let store = LocalStore::open(StoreOptions {
        retention: Duration::from_secs(31 * DAY.unsigned_abs()),
        ..options(state.path(), None)
    })
    .await
    .unwrap();
    // 30 days, CPU 0 to 99 in turn, one sample each 5 s.
    let mut local = sqlite(state.path()).await;
    let insert = format!(
        "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 518399)
         INSERT INTO system_resources SELECT printf('%036d', n), ({EPOCH} + n * 5) * 1000000, 0, 1,
            n % 100, 0, 0, 0, n % 100, 1, 1, n, 0, 0, 0, 40, NULL, n % 100, NULL, NULL,
            '[{{\"name\":\"llama\",\"cpu_percent\":3.5,\"ram_bytes\":100}}]' FROM n"
    );
    local.execute(sqlx::AssertSqlSafe(insert)).await.unwrap();
    let now = 30 * DAY;
    store.tidy(at(now)).await.unwrap();

    let of = |tier: i64| format!("system_resources WHERE resolution_seconds = {tier}");
    assert_eq!(count(&mut local, &of(0)).await, 6 * 3600 / 5);
    assert_eq!(count(&mut local, &of(60)).await, 48 * 60 - 1); // the last one is not settled
    assert_eq!(count(&mut local, &of(600)).await, 30 * 24 * 6 - 1);

    let points = store.history(at(0), at(now), 120).await.unwrap();
    assert_eq!(points.len(), 120);
    assert_eq!(points[0].at, at(0));
    for point in &points {
        assert!((point.cpu_percent - 49.5).abs() < 0.5, "{point:?}");
        assert!((point.memory_pressure - 99.0).abs() < 1e-9, "{point:?}");
    }
    // The present is there, in every resolution.
    for (since, expected) in [
        (0, 120),
        (now - DAY, 120),
        (now - 3600, 120),
        (now - 60, 12),
    ] {
        let points = store.history(at(since), at(now), 120).await.unwrap();
        assert_eq!(points.len(), expected);
        assert!(points.last().unwrap().at >= at(now - (now - since) / 100 - 600));
    }

    // Again, half an hour on, and nothing changes but what is new.
    store.tidy(at(now + 1800)).await.unwrap();
    assert_eq!(count(&mut local, &of(60)).await, 48 * 60 - 30);
    assert_eq!(count(&mut local, &of(600)).await, 30 * 24 * 6);

    // Each tier is a range of the index, never a scan of the table.
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT cpu_usage FROM system_resources
         WHERE resolution_seconds = 600 AND timestamp > ? AND timestamp <= ?",
    )
    .fetch_all(&mut local)
    .await
    .unwrap();
    assert!(
        plan[0].3.contains("USING INDEX system_resources_by_time"),
        "{plan:?}"
    );
}

/// Where tiers meet there is no gap and no overlap, whatever resolution is asked for.
#[tokio::test]
async fn every_sample_counts_once() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let (length, every) = (3 * DAY, 30);
    let mut now = 0;
    for hour in 0..length / 3600 {
        let first = hour * 3600;
        commit_samples(&store, (first..first + 3600).step_by(30).map(|s| (s, 10.0))).await;
        now = first + 3600;
        store.tidy(at(now)).await.unwrap();
    }
    // Rows, each in a step of its own: what is kept of each tier, and the rest coarser.
    let minutes_from = (now - 48 * 3600) / 600 * 600;
    let samples_from = (now - 6 * 3600) / 60 * 60;
    let settled = |tier: i64| (now - 30) / tier * tier;
    for (step, expected) in [
        (
            30,
            minutes_from / 600 + (samples_from - minutes_from) / 60 + (now - samples_from) / every,
        ),
        (
            60,
            minutes_from / 600 + (settled(60) - minutes_from) / 60 + (now - settled(60)) / 60,
        ),
        (600, settled(600) / 600 + (now - settled(600)) / 600),
    ] {
        let points = u32::try_from(now / step).unwrap();
        let history = store.history(at(0), at(now), points).await.unwrap();
        assert_eq!(
            i64::try_from(history.len()).unwrap(),
            expected,
            "step {step}"
        );
        assert!(history.is_sorted_by(|a, b| a.at < b.at), "step {step}");
    }
}

#[tokio::test]
async fn a_clock_that_was_wrong_for_a_while_does_no_lasting_harm() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    // Before the clock was set: 1970, and far ahead.
    store
        .commit(&[
            Record::Sample(Box::new(sample(
                "1970-01-01T00:00:10Z".parse().unwrap(),
                90.0,
            ))),
            Record::Sample(Box::new(sample(at(400 * DAY), 90.0))),
        ])
        .await
        .unwrap();
    for minute in 0..60 {
        commit_samples(&store, (0..60).step_by(5).map(|s| (minute * 60 + s, 20.0))).await;
        store.tidy(at(minute * 60 + 60)).await.unwrap();
    }
    let history = store.history(at(0), at(3600), 6).await.unwrap();
    assert_eq!(history.len(), 6);
    assert!(
        history
            .iter()
            .all(|point| (point.cpu_percent - 20.0).abs() < 1e-9),
        "{history:?}"
    );
}

#[tokio::test]
async fn edges_of_a_question() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    assert_eq!(store.history(at(0), at(60), 10).await.unwrap(), []);
    commit_samples(&store, [(0, 1.0), (30, 3.0), (60, 5.0)]).await;
    assert_eq!(store.history(at(0), at(60), 0).await.unwrap(), []);
    assert_eq!(store.history(at(60), at(60), 5).await.unwrap(), []);
    let one = store.history(at(0), at(60), 1).await.unwrap();
    assert_eq!(one.len(), 1);
    assert!((one[0].cpu_percent - 3.0).abs() < 1e-9);
    assert_eq!(one[0].at, at(0));
    assert_eq!(
        store.history(at(0), at(60), 1_000_000).await.unwrap().len(),
        3
    );
}

/// Means and highest values over stretches, however samples and tidying were interleaved,
/// against the same computed from the samples.
#[test]
fn stretches_have_the_means_of_their_samples() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let strategy =
        prop::collection::vec((1..900i64, 0..10_000u32, prop::bool::weighted(0.2)), 1..120);
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |steps| {
            runtime.block_on(async {
                let state = tempfile::tempdir().unwrap();
                let store = open(state.path(), None).await;
                let (mut now, mut samples) = (0, Vec::new());
                for (pause, centipercent, tidy) in steps {
                    now += pause;
                    now += i64::from(now % 600 == 0); // bounds belong to both sides
                    let cpu = f64::from(centipercent) / 100.0;
                    commit_samples(&store, [(now, cpu)]).await;
                    samples.push((now, cpu));
                    if tidy {
                        store.tidy(at(now)).await.unwrap();
                        store.tidy(at(now)).await.unwrap();
                    }
                }
                let until = (now / 600 + 1) * 600;
                for stretch in [600, 3600, until] {
                    let points = u32::try_from(until / stretch).unwrap();
                    let until = i64::from(points) * stretch;
                    let history = store.history(at(0), at(until), points).await.unwrap();
                    let mut expected: Vec<(f64, f64)> = Vec::new();
                    for begin in (0..until).step_by(usize::try_from(stretch).unwrap()) {
                        let last = begin + stretch == until;
                        let within: Vec<f64> = samples
                            .iter()
                            .filter(|(s, _)| {
                                *s >= begin && (*s < begin + stretch || last && *s == until)
                            })
                            .map(|&(_, cpu)| cpu)
                            .collect();
                        if !within.is_empty() {
                            let mean = within.iter().sum::<f64>() / within.len() as f64;
                            let highest = within.iter().copied().fold(0.0, f64::max);
                            expected.push((mean, highest / 2.0));
                        }
                    }
                    prop_assert_eq!(history.len(), expected.len());
                    for (point, (mean, highest)) in history.iter().zip(expected) {
                        prop_assert!((point.cpu_percent - mean).abs() < 0.011, "{point:?} {mean}");
                        prop_assert!((point.memory_pressure - highest).abs() < 0.006);
                        let ram = 8e9 + point.cpu_percent * 1e7;
                        prop_assert!((point.ram_used.0 as f64 - ram).abs() < 0.02 * 1e7);
                    }
                }
                Ok(())
            })
        })
        .unwrap();
}

/// What each pod used is rolled up with the host.
#[tokio::test]
async fn pods_are_rolled_up_too() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let mut lonely = sample(at(50), 40.0);
    lonely.sample.pods.truncate(1);
    commit_samples(&store, [(0, 10.0), (10, 20.0)]).await;
    store
        .commit(&[Record::Sample(Box::new(lonely))])
        .await
        .unwrap();
    store.tidy(at(120)).await.unwrap();
    let mut local = sqlite(state.path()).await;
    let pods: String = sqlx::query_scalar(
        "SELECT active_pods FROM system_resources WHERE resolution_seconds = 60",
    )
    .fetch_one(&mut local)
    .await
    .unwrap();
    assert_eq!(
        pods,
        r#"[{"name":"llama","cpu_percent":23.33,"ram_bytes":8233333333,"samples":3},{"name":"n8n","cpu_percent":0.0,"ram_bytes":0,"samples":2}]"#
    );
}
