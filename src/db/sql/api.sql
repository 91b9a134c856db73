-- SPDX-License-Identifier: GPL-3.0-or-later

-- The first one stays.
-- name: secret_add
INSERT INTO secret (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: secret_get
SELECT value FROM secret WHERE name = ?1;
