-- SPDX-License-Identifier: GPL-3.0-or-later

-- What computers that start from the network are asked. id: 'site' or a distribution point; NULL: as the site says.
CREATE TABLE boot_rule (
    id TEXT NOT NULL PRIMARY KEY,
    is_password_asked INTEGER,
    -- Argon2id
    password_hash TEXT,
    -- of the firmware's menu and of the list of deployments; seconds
    menu_s INTEGER,
    choice_s INTEGER,
    changed_us INTEGER NOT NULL
) STRICT;

-- What a computer that has registered is asked on its screen before there is an order.
CREATE TABLE boot_gate (
    device_id TEXT NOT NULL PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    dp_id TEXT NOT NULL,
    boot_image_id TEXT NOT NULL,
    is_password_needed INTEGER NOT NULL,
    -- wrong passwords since it registered
    n_wrong INTEGER NOT NULL DEFAULT 0,
    -- what was chosen; '': nothing yet
    deployment_id TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL
) STRICT;
