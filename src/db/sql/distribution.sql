-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: dp_add
INSERT INTO distribution_point (id, name, url, token_hash, version, created_us, seen_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6);

-- name: dp_find
SELECT d.id, d.is_own FROM distribution_point d
WHERE (d.id = ?1 OR d.name = ?1) AND @may('distribution-point', 'read', d.id) ORDER BY d.id = ?1 DESC LIMIT 1;

-- name: dp_by_token
SELECT id FROM distribution_point WHERE token_hash = ?1
UNION ALL SELECT dp_id FROM distribution_point_access WHERE hash = ?1 AND expires_us > ?2;

-- name: dp_key_add
INSERT INTO distribution_point_key (public_key, dp_id, created_us) VALUES (?1, ?2, ?3);

-- name: dp_key_find
SELECT dp_id FROM distribution_point_key WHERE public_key = ?1;

-- The token from before it had a key.
-- name: dp_drop_old_token
UPDATE distribution_point SET token_hash = NULL WHERE id = ?1;

-- name: dp_access_add
INSERT INTO distribution_point_access (hash, dp_id, expires_us) VALUES (?1, ?2, ?3);

-- All of a distribution point but ?3, which was just made, and the latest; ?2 in all.
-- name: dp_access_trim
DELETE FROM distribution_point_access WHERE dp_id = ?1 AND hash NOT IN (
    SELECT a.hash FROM distribution_point_access a WHERE a.dp_id = ?1
    ORDER BY CASE a.hash WHEN ?3 THEN 0 ELSE 1 END, a.expires_us DESC, a.hash LIMIT ?2);

-- name: dp_access_expire
DELETE FROM distribution_point_access WHERE expires_us <= ?1;

-- Kept to ten seconds, so that a claim is not a write.
-- name: dp_seen
UPDATE distribution_point SET seen_us = ?2, free_bytes = coalesce(?3, free_bytes), total_bytes = coalesce(?4, total_bytes),
    version = coalesce(?5, version), url = iif(is_own <> 0, '', coalesce(?6, url))
WHERE id = ?1 AND (coalesce(seen_us, 0) + 10000000 <= ?2 OR url <> coalesce(?6, url) AND is_own = 0
    OR free_bytes IS NULL AND coalesce(?3, free_bytes) IS NOT NULL);

-- ?3: a distribution point that was heard of since then is online.
-- name: dp_list
SELECT d.id, d.name, d.comment, d.is_own, d.is_disabled, d.url, d.version, d.free_bytes, d.total_bytes, d.reserve_bytes,
    d.schedule AS "schedule:json", d.rate_limits AS "rate_limits:json", d.validation_schedule AS "validation_schedule:json",
    coalesce(d.seen_us, 0) >= ?3 AS is_online, d.seen_us AS "last_seen_at", d.created_us AS "created_at",
    (SELECT count(*) FROM distribution x WHERE x.dp_id = d.id) AS n_packages,
    (SELECT count(*) FROM distribution x WHERE x.dp_id = d.id AND x.state = 'failed') AS n_failed
FROM distribution_point d WHERE d.id > ?1 AND @may('distribution-point', 'read', d.id) ORDER BY d.id LIMIT ?2;

-- name: dp_get
SELECT d.id, d.name, d.comment, d.is_own, d.is_disabled, d.url, d.version, d.free_bytes, d.total_bytes, d.reserve_bytes,
    d.schedule AS "schedule:json", d.rate_limits AS "rate_limits:json", d.validation_schedule AS "validation_schedule:json",
    coalesce(d.seen_us, 0) >= ?2 AS is_online, d.seen_us AS "last_seen_at", d.created_us AS "created_at",
    (SELECT count(*) FROM distribution x WHERE x.dp_id = d.id) AS n_packages,
    (SELECT count(*) FROM distribution x WHERE x.dp_id = d.id AND x.state = 'failed') AS n_failed
FROM distribution_point d WHERE d.id = ?1;

-- What is absent stays.
-- name: dp_set
UPDATE distribution_point SET name = coalesce(?2, name), comment = coalesce(?3, comment),
    is_disabled = coalesce(?4, is_disabled), reserve_bytes = coalesce(?5, reserve_bytes), schedule = coalesce(?6, schedule),
    rate_limits = coalesce(?7, rate_limits), validation_schedule = coalesce(?8, validation_schedule)
WHERE id = ?1;

-- name: dp_remove
DELETE FROM distribution_point WHERE id = ?1 AND is_own = 0;

-- name: dp_n_content
SELECT count(DISTINCT package_id) FROM (
    SELECT package_id FROM distribution WHERE dp_id = ?1 UNION SELECT package_id FROM distribution_version WHERE dp_id = ?1) AS x;

-- name: dp_token_add
INSERT INTO distribution_point_token (hash, name, expires_us) VALUES (?1, ?2, ?3);

-- name: dp_token_take
DELETE FROM distribution_point_token WHERE hash = ?1 AND expires_us > ?2 RETURNING name;

-- name: dp_token_drop_name
DELETE FROM distribution_point_token WHERE name = ?1;

-- name: dp_token_expire
DELETE FROM distribution_point_token WHERE expires_us <= ?1;

-- name: dp_source_drop
DELETE FROM distribution_point_source WHERE dp_id = ?1;

-- name: dp_source_add
INSERT INTO distribution_point_source (dp_id, source_dp_id, priority) VALUES (?1, ?2, ?3);

-- name: dp_source_list
SELECT s.source_dp_id AS distribution_point_id, d.name, s.priority
FROM distribution_point_source s JOIN distribution_point d ON d.id = s.source_dp_id
WHERE s.dp_id = ?1 ORDER BY s.priority, s.source_dp_id;

-- The rules of one, for what is to be decided now.
-- name: dp_rules
SELECT schedule, rate_limits, reserve_bytes FROM distribution_point WHERE id = ?1;

-- name: dp_schedule_list
SELECT id, schedule FROM distribution_point WHERE schedule <> '[]';

-- name: dp_validation_list
SELECT id, validation_schedule, coalesce(validated_us, 0) FROM distribution_point WHERE validation_schedule <> '[]';

-- name: dp_validated
UPDATE distribution_point SET validated_us = ?2 WHERE id = ?1;

-- name: dp_content
SELECT d.package_id, p.name AS package_name, p.kind, d.version, d.work,
    CASE WHEN d.state IN ('waiting', 'in-progress') AND coalesce(s.seen_us, 0) < ?2 THEN 'unknown' ELSE d.state END AS state,
    d.percent, d.rate_bytes_per_s, d.error_id, d.message, d.n_tries, d.next_try_us AS "next_try_at", d.updated_us AS "updated_at"
FROM distribution d JOIN package p ON p.id = d.package_id JOIN distribution_point s ON s.id = d.dp_id
WHERE d.dp_id = ?1 ORDER BY d.package_id LIMIT 10000;

-- Groups.

-- name: dp_group_add
INSERT INTO dp_group (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- name: dp_group_find
SELECT g.id FROM dp_group g WHERE (g.id = ?1 OR g.name = ?1) AND @may('distribution-point-group', 'read', g.id)
ORDER BY g.id = ?1 DESC LIMIT 1;

-- name: dp_group_list
SELECT g.id, g.name, g.comment, (SELECT count(*) FROM dp_group_member m WHERE m.group_id = g.id) AS n_members,
    (SELECT count(*) FROM dp_group_package c WHERE c.group_id = g.id) AS n_packages,
    (SELECT count(*) FROM dp_group_member m JOIN distribution d ON d.dp_id = m.dp_id JOIN dp_group_package c
        ON c.group_id = m.group_id AND c.package_id = d.package_id
        WHERE m.group_id = g.id AND d.state = 'failed') AS n_failed,
    g.created_us AS "created_at"
FROM dp_group g WHERE g.id > ?1 AND @may('distribution-point-group', 'read', g.id)
ORDER BY g.id LIMIT ?2;

-- name: dp_group_get
SELECT g.id, g.name, g.comment, (SELECT count(*) FROM dp_group_member m WHERE m.group_id = g.id) AS n_members,
    (SELECT count(*) FROM dp_group_package c WHERE c.group_id = g.id) AS n_packages,
    (SELECT count(*) FROM dp_group_member m JOIN distribution d ON d.dp_id = m.dp_id JOIN dp_group_package c
        ON c.group_id = m.group_id AND c.package_id = d.package_id
        WHERE m.group_id = g.id AND d.state = 'failed') AS n_failed,
    g.created_us AS "created_at"
FROM dp_group g WHERE g.id = ?1;

-- name: dp_group_drop
DELETE FROM dp_group WHERE id = ?1;

-- name: dp_group_member_add
INSERT INTO dp_group_member (group_id, dp_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: dp_group_member_drop
DELETE FROM dp_group_member WHERE group_id = ?1 AND dp_id = ?2;

-- name: dp_group_members
SELECT m.dp_id AS distribution_point_id, d.name, coalesce(d.seen_us, 0) >= ?2 AS is_online
FROM dp_group_member m JOIN distribution_point d ON d.id = m.dp_id WHERE m.group_id = ?1 ORDER BY m.dp_id;

-- name: dp_group_package_add
INSERT INTO dp_group_package (group_id, package_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: dp_group_package_drop
DELETE FROM dp_group_package WHERE group_id = ?1 AND package_id = ?2;

-- name: dp_group_packages
SELECT c.package_id, p.name, p.kind, p.current_version,
    (SELECT count(*) FROM dp_group_member m JOIN distribution d ON d.dp_id = m.dp_id AND d.package_id = c.package_id
        WHERE m.group_id = c.group_id AND d.state = 'success') AS n_success
FROM dp_group_package c JOIN package p ON p.id = c.package_id WHERE c.group_id = ?1 ORDER BY c.package_id;

-- name: dp_group_package_get
SELECT id AS package_id, current_version FROM package p JOIN dp_group_package c ON c.package_id = p.id
WHERE c.group_id = ?1 AND p.id = ?2;

-- Members of a group that have the package by no other group.
-- name: dp_group_only_members
SELECT m.dp_id FROM dp_group_member m WHERE m.group_id = ?1 AND NOT EXISTS (
    SELECT 1 FROM dp_group_member o JOIN dp_group_package c ON c.group_id = o.group_id
    WHERE o.dp_id = m.dp_id AND c.package_id = ?2 AND o.group_id <> ?1)
ORDER BY m.dp_id;

-- Distribution.

-- A package, or all that a task sequence refers to.
-- name: distribution_packages_of
SELECT id, current_version FROM package WHERE id = ?1
UNION SELECT p.id, p.current_version FROM package p JOIN task_sequence_package t ON t.package_id = p.id
    WHERE t.task_sequence_id = ?1
UNION SELECT p.id, p.current_version FROM package p JOIN task_sequence t ON t.boot_image_id = p.id WHERE t.id = ?1
ORDER BY 1;

-- name: distribution_exists
SELECT work, state, version, job_id, coalesce(next_try_us, 0),
    EXISTS (SELECT 1 FROM distribution_version v
        WHERE v.dp_id = d.dp_id AND v.package_id = d.package_id AND v.version = d.version)
FROM distribution d WHERE dp_id = ?1 AND package_id = ?2;

-- Wanted there: what has it already, or is on the way, stays as it is.
-- name: distribution_want
INSERT INTO distribution (dp_id, package_id, version, work, state, message, created_us, updated_us)
VALUES (?1, ?2, ?3, 'replicate', 'waiting', ?4, ?5, ?5)
ON CONFLICT (dp_id, package_id) DO UPDATE SET version = excluded.version, work = 'replicate', state = 'waiting', job_id = NULL,
    percent = 0, rate_bytes_per_s = 0, error_id = NULL, message = excluded.message, n_tries = 0, next_try_us = NULL,
    updated_us = excluded.updated_us;

-- name: distribution_work
UPDATE distribution SET work = ?3, state = 'waiting', job_id = NULL, percent = 0, rate_bytes_per_s = 0, error_id = NULL,
    message = ?4, n_tries = 0, next_try_us = NULL, updated_us = ?5
WHERE dp_id = ?1 AND package_id = ?2;

-- name: distribution_done
UPDATE distribution SET work = '', state = 'success', job_id = NULL, percent = 100, rate_bytes_per_s = 0, error_id = NULL,
    message = ?3, n_tries = 0, next_try_us = NULL, updated_us = ?4
WHERE dp_id = ?1 AND package_id = ?2;

-- name: distribution_failed
UPDATE distribution SET work = ?3, state = 'failed', job_id = NULL, rate_bytes_per_s = 0, error_id = ?4, message = ?5,
    n_tries = n_tries + 1, next_try_us = ?6, updated_us = ?7
WHERE dp_id = ?1 AND package_id = ?2;

-- name: distribution_drop
DELETE FROM distribution WHERE dp_id = ?1 AND package_id = ?2;

-- name: distribution_begun
UPDATE distribution SET state = 'in-progress', job_id = ?3, percent = 0, rate_bytes_per_s = 0, error_id = NULL, message = ?4,
    next_try_us = NULL, updated_us = ?5
WHERE dp_id = ?1 AND package_id = ?2;

-- name: distribution_progress
UPDATE distribution SET percent = ?2, rate_bytes_per_s = ?3, message = ?4, updated_us = ?5 WHERE job_id = ?1;

-- name: distribution_by_job
SELECT work, n_tries, version FROM distribution WHERE dp_id = ?1 AND package_id = ?2 AND job_id = ?3;

-- ?3: how many ranks of priority the schedule lets pass now.
-- name: distribution_next
SELECT d.package_id, d.version, d.work, p.kind, p.arch, p.priority,
    CASE p.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END AS rank, d.n_tries
FROM distribution d JOIN package p ON p.id = d.package_id
WHERE d.dp_id = ?1 AND d.work <> '' AND (d.state = 'waiting' OR d.state = 'failed' AND d.next_try_us <= ?2)
    AND (d.work = 'remove' OR d.version > 0) AND (d.work IN ('validate', 'remove')
        OR CASE p.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END <= ?3)
ORDER BY rank, d.updated_us, d.package_id LIMIT 1;

-- What is being copied although the schedule lets only ?2 ranks of priority pass.
-- name: distribution_closed
SELECT d.package_id FROM distribution d JOIN package p ON p.id = d.package_id
WHERE d.dp_id = ?1 AND d.state = 'in-progress' AND d.work IN ('replicate', 'redistribute')
    AND CASE p.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END > ?2
ORDER BY d.package_id;

-- name: distribution_wait
UPDATE distribution SET state = 'waiting', job_id = NULL, rate_bytes_per_s = 0, message = ?3, updated_us = ?4
WHERE dp_id = ?1 AND package_id = ?2;

-- Whether something else than this package (?4 = 0: or than this version of it) needs a manifest there.
-- name: distribution_needs_manifest
SELECT 1 FROM content_manifest n
LEFT JOIN distribution_version v ON v.dp_id = ?1 AND v.package_id = n.package_id AND v.version = n.version
LEFT JOIN distribution d ON d.dp_id = ?1 AND d.package_id = n.package_id AND d.version = n.version AND d.work <> 'remove'
WHERE n.manifest = ?2 AND (v.dp_id IS NOT NULL OR d.dp_id IS NOT NULL)
    AND NOT (n.package_id = ?3 AND (?4 = 0 OR n.version = ?4))
LIMIT 1;

-- name: distribution_manifests
SELECT manifest FROM content_manifest WHERE package_id = ?1 AND version = ?2 GROUP BY manifest ORDER BY min(part);

-- What only this package (?3 = 0: all its versions) needs there of what is there or on the way.
-- name: distribution_only_manifests
SELECT m.manifest FROM content_manifest m
WHERE m.package_id = ?2 AND (?3 = 0 OR m.version = ?3) AND NOT EXISTS (
    SELECT 1 FROM content_manifest n
    LEFT JOIN distribution_version v ON v.dp_id = ?1 AND v.package_id = n.package_id AND v.version = n.version
    LEFT JOIN distribution d ON d.dp_id = ?1 AND d.package_id = n.package_id AND d.version = n.version AND d.work <> 'remove'
    WHERE n.manifest = m.manifest AND (v.dp_id IS NOT NULL OR d.dp_id IS NOT NULL)
        AND NOT (n.package_id = ?2 AND (?3 = 0 OR n.version = ?3)))
GROUP BY m.manifest ORDER BY min(m.version), min(m.part);

-- Who has a version of a package, the configured sources of ?1 first, the site's own last.
-- name: distribution_sources
SELECT s.url, s.is_own FROM distribution_version v JOIN distribution_point s ON s.id = v.dp_id
LEFT JOIN distribution_point_source x ON x.dp_id = ?1 AND x.source_dp_id = s.id
WHERE v.package_id = ?2 AND v.version = ?3 AND s.id <> ?1 AND (x.dp_id IS NOT NULL OR s.is_own <> 0 OR ?1 = 'DP00001')
    AND s.is_disabled = 0 AND (s.is_own <> 0 OR coalesce(s.seen_us, 0) >= ?4) AND (s.is_own <> 0 OR s.url <> '')
ORDER BY x.priority IS NULL, x.priority, s.id;

-- Jobs of distribution: all that are in hand or may be taken now, those in hand, and of these the ones that copy.
-- name: distribution_n_jobs
SELECT count(*), count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'running' AND kind = 'replicate')
FROM job WHERE (state = 'running' OR state = 'queued' AND due_us <= ?2)
    AND kind IN ('replicate', 'validate', 'remove') AND dp_id = ?1;

-- name: distribution_job_stop
UPDATE job SET state = 'cancelled', message = ?3, ended_us = ?4
WHERE state IN ('queued', 'running') AND id IN (SELECT job_id FROM distribution WHERE dp_id = ?1 AND package_id = ?2);

-- name: distribution_job_stop_dp
UPDATE job SET state = 'cancelled', message = 'The distribution point was removed', ended_us = ?2
WHERE state IN ('queued', 'running') AND dp_id = ?1;

-- name: distribution_dps_of
SELECT dp_id, work FROM distribution WHERE package_id = ?1 ORDER BY dp_id;

-- name: distribution_validate_dp
UPDATE distribution SET work = 'validate', state = 'waiting', percent = 0, message = 'validation by schedule', updated_us = ?2
WHERE dp_id = ?1 AND work = '' AND state = 'success';

-- name: distribution_version_add
INSERT INTO distribution_version (dp_id, package_id, version, present_us) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (dp_id, package_id, version) DO UPDATE SET present_us = excluded.present_us;

-- name: distribution_version_drop
DELETE FROM distribution_version WHERE dp_id = ?1 AND package_id = ?2 AND (?3 = 0 OR version = ?3);

-- name: distribution_version_dps
SELECT dp_id FROM distribution_version WHERE package_id = ?1 AND (?2 = 0 OR version = ?2) GROUP BY dp_id ORDER BY dp_id;

-- name: distribution_list
SELECT d.dp_id AS distribution_point_id, s.name AS distribution_point_name, d.package_id, p.name AS package_name, d.version,
    d.work, CASE WHEN d.state IN ('waiting', 'in-progress') AND coalesce(s.seen_us, 0) < ?2 THEN 'unknown' ELSE d.state END AS state,
    d.percent, d.rate_bytes_per_s, d.error_id, d.message, d.n_tries, d.next_try_us AS "next_try_at", d.updated_us AS "updated_at",
    CASE p.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END AS rank
FROM distribution d JOIN distribution_point s ON s.id = d.dp_id JOIN package p ON p.id = d.package_id
WHERE d.package_id = ?1 AND (d.dp_id = ?3 OR ?3 IS NULL) ORDER BY d.dp_id;

-- name: distribution_note
INSERT INTO distribution_history (dp_id, package_id, version, time_us, event, error_id, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: distribution_history_trim
DELETE FROM distribution_history WHERE dp_id = ?1 AND package_id = ?2 AND id <= (
    SELECT id FROM distribution_history WHERE dp_id = ?1 AND package_id = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3);

-- name: distribution_history_list
SELECT time_us AS "time:time", version, event, error_id, message FROM distribution_history
WHERE dp_id = ?1 AND package_id = ?2 ORDER BY id;

-- A package of a task sequence that no distribution point in use has.
-- name: distribution_nowhere
SELECT p.id, p.name FROM package p
WHERE (p.id IN (SELECT package_id FROM task_sequence_package WHERE task_sequence_id = ?1)
    OR p.id = (SELECT boot_image_id FROM task_sequence WHERE id = ?1))
    AND p.current_version > 0 AND NOT EXISTS (
        SELECT 1 FROM distribution_version v JOIN distribution_point s ON s.id = v.dp_id
        LEFT JOIN distribution d ON d.dp_id = v.dp_id AND d.package_id = v.package_id
        WHERE v.package_id = p.id AND v.version = p.current_version AND s.is_disabled = 0 AND coalesce(d.work, '') <> 'remove')
ORDER BY p.id LIMIT 1;
