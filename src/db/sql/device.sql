-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: device_add
INSERT INTO device (id, name, smbios_uuid, is_unknown, is_imported, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: device_adopt
UPDATE device SET name = ?2, smbios_uuid = coalesce(?3, smbios_uuid), is_unknown = 0, is_imported = 1 WHERE id = ?1;

-- name: device_mac_add
INSERT INTO device_mac (mac, device_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: device_by_mac
SELECT device_id FROM device_mac WHERE mac = ?1;

-- name: device_by_smbios_uuid
SELECT id FROM device WHERE smbios_uuid = ?1 ORDER BY id LIMIT 2;

-- name: device_by_tpm_key
SELECT id FROM device WHERE tpm_key = ?1;

-- name: device_tpm_key
SELECT coalesce(tpm_key, ''), coalesce(smbios_uuid, ''), serial, name FROM device WHERE id = ?1;

-- name: device_set_tpm_key
UPDATE device SET tpm_key = ?2 WHERE id = ?1;

-- name: device_tpm_conflict_is_known
SELECT 1 FROM audit_record WHERE object = ?1 AND action = 'device.tpm-conflict' AND time_us > ?2 AND detail = ?3;

-- name: device_by_id_or_name
SELECT id FROM device WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1;

-- name: device_visible
SELECT v.id FROM device v WHERE v.id = ?1 AND @may_device('device', 'read', v);

-- name: device_brief
SELECT name, is_unknown FROM device WHERE id = ?1;

-- name: device_marks
SELECT smbios_uuid, serial FROM device WHERE id = ?1;

-- name: device_serial
SELECT serial FROM device WHERE id = ?1;

-- name: device_name_taken
SELECT 1 FROM device WHERE name = ?1;

-- name: device_registered
UPDATE device SET smbios_uuid = coalesce(?2, smbios_uuid), serial = ?3, manufacturer = ?4, model = ?5, asset_tag = ?6,
    firmware = ?7, arch = ?8, secure_boot = ?9, inventory = ?10, seen_us = ?11
WHERE id = ?1;

-- name: device_measured
UPDATE device SET tpm = ?2, cpu = ?3, n_cpus = ?4, memory_bytes = ?5, n_disks = ?6, disk_bytes = ?7, agent_version = ?8
WHERE id = ?1;

-- name: device_seen
UPDATE device SET seen_us = ?2 WHERE id = ?1;

-- name: device_is_known
UPDATE device SET is_unknown = 0 WHERE id = ?1;

-- name: device_list
SELECT v.id, v.name, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, v.is_imported, v.is_unknown, v.is_blocked, v.is_protected, v.created_us AS "created_at",
    v.seen_us AS "last_seen_at"
FROM device v WHERE v.id > ?1 AND v.kind = 'computer' AND @may_device('device', 'read', v) ORDER BY v.id LIMIT ?2;

-- The same in the order of names, ASCII in lower case; ?1: the name before, in lower case.
-- name: device_list_by_name
SELECT v.id, v.name, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, v.is_imported, v.is_unknown, v.is_blocked, v.is_protected, v.created_us AS "created_at",
    v.seen_us AS "last_seen_at"
FROM device v WHERE lower(v.name COLLATE BINARY) > ?1 AND v.kind = 'computer' AND @may_device('device', 'read', v) ORDER BY lower(v.name COLLATE BINARY) LIMIT ?2;

-- One of that list, if the administrator may see it.
-- name: device_list_of
SELECT v.id, v.name, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, v.is_imported, v.is_unknown, v.is_blocked, v.is_protected, v.created_us AS "created_at",
    v.seen_us AS "last_seen_at"
FROM device v WHERE v.id = ?1 AND v.kind = 'computer' AND @may_device('device', 'read', v);

-- name: device_get
SELECT v.id, v.name, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json",
    coalesce(v.smbios_uuid, '') AS smbios_uuid, coalesce(v.tpm_key, '') AS tpm_key, v.is_imported, v.is_unknown, v.is_blocked, v.block_reason, v.is_protected, v.created_us AS "created_at",
    v.seen_us AS "last_seen_at", v.inventory AS "inventory:json",
    (SELECT json_group_array(u.user_name) FROM device_user u WHERE u.device_id = v.id) AS "primary_users:json",
    (SELECT json_group_array(c.name) FROM collection_member m JOIN collection c ON c.id = m.collection_id
        WHERE m.device_id = v.id AND @may_collection('collection', 'read', c.id)) AS "collections:json",
    (SELECT json_object('deployment_id', o.deployment_id, 'state', o.state, 'step_group', o.step_group,
        'step_name', o.step_name, 'percent', coalesce(o.percent, 0), 'rate_bytes_per_s', coalesce(o.rate_bytes_per_s, 0),
        'position', CASE WHEN o.n_steps > 0 THEN format('%s of %s', min(coalesce(o.step, 0) + 1, o.n_steps), o.n_steps) ELSE '' END,
        'activity', CASE o.state WHEN 'in-progress' THEN coalesce(o.message, '') ELSE '' END)
        FROM orders o JOIN deployment d ON d.id = o.deployment_id
        WHERE o.device_id = v.id AND @may_collection('deployment', 'read', d.collection_id)
        ORDER BY o.created_us DESC, o.id DESC LIMIT 1) AS "deployment:json"
FROM device v WHERE v.id = ?1;

-- name: device_log_add
INSERT INTO device_log (device_id, received_us, time_us, component, severity, message)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: device_log_trim
DELETE FROM device_log WHERE device_id = ?1 AND id <= (
    SELECT id FROM device_log WHERE device_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2);

-- name: device_log_list
SELECT id, time_us AS "time:time", component, severity, message FROM device_log
WHERE device_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3;

-- name: device_rename
UPDATE device SET name = ?2, name_source = 'administrator' WHERE id = ?1;

-- name: device_block
UPDATE device SET is_blocked = ?2, block_reason = ?3 WHERE id = ?1;

-- name: device_orders_drop
DELETE FROM orders WHERE device_id = ?1;

-- name: device_drop
DELETE FROM device WHERE id = ?1;

-- name: device_state
SELECT name, kind, is_blocked, block_reason FROM device WHERE id = ?1;

-- What was done to a device, and what its orders came to; by whom is said to who may read the audit log.
-- name: device_history
SELECT a.id, a.time_us AS "time:time", CASE WHEN :principal = '' OR EXISTS (@granted('audit-log', 'audit')) THEN a.who ELSE '' END AS who,
    a.action, a.detail FROM audit_record a
WHERE a.object = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3;

-- name: duplicate_id_add
INSERT INTO duplicate_hardware_id (id, comment, created_us) VALUES (?1, ?2, ?3);

-- name: duplicate_id_drop
DELETE FROM duplicate_hardware_id WHERE id = ?1;

-- name: duplicate_id_has
SELECT 1 FROM duplicate_hardware_id WHERE id = ?1;

-- name: duplicate_id_list
SELECT id, comment, created_us AS "created_at" FROM duplicate_hardware_id WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: device_mac_drop
DELETE FROM device_mac WHERE mac = ?1;

-- name: device_macs_drop
DELETE FROM device_mac WHERE device_id = ?1;

-- name: device_uuid_set
UPDATE device SET smbios_uuid = ?2 WHERE id = ?1;

-- name: device_marks_get
SELECT coalesce(v.smbios_uuid, '') AS smbios_uuid, (SELECT json_group_array(mac) FROM device_mac a WHERE a.device_id = v.id) AS "macs:json"
FROM device v WHERE v.id = ?1;

-- name: machine_facts_put
INSERT INTO machine_facts (device_id, facts, registered_us) VALUES (?1, ?2, ?3)
ON CONFLICT (device_id) DO UPDATE SET facts = excluded.facts, registered_us = excluded.registered_us;

-- name: machine_facts_drop
DELETE FROM machine_facts WHERE device_id = ?1;

-- name: machine_facts_get
SELECT v.name, f.facts AS "facts:json", f.registered_us AS "registered_at", v.inventory AS "inventory:json"
FROM device v LEFT JOIN machine_facts f ON f.device_id = v.id WHERE v.id = ?1;
