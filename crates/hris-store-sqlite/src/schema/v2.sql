-- Version 2: what is remembered of a connection's readings.

CREATE TABLE checkpoint (
    connection INTEGER PRIMARY KEY REFERENCES connection (id),
    body TEXT NOT NULL
) STRICT;
