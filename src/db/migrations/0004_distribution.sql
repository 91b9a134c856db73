-- SPDX-License-Identifier: GPL-3.0-or-later

-- Distribution points, their groups, and what is to be on which of them.

INSERT INTO counter (name, next) VALUES ('distribution-point', 2), ('distribution-point-group', 1);

CREATE TABLE distribution_point (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    -- DP00001: what the site imports into
    is_own INTEGER NOT NULL DEFAULT 0,
    is_disabled INTEGER NOT NULL DEFAULT 0,
    -- base of what it serves to clients; empty for the site's own: where clients reach the site
    url TEXT NOT NULL DEFAULT '',
    token_hash TEXT UNIQUE,
    version TEXT NOT NULL DEFAULT '',
    free_bytes INTEGER,
    total_bytes INTEGER,
    reserve_bytes INTEGER NOT NULL DEFAULT 268435456,
    -- JSON lists of rules, the last that fits the hour counts; src/site/dp_schedule.h
    schedule TEXT NOT NULL DEFAULT '[]',
    rate_limits TEXT NOT NULL DEFAULT '[]',
    validation_schedule TEXT NOT NULL DEFAULT '[]',
    -- when the schedule of validation was last acted on
    validated_us INTEGER,
    created_us INTEGER NOT NULL,
    seen_us INTEGER
) STRICT;
INSERT INTO distribution_point (id, name, comment, is_own, created_us)
VALUES ('DP00001', 'Site', 'The site''s own distribution point', 1, unixepoch() * 1000000);

CREATE TABLE distribution_point_token (
    hash TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE,
    expires_us INTEGER NOT NULL
) STRICT;

-- Where a distribution point pulls from, the smallest number first; behind them all comes the site's own.
CREATE TABLE distribution_point_source (
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    source_dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    priority INTEGER NOT NULL,
    PRIMARY KEY (dp_id, source_dp_id)
) STRICT;

CREATE TABLE dp_group (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE dp_group_member (
    group_id TEXT NOT NULL REFERENCES dp_group (id) ON DELETE CASCADE,
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, dp_id)
) STRICT;
CREATE INDEX dp_group_member_by_dp ON dp_group_member (dp_id);

CREATE TABLE dp_group_package (
    group_id TEXT NOT NULL REFERENCES dp_group (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, package_id)
) STRICT;

-- A package that is to be on a distribution point, or to be removed from it, and how that goes.
CREATE TABLE distribution (
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    -- the one it is to have; 0: none is ready yet
    version INTEGER NOT NULL,
    -- what is left to do; empty: nothing
    work TEXT NOT NULL CHECK (work IN ('', 'replicate', 'redistribute', 'validate', 'remove')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'in-progress', 'success', 'failed')),
    job_id TEXT,
    percent INTEGER NOT NULL DEFAULT 0,
    rate_bytes_per_s INTEGER NOT NULL DEFAULT 0,
    error_id TEXT,
    message TEXT NOT NULL DEFAULT '',
    n_tries INTEGER NOT NULL DEFAULT 0,
    next_try_us INTEGER,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (dp_id, package_id)
) STRICT;
CREATE INDEX distribution_by_package ON distribution (package_id);

-- Which versions a distribution point has whole.
CREATE TABLE distribution_version (
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    present_us INTEGER NOT NULL,
    PRIMARY KEY (dp_id, package_id, version)
) STRICT;
CREATE INDEX distribution_version_by_package ON distribution_version (package_id, version);

CREATE TABLE distribution_history (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    event TEXT NOT NULL,
    error_id TEXT,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX distribution_history_by_package ON distribution_history (dp_id, package_id, id);

-- What was imported before lies in the site's library.
INSERT INTO distribution (dp_id, package_id, version, work, state, percent, created_us, updated_us)
SELECT 'DP00001', id, current_version, '', 'success', 100, created_us, created_us FROM package WHERE current_version > 0;

INSERT INTO distribution_version (dp_id, package_id, version, present_us)
SELECT 'DP00001', package_id, number, created_us FROM content_version WHERE state = 'ready';
