-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: administrator_seen
UPDATE administrator SET seen_us = ?2 WHERE id = ?1;

-- name: administrator_add
INSERT INTO administrator (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- By id or name: the id.
-- name: administrator_find
SELECT id, id = 'AD00001' FROM administrator WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1;

-- name: administrator_list
SELECT a.id, a.name, a.comment, a.is_disabled, a.password IS NOT NULL AS has_password, a.created_us AS "created_at",
    a.seen_us AS "last_seen_at"
FROM administrator a WHERE a.id > ?1 ORDER BY a.id LIMIT ?2;

-- name: administrator_get
SELECT a.id, a.name, a.comment, a.is_disabled, a.password IS NOT NULL AS has_password, a.created_us AS "created_at",
    a.seen_us AS "last_seen_at"
FROM administrator a WHERE a.id = ?1;

-- name: administrator_drop
DELETE FROM administrator WHERE id = ?1;

-- name: administrator_set
UPDATE administrator SET comment = coalesce(?2, comment), is_disabled = coalesce(?3, is_disabled) WHERE id = ?1;

-- name: administrator_set_password
UPDATE administrator SET password = ?2 WHERE id = ?1;

-- Who signs in by this name.
-- name: administrator_password
SELECT id, password FROM administrator WHERE name = ?1 AND is_disabled = 0 AND password IS NOT NULL;

-- Whether somebody is left who may everything and can sign in: with a password, or a token that lasts and is good for all.
-- name: administrator_is_full_left
SELECT 1 FROM administrator a JOIN administrator_grant g ON g.administrator_id = a.id
WHERE g.role_id = 'SLP0001R' AND g.target_id = 'SLP00ALL' AND a.is_disabled = 0
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

-- name: login_failure_count
SELECT count(*) FROM login_failure;
