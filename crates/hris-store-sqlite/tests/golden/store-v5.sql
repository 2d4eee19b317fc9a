PRAGMA application_id = 1752328563;
PRAGMA user_version = 5;
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
CREATE TABLE checkpoint (
    connection INTEGER PRIMARY KEY REFERENCES connection (id),
    body TEXT NOT NULL
) STRICT;
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
CREATE TABLE override (
    connection INTEGER NOT NULL REFERENCES connection (id),
    record TEXT NOT NULL,
    field TEXT NOT NULL,
    -- With its value, until it ends.
    body TEXT NOT NULL,
    PRIMARY KEY (connection, record, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE forgotten (
    connection INTEGER NOT NULL REFERENCES connection (id),
    -- Fingerprint of the record id, as the signed integer of the same bits.
    record INTEGER NOT NULL,
    PRIMARY KEY (connection, record)
) STRICT, WITHOUT ROWID;
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
INSERT INTO connection VALUES (1, 'brisa', 'sesame', 1, 'night', 1772431800123456, '{"v":1,"body":{"account":"account-1","record_id_kind":"sesame.employee.id","key":"k1","mapping":"map-1","last_complete":1234,"watermark":{"at":"2026-03-02T06:01:00.123456789Z","cursor":"c2"}}}');
INSERT INTO link VALUES (1, 'r1', '00042', 'member-r1', 0, NULL, -2, X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO link VALUES (1, 'r2', '00042', 'member-r2', 1, NULL, -2, X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO link VALUES (1, 'r3', '00042', 'member-r3', 1, '2026-05-01', NULL, X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO plan VALUES (1, 1, 'held', 1, '{"v":1,"body":{"state":"released","actor":"ola","until":"2026-03-02T06:30:00.123456789Z"}}', '{"v":1,"body":{"id":"held","connection":{"tenant":"brisa","connection":"sesame"},"run":"night","reading":{"account":"account-1","record_id_kind":"sesame.employee.id","full":1234,"watermark":{"at":"2026-03-02T06:01:00.123456789Z","cursor":"c2"}},"mapping":"map-1","policy":"policy-1","key":"k1","as_of":"2026-05-02","created_at":"2026-03-02T06:02:00.123456789Z","expires_at":"2026-03-02T06:59:00.123456789Z","first_import":true,"summary":{"read":1234,"create":0,"adopt":0,"update":0,"leave":12,"reactivate":0,"unchanged":0,"ignored":0,"problems":0,"warnings":0,"missing":0,"invitations":0,"linked_active":0},"verdict":{"held":[{"too_many_leavers":{"planned":12,"limit":3}}]},"irreversible_from":"2026-05-31","digest":"0123456789abcdef0123456789abcdef"}}', 1772431320123456);
INSERT INTO plan VALUES (2, 1, 'draft', 0, '{"v":1,"body":{"state":"draft"}}', NULL, NULL);
INSERT INTO action VALUES (1, 1, 65536, '782b972130a5b53b6268592b7c42879f', NULL, 0, '{"v":1,"body":{"id":"782b972130a5b53b6268592b7c42879f","rank":65536,"person":{"record":"r1","employee_id":"00042"},"member":"member-r1","kind":{"action":"create","attributes":{"email":{"text":"nerea@brisa.example"},"phone":null,"start_date":{"date":"2026-05-04"},"birth_date":{"birth_date":{"year":null,"month":2,"day":29}},"custom:remote":{"bool":true}},"invite":true},"expects":{"linked":{"state":"active","row":18364758544493064720}},"after":{"employee_id":"00042","state":"active","email":1,"prints":[]}}}', X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO action VALUES (1, 1, 65537, 'f30b5468b7bae406ba87f52efe51574e', '{"v":1,"body":{"state":"uncertain","severity":"error","record":null,"employee_id":null,"field":null,"rule":"action.uncertain","message":"no answer"}}', 1, '{"v":1,"body":{"id":"f30b5468b7bae406ba87f52efe51574e","rank":65537,"person":{"record":"r2","employee_id":"00042"},"member":"member-r1","kind":{"action":"adopt","changes":{},"reopen":false},"expects":{"linked":{"state":"active","row":0}},"after":{"employee_id":"00042","state":"active","email":null,"prints":[]}}}', NULL);
INSERT INTO action VALUES (1, 1, 65538, 'c2baa05c9c59a76ba464c307bcb890e4', '{"v":1,"body":{"state":"begun"}}', 0, '{"v":1,"body":{"id":"c2baa05c9c59a76ba464c307bcb890e4","rank":65538,"person":{"record":"r3","employee_id":"00042"},"member":"member-r1","kind":{"action":"update","changes":{"email":{"text":"nerea@brisa.example"},"phone":null,"start_date":{"date":"2026-05-04"},"birth_date":{"birth_date":{"year":null,"month":2,"day":29}},"custom:remote":{"bool":true}}},"expects":{"linked":{"state":"active","row":18364758544493064720}},"after":{"employee_id":"00042","state":"active","email":1,"prints":[]}}}', X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO action VALUES (1, 1, 65539, '97f17d1da803289f9f18ce80fe950fa6', '{"v":1,"body":{"state":"done"}}', 1, '{"v":1,"body":{"id":"97f17d1da803289f9f18ce80fe950fa6","rank":65539,"person":{"record":"r4","employee_id":"00042"},"member":"member-r1","kind":{"action":"reactivate","changes":{}},"expects":{"linked":{"state":"active","row":0}},"after":{"employee_id":"00042","state":"active","email":null,"prints":[]}}}', NULL);
INSERT INTO action VALUES (1, 1, 65540, 'b2f8f0e46ba732d4312cd576874752b2', '{"v":1,"body":{"state":"done"}}', 1, '{"v":1,"body":{"id":"b2f8f0e46ba732d4312cd576874752b2","rank":65540,"person":{"record":"r5","employee_id":"00042"},"member":"member-r1","kind":{"action":"leave","reason":"absent","irreversible_from":"2026-05-31"},"expects":{"linked":{"state":"active","row":0}},"after":{"employee_id":"00042","state":"active","email":null,"prints":[]}}}', NULL);
INSERT INTO action VALUES (1, 2, 65536, '782b972130a5b53b6268592b7c42879f', NULL, 0, '{"v":1,"body":{"id":"782b972130a5b53b6268592b7c42879f","rank":65536,"person":{"record":"r1","employee_id":"00042"},"member":"member-r1","kind":{"action":"create","attributes":{"email":{"text":"nerea@brisa.example"},"phone":null,"start_date":{"date":"2026-05-04"},"birth_date":{"birth_date":{"year":null,"month":2,"day":29}},"custom:remote":{"bool":true}},"invite":true},"expects":{"linked":{"state":"active","row":18364758544493064720}},"after":{"employee_id":"00042","state":"active","email":1,"prints":[]}}}', X'019DF10D94EFCDAB896745230107000000FFFFFFFFFFFFFFFF');
INSERT INTO problem VALUES (1, 1, 0, '{"v":1,"body":{"severity":"error","record":"r9","employee_id":"00009","field":"work_email","rule":"email.invalid","message":"is not an e-mail address"}}');
INSERT INTO run VALUES (1, 1, 'night', 1772431200123456, '{"v":1,"body":{"run":"night","connection":{"tenant":"brisa","connection":"sesame"},"trigger":"on_demand","started_at":"2026-03-02T06:00:00.123456789Z","finished_at":"2026-03-02T06:05:00.123456789Z","result":{"result":"held","reasons":[{"shrunk_source":{"before":1500,"now":1234}}]},"plan":"held","planned":{"read":0,"create":0,"adopt":0,"update":0,"leave":12,"reactivate":0,"unchanged":0,"ignored":0,"problems":0,"warnings":0,"missing":0,"invitations":0,"linked_active":0},"applied":{"created":0,"adopted":0,"updated":0,"left":0,"reactivated":0,"invited":0,"failed":0,"uncertain":1,"pending":0},"problems":{"email.invalid":1},"irreversible_from":"2026-05-31"}}');
INSERT INTO checkpoint VALUES (1, '{"v":1,"body":{"watermark":{"at":"2026-03-02T06:01:00.123456789Z","cursor":"c2"},"mapping":"map-1","policy":"policy-1","full_at":"2026-03-02T06:00:00.123456789Z","changes_on":"2026-05-03","unsettled":["r9"],"claims":[{"record":18446744073709551615,"employee_id":1,"email":null}]}}');
INSERT INTO override VALUES (1, 'r9', 'first_name', '{"v":1,"body":{"record":"r9","field":"first_name","value":{"text":"Nerea"},"actor":"ola","reason":"asked by mail","made_at":"2026-03-02T06:04:00.123456789Z","until":{"source_changes":7}}}');
INSERT INTO forgotten VALUES (1, -9223372036854775808);
INSERT INTO setup VALUES ('brisa', 'sesame', 1, 1772503620000000, '{"v":1}');
INSERT INTO welcome VALUES ('brisa', 'sesame', '00042', '{"v":1,"body":"begun"}');
