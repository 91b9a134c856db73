-- SPDX-License-Identifier: GPL-3.0-or-later

-- Every change of a task sequence is a version; task_sequence has the newest one. What it refers to and the site lacks
-- keeps it from being deployed, not from being kept.

ALTER TABLE task_sequence ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE task_sequence ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence ADD COLUMN changed_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_sequence ADD COLUMN is_deployable INTEGER NOT NULL DEFAULT 1;

UPDATE task_sequence SET changed_us = created_us;

CREATE TABLE task_sequence_version (
    task_sequence_id TEXT NOT NULL REFERENCES task_sequence (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    xml TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (task_sequence_id, version)
) STRICT;

INSERT INTO task_sequence_version (task_sequence_id, version, author, note, xml, created_us)
SELECT id, 1, '', 'imported', xml, created_us FROM task_sequence;
