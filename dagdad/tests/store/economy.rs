//! Economy mode and silences, the daemon's own working state: what is stored comes back as it
//! was, after a crash too, and MariaDB never hears of it.

use std::collections::BTreeMap;

use dagdad::domain::alert::Condition;
use dagdad::domain::economy::{Active, Cause, EconomyRecord, Policy, Taken, Taking, Trigger};
use dagdad::domain::pod::Footprint;
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::silence::{Silence, Silenced};
use dagdad::ports::{Record, Store as _};
use dagdad::store::FILE_NAME;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::forms::{economies, silences};
use crate::mariadb::MariaDb;
use crate::records::{Forwarding, at, in_step, open, pod, put, put_economy, put_silence, silence};
use crate::round_trip::{name, text, time};
use crate::tables::{count, sqlite};

#[tokio::test]
async fn before_anything_was_set_there_is_nothing() {
    let state = tempfile::tempdir().unwrap();
    let restored = open(state.path(), None).await.load().await.unwrap();
    assert_eq!(restored.economy, EconomyRecord::default());
    assert_eq!(restored.silences, []);
}

/// Each form takes the place of the one before: every column changes or is emptied.
#[tokio::test]
async fn every_form_comes_back_as_it_was() {
    let state = tempfile::tempdir().unwrap();
    let mut store = open(state.path(), None).await;
    for economy in economies() {
        store.commit(&[put_economy(&economy)]).await.unwrap();
        store.close().await;
        store = open(state.path(), None).await;
        assert_eq!(store.load().await.unwrap().economy, economy);
    }
    assert_eq!(count(&mut sqlite(state.path()).await, "economy").await, 1);

    let silences = silences();
    let records: Vec<Record> = silences.iter().rev().map(put_silence).collect();
    store.commit(&records).await.unwrap();
    store.close().await;
    let store = open(state.path(), None).await;
    assert_eq!(store.load().await.unwrap().silences, silences);

    // One becomes what another is, but for its id and its place.
    let moved: Vec<Silence> = (silences.iter().zip(silences.iter().cycle().skip(1)))
        .map(|(silence, next)| Silence {
            id: silence.id,
            created_at: silence.created_at,
            ..next.clone()
        })
        .collect();
    let records: Vec<Record> = moved.iter().map(put_silence).collect();
    store.commit(&records).await.unwrap();
    assert_eq!(store.load().await.unwrap().silences, moved);

    let lifted = [moved[0].id, Uuid::now_v7()].map(Record::DeleteSilence);
    store.commit(&lifted).await.unwrap();
    assert_eq!(store.load().await.unwrap().silences, moved[1..]);
}

/// As if killed at any time after the commit: the files as they are, the log not yet taken over.
#[tokio::test]
async fn it_is_there_after_a_crash() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let quiet = silence(Silenced::Object("llama".to_owned()), at(0), at(7_200));
    for economy in economies() {
        let records = [put_economy(&economy), put_silence(&quiet)];
        store.commit(&records).await.unwrap();
        let crashed = tempfile::tempdir().unwrap();
        for file in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
            std::fs::copy(state.path().join(&file), crashed.path().join(&file)).unwrap();
        }
        let restored = open(crashed.path(), None).await.load().await.unwrap();
        assert_eq!(restored.economy, economy);
        assert_eq!(restored.silences, std::slice::from_ref(&quiet));
    }
}

/// What is done and what is remembered of it are written together or not at all.
#[tokio::test]
async fn a_failed_commit_leaves_economy_mode_as_it_was() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let economies = economies();
    store.commit(&[put_economy(&economies[1])]).await.unwrap();
    let clash = [
        put_economy(&economies[2]),
        put_silence(&silence(
            Silenced::Condition(Condition::CpuHigh),
            at(0),
            at(9),
        )),
        put(&pod("llama")),
        put(&pod("llama")),
    ];
    store.commit(&clash).await.unwrap_err();
    let restored = store.load().await.unwrap();
    assert_eq!(restored.economy, economies[1]);
    assert_eq!(restored.silences, []);
}

#[tokio::test]
async fn what_is_no_number_does_not_keep_economy_mode_from_being_stored() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let short = |value, threshold| EconomyRecord {
        active: Some(Active {
            since: at(0),
            cause: Cause::Short {
                trigger: Trigger::Pressure,
                value,
                threshold,
            },
        }),
        ..EconomyRecord::default()
    };
    let odd = short(f64::NAN, f64::INFINITY);
    store.commit(&[put_economy(&odd)]).await.unwrap();
    assert_eq!(store.load().await.unwrap().economy, short(0.0, 0.0));
}

#[tokio::test]
async fn mariadb_never_hears_of_it() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let mut records: Vec<Record> = economies().iter().map(put_economy).collect();
    records.extend(silences().iter().map(put_silence));
    records.push(Record::DeleteSilence(Uuid::now_v7()));
    store.commit(&records).await.unwrap();
    assert_eq!(count(&mut sqlite(state.path()).await, "outbox").await, 0);
    assert_eq!(store.mirror().borrow().outbox, 0);
    forwarding.shut_down().await;
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (
        Timestamp::MIN.as_microsecond(),
        Timestamp::MAX.as_microsecond(),
    );
    let whole = (first..=last).prop_map(|micros| Timestamp::from_microsecond(micros).unwrap());
    prop_oneof![time(), whole]
}

fn any_number() -> impl Strategy<Value = f64> {
    let finite = any::<f64>().prop_filter("a number", |value| value.is_finite());
    prop_oneof![0.0..=100.0f64, finite]
}

fn any_cause() -> impl Strategy<Value = Cause> {
    let trigger = prop::sample::select(Trigger::ALL.to_vec());
    let short = (trigger, any_number(), any_number());
    prop_oneof![
        Just(Cause::Policy),
        short.prop_map(|(trigger, value, threshold)| Cause::Short {
            trigger,
            value,
            threshold
        }),
    ]
}

fn any_taken() -> impl Strategy<Value = Taken> {
    let taking = prop_oneof![
        any::<u64>().prop_map(|to| Taking::Throttled { to: Millicpu(to) }),
        Just(Taking::Frozen),
        any::<bool>().prop_map(|for_good| Taking::Shed { for_good }),
    ];
    let used = (any::<u64>(), any::<u64>()).prop_map(|(memory, cpu)| Footprint {
        memory: Bytes(memory),
        cpu: Millicpu(cpu),
    });
    (name(), taking, any_time(), used, text()).prop_map(|(pod, taking, at, used, reason)| Taken {
        pod,
        taking,
        at,
        used,
        reason,
    })
}

fn any_economy() -> impl Strategy<Value = EconomyRecord> {
    let active = (any_time(), any_cause()).prop_map(|(since, cause)| Active { since, cause });
    (
        prop::option::of(prop::sample::select(Policy::ALL.to_vec())),
        prop::option::of(active),
        prop::collection::vec(any_taken(), 0..5),
        prop::collection::vec((name(), any_time()), 0..9),
    )
        .prop_map(|(policy, active, taken, sheds)| EconomyRecord {
            policy,
            active,
            taken,
            sheds,
        })
}

fn any_silence() -> impl Strategy<Value = Silence> {
    let of = prop_oneof![
        prop::sample::select(Condition::ALL.to_vec()).prop_map(Silenced::Condition),
        text().prop_map(Silenced::Object),
    ];
    (of, any_time(), any_time()).prop_map(|(of, created_at, until)| silence(of, created_at, until))
}

/// The same for 400 records that chance made, and for silences that come, change and go.
#[tokio::test]
async fn any_form_comes_back_as_it_was() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let mut runner = TestRunner::new(Config::default());
    let mut silences: BTreeMap<Uuid, Silence> = BTreeMap::new();
    let step = (any_economy(), any_silence(), 0..4u8);
    for _ in 0..400 {
        let (economy, mut silence, what) = step.new_tree(&mut runner).unwrap().current();
        let known = silences.keys().next().copied();
        let changed = match (what, known) {
            (0, Some(id)) => {
                silences.remove(&id);
                Record::DeleteSilence(id)
            }
            (of, known) => {
                silence.id = known.filter(|_| of == 1).unwrap_or(silence.id);
                silences.insert(silence.id, silence.clone());
                put_silence(&silence)
            }
        };
        store
            .commit(&[put_economy(&economy), changed])
            .await
            .unwrap();
        let restored = store.load().await.unwrap();
        assert_eq!(restored.economy, economy);
        let mut expected: Vec<Silence> = silences.values().cloned().collect();
        expected.sort_by_key(|silence| (silence.created_at, silence.id));
        assert_eq!(restored.silences, expected);
    }
}
