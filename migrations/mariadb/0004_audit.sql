-- Who asked for what, and what became of it. Safe to run again after it was cut off half way, as
-- every migration here. Times are UTC with microseconds.

-- `user` is the name at that time; `operation` names what it became.
CREATE TABLE IF NOT EXISTS audit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uuid CHAR(36) NOT NULL,
    timestamp TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    uid INT UNSIGNED NOT NULL,
    user VARCHAR(255) NULL,
    pid INT NULL,
    verb VARCHAR(63) NOT NULL,
    object VARCHAR(255) NULL,
    operation CHAR(36) NULL,
    outcome ENUM('asked', 'accepted', 'done', 'refused', 'failed', 'denied') NOT NULL,
    message MEDIUMTEXT NOT NULL,
    UNIQUE INDEX uuid (uuid),
    INDEX idx_timestamp (timestamp),
    INDEX uid_timestamp (uid, timestamp),
    INDEX object_timestamp (object, timestamp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
