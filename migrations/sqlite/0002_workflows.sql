-- Workflows, their runs, what pods used, and alerts. As in 0001: times are microseconds since
-- 1970-01-01 UTC, sizes are bytes (estimated_ram is MiB, as the seed has it), CPU is in
-- cores. Spans of time are seconds with six decimals.

ALTER TABLE pods ADD COLUMN current_ram_mapped_bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE intents ADD COLUMN admission TEXT NOT NULL DEFAULT 'fit'
    CHECK (admission IN ('fit', 'evict', 'force'));
ALTER TABLE intents ADD COLUMN run TEXT;

ALTER TABLE events ADD COLUMN run TEXT;
CREATE INDEX events_by_run ON events (run, timestamp, uuid) WHERE run IS NOT NULL;

-- required_pods: a JSON list of names.
ALTER TABLE workflows ADD COLUMN manifest TEXT NOT NULL DEFAULT '';
ALTER TABLE workflows ADD COLUMN manifest_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE workflows ADD COLUMN priority INTEGER NOT NULL DEFAULT 50
    CHECK (priority BETWEEN 0 AND 100);
ALTER TABLE workflows ADD COLUMN estimated_ram_bytes INTEGER NOT NULL DEFAULT 0;

-- A run keeps what it was started with, whatever becomes of its workflow: `workflow` is a
-- name, not a reference. A run is at its end once `ended_at` is set. Each state has its own
-- columns:
--   evicting                             victims, a JSON list of names
--   starting                             deadline
--   rolling_back, failed, rolled_back    failure_code, failure_message and failure_log, a
--                                        JSON list of lines
--   stopped, failed, rolled_back, cancelled    ended_at
-- pods: a JSON list of objects: pod, level, after (names), step, message (of the steps that
-- have one), since (RFC 3339), started_by_run.
CREATE TABLE workflow_runs (
    uuid TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'evicting', 'starting', 'running', 'degraded',
        'rolling_back', 'stopping', 'stopped', 'failed', 'rolled_back', 'cancelled')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    on_failure TEXT NOT NULL CHECK (on_failure IN ('rollback', 'keep')),
    timeout_seconds REAL NOT NULL,
    admission TEXT NOT NULL CHECK (admission IN ('fit', 'evict', 'force')),
    accepted_at INTEGER NOT NULL,
    admitted_at INTEGER,
    ready_at INTEGER,
    ended_at INTEGER,
    deadline INTEGER,
    victims TEXT,
    failure_code TEXT,
    failure_message TEXT,
    failure_log TEXT,
    pods TEXT NOT NULL,
    CHECK ((victims IS NOT NULL) = (state = 'evicting')),
    CHECK ((deadline IS NOT NULL) = (state = 'starting')),
    CHECK ((failure_code IS NOT NULL) = (state IN ('rolling_back', 'failed', 'rolled_back'))),
    CHECK ((failure_message IS NOT NULL) = (failure_code IS NOT NULL)),
    CHECK ((failure_log IS NOT NULL) = (failure_code IS NOT NULL)),
    CHECK ((ended_at IS NOT NULL) = (state IN ('stopped', 'failed', 'rolled_back', 'cancelled')))
) STRICT;
CREATE INDEX workflow_runs_active ON workflow_runs (accepted_at, uuid) WHERE ended_at IS NULL;
CREATE INDEX workflow_runs_ended ON workflow_runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX workflow_runs_by_time ON workflow_runs (accepted_at, uuid);
CREATE INDEX workflow_runs_by_workflow ON workflow_runs (workflow, accepted_at, uuid);

-- What one life of a pod, from its start to its end, used at most.
CREATE TABLE pod_runs (
    uuid TEXT NOT NULL PRIMARY KEY,
    pod TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ready_after_seconds REAL,
    ended_at INTEGER,
    completed INTEGER NOT NULL CHECK (completed IN (0, 1)),
    memory_peak_bytes INTEGER NOT NULL,
    cpu_peak REAL NOT NULL
) STRICT;
CREATE INDEX pod_runs_by_pod ON pod_runs (pod, started_at DESC, uuid DESC);
CREATE INDEX pod_runs_ended ON pod_runs (ended_at) WHERE ended_at IS NOT NULL;

-- One row for each episode. `resolved` is the seed's; it is 1 once `resolved_at` is set. `peak`
-- is in percent; `culprits` are those that used most then, a JSON list of objects: pod,
-- cpu_percent, ram_bytes.
ALTER TABLE resource_alerts ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE resource_alerts ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE resource_alerts ADD COLUMN resolved_at INTEGER;
ALTER TABLE resource_alerts ADD COLUMN peak REAL;
ALTER TABLE resource_alerts ADD COLUMN culprits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE resource_alerts ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0
    CHECK (flapping IN (0, 1));
UPDATE resource_alerts SET resolved_at = updated_at WHERE resolved = 1;
CREATE INDEX resource_alerts_active ON resource_alerts (created_at, uuid) WHERE resolved = 0;
CREATE INDEX resource_alerts_by_time ON resource_alerts (created_at, uuid);
CREATE INDEX resource_alerts_resolved ON resource_alerts (resolved_at)
    WHERE resolved_at IS NOT NULL;

-- The outbox takes the new tables' rows: a CHECK cannot be changed, so the table is made
-- anew. What waits keeps its place, and numbers go on where they were even if nothing waits,
-- since MariaDB remembers the last one that it received.
CREATE TABLE outbox_rebuilt (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('row', 'prune', 'reconcile')),
    relation TEXT NOT NULL CHECK (relation IN ('pods', 'workflows', 'workflow_runs', 'pod_runs',
        'resource_alerts', 'events', 'system_resources')),
    key TEXT NOT NULL,
    before INTEGER,
    UNIQUE (kind, relation, key),
    CHECK ((kind = 'prune') = (before IS NOT NULL))
) STRICT;
INSERT INTO outbox_rebuilt (seq, kind, relation, key, before)
    SELECT seq, kind, relation, key, before FROM outbox ORDER BY seq;
DELETE FROM sqlite_sequence WHERE name = 'outbox_rebuilt';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'outbox_rebuilt', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_rebuilt RENAME TO outbox;
