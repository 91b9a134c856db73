-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: boot_event_add
INSERT INTO boot_event (mac, time_us, event, answer, reason, stage, client, detail, dp_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: boot_event_trim
DELETE FROM boot_event WHERE mac = ?1 AND id <= (
    SELECT id FROM boot_event WHERE mac = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2);

-- name: boot_event_trim_all
DELETE FROM boot_event WHERE id <= (SELECT max(id) FROM boot_event) - ?1;

-- name: boot_event_history
SELECT time_us AS "time:time", CASE event WHEN 'decision' THEN answer ELSE event END AS event, reason,
    CASE WHEN stage = '' THEN detail ELSE '[' || client || ' ' || stage || '] ' || detail END AS text
FROM boot_event WHERE mac = ?1 ORDER BY id DESC LIMIT 100;

-- An offer of HTTP Boot to this MAC, made after ?2 and not used by a registration since.
-- name: boot_event_http_offer
SELECT id FROM boot_event WHERE mac = ?1 AND event = 'decision' AND answer = 'offer' AND client = 'http'
    AND time_us > ?2 AND id > coalesce((SELECT max(id) FROM boot_event WHERE mac = ?1 AND event = 'registered'), 0)
LIMIT 1;

-- name: boot_event_asks_since
SELECT count(*) FROM boot_event WHERE event = 'decision' AND stage = 'discover' AND time_us >= ?2
    AND mac IN (SELECT mac FROM device_mac WHERE device_id = ?1);

-- The boot image of an architecture to be used where the task sequence names none: one that the distribution point ?2 has, of
-- these the one of the highest priority, of these the one that was made last.
-- name: boot_image_newest
SELECT p.id FROM package p LEFT JOIN content_version v ON v.package_id = p.id AND v.number = p.current_version
WHERE p.kind = 'boot-image' AND p.arch = ?1 AND p.state = 'ready'
ORDER BY CASE WHEN ?2 = '' OR EXISTS (SELECT 1 FROM distribution_version x WHERE x.dp_id = ?2 AND x.package_id = p.id) THEN 0 ELSE 1 END,
    CASE p.priority WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, coalesce(v.created_us, p.created_us) DESC, p.created_us DESC,
    p.id DESC LIMIT 1;

-- What a remote distribution point serves by, and whether it has some version of a boot image whole.
-- name: boot_image_at_dp
SELECT d.url, EXISTS (SELECT 1 FROM distribution_version v WHERE v.dp_id = d.id AND v.package_id = ?2)
FROM distribution_point d WHERE d.id = ?1;

-- name: boot_image_state
SELECT state, arch FROM package WHERE id = ?1 AND kind = 'boot-image';

-- What a device may have to do: the deployments to a collection that holds it or ?2, and those of which it has an order.
-- ?2: an unknown computer is also what the record of its architecture is. ?3: whether its memberships count. What is in progress
-- comes first: of very many it is not the one that is left out.
-- name: boot_targets
SELECT d.id, d.task_sequence_id, coalesce(o.is_client, 0) AS "is_by_client", d.purpose, coalesce(t.boot_image_id, '') AS boot_image_id, t.name AS task_sequence_name,
    d.comment, d.collection_name, coalesce(o.state, '') AS order_state, coalesce(o.is_restarting, 0) AS restarting,
    coalesce(o.environment, '') AS environment,
    iif(d.is_cancelled <> 0 OR (coalesce(o.is_cancelled, 0) <> 0 AND coalesce(o.is_cleared, 0) = 0), 1, 0) AS "is_cancelled",
    t.is_disabled AS "is_sequence_disabled", d.is_reached,
    d.created_us, coalesce(o.created_us, 0) AS begun_us, coalesce(o.ended_us, 0) AS ended_us, coalesce(o.heard_us, 0) AS heard_us, coalesce(d.held_us, 0) AS held_us, coalesce(o.is_cleared, 0) AS "is_cleared",
    d.make_available_to, d.available_from, d.expires, d.assignments AS "assignments:json", d.rerun, d.priority, d.is_disabled,
    d.may_run_outside_windows AS "is_run_outside_windows", d.may_restart_outside_windows AS "is_restart_outside_windows", d.max_run_min,
    d.is_wake_on_lan AS "is_wake_on_lan", d.is_grown, d.since_us, d.available_over_days
FROM (
    SELECT a.*, coalesce(a.former_collection, c.name) AS collection_name, CASE WHEN a.deleted_us IS NULL AND ?3 = 1 AND EXISTS (
        SELECT 1 FROM collection_member m WHERE m.collection_id = a.collection_id AND m.device_id IN (?1, ?2)) THEN 1 ELSE 0 END AS is_reached,
        iif(@is_grown(a, c), 1, 0) AS is_grown, coalesce((SELECT min(m.since_us) FROM collection_member m
            WHERE m.collection_id = a.collection_id AND m.device_id IN (?1, ?2)), 0) AS since_us
    FROM deployment a JOIN collection c ON c.id = a.collection_id
    WHERE a.id IN (SELECT n.id FROM collection_member m JOIN deployment n ON n.collection_id = m.collection_id
            WHERE m.device_id IN (?1, ?2) AND n.deleted_us IS NULL)
        OR a.id IN (SELECT y.deployment_id FROM orders y WHERE y.device_id = ?1)
) AS d
JOIN task_sequence t ON t.id = d.task_sequence_id
LEFT JOIN orders o ON o.id = (SELECT x.id FROM orders x WHERE x.deployment_id = d.id AND x.device_id = ?1
    ORDER BY x.created_us DESC, x.id DESC LIMIT 1)
WHERE o.id IS NOT NULL OR (d.is_cancelled = 0 AND d.is_reached = 1)
ORDER BY CASE o.state WHEN 'in-progress' THEN 0 ELSE 1 END, d.created_us DESC, d.id DESC LIMIT 500;

-- name: boot_device
SELECT id, name, is_unknown, secure_boot, firmware, is_blocked, arch, coalesce(smbios_uuid, '') AS smbios_uuid FROM device WHERE id = ?1;

-- name: boot_device_mac
SELECT min(mac) FROM device_mac WHERE device_id = ?1;
