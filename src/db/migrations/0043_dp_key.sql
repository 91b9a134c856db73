-- SPDX-License-Identifier: GPL-3.0-or-later

-- What distribution points prove with that they are themselves: the public halves, 64 hexadecimal digits. One that joined before
-- there were keys has distribution_point.token_hash until it has one.
CREATE TABLE distribution_point_key (
    public_key TEXT NOT NULL PRIMARY KEY,
    dp_id TEXT NOT NULL UNIQUE REFERENCES distribution_point (id) ON DELETE CASCADE,
    created_us INTEGER NOT NULL
) STRICT;

-- The tokens of short life that are had for them. distribution_point_token has those to join with.
CREATE TABLE distribution_point_access (
    hash TEXT NOT NULL PRIMARY KEY,
    dp_id TEXT NOT NULL REFERENCES distribution_point_key (dp_id) ON DELETE CASCADE,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX distribution_point_access_by_dp ON distribution_point_access (dp_id, expires_us);
CREATE INDEX distribution_point_access_by_expiry ON distribution_point_access (expires_us);
