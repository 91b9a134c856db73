-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: device_key_add
INSERT INTO device_key (public_key, device_id, ticket_hash, created_us, expires_us) VALUES (?1, ?2, ?3, ?4, ?5);

-- All of a device but ?3, which was just made, those that orders were reported on with, and the latest; ?2 in all.
-- name: device_key_trim
DELETE FROM device_key WHERE device_id = ?1 AND is_client = 0 AND public_key NOT IN (
    SELECT k.public_key FROM device_key k WHERE k.device_id = ?1
    ORDER BY CASE k.public_key WHEN ?3 THEN 0 ELSE 1 END, k.reported_us DESC, k.created_us DESC, k.public_key LIMIT ?2);

-- The key that the token ?1 is of. Nothing if that was noted after ?3.
-- name: device_key_reported
UPDATE device_key SET reported_us = ?2 WHERE reported_us <= ?3
    AND public_key = (SELECT t.public_key FROM device_token t WHERE t.hash = ?1);

-- name: device_key_find
SELECT device_id, ticket_hash, created_us FROM device_key WHERE public_key = ?1 AND expires_us > ?2;

-- name: device_key_expire
DELETE FROM device_key WHERE expires_us <= ?1;

-- Their tokens go with them.
-- name: device_keys_drop
DELETE FROM device_key WHERE device_id = ?1;

-- name: device_tokens_drop
DELETE FROM device_token WHERE device_id = ?1;

-- name: device_token_add
INSERT INTO device_token (hash, device_id, public_key, expires_us) VALUES (?1, ?2, ?3, ?4);

-- All of a key but ?3, which was just made, and the latest; ?2 in all.
-- name: device_token_trim
DELETE FROM device_token WHERE public_key = ?1 AND hash NOT IN (
    SELECT t.hash FROM device_token t WHERE t.public_key = ?1
    ORDER BY CASE t.hash WHEN ?3 THEN 0 ELSE 1 END, t.expires_us DESC, t.hash LIMIT ?2);

-- name: device_token_find
SELECT device_id FROM device_token WHERE hash = ?1 AND expires_us > ?2;

-- name: device_token_expire
DELETE FROM device_token WHERE expires_us <= ?1;

-- name: challenge_use
INSERT INTO challenge (code, time_us) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: challenge_forgotten
SELECT time_us FROM challenge WHERE code = '';

-- name: challenge_expire
DELETE FROM challenge WHERE time_us <= ?1 AND code <> '';

-- name: challenge_forget
INSERT INTO challenge (code, time_us) VALUES ('', ?1)
ON CONFLICT (code) DO UPDATE SET time_us = excluded.time_us WHERE challenge.time_us < excluded.time_us;
