-- SPDX-License-Identifier: GPL-3.0-or-later

-- Where clients are, and which distribution points serve them there.

INSERT INTO counter (name, next) VALUES ('boundary', 1), ('boundary-group', 2);

-- low, high: both ends, an IPv6 address (IPv4 as ::ffff:a.b.c.d) of 32 hex digits, so that text compares as addresses do
CREATE TABLE boundary (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('ipv4-subnet', 'ipv4-range', 'ipv6-prefix')),
    value TEXT NOT NULL,
    low TEXT NOT NULL,
    high TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE boundary_group (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    -- of those who are in no other, and the last resort of all
    is_default INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO boundary_group (id, name, comment, is_default, created_us) VALUES ('BG00001', 'Default-Site-Boundary-Group',
    'Serves whoever is in no boundary group, and is the last resort of all', 1, unixepoch() * 1000000);

CREATE TABLE boundary_group_boundary (
    group_id TEXT NOT NULL REFERENCES boundary_group (id) ON DELETE CASCADE,
    boundary_id TEXT NOT NULL REFERENCES boundary (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, boundary_id)
) STRICT;
CREATE INDEX boundary_group_boundary_by_boundary ON boundary_group_boundary (boundary_id);

CREATE TABLE boundary_group_dp (
    group_id TEXT NOT NULL REFERENCES boundary_group (id) ON DELETE CASCADE,
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, dp_id)
) STRICT;
INSERT INTO boundary_group_dp (group_id, dp_id) VALUES ('BG00001', 'DP00001');

-- fallback_minutes: NULL is never
CREATE TABLE boundary_group_neighbour (
    group_id TEXT NOT NULL REFERENCES boundary_group (id) ON DELETE CASCADE,
    neighbour_id TEXT NOT NULL REFERENCES boundary_group (id) ON DELETE CASCADE,
    fallback_minutes INTEGER,
    PRIMARY KEY (group_id, neighbour_id)
) STRICT;
