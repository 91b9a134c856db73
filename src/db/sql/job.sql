-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: job_add
INSERT INTO job (id, kind, dp_id, package_id, version, args, state, due_us, created_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?8);

-- name: job_trim
DELETE FROM job WHERE state IN ('succeeded', 'failed', 'cancelled') AND ended_us < ?1;

-- Best first. What makes content might make just what a running 'remove' takes away, and the other way round.
-- name: job_queued
SELECT j.id, j.kind, j.dp_id, coalesce(j.package_id, ''), j.version, j.state, j.args
FROM job j LEFT JOIN package p ON p.id = j.package_id
WHERE j.state = 'queued' AND j.dp_id = ?1 AND j.due_us <= ?2
    AND NOT (j.kind = 'remove' AND EXISTS (SELECT 1 FROM job r WHERE r.state = 'running' AND r.dp_id = j.dp_id
        AND r.kind IN ('import-os-image', 'import-tree', 'build-boot-image', 'replicate')))
    AND NOT (j.kind IN ('import-os-image', 'import-tree', 'build-boot-image', 'replicate') AND EXISTS (
        SELECT 1 FROM job r WHERE r.state = 'running' AND r.dp_id = j.dp_id AND r.kind = 'remove'))
ORDER BY CASE coalesce(p.priority, 'medium') WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, j.created_us, j.rowid
LIMIT 1000;

-- name: job_claim
UPDATE job SET state = 'running', args = ?2, heard_us = ?3, n_claims = n_claims + 1 WHERE id = ?1;

-- name: job_get
SELECT id, kind, dp_id, coalesce(package_id, ''), version, state, args FROM job WHERE id = ?1;

-- What is to be removed stays so.
-- name: job_open_of_package
SELECT id FROM job WHERE package_id = ?1 AND state IN ('queued', 'running') AND kind <> 'remove'
ORDER BY created_us, id LIMIT 1;

-- name: job_running
UPDATE job SET state = 'running', percent = ?2, message = ?3, rate_bytes_per_s = ?4, heard_us = ?5 WHERE id = ?1;

-- name: job_ended
UPDATE job SET state = ?2, percent = ?3, message = ?4, error_id = ?5, error = ?6, result = ?7, rate_bytes_per_s = 0,
    heard_us = ?8, ended_us = ?8
WHERE id = ?1;

-- name: job_hand_out_again
UPDATE job SET state = 'queued', message = 'The distribution point went silent and is to begin again'
WHERE state = 'running' AND heard_us < ?1 AND n_claims < ?2;

-- What a distribution point was given and does not have (any more): its program ended, or the answer did not arrive. ?2: JSON
-- list of what it has.
-- name: job_lost
UPDATE job SET state = 'queued', message = 'The distribution point was started anew and is to begin again'
WHERE state = 'running' AND dp_id = ?1 AND n_claims < ?3 AND id NOT IN (SELECT value FROM json_each(?2));

-- name: job_given_up
SELECT id FROM job WHERE state = 'running' AND heard_us < ?1 AND n_claims >= ?2 LIMIT 1;

-- name: operation_get
SELECT id, kind, dp_id, coalesce(package_id, json_extract(args, '$.package_id'), '') AS package_id, version, state, percent,
    rate_bytes_per_s, message, result AS "result:json", error_id, error, created_us AS "created_at",
    ended_us AS "finished_at"
FROM job WHERE id = ?1
    AND @may('operation', 'read', coalesce(job.package_id, job.id));

-- name: operation_list
SELECT id, kind, dp_id, coalesce(package_id, json_extract(args, '$.package_id'), '') AS package_id, version, state, percent,
    rate_bytes_per_s, message, error_id, error, created_us AS "created_at", ended_us AS "finished_at"
FROM job WHERE id > ?1 AND (?3 = 0 OR state IN ('queued', 'running'))
    AND @may('operation', 'read', coalesce(job.package_id, job.id))
ORDER BY id LIMIT ?2;

-- name: operation_list_open
SELECT id, kind, dp_id, coalesce(package_id, json_extract(args, '$.package_id'), '') AS package_id, version, state, percent,
    rate_bytes_per_s, message, error_id, error, created_us AS "created_at", ended_us AS "finished_at"
FROM job WHERE state IN ('queued', 'running')
    AND @may('operation', 'read', coalesce(job.package_id, job.id))
ORDER BY created_us, id LIMIT 100;

-- The import of the upload ?2 into ?1 that is going on or has gone well.
-- name: job_of_upload
SELECT id, version FROM job WHERE package_id = ?1 AND json_extract(args, '$.upload_id') = ?2
    AND state NOT IN ('failed', 'cancelled') ORDER BY created_us LIMIT 1;
