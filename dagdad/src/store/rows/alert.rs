//! `resource_alerts`: one episode of one condition.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::value::{BadValue, bad, bytes, from_json, json, rounded, timestamp, unsigned, uuid};
use crate::domain::alert::{Alert, AlertQuery, Condition, Culprit, Severity};
use crate::domain::quantity::Bytes;

const CULPRITS: &str = "resource_alerts.culprits";

macro_rules! bind_alert {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, alert_type, object, severity, message,
            resolved, created_at, updated_at, acknowledged_at, resolved_at, peak, culprits,
            flapping)
    };
}

pub(in crate::store) use bind_alert;

/// A row of `resource_alerts`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AlertRow {
    pub uuid: String,
    pub alert_type: String,
    pub object: String,
    pub severity: String,
    pub message: String,
    pub resolved: bool,
    pub created_at: i64,
    pub updated_at: i64,
    pub acknowledged_at: Option<i64>,
    pub resolved_at: Option<i64>,
    pub peak: Option<f64>,
    pub culprits: String,
    pub flapping: bool,
}

/// One object of the column `culprits`.
#[derive(Debug, Serialize, Deserialize)]
struct CulpritJson {
    pod: String,
    cpu_percent: f64,
    ram_bytes: i64,
}

impl From<&Culprit> for CulpritJson {
    fn from(culprit: &Culprit) -> Self {
        let Culprit {
            pod,
            cpu_percent,
            memory,
        } = culprit;
        Self {
            pod: pod.clone(),
            cpu_percent: rounded(*cpu_percent, 2),
            ram_bytes: bytes(*memory),
        }
    }
}

impl TryFrom<CulpritJson> for Culprit {
    type Error = BadValue;

    fn try_from(json: CulpritJson) -> Result<Self, BadValue> {
        let CulpritJson {
            pod,
            cpu_percent,
            ram_bytes,
        } = json;
        Ok(Self {
            pod,
            cpu_percent,
            memory: Bytes(unsigned(CULPRITS, ram_bytes)?),
        })
    }
}

impl From<&Alert> for AlertRow {
    fn from(alert: &Alert) -> Self {
        let Alert {
            id,
            condition,
            object,
            severity,
            message,
            created_at,
            updated_at,
            acknowledged_at,
            resolved_at,
            peak,
            culprits,
            flapping,
        } = alert;
        let culprits: Vec<CulpritJson> = culprits.iter().map(CulpritJson::from).collect();
        Self {
            uuid: id.to_string(),
            alert_type: condition.as_str().to_owned(),
            object: object.clone(),
            severity: severity.as_str().to_owned(),
            message: message.clone(),
            resolved: resolved_at.is_some(),
            created_at: created_at.as_microsecond(),
            updated_at: updated_at.as_microsecond(),
            acknowledged_at: acknowledged_at.map(Timestamp::as_microsecond),
            resolved_at: resolved_at.map(Timestamp::as_microsecond),
            peak: peak.map(|peak| rounded(peak, 2)),
            culprits: json(&culprits),
            flapping: *flapping,
        }
    }
}

impl TryFrom<AlertRow> for Alert {
    type Error = BadValue;

    fn try_from(row: AlertRow) -> Result<Self, BadValue> {
        const RESOLVED_AT: &str = "resource_alerts.resolved_at";
        let culprits: Vec<CulpritJson> = from_json(CULPRITS, &row.culprits)?;
        let state = if row.resolved {
            "resolved"
        } else {
            "not resolved"
        };
        Ok(Self {
            id: uuid("resource_alerts.uuid", &row.uuid)?,
            condition: condition(&row.alert_type)
                .ok_or_else(|| bad("resource_alerts.alert_type", &row.alert_type))?,
            object: row.object,
            severity: Severity::ALL
                .into_iter()
                .find(|severity| severity.as_str() == row.severity)
                .ok_or_else(|| bad("resource_alerts.severity", &row.severity))?,
            message: row.message,
            created_at: timestamp("resource_alerts.created_at", row.created_at)?,
            updated_at: timestamp("resource_alerts.updated_at", row.updated_at)?,
            acknowledged_at: row
                .acknowledged_at
                .map(|at| timestamp("resource_alerts.acknowledged_at", at))
                .transpose()?,
            peak: row.peak,
            culprits: culprits
                .into_iter()
                .map(Culprit::try_from)
                .collect::<Result<_, _>>()?,
            flapping: row.flapping,
            resolved_at: match (row.resolved, row.resolved_at) {
                (true, Some(at)) => Some(timestamp(RESOLVED_AT, at)?),
                (false, None) => None,
                (true, None) => {
                    return Err(BadValue::Missing {
                        column: RESOLVED_AT,
                        state,
                    });
                }
                (false, Some(_)) => {
                    return Err(BadValue::Surplus {
                        column: RESOLVED_AT,
                        state,
                    });
                }
            },
        })
    }
}

impl AlertRow {
    /// Inserts or replaces the row, by its uuid. What is resolved stays so: an episode that
    /// ended does not go on again, however late a write of it comes.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO resource_alerts (uuid, alert_type, object, severity, message, resolved,
                created_at, updated_at, acknowledged_at, resolved_at, peak, culprits, flapping)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET alert_type = excluded.alert_type,
                object = excluded.object, severity = excluded.severity,
                message = excluded.message, resolved = excluded.resolved,
                created_at = excluded.created_at, updated_at = excluded.updated_at,
                acknowledged_at = excluded.acknowledged_at,
                resolved_at = excluded.resolved_at, peak = excluded.peak,
                culprits = excluded.culprits, flapping = excluded.flapping
             WHERE resource_alerts.resolved = 0 OR excluded.resolved = 1",
        );
        bind_alert!(query, self).execute(conn).await.map(drop)
    }

    /// Whether it can be read: also where only a later version watches its condition.
    pub fn check(&self) -> Result<(), BadValue> {
        match condition(&self.alert_type) {
            Some(_) => Alert::try_from(self.clone()).map(drop),
            None => Ok(()),
        }
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM resource_alerts WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }

    /// The alerts that go on, oldest first.
    pub async fn active(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM resource_alerts WHERE resolved = 0 ORDER BY created_at, uuid")
            .fetch_all(conn)
            .await
            .map(known)
    }

    /// The newest alerts that `query` asks for, newest first.
    pub async fn newest(
        conn: &mut SqliteConnection,
        query: AlertQuery,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let AlertQuery {
            resolved,
            since,
            severity,
            limit,
        } = query;
        let sql = if resolved {
            "SELECT * FROM resource_alerts
             WHERE updated_at > ?1
                 AND (?2 IS NULL OR severity IN (SELECT value FROM json_each(?2)))
             ORDER BY created_at DESC, uuid DESC LIMIT ?3"
        } else {
            "SELECT * FROM resource_alerts
             WHERE resolved = 0 AND updated_at > ?1
                 AND (?2 IS NULL OR severity IN (SELECT value FROM json_each(?2)))
             ORDER BY created_at DESC, uuid DESC LIMIT ?3"
        };
        let severities = severity.map(|least| {
            let bad_enough = Severity::ALL.into_iter().filter(|of| *of >= least);
            json(&bad_enough.map(Severity::as_str).collect::<Vec<_>>())
        });
        let found = sqlx::query_as(sql)
            .bind(since.map_or(i64::MIN, Timestamp::as_microsecond))
            .bind(severities)
            .bind(limit)
            .fetch_all(conn)
            .await;
        found.map(known)
    }
}

/// The condition with this text; `None` where only a later version watches it.
pub(super) fn condition(text: &str) -> Option<Condition> {
    Condition::ALL
        .into_iter()
        .find(|condition| condition.as_str() == text)
}

/// A condition that a later version watches is not this one's to show or to end.
fn known(mut rows: Vec<AlertRow>) -> Vec<AlertRow> {
    rows.retain(|row| condition(&row.alert_type).is_some());
    rows
}
