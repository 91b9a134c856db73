-- SPDX-License-Identifier: GPL-3.0-or-later

-- What devices prove with that they are themselves: the public halves, 64 hexadecimal digits.
CREATE TABLE device_key (
    public_key TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    ticket_hash TEXT NOT NULL, -- that it was registered with; '': none
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX device_key_by_device ON device_key (device_id, created_us);
CREATE INDEX device_key_by_expiry ON device_key (expires_us);

-- NULL: of a device that registered before there were keys
ALTER TABLE device_token ADD COLUMN public_key TEXT REFERENCES device_key (public_key) ON DELETE CASCADE;
CREATE INDEX device_token_by_key ON device_token (public_key, expires_us);

-- Challenges that were answered. code '': those of time_us and before are forgotten, and answered all the same
CREATE TABLE challenge (
    code TEXT NOT NULL PRIMARY KEY,
    time_us INTEGER NOT NULL
) STRICT;
CREATE INDEX challenge_by_time ON challenge (time_us);
