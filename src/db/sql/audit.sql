-- SPDX-License-Identifier: GPL-3.0-or-later

-- The number of the next record and the hash of the last one; whoever else wants to write one waits until this is committed.
-- name: audit_head_take
UPDATE audit_head SET n = n + 1 WHERE name = 'audit' RETURNING n, hash;

-- name: audit_head_set
UPDATE audit_head SET hash = ?1 WHERE name = 'audit';

-- name: audit_head
SELECT n, hash FROM audit_head WHERE name = 'audit';

-- name: audit_record_add
INSERT INTO audit_record (id, time_us, who, address, action, object, detail, was, became, hash, request_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- ?3: of this object, '' any
-- name: audit_record_list
SELECT id, id AS number, time_us AS "time:time", who, address, action, object, detail, was AS "before", became AS "after", hash, request_id, time_us
FROM audit_record WHERE id > ?1 AND (?3 = '' OR object = ?3) ORDER BY id LIMIT ?2;

-- name: audit_record_chain
SELECT id, time_us, who, address, action, object, detail, was, became, hash, request_id FROM audit_record
WHERE id > ?1 ORDER BY id LIMIT ?2;

-- What was written before there was a chain.
-- name: audit_unchained
SELECT time_us, who, action, object, detail FROM audit ORDER BY id;

-- What is noted of an object before and after a change; ?1: its id.

-- name: audit_device
SELECT name, smbios_uuid, tpm_key, is_unknown, is_imported, is_blocked, block_reason, is_protected FROM device WHERE id = ?1;

-- name: audit_collection
SELECT c.name, c.comment, c.rule, c.variable_priority, c.limiting_id, c.n_members FROM collection c WHERE c.id = ?1;

-- name: audit_package
SELECT kind, name, version, comment, source_path, priority, keep_versions, state, current_version FROM package WHERE id = ?1;

-- name: audit_task_sequence
SELECT name, description, boot_image_id, version, n_steps, is_disabled FROM task_sequence
WHERE id = ?1 AND deleted_us IS NULL;

-- name: audit_deployment
SELECT task_sequence_id, collection_id, purpose, content_option, is_cancelled FROM deployment WHERE id = ?1;

-- name: audit_distribution_point
SELECT name, comment, url, is_disabled, reserve_bytes, schedule, rate_limits, validation_schedule FROM distribution_point
WHERE id = ?1;

-- name: audit_dp_group
SELECT name, comment FROM dp_group WHERE id = ?1;

-- name: audit_boundary
SELECT name, kind, value FROM boundary WHERE id = ?1;

-- name: audit_boundary_group
SELECT name, comment FROM boundary_group WHERE id = ?1;

-- name: audit_administrator
SELECT name, kind, external_name, comment, is_disabled, password IS NOT NULL AS has_password FROM administrator WHERE id = ?1;

-- name: audit_security_role
SELECT name, comment FROM security_role WHERE id = ?1;

-- name: audit_security_scope
SELECT name, comment FROM security_scope WHERE id = ?1;
