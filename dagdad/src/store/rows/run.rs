//! `workflow_runs`: one execution of a workflow.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::member;
use super::phase::{self, PhaseColumns};
use super::value::{BadValue, admission, bad, name, priority, seconds, span, timestamp, uuid};
use crate::domain::run::{Run, RunId};
use crate::domain::workflow::OnFailure;

macro_rules! bind_run {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, workflow, state, priority, on_failure,
            timeout_seconds, admission, accepted_at, admitted_at, ready_at, ended_at, deadline,
            victims, failure_code, failure_message, failure_log, pods)
    };
}

pub(in crate::store) use bind_run;

/// A row of `workflow_runs`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RunRow {
    pub uuid: String,
    pub workflow: String,
    pub state: String,
    pub priority: i64,
    pub on_failure: String,
    pub timeout_seconds: f64,
    pub admission: String,
    pub accepted_at: i64,
    pub admitted_at: Option<i64>,
    pub ready_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub deadline: Option<i64>,
    pub victims: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub failure_log: Option<String>,
    pub pods: String,
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> Self {
        let Run {
            id,
            workflow,
            priority,
            on_failure,
            timeout,
            admission,
            accepted_at,
            admitted_at,
            ready_at,
            phase,
            members,
        } = run;
        let PhaseColumns {
            victims,
            deadline,
            failure_code,
            failure_message,
            failure_log,
            ended_at,
        } = phase.into();
        Self {
            uuid: id.to_string(),
            workflow: workflow.to_string(),
            state: phase.state().as_str().to_owned(),
            priority: priority.get().into(),
            on_failure: on_failure.as_str().to_owned(),
            timeout_seconds: seconds(*timeout),
            admission: admission.as_str().to_owned(),
            accepted_at: accepted_at.as_microsecond(),
            admitted_at: admitted_at.map(Timestamp::as_microsecond),
            ready_at: ready_at.map(Timestamp::as_microsecond),
            ended_at,
            deadline,
            victims,
            failure_code,
            failure_message,
            failure_log,
            pods: member::to_column(members),
        }
    }
}

impl TryFrom<RunRow> for Run {
    type Error = BadValue;

    fn try_from(row: RunRow) -> Result<Self, BadValue> {
        let time = |column, micros: Option<i64>| {
            micros.map(|micros| timestamp(column, micros)).transpose()
        };
        let phase = PhaseColumns {
            victims: row.victims,
            deadline: row.deadline,
            failure_code: row.failure_code,
            failure_message: row.failure_message,
            failure_log: row.failure_log,
            ended_at: row.ended_at,
        };
        Ok(Self {
            id: RunId(uuid("workflow_runs.uuid", &row.uuid)?),
            workflow: name("workflow_runs.workflow", &row.workflow)?,
            priority: priority("workflow_runs.priority", row.priority)?,
            on_failure: match row.on_failure.as_str() {
                "rollback" => OnFailure::Rollback,
                "keep" => OnFailure::Keep,
                other => return Err(bad("workflow_runs.on_failure", other)),
            },
            timeout: span("workflow_runs.timeout_seconds", row.timeout_seconds)?,
            admission: admission("workflow_runs.admission", &row.admission)?,
            accepted_at: timestamp("workflow_runs.accepted_at", row.accepted_at)?,
            admitted_at: time("workflow_runs.admitted_at", row.admitted_at)?,
            ready_at: time("workflow_runs.ready_at", row.ready_at)?,
            phase: phase.phase(phase::state(&row.state)?)?,
            members: member::from_column(&row.pods)?,
        })
    }
}

impl RunRow {
    /// Inserts or replaces the row, by its uuid.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO workflow_runs (uuid, workflow, state, priority, on_failure,
                timeout_seconds, admission, accepted_at, admitted_at, ready_at, ended_at,
                deadline, victims, failure_code, failure_message, failure_log, pods)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET workflow = excluded.workflow,
                state = excluded.state, priority = excluded.priority,
                on_failure = excluded.on_failure, timeout_seconds = excluded.timeout_seconds,
                admission = excluded.admission, accepted_at = excluded.accepted_at,
                admitted_at = excluded.admitted_at, ready_at = excluded.ready_at,
                ended_at = excluded.ended_at, deadline = excluded.deadline,
                victims = excluded.victims, failure_code = excluded.failure_code,
                failure_message = excluded.failure_message,
                failure_log = excluded.failure_log, pods = excluded.pods",
        );
        bind_run!(query, self).execute(conn).await.map(drop)
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM workflow_runs WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }

    /// The runs that have not ended, oldest first.
    pub async fn active(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as(
            "SELECT * FROM workflow_runs WHERE ended_at IS NULL ORDER BY accepted_at, uuid",
        )
        .fetch_all(conn)
        .await
    }

    /// The newest `limit` runs, of one workflow or of all, newest first.
    pub async fn newest(
        conn: &mut SqliteConnection,
        workflow: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Self>, sqlx::Error> {
        match workflow {
            Some(workflow) => sqlx::query_as(
                "SELECT * FROM workflow_runs WHERE workflow = ?
                 ORDER BY accepted_at DESC, uuid DESC LIMIT ?",
            )
            .bind(workflow),
            None => sqlx::query_as(
                "SELECT * FROM workflow_runs ORDER BY accepted_at DESC, uuid DESC LIMIT ?",
            ),
        }
        .bind(limit)
        .fetch_all(conn)
        .await
    }

    /// The first two rows whose uuid begins with `prefix`, in lower case.
    pub async fn beginning_with(
        conn: &mut SqliteConnection,
        prefix: &str,
    ) -> Result<Vec<Self>, sqlx::Error> {
        // A range of the primary key: no character of a uuid comes behind `f`.
        sqlx::query_as(
            "SELECT * FROM workflow_runs WHERE uuid >= ?1 AND uuid < ?1 || 'g'
             ORDER BY uuid LIMIT 2",
        )
        .bind(prefix)
        .fetch_all(conn)
        .await
    }
}
