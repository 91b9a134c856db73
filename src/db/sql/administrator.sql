-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: administrator_seen
UPDATE administrator SET seen_us = ?2 WHERE id = ?1;

-- name: administrator_add
INSERT INTO administrator (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- By id or name: the id.
-- name: administrator_find
SELECT id, id = 'AD00001' FROM administrator WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1;

-- name: administrator_list
SELECT a.id, a.name, a.kind, a.external_name, a.comment, a.is_disabled, a.password IS NOT NULL AS has_password, a.created_us AS "created_at",
    a.seen_us AS "last_seen_at"
FROM administrator a WHERE a.id > ?1 ORDER BY a.id LIMIT ?2;

-- name: administrator_get
SELECT a.id, a.name, a.kind, a.external_name, a.comment, a.is_disabled, a.password IS NOT NULL AS has_password, a.created_us AS "created_at",
    a.seen_us AS "last_seen_at"
FROM administrator a WHERE a.id = ?1;

-- name: administrator_drop
DELETE FROM administrator WHERE id = ?1;

-- name: administrator_set
UPDATE administrator SET comment = coalesce(?2, comment), is_disabled = coalesce(?3, is_disabled) WHERE id = ?1;

-- name: administrator_set_password
UPDATE administrator SET password = ?2 WHERE id = ?1;

-- ?3: a group's distinguished name
-- name: administrator_set_kind
UPDATE administrator SET kind = ?2, external_name = ?3 WHERE id = ?1;

-- name: administrator_kind
SELECT kind, name FROM administrator WHERE id = ?1;

-- Somebody of this name.
-- name: directory_user
SELECT id, kind, is_disabled, coalesce(account_id, '') FROM administrator WHERE name = ?1;

-- The groups of the directory that somebody may be in.
-- name: directory_groups
SELECT id, external_name FROM administrator WHERE kind = 'directory-group' AND is_disabled = 0 ORDER BY id LIMIT ?1;

-- name: directory_group_count
SELECT count(*) FROM administrator WHERE kind = 'directory-group';

-- What somebody is granted, himself or as a member of a group.
-- name: directory_user_may
SELECT 1 FROM administrator_grant g WHERE g.administrator_id = ?1 OR g.administrator_id IN
    (SELECT m.group_id FROM administrator_member m JOIN administrator a ON a.id = m.group_id
    WHERE m.administrator_id = ?1 AND a.is_disabled = 0) LIMIT 1;

-- The directory has said that it is he.
-- name: directory_user_checked
UPDATE administrator SET checked_us = ?2, account_id = coalesce(account_id, ?3) WHERE id = ?1;

-- name: directory_user_gone
UPDATE administrator SET checked_us = NULL WHERE id = ?1;

-- name: directory_members
SELECT m.group_id FROM administrator_member m WHERE m.administrator_id = ?1 ORDER BY m.group_id;

-- name: directory_members_drop
DELETE FROM administrator_member WHERE administrator_id = ?1;

-- name: directory_member_add
INSERT INTO administrator_member (administrator_id, group_id) SELECT ?1, a.id FROM administrator a
WHERE a.id = ?2 AND a.kind = 'directory-group' ON CONFLICT DO NOTHING;

-- Groups of somebody, with their names.
-- name: administrator_groups
SELECT a.id, a.name FROM administrator_member m JOIN administrator a ON a.id = m.group_id WHERE m.administrator_id = ?1
ORDER BY a.id;

-- Whom to ask the directory about: who has a token, and was asked about before ?1; ?2: now
-- name: directory_due
SELECT a.id, a.name FROM administrator a WHERE a.kind = 'directory-user' AND a.is_disabled = 0 AND coalesce(a.checked_us, 0) <= ?1
    AND EXISTS (SELECT 1 FROM access_token t WHERE t.administrator_id = a.id AND t.expires_us > ?2)
ORDER BY coalesce(a.checked_us, 0), a.id LIMIT ?3;

-- Who signs in by this name.
-- name: administrator_password
SELECT id, password FROM administrator WHERE name = ?1 AND is_disabled = 0 AND password IS NOT NULL AND kind = 'local';

-- Whether somebody is left who may everything and can sign in: with a password, or a token that lasts and is good for all.
-- name: administrator_is_full_left
SELECT 1 FROM administrator a JOIN administrator_grant g ON g.administrator_id = a.id
WHERE g.role_id = 'SLP0001R' AND g.target_id = 'SLP00ALL' AND a.is_disabled = 0 AND a.kind = 'local'
    AND (a.password IS NOT NULL OR EXISTS (SELECT 1 FROM access_token k
        WHERE k.administrator_id = a.id AND k.kind <> 'session' AND k.permissions = '*' AND k.expires_us > ?1)) LIMIT 1;

-- name: administrator_grants
SELECT g.role_id, r.name AS role_name, g.target_id, coalesce(s.name, c.name, '') AS target_name,
    CASE WHEN s.id IS NULL THEN 'collection' ELSE 'security-scope' END AS target_kind
FROM administrator_grant g JOIN security_role r ON r.id = g.role_id
LEFT JOIN security_scope s ON s.id = g.target_id LEFT JOIN collection c ON c.id = g.target_id
WHERE g.administrator_id = ?1 ORDER BY g.role_id, g.target_id;

-- name: administrator_grant_add
INSERT INTO administrator_grant (administrator_id, role_id, target_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: administrator_grant_drop
DELETE FROM administrator_grant WHERE administrator_id = ?1 AND role_id = ?2 AND target_id = ?3;

-- Failed attempts to sign in.

-- name: login_until
SELECT coalesce(max(until_us), 0) FROM login_failure WHERE subject IN (?1, ?2);

-- name: login_failures
SELECT n_failures FROM login_failure WHERE subject = ?1 AND last_us >= ?2;

-- name: login_failed
INSERT INTO login_failure (subject, n_failures, last_us, until_us) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (subject) DO UPDATE SET n_failures = excluded.n_failures, last_us = excluded.last_us, until_us = excluded.until_us;

-- name: login_succeeded
DELETE FROM login_failure WHERE subject = ?1;

-- name: login_uncount
UPDATE login_failure SET n_failures = n_failures - 1, until_us = iif(n_failures - 1 < ?2, 0, until_us)
WHERE subject = ?1 AND n_failures > 0;

-- name: login_failure_expire
DELETE FROM login_failure WHERE last_us < ?1;

-- Of the subjects that begin with ?1 the one least worth keeping, if ?2 others are kept.
-- name: login_failure_make_room
DELETE FROM login_failure WHERE subject = (SELECT f.subject FROM login_failure f WHERE substr(f.subject, 1, length(?1)) = ?1
    ORDER BY f.n_failures DESC, f.last_us DESC, f.subject LIMIT 1 OFFSET ?2);
