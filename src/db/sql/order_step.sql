-- SPDX-License-Identifier: GPL-3.0-or-later

-- The step that runs.
-- name: order_step_open
SELECT number, step, state FROM order_step WHERE order_id = ?1 AND ended_us IS NULL ORDER BY number DESC LIMIT 1;

-- name: order_step_add
INSERT INTO order_step (order_id, number, step, step_name, step_type, step_group, environment, state, started_us)
SELECT ?1, coalesce((SELECT max(x.number) FROM order_step x WHERE x.order_id = ?1), 0) + 1, ?2, ?3, ?4, ?5, ?6, 'running', ?7;

-- name: order_step_state
UPDATE order_step SET state = ?3 WHERE order_id = ?1 AND number = ?2;

-- name: order_step_end
UPDATE order_step SET state = ?3, exit_code = ?4, error_id = ?5, message = ?6, output = ?7, ended_us = ?8
WHERE order_id = ?1 AND number = ?2;

-- The order is over.
-- name: order_step_interrupt
UPDATE order_step SET state = 'interrupted', ended_us = ?2 WHERE order_id = ?1 AND ended_us IS NULL;

-- name: order_step_list
SELECT s.number AS id, s.number, s.step, s.step_name, s.step_type, s.step_group, s.environment, s.state, s.exit_code, s.error_id, s.message, s.output,
    s.started_us AS "started_at", s.ended_us AS "ended_at", (coalesce(s.ended_us, ?4) - s.started_us) / 1000 AS duration_ms
FROM order_step s WHERE s.order_id = ?3 AND s.number > ?1 ORDER BY s.number LIMIT ?2;

-- Of the site: what it has to say about an order, behind what the device said.
-- name: status_message_of_site
INSERT INTO status_message (order_id, seq, state, step, n_steps, step_name, step_type, environment, percent,
    rate_bytes_per_s, exit_code, error_id, message, time_us, received_us, message_id, severity, step_group)
SELECT o.id, o.last_seq + 1, ?2, o.step, o.n_steps, o.step_name, o.step_type, o.environment, NULL, NULL, NULL, ?3, ?4, ?5, ?5, ?6, ?7, o.step_group
FROM orders o WHERE o.id = ?1 AND NOT EXISTS (SELECT 1 FROM status_message m WHERE m.order_id = o.id AND m.seq = o.last_seq + 1);

-- The oldest, and how far numbers go.
-- name: status_message_range
SELECT coalesce(min(id), 0), coalesce(max(id), 0), coalesce((SELECT m.received_us FROM status_message m ORDER BY m.id LIMIT 1), 0) FROM status_message;

-- At most 1000 at a time: received before ?1, or with a number up to ?2.
-- name: status_message_expire
DELETE FROM status_message WHERE id IN (SELECT m.id FROM status_message m ORDER BY m.id LIMIT 1000) AND (received_us < ?1 OR id <= ?2);

-- name: order_step_expire
DELETE FROM order_step WHERE started_us < ?1 AND ended_us IS NOT NULL AND order_id IN (
    SELECT x.order_id FROM order_step x WHERE x.started_us < ?1 ORDER BY x.started_us LIMIT 100);
