-- Workflows, their runs, what pods used, and alerts. Safe to run again after it was cut off half way,
-- as every migration here. Times are UTC with microseconds, spans of time are seconds, CPU is
-- in cores, estimated_ram stays MiB.

ALTER TABLE pods
    ADD COLUMN IF NOT EXISTS current_ram_mapped_bytes BIGINT NOT NULL DEFAULT 0 AFTER current_ram_file_bytes;

ALTER TABLE events
    ADD COLUMN IF NOT EXISTS run CHAR(36) NULL AFTER object,
    ADD INDEX IF NOT EXISTS run_timestamp (run, timestamp);

-- The first plan did not keep names apart here, so the index does not either.
ALTER TABLE workflows
    ADD COLUMN IF NOT EXISTS priority TINYINT UNSIGNED NOT NULL DEFAULT 50 AFTER description,
    ADD COLUMN IF NOT EXISTS estimated_ram_bytes BIGINT NOT NULL DEFAULT 0 AFTER estimated_ram,
    ADD COLUMN IF NOT EXISTS manifest MEDIUMTEXT NOT NULL DEFAULT '' AFTER is_active,
    ADD COLUMN IF NOT EXISTS manifest_digest VARCHAR(64) NOT NULL DEFAULT '' AFTER manifest,
    MODIFY COLUMN description MEDIUMTEXT,
    ADD INDEX IF NOT EXISTS name (name);

-- victims: names. failure_log: lines. pods: objects of pod, level, after (names), step,
-- message (of the steps that have one), since (RFC 3339), started_by_run.
CREATE TABLE IF NOT EXISTS workflow_runs (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uuid CHAR(36) NOT NULL,
    workflow VARCHAR(63) NOT NULL,
    state ENUM('queued', 'evicting', 'starting', 'running', 'degraded', 'rolling_back', 'stopping', 'stopped', 'failed', 'rolled_back', 'cancelled') NOT NULL,
    priority TINYINT UNSIGNED NOT NULL,
    on_failure ENUM('rollback', 'keep') NOT NULL,
    timeout_seconds DECIMAL(16,6) NOT NULL,
    admission ENUM('fit', 'evict', 'force') NOT NULL,
    accepted_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    admitted_at TIMESTAMP(6) NULL,
    ready_at TIMESTAMP(6) NULL,
    ended_at TIMESTAMP(6) NULL,
    deadline TIMESTAMP(6) NULL,
    victims JSON NULL,
    failure_code VARCHAR(63) NULL,
    failure_message MEDIUMTEXT NULL,
    failure_log JSON NULL,
    pods JSON NOT NULL,
    UNIQUE INDEX uuid (uuid),
    INDEX idx_accepted_at (accepted_at),
    INDEX workflow_accepted_at (workflow, accepted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What one life of a pod, from its start to its end, used at most.
CREATE TABLE IF NOT EXISTS pod_runs (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uuid CHAR(36) NOT NULL,
    pod VARCHAR(63) NOT NULL,
    started_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    ready_after_seconds DECIMAL(16,6) NULL,
    ended_at TIMESTAMP(6) NULL,
    completed BOOLEAN NOT NULL,
    memory_peak_bytes BIGINT NOT NULL,
    cpu_peak DECIMAL(12,3) NOT NULL,
    UNIQUE INDEX uuid (uuid),
    INDEX pod_started_at (pod, started_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row for each episode; `resolved` is TRUE once `resolved_at` is set. `peak` is in percent;
-- `culprits` are those that used most then: objects of pod, cpu_percent, ram_bytes.
ALTER TABLE resource_alerts
    ADD COLUMN IF NOT EXISTS object VARCHAR(255) NOT NULL DEFAULT '' AFTER alert_type,
    ADD COLUMN IF NOT EXISTS acknowledged_at TIMESTAMP(6) NULL AFTER updated_at,
    ADD COLUMN IF NOT EXISTS resolved_at TIMESTAMP(6) NULL AFTER acknowledged_at,
    ADD COLUMN IF NOT EXISTS peak DECIMAL(12,2) NULL,
    ADD COLUMN IF NOT EXISTS culprits JSON NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS flapping BOOLEAN NOT NULL DEFAULT FALSE,
    ADD INDEX IF NOT EXISTS idx_created_at (created_at);
UPDATE resource_alerts SET resolved_at = updated_at, updated_at = updated_at
    WHERE resolved AND resolved_at IS NULL;
