-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: task_sequence_add
INSERT INTO task_sequence (id, name, description, boot_image_id, xml, n_steps, steps, applies_image, created_us,
    version, author, changed_us, is_deployable, wanted_boot_image, names, object, is_disabled)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?9, ?11, ?12, coalesce(?13, '{}'), coalesce(?14, ''), ?15);

-- name: task_sequence_change
UPDATE task_sequence SET name = ?2, description = ?3, boot_image_id = ?4, xml = ?5, n_steps = ?6, steps = ?7,
    applies_image = ?8, changed_us = ?9, author = ?10, is_deployable = ?11, version = version + 1,
    wanted_boot_image = ?12, names = coalesce(?13, names), object = coalesce(?14, object), is_disabled = ?15
WHERE id = ?1;

-- name: task_sequence_version_add
INSERT INTO task_sequence_version (task_sequence_id, version, author, note, xml, created_us, name, description, boot_image_id,
    is_disabled, object)
SELECT id, version, author, ?2, xml, changed_us, name, description, coalesce(boot_image_id, wanted_boot_image),
    is_disabled, object FROM task_sequence WHERE id = ?1;

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
FROM task_sequence WHERE id > ?1 AND deleted_us IS NULL AND @may('task-sequence', 'read', task_sequence.id)
ORDER BY id LIMIT ?2;

-- name: task_sequence_get
SELECT id, name, description, boot_image_id, n_steps, version, author, is_disabled, is_deployable, changed_us AS "changed_at",
    created_us AS "created_at", wanted_boot_image AS wanted_boot_image_id, names AS "names:json", steps AS "steps:json"
FROM task_sequence WHERE id = ?1 AND deleted_us IS NULL AND @may('task-sequence', 'read', task_sequence.id);

-- Of whom nobody asked for: nested ones.
-- name: task_sequence_state
SELECT is_disabled FROM task_sequence WHERE id = ?1 AND deleted_us IS NULL;

-- name: task_sequence_xml
SELECT xml FROM task_sequence WHERE id = ?1 AND deleted_us IS NULL;

-- name: task_sequence_version_xml
SELECT xml FROM task_sequence_version WHERE task_sequence_id = ?1 AND version = ?2;

-- name: task_sequence_version_get
SELECT name, description, boot_image_id, is_disabled, object FROM task_sequence_version
WHERE task_sequence_id = ?1 AND version = ?2;

-- name: task_sequence_versions
SELECT version, author, note, name, description, boot_image_id, is_disabled, created_us AS "created_at" FROM task_sequence_version WHERE task_sequence_id = ?1
ORDER BY version DESC;

-- What an export says of something that is referred to.
-- name: task_sequence_reference
SELECT kind, name, version FROM package WHERE id = ?1
UNION ALL SELECT 'task-sequence', name, '' FROM task_sequence WHERE id = ?1 AND deleted_us IS NULL;

-- Whether some index of the image is of Windows.
-- name: image_platform
SELECT coalesce(max(i.is_windows), 0), count(*) FROM package_index i JOIN package p ON p.id = i.package_id
    AND p.current_version = i.version WHERE p.id = ?1;

-- name: boot_image_any
SELECT id FROM package WHERE kind = 'boot-image' LIMIT 1;

-- Who keeps it from being deleted: deployments, then those whose orders are still in progress.
-- name: task_sequence_deployments
SELECT d.id, c.name AS collection_name FROM deployment d JOIN collection c ON c.id = d.collection_id
WHERE d.task_sequence_id = ?1 AND (d.deleted_us IS NULL
    OR EXISTS (SELECT 1 FROM orders o WHERE o.deployment_id = d.id AND o.state = 'in-progress'))
ORDER BY d.id LIMIT 20;

-- name: task_sequence_in_order
SELECT v.name FROM order_sequence s JOIN orders o ON o.id = s.order_id JOIN device v ON v.id = o.device_id
WHERE s.task_sequence_id = ?1 AND o.state = 'in-progress' ORDER BY v.name LIMIT 20;

-- Which others may name it; the documents say whether they do.
-- name: task_sequence_mentioning
SELECT id, name, xml FROM task_sequence WHERE id <> ?1 AND deleted_us IS NULL AND xml LIKE '%' || ?1 || '%' ORDER BY id;

-- Nothing of it stays that anybody could read but its name.
-- name: task_sequence_delete
UPDATE task_sequence SET deleted_us = ?2, boot_image_id = NULL, wanted_boot_image = '', xml = '', steps = '[]', n_steps = 0,
    names = '{}', object = '', is_deployable = 0 WHERE id = ?1;

-- name: task_sequence_versions_forget
DELETE FROM task_sequence_version WHERE task_sequence_id = ?1;
