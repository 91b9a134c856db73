-- SPDX-License-Identifier: GPL-3.0-or-later

-- The first one stays.
-- name: secret_add
INSERT INTO secret (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: secret_get
SELECT value FROM secret WHERE name = ?1;

-- name: idempotency_get
SELECT request_hash, status, answer FROM idempotency WHERE administrator_id = ?1 AND key_hash = ?2 AND made_us > ?3;

-- One that has run out makes way.
-- name: idempotency_add
INSERT INTO idempotency (administrator_id, key_hash, request_hash, status, answer, made_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (administrator_id, key_hash) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
    answer = excluded.answer, made_us = excluded.made_us;

-- Those before ?1, and all but the ?2 newest.
-- name: idempotency_trim
DELETE FROM idempotency
WHERE made_us < ?1 OR made_us < (SELECT i.made_us FROM idempotency i ORDER BY i.made_us DESC LIMIT 1 OFFSET ?2);
