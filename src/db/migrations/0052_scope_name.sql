-- SPDX-License-Identifier: GPL-3.0-or-later

-- The names of security scopes and roles know no upper and lower case. Of those that differ in nothing else the built-in one, else
-- the oldest, keeps its name; the others get their id behind it.
UPDATE security_scope SET name = name || ' (' || id || ')'
WHERE is_builtin = 0 AND EXISTS (SELECT 1 FROM security_scope o WHERE o.name = security_scope.name COLLATE NOCASE
    AND o.id <> security_scope.id AND (o.is_builtin = 1 OR o.id < security_scope.id));
CREATE UNIQUE INDEX security_scope_by_name ON security_scope (name COLLATE NOCASE);

UPDATE security_role SET name = name || ' (' || id || ')'
WHERE is_builtin = 0 AND EXISTS (SELECT 1 FROM security_role o WHERE o.name = security_role.name COLLATE NOCASE
    AND o.id <> security_role.id AND (o.is_builtin = 1 OR o.id < security_role.id));
CREATE UNIQUE INDEX security_role_by_name ON security_role (name COLLATE NOCASE);

-- What was granted for a collection that is gone.
DELETE FROM administrator_grant WHERE target_id NOT IN (SELECT id FROM security_scope UNION ALL SELECT id FROM collection);
