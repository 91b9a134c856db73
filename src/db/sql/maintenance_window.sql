-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: maintenance_window_set
INSERT INTO maintenance_window (collection_id, name, applies_to, schedule, changed_us) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (collection_id, name) DO UPDATE SET applies_to = excluded.applies_to, schedule = excluded.schedule,
    changed_us = excluded.changed_us;

-- name: maintenance_window_drop
DELETE FROM maintenance_window WHERE collection_id = ?1 AND name = ?2;

-- name: maintenance_window_room
SELECT count(*) FROM maintenance_window WHERE collection_id = ?1 AND name <> ?2;

-- name: maintenance_window_list
SELECT name, applies_to, schedule AS "schedule:json" FROM maintenance_window WHERE collection_id = ?1 ORDER BY name;

-- Those of all collections that a device, or what it is as an unknown computer (?2), is a member of.
-- name: maintenance_window_of_device
SELECT w.schedule AS "schedule:json" FROM maintenance_window w
WHERE w.applies_to IN ('all', 'task-sequences')
    AND w.collection_id IN (SELECT m.collection_id FROM collection_member m WHERE m.device_id IN (?1, ?2))
ORDER BY w.collection_id, w.name LIMIT ?3;
