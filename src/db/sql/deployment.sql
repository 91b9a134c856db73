-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: deployment_add
INSERT INTO deployment (id, task_sequence_id, collection_id, purpose, content_option, created_us, is_debug)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: deployment_set_terms
UPDATE deployment SET comment = ?2, make_available_to = ?3, available_from = ?4, expires = ?5, assignments = ?6, rerun = ?7,
    priority = ?8, is_disabled = ?9
WHERE id = ?1;

-- name: deployment_delete
UPDATE deployment SET deleted_us = ?2 WHERE id = ?1;

-- name: deployment_n_running
SELECT count(*) FROM orders WHERE deployment_id = ?1 AND state = 'in-progress';

-- What deployments have done on a device is forgotten: those that the administrator may change, and no other team's.
-- name: deployment_clear_device
UPDATE orders SET is_cleared = 1 WHERE device_id = ?1 AND state <> 'in-progress' AND is_cleared = 0
    AND deployment_id IN (SELECT d.id FROM deployment d WHERE @may_collection('deployment', 'modify', d.collection_id));

-- name: deployment_clear_collection
UPDATE orders SET is_cleared = 1 WHERE state <> 'in-progress' AND is_cleared = 0 AND device_id IN (
    SELECT m.device_id FROM collection_member m WHERE m.collection_id = ?1)
    AND deployment_id IN (SELECT d.id FROM deployment d WHERE @may_collection('deployment', 'modify', d.collection_id));

-- What decides whether a deployment is high-risk, and how many it would reach.
-- name: deployment_risk
SELECT t.applies_image, c.rule, c.name,
    (SELECT count(*) FROM collection_member m JOIN device v ON v.id = m.device_id
        WHERE m.collection_id = c.id AND v.kind = 'computer') AS n_devices
FROM task_sequence t, collection c WHERE t.id = ?1 AND c.id = ?2;

-- name: deployment_list
SELECT d.id, d.task_sequence_id, t.name AS task_sequence_name, d.collection_id, c.name AS collection_name,
    d.purpose, d.content_option, d.is_debug AS "is_debug", d.comment, d.make_available_to, d.available_from, d.expires,
    d.assignments AS "assignments:json", d.rerun, d.priority, d.is_disabled AS "is_disabled",
    d.is_cancelled AS "is_cancelled", d.created_us AS "created_at"
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
WHERE d.id > ?1 AND d.deleted_us IS NULL AND @may_collection('deployment', 'read', d.collection_id) ORDER BY d.id LIMIT ?2;

-- name: deployment_get
SELECT d.id, d.task_sequence_id, t.name AS task_sequence_name, d.collection_id, c.name AS collection_name,
    d.purpose, d.content_option, d.is_debug AS "is_debug", d.comment, d.make_available_to, d.available_from, d.expires,
    d.assignments AS "assignments:json", d.rerun, d.priority, d.is_disabled AS "is_disabled",
    d.is_cancelled AS "is_cancelled", d.created_us AS "created_at"
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
WHERE d.id = ?1 AND d.deleted_us IS NULL AND @may_collection('deployment', 'read', d.collection_id);

-- The devices a deployment reaches or has reached, each with its latest order.
-- name: deployment_devices
SELECT v.id AS device_id, v.name AS device_name,
    coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac,
    CASE WHEN o.id IS NULL THEN 'waiting' WHEN o.is_cancelled <> 0 THEN 'cancelled' WHEN o.state <> 'in-progress' THEN o.state
        WHEN o.is_paused <> 0 THEN 'paused' WHEN o.is_restarting <> 0 THEN 'restarting' ELSE o.state END AS state,
    coalesce(o.is_debug, 0) AS "is_debug", coalesce(o.wish, 'run') AS wish, o.pause_until_us AS "pause_until:time",
    coalesce(o.environment, '') AS environment, coalesce(o.attempt, 0) AS attempt, coalesce(o.step, 0) AS step,
    coalesce(o.n_steps, 0) AS n_steps, coalesce(o.step_name, '') AS step_name, coalesce(o.percent, 0) AS percent,
    coalesce(o.rate_bytes_per_s, 0) AS rate_bytes_per_s,
    coalesce(o.downloaded_bytes, 0) AS downloaded_bytes, coalesce(o.reused_bytes, 0) AS reused_bytes, o.error_id,
    CASE o.state WHEN 'failed' THEN o.message END AS cause, o.started_us AS "started_at",
    coalesce(o.step_group, '') AS step_group,
    CASE WHEN o.n_steps > 0 THEN format('%s of %s', min(coalesce(o.step, 0) + 1, o.n_steps), o.n_steps) ELSE '' END AS position,
    CASE o.state WHEN 'in-progress' THEN coalesce(o.message, '') ELSE '' END AS activity,
    o.ended_us AS "finished_at", o.heard_us AS "last_status_at", o.id AS "order_id"
FROM device v
JOIN deployment d ON d.id = ?1
LEFT JOIN orders o ON o.id = (
    SELECT x.id FROM orders x WHERE x.deployment_id = d.id AND x.device_id = v.id ORDER BY x.created_us DESC, x.id DESC LIMIT 1)
WHERE v.kind = 'computer' AND (o.id IS NOT NULL OR (d.is_cancelled = 0 AND EXISTS (
    SELECT 1 FROM collection_member m WHERE m.collection_id = d.collection_id AND m.device_id = v.id)))
ORDER BY v.id;

-- name: deployment_phases
SELECT m.step, m.step_name, m.state, m.received_us, coalesce(o.ended_us, ?2)
FROM status_message m JOIN orders o ON o.id = m.order_id
WHERE m.order_id = ?1 AND (m.state LIKE 'step-%' OR m.state = 'restarting') AND m.step IS NOT NULL ORDER BY m.seq;

-- The oldest messages of an order, over ?3: ?2 says whether those about progress or the others.
-- name: status_message_trim
DELETE FROM status_message WHERE order_id = ?1 AND (state = 'step-progress') = ?2 AND seq <= (
    SELECT seq FROM status_message WHERE order_id = ?1 AND (state = 'step-progress') = ?2
    ORDER BY seq DESC LIMIT 1 OFFSET ?3);

-- name: status_message_list
SELECT m.id, m.received_us AS "time:time", o.device_id, v.name AS device_name, o.deployment_id, m.state,
    coalesce(m.step, 0) AS step, coalesce(m.n_steps, 0) AS n_steps, m.step_name, m.environment,
    coalesce(m.percent, 0) AS percent, coalesce(m.exit_code, 0) AS exit_code, m.error_id, m.message
FROM status_message m JOIN orders o ON o.id = m.order_id JOIN device v ON v.id = o.device_id
JOIN deployment d ON d.id = o.deployment_id
WHERE m.id > ?1 AND (o.device_id = ?3 OR ?3 IS NULL) AND (o.deployment_id = ?4 OR ?4 IS NULL)
    AND @may_collection('deployment', 'read', d.collection_id)
ORDER BY m.id LIMIT ?2;

-- A package of the task sequence that is not ready.
-- name: deployment_not_ready
SELECT p.id, p.state FROM package p
WHERE p.state <> 'ready' AND (
    p.id IN (SELECT package_id FROM task_sequence_package WHERE task_sequence_id = ?1)
    OR p.id = (SELECT boot_image_id FROM task_sequence WHERE id = ?1))
LIMIT 1;

-- name: deployment_cancel
UPDATE deployment SET is_cancelled = 1 WHERE id = ?1;
