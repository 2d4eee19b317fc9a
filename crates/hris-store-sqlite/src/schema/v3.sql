-- Gift campaigns. What is kept of a person can only be first name, last name and address, opaque keys, and a due date
-- while something is due. Tables of people's keys have no row ids, since the order of insertion would tell due dates.

CREATE TABLE campaign (
    connection INTEGER NOT NULL REFERENCES connection (id),
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    rule INTEGER NOT NULL,
    -- draft, live, paused, ended.
    status TEXT NOT NULL CHECK (status IN ('draft', 'live', 'paused', 'ended')),
    -- The campaign crate's document; nothing about people.
    definition TEXT NOT NULL,
    -- YYYY-MM-DD, the day of the last successful run.
    last_run TEXT,
    PRIMARY KEY (connection, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_head (
    connection INTEGER PRIMARY KEY REFERENCES connection (id),
    head TEXT NOT NULL
) STRICT;

-- Keyed hashes as the signed integers of the same bits.
CREATE TABLE campaign_episode (
    connection INTEGER NOT NULL REFERENCES connection (id),
    episode INTEGER NOT NULL,
    number INTEGER NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    start INTEGER NOT NULL,
    PRIMARY KEY (connection, episode)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_block (
    connection INTEGER NOT NULL REFERENCES connection (id),
    person INTEGER NOT NULL,
    block TEXT NOT NULL CHECK (block IN ('erased', 'opted_out')),
    PRIMARY KEY (connection, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE send (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    connection INTEGER NOT NULL REFERENCES connection (id),
    campaign TEXT NOT NULL,
    person INTEGER NOT NULL,
    occasion BLOB NOT NULL CHECK (length(occasion) = 16),
    link_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('planned', 'scheduled', 'active', 'delivered', 'claimed', 'cancelled', 'expired', 'uncertain')),
    reason TEXT CHECK ((reason IS NOT NULL) = (state = 'cancelled')),
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    -- Days since year 1, and microseconds since 1970: there while something is due.
    due INTEGER CHECK ((due IS NOT NULL) = (state IN ('planned', 'scheduled', 'active'))),
    send_at INTEGER CHECK ((send_at IS NULL) = (due IS NULL)),
    until INTEGER CHECK ((until IS NULL) = (due IS NULL)),
    seen_at INTEGER CHECK ((seen_at IS NULL) = (due IS NULL)),
    rule INTEGER CHECK ((rule IS NULL) = (due IS NULL)),
    attempts INTEGER CHECK ((attempts IS NULL) = (due IS NULL)),
    -- Months since year 0: until when the link answers, or after which name and address are erased.
    month INTEGER CHECK (month IS NULL OR due IS NULL),
    CHECK ((first_name IS NULL) = (email IS NULL) AND (last_name IS NULL) = (email IS NULL)),
    CHECK ((email IS NOT NULL) = (month IS NOT NULL OR state IN ('scheduled', 'active')))
) STRICT, WITHOUT ROWID;

CREATE INDEX send_due ON send (connection, send_at, id) WHERE state = 'scheduled';
CREATE INDEX send_undelivered ON send (connection, due, id) WHERE due IS NOT NULL;
CREATE INDEX send_month ON send (connection, month, id) WHERE due IS NULL;
CREATE INDEX send_person ON send (connection, person);
CREATE INDEX send_occasion ON send (connection, occasion);

CREATE TABLE campaign_run (
    connection INTEGER NOT NULL REFERENCES connection (id),
    run TEXT NOT NULL,
    as_of TEXT NOT NULL,
    -- Counts and codes; nothing about people.
    report TEXT NOT NULL,
    PRIMARY KEY (connection, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_run_latest ON campaign_run (connection, as_of DESC, run DESC);
