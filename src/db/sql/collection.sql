-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: collection_add
INSERT INTO collection (id, name, comment, rule, limiting_id, created_us) VALUES (?1, ?2, ?3, 'direct', ?4, ?5);

-- name: collection_find
SELECT c.id, c.rule FROM collection c WHERE (c.id = ?1 OR c.name = ?1) AND @may_collection('collection', 'read', c.id)
ORDER BY c.id = ?1 DESC LIMIT 1;

-- name: collection_list
SELECT c.id, c.name, c.comment, c.rule <> 'direct' AS is_builtin, c.n_members, c.variable_priority,
    coalesce(c.limiting_id, '') AS limiting_id,
    coalesce((SELECT l.name FROM collection l WHERE l.id = c.limiting_id AND @may_collection('collection', 'read', l.id)), '') AS limiting_name,
    c.evaluating_after IS NOT NULL AS is_evaluating, c.created_us AS "created_at"
FROM collection c WHERE c.id > ?1 AND @may_collection('collection', 'read', c.id) ORDER BY c.id LIMIT ?2;

-- name: collection_get
SELECT c.id, c.name, c.comment, c.rule <> 'direct' AS is_builtin, c.n_members, c.variable_priority,
    coalesce(c.limiting_id, '') AS limiting_id,
    coalesce((SELECT l.name FROM collection l WHERE l.id = c.limiting_id AND @may_collection('collection', 'read', l.id)), '') AS limiting_name,
    c.evaluating_after IS NOT NULL AS is_evaluating, c.created_us AS "created_at"
FROM collection c WHERE c.id = ?1;

-- name: collection_members
SELECT v.id AS device_id, v.name, coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac
FROM collection_member m JOIN device v ON v.id = m.device_id
WHERE m.collection_id = ?1 AND @may_device('device', 'read', v) ORDER BY m.device_id LIMIT ?2;

-- name: collection_member_get
SELECT v.id AS device_id, v.name, coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac,
    EXISTS (SELECT 1 FROM collection_member m WHERE m.collection_id = ?1 AND m.device_id = v.id) AS is_member
FROM device v WHERE v.id = ?2;

-- name: collection_set
UPDATE collection SET name = ?2, comment = ?3, variable_priority = ?4, limiting_id = ?5 WHERE id = ?1;

-- name: collection_drop
DELETE FROM collection WHERE id = ?1;

-- Who keeps it from being deleted: a deployment, or another collection.
-- name: collection_user
SELECT 'The deployment', CASE WHEN @may_collection('deployment', 'read', d.collection_id) THEN d.id ELSE '' END
    FROM deployment d WHERE d.collection_id = ?1 AND (d.deleted_us IS NULL
        OR EXISTS (SELECT 1 FROM orders o WHERE o.deployment_id = d.id AND o.state = 'in-progress'))
UNION ALL SELECT 'The phased deployment', CASE WHEN @may_phased('deployment', 'read', f.id) THEN f.id ELSE '' END
    FROM phase p JOIN phased_deployment f ON f.id = p.phased_deployment_id WHERE p.collection_id = ?1 AND f.deleted_us IS NULL
UNION ALL SELECT 'The collection', CASE WHEN @may_collection('collection', 'read', c.id) THEN format('"%s" (%s)', c.name, c.id) ELSE '' END
    FROM collection c WHERE c.limiting_id = ?1
UNION ALL SELECT 'The collection', CASE WHEN @may_collection('collection', 'read', l.collection_id) THEN format('"%s" (%s)', o.name, o.id) ELSE '' END
    FROM collection_link l JOIN collection o ON o.id = l.collection_id WHERE l.other_id = ?1
LIMIT 1;

-- Who is granted it, and would lose what the same role gives him neither for the collection that limits it nor for All.
-- name: collection_granted
SELECT a.name FROM administrator_grant g JOIN administrator a ON a.id = g.administrator_id JOIN collection c ON c.id = g.target_id
WHERE g.target_id = ?1 AND NOT EXISTS (SELECT 1 FROM administrator_grant o WHERE o.administrator_id = g.administrator_id
    AND o.role_id = g.role_id AND o.target_id IN ('SLP00ALL', coalesce(c.limiting_id, ''))) ORDER BY a.name LIMIT 1;

-- name: collection_grants
SELECT g.administrator_id, g.role_id FROM administrator_grant g WHERE g.target_id = ?1 ORDER BY g.administrator_id, g.role_id;

-- name: collection_grants_drop
DELETE FROM administrator_grant WHERE target_id = ?1;

-- What is left of deleted deployments to it stays with the collection that limits it, so that what they did on devices is known.
-- First the counts, which are about the members of that one then.
-- name: collection_deployments_count
UPDATE deployment_summary SET n_begun_members = (SELECT count(*) FROM deployment_device s JOIN collection_member m ON m.device_id = s.device_id
    WHERE s.deployment_id = deployment_summary.deployment_id AND m.collection_id = (SELECT c.limiting_id FROM collection c WHERE c.id = ?1))
WHERE deployment_id IN (SELECT d.id FROM deployment d WHERE d.collection_id = ?1);

-- name: collection_deployments_keep
UPDATE deployment SET former_collection = coalesce(former_collection, (SELECT c.name FROM collection c WHERE c.id = ?1)),
    collection_id = (SELECT c.limiting_id FROM collection c WHERE c.id = ?1)
WHERE collection_id = ?1 AND deleted_us IS NOT NULL;

-- name: collection_direct_add
INSERT INTO collection_direct (collection_id, device_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: collection_direct_drop
DELETE FROM collection_direct WHERE collection_id = ?1 AND device_id = ?2;

-- name: collection_query_add
INSERT INTO collection_query (collection_id, name, filter) VALUES (?1, ?2, ?3);

-- name: collection_query_drop
DELETE FROM collection_query WHERE collection_id = ?1 AND name = ?2;

-- name: collection_link_add
INSERT INTO collection_link (collection_id, other_id, is_exclude) VALUES (?1, ?2, ?3);

-- name: collection_link_drop
DELETE FROM collection_link WHERE collection_id = ?1 AND other_id = ?2 AND is_exclude = ?3;

-- name: collection_rules
SELECT 'query' AS type, q.name, q.filter AS value FROM collection_query q WHERE q.collection_id = ?1
UNION ALL SELECT CASE l.is_exclude WHEN 0 THEN 'include' ELSE 'exclude' END, coalesce(c.name, ''), coalesce(c.id, '')
    FROM collection_link l LEFT JOIN collection c ON c.id = l.other_id AND @may_collection('collection', 'read', c.id)
    WHERE l.collection_id = ?1
UNION ALL SELECT 'direct', coalesce(v.name, ''), coalesce(v.id, '')
    FROM collection_direct d LEFT JOIN device v ON v.id = d.device_id AND @may_device('device', 'read', v)
    WHERE d.collection_id = ?1
ORDER BY 1, 2 LIMIT ?2;

-- name: collection_n_queries
SELECT count(*) FROM collection_query WHERE collection_id = ?1;

-- name: collection_stamp
SELECT stamp FROM collection_stamp WHERE number = 1;

-- name: collection_set_stamp
UPDATE collection_stamp SET stamp = ?1 WHERE number = 1;

-- name: graph_nodes
SELECT id, rule, coalesce(limiting_id, '') FROM collection ORDER BY id;

-- name: graph_queries
SELECT collection_id, filter FROM collection_query ORDER BY collection_id, name;

-- name: graph_links
SELECT collection_id, other_id, is_exclude FROM collection_link ORDER BY collection_id, other_id;

-- name: membership_of_device
SELECT collection_id FROM collection_member WHERE device_id = ?1;

-- name: membership_direct
SELECT collection_id FROM collection_direct WHERE device_id = ?1;

-- ?3: now
-- name: membership_add
INSERT INTO collection_member (collection_id, device_id, since_us) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: membership_drop
DELETE FROM collection_member WHERE collection_id = ?1 AND device_id = ?2;

-- name: membership_count_up
UPDATE collection SET n_members = n_members + 1,
    n_computers = n_computers + (SELECT iif(v.kind = 'computer', 1, 0) FROM device v WHERE v.id = ?2)
WHERE id = ?1;

-- name: membership_count_down
UPDATE collection SET n_members = n_members - 1,
    n_computers = n_computers - (SELECT iif(v.kind = 'computer', 1, 0) FROM device v WHERE v.id = ?2)
WHERE id = ?1;

-- name: membership_begin
UPDATE collection SET evaluating_after = '' WHERE id = ?1;

-- Once a day, those of which nobody asked for it.
-- name: membership_begin_daily
UPDATE collection SET evaluating_after = '' WHERE evaluating_after IS NULL AND evaluated_us < ?1;

-- name: membership_cursor
SELECT min(evaluating_after) FROM collection WHERE evaluating_after IS NOT NULL;

-- name: membership_pending
SELECT id FROM collection WHERE evaluating_after = ?1;

-- name: membership_advance
UPDATE collection SET evaluating_after = ?2 WHERE evaluating_after = ?1;

-- name: membership_end
UPDATE collection SET evaluating_after = NULL, evaluated_us = ?2 WHERE evaluating_after = ?1;

-- name: device_facts
SELECT @facts(v) FROM device v WHERE v.id = ?1;

-- name: device_facts_slice
SELECT @facts(v) FROM device v WHERE v.id > ?1 ORDER BY v.id LIMIT ?2;

-- The same of those that the administrator may see, for the list of devices.
-- name: device_search_slice
SELECT @facts(v) FROM device v WHERE v.id > ?1 AND v.kind = 'computer' AND @may_device('device', 'read', v)
ORDER BY v.id LIMIT ?2;

-- The same of those whose names are in a range, which the index of the names finds.
-- name: device_search_named
SELECT @facts(v) FROM device v WHERE v.name >= ?3 AND v.name < ?4 AND v.id > ?1 AND v.kind = 'computer' AND @may_device('device', 'read', v)
ORDER BY v.id LIMIT ?2;

-- How many there are, as far as it matters.
-- name: device_search_named_count
SELECT count(*) FROM (SELECT v.id FROM device v WHERE v.name >= ?1 AND v.name < ?2 LIMIT ?3) AS few;

-- name: device_fact_macs
SELECT mac FROM device_mac WHERE device_id = ?1 ORDER BY mac;

-- name: device_fact_parts
SELECT value FROM device_part WHERE device_id = ?1 AND kind = ?2 ORDER BY value;

-- name: device_part_add
INSERT INTO device_part (device_id, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: device_part_clear
DELETE FROM device_part WHERE device_id = ?1;
