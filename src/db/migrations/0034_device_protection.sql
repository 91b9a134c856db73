-- SPDX-License-Identifier: GPL-3.0-or-later

-- No required deployment begins on it (docs/deployments.md, Protected devices).
ALTER TABLE device ADD COLUMN is_protected INTEGER NOT NULL DEFAULT 0;

-- The network adapters of the computers that the site's servers run on, as these say them.
CREATE TABLE distribution_point_mac (
    dp_id TEXT NOT NULL REFERENCES distribution_point (id) ON DELETE CASCADE,
    mac TEXT NOT NULL,
    seen_us INTEGER NOT NULL,
    PRIMARY KEY (dp_id, mac)
) STRICT;
CREATE INDEX distribution_point_mac_by_mac ON distribution_point_mac (mac);
