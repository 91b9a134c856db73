-- SPDX-License-Identifier: GPL-3.0-or-later

-- The key of a client in an installed system, which lives on after its order.
ALTER TABLE device_key ADD COLUMN is_client INTEGER NOT NULL DEFAULT 0;

-- Begun by the client, in the installed system.
ALTER TABLE orders ADD COLUMN is_client INTEGER NOT NULL DEFAULT 0;
