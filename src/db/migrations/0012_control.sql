-- SPDX-License-Identifier: GPL-3.0-or-later

-- What administrators want of an order that runs, what its device has told of its state, and the mail between a debugger
-- and the device. An order that was cancelled has the state failed, and is_cancelled.

ALTER TABLE orders ADD COLUMN wish TEXT NOT NULL DEFAULT 'run' CHECK (wish IN ('run', 'pause', 'cancel'));
ALTER TABLE orders ADD COLUMN pause_us INTEGER;
ALTER TABLE orders ADD COLUMN pause_until_us INTEGER;
ALTER TABLE orders ADD COLUMN is_paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN is_debug INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN log_wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN log_sent INTEGER NOT NULL DEFAULT 0;

ALTER TABLE deployment ADD COLUMN is_debug INTEGER NOT NULL DEFAULT 0;

CREATE TABLE order_state (
    order_id TEXT NOT NULL PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE order_log (
    order_id TEXT NOT NULL PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    received_us INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE debug_message (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    is_from_device INTEGER NOT NULL,
    -- given by who sent it; what is sent again is not kept twice
    number INTEGER NOT NULL,
    body TEXT NOT NULL,
    sent_us INTEGER NOT NULL,
    UNIQUE (order_id, is_from_device, number)
) STRICT;
