-- Widens the first plan's tables to what dagdad writes. `uuid` is a row's identity;
-- `id` is MariaDB's own. Times are UTC with microseconds. ram_limit, current_ram,
-- ram_total and estimated_ram stay MiB, exact sizes are in the *_bytes columns beside
-- them. utf8mb4_bin keeps names that differ only in case apart.

ALTER TABLE pods CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
ALTER TABLE pods
    MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT,
    ADD COLUMN IF NOT EXISTS uuid CHAR(36) NOT NULL DEFAULT (UUID()) AFTER id,
    MODIFY COLUMN name VARCHAR(63) NOT NULL,
    ADD COLUMN IF NOT EXISTS priority TINYINT UNSIGNED NOT NULL DEFAULT 50 AFTER category,
    ADD COLUMN IF NOT EXISTS wanted ENUM('up', 'down') NOT NULL DEFAULT 'down' AFTER priority,
    MODIFY COLUMN status ENUM('stopped', 'starting', 'running', 'stopping', 'error') NOT NULL DEFAULT 'stopped',
    ADD COLUMN IF NOT EXISTS message MEDIUMTEXT AFTER status,
    MODIFY COLUMN cpu_limit DECIMAL(12,3) NOT NULL DEFAULT 1.0,
    MODIFY COLUMN ram_limit BIGINT NOT NULL DEFAULT 512,
    ADD COLUMN IF NOT EXISTS ram_limit_bytes BIGINT NOT NULL DEFAULT 536870912 AFTER ram_limit,
    MODIFY COLUMN current_cpu DECIMAL(12,2) NOT NULL DEFAULT 0.00,
    MODIFY COLUMN current_ram BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS current_ram_bytes BIGINT NOT NULL DEFAULT 0 AFTER current_ram,
    ADD COLUMN IF NOT EXISTS current_ram_anon_bytes BIGINT NOT NULL DEFAULT 0 AFTER current_ram_bytes,
    ADD COLUMN IF NOT EXISTS current_ram_file_bytes BIGINT NOT NULL DEFAULT 0 AFTER current_ram_anon_bytes,
    ADD COLUMN IF NOT EXISTS manifest MEDIUMTEXT NOT NULL DEFAULT '' AFTER current_ram_file_bytes,
    ADD COLUMN IF NOT EXISTS manifest_digest VARCHAR(64) NOT NULL DEFAULT '' AFTER manifest,
    ADD COLUMN IF NOT EXISTS started_digest VARCHAR(64) NULL AFTER manifest_digest,
    MODIFY COLUMN created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    MODIFY COLUMN updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    ADD UNIQUE INDEX IF NOT EXISTS uuid (uuid);

-- Nothing writes `workflows` and `resource_alerts` yet: workflows and alerts are the work
-- of later releases.
ALTER TABLE workflows CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
ALTER TABLE workflows
    MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT,
    ADD COLUMN IF NOT EXISTS uuid CHAR(36) NOT NULL DEFAULT (UUID()) AFTER id,
    MODIFY COLUMN required_pods JSON NOT NULL,
    MODIFY COLUMN estimated_cpu DECIMAL(12,3) NOT NULL,
    MODIFY COLUMN estimated_ram BIGINT NOT NULL,
    MODIFY COLUMN is_active BOOLEAN NOT NULL DEFAULT FALSE,
    MODIFY COLUMN created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ADD COLUMN IF NOT EXISTS updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    ADD UNIQUE INDEX IF NOT EXISTS uuid (uuid);

-- resolution_seconds: 0 is one sample as measured; 60 and 600 are stretches of that
-- length that begin at `timestamp`: means over `samples` samples, highest value for the
-- *_pressure columns.
ALTER TABLE system_resources CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
ALTER TABLE system_resources
    MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT,
    ADD COLUMN IF NOT EXISTS uuid CHAR(36) NOT NULL DEFAULT (UUID()) AFTER id,
    MODIFY COLUMN timestamp TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ADD COLUMN IF NOT EXISTS resolution_seconds INT NOT NULL DEFAULT 0 AFTER timestamp,
    ADD COLUMN IF NOT EXISTS samples BIGINT NOT NULL DEFAULT 1 AFTER resolution_seconds,
    ADD COLUMN IF NOT EXISTS load_1m DECIMAL(12,2) AFTER cpu_usage,
    ADD COLUMN IF NOT EXISTS load_5m DECIMAL(12,2) AFTER load_1m,
    ADD COLUMN IF NOT EXISTS load_15m DECIMAL(12,2) AFTER load_5m,
    MODIFY COLUMN ram_total BIGINT,
    ADD COLUMN IF NOT EXISTS ram_total_bytes BIGINT AFTER ram_total,
    ADD COLUMN IF NOT EXISTS ram_used_bytes BIGINT AFTER ram_total_bytes,
    ADD COLUMN IF NOT EXISTS ram_cached_bytes BIGINT AFTER ram_used_bytes,
    ADD COLUMN IF NOT EXISTS swap_total_bytes BIGINT AFTER ram_cached_bytes,
    ADD COLUMN IF NOT EXISTS swap_used_bytes BIGINT AFTER swap_total_bytes,
    ADD COLUMN IF NOT EXISTS cpu_pressure DECIMAL(5,2) AFTER disk_usage,
    ADD COLUMN IF NOT EXISTS memory_pressure DECIMAL(5,2) AFTER cpu_pressure,
    ADD COLUMN IF NOT EXISTS memory_pressure_full DECIMAL(5,2) AFTER memory_pressure,
    ADD COLUMN IF NOT EXISTS io_pressure DECIMAL(5,2) AFTER memory_pressure_full,
    MODIFY COLUMN active_pods JSON,
    ADD UNIQUE INDEX IF NOT EXISTS uuid (uuid),
    ADD INDEX IF NOT EXISTS resolution_timestamp (resolution_seconds, timestamp);

ALTER TABLE resource_alerts CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
ALTER TABLE resource_alerts
    MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT,
    ADD COLUMN IF NOT EXISTS uuid CHAR(36) NOT NULL DEFAULT (UUID()) AFTER id,
    MODIFY COLUMN alert_type ENUM('cpu_high', 'ram_high', 'disk_high', 'pod_down', 'pressure_high', 'workflow_failed', 'store_down') NOT NULL,
    MODIFY COLUMN message MEDIUMTEXT NOT NULL,
    MODIFY COLUMN resolved BOOLEAN NOT NULL DEFAULT FALSE,
    MODIFY COLUMN created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ADD COLUMN IF NOT EXISTS updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    ADD UNIQUE INDEX IF NOT EXISTS uuid (uuid);

CREATE TABLE IF NOT EXISTS events (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uuid CHAR(36) NOT NULL,
    timestamp TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    kind VARCHAR(63) NOT NULL,
    object VARCHAR(255),
    message MEDIUMTEXT NOT NULL,
    UNIQUE INDEX uuid (uuid),
    INDEX idx_timestamp (timestamp),
    INDEX object_timestamp (object, timestamp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Whose rows these are and how far they go: `store_id` names the SQLite database that
-- writes here, `last_seq` is the last outbox entry received, written with its rows.
CREATE TABLE IF NOT EXISTS mirror_source (
    id TINYINT NOT NULL PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    store_id CHAR(36) NOT NULL,
    last_seq BIGINT NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
