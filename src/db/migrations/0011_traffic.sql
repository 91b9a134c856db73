-- SPDX-License-Identifier: GPL-3.0-or-later

-- Where the content of an order came from: the network, or the old disk.

ALTER TABLE orders ADD COLUMN downloaded_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN reused_bytes INTEGER NOT NULL DEFAULT 0;
