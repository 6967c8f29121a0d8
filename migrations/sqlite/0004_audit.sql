-- Who asked for what, and what became of it. As in 0001: times are microseconds since
-- 1970-01-01 UTC.

-- `user` is the name at that time, empty where there was none; `operation` names the intent that
-- it became.
CREATE TABLE audit (
    uuid TEXT NOT NULL PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    user TEXT,
    pid INTEGER,
    verb TEXT NOT NULL,
    object TEXT,
    operation TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('asked', 'accepted', 'done', 'refused', 'failed',
        'denied')),
    message TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (timestamp, uuid);
CREATE INDEX audit_under_way ON audit (operation)
    WHERE operation IS NOT NULL AND outcome IN ('asked', 'accepted');

-- The outbox takes the new table's rows; made anew as in 0002.
CREATE TABLE outbox_rebuilt (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('row', 'prune', 'reconcile')),
    relation TEXT NOT NULL CHECK (relation IN ('pods', 'workflows', 'workflow_runs', 'pod_runs',
        'resource_alerts', 'events', 'audit', 'system_resources')),
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
