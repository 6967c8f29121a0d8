-- Economy mode and silences: the daemon's own working state, never mirrored. As in 0001: times
-- are microseconds since 1970-01-01 UTC.

-- One row, or none before anything was set or done. `policy` is empty where the configuration
-- decides. While it is active, `active_since` and `cause` are set; `cause_value` and
-- `cause_threshold`, in percent, with every cause but 'policy'.
-- taken: what is to be given back, a JSON list of objects: pod, taking (throttled, frozen, shed),
-- cpu_millicores (of throttled), for_good (of shed), at (RFC 3339), used_memory_bytes,
-- used_cpu_millicores, reason.
-- sheds: when pods were stopped of late, a JSON list of objects: pod, at (RFC 3339).
CREATE TABLE economy (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    policy TEXT CHECK (policy IN ('auto', 'on', 'off')),
    active_since INTEGER,
    cause TEXT CHECK (cause IN ('policy', 'ram', 'pressure', 'cpu')),
    cause_value REAL,
    cause_threshold REAL,
    taken TEXT NOT NULL,
    sheds TEXT NOT NULL,
    CHECK ((active_since IS NOT NULL) = (cause IS NOT NULL)),
    CHECK ((cause_value IS NOT NULL) = (cause IS NOT NULL AND cause <> 'policy')),
    CHECK ((cause_threshold IS NOT NULL) = (cause_value IS NOT NULL))
) STRICT;

-- Of what nobody is notified: every alert of a condition, or every alert about an object.
CREATE TABLE silences (
    uuid TEXT NOT NULL PRIMARY KEY,
    condition TEXT,
    object TEXT,
    created_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CHECK ((condition IS NULL) <> (object IS NULL))
) STRICT;
