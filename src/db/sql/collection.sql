-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: collection_add
INSERT INTO collection (id, name, comment, rule, created_us) VALUES (?1, ?2, ?3, 'direct', ?4);

-- name: collection_find
SELECT c.id, c.rule FROM collection c WHERE (c.id = ?1 OR c.name = ?1) AND @may_collection('collection', 'read', c.id)
ORDER BY c.id = ?1 DESC LIMIT 1;

-- name: collection_list
SELECT c.id, c.name, c.comment, c.rule <> 'direct' AS is_builtin,
    CASE c.rule
        WHEN 'all-systems' THEN (SELECT count(*) FROM device WHERE is_unknown = 0)
        WHEN 'all-unknown' THEN (SELECT count(*) FROM device WHERE is_unknown = 1)
        ELSE (SELECT count(*) FROM collection_member m WHERE m.collection_id = c.id) END AS n_members,
    c.variable_priority, c.created_us AS "created_at"
FROM collection c WHERE c.id > ?1 AND @may_collection('collection', 'read', c.id) ORDER BY c.id LIMIT ?2;

-- name: collection_get
SELECT c.id, c.name, c.comment, c.rule <> 'direct' AS is_builtin,
    CASE c.rule
        WHEN 'all-systems' THEN (SELECT count(*) FROM device WHERE is_unknown = 0)
        WHEN 'all-unknown' THEN (SELECT count(*) FROM device WHERE is_unknown = 1)
        ELSE (SELECT count(*) FROM collection_member m WHERE m.collection_id = c.id) END AS n_members,
    c.variable_priority, c.created_us AS "created_at"
FROM collection c WHERE c.id = ?1;

-- name: collection_members
SELECT v.id AS device_id, v.name, coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac
FROM device v, collection c
WHERE c.id = ?1 AND (
    (c.rule = 'all-systems' AND v.is_unknown = 0) OR (c.rule = 'all-unknown' AND v.is_unknown = 1)
    OR (c.rule = 'direct' AND EXISTS (
        SELECT 1 FROM collection_member m WHERE m.collection_id = c.id AND m.device_id = v.id)))
ORDER BY v.id LIMIT ?2;

-- name: collection_member_get
SELECT v.id AS device_id, v.name, coalesce((SELECT min(mac) FROM device_mac a WHERE a.device_id = v.id), '') AS mac
FROM device v WHERE v.id = ?1;

-- name: collection_member_add
INSERT INTO collection_member (collection_id, device_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: collection_set_priority
UPDATE collection SET variable_priority = ?2 WHERE id = ?1;
