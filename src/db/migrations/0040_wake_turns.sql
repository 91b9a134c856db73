-- SPDX-License-Identifier: GPL-3.0-or-later

-- Devices to be woken are looked at in turns of deployments. since_us: when one was to be woken, 0: not known
ALTER TABLE wake_up ADD COLUMN since_us INTEGER NOT NULL DEFAULT 0;
DROP INDEX wake_up_by_deployment;
CREATE INDEX wake_up_by_deployment ON wake_up (deployment_id, look_us, device_id);
