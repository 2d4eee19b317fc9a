-- Version 4: what administrators recorded against the HR system, and whom the store was told to forget.

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
