//! The statements that read a table back in SQLite's terms: times as microseconds since 1970,
//! decimals as the numbers that they were rounded from, the rest as it was written.
//!
//! Each reads a page: rows behind an `id`, in that order, which is about that in which they came.

use crate::store::outbox::Relation;

/// Parameters: the last `id` that was read, and how many rows at most.
pub(super) const fn page(relation: Relation) -> &'static str {
    match relation {
        Relation::Pods => PODS,
        Relation::Workflows => WORKFLOWS,
        Relation::WorkflowRuns => WORKFLOW_RUNS,
        Relation::PodRuns => POD_RUNS,
        Relation::ResourceAlerts => RESOURCE_ALERTS,
        Relation::Events => EVENTS,
        Relation::Audit => AUDIT,
        Relation::SystemResources => SYSTEM_RESOURCES,
    }
}

/// How many rows there are.
pub(super) const fn count(relation: Relation) -> &'static str {
    match relation {
        Relation::Pods => "SELECT count(*) FROM pods",
        Relation::Workflows => "SELECT count(*) FROM workflows",
        Relation::WorkflowRuns => "SELECT count(*) FROM workflow_runs",
        Relation::PodRuns => "SELECT count(*) FROM pod_runs",
        Relation::ResourceAlerts => "SELECT count(*) FROM resource_alerts",
        Relation::Events => "SELECT count(*) FROM events",
        Relation::Audit => "SELECT count(*) FROM audit",
        Relation::SystemResources => "SELECT count(*) FROM system_resources",
    }
}

const PODS: &str = "
SELECT id, uuid, name, CAST(category AS CHAR) AS category, CAST(priority AS SIGNED) AS priority,
    CAST(wanted AS CHAR) AS wanted, CAST(status AS CHAR) AS status, message,
    CAST(port AS SIGNED) AS port, CAST(cpu_limit AS DOUBLE) AS cpu_limit, ram_limit,
    ram_limit_bytes, CAST(current_cpu AS DOUBLE) AS current_cpu, current_ram, current_ram_bytes,
    current_ram_anon_bytes, current_ram_file_bytes, current_ram_mapped_bytes, manifest,
    manifest_digest, started_digest,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', created_at) AS created_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', updated_at) AS updated_at
FROM pods WHERE id > ? ORDER BY id LIMIT ?";

const WORKFLOWS: &str = "
SELECT id, uuid, name, description, required_pods, CAST(priority AS SIGNED) AS priority,
    CAST(estimated_cpu AS DOUBLE) AS estimated_cpu, estimated_ram, estimated_ram_bytes, is_active,
    manifest, manifest_digest,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', created_at) AS created_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', updated_at) AS updated_at
FROM workflows WHERE id > ? ORDER BY id LIMIT ?";

const WORKFLOW_RUNS: &str = "
SELECT id, uuid, workflow, CAST(state AS CHAR) AS state, CAST(priority AS SIGNED) AS priority,
    CAST(on_failure AS CHAR) AS on_failure, CAST(timeout_seconds AS DOUBLE) AS timeout_seconds,
    CAST(admission AS CHAR) AS admission,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', accepted_at) AS accepted_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', admitted_at) AS admitted_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', ready_at) AS ready_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', ended_at) AS ended_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', deadline) AS deadline,
    victims, failure_code, failure_message, failure_log, pods
FROM workflow_runs WHERE id > ? ORDER BY id LIMIT ?";

const POD_RUNS: &str = "
SELECT id, uuid, pod,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', started_at) AS started_at,
    CAST(ready_after_seconds AS DOUBLE) AS ready_after_seconds,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', ended_at) AS ended_at,
    completed, memory_peak_bytes, CAST(cpu_peak AS DOUBLE) AS cpu_peak
FROM pod_runs WHERE id > ? ORDER BY id LIMIT ?";

const RESOURCE_ALERTS: &str = "
SELECT id, uuid, CAST(alert_type AS CHAR) AS alert_type, object,
    CAST(severity AS CHAR) AS severity, message, resolved,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', created_at) AS created_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', updated_at) AS updated_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', acknowledged_at) AS acknowledged_at,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', resolved_at) AS resolved_at,
    CAST(peak AS DOUBLE) AS peak, culprits, flapping
FROM resource_alerts WHERE id > ? ORDER BY id LIMIT ?";

const EVENTS: &str = "
SELECT id, uuid, TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', timestamp) AS timestamp, kind,
    object, run, message
FROM events WHERE id > ? ORDER BY id LIMIT ?";

const AUDIT: &str = "
SELECT id, uuid, TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', timestamp) AS timestamp,
    CAST(uid AS SIGNED) AS uid, user, CAST(pid AS SIGNED) AS pid, verb, object, operation,
    CAST(outcome AS CHAR) AS outcome, message
FROM audit WHERE id > ? ORDER BY id LIMIT ?";

/// Somebody's own rows may lack what the first plan did not ask for.
const SYSTEM_RESOURCES: &str = "
SELECT id, uuid, TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', timestamp) AS timestamp,
    CAST(resolution_seconds AS SIGNED) AS resolution_seconds, samples,
    CAST(coalesce(cpu_usage, 0) AS DOUBLE) AS cpu_usage,
    CAST(coalesce(load_1m, 0) AS DOUBLE) AS load_1m,
    CAST(coalesce(load_5m, 0) AS DOUBLE) AS load_5m,
    CAST(coalesce(load_15m, 0) AS DOUBLE) AS load_15m,
    CAST(coalesce(ram_usage, 0) AS DOUBLE) AS ram_usage, coalesce(ram_total, 0) AS ram_total,
    coalesce(ram_total_bytes, 0) AS ram_total_bytes, coalesce(ram_used_bytes, 0) AS ram_used_bytes,
    coalesce(ram_cached_bytes, 0) AS ram_cached_bytes,
    coalesce(swap_total_bytes, 0) AS swap_total_bytes,
    coalesce(swap_used_bytes, 0) AS swap_used_bytes,
    CAST(coalesce(disk_usage, 0) AS DOUBLE) AS disk_usage,
    CAST(cpu_pressure AS DOUBLE) AS cpu_pressure,
    CAST(memory_pressure AS DOUBLE) AS memory_pressure,
    CAST(memory_pressure_full AS DOUBLE) AS memory_pressure_full,
    CAST(io_pressure AS DOUBLE) AS io_pressure, coalesce(active_pods, '') AS active_pods
FROM system_resources WHERE id > ? ORDER BY id LIMIT ?";
