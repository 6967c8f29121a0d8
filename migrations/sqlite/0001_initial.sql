-- Times are microseconds since 1970-01-01 UTC, sizes are bytes (the seed's own
-- columns ram_limit, current_ram and ram_total are MiB), CPU is in cores or percent.
-- Numbers that MariaDB keeps as DECIMAL are rounded to its scale before they are
-- stored here, so that both databases hold the same value.

CREATE TABLE pods (
    uuid TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL CHECK (category IN ('essential', 'optional')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    wanted TEXT NOT NULL CHECK (wanted IN ('up', 'down')),
    status TEXT NOT NULL CHECK (status IN ('stopped', 'starting', 'running', 'stopping', 'error')),
    message TEXT,
    port INTEGER,
    cpu_limit REAL NOT NULL,
    ram_limit INTEGER NOT NULL,
    ram_limit_bytes INTEGER NOT NULL,
    current_cpu REAL NOT NULL,
    current_ram INTEGER NOT NULL,
    current_ram_bytes INTEGER NOT NULL,
    current_ram_anon_bytes INTEGER NOT NULL,
    current_ram_file_bytes INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    manifest_digest TEXT NOT NULL,
    started_digest TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Operations in flight. Local working state: never mirrored.
CREATE TABLE intents (
    uuid TEXT NOT NULL PRIMARY KEY,
    pod TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('start', 'stop', 'restart', 'remove')),
    accepted_at INTEGER NOT NULL,
    closed_at INTEGER,
    outcome TEXT
) STRICT;
CREATE INDEX intents_open ON intents (accepted_at) WHERE closed_at IS NULL;
CREATE INDEX intents_closed ON intents (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE events (
    uuid TEXT NOT NULL PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    kind TEXT NOT NULL,
    object TEXT,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (timestamp, uuid);
CREATE INDEX events_by_object ON events (object, timestamp, uuid);

-- resolution_seconds: 0 is one sample as measured; 60 and 600 are stretches of that
-- length that begin at `timestamp`: means over `samples` samples, highest value for the
-- *_pressure columns. The large column stands last, so that history need not read it.
CREATE TABLE system_resources (
    uuid TEXT NOT NULL PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    resolution_seconds INTEGER NOT NULL CHECK (resolution_seconds IN (0, 60, 600)),
    samples INTEGER NOT NULL,
    cpu_usage REAL NOT NULL,
    load_1m REAL NOT NULL,
    load_5m REAL NOT NULL,
    load_15m REAL NOT NULL,
    ram_usage REAL NOT NULL,
    ram_total INTEGER NOT NULL,
    ram_total_bytes INTEGER NOT NULL,
    ram_used_bytes INTEGER NOT NULL,
    ram_cached_bytes INTEGER NOT NULL,
    swap_total_bytes INTEGER NOT NULL,
    swap_used_bytes INTEGER NOT NULL,
    disk_usage REAL NOT NULL,
    cpu_pressure REAL,
    memory_pressure REAL,
    memory_pressure_full REAL,
    io_pressure REAL,
    active_pods TEXT NOT NULL
) STRICT;
CREATE INDEX system_resources_by_time ON system_resources (resolution_seconds, timestamp);
CREATE UNIQUE INDEX system_resources_stretch ON system_resources (resolution_seconds, timestamp)
    WHERE resolution_seconds > 0;

-- `workflows` and `resource_alerts` are the first seed's tables. Nothing writes them yet;
-- workflows and alerts are the work of later releases.
CREATE TABLE workflows (
    uuid TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    required_pods TEXT NOT NULL,
    estimated_cpu REAL NOT NULL,
    estimated_ram INTEGER NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE resource_alerts (
    uuid TEXT NOT NULL PRIMARY KEY,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('cpu_high', 'ram_high', 'disk_high', 'pod_down',
        'pressure_high', 'workflow_failed', 'store_down')),
    message TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    resolved INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- What MariaDB does not have yet, in order. At most one entry for each row: a row that
-- changes again moves to the end, and its content is read when it is sent.
--   row        key = the row's uuid; sent as an upsert, or as a delete if the row is gone
--   prune      key = resolution_seconds ('' for events); rows older than `before` are gone
--   reconcile  delete the rows of `relation` in MariaDB that are not here
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('row', 'prune', 'reconcile')),
    relation TEXT NOT NULL CHECK (relation IN ('pods', 'events', 'system_resources')),
    key TEXT NOT NULL,
    before INTEGER,
    UNIQUE (kind, relation, key),
    CHECK ((kind = 'prune') = (before IS NOT NULL))
) STRICT;

-- Rows that MariaDB refused for what they contain. Tried again at the next start, or when
-- the row changes.
CREATE TABLE outbox_rejected (
    relation TEXT NOT NULL,
    key TEXT NOT NULL,
    error TEXT NOT NULL,
    rejected_at INTEGER NOT NULL,
    PRIMARY KEY (relation, key)
) STRICT;

-- One row. `store_id` names this database towards MariaDB; `mirrored` tells whether the
-- outbox was being filled at the last start; `acked_seq` is the last entry that MariaDB has.
CREATE TABLE mirror_state (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    store_id TEXT NOT NULL,
    mirrored INTEGER NOT NULL,
    acked_seq INTEGER NOT NULL
) STRICT;
