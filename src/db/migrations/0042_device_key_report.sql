-- SPDX-License-Identifier: GPL-3.0-or-later

-- When a running order was last reported on with a token of this key, to a minute; 0: never
ALTER TABLE device_key ADD COLUMN reported_us INTEGER NOT NULL DEFAULT 0;
