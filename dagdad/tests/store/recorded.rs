//! What was recorded of the host and its pods, read back as fine as it is kept.

use std::time::Duration;

use dagdad::domain::economy::RecordedSample;
use dagdad::domain::quantity::Bytes;
use dagdad::ports::{Record, SampleRecord, Store as _, StoreError};
use dagdad::store::LocalStore;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use sqlx::Executor as _;

use crate::records::{EPOCH, at, open, sample};
use crate::tables::sqlite;

const HOUR: i64 = 3_600;
/// [`dagdad::store::StoreOptions::retention`] by default.
const KEPT: i64 = 7 * 24 * HOUR;

async fn commit(store: &LocalStore, samples: &[SampleRecord]) {
    let records: Vec<Record> = (samples.iter().cloned())
        .map(|sample| Record::Sample(Box::new(sample)))
        .collect();
    store.commit(&records).await.unwrap();
}

/// Without `llama`.
fn without(mut sample: SampleRecord) -> SampleRecord {
    sample.sample.pods.retain(|(name, _)| name != "llama");
    sample
}

#[tokio::test]
async fn a_sample_comes_back_as_it_was_measured() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let mut blind = sample(at(5), 20.0);
    blind.sample.host.pressure = None;
    blind.sample.pods.clear();
    commit(&store, &[sample(at(0), 10.0), blind, sample(at(10), 30.0)]).await;
    let recorded = |second, cpu_percent: f64, used| RecordedSample {
        at: at(second),
        resolution: Duration::ZERO,
        cpu_percent,
        ram_total: Bytes::gib(24),
        ram_used: Bytes(used),
        pressure: Some(cpu_percent / 2.0),
        pods: vec![
            ("llama".to_owned(), cpu_percent, Bytes(used)),
            ("n8n".to_owned(), 0.0, Bytes(0)),
        ],
    };
    let expected = [
        recorded(0, 10.0, 8_100_000_000),
        RecordedSample {
            pressure: None,
            pods: vec![],
            ..recorded(5, 20.0, 8_200_000_000)
        },
        recorded(10, 30.0, 8_300_000_000),
    ];
    assert_eq!(store.samples(at(0), at(11)).await.unwrap(), expected);
    // What lies at the end is the next question's.
    assert_eq!(store.samples(at(0), at(10)).await.unwrap(), expected[..2]);
    assert_eq!(store.samples(at(10), at(20)).await.unwrap(), expected[2..]);
    for (since, until) in [(11, 20), (5, 5), (10, 0), (-9, 0)] {
        assert_eq!(store.samples(at(since), at(until)).await.unwrap(), []);
    }
}

/// A pod that was up for a part of the stretch used that part of it on average.
#[tokio::test]
async fn a_pod_counts_for_as_long_as_it_was_there() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let samples = [
        sample(at(0), 20.0),
        sample(at(15), 40.0),
        without(sample(at(30), 60.0)),
        without(sample(at(45), 80.0)),
    ];
    commit(&store, &samples).await;
    store.tidy(at(7 * HOUR)).await.unwrap();
    let [minute] = store
        .samples(at(0), at(60))
        .await
        .unwrap()
        .try_into()
        .unwrap();
    let expected = RecordedSample {
        at: at(0),
        resolution: Duration::from_mins(1),
        cpu_percent: 50.0,
        ram_total: Bytes::gib(24),
        ram_used: Bytes(8_500_000_000),
        pressure: Some(40.0),
        pods: vec![
            // 30 % and 8.3 GB in two of four.
            ("llama".to_owned(), 15.0, Bytes(4_150_000_000)),
            ("n8n".to_owned(), 0.0, Bytes(0)),
        ],
    };
    assert_eq!(minute, expected);
}

/// One step: seconds until the next sample, its CPU in hundredths of a percent, whether `llama`
/// is there, whether it is tidied afterwards.
fn steps() -> impl Strategy<Value = Vec<(i64, u32, bool, bool)>> {
    let pause = prop_oneof![1..90i64, 1..5_000i64, 1..50_000i64];
    let step = (
        pause,
        0..10_000u32,
        any::<bool>(),
        prop::bool::weighted(0.3),
    );
    prop::collection::vec(step, 1..80)
}

/// Whether two means differ by no more than rounding twice to two decimals does.
fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.011
}

/// However samples and tidying were interleaved: each sample is in one stretch, no stretch is of
/// nothing, all are as fine as they are kept, and say what their samples say on average.
#[test]
fn every_sample_is_in_one_stretch() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (steps(), 0.0..1.0f64);
    TestRunner::new(config)
        .run(&strategy, |(steps, cut)| {
            runtime.block_on(async {
                let state = tempfile::tempdir().unwrap();
                let store = open(state.path(), None).await;
                let (mut now, mut tidied) = (0, 0);
                let mut samples = Vec::new();
                for (pause, centipercent, there, tidy) in steps {
                    now += pause;
                    let cpu = f64::from(centipercent) / 100.0;
                    let measured = sample(at(now), cpu);
                    let measured = if there { measured } else { without(measured) };
                    commit(&store, &[measured]).await;
                    samples.push((now, cpu, there));
                    if tidy {
                        store.tidy(at(now)).await.unwrap();
                        tidied = now;
                    }
                }
                let recorded = store.samples(at(0), at(now + 1)).await.unwrap();
                prop_assert!(recorded.is_sorted_by(|a, b| a.at < b.at));
                let mut covered = 0;
                for stretch in &recorded {
                    let begin = stretch.at.as_second() - EPOCH;
                    let seconds = i64::try_from(stretch.resolution.as_secs()).unwrap();
                    let end = begin + seconds.max(1);
                    let finest = if begin >= (tidied - 6 * HOUR).div_euclid(60) * 60 {
                        0
                    } else if begin >= (tidied - 48 * HOUR).div_euclid(600) * 600 {
                        60
                    } else {
                        600
                    };
                    prop_assert!(seconds <= finest, "{stretch:?} after {tidied}");
                    let of: Vec<_> = (samples.iter())
                        .filter(|(second, ..)| (begin..end).contains(second))
                        .collect();
                    prop_assert!(!of.is_empty(), "{stretch:?}");
                    covered += of.len();
                    let mean = |values: &mut dyn Iterator<Item = f64>| {
                        values.sum::<f64>() / of.len() as f64
                    };
                    let cpu = mean(&mut of.iter().map(|(_, cpu, _)| *cpu));
                    prop_assert!(close(stretch.cpu_percent, cpu), "{stretch:?} {cpu}");
                    let highest = of.iter().map(|(_, cpu, _)| *cpu).fold(0.0, f64::max);
                    prop_assert!(close(stretch.pressure.unwrap(), highest / 2.0));
                    let there = || of.iter().filter(|(.., there)| *there);
                    let llama = stretch.pods.iter().find(|(name, ..)| name == "llama");
                    prop_assert_eq!(llama.is_some(), there().next().is_some());
                    if let Some((_, used, memory)) = llama {
                        let cpu = mean(&mut there().map(|(_, cpu, _)| *cpu));
                        prop_assert!(close(*used, cpu), "{stretch:?} {cpu}");
                        let bytes = mean(&mut there().map(|(_, cpu, _)| 8e9 + cpu * 1e7));
                        prop_assert!((memory.0 as f64 - bytes).abs() < 4.0, "{stretch:?} {bytes}");
                    }
                }
                // None twice, and what is missing is too old to be kept.
                let first = recorded
                    .first()
                    .map_or(now, |first| first.at.as_second() - EPOCH);
                let missing: Vec<_> = samples
                    .iter()
                    .filter(|(second, ..)| *second < first)
                    .collect();
                prop_assert_eq!(covered + missing.len(), samples.len());
                let oldest = (tidied - KEPT).div_euclid(600) * 600;
                prop_assert!(missing.iter().all(|(second, ..)| *second < oldest));

                // Asked for in two, it is the same.
                #[allow(clippy::cast_possible_truncation)] // between 0 and `now`
                let cut = at((now as f64 * cut) as i64);
                let mut parts = store.samples(at(0), cut).await.unwrap();
                parts.extend(store.samples(cut, at(now + 1)).await.unwrap());
                prop_assert_eq!(parts, recorded);
                Ok(())
            })
        })
        .unwrap();
}

#[rstest]
#[case(
    "active_pods = '{}'",
    "system_resources.active_pods holds JSON that is not understood"
)]
#[case(
    r#"active_pods = '[{"name":"llama","cpu_percent":1.5,"ram_bytes":-1}]'"#,
    r#"system_resources.active_pods holds "-1""#
)]
#[case("samples = 0", r#"system_resources.samples holds "0""#)]
#[case("samples = -1", r#"system_resources.samples holds "-1""#)]
#[case(
    "ram_total_bytes = -1",
    r#"system_resources.ram_total_bytes holds "-1""#
)]
#[case("ram_used_bytes = -1", r#"system_resources.ram_used_bytes holds "-1""#)]
#[tokio::test]
async fn what_was_never_written_is_refused(#[case] change: &str, #[case] expected: &str) {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    commit(&store, &[sample(at(0), 10.0), sample(at(5), 10.0)]).await;
    let update = format!("UPDATE system_resources SET {change} WHERE timestamp > {EPOCH}000000");
    let mut local = sqlite(state.path()).await;
    local.execute(sqlx::AssertSqlSafe(update)).await.unwrap();
    let error = store.samples(at(0), at(9)).await.unwrap_err();
    let StoreError::Corrupt { reason, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(reason.contains(expected), "{reason}");
    // The good one before it is still to be had.
    assert_eq!(store.samples(at(0), at(5)).await.unwrap().len(), 1);
}
