-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: package_add
INSERT INTO package (id, kind, name, version, comment, state, arch, flavour, created_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: package_state
SELECT kind, state, name, arch FROM package WHERE id = ?1;

-- name: package_ready
UPDATE package SET state = 'ready', ready_us = ?2, kernel_version = ?3, agent_version = ?4 WHERE id = ?1;

-- name: package_failed
UPDATE package SET state = 'failed' WHERE id = ?1 AND state <> 'ready';

-- name: package_index_add
INSERT INTO package_index (package_id, number, name, description, arch, size_bytes, file_count, manifest,
    has_unix_data, is_windows)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: package_index_drop
DELETE FROM package_index WHERE package_id = ?1;

-- name: package_index_list
SELECT number AS "index", name, description, arch, size_bytes, file_count, manifest, has_unix_data, is_windows
FROM package_index
WHERE package_id = ?1 ORDER BY number;

-- name: package_index_exists
SELECT 1 FROM package_index WHERE package_id = ?1 AND number = ?2;

-- name: package_file_add
INSERT INTO package_file (package_id, name, size_bytes, sha256) VALUES (?1, ?2, ?3, ?4);

-- name: package_file_drop
DELETE FROM package_file WHERE package_id = ?1;

-- name: package_file_list
SELECT name, size_bytes, sha256 FROM package_file WHERE package_id = ?1 ORDER BY name;

-- name: os_image_list
SELECT p.id, p.name, p.version, p.comment, p.state,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id ORDER BY j.created_us DESC LIMIT 1), '') AS operation_id,
    (SELECT coalesce(sum(i.size_bytes), 0) FROM package_index i WHERE i.package_id = p.id) AS size_bytes,
    p.created_us AS "created_at"
FROM package p WHERE p.kind = 'os-image' AND p.id > ?1 ORDER BY p.id LIMIT ?2;

-- name: os_image_get
SELECT p.id, p.name, p.version, p.comment, p.state,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id ORDER BY j.created_us DESC LIMIT 1), '') AS operation_id,
    (SELECT coalesce(sum(i.size_bytes), 0) FROM package_index i WHERE i.package_id = p.id) AS size_bytes,
    p.created_us AS "created_at"
FROM package p WHERE p.kind = 'os-image' AND p.id = ?1;

-- name: boot_image_list
SELECT p.id, p.name, p.arch, p.flavour, p.state,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id ORDER BY j.created_us DESC LIMIT 1), '') AS operation_id,
    p.kernel_version, p.agent_version, p.created_us AS "created_at"
FROM package p WHERE p.kind = 'boot-image' AND p.id > ?1 ORDER BY p.id LIMIT ?2;

-- name: boot_image_get
SELECT p.id, p.name, p.arch, p.flavour, p.state,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id ORDER BY j.created_us DESC LIMIT 1), '') AS operation_id,
    p.kernel_version, p.agent_version, p.created_us AS "created_at"
FROM package p WHERE p.kind = 'boot-image' AND p.id = ?1;

-- name: job_add
INSERT INTO job (id, kind, package_id, args, state, created_us) VALUES (?1, ?2, ?3, ?4, 'queued', ?5);

-- name: job_claim
UPDATE job SET state = 'running', heard_us = ?1, n_claims = n_claims + 1
WHERE id = (SELECT id FROM job WHERE state = 'queued' ORDER BY created_us, id LIMIT 1)
RETURNING id, kind, args;

-- name: job_state
SELECT state, kind, package_id FROM job WHERE id = ?1;

-- name: job_running
UPDATE job SET state = 'running', percent = ?2, message = ?3, heard_us = ?4 WHERE id = ?1;

-- name: job_ended
UPDATE job SET state = ?2, percent = ?3, message = ?4, error_id = ?5, error = ?6, heard_us = ?7, ended_us = ?7
WHERE id = ?1;

-- name: job_hand_out_again
UPDATE job SET state = 'queued', message = 'The distribution point went silent and is to begin again'
WHERE state = 'running' AND heard_us < ?1 AND n_claims < ?2;

-- name: job_given_up
SELECT id FROM job WHERE state = 'running' AND heard_us < ?1 AND n_claims >= ?2 LIMIT 1;

-- name: operation_get
SELECT id, kind, coalesce(package_id, '') AS package_id, state, percent, message, error_id, error,
    created_us AS "created_at", ended_us AS "finished_at"
FROM job WHERE id = ?1;

-- name: operation_list_open
SELECT id, kind, coalesce(package_id, '') AS package_id, state, percent, message, error_id, error,
    created_us AS "created_at", ended_us AS "finished_at"
FROM job WHERE state IN ('queued', 'running') ORDER BY created_us, id LIMIT 100;
