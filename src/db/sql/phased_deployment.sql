-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: phased_deployment_add
INSERT INTO phased_deployment (id, name, comment, task_sequence_id, created_us) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: phase_add
INSERT INTO phase (phased_deployment_id, number, name, collection_id, terms, begins, begin_after_percent, begin_after_devices, defer_days,
    n_confirmed, state, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'waiting', ?11);

-- ?2: limit; in the order of ids
-- name: phased_deployment_list
SELECT f.id, f.name, f.comment, f.task_sequence_id, t.name AS task_sequence_name, f.is_suspended AS "is_suspended",
    @phased_state(f) AS state, (SELECT count(*) FROM phase p WHERE p.phased_deployment_id = f.id) AS n_phases,
    (SELECT count(*) FROM phase p WHERE p.phased_deployment_id = f.id AND p.state = 'begun') AS n_begun, f.created_us AS "created_at"
FROM phased_deployment f JOIN task_sequence t ON t.id = f.task_sequence_id
WHERE f.id > ?1 AND f.deleted_us IS NULL AND @may_phased('deployment', 'read', f.id) ORDER BY f.id LIMIT ?2;

-- By id or name.
-- name: phased_deployment_find
SELECT f.id FROM phased_deployment f WHERE (f.id = ?1 OR f.name = ?1) AND f.deleted_us IS NULL AND @may_phased('deployment', 'read', f.id)
ORDER BY f.id = ?1 DESC LIMIT 1;

-- name: phased_deployment_get
SELECT f.id, f.name, f.comment, f.task_sequence_id, t.name AS task_sequence_name, f.is_suspended AS "is_suspended",
    @phased_state(f) AS state, (SELECT count(*) FROM phase p WHERE p.phased_deployment_id = f.id) AS n_phases,
    (SELECT count(*) FROM phase p WHERE p.phased_deployment_id = f.id AND p.state = 'begun') AS n_begun, f.created_us AS "created_at"
FROM phased_deployment f JOIN task_sequence t ON t.id = f.task_sequence_id
WHERE f.id = ?1 AND f.deleted_us IS NULL AND @may_phased('deployment', 'read', f.id);

-- name: phase_list
SELECT p.number, p.name, p.collection_id, c.name AS collection_name, c.n_computers AS n_devices, p.terms AS "terms:json", p.begins,
    p.begin_after_percent, p.begin_after_devices, p.defer_days, p.n_confirmed, p.state, p.reason, CASE p.state WHEN 'deferred' THEN p.reached_us + p.defer_days * 86400000000 END AS "begins_at", p.begun_us AS "begun_at",
    p.deployment_id, coalesce(d.expires, '') AS expires, @phase_counts(d, u, c)
FROM phase p JOIN collection c ON c.id = p.collection_id LEFT JOIN deployment d ON d.id = p.deployment_id
LEFT JOIN deployment_summary u ON u.deployment_id = d.id
WHERE p.phased_deployment_id = ?1 ORDER BY p.number;

-- Those that go on by themselves.
-- name: phased_deployment_waiting
SELECT f.id FROM phased_deployment f WHERE f.deleted_us IS NULL AND f.is_suspended = 0
    AND EXISTS (SELECT 1 FROM phase p WHERE p.phased_deployment_id = f.id AND p.state <> 'begun') ORDER BY f.id;

-- The next phase, and how the one before goes.
-- name: phase_next
SELECT f.id, f.name AS phased_name, f.task_sequence_id, f.is_suspended AS "is_suspended", p.number, p.name, p.collection_id, p.terms AS "terms:json", p.begins,
    p.begin_after_percent, p.begin_after_devices, p.defer_days, p.n_confirmed, p.state, p.reason, p.reached_us, p.tried_us,
    q.name AS previous_name, coalesce(d.expires, '') AS expires, @phase_counts(d, u, c)
FROM phased_deployment f JOIN phase p ON p.phased_deployment_id = f.id AND p.state <> 'begun'
JOIN phase q ON q.phased_deployment_id = f.id AND q.number = p.number - 1 AND q.state = 'begun'
JOIN collection c ON c.id = q.collection_id LEFT JOIN deployment d ON d.id = q.deployment_id
LEFT JOIN deployment_summary u ON u.deployment_id = d.id
WHERE f.deleted_us IS NULL AND f.id = ?1;

-- ?3: state, ?4: reason, ?5: reached, ?6: tried
-- name: phase_set
UPDATE phase SET state = ?3, reason = ?4, reached_us = ?5, tried_us = ?6
WHERE phased_deployment_id = ?1 AND number = ?2 AND state <> 'begun';

-- name: phase_begin
UPDATE phase SET state = 'begun', reason = '', deployment_id = ?3, begun_us = ?4
WHERE phased_deployment_id = ?1 AND number = ?2 AND state <> 'begun';

-- name: phased_deployment_suspend
UPDATE phased_deployment SET is_suspended = ?2 WHERE id = ?1;

-- name: phased_deployment_delete
UPDATE phased_deployment SET deleted_us = ?2 WHERE id = ?1;

-- name: principal_may_phased
SELECT 1 FROM phased_deployment f WHERE f.id = ?3 AND @may_phased(?1, ?2, f.id);

-- name: audit_phased_deployment
SELECT f.id, f.name, f.comment, f.task_sequence_id, f.is_suspended AS "is_suspended", f.deleted_us IS NOT NULL AS "is_deleted"
FROM phased_deployment f WHERE f.id = ?1;

-- name: phase_audit_list
SELECT p.number, p.name, p.collection_id, p.state, p.deployment_id FROM phase p WHERE p.phased_deployment_id = ?1 ORDER BY p.number;

-- Those that use a task sequence.
-- name: task_sequence_phased
SELECT f.id, f.name FROM phased_deployment f WHERE f.task_sequence_id = ?1 AND f.deleted_us IS NULL ORDER BY f.id LIMIT 20;
