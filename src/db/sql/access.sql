-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: access_token_add
INSERT INTO access_token (id, hash, kind, administrator_id, name, permissions, csrf_hash, created_us, used_us, expires_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9);

-- ?4: what was not used since then is over. ?5: so is what is somebody's of whom the directory has not spoken since then; ?6: or
-- an OpenID provider.
-- name: access_token_find
SELECT t.id, t.administrator_id, a.name, t.permissions, t.used_us, coalesce(t.csrf_hash, '')
FROM access_token t JOIN administrator a ON a.id = t.administrator_id
WHERE t.hash = ?1 AND t.kind = ?2 AND t.expires_us > ?3 AND t.used_us >= ?4 AND a.is_disabled = 0
    AND (a.kind <> 'directory-user' OR a.checked_us > ?5) AND (a.kind <> 'oidc-user' OR a.checked_us > ?6);

-- name: access_token_used
UPDATE access_token SET used_us = ?2 WHERE id = ?1;

-- name: access_token_drop
DELETE FROM access_token WHERE id = ?1;

-- name: access_token_drop_of
DELETE FROM access_token WHERE administrator_id = ?1;

-- All of an administrator but ?2.
-- name: access_token_drop_others
DELETE FROM access_token WHERE administrator_id = ?1 AND id <> ?2;

-- name: access_token_drop_kind
DELETE FROM access_token WHERE kind = ?1;

-- name: access_is_taken_over
SELECT 1 WHERE EXISTS (SELECT 1 FROM access_token WHERE kind <> 'one-time')
    OR EXISTS (SELECT 1 FROM administrator WHERE password IS NOT NULL AND is_disabled = 0);

-- name: access_token_expire
DELETE FROM access_token WHERE expires_us <= ?1;

-- An administrator's own; ?1: cursor, ?3: his id.
-- name: access_token_list
SELECT id, kind, name, permissions, created_us AS "created_at", used_us AS "used_at", expires_us AS "expires_at"
FROM access_token WHERE id > ?1 AND administrator_id = ?3 AND kind <> 'one-time' ORDER BY id LIMIT ?2;

-- name: access_token_of
SELECT 1 FROM access_token WHERE id = ?1 AND administrator_id = ?2;

-- name: boot_ticket_add
INSERT INTO boot_ticket (hash, mac, expires_us) VALUES (?1, ?2, ?3);

-- name: boot_ticket_take
DELETE FROM boot_ticket WHERE hash = ?1 AND mac = ?2 AND expires_us > ?3;

-- name: boot_ticket_expire
DELETE FROM boot_ticket WHERE expires_us <= ?1;
