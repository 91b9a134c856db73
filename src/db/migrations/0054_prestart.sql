-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a boot image runs on a computer before anything is asked there; '': nothing
ALTER TABLE package ADD COLUMN prestart_command TEXT NOT NULL DEFAULT '';

-- Devices whose start waits for that command
CREATE TABLE prestart (
    device_id TEXT NOT NULL PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    boot_image_id TEXT NOT NULL
) STRICT;

-- What it has set there, until the device's next order has ended
CREATE TABLE prestart_variable (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    value TEXT NOT NULL,
    is_secret INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
) STRICT;
