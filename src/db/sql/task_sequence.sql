-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: task_sequence_add
INSERT INTO task_sequence (id, name, boot_image_id, xml, n_steps, steps, applies_image, created_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: task_sequence_package_add
INSERT INTO task_sequence_package (task_sequence_id, package_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: task_sequence_list
SELECT id, name, boot_image_id, n_steps, created_us AS "created_at" FROM task_sequence WHERE id > ?1
ORDER BY id LIMIT ?2;

-- name: task_sequence_get
SELECT id, name, boot_image_id, n_steps, created_us AS "created_at", steps AS "steps:json" FROM task_sequence
WHERE id = ?1;

-- name: task_sequence_xml
SELECT xml FROM task_sequence WHERE id = ?1;
