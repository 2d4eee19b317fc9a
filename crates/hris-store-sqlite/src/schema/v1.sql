-- Version 1. A published version is never edited: a change is a new file beside it.
--
-- Every row carries the number of its connection, so that no query can forget whose rows it wants. Times are
-- microseconds since 1970 and serve for order only; the documents beside them have the exact ones. Documents are
-- JSON with a version of their own: {"v":1,"body":…}.

CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The lease. The token outlives it, so that tokens never repeat.
    token INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    expires_at INTEGER,
    baseline TEXT,
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE link (
    connection INTEGER NOT NULL REFERENCES connection (id),
    record TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    member TEXT NOT NULL,
    -- 0: in; 1: left.
    state INTEGER NOT NULL CHECK (state IN (0, 1)),
    -- YYYY-MM-DD, of leavers whose target told it.
    irreversible_from TEXT,
    -- Fingerprint of the address, as the signed integer of the same bits.
    email INTEGER,
    -- A version byte (1), then for each attribute its tag (4 bytes) and fingerprint (8 bytes), little endian.
    prints BLOB NOT NULL,
    PRIMARY KEY (connection, record)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX link_member ON link (connection, member);

CREATE TABLE plan (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL REFERENCES connection (id),
    name TEXT NOT NULL,
    -- 0: draft; 1: sealed, something may still happen; 2: final.
    phase INTEGER NOT NULL CHECK (phase IN (0, 1, 2)),
    state TEXT NOT NULL,
    -- Both NULL while it is a draft.
    header TEXT,
    created_at INTEGER,
    UNIQUE (connection, name),
    UNIQUE (connection, id)
) STRICT;

CREATE INDEX plan_open ON plan (connection, created_at, id) WHERE phase = 1;
CREATE UNIQUE INDEX plan_draft ON plan (connection) WHERE phase = 0;

CREATE TABLE action (
    connection INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    -- This rank counts, not the one in the document.
    rank INTEGER NOT NULL,
    id TEXT NOT NULL,
    -- NULL: pending.
    state TEXT,
    -- 1: its state is final.
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
    -- The action without the prints of its `after`. The only place of people's values: a final action has none.
    body TEXT NOT NULL,
    -- The prints of its `after`, as those of a link; NULL where there are none.
    prints BLOB,
    PRIMARY KEY (connection, plan, rank, id),
    FOREIGN KEY (connection, plan) REFERENCES plan (connection, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX action_id ON action (connection, plan, id);

CREATE TABLE problem (
    connection INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    -- From 0, in the order appended.
    number INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (connection, plan, number),
    FOREIGN KEY (connection, plan) REFERENCES plan (connection, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL REFERENCES connection (id),
    name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    report TEXT NOT NULL,
    UNIQUE (connection, name)
) STRICT;

CREATE INDEX run_newest ON run (connection, started_at, id);
