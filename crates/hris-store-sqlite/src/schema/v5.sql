-- Version 5: connections as they are configured, and the welcomes that are owed.
--
-- A connection is configured before anything runs for it, so that these tables have their own keys. No document
-- holds a secret.

CREATE TABLE setup (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Grows with every write, from 1.
    revision INTEGER NOT NULL,
    -- When somebody has to look at it next, in microseconds since 1970; NULL: not by itself.
    due INTEGER,
    -- The connection as JSON, with a version of its own.
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX setup_due ON setup (due, tenant, name) WHERE due IS NOT NULL;

CREATE TABLE welcome (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant, name, employee_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_started ON run (started_at, id);
CREATE INDEX plan_final ON plan (connection, created_at) WHERE phase = 2;
