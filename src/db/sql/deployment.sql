-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: deployment_add
INSERT INTO deployment (id, task_sequence_id, collection_id, purpose, content_option, created_us, is_debug)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: deployment_set_terms
UPDATE deployment SET comment = ?2, make_available_to = ?3, available_from = ?4, expires = ?5, assignments = ?6, rerun = ?7,
    priority = ?8, is_disabled = ?9, lost_contact_s = ?10,
    alert_success_percent = ?11, alert_after_s = ?12,
    may_run_outside_windows = ?13, may_restart_outside_windows = ?14, max_run_min = ?15,
    is_wake_on_lan = ?16, is_progress_shown = ?17, available_over_days = ?18, may_use_neighbours = ?19, may_use_default_group = ?20
WHERE id = ?1;

-- name: deployment_release
UPDATE deployment SET held_us = NULL WHERE id = ?1;

-- ?2: whether it wipes disks, ?3: on how many devices it may begin, NULL: on any number
-- name: deployment_set_reach
UPDATE deployment SET is_high_risk = ?2, confirmed_n = ?3 WHERE id = ?1;

-- Somebody has to look whether they still wipe disks.
-- name: deployment_look_again
UPDATE deployment SET is_high_risk = NULL WHERE is_high_risk = 1 AND deleted_us IS NULL;

-- name: deployment_not_looked_at
SELECT id, task_sequence_id, collection_id, confirmed_n FROM deployment WHERE is_high_risk IS NULL ORDER BY id LIMIT 50;

-- Required ones that devices may begin, with the number of their devices.
-- name: deployment_reach
SELECT d.id AS deployment_id, t.name AS task_sequence_name, c.id AS collection_id, c.name AS collection_name, c.n_computers AS n_devices,
    coalesce(d.is_high_risk, 1) AS "is_high_risk", iif(@is_grown(d, c), 1, 0) AS "is_not_confirmed"
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
WHERE d.purpose = 'required' AND d.deleted_us IS NULL AND d.is_cancelled = 0 AND d.is_disabled = 0
    AND @may_collection('deployment', 'read', d.collection_id) ORDER BY d.id;

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

-- How many a deployment to a collection would reach.
-- name: deployment_risk
SELECT c.rule, c.name, c.n_computers AS n_devices FROM collection c WHERE c.id = ?1;

-- Whether a collection, or one that its members come from, is being evaluated: then they are not counted yet.
-- name: collection_is_counting
WITH RECURSIVE source (id) AS (
    SELECT id FROM collection WHERE id = ?1
    UNION SELECT e.other_id FROM source s JOIN (
        SELECT id AS own_id, limiting_id AS other_id FROM collection WHERE limiting_id IS NOT NULL
        UNION ALL SELECT collection_id, other_id FROM collection_link) e ON e.own_id = s.id)
SELECT 1 FROM source s JOIN collection c ON c.id = s.id WHERE c.evaluating_after IS NOT NULL LIMIT 1;

-- Task sequences that devices may have to run without being asked.
-- name: deployment_required_sequences
SELECT DISTINCT task_sequence_id FROM deployment
WHERE purpose = 'required' AND deleted_us IS NULL AND is_cancelled = 0 AND is_disabled = 0;

-- The deployments of one of these.
-- name: deployment_required_of
SELECT id, collection_id FROM deployment WHERE task_sequence_id = ?1
    AND purpose = 'required' AND deleted_us IS NULL AND is_cancelled = 0 AND is_disabled = 0;

-- name: deployment_list
SELECT d.id, d.task_sequence_id, t.name AS task_sequence_name, d.collection_id, c.name AS collection_name,
    d.purpose, d.content_option, d.is_debug AS "is_debug", d.comment, d.make_available_to, d.available_from, d.expires,
    d.assignments AS "assignments:json", d.rerun, d.priority, d.lost_contact_s, d.alert_success_percent, d.alert_after_s, d.is_disabled AS "is_disabled",
    d.may_run_outside_windows AS "is_run_outside_windows", d.may_restart_outside_windows AS "is_restart_outside_windows", d.max_run_min,
    d.is_wake_on_lan AS "is_wake_on_lan", d.is_progress_shown AS "is_progress_shown", d.available_over_days,
    d.may_use_neighbours AS "is_neighbour_allowed", d.may_use_default_group AS "is_default_group_allowed",
    iif(@is_held(d), 1, 0) AS "is_held", iif(@is_grown(d, c), 1, 0) AS "is_not_confirmed", CASE d.is_high_risk WHEN 1 THEN d.confirmed_n END AS confirmed_devices,
    d.is_cancelled AS "is_cancelled", d.created_us AS "created_at", @phased_of(d) AS phased_deployment_id,
    CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END AS n_waiting, u.n_begun, u.n_in_progress, u.n_restarting, u.n_paused,
    u.n_succeeded, u.n_failed, u.n_cancelled, u.n_requirements_not_met
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
JOIN deployment_summary u ON u.deployment_id = d.id
WHERE d.id > ?1 AND d.deleted_us IS NULL AND @may_collection('deployment', 'read', d.collection_id) ORDER BY d.id LIMIT ?2;

-- name: deployment_get
SELECT d.id, d.task_sequence_id, t.name AS task_sequence_name, d.collection_id, c.name AS collection_name,
    d.purpose, d.content_option, d.is_debug AS "is_debug", d.comment, d.make_available_to, d.available_from, d.expires,
    d.assignments AS "assignments:json", d.rerun, d.priority, d.lost_contact_s, d.alert_success_percent, d.alert_after_s, d.is_disabled AS "is_disabled",
    d.may_run_outside_windows AS "is_run_outside_windows", d.may_restart_outside_windows AS "is_restart_outside_windows", d.max_run_min,
    d.is_wake_on_lan AS "is_wake_on_lan", d.is_progress_shown AS "is_progress_shown", d.available_over_days,
    d.may_use_neighbours AS "is_neighbour_allowed", d.may_use_default_group AS "is_default_group_allowed",
    iif(@is_held(d), 1, 0) AS "is_held", iif(@is_grown(d, c), 1, 0) AS "is_not_confirmed", CASE d.is_high_risk WHEN 1 THEN d.confirmed_n END AS confirmed_devices,
    d.is_cancelled AS "is_cancelled", d.created_us AS "created_at", @phased_of(d) AS phased_deployment_id,
    CASE d.is_cancelled WHEN 0 THEN c.n_computers - u.n_begun_members ELSE 0 END AS n_waiting, u.n_begun, u.n_in_progress, u.n_restarting, u.n_paused,
    u.n_succeeded, u.n_failed, u.n_cancelled, u.n_requirements_not_met
FROM deployment d JOIN task_sequence t ON t.id = d.task_sequence_id JOIN collection c ON c.id = d.collection_id
JOIN deployment_summary u ON u.deployment_id = d.id
WHERE d.id = ?1 AND d.deleted_us IS NULL AND @may_collection('deployment', 'read', d.collection_id);

-- name: deployment_devices
SELECT @deployment_device_columns()
FROM (
    SELECT * FROM (SELECT s.device_id, s.order_id, s.category FROM deployment_device s
        WHERE s.deployment_id = ?3 AND s.device_id > ?1 ORDER BY s.device_id LIMIT ?2) begun
    UNION ALL
    SELECT * FROM (SELECT m.device_id, NULL AS order_id, 'unknown' AS category FROM deployment d
        JOIN collection_member m ON m.collection_id = d.collection_id JOIN device w ON w.id = m.device_id
        WHERE d.id = ?3 AND d.is_cancelled = 0 AND m.device_id > ?1 AND w.kind = 'computer' AND NOT EXISTS (
            SELECT 1 FROM deployment_device s WHERE s.deployment_id = d.id AND s.device_id = m.device_id)
        ORDER BY m.device_id LIMIT ?2) waiting
) x JOIN device v ON v.id = x.device_id LEFT JOIN orders o ON o.id = x.order_id
WHERE @may_deployment(?3)
ORDER BY v.id LIMIT ?2;

-- name: deployment_devices_begun
SELECT @deployment_device_columns()
FROM deployment_device x JOIN device v ON v.id = x.device_id LEFT JOIN orders o ON o.id = x.order_id
WHERE x.deployment_id = ?3 AND x.category = ?4 AND x.device_id > ?1 AND @may_deployment(?3)
ORDER BY x.device_id LIMIT ?2;

-- name: deployment_devices_unknown
SELECT @deployment_device_columns()
FROM (SELECT m.device_id, NULL AS order_id, 'unknown' AS category FROM deployment d
    JOIN collection_member m ON m.collection_id = d.collection_id JOIN device w ON w.id = m.device_id
    WHERE d.id = ?3 AND d.is_cancelled = 0 AND m.device_id > ?1 AND w.kind = 'computer' AND NOT EXISTS (
        SELECT 1 FROM deployment_device s WHERE s.deployment_id = d.id AND s.device_id = m.device_id)
    ORDER BY m.device_id LIMIT ?2) x JOIN device v ON v.id = x.device_id LEFT JOIN orders o ON o.id = x.order_id
WHERE @may_deployment(?3)
ORDER BY v.id LIMIT ?2;

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
    coalesce(m.step, 0) AS step, coalesce(m.n_steps, 0) AS n_steps,
    CASE WHEN m.n_steps > 0 THEN format('%s of %s', min(coalesce(m.step, 0) + 1, m.n_steps), m.n_steps) ELSE '' END AS position,
    m.step_name, m.environment, coalesce(m.percent, 0) AS percent, coalesce(m.exit_code, 0) AS exit_code, m.error_id, m.message, m.message_id, m.severity, m.step_group
FROM status_message m JOIN orders o ON o.id = m.order_id JOIN device v ON v.id = o.device_id
JOIN deployment d ON d.id = o.deployment_id
WHERE m.id > ?1 AND (o.device_id = ?3 OR ?3 IS NULL) AND (o.deployment_id = ?4 OR ?4 IS NULL)
    AND (m.severity = ?5 OR ?5 IS NULL)
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
