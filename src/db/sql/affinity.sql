-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: device_user_add
INSERT INTO device_user (device_id, user_name, source, created_us) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;

-- name: device_user_drop
DELETE FROM device_user WHERE device_id = ?1 AND user_name = ?2;

-- name: device_user_list
SELECT user_name AS "user", source, created_us AS "created_at" FROM device_user WHERE device_id = ?1 ORDER BY user_name;

-- name: device_user_count
SELECT count(*) FROM device_user WHERE device_id = ?1;

-- name: device_user_request_add
INSERT INTO device_user_request (device_id, user_name, deployment_id, created_us)
SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM device_user WHERE device_id = ?1 AND user_name = ?2)
ON CONFLICT DO NOTHING;

-- name: device_user_request_drop
DELETE FROM device_user_request WHERE device_id = ?1 AND user_name = ?2;

-- name: device_user_request_list
SELECT v.id || ' ' || q.user_name COLLATE BINARY AS id, v.id AS device_id, v.name AS device_name, q.user_name AS "user", q.deployment_id, q.created_us AS "created_at"
FROM device_user_request q JOIN device v ON v.id = q.device_id
WHERE v.id || ' ' || q.user_name COLLATE BINARY > ?1 AND @may_device('device', 'read', v) ORDER BY v.id || ' ' || q.user_name COLLATE BINARY LIMIT ?2;

-- name: affinity_mode_get
SELECT mode FROM affinity_mode WHERE id = 'site';

-- name: affinity_mode_set
UPDATE affinity_mode SET mode = ?1 WHERE id = 'site';

-- name: affinity_order
SELECT deployment_id FROM orders WHERE id = ?1;
