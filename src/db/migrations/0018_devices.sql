-- SPDX-License-Identifier: GPL-3.0-or-later

-- Hardware that many machines have at one time or another, such as docks: it says nothing about which machine it is. A MAC
-- address or an SMBIOS UUID.
CREATE TABLE duplicate_hardware_id (
    id TEXT NOT NULL PRIMARY KEY,
    comment TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL
) STRICT;

ALTER TABLE device ADD COLUMN block_reason TEXT NOT NULL DEFAULT '';
