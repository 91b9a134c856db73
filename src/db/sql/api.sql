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
INSERT INTO idempotency (administrator_id, key_hash, request_hash, status, answer, made_us, n_bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (administrator_id, key_hash) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
    answer = excluded.answer, made_us = excluded.made_us, n_bytes = excluded.n_bytes;

-- Those before ?1.
-- name: idempotency_trim
DELETE FROM idempotency WHERE made_us < ?1;

-- Of an administrator (?1) all but the ?2 newest, and the newest that have ?3 bytes together; one at least stays.
-- name: idempotency_trim_own
DELETE FROM idempotency WHERE administrator_id = ?1 AND key_hash IN (SELECT x.key_hash FROM (
    SELECT i.key_hash, row_number() OVER (ORDER BY i.made_us DESC, i.key_hash) AS n,
        sum(i.n_bytes) OVER (ORDER BY i.made_us DESC, i.key_hash) AS n_bytes
    FROM idempotency i WHERE i.administrator_id = ?1) AS x WHERE x.n > ?2 OR (x.n_bytes > ?3 AND x.n > 1));

-- The same of all together: those but the newest that have ?1 bytes.
-- name: idempotency_trim_bytes
DELETE FROM idempotency WHERE made_us <= (SELECT coalesce(max(x.made_us), 0) FROM (
    SELECT i.made_us, sum(i.n_bytes) OVER (ORDER BY i.made_us DESC, i.key_hash) AS n_bytes FROM idempotency i) AS x
    WHERE x.n_bytes > ?1);
