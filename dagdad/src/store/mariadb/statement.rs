//! The statements that an entry of the outbox becomes. Each may be run again without harm.

use sqlx::MySqlConnection;

use crate::store::outbox::{Change, Entry, Relation};
use crate::store::rows::{
    AlertRow, AuditRow, EventRow, PodRow, PodRunRow, RunRow, SampleRow, WorkflowRow, bind_alert,
    bind_audit, bind_event, bind_pod, bind_pod_run, bind_run, bind_sample, bind_workflow,
};

/// Does in MariaDB what `entry` says.
pub(super) async fn apply(conn: &mut MySqlConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    match &entry.change {
        Change::PutPod(row) => put_pod(conn, row).await,
        Change::PutWorkflow(row) => put_workflow(conn, row).await,
        Change::PutRun(row) => put_run(conn, row).await,
        Change::PutPodRun(row) => put_pod_run(conn, row).await,
        Change::PutAlert(row) => put_alert(conn, row).await,
        Change::PutSample(row) => put_sample(conn, row).await,
        Change::PutEvent(row) => put_event(conn, row).await,
        Change::PutAudit(row) => put_audit(conn, row).await,
        Change::Delete(uuid) => delete(conn, entry.relation, uuid).await,
        Change::Prune {
            resolution_seconds,
            before,
        } => prune(conn, entry.relation, *resolution_seconds, *before).await,
        // Done apart, since it reads both databases.
        Change::Reconcile => Ok(()),
    }
}

async fn put_pod(conn: &mut MySqlConnection, row: &PodRow) -> Result<(), sqlx::Error> {
    // Whoever else has the name here has lost it in SQLite since.
    sqlx::query("DELETE FROM pods WHERE name = ? AND uuid <> ?")
        .bind(&row.name)
        .bind(&row.uuid)
        .execute(&mut *conn)
        .await?;
    let query = sqlx::query(
        "INSERT INTO pods (uuid, name, category, priority, wanted, status, message, port,
            cpu_limit, ram_limit, ram_limit_bytes, current_cpu, current_ram, current_ram_bytes,
            current_ram_anon_bytes, current_ram_file_bytes, current_ram_mapped_bytes, manifest,
            manifest_digest, started_digest, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'))
         ON DUPLICATE KEY UPDATE name = VALUES(name), category = VALUES(category),
            priority = VALUES(priority), wanted = VALUES(wanted), status = VALUES(status),
            message = VALUES(message), port = VALUES(port), cpu_limit = VALUES(cpu_limit),
            ram_limit = VALUES(ram_limit), ram_limit_bytes = VALUES(ram_limit_bytes),
            current_cpu = VALUES(current_cpu), current_ram = VALUES(current_ram),
            current_ram_bytes = VALUES(current_ram_bytes),
            current_ram_anon_bytes = VALUES(current_ram_anon_bytes),
            current_ram_file_bytes = VALUES(current_ram_file_bytes),
            current_ram_mapped_bytes = VALUES(current_ram_mapped_bytes),
            manifest = VALUES(manifest), manifest_digest = VALUES(manifest_digest),
            started_digest = VALUES(started_digest), created_at = VALUES(created_at),
            updated_at = VALUES(updated_at)",
    );
    bind_pod!(query, row).execute(conn).await.map(drop)
}

async fn put_workflow(conn: &mut MySqlConnection, row: &WorkflowRow) -> Result<(), sqlx::Error> {
    // As with pods.
    sqlx::query("DELETE FROM workflows WHERE name = ? AND uuid <> ?")
        .bind(&row.name)
        .bind(&row.uuid)
        .execute(&mut *conn)
        .await?;
    let query = sqlx::query(
        "INSERT INTO workflows (uuid, name, description, required_pods, priority, estimated_cpu,
            estimated_ram, estimated_ram_bytes, is_active, manifest, manifest_digest, created_at,
            updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'))
         ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description),
            required_pods = VALUES(required_pods), priority = VALUES(priority),
            estimated_cpu = VALUES(estimated_cpu), estimated_ram = VALUES(estimated_ram),
            estimated_ram_bytes = VALUES(estimated_ram_bytes), is_active = VALUES(is_active),
            manifest = VALUES(manifest), manifest_digest = VALUES(manifest_digest),
            created_at = VALUES(created_at), updated_at = VALUES(updated_at)",
    );
    bind_workflow!(query, row).execute(conn).await.map(drop)
}

async fn put_run(conn: &mut MySqlConnection, row: &RunRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO workflow_runs (uuid, workflow, state, priority, on_failure, timeout_seconds,
            admission, accepted_at, admitted_at, ready_at, ended_at, deadline, victims,
            failure_code, failure_message, failure_log, pods)
         VALUES (?, ?, ?, ?, ?, ?, ?,
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE workflow = VALUES(workflow), state = VALUES(state),
            priority = VALUES(priority), on_failure = VALUES(on_failure),
            timeout_seconds = VALUES(timeout_seconds), admission = VALUES(admission),
            accepted_at = VALUES(accepted_at), admitted_at = VALUES(admitted_at),
            ready_at = VALUES(ready_at), ended_at = VALUES(ended_at),
            deadline = VALUES(deadline), victims = VALUES(victims),
            failure_code = VALUES(failure_code), failure_message = VALUES(failure_message),
            failure_log = VALUES(failure_log), pods = VALUES(pods)",
    );
    bind_run!(query, row).execute(conn).await.map(drop)
}

async fn put_pod_run(conn: &mut MySqlConnection, row: &PodRunRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO pod_runs (uuid, pod, started_at, ready_after_seconds, ended_at, completed,
            memory_peak_bytes, cpu_peak)
         VALUES (?, ?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?,
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?)
         ON DUPLICATE KEY UPDATE pod = VALUES(pod), started_at = VALUES(started_at),
            ready_after_seconds = VALUES(ready_after_seconds), ended_at = VALUES(ended_at),
            completed = VALUES(completed), memory_peak_bytes = VALUES(memory_peak_bytes),
            cpu_peak = VALUES(cpu_peak)",
    );
    bind_pod_run!(query, row).execute(conn).await.map(drop)
}

async fn put_alert(conn: &mut MySqlConnection, row: &AlertRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO resource_alerts (uuid, alert_type, object, severity, message, resolved,
            created_at, updated_at, acknowledged_at, resolved_at, peak, culprits, flapping)
         VALUES (?, ?, ?, ?, ?, ?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?)
         ON DUPLICATE KEY UPDATE alert_type = VALUES(alert_type), object = VALUES(object),
            severity = VALUES(severity), message = VALUES(message), resolved = VALUES(resolved),
            created_at = VALUES(created_at), updated_at = VALUES(updated_at),
            acknowledged_at = VALUES(acknowledged_at), resolved_at = VALUES(resolved_at),
            peak = VALUES(peak), culprits = VALUES(culprits), flapping = VALUES(flapping)",
    );
    bind_alert!(query, row).execute(conn).await.map(drop)
}

async fn put_sample(conn: &mut MySqlConnection, row: &SampleRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO system_resources (uuid, timestamp, resolution_seconds, samples, cpu_usage,
            load_1m, load_5m, load_15m, ram_usage, ram_total, ram_total_bytes, ram_used_bytes,
            ram_cached_bytes, swap_total_bytes, swap_used_bytes, disk_usage, cpu_pressure,
            memory_pressure, memory_pressure_full, io_pressure, active_pods)
         VALUES (?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?, ?, ?, ?, ?, ?,
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE timestamp = VALUES(timestamp),
            resolution_seconds = VALUES(resolution_seconds), samples = VALUES(samples),
            cpu_usage = VALUES(cpu_usage), load_1m = VALUES(load_1m), load_5m = VALUES(load_5m),
            load_15m = VALUES(load_15m), ram_usage = VALUES(ram_usage),
            ram_total = VALUES(ram_total), ram_total_bytes = VALUES(ram_total_bytes),
            ram_used_bytes = VALUES(ram_used_bytes), ram_cached_bytes = VALUES(ram_cached_bytes),
            swap_total_bytes = VALUES(swap_total_bytes),
            swap_used_bytes = VALUES(swap_used_bytes), disk_usage = VALUES(disk_usage),
            cpu_pressure = VALUES(cpu_pressure), memory_pressure = VALUES(memory_pressure),
            memory_pressure_full = VALUES(memory_pressure_full),
            io_pressure = VALUES(io_pressure), active_pods = VALUES(active_pods)",
    );
    bind_sample!(query, row).execute(conn).await.map(drop)
}

async fn put_event(conn: &mut MySqlConnection, row: &EventRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO events (uuid, timestamp, kind, object, run, message)
         VALUES (?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE timestamp = VALUES(timestamp), kind = VALUES(kind),
            object = VALUES(object), run = VALUES(run), message = VALUES(message)",
    );
    bind_event!(query, row).execute(conn).await.map(drop)
}

async fn put_audit(conn: &mut MySqlConnection, row: &AuditRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO audit (uuid, timestamp, uid, user, pid, verb, object, operation, outcome,
            message)
         VALUES (?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE timestamp = VALUES(timestamp), uid = VALUES(uid),
            user = VALUES(user), pid = VALUES(pid), verb = VALUES(verb), object = VALUES(object),
            operation = VALUES(operation), outcome = VALUES(outcome), message = VALUES(message)",
    );
    bind_audit!(query, row).execute(conn).await.map(drop)
}

/// Deletes a row by its uuid.
pub(super) async fn delete(
    conn: &mut MySqlConnection,
    relation: Relation,
    uuid: &str,
) -> Result<(), sqlx::Error> {
    let sql = match relation {
        Relation::Pods => "DELETE FROM pods WHERE uuid = ?",
        Relation::Workflows => "DELETE FROM workflows WHERE uuid = ?",
        Relation::WorkflowRuns => "DELETE FROM workflow_runs WHERE uuid = ?",
        Relation::PodRuns => "DELETE FROM pod_runs WHERE uuid = ?",
        Relation::ResourceAlerts => "DELETE FROM resource_alerts WHERE uuid = ?",
        Relation::Events => "DELETE FROM events WHERE uuid = ?",
        Relation::Audit => "DELETE FROM audit WHERE uuid = ?",
        Relation::SystemResources => "DELETE FROM system_resources WHERE uuid = ?",
    };
    sqlx::query(sql).bind(uuid).execute(conn).await.map(drop)
}

async fn prune(
    conn: &mut MySqlConnection,
    relation: Relation,
    resolution_seconds: Option<i64>,
    before: i64,
) -> Result<(), sqlx::Error> {
    match (relation, resolution_seconds) {
        (Relation::SystemResources, Some(tier)) => {
            sqlx::query(
                "DELETE FROM system_resources WHERE resolution_seconds = ?
                 AND timestamp < TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')",
            )
            .bind(tier)
            .bind(before)
            .execute(conn)
            .await?;
        }
        (Relation::Events, _) => {
            sqlx::query(
                "DELETE FROM events
                 WHERE timestamp < TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')",
            )
            .bind(before)
            .execute(conn)
            .await?;
        }
        // A row's outcome changes, the time that this goes by does not.
        (Relation::Audit, _) => {
            sqlx::query(
                "DELETE FROM audit
                 WHERE timestamp < TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')",
            )
            .bind(before)
            .execute(conn)
            .await?;
        }
        // What can change is never pruned by a condition that MariaDB's own, perhaps older,
        // rows would have to fulfil: its rows are deleted by their uuids.
        (Relation::SystemResources, None)
        | (
            Relation::Pods
            | Relation::Workflows
            | Relation::WorkflowRuns
            | Relation::PodRuns
            | Relation::ResourceAlerts,
            _,
        ) => {}
    }
    Ok(())
}
