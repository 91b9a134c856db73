-- SPDX-License-Identifier: GPL-3.0-or-later

-- Whom devices are for.
CREATE TABLE device_user (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    user_name TEXT NOT NULL COLLATE NOCASE,
    source TEXT NOT NULL CHECK (source IN ('administrator', 'file', 'deployment', 'request')),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (device_id, user_name)
) STRICT;

-- What task sequences wanted, and an administrator is to decide.
CREATE TABLE device_user_request (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    user_name TEXT NOT NULL COLLATE NOCASE,
    deployment_id TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (device_id, user_name)
) STRICT;

-- What deployments may assign.
CREATE TABLE affinity_mode (
    id TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL CHECK (mode IN ('none', 'pending', 'automatic'))
) STRICT;
INSERT INTO affinity_mode (id, mode) VALUES ('site', 'none');
