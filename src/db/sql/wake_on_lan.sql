-- SPDX-License-Identifier: GPL-3.0-or-later

-- One that is made wakes from its first deadline on; one that is changed from now on. ?2: now
-- name: wake_plan
INSERT INTO deployment_wake (deployment_id, seen_us, look_us, due_us, after_id)
SELECT d.id, CASE WHEN d.created_us = ?2 THEN 0 ELSE ?2 END, 0, 0, '' FROM deployment d WHERE d.id = ?1
ON CONFLICT (deployment_id) DO UPDATE SET look_us = 0;

-- name: wake_plan_drop
DELETE FROM deployment_wake WHERE deployment_id = ?1;

-- name: wake_up_drop_deployment
DELETE FROM wake_up WHERE deployment_id = ?1;

-- Those that may be due; one that is disabled is looked at when it is so no more, one whose devices are being gathered when that is done.
-- name: wake_deployments
SELECT d.id FROM deployment_wake w JOIN deployment d ON d.id = w.deployment_id
WHERE w.look_us <= ?1 AND w.due_us = 0 AND d.is_disabled = 0 AND d.is_cancelled = 0 AND d.deleted_us IS NULL ORDER BY w.look_us, d.id LIMIT 50;

-- name: wake_deployment
SELECT d.id, w.seen_us, d.created_us, d.purpose, d.make_available_to, d.available_from, d.expires, d.assignments AS "assignments:json",
    d.rerun, d.priority, d.is_disabled
FROM deployment_wake w JOIN deployment d ON d.id = w.deployment_id WHERE d.id = ?1;

-- name: wake_looked
UPDATE deployment_wake SET look_us = ?2 WHERE deployment_id = ?1;

-- name: wake_due
UPDATE deployment_wake SET look_us = ?2, seen_us = ?3, due_us = ?3, after_id = '' WHERE deployment_id = ?1;

-- The next behind ?1.
-- name: wake_gathering
SELECT deployment_id, after_id FROM deployment_wake WHERE due_us > 0 AND deployment_id > ?1 ORDER BY deployment_id LIMIT 1;

-- The last of the next ?3, and how many these are.
-- name: wake_gather_last
SELECT coalesce(max(x.device_id), ''), count(*) FROM (SELECT m.device_id FROM deployment d JOIN collection_member m ON m.collection_id = d.collection_id
    WHERE d.id = ?1 AND m.device_id > ?2 ORDER BY m.device_id LIMIT ?3) x;

-- Members behind ?2 up to ?3. ?4: now
-- name: wake_up_gather
INSERT INTO wake_up (device_id, deployment_id, look_us, since_us)
SELECT m.device_id, d.id, ?4, ?4 FROM deployment d JOIN collection_member m ON m.collection_id = d.collection_id JOIN device v ON v.id = m.device_id
WHERE d.id = ?1 AND m.device_id > ?2 AND m.device_id <= ?3 AND v.kind = 'computer'
ON CONFLICT (device_id, deployment_id) DO UPDATE SET look_us = excluded.look_us, since_us = excluded.since_us;

-- ?2: '' when there are no more
-- name: wake_gathered
UPDATE deployment_wake SET after_id = ?2, due_us = CASE WHEN ?2 = '' THEN 0 ELSE due_us END WHERE deployment_id = ?1;

-- name: wake_up_ask
INSERT INTO wake_up (device_id, deployment_id, look_us, since_us, who) VALUES (?1, '', ?2, ?2, ?3)
ON CONFLICT (device_id, deployment_id) DO UPDATE SET look_us = excluded.look_us, since_us = excluded.since_us, who = excluded.who;

-- name: wake_up_asked
SELECT count(*) FROM wake_up WHERE deployment_id = '';

-- The next deployment behind ?1 with devices that are due.
-- name: wake_up_next
SELECT u.deployment_id FROM wake_up u WHERE u.deployment_id > ?1 AND u.look_us <= ?2 ORDER BY u.deployment_id LIMIT 1;

-- Of one deployment; '': those that somebody asked for.
-- name: wake_up_due
SELECT u.device_id, u.deployment_id, u.who, v.is_blocked, v.woken_us, u.since_us FROM wake_up u JOIN device v ON v.id = u.device_id
WHERE u.deployment_id = ?1 AND u.look_us <= ?2 ORDER BY u.look_us, u.device_id LIMIT ?3;

-- ?4: since when it is to be woken
-- name: wake_up_later
UPDATE wake_up SET look_us = ?3, since_us = ?4 WHERE device_id = ?1 AND deployment_id = ?2;

-- name: wake_up_drop
DELETE FROM wake_up WHERE device_id = ?1 AND deployment_id = ?2;

-- name: wake_device_state
SELECT woken_us, name FROM device WHERE id = ?1;

-- name: wake_device_woken
UPDATE device SET woken_us = ?2 WHERE id = ?1;

-- name: wake_device_inventory
SELECT coalesce(inventory, '{}') FROM device WHERE id = ?1;

-- Its own: what many machines have at one time or another may be in another one by now.
-- name: wake_device_macs
SELECT a.mac FROM device_mac a WHERE a.device_id = ?1
    AND NOT EXISTS (SELECT 1 FROM duplicate_hardware_id h WHERE h.id = a.mac) ORDER BY a.mac LIMIT ?2;

-- Whether it can be given a job. ?2: who was heard of since then is online
-- name: wake_dp_is_there
SELECT 1 FROM distribution_point WHERE id = ?1 AND is_disabled = 0 AND (is_own <> 0 OR coalesce(seen_us, 0) >= ?2);

-- name: wake_dp_is_busy
SELECT 1 FROM job WHERE kind = 'wake' AND dp_id = ?1 AND state IN ('queued', 'running') LIMIT 1;

-- name: wake_job_args
SELECT args FROM job WHERE id = ?1;

-- Whether anything is to be done. ?1: now, ?2: jobs that nobody has taken since then
-- name: wake_has_work
SELECT 1 WHERE EXISTS (SELECT 1 FROM deployment_wake w JOIN deployment d ON d.id = w.deployment_id
    WHERE w.due_us > 0 OR (w.look_us <= ?1 AND d.is_disabled = 0 AND d.is_cancelled = 0 AND d.deleted_us IS NULL))
    OR EXISTS (SELECT 1 FROM wake_up u WHERE u.look_us <= ?1)
    OR EXISTS (SELECT 1 FROM job j WHERE j.kind = 'wake' AND j.state = 'queued' AND j.created_us < ?2);

-- Those that nobody has taken since ?1.
-- name: wake_job_stale
SELECT id FROM job WHERE kind = 'wake' AND state = 'queued' AND created_us < ?1 ORDER BY id LIMIT 1;
