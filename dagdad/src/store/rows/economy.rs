//! `economy`: economy mode, in one row.

use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::value::{
    BadValue, bad, finite, from_json, from_rfc3339, json, name, rfc3339, timestamp,
};
use crate::domain::economy::{Active, Cause, EconomyRecord, Policy, Taken, Taking, Trigger};
use crate::domain::name::PodName;
use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};

const CAUSE: &str = "economy.cause";
const VALUE: &str = "economy.cause_value";
const THRESHOLD: &str = "economy.cause_threshold";
const TAKEN: &str = "economy.taken";
const SHEDS: &str = "economy.sheds";

/// What `cause` holds where the policy is the cause; else it is a trigger.
const BY_POLICY: &str = "policy";

/// The row of `economy`, its `id` aside.
#[derive(Debug, sqlx::FromRow)]
pub struct EconomyRow {
    pub policy: Option<String>,
    pub active_since: Option<i64>,
    pub cause: Option<String>,
    pub cause_value: Option<f64>,
    pub cause_threshold: Option<f64>,
    pub taken: String,
    pub sheds: String,
}

/// One object of the column `taken`.
#[derive(Debug, Serialize, Deserialize)]
struct TakenJson {
    pod: String,
    #[serde(flatten)]
    taking: TakingJson,
    /// RFC 3339.
    at: String,
    used_memory_bytes: u64,
    used_cpu_millicores: u64,
    reason: String,
}

/// The key `taking` and those that belong to it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "taking", rename_all = "snake_case")]
enum TakingJson {
    Throttled { cpu_millicores: u64 },
    Frozen,
    Shed { for_good: bool },
}

/// One object of the column `sheds`.
#[derive(Debug, Serialize, Deserialize)]
struct ShedJson {
    pod: String,
    /// RFC 3339.
    at: String,
}

impl From<&EconomyRecord> for EconomyRow {
    fn from(record: &EconomyRecord) -> Self {
        let EconomyRecord {
            policy,
            active,
            taken,
            sheds,
        } = record;
        let (cause, short) = match active.map(|active| active.cause) {
            None => (None, None),
            Some(Cause::Policy) => (Some(BY_POLICY), None),
            Some(Cause::Short {
                trigger,
                value,
                threshold,
            }) => (Some(trigger.as_str()), Some((value, threshold))),
        };
        let taken: Vec<TakenJson> = taken.iter().map(TakenJson::from).collect();
        let sheds: Vec<ShedJson> = sheds
            .iter()
            .map(|(pod, at)| ShedJson {
                pod: pod.to_string(),
                at: rfc3339(*at),
            })
            .collect();
        Self {
            policy: policy.map(|policy| policy.as_str().to_owned()),
            active_since: active.map(|active| active.since.as_microsecond()),
            cause: cause.map(str::to_owned),
            cause_value: short.map(|(value, _)| finite(value)),
            cause_threshold: short.map(|(_, threshold)| finite(threshold)),
            taken: json(&taken),
            sheds: json(&sheds),
        }
    }
}

impl TryFrom<EconomyRow> for EconomyRecord {
    type Error = BadValue;

    fn try_from(row: EconomyRow) -> Result<Self, BadValue> {
        let active = active(&row)?;
        let taken: Vec<TakenJson> = from_json(TAKEN, &row.taken)?;
        let sheds: Vec<ShedJson> = from_json(SHEDS, &row.sheds)?;
        Ok(Self {
            policy: row.policy.as_deref().map(policy).transpose()?,
            active,
            taken: taken
                .into_iter()
                .map(Taken::try_from)
                .collect::<Result<_, _>>()?,
            sheds: sheds
                .into_iter()
                .map(|shed| {
                    let pod: PodName = name(SHEDS, &shed.pod)?;
                    Ok((pod, from_rfc3339(SHEDS, &shed.at)?))
                })
                .collect::<Result<_, BadValue>>()?,
        })
    }
}

fn policy(text: &str) -> Result<Policy, BadValue> {
    Policy::ALL
        .into_iter()
        .find(|policy| policy.as_str() == text)
        .ok_or_else(|| bad("economy.policy", text))
}

/// The columns that are set while economy mode is active.
fn active(row: &EconomyRow) -> Result<Option<Active>, BadValue> {
    const SINCE: &str = "economy.active_since";
    let surplus = |column, set: bool, state| {
        if set {
            Err(BadValue::Surplus { column, state })
        } else {
            Ok(())
        }
    };
    let value_set = row.cause_value.is_some();
    let threshold_set = row.cause_threshold.is_some();
    let Some(since) = row.active_since else {
        let state = "not active";
        surplus(CAUSE, row.cause.is_some(), state)?;
        surplus(VALUE, value_set, state)?;
        surplus(THRESHOLD, threshold_set, state)?;
        return Ok(None);
    };
    let missing = |column| BadValue::Missing {
        column,
        state: "active",
    };
    let cause = match row.cause.as_deref().ok_or_else(|| missing(CAUSE))? {
        BY_POLICY => {
            let state = "active by policy";
            surplus(VALUE, value_set, state)?;
            surplus(THRESHOLD, threshold_set, state)?;
            Cause::Policy
        }
        text => Cause::Short {
            trigger: Trigger::ALL
                .into_iter()
                .find(|trigger| trigger.as_str() == text)
                .ok_or_else(|| bad(CAUSE, text))?,
            value: row.cause_value.ok_or_else(|| missing(VALUE))?,
            threshold: row.cause_threshold.ok_or_else(|| missing(THRESHOLD))?,
        },
    };
    Ok(Some(Active {
        since: timestamp(SINCE, since)?,
        cause,
    }))
}

impl From<&Taken> for TakenJson {
    fn from(taken: &Taken) -> Self {
        let Taken {
            pod,
            taking,
            at,
            used: Footprint { memory, cpu },
            reason,
        } = taken;
        Self {
            pod: pod.to_string(),
            taking: match taking {
                Taking::Throttled { to } => TakingJson::Throttled {
                    cpu_millicores: to.0,
                },
                Taking::Frozen => TakingJson::Frozen,
                Taking::Shed { for_good } => TakingJson::Shed {
                    for_good: *for_good,
                },
            },
            at: rfc3339(*at),
            used_memory_bytes: memory.0,
            used_cpu_millicores: cpu.0,
            reason: reason.clone(),
        }
    }
}

impl TryFrom<TakenJson> for Taken {
    type Error = BadValue;

    fn try_from(json: TakenJson) -> Result<Self, BadValue> {
        let TakenJson {
            pod,
            taking,
            at,
            used_memory_bytes,
            used_cpu_millicores,
            reason,
        } = json;
        Ok(Self {
            pod: name(TAKEN, &pod)?,
            taking: match taking {
                TakingJson::Throttled { cpu_millicores } => Taking::Throttled {
                    to: Millicpu(cpu_millicores),
                },
                TakingJson::Frozen => Taking::Frozen,
                TakingJson::Shed { for_good } => Taking::Shed { for_good },
            },
            at: from_rfc3339(TAKEN, &at)?,
            used: Footprint {
                memory: Bytes(used_memory_bytes),
                cpu: Millicpu(used_cpu_millicores),
            },
            reason,
        })
    }
}

impl EconomyRow {
    /// Writes the row in place of the one there is.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO economy (id, policy, active_since, cause, cause_value, cause_threshold,
                taken, sheds)
             VALUES (1, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET policy = excluded.policy,
                active_since = excluded.active_since, cause = excluded.cause,
                cause_value = excluded.cause_value, cause_threshold = excluded.cause_threshold,
                taken = excluded.taken, sheds = excluded.sheds",
        );
        super::bind!(query, self; policy, active_since, cause, cause_value, cause_threshold,
            taken, sheds)
        .execute(conn)
        .await
        .map(drop)
    }

    /// The row, once there is one.
    pub async fn read(conn: &mut SqliteConnection) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as(
            "SELECT policy, active_since, cause, cause_value, cause_threshold, taken, sheds
             FROM economy",
        )
        .fetch_optional(conn)
        .await
    }
}
