-- SPDX-License-Identifier: GPL-3.0-or-later

-- Devices that are switched on at the deadlines of required deployments (docs/wake-on-lan.md).
ALTER TABLE deployment ADD COLUMN is_wake_on_lan INTEGER NOT NULL DEFAULT 0;
-- when magic packets were last asked for; 0: never
ALTER TABLE device ADD COLUMN woken_us INTEGER NOT NULL DEFAULT 0;

-- Of a deployment that wakes. seen_us: the deadline that was last seen to; look_us: when to look for the next; due_us: the deadline whose
-- devices are being gathered, 0: none; after_id: which of them was the last
CREATE TABLE deployment_wake (
    deployment_id TEXT NOT NULL PRIMARY KEY REFERENCES deployment (id) ON DELETE CASCADE,
    seen_us INTEGER NOT NULL,
    look_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    after_id TEXT NOT NULL
) STRICT;
CREATE INDEX deployment_wake_by_look ON deployment_wake (look_us);

-- Devices that may have to be woken; look_us: when it is judged. deployment_id: '' if an administrator asks, who.
CREATE TABLE wake_up (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    deployment_id TEXT NOT NULL,
    look_us INTEGER NOT NULL,
    who TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (device_id, deployment_id)
) STRICT;
CREATE INDEX wake_up_by_look ON wake_up (look_us, device_id);
CREATE INDEX wake_up_by_deployment ON wake_up (deployment_id);
