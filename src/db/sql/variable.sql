-- SPDX-License-Identifier: GPL-3.0-or-later

-- ?4: 1 secret, 0 not, NULL: as it was, and not if it is new.
-- name: collection_variable_set
INSERT INTO collection_variable (collection_id, name, value, is_secret, changed_us)
VALUES (?1, ?2, ?3, coalesce(?4, 0), ?5)
ON CONFLICT (collection_id, name) DO UPDATE SET value = ?3, is_secret = coalesce(?4, collection_variable.is_secret), changed_us = ?5;

-- name: device_variable_set
INSERT INTO device_variable (device_id, name, value, is_secret, changed_us)
VALUES (?1, ?2, ?3, coalesce(?4, 0), ?5)
ON CONFLICT (device_id, name) DO UPDATE SET value = ?3, is_secret = coalesce(?4, device_variable.is_secret), changed_us = ?5;

-- name: collection_variable_remove
DELETE FROM collection_variable WHERE collection_id = ?1 AND name = ?2;

-- name: device_variable_remove
DELETE FROM device_variable WHERE device_id = ?1 AND name = ?2;

-- Whether there is one of the name, and how many there are.
-- name: collection_variable_room
SELECT count(*) FILTER (WHERE name = ?2), count(*) FROM collection_variable WHERE collection_id = ?1;

-- name: device_variable_room
SELECT count(*) FILTER (WHERE name = ?2), count(*) FROM device_variable WHERE device_id = ?1;

-- name: collection_variable_get
SELECT name, iif(is_secret <> 0, NULL, value) AS value, is_secret, iif(value = '', 1, 0) AS is_asked,
    changed_us AS "changed_at" FROM collection_variable
WHERE collection_id = ?1 AND name = ?2;

-- name: device_variable_get
SELECT name, iif(is_secret <> 0, NULL, value) AS value, is_secret, iif(value = '', 1, 0) AS is_asked,
    changed_us AS "changed_at" FROM device_variable
WHERE device_id = ?1 AND name = ?2;

-- A secret value leaves the database in the order of a device only.
-- name: collection_variable_list
SELECT name, iif(is_secret <> 0, NULL, value) AS value, is_secret, iif(value = '', 1, 0) AS is_asked,
    changed_us AS "changed_at" FROM collection_variable
WHERE collection_id = ?1 ORDER BY name;

-- name: device_variable_list
SELECT name, iif(is_secret <> 0, NULL, value) AS value, is_secret, iif(value = '', 1, 0) AS is_asked,
    changed_us AS "changed_at" FROM device_variable
WHERE device_id = ?1 ORDER BY name;

-- What a device gets: its collections' by rising priority, then its own, then what its boot image's prestart command has set, if ?4 is 1, and what
-- was typed on its screen for the deployment ?3. ?2: an unknown computer also gets those of the collections of the record of its architecture. The
-- first column is enum ts_source.
-- name: variable_settings
SELECT 0 AS source, c.variable_priority AS priority, c.id AS owner, x.name, x.value, x.is_secret
FROM collection_variable x JOIN collection c ON c.id = x.collection_id
WHERE EXISTS (SELECT 1 FROM collection_member m WHERE m.collection_id = c.id AND m.device_id IN (?1, ?2))
UNION ALL
SELECT 1, 0, device_id, name, value, is_secret FROM device_variable WHERE device_id = ?1
UNION ALL
SELECT 3, 0, device_id, name, value, is_secret FROM prestart_variable WHERE device_id = ?1 AND ?4 = 1
UNION ALL
SELECT 3, 1, device_id, name, value, is_secret FROM wizard_variable WHERE device_id = ?1 AND deployment_id = ?3
ORDER BY 1, 2, 3, 4;

-- The names of those that are hidden on a device or a collection, whoever may see that.
-- name: variable_hidden_names
SELECT name FROM collection_variable WHERE is_secret = 1 UNION SELECT name FROM device_variable WHERE is_secret = 1 LIMIT ?1;
