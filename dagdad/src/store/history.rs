//! The host's past: one table, three tiers.
//!
//! | resolution_seconds | a row is | made from | kept |
//! | --- | --- | --- | --- |
//! | 0 | one sample, as measured | the sampler | 6 h |
//! | 60 | one minute, by the clock | tier 0 | 48 h |
//! | 600 | ten minutes, by the clock | tier 60 | `retention` (7 days by default) |
//!
//! A shorter `retention` cuts all tiers. A stretch is rolled up once, when it is complete
//! and [`SETTLE`] has passed: means weighted by the number of samples, and the highest value
//! of each pressure. Its uuid follows from its time and its tier, so that a roll-up that was
//! cut off and begun again writes the same row. Pruning cuts at the bounds of the next
//! tier's stretches, so that tiers meet without a gap and without an overlap. A sample that
//! comes in after its minute was rolled up (the clock was set back) is kept in tier 0 only.
//!
//! A month is so at most 4,464 rows of tier 600 and a few of the finer tiers. Index
//! `system_resources_by_time` finds them; `active_pods` stands last in the row and is not
//! read.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::outbox;
use super::rows::{BadValue, ReadError, in_domain, timestamp};
use crate::domain::quantity::Bytes;
use crate::domain::sample::HistoryPoint;

/// How long after its end a stretch is rolled up: samples may be committed a little late.
const SETTLE: Duration = Duration::from_secs(30);
const RAW_KEPT: Duration = Duration::from_hours(6);
const MINUTES_KEPT: Duration = Duration::from_hours(48);
/// How much of the finer tier one transaction rolls up at most: two hours, so that commits
/// need not wait long for the writer after a long pause.
const CHUNK: i64 = 2 * 3600 * SECOND;

const SECOND: i64 = 1_000_000;
/// Single samples.
pub(super) const RAW: i64 = 0;
/// The tier of minutes, in seconds.
pub(super) const MINUTE: i64 = 60;
/// The tier of ten minutes, in seconds.
pub(super) const TEN_MINUTES: i64 = 600;

/// A roll-up from one tier to the next; seconds.
#[derive(Debug, Clone, Copy)]
pub struct RollUp {
    from: i64,
    to: i64,
}

/// The roll-ups, in the order in which they are done.
pub const ROLL_UPS: [RollUp; 2] = [
    RollUp {
        from: RAW,
        to: MINUTE,
    },
    RollUp {
        from: MINUTE,
        to: TEN_MINUTES,
    },
];

/// The beginning of the stretch of `seconds` that holds `micros`.
fn floor(micros: i64, seconds: i64) -> i64 {
    micros - micros.rem_euclid(seconds * SECOND)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What one step of the roll-up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more to do.
    More {
        /// Entries added to the outbox.
        queued: i64,
    },
    /// Every complete stretch is rolled up.
    Done,
}

/// Rolls up the next complete stretches, at most [`CHUNK`] of them, in one transaction.
pub async fn roll_up(
    conn: &mut SqliteConnection,
    tiers: RollUp,
    now: Timestamp,
    mirrored: bool,
) -> Result<Progress, sqlx::Error> {
    let stretch = tiers.to * SECOND;
    let end = floor(
        now.as_microsecond().saturating_sub(micros(SETTLE)),
        tiers.to,
    );
    // The newest stretch at or before `now`: one from a time when the clock was ahead must
    // not hold back the rest.
    let rolled: Option<i64> = sqlx::query_scalar(
        "SELECT max(timestamp) FROM system_resources
         WHERE resolution_seconds = ? AND timestamp < ?",
    )
    .bind(tiers.to)
    .bind(end)
    .fetch_one(&mut *conn)
    .await?;
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT min(timestamp) FROM system_resources
         WHERE resolution_seconds = ? AND timestamp >= ? AND timestamp < ?",
    )
    .bind(tiers.from)
    .bind(rolled.map_or(0, |rolled| rolled + stretch))
    .bind(end)
    .fetch_one(&mut *conn)
    .await?;
    let Some(next) = next else {
        return Ok(Progress::Done);
    };
    let begin = floor(next, tiers.to);
    let end = end.min(floor(begin + CHUNK, tiers.to));

    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(ROLL_UP)
        .bind(tiers.from)
        .bind(tiers.to)
        .bind(begin)
        .bind(end)
        .execute(&mut *tx)
        .await?;
    let queued = if mirrored {
        outbox::enqueue_stretches(&mut tx, tiers.to, begin, end).await?
    } else {
        0
    };
    tx.commit().await?;
    Ok(Progress::More { queued })
}

/// Parameters: source tier, target tier, begin and end in microseconds. The uuid is a
/// UUIDv7: the stretch's begin in milliseconds, the tier in `rand_a`, 60 bits of the store's
/// id in `rand_b`.
const ROLL_UP: &str = "
INSERT INTO system_resources (uuid, timestamp, resolution_seconds, samples, cpu_usage, load_1m,
    load_5m, load_15m, ram_usage, ram_total, ram_total_bytes, ram_used_bytes, ram_cached_bytes,
    swap_total_bytes, swap_used_bytes, disk_usage, cpu_pressure, memory_pressure,
    memory_pressure_full, io_pressure, active_pods)
SELECT
    (SELECT substr(time, 1, 8) || '-' || substr(time, 9, 4) || '-7' || printf('%03x', ?2) || '-8' ||
            substr(store, 1, 3) || '-' || substr(store, 4, 12)
     FROM (SELECT printf('%012x', stretch / 1000) AS time,
                  substr(replace(store_id, '-', ''), 18) AS store FROM mirror_state)),
    stretch, ?2, sum(samples),
    round(sum(cpu_usage * samples) / sum(samples), 2),
    round(sum(load_1m * samples) / sum(samples), 2),
    round(sum(load_5m * samples) / sum(samples), 2),
    round(sum(load_15m * samples) / sum(samples), 2),
    round(sum(ram_usage * samples) / sum(samples), 2),
    max(ram_total), max(ram_total_bytes),
    CAST(round(total(1.0 * ram_used_bytes * samples) / sum(samples)) AS INTEGER),
    CAST(round(total(1.0 * ram_cached_bytes * samples) / sum(samples)) AS INTEGER),
    max(swap_total_bytes),
    CAST(round(total(1.0 * swap_used_bytes * samples) / sum(samples)) AS INTEGER),
    round(sum(disk_usage * samples) / sum(samples), 2),
    max(cpu_pressure), max(memory_pressure), max(memory_pressure_full), max(io_pressure),
    (SELECT json_group_array(json_object('name', name, 'cpu_percent', cpu_percent,
                'ram_bytes', ram_bytes, 'samples', seen))
     FROM (SELECT name, sum(seen) AS seen,
                  round(sum(cpu_percent * seen) / sum(seen), 2) AS cpu_percent,
                  CAST(round(total(1.0 * ram_bytes * seen) / sum(seen)) AS INTEGER) AS ram_bytes
           FROM (SELECT value ->> 'name' AS name, value ->> 'cpu_percent' AS cpu_percent,
                        value ->> 'ram_bytes' AS ram_bytes, coalesce(value ->> 'samples', 1) AS seen
                 FROM system_resources AS part, json_each(part.active_pods)
                 WHERE part.resolution_seconds = ?1
                   AND part.timestamp >= stretch AND part.timestamp < stretch + ?2 * 1000000)
           GROUP BY name ORDER BY name))
FROM (SELECT *, timestamp - timestamp % (?2 * 1000000) AS stretch FROM system_resources
      WHERE resolution_seconds = ?1 AND timestamp >= ?3 AND timestamp < ?4)
WHERE true
GROUP BY stretch
ON CONFLICT DO NOTHING";

/// Drops what is older than it is kept, within the caller's transaction. Returns by how much
/// the outbox grew.
pub async fn prune(
    conn: &mut SqliteConnection,
    now: Timestamp,
    retention: Duration,
    mirrored: bool,
) -> Result<i64, sqlx::Error> {
    let before = |kept: Duration, seconds: i64| {
        floor(
            now.as_microsecond()
                .saturating_sub(micros(kept.min(retention))),
            seconds,
        )
    };
    let mut queued = 0;
    for (tier, before) in [
        (RAW, before(RAW_KEPT, MINUTE)),
        (MINUTE, before(MINUTES_KEPT, TEN_MINUTES)),
        (TEN_MINUTES, before(retention, TEN_MINUTES)),
    ] {
        if mirrored {
            queued -= outbox::forget_samples(&mut *conn, tier, before).await?;
        }
        let pruned = sqlx::query(
            "DELETE FROM system_resources WHERE resolution_seconds = ? AND timestamp < ?",
        )
        .bind(tier)
        .bind(before)
        .execute(&mut *conn)
        .await?;
        if mirrored && pruned.rows_affected() > 0 {
            queued += outbox::enqueue_prune(
                &mut *conn,
                outbox::Relation::SystemResources,
                Some(tier),
                before,
            )
            .await?;
        }
    }
    Ok(queued)
}

/// Where the tiers meet for one query, in microseconds: tier 600 before `ten_minutes_end`,
/// tier 60 from there to `minutes_end`, single samples from there on.
pub(super) struct Seams {
    pub(super) ten_minutes_end: i64,
    pub(super) minutes_end: i64,
}

/// Answers [`crate::ports::Store::history`].
///
/// Every sample counts once: the coarsest tier that `points` steps can still show covers as
/// much as it can, finer tiers cover what is not rolled up yet, coarser ones what the finer
/// no longer hold.
pub async fn read(
    conn: &mut SqliteConnection,
    since: Timestamp,
    until: Timestamp,
    points: u32,
) -> Result<Vec<HistoryPoint>, ReadError> {
    let (since, until) = (since.as_microsecond(), until.as_microsecond());
    if points == 0 || since >= until {
        return Ok(Vec::new());
    }
    let points = i64::from(points);
    let step = ((until - since) / points + i64::from((until - since) % points != 0)).max(1);

    let mut snapshot = conn.begin().await?;
    let seams = seams(&mut snapshot, step, until).await?;
    let rows: Vec<PointRow> = sqlx::query_as(READ)
        .bind(since)
        .bind(until)
        .bind(seams.ten_minutes_end)
        .bind(seams.minutes_end)
        .bind(step)
        .bind(points)
        .fetch_all(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    in_domain(rows)
}

/// The seams for a query up to `until` in steps of `step`, both in microseconds.
pub(super) async fn seams(
    conn: &mut SqliteConnection,
    step: i64,
    until: i64,
) -> Result<Seams, sqlx::Error> {
    // Where a tier is to be used as far as it reaches: behind its newest stretch. Where it
    // is only to stand in for a finer one: before the finer one's oldest row.
    let ten_minutes_end = if step >= TEN_MINUTES * SECOND {
        behind_newest(conn, TEN_MINUTES, until).await?
    } else {
        oldest(conn, MINUTE)
            .await?
            .map_or(i64::MAX, |oldest| floor(oldest, TEN_MINUTES))
    };
    let minutes_end = if step >= MINUTE * SECOND {
        behind_newest(conn, MINUTE, until).await?
    } else {
        oldest(conn, RAW)
            .await?
            .map_or(i64::MAX, |oldest| floor(oldest, MINUTE))
    };
    // Without any minute there is nothing for tier 600 to give way to but the samples.
    let ten_minutes_end =
        ten_minutes_end.min(minutes_end.max(behind_newest(conn, TEN_MINUTES, until).await?));
    Ok(Seams {
        ten_minutes_end,
        minutes_end: minutes_end.max(ten_minutes_end),
    })
}

async fn behind_newest(
    conn: &mut SqliteConnection,
    tier: i64,
    until: i64,
) -> Result<i64, sqlx::Error> {
    let newest: Option<i64> = sqlx::query_scalar(
        "SELECT max(timestamp) FROM system_resources
         WHERE resolution_seconds = ? AND timestamp < ?",
    )
    .bind(tier)
    .bind(until)
    .fetch_one(conn)
    .await?;
    Ok(newest.map_or(i64::MIN, |newest| newest + tier * SECOND))
}

async fn oldest(conn: &mut SqliteConnection, tier: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT min(timestamp) FROM system_resources WHERE resolution_seconds = ?")
        .bind(tier)
        .fetch_one(conn)
        .await
}

/// Parameters: since, until, end of tier 600, end of tier 60, step, points. Inner queries
/// keep to one tier each, so that each is one range of the index.
pub const READ: &str = "
SELECT max(min(timestamp), ?1) AS at,
    sum(cpu_usage * samples) / sum(samples) AS cpu_percent,
    sum(ram_usage * samples) / sum(samples) AS ram_percent,
    CAST(round(total(1.0 * ram_used_bytes * samples) / sum(samples)) AS INTEGER) AS ram_used,
    sum(disk_usage * samples) / sum(samples) AS disk_percent,
    coalesce(max(memory_pressure), 0.0) AS memory_pressure
FROM (
    SELECT timestamp, samples, cpu_usage, ram_usage, ram_used_bytes, disk_usage, memory_pressure
    FROM system_resources
    WHERE resolution_seconds = 600 AND timestamp > ?1 - 600000000 AND timestamp < ?2
      AND timestamp < ?3
    UNION ALL
    SELECT timestamp, samples, cpu_usage, ram_usage, ram_used_bytes, disk_usage, memory_pressure
    FROM system_resources
    WHERE resolution_seconds = 60 AND timestamp > ?1 - 60000000 AND timestamp < ?2
      AND timestamp >= ?3 AND timestamp < ?4
    UNION ALL
    SELECT timestamp, samples, cpu_usage, ram_usage, ram_used_bytes, disk_usage, memory_pressure
    FROM system_resources
    WHERE resolution_seconds = 0 AND timestamp >= ?1 AND timestamp <= ?2 AND timestamp >= ?4
)
GROUP BY min(max((timestamp - ?1) / ?5, 0), ?6 - 1)
ORDER BY at";

#[derive(sqlx::FromRow)]
struct PointRow {
    at: i64,
    cpu_percent: f64,
    ram_percent: f64,
    ram_used: i64,
    disk_percent: f64,
    memory_pressure: f64,
}

impl TryFrom<PointRow> for HistoryPoint {
    type Error = BadValue;

    fn try_from(row: PointRow) -> Result<Self, BadValue> {
        Ok(Self {
            at: timestamp("system_resources.timestamp", row.at)?,
            cpu_percent: row.cpu_percent,
            ram_percent: row.ram_percent,
            ram_used: Bytes(row.ram_used.unsigned_abs()),
            disk_percent: row.disk_percent,
            memory_pressure: row.memory_pressure,
        })
    }
}
