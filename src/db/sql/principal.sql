-- SPDX-License-Identifier: GPL-3.0-or-later

-- What the administrator of the request may; ?1: class, ?2: verb, ?3: the object's id. src/site/principal.c

-- Anything at all of a class.
-- name: principal_may_any
SELECT 1 WHERE :principal = '' OR EXISTS (@granted(?1, ?2));

-- The same by a security scope, and not by a collection alone.
-- name: principal_may_by_scope
SELECT 1 WHERE :principal = '' OR EXISTS (@granted(?1, ?2)
    AND (ag.target_id = 'SLP00ALL' OR ag.target_id IN (SELECT s.id FROM security_scope s)));

-- name: principal_may_all
SELECT 1 WHERE @may_all(?1, ?2);

-- name: principal_may_object
SELECT 1 WHERE @may(?1, ?2, ?3);

-- name: principal_may_collection
SELECT 1 WHERE @may_collection(?1, ?2, ?3);

-- name: principal_may_device
SELECT 1 FROM device v WHERE v.id = ?3 AND @may_device(?1, ?2, v);

-- name: principal_may_deployment
SELECT 1 FROM deployment d WHERE d.id = ?3 AND @may_collection(?1, ?2, d.collection_id);

-- name: principal_may_operation
SELECT 1 FROM job j WHERE j.id = ?3 AND @may(?1, ?2, coalesce(j.package_id, j.id));

-- name: content_class
SELECT kind FROM package WHERE id = ?1 UNION ALL SELECT 'task-sequence' FROM task_sequence WHERE id = ?1;

-- What is new is in the scopes in which its maker may make such things, if not in Default; ?1: its id, ?2: class, ?3: verb
-- name: principal_scope_new
INSERT INTO security_scope_object (object_id, scope_id)
SELECT DISTINCT ?1, s.id FROM security_scope s WHERE s.is_builtin = 0 AND EXISTS (@granted(?2, ?3) AND ag.target_id = s.id)
    AND NOT @may(?2, ?3, '');

-- Who makes a collection may in it what he may in the one that limits it, and nothing else; what he may as a member of a group,
-- the group may. ?1: its id, ?2: of that one
-- name: principal_grant_new
INSERT INTO administrator_grant (administrator_id, role_id, target_id)
SELECT g.administrator_id, g.role_id, ?1 FROM administrator_grant g WHERE g.administrator_id IN @selves() AND g.target_id = ?2;

-- Whether he may say who is in a collection: what he may do in it, he may do in the one that limits it.
-- name: principal_may_fill
SELECT 1 FROM collection c WHERE c.id = ?1 AND @may_collection('collection', 'modify', c.limiting_id) AND NOT EXISTS (
    SELECT 1 FROM administrator_grant og JOIN security_role_permission op ON op.role_id = og.role_id
    WHERE og.administrator_id IN @selves() AND og.target_id = c.id
        AND NOT EXISTS (@granted(op.class, op.verb) AND ag.target_id IN ('SLP00ALL', c.limiting_id)));
