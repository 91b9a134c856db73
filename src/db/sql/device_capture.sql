-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: device_capture_add
INSERT INTO device_capture (id, order_id, name, version, comment, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- What was begun is called so now; what was published and came to nothing may be again.
-- name: device_capture_begin_again
UPDATE device_capture SET name = ?2, version = ?3, comment = ?4, package_id = '', operation_id = '' WHERE id = ?1;

-- name: device_capture_of_order
SELECT c.id, c.package_id, c.operation_id FROM device_capture c WHERE c.order_id = ?1;

-- ?2: the device, whose order must still be in progress.
-- name: device_capture_get
SELECT c.id, c.package_id, c.operation_id, c.name, c.version, c.comment FROM device_capture c
JOIN orders o ON o.id = c.order_id
WHERE c.id = ?1 AND o.device_id = ?2 AND o.state = 'in-progress';

-- What the device may upload: one that is not published.
-- name: device_capture_open
SELECT c.id FROM device_capture c JOIN orders o ON o.id = c.order_id
WHERE o.device_id = ?1 AND o.state = 'in-progress' AND c.operation_id = '';

-- name: device_capture_published
UPDATE device_capture SET package_id = ?2, operation_id = ?3 WHERE id = ?1;
