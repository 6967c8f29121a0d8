use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::*;

const PAGE: usize = 4096;
const FRAME: usize = FRAME_HEADER + PAGE;

/// A log of some transactions, of one frame and of several, the last ones of one each.
async fn written() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut conn = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    conn.execute("CREATE TABLE t (x)").await.unwrap();
    for size in [10, 20_000, 10, 9_000, 10, 10, 10] {
        let insert = sqlx::query("INSERT INTO t VALUES (zeroblob(?))").bind(size);
        insert.execute(&mut conn).await.unwrap();
    }
    let log = std::fs::read(companion(&path, "-wal")).unwrap();
    conn.close().await.unwrap();
    log
}

fn verdict(log: &[u8]) -> Option<String> {
    lost(&mut &*log, PAGE).unwrap()
}

/// Where the second last transaction begins: what is before it was committed before others.
fn last_but_one(log: &[u8]) -> usize {
    let frames = log[HEADER..].chunks_exact(FRAME);
    let commits: Vec<usize> = (0..)
        .zip(frames)
        .filter(|(_, frame)| word(frame, 4) != 0)
        .map(|(index, _)| index)
        .collect();
    HEADER + (commits[commits.len() - 3] + 1) * FRAME
}

#[tokio::test]
async fn a_whole_log_and_one_that_ends_anywhere_lost_nothing_that_can_be_proved() {
    let log = written().await;
    for length in (0..log.len())
        .step_by(499)
        .chain([log.len() - 1, log.len()])
    {
        assert_eq!(verdict(&log[..length]), None, "{length} bytes");
    }
}

#[tokio::test]
async fn one_flipped_byte_before_the_last_transactions_is_found_wherever_it_is() {
    let log = written().await;
    let heads = (0..HEADER).chain((HEADER..HEADER + FRAME_HEADER).step_by(3));
    for at in heads.chain((HEADER..last_but_one(&log)).step_by(997)) {
        let mut damaged = log.clone();
        damaged[at] ^= 0x10;
        let verdict = verdict(&damaged);
        assert!(verdict.is_some(), "byte {at} of {}", log.len());
    }
}

#[tokio::test]
async fn a_last_transaction_that_a_power_cut_tore_is_given_up_as_ever() {
    let log = written().await;
    // Any of its pages may be missing, whatever was written behind it.
    for at in (last_but_one(&log)..log.len()).step_by(FRAME) {
        let mut torn = log.clone();
        let end = (at + 1000).min(torn.len());
        torn[at..end].fill(0);
        assert_eq!(verdict(&torn), None, "byte {at}");
    }
    // An earlier round of the log lies behind the frames of this one.
    let mut rounds = log.clone();
    let second = HEADER + FRAME;
    rounds[second + 8] ^= 1;
    let mut earlier = log.clone();
    for frame in earlier[second..].chunks_exact_mut(FRAME) {
        frame[8] ^= 1;
    }
    assert_eq!(verdict(&earlier), None);
}
