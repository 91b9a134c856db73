-- SPDX-License-Identifier: GPL-3.0-or-later

-- How long a kept answer is, and where that is found without reading the answers.
ALTER TABLE idempotency ADD COLUMN n_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE idempotency SET n_bytes = length(answer);
DROP INDEX idempotency_by_time;
CREATE INDEX idempotency_by_time ON idempotency (made_us, key_hash, n_bytes);
CREATE INDEX idempotency_by_administrator ON idempotency (administrator_id, made_us, key_hash, n_bytes);
