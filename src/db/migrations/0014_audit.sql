-- SPDX-License-Identifier: GPL-3.0-or-later

-- The audit log as a chain: each record has the hash of the one before in its own. What was written before comes into it
-- when the program starts, out of the table audit.

CREATE TABLE audit_record (
    id INTEGER NOT NULL PRIMARY KEY,
    time_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- the object as it was and as it is, as JSON without secrets, or its hash; NULL: there was none, or is none
    was TEXT,
    became TEXT,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_record_by_object ON audit_record (object, id);

-- The end of the chain, so that cutting it off is seen too.
CREATE TABLE audit_head (
    name TEXT NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head (name, n, hash) VALUES ('audit', 0, '');

-- only sqlite
CREATE TRIGGER audit_record_is_not_changed BEFORE UPDATE ON audit_record
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_record_is_not_deleted BEFORE DELETE ON audit_record
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
-- only postgresql
CREATE TRIGGER audit_record_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record EXECUTE FUNCTION refuse_change();
-- both
