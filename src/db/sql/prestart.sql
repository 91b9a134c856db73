-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: prestart_add
INSERT INTO prestart (device_id, boot_image_id) VALUES (?1, ?2);

-- name: prestart_drop
DELETE FROM prestart WHERE device_id = ?1;

-- '': the boot image is gone, or has none any more.
-- name: prestart_get
SELECT coalesce((SELECT p.prestart_command FROM package p WHERE p.id = w.boot_image_id AND p.kind = 'boot-image'), '')
FROM prestart w WHERE w.device_id = ?1;

-- name: prestart_command
SELECT prestart_command FROM package WHERE id = ?1 AND kind = 'boot-image';

-- Of the boot image ?1; '': of any.
-- name: prestart_any
SELECT 1 FROM package WHERE kind = 'boot-image' AND prestart_command <> '' AND (?1 = '' OR id = ?1) LIMIT 1;

-- name: prestart_variable_add
INSERT INTO prestart_variable (device_id, name, value, is_secret) VALUES (?1, ?2, ?3, ?4);

-- name: prestart_variable_drop
DELETE FROM prestart_variable WHERE device_id = ?1;

-- name: prestart_variable_drop_of_order
DELETE FROM prestart_variable WHERE device_id = (SELECT device_id FROM orders WHERE id = ?1);
