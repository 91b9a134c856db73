-- SPDX-License-Identifier: GPL-3.0-or-later

-- The deployment whose variables without a value were asked for on the screen; '': none yet
ALTER TABLE boot_gate ADD COLUMN variables_of TEXT NOT NULL DEFAULT '';

-- What was typed there: for the device's next order of that deployment, until that has ended.
CREATE TABLE wizard_variable (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    deployment_id TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    value TEXT NOT NULL,
    is_secret INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
) STRICT;
