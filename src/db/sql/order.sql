-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: order_add
INSERT INTO orders (id, deployment_id, device_id, state, environment, attempt, created_us, deadline_us, heard_us, is_debug, is_client)
VALUES (?1, ?2, ?3, 'in-progress', iif(?6 <> 0, 'full-os', 'boot-image'), 1, ?4, ?5, ?4, (SELECT is_debug FROM deployment WHERE id = ?2), ?6);

-- name: order_in_progress
SELECT o.id, o.deployment_id, o.attempt, o.environment, o.is_restarting, o.restarted_us, o.deadline_us, o.heard_us, o.is_client,
    iif(d.held_us >= o.heard_us, 1, 0)
FROM orders o JOIN deployment d ON d.id = o.deployment_id WHERE o.device_id = ?1 AND o.state = 'in-progress';

-- How many are in progress, and how many have begun since ?2.
-- name: order_of_device_since
SELECT count(*) FILTER (WHERE state = 'in-progress'), count(*) FILTER (WHERE created_us >= ?2) FROM orders WHERE device_id = ?1;

-- A restart on purpose is no attempt more.
-- name: order_next_attempt
UPDATE orders SET attempt = attempt + iif(is_restarting = 0, 1, 0), environment = 'boot-image', is_restarting = 0,
    is_paused = 0, heard_us = ?2 WHERE id = ?1;

-- name: order_document
SELECT o.id, o.deployment_id, o.device_id, v.name, o.attempt, o.deadline_us, d.purpose, t.id, t.name, x.xml, t.boot_image_id,
    d.content_option, x.object, d.is_progress_shown, d.may_use_neighbours, d.may_use_default_group
FROM orders o JOIN device v ON v.id = o.device_id JOIN deployment d ON d.id = o.deployment_id
JOIN task_sequence t ON t.id = d.task_sequence_id
JOIN order_sequence s ON s.order_id = o.id AND s.position = 0
JOIN task_sequence_version x ON x.task_sequence_id = s.task_sequence_id AND x.version = s.version
WHERE o.device_id = ?1 AND o.state = 'in-progress';

-- name: order_deployed_sequence
SELECT task_sequence_id FROM deployment WHERE id = ?1;

-- name: order_sequence_add
INSERT INTO order_sequence (order_id, position, task_sequence_id, version, is_disabled, applies_image)
SELECT ?1, (SELECT count(*) FROM order_sequence WHERE order_id = ?1), id, version, is_disabled, applies_image
FROM task_sequence WHERE id = ?2;

-- Of those that the order runs within its own task sequence.
-- name: order_disabled_sequence
SELECT task_sequence_id FROM order_sequence WHERE order_id = ?1 AND position > 0 AND is_disabled <> 0
ORDER BY position LIMIT 1;

-- name: order_children
SELECT s.task_sequence_id AS id, x.xml, s.is_disabled FROM order_sequence s
JOIN task_sequence_version x ON x.task_sequence_id = s.task_sequence_id AND x.version = s.version
WHERE s.order_id = ?1 AND s.position > 0 ORDER BY s.position;

-- ?3: the boot image that the device has started; it is the order's if that of the task sequence is for another architecture.
-- name: order_content_add
INSERT INTO order_content (order_id, package_id, version)
SELECT ?1, p.id, p.current_version FROM package p JOIN task_sequence t ON t.id = (
    SELECT d.task_sequence_id FROM deployment d WHERE d.id = ?2)
WHERE p.current_version > 0 AND (p.id = coalesce((SELECT b.id FROM package b JOIN package own ON own.id = t.boot_image_id
        WHERE b.id = ?3 AND b.kind = 'boot-image' AND b.arch <> own.arch AND b.current_version > 0), t.boot_image_id)
    OR EXISTS (SELECT 1 FROM task_sequence_package x WHERE x.task_sequence_id = t.id AND x.package_id = p.id));

-- What the order got when it began; of a boot image what is laid out now, for only that can be fetched as files.
-- name: order_packages
SELECT p.id, p.kind, p.name, CASE p.kind WHEN 'boot-image' THEN p.current_version ELSE c.version END
FROM order_content c JOIN package p ON p.id = c.package_id
WHERE c.order_id = ?1 ORDER BY p.id;

-- name: order_index_list
SELECT number AS "index", manifest, size_bytes, has_unix_data, is_windows, arch FROM package_index
WHERE package_id = ?1 AND version = ?2 ORDER BY number;

-- 1 is ENDS_IN_OS (site/task_sequence_store.c).
-- name: order_for_status
SELECT o.state, o.last_seq, iif(d.is_cancelled <> 0 OR o.wish = 'cancel', 1, 0),
    (SELECT iif(max(s.applies_image) = 1, 1, 0) FROM order_sequence s WHERE s.order_id = o.id AND s.is_disabled = 0),
    o.wish, o.pause_until_us, o.log_wanted, o.log_sent, o.is_debug
FROM orders o JOIN deployment d ON d.id = o.deployment_id
WHERE o.id = ?1 AND o.device_id = ?2;

-- A message about the whole names no step: the last one stays.
-- name: order_progress
UPDATE orders SET last_seq = ?2, step = iif(?5 = '', step, ?3), n_steps = ?4, step_name = iif(?5 = '', step_name, ?5),
    step_type = iif(?5 = '', step_type, ?6), environment = ?7, percent = iif(?5 = '', percent, ?8), rate_bytes_per_s = ?9, message = ?10, heard_us = ?11, started_us = coalesce(started_us, ?11),
    is_restarting = ?12, restarted_us = iif(?12 <> 0, ?11, restarted_us),
    downloaded_bytes = max(downloaded_bytes, ?13), reused_bytes = max(reused_bytes, ?14), is_paused = ?15,
    step_group = iif(?5 = '', step_group, ?16)
WHERE id = ?1;

-- name: order_exit_code
UPDATE orders SET exit_code = ?2 WHERE id = ?1;

-- name: order_end
UPDATE orders SET state = ?2, error_id = ?3, message = ?4, ended_us = ?5, is_cancelled = ?6, is_restarting = 0, is_paused = 0
WHERE id = ?1 AND state = 'in-progress';

-- name: order_overdue
SELECT o.id, o.device_id, o.environment, o.is_restarting, o.restarted_us, iif(o.is_debug <> 0, 9223372036854775807, o.deadline_us), o.heard_us,
    o.step_name, iif(o.wish = 'cancel' OR d.is_cancelled <> 0, 1, 0), d.lost_contact_s, coalesce(o.step, 0), coalesce(o.n_steps, 0),
    iif(o.wish = 'pause', 1, 0)
FROM orders o JOIN deployment d ON d.id = o.deployment_id
WHERE o.state = 'in-progress' AND ((o.wish <> 'pause'
        AND ((o.deadline_us <= ?1 AND o.is_debug = 0) OR o.heard_us <= ?1 - d.lost_contact_s * 1000000))
    OR (o.wish = 'pause' AND o.pause_until_us IS NULL AND o.heard_us <= ?2)) LIMIT 1;

-- The latest one of a device under a deployment.
-- name: order_find
SELECT id, state, wish, is_cancelled, is_debug FROM orders WHERE deployment_id = ?1 AND device_id = ?2
ORDER BY created_us DESC, id DESC LIMIT 1;

-- name: order_heard
UPDATE orders SET heard_us = ?2 WHERE id = ?1;

-- name: order_cancel
UPDATE orders SET wish = 'cancel', pause_until_us = NULL WHERE id = ?1;

-- name: order_pause
UPDATE orders SET wish = 'pause', pause_us = coalesce(pause_us, ?2), pause_until_us = ?3 WHERE id = ?1;

-- The time of the pause does not count.
-- name: order_resume
UPDATE orders SET wish = 'run', deadline_us = deadline_us + (?2 - pause_us), heard_us = ?2, pause_us = NULL, pause_until_us = NULL
WHERE id = ?1 AND wish = 'pause';

-- name: order_pauses_end
UPDATE orders SET wish = 'run', deadline_us = deadline_us + (?1 - pause_us), heard_us = ?1, pause_us = NULL, pause_until_us = NULL
WHERE wish = 'pause' AND (state <> 'in-progress' OR pause_until_us <= ?1);

-- Keys of devices that wait, if they have less time left than until ?2, are good until ?1.
-- name: order_pauses_keep
UPDATE device_key SET expires_us = ?1 WHERE expires_us < ?2
    AND device_id IN (SELECT device_id FROM orders WHERE state = 'in-progress' AND (wish = 'pause' OR is_debug = 1));

-- name: status_message_add
INSERT INTO status_message (order_id, seq, state, step, n_steps, step_name, step_type, environment, percent,
    rate_bytes_per_s, exit_code, error_id, message, time_us, received_us, message_id, severity, step_group)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18);

-- One that was overtaken is dropped.
-- name: order_state_put
INSERT INTO order_state (order_id, seq, received_us, state) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (order_id) DO UPDATE SET seq = ?2, received_us = ?3, state = ?4 WHERE ?2 >= order_state.seq;

-- name: order_state_get
SELECT received_us AS "received_at", state AS "state:json" FROM order_state WHERE order_id = ?1;

-- name: order_log_put
INSERT INTO order_log (order_id, received_us, text) VALUES (?1, ?2, ?3)
ON CONFLICT (order_id) DO UPDATE SET received_us = ?2, text = ?3;

-- name: order_log_want
UPDATE orders SET log_wanted = log_wanted + 1 WHERE id = ?1;

-- name: order_log_sent
UPDATE orders SET log_sent = max(log_sent, min(?2, log_wanted)) WHERE id = ?1;

-- name: order_log_get
SELECT iif(o.state = 'in-progress' AND o.log_wanted > o.log_sent, 1, 0) AS "is_wanted", l.received_us AS "received_at", coalesce(l.text, '') AS text
FROM orders o LEFT JOIN order_log l ON l.order_id = o.id WHERE o.id = ?1;

-- name: order_debug
UPDATE orders SET is_debug = 1 WHERE id = ?1;

-- name: debug_message_add
INSERT INTO debug_message (order_id, is_from_device, number, body, sent_us) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- name: debug_message_list
SELECT id, body AS "body:json" FROM debug_message WHERE order_id = ?1 AND is_from_device = ?2 AND id > ?3 ORDER BY id LIMIT ?4;

-- name: debug_message_trim
DELETE FROM debug_message WHERE order_id = ?1 AND is_from_device = ?2 AND id <= (
    SELECT id FROM debug_message WHERE order_id = ?1 AND is_from_device = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3);

-- An hour after the end nobody asks any more.
-- name: debug_message_expire
DELETE FROM debug_message WHERE order_id IN (
    SELECT id FROM orders WHERE state <> 'in-progress' AND is_debug = 1 AND ended_us < ?1);
