-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: unknown_rule_get
SELECT is_allowed, name_pattern, name_max, is_name_asked, needs_approval, approval_hours FROM unknown_rule WHERE id = ?1;

-- name: unknown_rule_show
SELECT id, is_allowed, name_pattern, name_max, is_name_asked, needs_approval AS "is_approval_needed", approval_hours, changed_us AS "changed_at"
FROM unknown_rule WHERE id = ?1;

-- name: unknown_rule_list
SELECT id, is_allowed, name_pattern, name_max, is_name_asked, needs_approval AS "is_approval_needed", approval_hours, changed_us AS "changed_at"
FROM unknown_rule WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: unknown_rule_set
INSERT INTO unknown_rule (id, is_allowed, name_pattern, name_max, is_name_asked, needs_approval, approval_hours, changed_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (id) DO UPDATE SET is_allowed = excluded.is_allowed, name_pattern = excluded.name_pattern, name_max = excluded.name_max,
    is_name_asked = excluded.is_name_asked, needs_approval = excluded.needs_approval, approval_hours = excluded.approval_hours,
    changed_us = excluded.changed_us;

-- name: unknown_rule_drop
DELETE FROM unknown_rule WHERE id = ?1;

-- Whether there is something that a rule can be of.
-- name: unknown_rule_owner
SELECT 1 FROM distribution_point WHERE id = ?1 UNION ALL SELECT 1 FROM deployment WHERE id = ?1 AND deleted_us IS NULL;

-- The distribution point whose offer a device took last.
-- name: unknown_dp
SELECT dp_id FROM boot_event WHERE event = 'decision' AND answer = 'offer'
    AND mac IN (SELECT mac FROM device_mac WHERE device_id = ?1) ORDER BY id DESC LIMIT 1;

-- name: name_counter_take
INSERT INTO name_counter (base, next) VALUES (?1, 2) ON CONFLICT (base) DO UPDATE SET next = name_counter.next + 1
RETURNING next - 1;

-- name: name_counter_peek
SELECT next FROM name_counter WHERE base = ?1;

-- What names are made of.
-- name: unknown_name_facts
SELECT v.serial, v.asset_tag, v.model, v.manufacturer, v.arch, v.name, v.name_source, v.is_unknown,
    coalesce((SELECT min(mac) FROM device_mac WHERE device_id = v.id), '')
FROM device v WHERE v.id = ?1;

-- name: device_name_give
UPDATE device SET name = ?2, name_source = ?3 WHERE id = ?1;

-- name: unknown_request_add
INSERT INTO unknown_request (device_id, deployment_id, dp_id, boot_image_id, state, code, needs_approval, needs_name, suggested_name,
    created_us, heard_us, expires_us)
VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?8, ?9, ?9, ?10);

-- name: unknown_request_drop
DELETE FROM unknown_request WHERE device_id = ?1;

-- name: unknown_request_get
SELECT q.deployment_id, q.boot_image_id, q.state, q.code, q.needs_approval, q.needs_name, q.suggested_name, q.asked_name, q.n_asked,
    q.reason, q.expires_us, v.is_unknown, coalesce((SELECT t.name FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id
        WHERE d.id = q.deployment_id), ''), q.dp_id
FROM unknown_request q JOIN device v ON v.id = q.device_id WHERE q.device_id = ?1;

-- name: unknown_request_heard
UPDATE unknown_request SET heard_us = ?2 WHERE device_id = ?1;

-- name: unknown_request_asked
UPDATE unknown_request SET n_asked = n_asked + 1 WHERE device_id = ?1;

-- name: unknown_request_name
UPDATE unknown_request SET asked_name = ?2, needs_name = 0 WHERE device_id = ?1;

-- name: unknown_request_decide
UPDATE unknown_request SET state = ?2, reason = ?3, decided_by = ?4, decided_us = ?5, expires_us = ?6 WHERE device_id = ?1;

-- What it lacks, with the rules as they are now.
-- name: unknown_request_need
UPDATE unknown_request SET needs_approval = ?2, needs_name = ?3, boot_image_id = ?4 WHERE device_id = ?1;

-- name: unknown_request_due
SELECT device_id FROM unknown_request WHERE state IN ('waiting', 'approved') AND expires_us <= ?1 LIMIT 1;

-- name: unknown_request_expire
UPDATE unknown_request SET state = 'expired' WHERE device_id = ?1;

-- Keys of devices that wait, if they have less time left than until ?2, are good until ?1.
-- name: unknown_request_keep
UPDATE device_key SET expires_us = ?1 WHERE expires_us < ?2
    AND device_id IN (SELECT device_id FROM unknown_request WHERE state IN ('waiting', 'approved'));

-- What was imported meanwhile goes on when it asks, and waits for nobody.
-- name: unknown_request_list
SELECT v.id, v.name, q.state, q.code, q.needs_approval AS "is_approval_needed", q.needs_name AS "is_name_needed", q.asked_name, q.suggested_name, q.deployment_id,
    coalesce((SELECT t.name FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id WHERE d.id = q.deployment_id), '') AS task_sequence_name,
    q.dp_id AS distribution_point_id, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, v.serial, v.manufacturer, v.model, v.arch, q.reason, q.decided_by,
    q.created_us AS "created_at", q.heard_us AS "last_heard_at", q.expires_us AS "expires_at", q.decided_us AS "decided_at"
FROM unknown_request q JOIN device v ON v.id = q.device_id
WHERE v.id > ?1 AND v.is_unknown <> 0 AND @may_device('device', 'read', v) ORDER BY v.id LIMIT ?2;

-- name: unknown_request_one
SELECT v.id, v.name, q.state, q.code, q.needs_approval AS "is_approval_needed", q.needs_name AS "is_name_needed", q.asked_name, q.suggested_name, q.deployment_id,
    coalesce((SELECT t.name FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id WHERE d.id = q.deployment_id), '') AS task_sequence_name,
    q.dp_id AS distribution_point_id, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, v.serial, v.manufacturer, v.model, v.arch, q.reason, q.decided_by,
    q.created_us AS "created_at", q.heard_us AS "last_heard_at", q.expires_us AS "expires_at", q.decided_us AS "decided_at"
FROM unknown_request q JOIN device v ON v.id = q.device_id
WHERE v.id = ?1 AND @may_device('device', 'read', v);
