-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a file says of a task sequence beside the sequence: the other properties of the package that Configuration Manager keeps
-- it in, what it calls what the sequence refers to ({"id": "name"}), and a boot image that this site lacks. A version has what
-- the task sequence was called and started from then, as text: what it names may be gone.

ALTER TABLE task_sequence ADD COLUMN wanted_boot_image TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence ADD COLUMN names TEXT NOT NULL DEFAULT '{}';
ALTER TABLE task_sequence ADD COLUMN object TEXT NOT NULL DEFAULT '';
-- it stays for what it has done: the history of devices and deployments
ALTER TABLE task_sequence ADD COLUMN deleted_us INTEGER;

ALTER TABLE task_sequence_version ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence_version ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence_version ADD COLUMN boot_image_id TEXT NOT NULL DEFAULT '';
ALTER TABLE task_sequence_version ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_sequence_version ADD COLUMN object TEXT NOT NULL DEFAULT '';

UPDATE task_sequence_version SET
    name = (SELECT t.name FROM task_sequence t WHERE t.id = task_sequence_id),
    description = (SELECT t.description FROM task_sequence t WHERE t.id = task_sequence_id),
    boot_image_id = (SELECT coalesce(t.boot_image_id, '') FROM task_sequence t WHERE t.id = task_sequence_id),
    is_disabled = (SELECT t.is_disabled FROM task_sequence t WHERE t.id = task_sequence_id);
