-- SPDX-License-Identifier: GPL-3.0-or-later

-- The task sequences of an order in the versions they had when it began, for a position in them is only good as long
-- as they stay what they are: position 0 is the one that is deployed, the others are those that it runs.

CREATE TABLE order_sequence (
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    task_sequence_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    is_disabled INTEGER NOT NULL,
    applies_image INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
) STRICT;

INSERT INTO order_sequence (order_id, position, task_sequence_id, version, is_disabled, applies_image)
SELECT o.id, 0, t.id, t.version, 0, t.applies_image FROM orders o JOIN deployment d ON d.id = o.deployment_id
JOIN task_sequence t ON t.id = d.task_sequence_id;

-- A disabled task sequence is not begun by any deployment.
ALTER TABLE task_sequence ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;

-- Variables of task sequences. Of two collections with the same one, that of the higher priority counts.
ALTER TABLE collection ADD COLUMN variable_priority INTEGER NOT NULL DEFAULT 1 CHECK (variable_priority BETWEEN 1 AND 9);

CREATE TABLE collection_variable (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    value TEXT NOT NULL,
    is_secret INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (collection_id, name)
) STRICT;

CREATE TABLE device_variable (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    value TEXT NOT NULL,
    is_secret INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
) STRICT;
