-- SPDX-License-Identifier: GPL-3.0-or-later

-- When required deployments may begin on the members of a collection. schedule: JSON, with its duration
CREATE TABLE maintenance_window (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    applies_to TEXT NOT NULL CHECK (applies_to IN ('all', 'task-sequences', 'updates')),
    schedule TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (collection_id, name)
) STRICT;

ALTER TABLE deployment ADD COLUMN may_run_outside_windows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN may_restart_outside_windows INTEGER NOT NULL DEFAULT 0;
-- how long it may take, in minutes; 0: nobody has said
ALTER TABLE deployment ADD COLUMN max_run_min INTEGER NOT NULL DEFAULT 0;
