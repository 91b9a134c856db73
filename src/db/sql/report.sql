-- SPDX-License-Identifier: GPL-3.0-or-later

-- Reports (docs/monitoring.md). ?1 and ?2: cursor and limit; ?3: only of this deployment, ?4: only of this device, ?5: what began since.
-- Each has a column id, by which it is in order; those that are ranked instead have no next page.

-- name: report_deployment_summary
SELECT d.id AS id, d.id AS deployment_id, t.name AS task_sequence_name, c.name AS collection_name, d.purpose, d.is_cancelled AS "is_cancelled",
    CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END + u.n_begun AS n_devices, u.n_succeeded AS n_success,
    u.n_in_progress + u.n_restarting + u.n_paused AS n_running, u.n_failed + u.n_cancelled AS n_error, u.n_requirements_not_met,
    CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END AS n_unknown,
    CASE WHEN CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END + u.n_begun = 0 THEN 0
        ELSE 100 * u.n_succeeded / (CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END + u.n_begun) END AS success_percent,
    d.created_us AS "created_at"
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
JOIN deployment_summary u ON u.deployment_id = d.id
WHERE d.id > ?1 AND d.deleted_us IS NULL AND (d.id = ?3 OR ?3 IS NULL) AND (d.id IN (
    SELECT s.deployment_id FROM deployment_device s WHERE s.device_id = ?4) OR ?4 IS NULL) AND d.created_us >= ?5
    AND @may_collection('deployment', 'read', d.collection_id)
ORDER BY d.id LIMIT ?2;

-- name: report_devices
SELECT o.id AS id, o.device_id, v.name AS device_name, o.deployment_id, s.category, coalesce(o.step, 0) + 1 AS step, o.step_name, o.step_group,
    o.exit_code, o.error_id, CASE o.state WHEN 'failed' THEN o.message END AS cause, o.started_us AS "started_at", o.ended_us AS "finished_at",
    o.heard_us AS "last_status_at"
FROM deployment_device s JOIN orders o ON o.id = s.order_id JOIN device v ON v.id = s.device_id JOIN deployment d ON d.id = s.deployment_id
WHERE o.id > ?1 AND (s.deployment_id = ?3 OR ?3 IS NULL) AND (s.device_id = ?4 OR ?4 IS NULL) AND o.created_us >= ?5
    AND @may_collection('deployment', 'read', d.collection_id)
ORDER BY o.id LIMIT ?2;

-- name: report_run_history
SELECT o.id AS id, o.device_id, v.name AS device_name, o.deployment_id, t.name AS task_sequence_name, @order_state(o) AS state, o.attempt AS n_attempts,
    o.error_id, CASE o.state WHEN 'failed' THEN o.message END AS cause, o.created_us AS "started_at", o.ended_us AS "finished_at",
    (coalesce(o.ended_us, o.heard_us) - o.created_us) / 1000000 AS duration_s
FROM orders o JOIN device v ON v.id = o.device_id JOIN deployment d ON d.id = o.deployment_id JOIN task_sequence t ON t.id = d.task_sequence_id
WHERE o.id > ?1 AND (o.deployment_id = ?3 OR ?3 IS NULL) AND (o.device_id = ?4 OR ?4 IS NULL) AND o.created_us >= ?5
    AND @may_collection('deployment', 'read', d.collection_id)
ORDER BY o.id LIMIT ?2;

-- name: report_error_ranking
SELECT format('%s %s', coalesce(o.error_id, ''), o.step_name) AS id, coalesce(o.error_id, '') AS error_id, o.step_name, o.exit_code,
    count(*) AS n_runs, count(DISTINCT o.device_id) AS n_devices, max(o.ended_us) AS "last_at"
FROM orders o JOIN deployment d ON d.id = o.deployment_id
WHERE o.state = 'failed' AND ?1 = '' AND (o.deployment_id = ?3 OR ?3 IS NULL) AND (o.device_id = ?4 OR ?4 IS NULL) AND o.created_us >= ?5
    AND @may_collection('deployment', 'read', d.collection_id)
GROUP BY o.error_id, o.step_name, o.exit_code ORDER BY count(*) DESC, coalesce(o.error_id, ''), o.step_name, o.exit_code LIMIT ?2;

-- name: report_step_durations
SELECT format('%s', s.step) AS id, s.step + 1 AS step, s.step_name, s.step_group, count(*) AS n_runs,
    sum(iif(s.state = 'failed', 1, 0)) AS n_failed, cast(sum(s.ended_us - s.started_us) AS INTEGER) / count(*) / 1000 AS average_ms,
    min(s.ended_us - s.started_us) / 1000 AS shortest_ms, max(s.ended_us - s.started_us) / 1000 AS longest_ms
FROM order_step s JOIN orders o ON o.id = s.order_id JOIN deployment d ON d.id = o.deployment_id
WHERE s.state IN ('succeeded', 'failed') AND ?1 = '' AND (o.deployment_id = ?3 OR ?3 IS NULL) AND (o.device_id = ?4 OR ?4 IS NULL)
    AND s.started_us >= ?5 AND @may_collection('deployment', 'read', d.collection_id)
GROUP BY s.step, s.step_name, s.step_group ORDER BY s.step, s.step_name, s.step_group LIMIT ?2;

-- name: report_unknown_computers
SELECT v.id AS id, v.id AS device_id, v.name AS device_name, coalesce((SELECT min(a.mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac,
    coalesce(v.manufacturer, '') AS manufacturer, coalesce(v.model, '') AS model, coalesce(v.serial, '') AS serial, coalesce(v.arch, '') AS arch,
    coalesce((SELECT s.category FROM deployment_device s WHERE s.device_id = v.id ORDER BY s.order_id DESC LIMIT 1), 'unknown') AS category,
    v.created_us AS "created_at", v.seen_us AS "last_seen_at"
FROM device v
WHERE v.id > ?1 AND v.kind = 'computer' AND v.is_unknown <> 0 AND (EXISTS (
    SELECT 1 FROM deployment_device s WHERE s.device_id = v.id AND s.deployment_id = ?3) OR ?3 IS NULL) AND (v.id = ?4 OR ?4 IS NULL) AND v.created_us >= ?5
    AND @may_device('device', 'read', v)
ORDER BY v.id LIMIT ?2;

-- name: report_content
SELECT format('%s %s', x.dp_id, x.package_id) AS id, x.dp_id AS distribution_point_id, s.name AS distribution_point_name, x.package_id,
    p.name AS package_name, p.kind, x.version, x.state, x.percent, x.error_id, x.message, x.n_tries, x.updated_us AS "updated_at"
FROM distribution x JOIN distribution_point s ON s.id = x.dp_id JOIN package p ON p.id = x.package_id
WHERE format('%s %s', x.dp_id, x.package_id) > ?1 AND x.updated_us >= ?5 AND (x.package_id IN (
        SELECT k.package_id FROM task_sequence_package k JOIN deployment d ON d.task_sequence_id = k.task_sequence_id WHERE d.id = ?3) OR ?3 IS NULL)
    AND (x.dp_id = ?4 OR ?4 IS NULL) AND @may(p.kind, 'read', p.id) AND @may('distribution-point', 'read', s.id)
ORDER BY x.dp_id, x.package_id LIMIT ?2;
