-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: package_add
INSERT INTO package (id, kind, name, version, comment, source_path, priority, keep_versions, state, is_custom, arch, flavour,
    created_us, prestart_command)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);

-- name: package_state
SELECT kind, state, name, arch, version, source_path, current_version, flavour FROM package WHERE id = ?1;

-- name: package_same_name
SELECT id FROM package WHERE kind = ?1 AND name = ?2 COLLATE NOCASE AND version = ?3 COLLATE NOCASE AND id <> ?4
ORDER BY id LIMIT 1;

-- name: package_set
UPDATE package SET name = ?2, version = ?3, comment = ?4, source_path = ?5, priority = ?6, keep_versions = ?7, prestart_command = ?8
WHERE id = ?1;

-- An update from elsewhere has succeeded: the next one reads from there too.
-- name: package_source_of_job
UPDATE package SET source_path = coalesce((SELECT json_extract(args, '$.source_path') FROM job WHERE id = ?2), source_path)
WHERE id = ?1;

-- name: package_current
UPDATE package SET state = 'ready', current_version = ?2 WHERE id = ?1;

-- The first version has failed.
-- name: package_drop_failed
DELETE FROM package WHERE id = ?1 AND current_version = 0
    AND NOT EXISTS (SELECT 1 FROM task_sequence t WHERE t.boot_image_id = ?1)
    AND NOT EXISTS (SELECT 1 FROM task_sequence_package t WHERE t.package_id = ?1);

-- name: package_failed
UPDATE package SET state = 'failed' WHERE id = ?1 AND current_version = 0;

-- name: package_drop
DELETE FROM package WHERE id = ?1;

-- name: package_users
SELECT t.id, t.name, coalesce((SELECT group_concat(d.id, ', ') FROM deployment d
    WHERE d.task_sequence_id = t.id AND d.is_cancelled = 0), '')
FROM task_sequence t
WHERE t.boot_image_id = ?1
    OR EXISTS (SELECT 1 FROM task_sequence_package x WHERE x.task_sequence_id = t.id AND x.package_id = ?1)
ORDER BY t.id LIMIT 1;

-- name: package_list
SELECT p.id, p.kind, p.name, p.version, p.comment, p.source_path, p.priority, p.keep_versions, p.state, p.current_version,
    p.is_custom AS "is_custom", p.prestart_command, p.arch, p.flavour, coalesce(v.kernel_version, '') AS kernel_version,
    coalesce(v.agent_version, '') AS agent_version, coalesce(v.size_bytes, 0) AS size_bytes,
    coalesce(v.file_count, 0) AS file_count,
    (SELECT m.manifest FROM content_manifest m WHERE m.package_id = p.id AND m.version = p.current_version AND m.part = 0)
        AS manifest,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id
        AND j.kind IN ('import-os-image', 'import-tree', 'build-boot-image')
        ORDER BY j.created_us DESC, j.id DESC LIMIT 1), '') AS operation_id,
    p.created_us AS "created_at", v.ready_us AS "updated_at"
FROM package p LEFT JOIN content_version v ON v.package_id = p.id AND v.number = p.current_version
WHERE p.id > ?1 AND (?3 = '' OR p.kind = ?3) AND @may(p.kind, 'read', p.id) ORDER BY p.id LIMIT ?2;

-- By id or name; ?2: of this kind, '' any, 'all': also a task sequence. What has it as its id comes first.
-- name: content_find
SELECT id, kind FROM (
    SELECT p.id, p.name, p.kind FROM package p WHERE (?2 IN ('', 'all') OR p.kind = ?2) AND @may(p.kind, 'read', p.id)
    UNION ALL SELECT t.id, t.name, 'task sequence' FROM task_sequence t
    WHERE ?2 IN ('all', 'task-sequence') AND t.deleted_us IS NULL AND @may('task-sequence', 'read', t.id)) AS x
WHERE id = ?1 OR name = ?1 COLLATE NOCASE ORDER BY id = ?1 DESC, id LIMIT 2;

-- All that have this name, in whatever case; ?2: as above.
-- name: content_namesakes
SELECT id, kind, version FROM (
    SELECT p.id, p.name, p.kind, p.version FROM package p
    WHERE (?2 IN ('', 'all') OR p.kind = ?2) AND @may(p.kind, 'read', p.id)
    UNION ALL SELECT t.id, t.name, 'task sequence', '' FROM task_sequence t
    WHERE ?2 IN ('all', 'task-sequence') AND t.deleted_us IS NULL AND @may('task-sequence', 'read', t.id)) AS x
WHERE name = ?1 COLLATE NOCASE ORDER BY id LIMIT ?3;

-- What was made of the upload ?4, with this name, and has not failed.
-- name: package_of_upload
SELECT p.id FROM package p JOIN job j ON j.package_id = p.id
WHERE p.kind = ?1 AND p.name = ?2 COLLATE NOCASE AND p.version = ?3 AND json_extract(j.args, '$.upload_id') = ?4
    AND j.state NOT IN ('failed', 'cancelled') LIMIT 1;

-- name: package_get
SELECT p.id, p.kind, p.name, p.version, p.comment, p.source_path, p.priority, p.keep_versions, p.state, p.current_version,
    p.is_custom AS "is_custom", p.prestart_command, p.arch, p.flavour, coalesce(v.kernel_version, '') AS kernel_version,
    coalesce(v.agent_version, '') AS agent_version, coalesce(v.size_bytes, 0) AS size_bytes,
    coalesce(v.file_count, 0) AS file_count,
    (SELECT m.manifest FROM content_manifest m WHERE m.package_id = p.id AND m.version = p.current_version AND m.part = 0)
        AS manifest,
    coalesce((SELECT j.id FROM job j WHERE j.package_id = p.id
        AND j.kind IN ('import-os-image', 'import-tree', 'build-boot-image')
        ORDER BY j.created_us DESC, j.id DESC LIMIT 1), '') AS operation_id,
    p.created_us AS "created_at", v.ready_us AS "updated_at"
FROM package p LEFT JOIN content_version v ON v.package_id = p.id AND v.number = p.current_version
WHERE p.id = ?1 AND (?2 = '' OR p.kind = ?2) AND @may(p.kind, 'read', p.id);

-- Boot images whose newest version is of another kernel than ?3 of ?1, ?2 or another agent than ?4, unless such a one was
-- ordered since ?6, or has failed since ?7. The current version may be older: an administrator has gone back to it.
-- name: package_rebuild
SELECT p.id FROM package p LEFT JOIN content_version v ON v.package_id = p.id
    AND v.number = (SELECT max(y.number) FROM content_version y WHERE y.package_id = p.id AND y.state = 'ready')
WHERE p.kind = 'boot-image' AND p.is_custom = 0 AND p.arch = ?1 AND p.flavour = ?2
    AND (v.kernel_version IS NOT ?3 OR v.agent_version IS NOT ?4)
    AND NOT EXISTS (SELECT 1 FROM content_version x WHERE x.package_id = p.id
        AND (x.state = 'making' OR (x.built_for = ?5 AND x.created_us > iif(x.state = 'failed', cast(?7 AS INTEGER), ?6))))
ORDER BY p.id LIMIT 1;

-- name: version_add
INSERT INTO content_version (package_id, number, state, built_for, created_us)
SELECT ?1, coalesce(max(number), 0) + 1, 'making', ?2, ?3 FROM content_version WHERE package_id = ?1
RETURNING number;

-- What is over and gone, but for the latest ?2 of all.
-- name: version_trim
DELETE FROM content_version WHERE package_id = ?1 AND state IN ('failed', 'removed')
    AND number <= (SELECT max(number) FROM content_version WHERE package_id = ?1) - ?2;

-- name: version_making
SELECT v.number, coalesce((SELECT j.id FROM job j WHERE j.package_id = v.package_id AND j.version = v.number
    ORDER BY j.created_us LIMIT 1), '') AS job_id
FROM content_version v WHERE v.package_id = ?1 AND v.state = 'making';

-- name: version_state
SELECT state FROM content_version WHERE package_id = ?1 AND number = ?2;

-- name: version_set_state
UPDATE content_version SET state = ?3 WHERE package_id = ?1 AND number = ?2;

-- name: version_ready
UPDATE content_version SET state = 'ready', size_bytes = ?3, new_bytes = ?4, file_count = ?5, kernel_version = ?6,
    agent_version = ?7, ready_us = ?8
WHERE package_id = ?1 AND number = ?2;

-- Number before text in ?1: the cursor is the number of the version before.
-- name: version_list
SELECT v.number AS id, v.number AS version, v.state, v.number = p.current_version AS "is_current", v.size_bytes, v.new_bytes,
    v.file_count, v.kernel_version, v.agent_version,
    (SELECT count(*) FROM order_content c JOIN orders o ON o.id = c.order_id
        WHERE c.package_id = v.package_id AND c.version = v.number AND o.state = 'in-progress') AS n_orders,
    coalesce(j.id, '') AS operation_id, j.error_id, j.error, v.created_us AS "created_at", v.ready_us AS "ready_at"
FROM content_version v JOIN package p ON p.id = v.package_id
LEFT JOIN job j ON j.id = (SELECT x.id FROM job x WHERE x.package_id = v.package_id AND x.version = v.number
    AND x.kind IN ('import-os-image', 'import-tree', 'build-boot-image') ORDER BY x.created_us DESC, x.id DESC LIMIT 1)
WHERE v.number > cast('0' || ?1 AS INTEGER) AND v.package_id = ?3 ORDER BY v.number LIMIT ?2;

-- name: version_ready_list
SELECT number FROM content_version WHERE package_id = ?1 AND state = 'ready' ORDER BY number;

-- A version that is not the current one, not among the newest that are kept, and that nobody is at.
-- name: version_prunable
SELECT v.package_id, v.number FROM content_version v JOIN package p ON p.id = v.package_id
WHERE v.state = 'ready' AND v.number <> p.current_version
    AND (SELECT count(*) FROM content_version n WHERE n.package_id = v.package_id AND n.state = 'ready'
        AND n.number <> p.current_version AND n.number > v.number) >= p.keep_versions - 1
    AND NOT EXISTS (SELECT 1 FROM order_content c JOIN orders o ON o.id = c.order_id
        WHERE c.package_id = v.package_id AND c.version = v.number AND o.state = 'in-progress')
    AND NOT EXISTS (SELECT 1 FROM job j
        WHERE j.package_id = v.package_id AND j.version = v.number AND j.state IN ('queued', 'running'))
LIMIT 1;

-- name: manifest_add
INSERT INTO content_manifest (package_id, version, part, manifest, size_bytes) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: manifest_list
SELECT manifest, min(part) FROM content_manifest WHERE package_id = ?1 AND version = ?2
GROUP BY manifest ORDER BY min(part);

-- name: manifest_used
SELECT 1 FROM content_manifest WHERE manifest = ?1 LIMIT 1;

-- name: manifest_drop
DELETE FROM content_manifest WHERE package_id = ?1 AND version = ?2;

-- name: manifest_tree
SELECT manifest, size_bytes FROM content_manifest WHERE package_id = ?1 AND version = ?2 AND part = 0;

-- name: package_index_add
INSERT INTO package_index (package_id, version, number, name, description, arch, languages, default_language, build, edition,
    size_bytes, file_count, manifest, has_unix_data, is_windows)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: package_index_drop
DELETE FROM package_index WHERE package_id = ?1 AND version = ?2;

-- name: package_index_list
SELECT number AS "index", name, description, arch, languages, default_language, build, edition, size_bytes, file_count,
    manifest, has_unix_data, is_windows
FROM package_index
WHERE package_id = ?1 AND version = ?2 ORDER BY number;

-- name: package_file_add
INSERT INTO package_file (package_id, version, name, size_bytes, sha256) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: package_file_drop
DELETE FROM package_file WHERE package_id = ?1 AND version = ?2;

-- name: package_file_list
SELECT name, size_bytes, sha256 FROM package_file WHERE package_id = ?1 AND version = ?2 ORDER BY name;
