-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: task_sequence_add
INSERT INTO task_sequence (id, name, description, boot_image_id, xml, n_steps, steps, applies_image, created_us,
    version, author, changed_us, is_deployable)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?9, ?11);

-- name: task_sequence_change
UPDATE task_sequence SET name = ?2, description = ?3, boot_image_id = ?4, xml = ?5, n_steps = ?6, steps = ?7,
    applies_image = ?8, changed_us = ?9, author = ?10, is_deployable = ?11, version = version + 1
WHERE id = ?1;

-- name: task_sequence_version_add
INSERT INTO task_sequence_version (task_sequence_id, version, author, note, xml, created_us)
SELECT id, version, author, ?2, xml, changed_us FROM task_sequence WHERE id = ?1;

-- name: task_sequence_set_disabled
UPDATE task_sequence SET is_disabled = ?2 WHERE id = ?1;

-- name: task_sequence_set_deployable
UPDATE task_sequence SET is_deployable = ?2 WHERE id = ?1;

-- name: task_sequence_packages_forget
DELETE FROM task_sequence_package WHERE task_sequence_id = ?1;

-- name: task_sequence_package_add
INSERT INTO task_sequence_package (task_sequence_id, package_id) SELECT ?1, id FROM package WHERE id = ?2
ON CONFLICT DO NOTHING;

-- name: task_sequence_list
SELECT id, name, boot_image_id, n_steps, version, author, is_disabled, is_deployable, changed_us AS "changed_at",
    created_us AS "created_at"
FROM task_sequence WHERE id > ?1 AND @may('task-sequence', 'read', task_sequence.id) ORDER BY id LIMIT ?2;

-- name: task_sequence_get
SELECT id, name, description, boot_image_id, n_steps, version, author, is_disabled, is_deployable, changed_us AS "changed_at",
    created_us AS "created_at", steps AS "steps:json"
FROM task_sequence WHERE id = ?1 AND @may('task-sequence', 'read', task_sequence.id);

-- name: task_sequence_xml
SELECT xml FROM task_sequence WHERE id = ?1;

-- name: task_sequence_version_xml
SELECT xml FROM task_sequence_version WHERE task_sequence_id = ?1 AND version = ?2;

-- name: task_sequence_versions
SELECT version, author, note, created_us AS "created_at" FROM task_sequence_version WHERE task_sequence_id = ?1
ORDER BY version DESC;

-- What an export says of something that is referred to.
-- name: task_sequence_reference
SELECT kind, name, version FROM package WHERE id = ?1
UNION ALL SELECT 'task-sequence', name, '' FROM task_sequence WHERE id = ?1;

-- Whether some index of the image is of Windows.
-- name: image_platform
SELECT coalesce(max(i.is_windows), 0), count(*) FROM package_index i JOIN package p ON p.id = i.package_id
    AND p.current_version = i.version WHERE p.id = ?1;

-- name: boot_image_any
SELECT id FROM package WHERE kind = 'boot-image' LIMIT 1;
