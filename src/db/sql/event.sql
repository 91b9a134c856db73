-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: event_number
UPDATE event_head SET n = n + 1 WHERE name = 'event' RETURNING n;

-- name: event_head
SELECT n, gone FROM event_head WHERE name = 'event';

-- ?1: number, ?2: now, ?3: kind, ?4: class, ?5: object, ?6: change, ?7: action, ?8: part, ?9: version or NULL, ?10: places, ?11: merge key
-- or NULL
-- name: event_add
INSERT INTO event (id, time_us, kind, class, object_id, change, action, part, version, places, merge_key)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (merge_key) DO UPDATE SET id = excluded.id, time_us = excluded.time_us, change = excluded.change, action = excluded.action,
    version = excluded.version;

-- name: event_of_order
SELECT deployment_id, device_id FROM orders WHERE id = ?1;

-- The version of a task sequence or of content.
-- name: event_version
SELECT version FROM task_sequence WHERE id = ?1 UNION ALL SELECT current_version FROM package WHERE id = ?1 AND current_version IS NOT NULL;

-- Who sees a thing that is about to be deleted. ?1: kind, ?2: its id
-- name: event_places
SELECT scope_id FROM security_scope_object WHERE object_id = ?2 AND ?1 NOT IN ('device', 'collection')
UNION ALL SELECT 'SLP00UNA' WHERE ?1 NOT IN ('device', 'collection') AND NOT EXISTS (SELECT 1 FROM security_scope_object WHERE object_id = ?2)
UNION ALL SELECT collection_id FROM collection_member WHERE device_id = ?2 AND ?1 = 'device'
UNION ALL SELECT ag.administrator_id FROM administrator_grant ag JOIN security_role_permission rp ON rp.role_id = ag.role_id
WHERE ag.target_id = ?2 AND ?1 = 'collection' AND rp.class IN ('*', 'collection') AND rp.verb IN ('*', 'read');

-- Those after ?1 up to ?2 that the administrator may see now, and those that may change what he sees: is_visible says which he sees.
-- name: event_list
SELECT e.id, e.kind, e.action IN ('administrator.grant', 'administrator.revoke', 'administrator.groups', 'administrator.set', 'administrator.delete',
    'security-role.set', 'security-role.delete', 'security-scope.add', 'security-scope.remove') AS is_about_rights,
    @may_event(e) AS is_visible, e.time_us, e.object_id, e.change, e.action, e.part, e.version, e.class
FROM event e WHERE e.id > ?1 AND e.id <= ?2 AND (@may_event(e) OR e.class IN ('administrator', 'security-role', 'security-scope'))
ORDER BY e.id;

-- How far 1,000 of those after ?1 up to ?2 reach; no row: so many are not there.
-- name: event_look
SELECT id FROM event WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1 OFFSET 999;

-- The newest of those that are no progress and of which ?1 are newer.
-- name: event_surplus
SELECT id FROM event WHERE merge_key IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?1;

-- The newest of the 5,000 oldest that are from before ?1.
-- name: event_old
SELECT coalesce(max(o.id), 0) FROM (SELECT id, time_us FROM event ORDER BY id LIMIT 5000) AS o WHERE o.time_us < ?1;

-- Numbers after a restore begin behind all that were told before. ?1: how many are left out
-- name: event_skip
UPDATE event_head SET n = n + ?1, gone = n + ?1 WHERE name = 'event';

-- name: event_drop
DELETE FROM event WHERE id <= ?1;

-- name: event_gone
UPDATE event_head SET gone = ?1 WHERE name = 'event' AND gone < ?1;

-- Alerts that were raised or closed at ?1.
-- name: event_alerts
SELECT id, state FROM alert WHERE changed_us = ?1;

-- Whether a token (?1) is still good, and its administrator is granted anything; ?2: now, ?3: a session that was not used since then is over,
-- ?4, ?5: as ?5, ?6 of access_token_find
-- name: event_token
SELECT t.permissions FROM access_token t JOIN administrator a ON a.id = t.administrator_id
WHERE t.id = ?1 AND t.administrator_id = :principal AND t.expires_us > ?2 AND (t.kind <> 'session' OR t.used_us >= ?3)
    AND a.is_disabled = 0 AND (a.kind <> 'directory-user' OR a.checked_us > ?4) AND (a.kind <> 'oidc-user' OR a.checked_us > ?5)
    AND EXISTS (SELECT 1 FROM administrator_grant ag WHERE ag.administrator_id IN @selves());
