-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a device makes an OS image of because its order says so: one for each order.

-- package_id, operation_id: once it is published; '' before.
CREATE TABLE device_capture (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE REFERENCES orders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    comment TEXT NOT NULL,
    package_id TEXT NOT NULL DEFAULT '',
    operation_id TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL
) STRICT;
