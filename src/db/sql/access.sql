-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: admin_token_add
INSERT INTO admin_token (id, hash, kind, name, created_us, expires_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: admin_token_find
SELECT id, name FROM admin_token WHERE hash = ?1 AND kind = ?2 AND expires_us > ?3;

-- name: admin_token_drop
DELETE FROM admin_token WHERE hash = ?1;

-- name: admin_token_drop_kind
DELETE FROM admin_token WHERE kind = ?1;

-- name: admin_token_count
SELECT count(*) FROM admin_token WHERE kind = ?1 AND expires_us > ?2;

-- name: admin_token_expire
DELETE FROM admin_token WHERE expires_us <= ?1;

-- name: device_token_add
INSERT INTO device_token (hash, device_id, expires_us) VALUES (?1, ?2, ?3);

-- name: device_token_find
SELECT device_id FROM device_token WHERE hash = ?1 AND expires_us > ?2;

-- name: device_token_expire
DELETE FROM device_token WHERE expires_us <= ?1;

-- name: boot_ticket_add
INSERT INTO boot_ticket (hash, mac, expires_us) VALUES (?1, ?2, ?3);

-- name: boot_ticket_take
DELETE FROM boot_ticket WHERE hash = ?1 AND mac = ?2 AND expires_us > ?3;

-- name: boot_ticket_expire
DELETE FROM boot_ticket WHERE expires_us <= ?1;
