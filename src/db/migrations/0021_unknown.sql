-- SPDX-License-Identifier: GPL-3.0-or-later

-- What unknown computers may, and what they are called. id: 'site', a distribution point or a deployment; NULL: as the next one above says.
CREATE TABLE unknown_rule (
    id TEXT NOT NULL PRIMARY KEY,
    is_allowed INTEGER,
    name_pattern TEXT,
    name_max INTEGER,
    is_name_asked INTEGER,
    needs_approval INTEGER,
    approval_hours INTEGER,
    changed_us INTEGER NOT NULL
) STRICT;

-- base: a name with '#' for its number.
CREATE TABLE name_counter (
    base TEXT NOT NULL PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;

-- Unknown computers that must not begin yet; gone when their order begins.
CREATE TABLE unknown_request (
    device_id TEXT NOT NULL PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    deployment_id TEXT NOT NULL,
    dp_id TEXT NOT NULL,
    boot_image_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'denied', 'expired')),
    code TEXT NOT NULL,
    needs_approval INTEGER NOT NULL,
    needs_name INTEGER NOT NULL,
    suggested_name TEXT NOT NULL,
    asked_name TEXT NOT NULL DEFAULT '',
    n_asked INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    decided_by TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    heard_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    decided_us INTEGER
) STRICT;
CREATE INDEX unknown_request_by_end ON unknown_request (state, expires_us);

-- Who named it; '': nobody, or it was imported with its name.
ALTER TABLE device ADD COLUMN name_source TEXT NOT NULL DEFAULT ''
    CHECK (name_source IN ('', 'administrator', 'rule', 'screen', 'approval'));

-- Whose offer it was.
ALTER TABLE boot_event ADD COLUMN dp_id TEXT NOT NULL DEFAULT '';
