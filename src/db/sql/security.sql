-- SPDX-License-Identifier: GPL-3.0-or-later

-- Security roles.

-- name: security_role_builtin
INSERT INTO security_role (id, name, comment, is_builtin, created_us) VALUES (?1, ?2, ?3, 1, ?4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, comment = excluded.comment;

-- name: security_role_add
INSERT INTO security_role (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- name: security_role_find
SELECT id, is_builtin FROM security_role WHERE id = ?1 OR name = ?1 COLLATE NOCASE ORDER BY id = ?1 DESC LIMIT 1;

-- name: security_role_list
SELECT r.id, r.name, r.comment, r.is_builtin,
    (SELECT count(DISTINCT g.administrator_id) FROM administrator_grant g WHERE g.role_id = r.id) AS n_administrators,
    r.created_us AS "created_at"
FROM security_role r WHERE r.id > ?1 ORDER BY r.id LIMIT ?2;

-- name: security_role_get
SELECT r.id, r.name, r.comment, r.is_builtin,
    (SELECT count(DISTINCT g.administrator_id) FROM administrator_grant g WHERE g.role_id = r.id) AS n_administrators,
    r.created_us AS "created_at"
FROM security_role r WHERE r.id = ?1;

-- name: security_role_drop
DELETE FROM security_role WHERE id = ?1;

-- name: security_role_set
UPDATE security_role SET name = coalesce(?2, name), comment = coalesce(?3, comment) WHERE id = ?1;

-- name: security_role_permissions
SELECT class, verb FROM security_role_permission WHERE role_id = ?1 ORDER BY class, verb;

-- name: security_role_permission_add
INSERT INTO security_role_permission (role_id, class, verb) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: security_role_permissions_drop
DELETE FROM security_role_permission WHERE role_id = ?1;

-- name: security_role_granted
SELECT a.name FROM administrator_grant g JOIN administrator a ON a.id = g.administrator_id WHERE g.role_id = ?1
ORDER BY a.name LIMIT 1;

-- Security scopes.

-- name: security_scope_add
INSERT INTO security_scope (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- name: security_scope_find
SELECT id, is_builtin FROM security_scope WHERE id = ?1 OR name = ?1 COLLATE NOCASE ORDER BY id = ?1 DESC LIMIT 1;

-- name: security_scope_list
SELECT s.id, s.name, s.comment, s.is_builtin,
    (SELECT count(*) FROM security_scope_object x WHERE x.scope_id = s.id) AS n_objects, s.created_us AS "created_at"
FROM security_scope s WHERE s.id > ?1 ORDER BY s.id LIMIT ?2;

-- name: security_scope_get
SELECT s.id, s.name, s.comment, s.is_builtin,
    (SELECT count(*) FROM security_scope_object x WHERE x.scope_id = s.id) AS n_objects, s.created_us AS "created_at"
FROM security_scope s WHERE s.id = ?1;

-- name: security_scope_drop
DELETE FROM security_scope WHERE id = ?1;

-- name: security_scope_granted
SELECT a.name FROM administrator_grant g JOIN administrator a ON a.id = g.administrator_id WHERE g.target_id = ?1
ORDER BY a.name LIMIT 1;

-- name: security_scope_objects
SELECT object_id FROM security_scope_object WHERE scope_id = ?1 ORDER BY object_id LIMIT 10000;

-- What the administrator may see of them, by its name.
-- name: security_scope_members
SELECT 'task-sequence' AS class, t.id AS object_id, t.name COLLATE BINARY AS object FROM security_scope_object x JOIN task_sequence t ON t.id = x.object_id
WHERE x.scope_id = ?1 AND t.deleted_us IS NULL AND @may('task-sequence', 'read', t.id)
UNION ALL SELECT p.kind, p.id, p.name COLLATE BINARY FROM security_scope_object x JOIN package p ON p.id = x.object_id
WHERE x.scope_id = ?1 AND @may(p.kind, 'read', p.id)
UNION ALL SELECT 'distribution-point', d.id, d.name COLLATE BINARY FROM security_scope_object x JOIN distribution_point d ON d.id = x.object_id
WHERE x.scope_id = ?1 AND @may('distribution-point', 'read', d.id)
UNION ALL SELECT 'distribution-point-group', g.id, g.name COLLATE BINARY FROM security_scope_object x JOIN dp_group g ON g.id = x.object_id
WHERE x.scope_id = ?1 AND @may('distribution-point-group', 'read', g.id)
UNION ALL SELECT 'boundary-group', b.id, b.name COLLATE BINARY FROM security_scope_object x JOIN boundary_group b ON b.id = x.object_id
WHERE x.scope_id = ?1 AND @may('boundary-group', 'read', b.id)
ORDER BY 1, 3, 2 LIMIT 10000;

-- name: security_scope_object_add
INSERT INTO security_scope_object (object_id, scope_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: security_scope_object_drop
DELETE FROM security_scope_object WHERE object_id = ?1 AND scope_id = ?2;
